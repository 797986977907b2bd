"""Bodies that others have specified, taken field by field: what the specification names is checked, what it does not name is kept.

in-toto lets a producer add fields that no reader has to know, and made the rule that leaving them out never turns a refusal into an
acceptance. So they are neither refused nor dropped: each is remembered with its JSON Pointer, stands where it stood when the body is
written again, and can be named to a person as what was not read.

Source: in-toto attestation framework, ``spec/v1/README.md`` (parsing rules), ``field_types.md`` and ``resource_descriptor.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern

__all__ = [
    "Descriptor",
    "FieldError",
    "Fields",
    "count_of",
    "location_of",
    "timestamp",
    "with_extensions",
    "without_none",
]

_T = TypeVar("_T")
_TIMESTAMP: Final = pattern(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", re.ASCII)
_URI: Final = pattern(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]+", re.ASCII)


class FieldError(ValueError):
    """A body does not have the form of its kind; the text says which field."""


def timestamp(moment: datetime) -> str:
    """in-toto's ``Timestamp`` (RFC 3339 in UTC, to the second)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def without_none(value: Mapping[str, Any]) -> dict[str, Any]:
    """``value`` without the fields that are not there."""
    return {name: item for name, item in value.items() if item is not None}


class Fields:
    """One object of a body. Every ``take`` removes a field; :meth:`end` keeps what is left as extensions.

    Args:
        value: the parsed object.
        at: its JSON Pointer in the body.
        extensions: where fields that nobody took are put, by their JSON Pointers; shared with the objects below.

    Raises:
        FieldError: here and in every method, for a field that is not what the specification says.
    """

    def __init__(self, value: Any, at: str = "", extensions: dict[str, Any] | None = None) -> None:
        if not isinstance(value, Mapping):
            raise FieldError(f"{at or 'the body'} is no object")
        self.at = at
        self.extensions: dict[str, Any] = {} if extensions is None else extensions
        self._left = dict(value)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that nobody took yet."""
        return tuple(self._left)

    def may_be(self, name: str) -> bool:
        """Whether a field is there that nobody took yet."""
        return name in self._left

    def take(self, name: str, kind: type[_T]) -> _T:
        """A field that has to be there."""
        found = self.may(name, kind)
        if found is None:
            raise FieldError(f"{self.at}/{name} is not there")
        return found

    def may(self, name: str, kind: type[_T]) -> _T | None:
        """A field that may be there; ``None`` where it is not."""
        if name not in self._left:
            return None
        found = self._left.pop(name)
        # a bool is an int for Python and for nobody else
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise FieldError(f"{self.at}/{name} is no {kind.__name__}")
        return found

    def word(self, name: str, words: tuple[str, ...]) -> str:
        """One of a few words."""
        found = self.take(name, str)
        if found not in words:
            raise FieldError(f"{self.at}/{name} is none of {', '.join(words)}")
        return found

    def uri(self, name: str) -> str:
        """in-toto's ``TypeURI`` or ``ResourceURI``."""
        found = self.take(name, str)
        if not _URI.fullmatch(found):
            raise FieldError(f"{self.at}/{name} is no URI")
        return found

    def may_time(self, name: str) -> str | None:
        """in-toto's ``Timestamp``, as it is written."""
        found = self.may(name, str)
        if found is None:
            return None
        match = _TIMESTAMP.fullmatch(found)
        try:
            if match is None:
                raise ValueError
            datetime.fromisoformat(match[1])
        except ValueError:
            raise FieldError(f"{self.at}/{name} is no time in UTC") from None
        return found

    def time(self, name: str) -> str:
        """The same, where it has to be there."""
        found = self.may_time(name)
        if found is None:
            raise FieldError(f"{self.at}/{name} is not there")
        return found

    def may_texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts."""
        found = self.may(name, list)
        if found is None:
            return None
        if not all(isinstance(each, str) for each in found):
            raise FieldError(f"{self.at}/{name} has something else than text")
        return tuple(found)

    def texts(self, name: str) -> tuple[str, ...]:
        """The same, where it has to be there."""
        found = self.may_texts(name)
        if found is None:
            raise FieldError(f"{self.at}/{name} is not there")
        return found

    def may_map(self, name: str, kind: type[_T]) -> dict[str, _T] | None:
        """An object whose keys are free and whose values are of one kind."""
        found = self.may(name, dict)
        if found is None:
            return None
        if not all(isinstance(each, kind) and not (kind is int and isinstance(each, bool)) for each in found.values()):
            raise FieldError(f"{self.at}/{name} has something else than {kind.__name__}")
        return dict(found)

    def below(self, name: str) -> Fields:
        """An object that has to be there; the caller ends it."""
        return Fields(self.take(name, dict), f"{self.at}/{name}", self.extensions)

    def may_below(self, name: str) -> Fields | None:
        """An object that may be there."""
        found = self.may(name, dict)
        return None if found is None else Fields(found, f"{self.at}/{name}", self.extensions)

    def may_objects(self, name: str) -> list[Fields] | None:
        """A list of objects."""
        found = self.may(name, list)
        if found is None:
            return None
        return [Fields(each, f"{self.at}/{name}/{at}", self.extensions) for at, each in enumerate(found)]

    def objects(self, name: str) -> list[Fields]:
        """The same, where it has to be there."""
        found = self.may_objects(name)
        if found is None:
            raise FieldError(f"{self.at}/{name} is not there")
        return found

    def end(self) -> None:
        """Keep what was not taken."""
        for name, item in self._left.items():
            self.extensions[f"{self.at}/{name.replace('~', '~0').replace('/', '~1')}"] = item
        self._left = {}


def location_of(found: Fields) -> Location:
    """The place, line and pointer that ``found`` has.

    Raises:
        FieldError: one of them is none.
    """
    where = Location(found.take("place", str), line=found.may("line", int), pointer=found.may("pointer", str))
    if where.line is not None and where.line < 1:
        raise FieldError(f"{found.at}/line is no line")
    return where


def count_of(found: Fields, name: str) -> int:
    """The field ``name``, a number that is not negative.

    Raises:
        FieldError: it is none.
    """
    value = found.take(name, int)
    if value < 0:
        raise FieldError(f"{found.at}/{name} is less than zero")
    return value


def approvers_of(found: Fields) -> int:
    """How many people have to approve: ``approvers``, 2 to 10; 0 where it is not there (raises :class:`FieldError`)."""
    if not found.may_be("approvers"):
        return 0
    count = count_of(found, "approvers")
    if not 2 <= count <= 10:
        raise FieldError(f"{found.at}/approvers is not from 2 to 10")
    return count


def with_extensions(body: dict[str, Any], extensions: Mapping[str, Any]) -> dict[str, Any]:
    """``body`` with every extension where it was read."""
    for pointer, item in extensions.items():
        *parts, last = [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]]
        place: Any = body
        for part in parts:
            place = place[int(part)] if isinstance(place, list) else place[part]
        place[last] = item
    return body


@dataclass(frozen=True, slots=True)
class Descriptor:
    """in-toto's ``ResourceDescriptor``: something named by a URI, by digests, or by its content in base64. Fields are ``None`` if absent."""

    name: str | None = None
    uri: str | None = None
    digest: Mapping[str, str] | None = None
    content: str | None = None
    download_location: str | None = None
    media_type: str | None = None
    annotations: Mapping[str, Any] | None = field(default=None)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "name": self.name,
                "uri": self.uri,
                "digest": None if self.digest is None else dict(self.digest),
                "content": self.content,
                "downloadLocation": self.download_location,
                "mediaType": self.media_type,
                "annotations": None if self.annotations is None else dict(self.annotations),
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Descriptor:
        """The descriptor that ``found`` is.

        Raises:
            FieldError: it is none; one without ``uri``, ``digest`` and ``content`` says nothing.
        """
        each = cls(
            found.may("name", str), found.may("uri", str), found.may_map("digest", str), found.may("content", str),
            found.may("downloadLocation", str), found.may("mediaType", str), found.may("annotations", dict),
        )  # fmt: skip
        if not each.uri and not each.digest and not each.content:
            raise FieldError(f"{found.at} has neither uri nor digest nor content")
        found.end()
        return each
