"""Kinds that are recognised but not read yet: HDF5, ONNX, TensorFlow, 7z, programs, fonts and the like.

They stand in ``data/kinds.toml``, one table a kind::

    id, title, extensions, media_types      as in Format
    magic   alternatives; in each one, bytes that must stand at offsets: [[{ at = 4, text = "TFL3" }]]
    test    a function of ``_known_tests``, for kinds whose mark is a structure
    named   for bytes without any mark: name patterns; the last resort, and never for text
    advice  what to do about a file that is not read
    code    whether a processor or a virtual machine would run it

A file of such a kind is unread, under the kind's own name, which tells a person more than "unknown". Text is never one
of these kinds by its first letters alone: a note that begins with ``PAR1`` is a note.
"""

from __future__ import annotations

import fnmatch
from functools import cache
from typing import TYPE_CHECKING, Any

from openvet.core.dataclass import dataclass
from openvet.core.tables import read_table
from openvet.errors import ReadError
from openvet.formats import text
from openvet.formats._format import Format, Head, Likeness

if TYPE_CHECKING:
    FORMATS: tuple[Format, ...]

__all__ = ["FORMATS", "advice", "code_kinds", "code_titles", "recognise"]

#: Code of virtual machines that has a reader of its own.
_READ_CODE = {"python-bytecode": "Python bytecode"}


@dataclass(frozen=True, slots=True)
class _Kind:
    """One table of the data file."""

    format: Format
    magic: tuple[tuple[tuple[int, bytes], ...], ...]
    test: str
    named: tuple[str, ...]
    code: bool
    advice: str


def __getattr__(name: str) -> Any:
    """``FORMATS``: what can be recognised, read from the data file on first use."""
    if name == "FORMATS":
        return tuple(kind.format for kind in _kinds())
    raise AttributeError(name)


def recognise(head: Head) -> Format | None:
    """The kind of these bytes, if it is one of those that have no reader. Raises nothing for what the bytes hold."""
    try:
        if text.probe(head) is not Likeness.NO:
            return None
        for kind in _kinds():
            if _has_magic(kind, head) or _passes_test(kind, head):
                return kind.format
        return next((kind.format for kind in _kinds() if _has_name(kind, head.name)), None)
    except ReadError:
        pass
    return None


def advice(format_id: str) -> str:
    """What to do about a file of a kind that is not read, as a sentence without its full stop; empty where there is nothing to say."""
    return next((kind.advice for kind in _kinds() if kind.format.id == format_id), "")


def code_kinds() -> frozenset[str]:
    """The ids of the kinds that a processor or a virtual machine would run."""
    return frozenset(code_titles())


def code_titles() -> dict[str, str]:
    """The kinds that a processor or a virtual machine would run, also those that have a reader: id -> title."""
    return {kind.format.id: kind.format.title for kind in _kinds() if kind.code} | _READ_CODE


def _has_magic(kind: _Kind, head: Head) -> bool:
    data = head.data  # every offset in the table lies in the first 64 KiB
    return any(all(data.startswith(mark, at) for at, mark in alternative) for alternative in kind.magic)


def _passes_test(kind: _Kind, head: Head) -> bool:
    if not kind.test:
        return False
    from openvet.formats import _known_tests

    return bool(getattr(_known_tests, kind.test)(head))


def _has_name(kind: _Kind, name: str) -> bool:
    base = name.rsplit("/", 1)[-1].lower()
    return any(fnmatch.fnmatchcase(base, f"*{pattern}") for pattern in kind.named)


@cache
def _kinds() -> tuple[_Kind, ...]:
    return tuple(_kind(table) for table in read_table("kinds")["kind"])


def _kind(table: dict[str, Any]) -> _Kind:
    named = tuple(table.get("named", ()))
    return _Kind(
        format=Format(
            id=table["id"],
            title=table["title"],
            extensions=tuple(table.get("extensions", ())),
            media_types=tuple(table.get("media_types", ())),
            can_tell=("its name, which is only a hint",) if named else ("what kind of file it is, by its first bytes",),
            cannot_tell=("its contents, for which there is no reader",),
            reader=False,
        ),
        magic=tuple(tuple((part["at"], _mark(part)) for part in alternative) for alternative in table.get("magic", ())),
        test=table.get("test", ""),
        named=named,
        code=table.get("code", False),
        advice=table.get("advice", ""),
    )


def _mark(part: dict[str, Any]) -> bytes:
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    return str(part["text"]).encode("latin-1")
