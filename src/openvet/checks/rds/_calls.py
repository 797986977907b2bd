"""What the rules about R data know of functions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from openvet.core.tables import read_table
from openvet.inventory.component import Component

__all__ = ["calls", "harmless", "kind_of"]


@cache
def _lists() -> tuple[dict[str, str], frozenset[str], frozenset[str], frozenset[str]]:
    table = read_table("r_functions")
    dangerous = {name: kind for kind, names in table["dangerous"].items() for name in names}
    common, mild, known = (frozenset(table[key]["names"]) for key in ("common", "mild", "harmless"))
    return dangerous, common, mild, known


def calls(component: Component) -> Iterator[tuple[str, str, int]]:
    """Where a function is named, its name, and the offset."""
    yield from component.metadata.get("calls", ())


def kind_of(where: str, name: str) -> str | None:
    """What a dangerous function can do, or None for one that is not dangerous there."""
    dangerous, common, mild, _ = _lists()
    kind = dangerous.get(name)
    if kind is None or (where.endswith("handed-on") and name in common):
        return None
    runs = where.startswith(("promise", "active-binding"))
    return None if name in mild and not runs else kind


def harmless(name: str) -> bool:
    """Whether a function only computes."""
    return name in _lists()[3]
