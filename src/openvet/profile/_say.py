"""Writing facts down: what was declared, what was derived, and from where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.inventory.component import Component

__all__ = ["Facts", "carried"]

_LONGEST = 200
_ITEMS = 50
_SOURCES = 20


def carried(value: Any) -> Any:
    """``value`` in a form that JSON carries exactly: numbers beyond 2**53 and fractions as text (see ``core/canonical.py``)."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else str(value)
    if isinstance(value, float):
        return str(value)
    if isinstance(value, str):
        return printable(shorten(value, _LONGEST))
    if isinstance(value, list | tuple):
        return [carried(each) for each in value[:_ITEMS]]
    if isinstance(value, dict):
        return {printable(str(key))[:_LONGEST]: carried(each) for key, each in list(value.items())[:_ITEMS]}
    return printable(type(value).__name__)


class Facts:
    """Facts by name. The first statement of a name stands; the order is that of saying."""

    def __init__(self) -> None:
        self.by_name: dict[str, Fact] = {}

    def declared(self, name: str, value: Any, component: Component, pointer: str) -> Fact | None:
        """What a file says at ``pointer``; nothing where it says nothing."""
        return self.add(name, value, "declared", [Location(component.place, pointer=pointer)])

    def derived(self, name: str, value: Any, components: Iterable[Component]) -> Fact | None:
        """What we computed from the bytes of ``components``."""
        return self.add(name, value, "derived", [Location(each.place) for each in components])

    def add(self, name: str, value: Any, basis: str, sources: Iterable[Location]) -> Fact | None:
        if value in (None, "", [], {}):
            return None
        fact = Fact(name, carried(value), basis, tuple(sources)[:_SOURCES])
        return self.by_name.setdefault(name, fact)

    def in_order(self) -> tuple[Fact, ...]:
        return tuple(self.by_name.values())
