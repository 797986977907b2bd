"""Walking through the documents of JSON and YAML files."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.dataclass import dataclass
from openvet.core.location import Location, below
from openvet.inventory.component import Component

__all__ = ["Entry", "documents", "entries"]

#: Values looked at in one document; the readers keep fewer.
_MOST = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of one object: where, the key, its value, and the object."""

    location: Location
    key: str
    value: Any
    parent: dict[str, Any]


def documents(ctx: Context) -> Iterator[Component]:
    """The JSON and YAML files that were read, at any depth."""
    for component in ctx.components("json", "yaml", "toml"):
        if component.document is not None:
            yield component


def entries(component: Component, wanted: Container[str]) -> Iterator[Entry]:
    """Every key of ``wanted`` of every object in the component's document.

    A document may hold a vocabulary of some ten thousand entries, so that nothing is made for the keys in between.
    """
    stack: list[tuple[str, Any]] = [("", component.document)]
    seen = 0
    while stack:
        pointer, value = stack.pop()
        seen += 1
        if seen > _MOST:
            return
        inner = []
        if isinstance(value, dict):
            for key, child in value.items():
                if key in wanted:
                    where = Location(component.place, pointer=below(pointer, key))
                    yield Entry(where, key, child, value)
                if isinstance(child, dict | list):
                    inner.append((below(pointer, key), child))
        elif isinstance(value, list):
            inner = [
                (below(pointer, index), child) for index, child in enumerate(value) if isinstance(child, dict | list)
            ]
        stack.extend(reversed(inner))
