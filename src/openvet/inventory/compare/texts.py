"""Two texts line by line, and what programs do that differ."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from openvet.core.text import printable, shorten

__all__ = ["behaviour", "difference", "lines_between"]

#: Lines between the common start and the common end of two texts that are compared; the search for what they share is quadratic.
_MOST: Final = 2_000
#: Lines of a unified diff that are kept, and characters of each.
_KEPT: Final = 400
_WIDE: Final = 240
_CONTEXT: Final = 3
_ITEMS: Final = 200


def lines_between(a: str, b: str) -> tuple[tuple[str, ...], bool]:
    """A unified diff without its headings, and whether it is cut."""
    one, other = a.splitlines(), b.splitlines()
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    if max(len(one), len(other)) - start - end > _MOST:
        return (f"@@ {len(one) - start - end} lines are {len(other) - start - end} others @@",), True
    first = max(start - _CONTEXT, 0)
    cut_a, cut_b = one[first : len(one) - max(end - _CONTEXT, 0)], other[first : len(other) - max(end - _CONTEXT, 0)]
    made = [printable(shorten(each, _WIDE)) for each in _unified(cut_a, cut_b, first)]
    if not made and a != b:
        made = ["@@ only the ends of lines differ @@"]
    return tuple(made[:_KEPT]), len(made) > _KEPT


def _unified(a: list[str], b: list[str], first: int) -> Iterator[str]:
    for number, line in enumerate(difflib.unified_diff(a, b, n=_CONTEXT, lineterm="")):
        if number < 2:  # the two headings, which would name files
            continue
        yield _moved(line, first) if line.startswith("@@") else line


def _moved(heading: str, by: int) -> str:
    """A heading whose line numbers count from the start of the whole text."""
    parts = heading.split(" ")
    for at in (1, 2):
        start, comma, count = parts[at][1:].partition(",")
        parts[at] = f"{parts[at][0]}{int(start) + by}{comma}{count}"
    return " ".join(parts)


def behaviour(programs: Iterable[Any]) -> tuple[Counter[str], bool]:
    """What programs do, without where in the file they do it, and whether all of it was read."""
    does: Counter[str] = Counter()
    whole = True
    for program in programs:
        said = program.to_json()
        whole = whole and not said.get("error") and not said.get("dropped")
        for name in said.get("imports", ()):
            does[f"imports {name}"] += 1
        for use in said.get("uses", ()):
            if "capability" in use:
                does[f"{use['capability']}: {use['name']} ({use['when']})"] += 1
            else:
                does[f"{use['what']}: {use['detail']}"] += 1
        for each in said.get("references", ()):
            if each.get("calls") or each.get("count"):
                name = ".".join(filter(None, (each["module"], each["name"])))
                does[f"{'calls' if each.get('calls') else 'names'} {name}"] += 1
    return does, whole


def difference(a: Counter[str], b: Counter[str]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What is in ``b`` and not in ``a``, the other way round, and whether that is cut. How often does not count."""
    gained, lost = sorted(set(b) - set(a)), sorted(set(a) - set(b))
    cut = len(gained) > _ITEMS or len(lost) > _ITEMS
    shown = [tuple(printable(shorten(each, _WIDE)) for each in side[:_ITEMS]) for side in (gained, lost)]
    return shown[0], shown[1], cut
