"""Where something was found: a place, and where it helps a byte offset, a line or a pointer.

A place is the subject-relative path of a file in printable form (see :func:`openvet.core.text.printable`);
a member of an archive follows after ``!/`` : ``model.pt!/archive/data.pkl``. Places are for people and
reports and never opened again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten

__all__ = ["Location", "below", "member_place"]

_LONGEST_POINTER = 1000
_LONGEST_KEY = 400


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A point in a subject.

    Attributes:
        place: which file or member; empty for the subject as a whole.
        offset: byte offset in that file or member, from 0.
        line: line number, from 1.
        pointer: JSON Pointer (RFC 6901) into a JSON or YAML text, or a key of a binary header.
    """

    place: str
    offset: int | None = None
    line: int | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        text = self.place or "(whole model)"
        if self.line is not None:
            text += f":{self.line}"
        if self.pointer:
            text += f" {printable(self.pointer)}"
        if self.offset is not None:
            text += f" @{self.offset}"
        return text

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"place": self.place}
        if self.offset is not None:
            out["offset"] = self.offset
        if self.line is not None:
            out["line"] = self.line
        if self.pointer is not None:
            # escaped once: what was read back from JSON is written as it was
            out["pointer"] = self.pointer if self.pointer.isprintable() else printable(self.pointer)
        return out

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Location:
        return cls(value["place"], value.get("offset"), value.get("line"), value.get("pointer"))


def member_place(container: str, name: str) -> str:
    """The place of member ``name`` of the archive at ``container``."""
    return f"{container}!/{printable(name)}"


def below(pointer: str, key: object) -> str:
    """The JSON Pointer of ``key`` in what ``pointer`` leads to, cut in the middle where it grows too long to be of use.

    A key of megabytes above a hundred thousand values would else be written out for each of them.
    """
    part = shorten(str(key), _LONGEST_KEY).replace("~", "~0").replace("/", "~1")
    return shorten(f"{pointer}/{part}", _LONGEST_POINTER)
