"""A lineage as one page: the graph as a drawing, every edge and every test in tables; no scripts, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.reports._text import plural, visible
from openvet.reports.graph import drawing
from openvet.reports.lineage import LIMITS, WORDS, figures_words, verdict_words
from openvet.reports.markup import Content, Html, document, figure, join, table, tag

__all__ = ["page", "parts"]

_LEGEND: Final = "Green: the weights are consistent with it. Red, dashed: they are not. Yellow, dotted: nobody can tell. Grey: declared, and not tested."
#: Rows of a table; the JSON report has all.
_ROWS: Final = 200


def page(lineage: LineageV1) -> str:
    """The whole page."""
    title = f"What {visible(lineage.nodes[0].name)} was made of"
    return document(title, tag("main", tag("h1", title), *parts(lineage)))


def parts(lineage: LineageV1, id_: str = "lineage") -> Iterator[Html]:
    """The drawing and the tables, to be put into a page on which ``id_`` is unique."""
    if lineage.edges or lineage.tests:
        legend = _LEGEND if lineage.tests else None
        yield figure(drawing(lineage, id_), legend, wide=f"Lineage of {visible(lineage.nodes[0].name)}")
    yield from _edges(lineage)
    yield from _tests(lineage)
    for each in lineage.problems[:_ROWS]:
        yield tag("p", f"{each.location}: {each.message}", class_="soft")
    yield from _rest(len(lineage.problems), "problem")
    if lineage.left_off:
        yield tag("p", f"and {plural(lineage.left_off, 'further statement')} that are not listed", class_="soft")
    if lineage.tests:
        yield tag("p", LIMITS, class_="soft")


def _name(lineage: LineageV1, identifier: str) -> str:
    node = lineage.node(identifier)
    return node.name if node is not None else identifier


def _lines(texts: Iterator[str]) -> Content:
    """One below the other."""
    return [tag("span", each, tag("br")) for each in texts]


def _rest(count: int, word: str) -> Iterator[Html]:
    if count > _ROWS:
        yield tag("p", f"and {plural(count - _ROWS, f'further {word}')}; the JSON report lists all", class_="soft")


def _edges(lineage: LineageV1) -> Iterator[Html]:
    rows = [
        (
            _name(lineage, each.derivative),
            WORDS[each.relation],
            _name(lineage, each.origin),
            each.basis,
            _lines(str(one) for one in each.sources),
            _lines(f"{name}: {value}" for name, value in each.parameters.items()),
        )
        for each in lineage.edges[:_ROWS]
    ]
    found = table(("what", "is", "of", "says who", "where", "more"), rows, caption="What is said")
    yield found or tag("p", "Nothing in it says what it was made of.", class_="soft")
    yield from _rest(len(lineage.edges), "edge")


def _tests(lineage: LineageV1) -> Iterator[Html]:
    rows = []
    for each in lineage.tests[:_ROWS]:
        figures = _lines(f"{name}: {value}" for name, value in each.figures.items())
        rows.append(
            (
                _name(lineage, each.derivative),
                _name(lineage, each.origin),
                each.claim,
                tag("span", verdict_words(each.verdict), class_=each.verdict),
                each.reason,
                join(figures_words(each), tag("br"), tag("span", figures, class_="soft")),
            )
        )
    found = table(("what", "beside", "claim", "verdict", "why", "test"), rows, caption="What the weights say")
    if found is not None:
        yield found
    yield from _rest(len(lineage.tests), "test")
