"""The pieces that files are, and what lists of packages name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.bom._table import file_kinds, formats_of
from openvet.bom.bill import Piece, Said
from openvet.bom.purl import pypi
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.evidence.predicates.inventory_v1 import InventoryV1, Item

__all__ = ["MOST_PIECES", "pieces_of"]

#: Files and members that are listed; a data set may have millions.
MOST_PIECES: Final = 20_000
#: Containers whose members are files of a model, not storage of one file.
_CONTAINERS: Final = frozenset({"zip", "tar", "7z", "gzip", "bzip2", "xz", "zstd", "lz4"})
_MOST_LIBRARIES: Final = 1000
_PINNED: Final = pattern(r"===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)")


def pieces_of(inventory: InventoryV1) -> tuple[list[Piece], int]:
    """Files, members of archives, templates and packages, in the order of the inventory; and how many were too many."""
    pieces: list[Piece] = []
    packed: set[str] = set()
    left_out = 0
    libraries: dict[str, Piece] = {}
    for item in inventory.items:
        container, inside, _ = item.place.rpartition("!/")
        if inside and container not in packed:
            continue
        if item.formats and item.formats[0] in _CONTAINERS:
            packed.add(item.place)
        if len(pieces) >= MOST_PIECES:
            left_out += 1
            continue
        pieces.append(_file(item))
        pieces.extend(_templates(item))
        if len(libraries) < _MOST_LIBRARIES:
            for each in _libraries(item):
                libraries.setdefault(each.ref, each)
    return _distinct([*pieces, *libraries.values()]), left_out


def _distinct(pieces: list[Piece]) -> list[Piece]:
    """The same pieces, no two with the same ref: two names of files can be printed alike."""
    seen: dict[str, int] = {}
    out = []
    for each in pieces:
        count = seen[each.ref] = seen.get(each.ref, 0) + 1
        out.append(each if count == 1 else replace(each, ref=f"{each.ref}~{count}"))
    return out


def _file(item: Item) -> Piece:
    return Piece(
        ref=f"file:{item.place}",
        kind=_kind(item),
        name=item.place or "(unnamed)",
        place=item.place,
        size=item.size,
        digests=dict(item.digest),
        format=item.formats[0] if item.formats else "",
        said=_about(item),
    )


def _kind(item: Item) -> str:
    """Which part of a model a file is: by its name where the name is the loaders' own, else by what it was read as."""
    name = item.place.replace("!/", "/").rpartition("/")[2].lower()
    known = file_kinds().get(name)
    if known is not None:
        return known
    found = item.formats[0] if item.formats else ""
    if found in formats_of("weights") and (item.tensors or found != "npy"):
        return "weights"
    if found in formats_of("code"):
        return "code"
    if name.startswith(("license", "licence", "copying", "notice")):
        return "license"
    if found == "jinja" and "template" in name:
        return "chat-template"
    return "file"


def _about(item: Item) -> dict[str, Said]:
    here = (Location(item.place),)
    said: dict[str, Said] = {}
    if item.tensors:
        said["tensors"] = Said(len(item.tensors), "derived", here)
        said["dtypes"] = Said(sorted({each.dtype for each in item.tensors}), "derived", here)
    if item.coverage in ("partial", "unread"):
        said["coverage"] = Said(item.coverage, "derived", here)
    return said


def _templates(item: Item) -> Iterator[Piece]:
    """Chat templates that lie inside another file: each is bytes of its own, with its own digest."""
    if file_kinds().get(item.place.rpartition("/")[2].lower()) == "chat-template":
        return
    for program in item.programs:
        if program.get("kind") != "jinja" or not isinstance(program.get("digest"), Mapping):
            continue
        where = program.get("location")
        pointer = where.get("pointer") if isinstance(where, Mapping) else None
        name = program.get("name")
        name = name if isinstance(name, str) and name else "default"
        source = Location(item.place, pointer=pointer if isinstance(pointer, str) else None)
        yield Piece(
            ref=f"template:{item.place}#{pointer or ''}:{name}",
            kind="chat-template",
            name=f"chat template {name}",
            place=item.place,
            size=program["size"] if isinstance(program.get("size"), int) else None,
            digests={key: value for key, value in program["digest"].items() if isinstance(value, str)},
            format="jinja",
            named=Said(name, "derived", (source,)),
        )


def _libraries(item: Item) -> Iterator[Piece]:
    """Packages that a list names, and the indexes and repositories that it takes some from."""
    listed = item.metadata.get("requirements")
    for each in listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ():
        if isinstance(each, Mapping) and isinstance(each.get("name"), str):
            yield _library(item.place, each)
    for program in item.programs:
        installs = program.get("installs") if program.get("kind") == "requirements" else None
        for each in installs if isinstance(installs, Sequence) else ():
            if not (isinstance(each, Mapping) and isinstance(each.get("text"), str)):
                continue
            line = each["line"] if isinstance(each.get("line"), int) and each["line"] > 0 else None
            named = Said(each["text"], "declared", (Location(item.place, line=line),))
            yield Piece(f"service:{each['text']}", "service", each["text"], named=named)


def _library(place: str, each: Mapping[str, Any]) -> Piece:
    line = each["line"] if isinstance(each.get("line"), int) and each["line"] > 0 else None
    source = (Location(place, line=line),)
    versions = each.get("versions") if isinstance(each.get("versions"), str) else ""
    pinned = _PINNED.fullmatch(versions or "")
    version = pinned[1] if pinned else ""
    try:
        purl = pypi(each["name"], version)
    except MalformedError:
        purl = ""
    said = {
        key: Said(each[key], "declared", source)
        for key in ("versions", "extras", "if", "place")
        if isinstance(each.get(key), str)
    }
    return Piece(
        ref=f"library:{each['name'].lower()}{versions or ''}",
        kind="library",
        name=each["name"],
        version=version,
        purl=purl,
        said=said,
        named=Said(each["name"], "declared", source),
    )
