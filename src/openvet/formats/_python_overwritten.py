"""What a source changes that is not its own: files of its user that it removes or encrypts, other models, what Python runs whenever it starts, and
the clients of the Hub.

Sources: MITRE ATT&CK T1485, T1486, T1546, T1557.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_bad_place
from openvet.formats._private_places import HOME
from openvet.formats._python_calls import FINDS, last_name, receiver
from openvet.formats._python_flowing import texts_of
from openvet.formats._python_nodes import walk

if TYPE_CHECKING:
    from openvet.formats._python_flowing import Flowing
    from openvet.formats._python_record import Record

__all__ = ["OF_HOMES", "Overwritten"]

_OF_PEOPLE: Final = pattern(r"^(?:Documents|Desktop|Pictures|Downloads)\b|^(?:~|/root|/home|/Users)")
#: A folder of somebody, with nothing of its own name below it.
_WHOLE: Final = pattern(r"^/(?:mnt|media|srv|home|Users)(?:/[^/.][^/]{0,60})?/?$|^~/(?!\.)[^/]{1,40}/?$")
_WEIGHTS: Final = pattern(r"\.(?:safetensors|pt|pth|bin|ckpt|h5|gguf|onnx|npz|msgpack)$")
#: Where loaders keep the code of models that they took from a hub; and words by which a source can come to it.
_KEPT_CODE: Final = pattern(
    r"\btransformers_modules\b|\bdiffusers_modules\b|\bdatasets_modules\b|\bmodelscope_modules\b|huggingface/modules|huggingface/hub\b.{0,200}\.py\b|\bmodels--[\w.-]{1,80}.{0,200}\.py\b"
)
_KEEPS_CODE_WORDS: Final = (
    "transformers_modules", "diffusers_modules", "datasets_modules", "modelscope_modules", "huggingface", "models--", "HF_MODULES_CACHE", "DYNAMIC_MODULES_CACHE",
)  # fmt: skip
#: What is told of homes by :mod:`openvet.formats._python_homes` as well.
OF_HOMES: Final = frozenset(
    {
        "encrypts the files of whoever runs it",
        "removes folders of whoever runs it",
        "removes the files that it finds in the home of whoever runs it",
    }
)


class Overwritten:
    """What one source changes."""

    __slots__ = ("_in", "_knows_caches", "_of")

    def __init__(self, uses: Record, flowing: Flowing) -> None:
        self._of = uses
        self._in = flowing
        self._knows_caches = any(word in flowing.text for word in _KEEPS_CODE_WORDS)

    def changes(self, node: ast.Call, full: str, last: str) -> str:
        """What a call changes, in a few words; empty for what nobody minds."""
        if last in ("remove", "unlink", "rmtree", "removedirs") and (capable := self._removed(node, last)):
            return capable
        if (
            last in ("write_bytes", "write", "writelines")
            and isinstance(node.func, ast.Attribute)
            and self._encrypts(node, node.func.value)
        ):
            return "encrypts the files of whoever runs it"
        if last in ("write_bytes", "write_text", "write", "open") and ".pth" in self._in.text:
            places = [node.func.value] if isinstance(node.func, ast.Attribute) else node.args[:1]
            if any(
                (each.endswith(".pth") and "distutils" in each) or (each.endswith(".pth") and "/" not in each)
                for each in self._in.texts(places)
            ) and any(
                isinstance(part, ast.Call)
                and last_name(part.func) in ("getsitepackages", "getusersitepackages", "get_path", "get_python_lib")
                for part in self._in.parts(places)
            ):
                return "leaves a file that Python runs whenever it starts"
        if (
            last in ("save_file", "save")
            and len(node.args) > 1
            and self._of.is_model(self._of.owner.rpartition(".")[0])
        ):
            for part in self._in.parts(node.args[1:2]):
                if (
                    isinstance(part, ast.Call)
                    and last_name(part.func) in FINDS
                    and any(_WEIGHTS.search(each) for each in self._in.texts(list(part.args)))
                    and any(isinstance(each, ast.Attribute) and each.attr == "parent" for each in walk(part))
                ):
                    return "changes other models that it finds"
        if self._of_others(node, full, last):
            return "changes the code of other models"
        if (
            full == "builtins.setattr"
            and len(node.args) == 3
            and self._is_hub(node.args[0])
            and any(is_bad_place(each) for each in self._in.texts(node.args[2:]))
        ):
            return "makes the client of the Hub ask somebody else"
        return ""

    def _of_others(self, node: ast.Call, full: str, last: str) -> bool:
        """Whether a call writes to where loaders keep the code of models, which run it the next time that one of them is loaded."""
        if not self._knows_caches:
            return False
        if last == "open":
            mode = next((each.value for each in node.keywords if each.arg == "mode"), None)
            at = 1 if full in ("builtins.open", "io.open") else 0
            mode = node.args[at] if mode is None and len(node.args) > at else mode
            text = mode.value if isinstance(mode, ast.Constant) else ""
            if not isinstance(text, str) or not any(letter in text for letter in "wax+"):
                return False
            places = node.args[:1] if at else receiver(node)
        elif last in ("write_text", "write_bytes"):
            places = receiver(node)
        elif last in ("copy", "copy2", "copyfile", "move", "replace", "rename", "symlink") and full.startswith(
            ("shutil.", "os.")
        ):
            places = node.args[1:2]
        else:
            return False
        parts = list(self._in.parts(places))
        kept = any(
            isinstance(each, ast.Name | ast.Attribute)
            and last_name(each) in ("HF_MODULES_CACHE", "DIFFUSERS_DYNAMIC_MODULES_CACHE")
            for each in parts
        ) or any(_KEPT_CODE.search(each) for each in self._in.texts(places))
        named = any(isinstance(each, ast.Name) and each.id == "__file__" for each in parts)
        return kept and not named

    def _removed(self, node: ast.Call, last: str) -> str:
        given = node.args[:1] or receiver(node)
        if last == "rmtree" and any(
            isinstance(text := self._of.place_of(each), str) and _WHOLE.search(text) for each in given
        ):
            return "removes folders of whoever runs it"
        for part in self._in.parts(given):
            if isinstance(part, ast.Call) and last_name(part.func) in ("glob", "iglob", "rglob"):
                texts = self._in.texts([*part.args, *receiver(part)])
                whole = any(
                    each.rstrip("/").endswith(("**/*", "/**")) or (last_name(part.func) == "rglob" and each == "*")
                    for each in texts
                )
                if whole and any(HOME.search(each) and "tmp" not in each for each in texts):
                    return "removes the files that it finds in the home of whoever runs it"
        return ""

    def _encrypts(self, node: ast.Call, file: ast.expr) -> bool:
        encrypted = any(
            isinstance(part, ast.Call) and last_name(part.func) in ("encrypt", "encrypt_and_digest")
            for part in self._in.parts(node.args[:1])
        )
        return encrypted and self._found_in([file])

    def _found_in(self, nodes: list[ast.expr]) -> bool:
        for part in self._in.parts(nodes):
            if isinstance(part, ast.Call) and last_name(part.func) in FINDS:
                inside = [*part.args, *receiver(part)]
                if any(_OF_PEOPLE.search(each) for each in self._in.texts(inside)):
                    return True
        return False

    def _is_hub(self, node: ast.expr) -> bool:
        return (self._of.resolve(node) or "").startswith("huggingface_hub")

    def assigned(self, node: ast.Assign) -> Iterator[tuple[int, str, str]]:
        """Line, what stands there, and what an assignment does that takes the place of something."""
        for target in node.targets:
            if not isinstance(target, ast.Attribute):
                continue
            if self._is_hub(target.value) and any(is_bad_place(each) for each in texts_of(node.value)):
                yield node.lineno, target.attr, "makes the client of the Hub ask somebody else"
            if (
                target.attr == "__import__"
                and self._of.resolve(target.value) == "builtins"
                and ("http" in self._in.text or "socket" in self._in.text)
            ):
                yield (
                    node.lineno,
                    "builtins.__import__",
                    "takes the place of Python's import, and talks to another machine",
                )
