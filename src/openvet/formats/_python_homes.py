"""Python that goes through the home of whoever runs it and overwrites, encrypts or deletes what it finds, in whatever function.

Only loops over the home as a whole (or its documents), and calls that remove it as a whole, count; a search that is narrowed to
compiled or temporary files does not. It is a heuristic of one source: places that are only known when it runs are not seen.

Sources: MITRE ATT&CK T1485, T1486.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._format import Facts
from openvet.formats._python_calls import FINDS, arguments_of, last_name
from openvet.formats._python_fold import Folder
from openvet.formats._python_nodes import children, walk

__all__ = ["tell_homes"]

#: Words of which a source must have one of each kind.
_HOMES: Final = pattern(
    r"expanduser|\.home\(\)|\.cwd\(\)|getcwd|USERPROFILE|\bHOME\b|[\"'](?:/home|/root|/Users|/|/data|/mnt|/srv)[\"'/]|C:[\\/]{1,4}Users"
)
_CHANGES: Final = pattern(
    r"rmtree|write_bytes|write_text|unlink|\bremove\b|[\"']r?[wa]b?\+?b?[\"']|r\+b|encrypt|\brename\b"
)
_WALKS: Final = FINDS | {"fwalk"}
_REMOVES: Final = frozenset({"remove", "unlink", "rmtree", "write_bytes", "write_text", "truncate", "rmdir"})
#: Functions of modules that are given the place first.
_WHOLE: Final = pattern(
    r"(?:~|/|/home|/root|/Users|C:[\\/]{1,4}(?:Users)?|(?:~|/root)/(?:Documents|Desktop|Pictures|Downloads|Music|Videos))[\\/]?(?:\*{1,2}(?:/\*)?)?"
)
_FOLDERS: Final = frozenset({"documents", "desktop", "pictures", "downloads", "music", "videos"})
_TIDIED: Final = (
    ".pyc",
    ".pyo",
    ".tmp",
    ".log",
    ".lock",
    ".bak",
    ".cache",
    ".swp",
    "__pycache__",
    ".ipynb_checkpoints",
    ".incomplete",
    ".ds_store",
)
_LONGEST: Final = 512 * 1024
_MOST_NODES: Final = 100_000


def tell_homes(text: str, facts: Facts) -> None:
    """Record the first place at which a source destroys the files of whoever runs it."""
    if len(text) > _LONGEST or not _HOMES.search(text) or not _CHANGES.search(text):
        return
    try:
        nodes = list(islice(walk(ast.parse(text)), _MOST_NODES))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    held = {
        node.targets[0].id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in nodes:  # a loop over several places goes through each of them
        if (
            isinstance(node, ast.For)
            and isinstance(node.target, ast.Name)
            and isinstance(node.iter, ast.Tuple | ast.List)
        ):
            held.update((node.target.id, each) for each in node.iter.elts if _is_home(each, held))
    modules = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in ("os", "shutil")
    }
    for node in nodes:
        if _destroys(node, held, modules) or (isinstance(node, ast.For) and _removes_several(node)):
            message = "overwrites, encrypts or deletes the files of whoever runs it"
            facts.anomaly("hub/shell-command", message, line=getattr(node, "lineno", 1), kind="destroys")
            return


def _destroys(node: ast.AST, held: dict[str, ast.expr], modules: set[str]) -> bool:
    if isinstance(node, ast.For):
        return any(_walks_home(each, held) for each in walk(node.iter)) and _changes_each(node.body, modules)
    return (
        isinstance(node, ast.Call)
        and _asked(node.func) == "rmtree"
        and bool(node.args)
        and _is_home(node.args[0], held)
    )


#: Where people keep what they work on, outside the folders of one project.
_KEPT: Final = pattern(
    r"(?:~|\$HOME|/home/\w{1,32}|/root|/data|/mnt|/srv|/media|/datasets|/checkpoints|/models)(?:/[\w-]{1,40}){0,2}/?"
)


def _removes_several(loop: ast.For) -> bool:
    """Whether a loop removes several whole folders, written out, in which people keep what they work on."""
    if not isinstance(loop.target, ast.Name) or not isinstance(loop.iter, ast.Tuple | ast.List | ast.Set):
        return False
    texts = [each.value for each in loop.iter.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if sum(1 for text in texts if _KEPT.fullmatch(text) and "tmp" not in text and "cache" not in text) < 2:
        return False
    calls = [
        each
        for part in loop.body
        for each in walk(part)
        if isinstance(each, ast.Call) and _asked(each.func) == "rmtree"
    ]
    return any(isinstance(each, ast.Name) and each.id == loop.target.id for call in calls for each in walk(call))


def _walks_home(node: ast.AST, held: dict[str, ast.expr]) -> bool:
    if not isinstance(node, ast.Call) or _asked(node.func) not in _WALKS:
        return False
    words = [
        each.value for each in arguments_of(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    if any(word.lower().endswith(_TIDIED) for word in words):
        return False
    owner = _owner(node.func)
    return any(_is_home(each, held) for each in (*node.args[:1], *([owner] if owner is not None else [])))


def _is_home(node: ast.expr, held: dict[str, ast.expr], hops: int = 6) -> bool:
    """Whether an expression is a home, the root, or a folder of documents in one."""
    if hops <= 0:
        return False
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _WHOLE.fullmatch(node.value) is not None
    if isinstance(node, ast.Name):
        return node.id in held and _is_home(held[node.id], held, hops - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        return _is_home(node.left, held, hops - 1) and _is_folder(node.right)
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in ("HOME", "USERPROFILE")
    if not isinstance(node, ast.Call):
        return False
    name = _asked(node.func)
    if name in ("home", "cwd", "getcwd"):
        return not node.args
    if name in ("getenv", "get"):
        return (
            bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value in ("HOME", "USERPROFILE")
        )
    if name == "join":
        return bool(node.args) and _is_home(node.args[0], held, hops - 1) and all(map(_is_folder, node.args[1:]))
    if name in ("expanduser", "Path", "str", "abspath", "realpath", "PosixPath", "expandvars", "resolve", "fspath"):
        inner = node.args[0] if node.args else node.func.value if isinstance(node.func, ast.Attribute) else None
        return inner is not None and len(node.args) < 2 and _is_home(inner, held, hops - 1)
    return False


def _is_folder(node: ast.expr) -> bool:
    """A folder in which people keep their own documents, or everything below."""
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, str) and (value.lower().strip("/\\") in _FOLDERS or not value.strip("/\\*"))


def _changes_each(body: list[ast.stmt], modules: set[str]) -> bool:
    calls = [each for part in body for each in walk(part) if isinstance(each, ast.Call)]
    words = {word.lower() for part in body for word in _texts(part)}
    if any(word.endswith(_TIDIED) for word in words):
        return False
    return any(_asked(each.func) in _REMOVES and _is_of_files(each, modules) for each in calls) or any(
        map(_opens_anew, calls)
    )


def _is_of_files(call: ast.Call, modules: set[str]) -> bool:
    """``list.remove`` and ``str.write`` are no matter: a module's function, or a method of the path itself."""
    name = _asked(call.func)
    owner = _owner(call.func)
    if name in ("remove", "truncate", "rmdir"):
        return isinstance(owner, ast.Name) and owner.id in modules
    return True


