"""Files that a source fetches or decodes, and runs: what is written where, what is run out of where, and which of these are the same.

Sources: MITRE ATT&CK T1105, T1059.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from openvet.formats._addresses import ADDRESS, BARE, KNOWN, PLAIN
from openvet.formats._python_calls import last_name
from openvet.formats._python_ends import ends

if TYPE_CHECKING:
    from openvet.formats._python_origins import Origins
    from openvet.formats._python_record import Record

__all__ = ["Files"]

_DECODED: Final = "decoded"
_MOST: Final = 200
_DOWNLOADS: Final = frozenset({"urlretrieve", "retrieve", "download_url_to_file", "download_file", "download_url"})
#: What is made of a file: it is run, may be run from now on, or gives objects.
_CODE, _PROGRAM, _OBJECTS = "code", "program", "objects"


class Files:
    """The files of one source by what they are known again."""

    __slots__ = ("_fetched", "_from", "_of", "_ran")

    def __init__(self, uses: Record, origins: Origins) -> None:
        self._of = uses
        self._from = origins
        #: what is fetched to which file: its keys, the addresses; what is run out of a file: its keys, and how to tell of it
        self._fetched: list[tuple[frozenset[str], tuple[str, ...]]] = []
        self._ran: list[tuple[frozenset[str], str, ast.AST, str, str, str]] = []

    def call(self, node: ast.Call, name: str, last: str, capability: str | None, when: str) -> None:
        """A call that may write what is fetched into a file, or run one."""
        self._note_fetched(node, name, last)
        self.note_run(node, name, last, capability, when)

    def imports(self, node: ast.AST, module: str, when: str) -> None:
        """An import of a module that may have been fetched."""
        if self._fetched and len(self._ran) < _MOST:
            self._ran.append(
                (
                    frozenset({f"module {module.split('.', 1)[0]}"}),
                    _CODE,
                    node,
                    f"import {module}",
                    when,
                    self._of.owner,
                )
            )

    def _note_fetched(self, node: ast.Call, name: str, last: str) -> None:
        place: ast.expr | None = None
        origin: list[ast.expr] = []
        keywords = {each.arg: each.value for each in node.keywords}
        if last in _DOWNLOADS or name in (
            "wget.download",
            "gdown.download",
        ):
            place = keywords.get("filename") or keywords.get("out") or keywords.get("output") or keywords.get("dst")
            place = place or (node.args[1] if len(node.args) > 1 else None)
            origin = node.args[:1]
        elif last in ("write", "write_bytes", "write_text") and isinstance(node.func, ast.Attribute) and node.args:
            place, origin = node.func.value, node.args[:1]
            if self._from.fetches(origin) is None:
                if not self._from.is_decoded(origin) or len(self._fetched) >= _MOST:
                    return
                self._fetched.append((self._keys(place), (_DECODED,)))
                return
        elif last == "copyfileobj" and len(node.args) > 1:
            if self._from.fetches(node.args[:1]) is None:
                return
            place, origin = node.args[1], node.args[:1]
        if place is not None and len(self._fetched) < _MOST:
            places = tuple(text for text in self._from.texts(origin) if ADDRESS.search(text))
            self._fetched.append((self._keys(place), places))

    def note_run(self, node: ast.Call, name: str, last: str, capability: str | None, when: str) -> None:
        """What is run out of a file."""
        place: list[ast.expr] = []
        kind = _CODE
        if capability == "code" or capability == "native":
            place = node.args[:1]
        elif name in ("zipimport.zipimporter", "site.addsitedir", "os.startfile", "imp.load_dynamic"):
            place = [*node.args]
        elif name in (
            "importlib.util.spec_from_file_location",
            "importlib.machinery.SourceFileLoader",
            "imp.load_source",
            "importlib.machinery.ExtensionFileLoader",
        ):
            place = [*node.args[1:2], *(each.value for each in node.keywords)]
        elif name in ("sys.path.insert", "sys.path.append"):
            place = node.args[-1:]
        elif name == "runpy.run_path":
            place = node.args[:1]
        elif name in ends().runs.unpickles or (name in self._of.known.loaders and name != "yaml.load"):
            if name in ends().runs.unpickles or _says_so(self._of, node, name):
                place, kind = node.args[:1], _OBJECTS
        elif name == "os.chmod" or last == "chmod":
            mode = self._of.fold(node.args[-1]) if node.args else None
            if type(mode) is int and mode & 0o111:
                kind = _PROGRAM
                of_path = len(node.args) == 1 and isinstance(node.func, ast.Attribute)
                place = [node.func.value] if of_path else node.args[:1]  # type: ignore[attr-defined]
        if place and len(self._ran) < _MOST:
            keys = self._keys(*place)
            found = self._from.fetches(place)
            if found is not None and kind == _CODE:
                self._fetched.append((frozenset({"itself"}), tuple(text for text in found if ADDRESS.search(text))))
                self._ran.append((frozenset({"itself"}), kind, node, name, when, self._of.owner))
            if name.startswith(
                "sys.path."
            ):  # a folder of modules, of which only one that is written out is known again
                keys = frozenset(each for each in keys if each.startswith("path "))
            self._ran.append((keys, kind, node, name, when, self._of.owner))

    def finish(self) -> Iterator[tuple[int, str, str, str, str]]:
        """Line, callable, what it does, when, and the function in which it is, for each file that is fetched and run."""
        for keys, kind, node, name, when, owner in self._ran:
            for fetched, places in self._fetched:
                shared = keys & fetched
                if shared and _is_worse(places, when, kind):
                    does = "unpickles" if kind == _OBJECTS else "runs"
                    what = f"{does} a file that it {'decodes' if places == (_DECODED,) else 'fetches'}"
                    yield getattr(node, "lineno", 1), name, what, when, owner
                    break

    def _keys(self, *nodes: ast.expr) -> frozenset[str]:
        """By what a file is known again: its path, where that is constant; else the name or the expression that stands for it."""
        keys: set[str] = set()
        for part, scopes in self._from.into(list(nodes), _is_whole):
            if isinstance(part, ast.Name):
                keys.add(f"name {part.id} of {id(scopes[0]) if scopes else 0}")
            elif isinstance(part, ast.Attribute):
                keys.add(f"attribute {part.attr}")
            text = self._of.place_of(part)
            if isinstance(text, str) and text.strip("./~…"):
                keys.add(f"path {text}")
                keys.add(f"module {text.rpartition('/')[2].split('.', 1)[0]}")
            elif isinstance(part, ast.JoinedStr | ast.BinOp) or (
                isinstance(part, ast.Call) and (part.args or part.keywords)
            ):
                keys.add(ast.dump(part)[:2_000])
        return frozenset(keys)


def _is_whole(part: ast.expr) -> bool:
    """An expression that stands for a path as a whole: what it is made of is no path."""
    if isinstance(part, ast.Call):
        return last_name(part.func) not in (
            "str",
            "fspath",
            "open",
            "read",
            "read_text",
            "compile",
            "abspath",
            "Path",
            "resolve",
            "expanduser",
            "dirname",
            "fdopen",
            "BytesIO",
            "decode",
            "read_bytes",
        )
    return not isinstance(part, ast.Name | ast.IfExp | ast.Attribute | ast.Starred | ast.NamedExpr)


def _says_so(uses: Record, node: ast.Call, name: str) -> bool:
    """Whether a loader that unpickles where it is told to is told to: ``torch.load(path, weights_only=False)``."""
    from openvet.formats._python_hiding import unpickles

    return any(each.arg == uses.known.loaders[name][0] for each in node.keywords) and unpickles(uses, node, name)


def _is_worse(places: tuple[str, ...], when: str, kind: str) -> bool:
    """Whether running what was fetched from these addresses has no honest use then; data sets of old lie about as pickles."""
    if places == (_DECODED,):
        return kind != _PROGRAM
    if any(BARE.search(place) for place in places):
        return True
    if (
        (kind == _OBJECTS and when == "call")
        or kind == _PROGRAM
        or (places and all(KNOWN.match(place) for place in places))
    ):
        return False
    return bool(places) and (
        when != "call"
        or any(PLAIN.search(place) for place in places)
        or not any(KNOWN.match(place) for place in places)
    )
