"""How much of a file was read, and what was not: design law 1, unread is never clean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location

__all__ = ["Coverage", "Unknown"]


class Coverage(StrEnum):
    """How much of a file or member was read."""

    #: Every byte was given a meaning by the format's reader.
    READ = "read"
    #: Recognised to its last byte as a kind that no loader executes.
    INERT = "inert"
    #: Some of it was not read; the unknowns say what.
    PARTIAL = "partial"
    #: Nothing of it was read; the unknowns say why.
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that was not read, and why.

    ``reason`` is a word that scripts can rely on: ``no-reader limit timeout malformed unsupported encrypted changed denied
    excluded link special vanished absent unverified unreachable error``.
    """

    reason: str
    message: str
    location: Location

    def to_json(self) -> dict[str, Any]:
        return {"reason": self.reason, "message": self.message, "location": self.location.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unknown:
        return cls(value["reason"], value["message"], Location.from_json(value["location"]))
