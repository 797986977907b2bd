"""A skops file: a zip with a tree of types as JSON, and arrays beside it.

::

    schema.json      {"__class__", "__module__", "__loader__", "content", ...}, nodes in nodes; "protocol" and "_skops_version"
    <id>.npy, .npz   arrays that nodes refer to by "file"

A node's loader decides what is made of its class: ``OperatorFuncNode`` calls a function of ``operator``, ``MethodNode`` takes an
attribute of what another node makes, ``ConstructorFromReduceNode`` calls the class with what its content makes.

Reference: ``skops/io`` of skops.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location, member_place
from openvet.core.text import printable, shorten
from openvet.errors import ReadError
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._json_stream import plain_letters
from openvet.formats._listing import put_listing
from openvet.io.source import Source

__all__ = ["FORMAT", "SkopsNode", "SkopsSchema", "probe", "read"]

FORMAT = Format(
    id="skops",
    title="skops file",
    extensions=(".skops",),
    media_types=("application/x-skops",),
    can_tell=("every type, function and method that its nodes name", "everything that is told of the arrays inside"),
    cannot_tell=("whether an estimator of a known package is what its author says",),
    refines=("zip",),
)

#: The key with each of its letters as an escape.
_WIDE: Final = 32 * 1024 * 1024
_ESCAPED_KEY: Final = 80
_SCHEMA: Final = "schema.json"
_LOADER: Final = b'"__loader__"'
#: Of a directory as much is searched for the name.
_DIRECTORY: Final = 32 * 1024 * 1024
_NODES: Final = 2_000_000
_KEPT: Final = 5_000
_TEXT: Final = 300


@dataclass(frozen=True, slots=True)
class SkopsNode:
    """One way in which nodes use one type.

    Attributes:
        loader, module, name: as written, printable.
        attribute: what a ``MethodNode`` takes of it.
        owner: the type of the object that a ``MethodNode`` takes it from.
        pointer: of the first such node.
        count: how many.
    """

    loader: str
    module: str
    name: str
    attribute: str
    owner: str
    pointer: str
    count: int

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.name}"

    def to_json(self) -> dict[str, Any]:
        return {"loader": self.loader, "type": self.qualified, "attribute": self.attribute, "count": self.count}


@dataclass(frozen=True, slots=True)
class SkopsSchema:
    """The nodes of one schema (a :class:`~openvet.formats._format.Program`)."""

    location: Location
    nodes: tuple[SkopsNode, ...]

    @property
    def kind(self) -> str:
        return "skops"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "location": self.location.to_json(),
            "nodes": [each.to_json() for each in self.nodes[:_TEXT]],
        }


def probe(head: Head) -> Likeness:
    """A zip with ``schema.json`` in which nodes name loaders."""
    if b"PK" not in head.data and b"PK" not in head.tail:
        return Likeness.NO
    likeness = zip_format.probe(head)
    if likeness is Likeness.NO or not _is_listed(head) or not _has_schema(head.source):
        return Likeness.NO
    return likeness


def _is_listed(head: Head) -> bool:
    """Whether the name stands in the directory, or near one of the ends: a look that spares most zips a reading of their own."""
    name = _SCHEMA.encode()
    if name in head.tail or name in head.data:
        return True
    at = head.tail.rfind(b"PK\5\6")
    if at < 0 or len(head.tail) < at + 16:
        return False
    size = int.from_bytes(head.tail[at + 12 : at + 16], "little")
    end = head.size - len(head.tail) + at
    start = max(end - min(size, _DIRECTORY) - 256, 0)  # zip64 puts records of its own behind the directory
    return name in head.source.upto(start, end - start)


def _has_schema(source: Source) -> bool:
    from openvet.core.limits import Budget
    from openvet.io.archive.zip import open_zip_entry, read_zip

    budget = Budget()
    try:
        for entry in read_zip(source, budget).entries:
            if entry.name == _SCHEMA:
                with open_zip_entry(source, entry, budget) as member:
                    return _names_loader(member)
    except ReadError:
        return False
    return False


def _names_loader(schema: Source) -> bool:
    """Whether a node names its loader, however its letters are written: Python's parser takes UTF-16 and UTF-32 as well."""
    import json

    encoding = json.detect_encoding(schema.upto(0, 4))
    if not encoding.startswith("utf-8"):
        return _LOADER in plain_letters(schema.upto(0, _WIDE).decode(encoding, "replace").encode("utf-8", "replace"))
    tail = b""
    for chunk in schema.chunks():
        if _LOADER in plain_letters(tail + chunk):
            return True
        tail = chunk[-_ESCAPED_KEY:]
    return False


