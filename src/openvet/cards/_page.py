"""One document while it is read: the statements, gaps and problems that come of it, each with its place."""

from __future__ import annotations

import math
from typing import Any

from openvet.core.location import Location, below
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.card_v1 import CardDocument, CardFact, Missing, Problem, Section
from openvet.inventory.component import Component

__all__ = ["Page", "child", "plain", "shown", "what"]

#: Statements and problems of one document; more are counted.
_FACTS = 400
_PROBLEMS = 100
_LONGEST = 400
_ITEMS = 60
_DEEPEST = 4
_MOST_VALUES = 400


def child(pointer: str, *keys: object) -> str:
    """The JSON Pointer of what ``keys`` lead to from ``pointer``."""
    for key in keys:
        pointer = below(pointer, key)
    return pointer


def plain(value: Any) -> Any:
    """``value`` as a JSON value that may stand in a statement: text printable and shortened, lists and maps cut with an ellipsis."""
    return _Plain().of(value, 0)


class _Plain:
    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return shorten(printable(value), _LONGEST)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return (
                value
                if abs(value) <= 2**53
                else (str(value) if value.bit_length() < 1000 else f"({value.bit_length()} bits)")
            )
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if depth >= _DEEPEST or self._left <= 0:
            return "…"
        if isinstance(value, list | tuple):
            out: list[Any] = []
            for each in value:
                if len(out) == _ITEMS or self._left <= 0:
                    out.append("…")
                    break
                out.append(self.of(each, depth + 1))
            return out
        if isinstance(value, dict):
            named: dict[str, Any] = {}
            for key, each in value.items():
                if len(named) == _ITEMS or self._left <= 0:
                    named["…"] = len(value) - len(named)
                    break
                named[shorten(printable(str(key)), _LONGEST)] = self.of(each, depth + 1)
            return named
        return shorten(printable(str(value)), _LONGEST)


def shown(value: Any) -> str:
    """``value`` in a message: short, and on one line."""
    value = plain(value)
    return shorten(repr(value) if isinstance(value, str) else str(value), 80)


def what(value: Any) -> str:
    """The kind of ``value`` in words."""
    for kinds, word in (
        (bool, "true or false"),
        (int | float, "a number"),
        (str, "a text"),
        (list, "a list"),
        (dict, "a map"),
    ):
        if isinstance(value, kinds):
            return word
    return "nothing" if value is None else "something else"


class Page:
    """What was found in one document.

    Args:
        kind: of document, one of :data:`~openvet.evidence.predicates.card_v1.DOCUMENTS`.
        component: its file.
    """

    def __init__(self, kind: str, component: Component) -> None:
        self.kind = kind
        self.component = component
        self.specification = ""
        self._lines = component.outline.lines if component.outline is not None else {}
        self._facts: list[CardFact] = []
        self._problems: list[Problem] = []
        self._left_out = 0
        self.missing: list[Missing] = []
        #: Whether metadata is there that could not be read: nothing is known to be missing in it.
        self.unread = False
        self.sections: list[Section] = []

    def at(self, pointer: str) -> Location:
        """The location of ``pointer``; its line is that of the nearest key around it whose line is known."""
        near = pointer
        while near and near not in self._lines:
            near = near.rpartition("/")[0]
        return Location(self.component.place, line=self._lines.get(near), pointer=pointer or None)

    def declare(self, name: str, value: Any, pointer: str) -> None:
        """The document says that ``name`` is ``value``; nothing is said of what is null or empty."""
        self._add(name, value, "declared", self.at(pointer))

    def heard(self, name: str, value: Any, source: Location) -> None:
        """Another file says that ``name`` is ``value``."""
        self._add(name, value, "declared", source)

    def derive(self, name: str, value: Any, source: Location) -> None:
        """It was computed from the files that ``name`` is ``value``."""
        self._add(name, value, "derived", source)

    def _add(self, name: str, value: Any, basis: str, source: Location) -> None:
        if value is None or value in ("", [], {}):
            return
        if len(self._facts) >= _FACTS:
            self._left_out += 1
            return
        value = plain(value)
        self._facts.append(CardFact(shorten(printable(name), 200), value, basis, source))

    def problem(self, kind: str, message: str, where: str | Location, **evidence: Any) -> None:
        """Something is malformed, ambiguous or contradicted; ``where`` is a pointer into this document, or a location.

        ``unread=True`` in the evidence: the metadata is there, and nothing of it was read.
        """
        self.unread = self.unread or evidence.get("unread") is True
        if len(self._problems) >= _PROBLEMS:
            self._left_out += 1
            return
        source = self.at(where) if isinstance(where, str) else where
        self._problems.append(
            Problem(kind, shorten(message, 600), source, {key: plain(each) for key, each in evidence.items()})
        )

    def lack(self, of: str, name: str) -> None:
        """Something is not there."""
        self.missing.append(Missing(of, name))

    def says(self, name: str) -> bool:
        """Whether anything is said of ``name`` so far."""
        return any(each.name == name for each in self._facts)

    def done(self) -> CardDocument:
        return CardDocument(
            self.kind,
            self.component.place,
            self.specification,
            tuple(self._facts),
            tuple(self.sections),
            tuple(self.missing),
            tuple(self._problems),
            self._left_out,
        )
