"""Formats whose header says where everything lies: whether that accounts for every byte of the file."""

from __future__ import annotations

from collections.abc import Iterable

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts
from openvet.formats._trailing import account_for_rest, all_zero, look_in_gap
from openvet.io.source import Source

__all__ = ["account_for_all"]

#: A writer leaves as many bytes unused between two parts, whatever they are.
_ALIGNMENT = 16


def account_for_all(source: Source, facts: Facts, extents: Iterable[tuple[int, int]], what: str) -> None:
    """Hold ``extents``, (start, length) of each part, to the file: what no part takes is zero, or unread.

    Raises:
        MalformedError: a part lies outside of the file.
    """
    facts.coverage = Coverage.INERT
    at = 0
    for start, length in sorted(extents):
        if start + length > source.size:
            raise MalformedError(f"a part of {what} goes beyond the end", offset=min(start, source.size))
        if start - at > _ALIGNMENT and not all_zero(source, at, start):
            message = f"{start - at} bytes belong to no part of {what}"
            facts.anomaly("file/trailing-data", message, at, end=at, size=source.size)
            facts.unknown("unsupported", f"{message} and were not read", at)
            look_in_gap(source, facts, at, start)
        at = max(at, start + length)
    account_for_rest(source, facts, at, what)