def read(source: Source, facts: Facts) -> None:
    """List the zip, walk the schema, and hand all members on."""
    from openvet.io.archive.zip import open_zip_entry, read_zip

    listing = read_zip(source, facts.budget)
    put_listing(source, facts, listing)
    for entry in listing.entries:
        if entry.name != _SCHEMA:
            continue
        try:
            if entry.size > facts.limits.text:
                facts.unknown("limit", f"{_SCHEMA} is longer than is parsed (limit text)")
                continue
            with open_zip_entry(source, entry, facts.budget) as member:
                _schema(member.upto(0, facts.limits.text), facts)
        except ReadError as error:
            facts.unknown("malformed", f"{_SCHEMA} cannot be read: {error.message}", error.offset)
    facts.add_members(zip_format.zip_members(source, listing, facts))


def _schema(data: bytes, facts: Facts) -> None:
    import json

    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        facts.unknown("malformed", f"{_SCHEMA} is no JSON")
        return
    if isinstance(document, dict):
        for key in ("protocol", "_skops_version"):
            if isinstance(document.get(key), str | int):
                facts.note(key, document[key] if isinstance(document[key], int) else shorten(document[key], 100))
    place = member_place(facts.place, _SCHEMA)
    found: dict[tuple[str, str, str, str, str], tuple[str, int]] = {}
    waiting: list[tuple[str, Any]] = [("", document)]
    for _ in range(_NODES):
        if not waiting:
            break
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            if "__loader__" in value:
                node = _node(value)
                if node in found:
                    found[node] = (found[node][0], found[node][1] + 1)
                elif len(found) < _KEPT:
                    found[node] = (pointer, 1)
                else:
                    facts.unknown("limit", f"the schema uses types in more than {_KEPT} ways")
                    break
            inner = value.items()
        else:
            inner = enumerate(value)  # type: ignore[assignment]
        waiting.extend(
            (f"{pointer}/{shorten(str(name), 60)}" if len(pointer) < _TEXT else pointer, child)
            for name, child in inner
            if isinstance(child, dict | list)
        )
    else:
        facts.unknown("limit", f"the schema has more than {_NODES} parts")
    nodes = tuple(SkopsNode(*key, pointer=printable(where), count=count) for key, (where, count) in found.items())
    facts.programs.append(SkopsSchema(Location(place), nodes))


def _node(value: dict[str, Any]) -> tuple[str, str, str, str, str]:
    attribute = owner = ""
    if value["__loader__"] == "MethodNode":
        content = value.get("content")
        inner = content.get("obj") if isinstance(content, dict) else None
        attribute = _text(content.get("func")) if isinstance(content, dict) else ""
        if isinstance(inner, dict):
            owner = f"{_text(inner.get('__module__'))}.{_text(inner.get('__class__'))}"
    elif value["__loader__"] == "FunctionNode" and isinstance(content := value.get("content"), dict):
        attribute, owner = _text(content.get("function")), _text(content.get("module_path"))
    return _text(value["__loader__"]), _text(value.get("__module__")), _text(value.get("__class__")), attribute, owner


def _text(value: Any) -> str:
    return shorten(printable(value), _TEXT) if isinstance(value, str) else ""
