"""A curve as an inline SVG drawing: no script, no reference to anything outside, a title and a description for those who cannot see it.

Colours come from the page's custom properties, so that light and dark pages both have theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from openvet.core.dataclass import dataclass

__all__ = ["Curve", "drawing"]

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 16, 16, 34


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn.

    Attributes:
        id: unique on the page, of letters and digits.
        title, description: in words, also of what the curve says.
        points: x and y, x rising.
        top: the highest y that is shown, above zero.
        x_labels: how the first and the last x are written.
        y_labels: the heights that are named, from zero to ``top`` in equal steps.
        mark: a height that is drawn as a line, with a word.
    """

    id: str
    title: str
    description: str
    points: Sequence[tuple[int, Fraction]]
    top: Fraction
    x_labels: tuple[str, str]
    y_labels: Sequence[str]
    mark: tuple[Fraction, str] | None = None


def drawing(curve: Curve) -> str:
    """The ``svg`` element; every text is escaped."""
    first, last = curve.points[0][0], curve.points[-1][0]
    across = max(1, last - first)

    def place(x: int, y: Fraction) -> tuple[str, str]:
        left = _LEFT + Fraction(x - first, across) * (_WIDTH - _LEFT - _RIGHT)
        return _number(left), _number(_height(y, curve.top))

    path = " ".join(",".join(place(x, y)) for x, y in curve.points)
    floor = _number(_height(Fraction(0), curve.top))
    out = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{curve.id}-t {curve.id}-d">',
        f'<title id="{curve.id}-t">{escape(curve.title)}</title>',
        f'<desc id="{curve.id}-d">{escape(curve.description)}</desc>',
    ]
    for step, label in enumerate(curve.y_labels):
        level = _number(_height(curve.top * step / max(1, len(curve.y_labels) - 1), curve.top))
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{level}" y2="{level}"/>')
        out.append(f'<text class="y" x="{_LEFT - 8}" y="{level}" dy="0.32em">{escape(label)}</text>')
    out.append(f'<polygon class="area" points="{_LEFT},{floor} {path} {_number(Fraction(_WIDTH - _RIGHT))},{floor}"/>')
    out.append(f'<polyline class="line" points="{path}"/>')
    if curve.mark is not None and 0 < curve.mark[0] <= curve.top:
        level = _number(_height(curve.mark[0], curve.top))
        out.append(f'<line class="mark" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{level}" y2="{level}"/>')
        out.append(
            f'<text class="word" x="{_WIDTH - _RIGHT - 4}" y="{level}" dy="1.1em">{escape(curve.mark[1])}</text>'
        )
    out.append(f'<text class="x" x="{_LEFT}" y="{_HEIGHT - 12}">{escape(curve.x_labels[0])}</text>')
    out.append(f'<text class="x end" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 12}">{escape(curve.x_labels[1])}</text>')
    return "\n".join([*out, "</svg>"])


def _height(y: Fraction, top: Fraction) -> Fraction:
    return _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM)


def _number(value: Fraction) -> str:
    """A tenth of a unit is less than anybody sees; no floating-point number is involved, so that every machine draws the same."""
    tenths = round(value * 10)
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)
