"""A curve as an inline SVG drawing: no script, no reference to anything outside, a title and a description for those who cannot see it.

Colours come from the page's custom properties, so that light and dark pages both have theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from openvet.core.dataclass import dataclass
from openvet.reports.markup import Html, lines, tag

__all__ = ["Curve", "drawing", "framed"]

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


def drawing(curve: Curve) -> Html:
    """The ``svg`` element."""
    first, last = curve.points[0][0], curve.points[-1][0]
    across = max(1, last - first)

    def place(x: int, y: Fraction) -> tuple[str, str]:
        left = _LEFT + Fraction(x - first, across) * (_WIDTH - _LEFT - _RIGHT)
        return _number(left), _number(_height(y, curve.top))

    path = " ".join(",".join(place(x, y)) for x, y in curve.points)
    floor = _number(_height(Fraction(0), curve.top))
    out = [
        tag("title", curve.title, id=f"{curve.id}-t"),
        tag("desc", curve.description, id=f"{curve.id}-d"),
    ]
    for step, label in enumerate(curve.y_labels):
        level = _number(_height(curve.top * step / max(1, len(curve.y_labels) - 1), curve.top))
        out.append(tag("line", class_="grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=level, y2=level))
        out.append(tag("text", label, class_="y", x=_LEFT - 8, y=level, dy="0.32em"))
    right = _number(Fraction(_WIDTH - _RIGHT))
    out.append(tag("polygon", class_="area", points=f"{_LEFT},{floor} {path} {right},{floor}"))
    out.append(tag("polyline", class_="line", points=path))
    if curve.mark is not None and 0 < curve.mark[0] <= curve.top:
        level = _number(_height(curve.mark[0], curve.top))
        out.append(tag("line", class_="mark", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=level, y2=level))
        out.append(tag("text", curve.mark[1], class_="word", x=_WIDTH - _RIGHT - 4, y=level, dy="1.1em"))
    out.append(tag("text", curve.x_labels[0], class_="x", x=_LEFT, y=_HEIGHT - 12))
    out.append(tag("text", curve.x_labels[1], class_="x end", x=_WIDTH - _RIGHT, y=_HEIGHT - 12))
    return framed(out, curve.id, _WIDTH, _HEIGHT)


def framed(parts: Sequence[Html], name: str, width: int, height: int) -> Html:
    """A drawing of these parts, which its title and description, ``NAME-t`` and ``NAME-d``, stand for where it cannot be seen."""
    return tag(
        "svg", Html("\n"), lines(*parts), Html("\n"),
        viewBox=f"0 0 {width} {height}", width=width, role="img", aria_labelledby=f"{name}-t {name}-d",
    )  # fmt: skip


def _height(y: Fraction, top: Fraction) -> Fraction:
    return _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM)


def _number(value: Fraction) -> str:
    """A tenth of a unit is less than anybody sees; no floating-point number is involved, so that every machine draws the same."""
    tenths = round(value * 10)
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)