def _opens_anew(call: ast.Call) -> bool:
    """Whether a file is opened to be written over."""
    if _asked(call.func) != "open":
        return False
    modes = [
        each.value for each in arguments_of(call) if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    return any(mode in ("wb", "w", "r+b", "rb+", "r+", "wb+", "w+b") for mode in modes) and any(
        isinstance(each, ast.Name | ast.Call) for each in arguments_of(call)[:1]
    )


def _texts(part: ast.AST) -> Iterator[str]:
    """The texts of a loop's body, without those of what is left out of it (``if not name.startswith('.cache')``)."""
    waiting = [part]
    while waiting:
        each = waiting.pop()
        negated = isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.Not)
        if negated or (isinstance(each, ast.Compare) and isinstance(each.ops[0], ast.NotEq | ast.NotIn)):
            continue
        waiting.extend(children(each))
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _asked(node: ast.expr) -> str:
    """The last part of a name, also of ``getattr(module, "name")``."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and len(node.args) > 1
    ):
        asked = Folder().fold(node.args[1], {})
        return asked if isinstance(asked, str) else ""
    return last_name(node)


def _owner(node: ast.expr) -> ast.expr | None:
    """What the name is taken from."""
    if isinstance(node, ast.Call) and node.args:
        return node.args[0]
    return node.value if isinstance(node, ast.Attribute) else None
