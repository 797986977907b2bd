"""How models fit devices, as one page: tables and drawings in one file, without scripts and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape
from typing import Final

from openvet.evidence.predicates.profile_v1 import ModelPart
from openvet.profile.fit import Fit
from openvet.reports._text import bytes_for_people, plural, visible
from openvet.reports.fit import BOUNDS, gib, kinds, memory_words, pairs, rate, said_by
from openvet.reports.profile import facts_of
from openvet.reports.svg import Curve, drawing

__all__ = ["Row", "page"]

#: A model's name, the model, and its fits; no fit without a reason in words.
Row = tuple[str, ModelPart, Sequence[Fit], Sequence[str]]

_STEPS: Final = 4
_STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #57606a; --grid: #d0d7de; --line: #0a58ca; --area: #0a58ca22; --mark: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #16191d; --text: #e6edf3; --soft: #9aa4ae; --grid: #363c44; --line: #6ea8fe; --area: #6ea8fe22; --mark: #ff8a80; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--grid); }
th { font-weight: 600; white-space: nowrap; } h3 { margin-top: 2rem; } figure { margin: 1rem 0; } figcaption, .soft { color: var(--soft); } .no { color: var(--mark); }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; } .y, .word, .end { text-anchor: end; } .grid { stroke: var(--grid); } .word { fill: var(--mark); }
.area { fill: var(--area); } .line { fill: none; stroke: var(--line); stroke-width: 2; } .mark { stroke: var(--mark); stroke-dasharray: 6 4; }
"""
#: Nothing may be loaded and nothing run, whatever got into the page.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(rows: Sequence[Row]) -> str:
    """The whole page; every text from a model is escaped."""
    title = "What " + (visible(rows[0][0]) if len({row[0] for row in rows}) == 1 and rows else "these models") + " need"
    if rows and title != "What these models need":
        title = f"What {visible(rows[0][0])} needs"
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
    ]
    for number, row in enumerate(rows):
        out.extend(_model(number, row))
    out.append(f'<p class="soft">{escape(BOUNDS)}</p>')
    return "\n".join([*out, "</body>", "</html>"]) + "\n"


def _model(number: int, row: Row) -> Iterator[str]:
    name, part, fits, reasons = row
    yield f"<h2>{escape(visible(f'{name} / {part.name}' if part.name else name))}</h2>"
    yield from _pairs(facts_of(part))
    for text in (*reasons, *part.missing):
        yield f'<p class="soft">{escape(visible(text))}</p>'
    if len(fits) > 1:
        yield from _overview(fits)
    for at, each in enumerate(fits):
        yield f"<h3>On {escape(visible(each.device.name))}, {gib(each.device.memory)}</h3>"
        yield from _pairs(pairs(each))
        for curve in _curves(f"m{number}d{at}", each):
            yield f"<figure>\n{drawing(curve)}\n<figcaption>{escape(curve.title)}</figcaption>\n</figure>"
        for text in dict.fromkeys((*each.unknown, *each.needs.assumptions)):
            yield f"<p>{escape(visible(text))}</p>"
        yield "<details><summary>Who says so</summary>\n<ul>"
        for line in said_by(each.device):
            yield f"<li>{escape(visible(line))}</li>"
        yield "</ul></details>"


def _pairs(found: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield "<table>"
    for label, text in found:
        yield f'<tr><th scope="row">{escape(label)}</th><td>{escape(text)}</td></tr>'
    yield "</table>"


def _overview(fits: Sequence[Fit]) -> Iterator[str]:
    yield f"<table>\n<caption>{escape(kinds(fits[0]))}, cache in {escape(fits[0].work.cache_type)}</caption>"
    heads = ("device", "fits", "context", "decode at best, tokens/s", "programs reach", "prefill at best, tokens/s")
    yield "<tr>" + "".join(f'<th scope="col">{escape(head)}</th>' for head in heads) + "</tr>"
    for each in fits:
        decode, prefill = each.decode, each.prefill
        cells = (
            memory_words(each),
            "none" if each.largest_context is None else f"{each.largest_context:,}",
            "not known" if decode is None else rate(decode.best),
            "" if decode is None else f"{rate(decode.low)} to {rate(decode.high)}",
            "not known" if prefill is None else rate(prefill.best),
        )
        name = f'<th scope="row">{escape(visible(each.device.label))}</th>'
        yield f'<tr class="{each.fits}">{name}' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def _curves(id_: str, each: Fit) -> Iterator[Curve]:
    ends = (f"{each.curve[0][0]:,}", f"{plural(each.curve[-1][0], 'token')}")
    sizes = [(context, Fraction(size)) for context, size, _ in each.curve]
    top = max(Fraction(1), *(size for _, size in sizes))
    if each.available_bytes <= 4 * top:
        top = max(top, Fraction(each.available_bytes))
    there = bytes_for_people(each.available_bytes)
    lowest, highest = bytes_for_people(int(sizes[0][1])), bytes_for_people(int(sizes[-1][1]))
    yield Curve(
        f"{id_}m",
        "Memory to serve, by tokens of context",
        f"It takes {lowest} at {ends[0]} and {highest} at {ends[1]}; {there} are there.",
        sizes,
        top,
        ends,
        [bytes_for_people(int(top * step / _STEPS)) for step in range(_STEPS + 1)],
        (Fraction(each.available_bytes), f"{there} there"),
    )
    speeds = [(context, best) for context, _, best in each.curve if best is not None]
    if len(speeds) == len(sizes):
        top = max(best for _, best in speeds)
        yield Curve(
            f"{id_}s",
            "Decode at best in tokens/s, by tokens of context",
            f"At best {rate(speeds[0][1])} tokens/s at {ends[0]} and {rate(speeds[-1][1])} at {ends[1]}.",
            speeds,
            top,
            ends,
            ["0", *(rate(top * step / _STEPS) for step in range(1, _STEPS + 1))],
        )
