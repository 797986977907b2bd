"""Two parsed documents, value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openvet.core.text import printable, shorten
from openvet.evidence.predicates.diff_v1 import ValueChange
from openvet.formats._json_stream import DROPPED

__all__ = ["compare_documents", "compare_keys"]

_LONGEST: Final = 300
_MISSING: Final = object()


def compare_documents(place: str, a: Any, b: Any, leave_out: frozenset[str] = frozenset()) -> Iterator[ValueChange]:
    """Every value that differs, in the order of A and then of B.

    Args:
        place: the file that they are of.
        leave_out: pointers of what is compared elsewhere.
    """
    # a stack and no recursion: documents are nested as deeply as limits allow
    stack: list[tuple[str, Any, Any]] = [("", a, b)]
    while stack:
        pointer, one, other = stack.pop()
        if pointer in leave_out or one is other:
            continue
        below: list[tuple[str, Any, Any]] = []
        if isinstance(one, dict) and isinstance(other, dict):
            below = [
                (_below(pointer, key), one.get(key, _MISSING), other.get(key, _MISSING)) for key in {**one, **other}
            ]
        elif isinstance(one, list) and isinstance(other, list):
            if one == other:
                continue
            longest = max(len(one), len(other))
            below = [
                (f"{pointer}/{at}", one[at] if at < len(one) else _MISSING, other[at] if at < len(other) else _MISSING)
                for at in range(longest)
            ]
        elif one != other or type(one) is not type(other):
            yield _change(place, pointer, one, other)
        stack.extend(reversed(below))


def compare_keys(
    place: str, a: Mapping[str, Any], b: Mapping[str, Any], leave_out: frozenset[str]
) -> Iterator[ValueChange]:
    """The same for a header's flat keys, which stand as they are."""
    for key in {**a, **b}:
        one, other = a.get(key, _MISSING), b.get(key, _MISSING)
        if key not in leave_out and (one != other or type(one) is not type(other)):
            yield _change(place, printable(key), one, other)


def _change(place: str, pointer: str, one: Any, other: Any) -> ValueChange:
    how = "added" if one is _MISSING else "removed" if other is _MISSING else "changed"
    return ValueChange(how, place, pointer, _shown(one), _shown(other))


def _below(pointer: str, key: Any) -> str:
    return f"{pointer}/{printable(str(key)).replace('~', '~0').replace('/', '~1')}"


def _shown(value: Any) -> str | None:
    if value is _MISSING:
        return None
    if value == DROPPED:
        return "items that were let go"
    if isinstance(value, dict | list) and len(value) > _LONGEST:
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)} items"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = f"a nested {type(value).__name__}"
    return printable(shorten(text, _LONGEST))
