"""Points with error bars as an inline SVG drawing: no script, nothing from outside, a title and a description for those who cannot see it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from openvet.core.dataclass import dataclass
from openvet.reports.markup import Html, tag
from openvet.reports.svg import framed

__all__ = ["Dot", "Scatter", "drawing"]

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 24, 36, 48
_STEPS = 4
_MARGIN = 0.08


@dataclass(frozen=True, slots=True)
class Dot:
    """One point: where it is, its bars (infinite where nothing bounds them), its name, and its style."""

    name: str
    x: float
    y: float
    x_bar: tuple[float, float]
    y_bar: tuple[float, float]
    style: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """What is drawn; ``id`` is unique on the page, ``shown_x`` and ``shown_y`` write a number of each axis."""

    id: str
    title: str
    description: str
    x_name: str
    y_name: str
    dots: Sequence[Dot]
    shown_x: Callable[[float], str]
    shown_y: Callable[[float], str]


def drawing(plot: Scatter) -> Html:
    """The ``svg`` element."""
    across = _range([each.x for each in plot.dots], [each.x_bar for each in plot.dots])
    up = _range([each.y for each in plot.dots], [each.y_bar for each in plot.dots])

    def x_of(value: float) -> float:
        return _LEFT + _share(value, across) * (_WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        return _HEIGHT - _BOTTOM - _share(value, up) * (_HEIGHT - _TOP - _BOTTOM)

    out = [tag("title", plot.title, id=f"{plot.id}-t"), tag("desc", plot.description, id=f"{plot.id}-d")]
    for step in range(_STEPS + 1):
        value = up[0] + (up[1] - up[0]) * step / _STEPS
        level = _number(y_of(value))
        out.append(tag("line", class_="grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=level, y2=level))
        out.append(tag("text", plot.shown_y(value), class_="y", x=_LEFT - 8, y=level, dy="0.32em"))
        value = across[0] + (across[1] - across[0]) * step / _STEPS
        anchor = "start" if step == 0 else "end" if step == _STEPS else "middle"
        out.append(
            tag(
                "text",
                plot.shown_x(value),
                class_="x",
                x=_number(x_of(value)),
                y=_HEIGHT - _BOTTOM + 18,
                text_anchor=anchor,
            )
        )
    for each in plot.dots:
        x, y = _number(x_of(each.x)), _number(y_of(each.y))
        left, right = (_number(x_of(end)) for end in each.x_bar)
        low, high = (_number(y_of(end)) for end in each.y_bar)
        out.append(tag("path", class_=each.style, d=f"M{left} {y} H{right} M{x} {low} V{high}"))
        out.append(tag("circle", class_="bar", cx=x, cy=y, r=4))
        near_right = x_of(each.x) > _WIDTH - 180
        out.append(
            tag(
                "text",
                each.name,
                class_="what",
                x=_number(x_of(each.x) + (-8 if near_right else 8)),
                y=y,
                dy="-0.5em",
                text_anchor="end" if near_right else None,
            )
        )
    out.append(
        tag(
            "text",
            plot.x_name,
            class_="x",
            x=_number((_LEFT + _WIDTH - _RIGHT) / 2),
            y=_HEIGHT - 8,
            text_anchor="middle",
        )
    )
    out.append(tag("text", plot.y_name, class_="x", x=4, y=14))
    return framed(out, plot.id, _WIDTH, _HEIGHT)


def _range(values: Sequence[float], bars: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """What is shown: all points, and the ends of bars that are bounded."""
    ends = [end for bar in bars for end in bar if math.isfinite(end)]
    low, high = min([*values, *ends]), max([*values, *ends])
    margin = (high - low) * _MARGIN or abs(high) * _MARGIN or 1.0
    # what cannot be less than nothing has no such ticks
    return (max(0.0, low - margin) if low >= 0 else low - margin), high + margin


def _share(value: float, shown: tuple[float, float]) -> float:
    low, high = shown
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
