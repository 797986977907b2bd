"""A curve as text: blocks of eighths where the screen has them, ``#`` where it has only ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from openvet.reports._text import cut
from openvet.reports.look import Look

__all__ = ["chart"]

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_HEIGHT: Final = 8
_NARROWEST: Final = 16


def chart(
    title: str,
    points: Sequence[tuple[int, Fraction]],
    ends: tuple[str, str],
    look: Look,
    *,
    top: Fraction,
    labels: tuple[str, str],
    mark: tuple[Fraction, str] | None = None,
) -> list[str]:
    """Bars from zero up to ``top``, as wide as the screen; between the points it goes straight.

    Args:
        points: x and y, x rising.
        ends: how the first and the last x are written.
        labels: how zero and ``top`` are written, at the axis.
        mark: a height with a word, which stands at the axis; what is above it is drawn lighter.
    """
    level = None if mark is None or not 0 < mark[0] < top else int(mark[0] * _HEIGHT / top)
    named = {0: labels[0], _HEIGHT - 1: labels[1]}
    if mark is not None and level is not None:
        named[level] = mark[1]
    wide = max(map(len, named.values()))
    width = max(_NARROWEST, look.width - wide - 5)
    heights = [_between(points, at, width) for at in range(width)]
    out = [f"  {look.paint(cut(title, look.width - 2), 'bold')}"]
    for row in range(_HEIGHT - 1, -1, -1):
        above = level is not None and row > level
        cells = [_cell(height * _HEIGHT / top - row if top else Fraction(0), look, above=above) for height in heights]
        out.append(f"  {named.get(row, '').rjust(wide)} │{''.join(cells)}".rstrip())
    gap = width - len(ends[0]) - len(ends[1])
    out.append(f"  {' ' * wide} └{'─' * width}")
    out.append(f"  {' ' * wide}  {ends[0]}{' ' * max(1, gap)}{ends[1]}")
    return out


def _cell(filled: Fraction, look: Look, *, above: bool) -> str:
    eighths = min(8, max(0, round(filled * 8)))
    if above:
        return " " if eighths < 4 else "░" if look.unicode else ":"
    if look.unicode:
        return _BLOCKS[eighths]
    return "#" if eighths >= 4 else " "


def _between(points: Sequence[tuple[int, Fraction]], column: int, width: int) -> Fraction:
    """The height at a column: of its middle, on the straight line between two points."""
    first, last = points[0][0], points[-1][0]
    x = first + Fraction(2 * column + 1, 2 * width) * (last - first)
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
