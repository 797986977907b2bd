"""Models side by side, as one page: a table and a plot of the front in one file, without scripts and without anything from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openvet.reports._text import visible
from openvet.reports.compare import Sources, cells_of, front_text, notes_of, pair_text, rows_of, said, standing_text
from openvet.reports.markup import Html, document, figure, lines, listed, table, tag
from openvet.reports.scatter import Dot, Scatter, drawing

__all__ = ["comparison_page"]

_STYLES: Final = {"front": "consistent", "open": "cannot-tell", "dominated": "not-consistent"}
_WORDS: Final = {"front": "good", "open": "open", "dominated": "bad"}
_LONGEST: Final = 32


def comparison_page(value: Mapping[str, Any]) -> str:
    """The whole page; ``value`` is as the JSON report has it."""
    title = f"{len(value['candidates'])} models side by side"
    return document(title, tag("main", lines(tag("h1", title), *_body(value))))


def _body(value: Mapping[str, Any]) -> Iterator[Html]:
    sources = Sources()
    names = [visible(each["name"]) for each in value["candidates"]]
    rows = [(axis["name"], *cells_of(value, axis, sources)) for axis in value["axes"]]
    found = table(("", *names), rows)
    if found is not None:
        yield tag("div", found, class_="wide")
    if value["front_on"]:
        yield tag("h2", f"Front over {front_text(value)}")
        items = []
        for number, each in enumerate(value["candidates"]):
            word = each["standing"]["word"] if each["standing"] else ""
            items.append(
                [tag("strong", names[number]), ": ", tag("span", standing_text(value, number), class_=_WORDS.get(word))]
            )
        listing = listed(items)
        if listing is not None:
            yield listing
        plot = _plot(value)
        if plot is not None:
            yield figure(
                drawing(plot),
                "Bars are intervals. Green: none is better; dotted: the intervals do not resolve whether another one is; red and dashed: another one is better.",
            )
    if value["pairs"]:
        yield tag("h2", "On the same samples")
        pairs = listed(pair_text(value, each) for each in value["pairs"])
        if pairs is not None:
            yield pairs
    yield tag("h2", "Sources")
    told = listed(sources.told())
    if told is not None:
        yield told
    for note in notes_of(value):
        yield tag("p", note, class_="soft")


def _plot(value: Mapping[str, Any]) -> Scatter | None:
    """Quality upwards, what it costs to the right; ``None`` where there are not two axes."""
    axes = rows_of(value)
    if len(axes) < 2:
        return None
    up, across = axes[0], axes[1]
    dots = []
    for number, each in enumerate(value["candidates"]):
        x, y = across["cells"][number], up["cells"][number]
        if x is None or y is None or x["value"] is None or y["value"] is None:
            continue
        word = each["standing"]["word"] if each["standing"] else "open"
        name = visible(each["name"])
        dots.append(
            Dot(
                name if len(name) <= _LONGEST else f"{name[:_LONGEST]}\u2026",
                float(x["value"]),
                float(y["value"]),
                _bar(x),
                _bar(y),
                _STYLES[word],
            )
        )
    if not dots:
        return None
    said_points = "; ".join(
        f"{each.name}: {said(each.y, up['unit'])} at {said(each.x, across['unit'])}" for each in dots
    )
    return Scatter(
        "front", f"{visible(up['name'])} by {visible(across['name'])}", said_points, visible(across["name"]), visible(up["name"]), dots,
        lambda number: said(number, across["unit"]), lambda number: said(number, up["unit"]),
    )  # fmt: skip


def _bar(cell: Mapping[str, Any]) -> tuple[float, float]:
    """The interval; a figure without one has no bar, and an end that nothing bounds leads out of the drawing."""
    if cell["low"] is None and cell["high"] is None:
        return float(cell["value"]), float(cell["value"])
    return (
        -math.inf if cell["low"] is None else float(cell["low"]),
        math.inf if cell["high"] is None else float(cell["high"]),
    )
