"""A lineage as one page: the graph as a drawing, every edge and every test in tables; no scripts, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.reports._text import visible
from openvet.reports.graph import drawing
from openvet.reports.lineage import LIMITS, WORDS, figures_words, verdict_words

__all__ = ["page"]

_STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #57606a; --grid: #d0d7de; --line: #57606a; --good: #1a7f37; --bad: #b3261e; --open: #9a6700; --box: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --back: #16191d; --text: #e6edf3; --soft: #9aa4ae; --grid: #363c44; --line: #9aa4ae; --good: #6fdd8b; --bad: #ff8a80; --open: #e3b341; --box: #22272e; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--grid); }
.soft { color: var(--soft); } .consistent { color: var(--good); } .not-consistent { color: var(--bad); } .cannot-tell { color: var(--open); }
figure { margin: 1rem 0; overflow-x: auto; } figcaption { color: var(--soft); } caption { text-align: left; font-weight: 600; padding-bottom: 0.25rem; } td { max-width: 24rem; overflow-wrap: break-word; }
svg { display: block; } svg > .what { paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round; } svg text { fill: var(--text); font-size: 13px; } svg .what { fill: var(--soft); font-size: 11px; }
svg rect { fill: var(--box); stroke: var(--grid); } svg path { fill: none; stroke: var(--line); stroke-width: 1.5; } svg .measured { stroke-width: 3; }
svg path.consistent { stroke: var(--good); } svg path.not-consistent { stroke: var(--bad); stroke-dasharray: 6 4; } svg path.cannot-tell { stroke: var(--open); stroke-dasharray: 2 4; }
"""
_LEGEND: Final = (
    "<figcaption>Green: the weights are consistent with it. Red, dashed: they are not. "
    "Yellow, dotted: nobody can tell. Grey: declared, and not tested.</figcaption>\n"
)
#: Nothing may be loaded and nothing run, whatever got into the page.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(lineage: LineageV1) -> str:
    """The whole page; every text from a model is escaped."""
    title = f"What {visible(lineage.nodes[0].name)} was made of"
    out = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{escape(title)}</h1>",
        f"<figure>\n{drawing(lineage)}\n{_LEGEND if lineage.tests else ''}</figure>",
        *_edges(lineage),
        *_tests(lineage),
        *(
            f'<p class="soft">{escape(visible(str(each.location)))}: {escape(visible(each.message))}</p>'
            for each in lineage.problems
        ),
    ]
    if lineage.tests:
        out.append(f'<p class="soft">{escape(LIMITS)}</p>')
    return "\n".join([*out, "</body>", "</html>"]) + "\n"


def _name(lineage: LineageV1, identifier: str) -> str:
    node = lineage.node(identifier)
    return escape(visible(node.name if node is not None else identifier))


def _row(cells: Iterator[str], kind: str = "td") -> str:
    return "<tr>" + "".join(f"<{kind}>{each}</{kind}>" for each in cells) + "</tr>"


def _edges(lineage: LineageV1) -> Iterator[str]:
    if not lineage.edges:
        yield '<p class="soft">Nothing in it says what it was made of.</p>'
        return
    yield "<table>\n<caption>What is said</caption>"
    yield _row(iter(("what", "is", "of", "says who", "where", "more")), "th")
    for each in lineage.edges:
        where = "<br>".join(escape(visible(str(one))) for one in each.sources)
        more = "<br>".join(escape(visible(f"{name}: {value}")) for name, value in each.parameters.items())
        yield _row(
            iter(
                (
                    _name(lineage, each.derivative),
                    WORDS[each.relation],
                    _name(lineage, each.origin),
                    each.basis,
                    where,
                    more,
                )
            )
        )
    yield "</table>"


def _tests(lineage: LineageV1) -> Iterator[str]:
    if not lineage.tests:
        return
    yield "<table>\n<caption>What the weights say</caption>"
    yield _row(iter(("what", "beside", "claim", "verdict", "why", "test")), "th")
    for each in lineage.tests:
        verdict = f'<span class="{each.verdict}">{escape(verdict_words(each.verdict))}</span>'
        figures = "<br>".join(escape(visible(f"{name}: {value}")) for name, value in each.figures.items())
        test = f'{escape(visible(figures_words(each)))}<br><span class="soft">{figures}</span>'
        yield _row(
            iter(
                (
                    _name(lineage, each.derivative),
                    _name(lineage, each.origin),
                    each.claim,
                    verdict,
                    escape(visible(each.reason)),
                    test,
                )
            )
        )
    yield "</table>"
