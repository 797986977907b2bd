"""Models side by side, as text and as Markdown. Numbers in brackets name the statements that figures come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from openvet.reports._text import bytes_for_people, columns, cut, visible
from openvet.reports.look import PLAIN, Look

__all__ = [
    "NOT_MEASURED",
    "Sources",
    "cells_of",
    "compose_comparison",
    "escaped",
    "markdown_comparison",
    "pair_text",
    "said",
    "standing_text",
]

NOT_MEASURED: Final = "not measured"
OTHERWISE: Final = "under other conditions"
_WIDEST: Final = 40


class Sources:
    """Statements, numbered in the order in which figures name them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._told: list[str] = []

    def number(self, source: Mapping[str, str]) -> int:
        """The number of a statement."""
        key = (source["kind"], source["sha256"], source["source"])
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            digest = f" {source['sha256'][:16]}" if source["sha256"] else ""
            by = f", signed by the key {source['key'][:16]}" if source["basis"] == "signed" else f", {source['basis']}"
            self._told.append(f"{source['kind']}{digest}{by}: {source['source']}")
        return self._numbers[key]

    def told(self) -> list[str]:
        """What each of them is."""
        return [f"[{number}] {each}" for number, each in enumerate(self._told, 1)]


def said(value: float, unit: str) -> str:
    """A figure with its unit, as people read it."""
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"
    if unit == "byte":
        return bytes_for_people(round(value))
    return f"{value:.4g} {unit}".strip()


def cells_of(value: Mapping[str, Any], axis: Mapping[str, Any], sources: Sources) -> list[str]:
    """The cells of an axis; where a candidate has none and stands on another axis of that name, that is said."""
    alike = [each for each in value["axes"] if each["name"] == axis["name"]]
    return [
        OTHERWISE
        if cell is None and any(each["cells"][at] is not None for each in alike)
        else _cell_text(cell, axis["unit"], sources)
        for at, cell in enumerate(axis["cells"])
    ]


def _cell_text(cell: Mapping[str, Any] | None, unit: str, sources: Sources) -> str:
    """One cell; what nobody measured is said to be so."""
    if cell is None:
        return NOT_MEASURED
    number = f"[{sources.number(cell['source'])}]"
    if cell["value"] is None:
        return f"{visible(cell['word'])} {number}"
    text = said(float(cell["value"]), unit)
    if cell["low"] is not None or cell["high"] is not None:
        low, high = ("?" if end is None else said(float(end), unit) for end in (cell["low"], cell["high"]))
        text += f" ({low} to {high})"
    elif cell["interval"] != "exact":
        text += " (no interval)"
    return f"{text}{'*' if cell['note'] else ''} {number}"


def standing_text(value: Mapping[str, Any], number: int) -> str:
    """Where a candidate stands, in words."""
    names = [each["name"] for each in value["candidates"]]
    standing = value["candidates"][number]["standing"]
    if standing is None:
        return "cannot be placed: not all of it is measured"
    by = ", ".join(visible(names[each]) for each in standing["by"])
    return {"front": "on the front", "dominated": f"dominated by {by}", "open": f"open: {by} may be better, and the intervals do not resolve it"}[standing["word"]]  # fmt: skip


def pair_text(value: Mapping[str, Any], pair: Mapping[str, Any]) -> str:
    """Two on the same samples."""
    one, other = (visible(value["candidates"][pair[side]]["name"]) for side in ("first", "second"))
    axis = next(each["name"] for each in value["axes"] if each["id"] == pair["axis"])
    span = f"{float(pair['low']):.4f} to {float(pair['high']):.4f}"
    return f"{visible(axis)}: {one} against {other}: {float(pair['difference']):+.4f} ({span}): {pair['verdict']}"


def notes_of(value: Mapping[str, Any]) -> list[str]:
    """Under which conditions was measured, what stars stand for, and what else has to be known; each once, with all that it is about."""
    names = [each["name"] for each in value["candidates"]]
    under: dict[str, list[str]] = {}
    stars: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for axis in value["axes"]:
        if axis["under"]:
            under.setdefault(axis["under"], []).append(axis["name"])
        whose: dict[str, list[str]] = {}
        for name, cell in zip(names, axis["cells"], strict=True):
            if cell is not None and cell["note"]:
                whose.setdefault(cell["note"], []).append(name)
        for note, of in whose.items():
            stars.setdefault((note, tuple(of)), []).append(axis["name"])
    out = [f"{', '.join(dict.fromkeys(axes))}: {text}" for text, axes in under.items()]
    out += [f"* {', '.join(dict.fromkeys(axes))} of {', '.join(of)}: {note}" for (note, of), axes in stars.items()]
    return [visible(each) for each in [*out, *value["notes"]]]


def front_text(value: Mapping[str, Any]) -> str:
    """Over which axes the front is."""
    names = {each["id"]: each for each in value["axes"]}
    shown = (
        f"{visible(names[each]['name'])} ({'more' if names[each]['more_is_better'] else 'less'} is better)"
        for each in value["front_on"]
    )
    return " and ".join(shown)


def compose_comparison(value: Mapping[str, Any], look: Look = PLAIN) -> str:
    """As text; ``value`` is as the JSON report has it."""
    return "".join(f"{look.finish(line)}\n" for line in _text(value, look))


def _text(value: Mapping[str, Any], look: Look) -> Iterator[str]:
    sources = Sources()
    names = [visible(each["name"]) for each in value["candidates"]]
    rows = [(visible(axis["name"]), *cells_of(value, axis, sources)) for axis in value["axes"]]
    table = [("", *(cut(name, _WIDEST) for name in names)), *rows]
    widths = [max(columns(row[at]) for row in table) for at in range(len(table[0]))]
    if sum(widths) + 2 * len(widths) <= look.width:
        for number, row in enumerate(table):
            line = "  ".join(
                cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
            yield look.paint(line, "bold") if number == 0 else line
    else:  # one after the other, where they do not stand side by side
        for at, name in enumerate(names, 1):
            yield look.paint(name, "bold")
            for row in rows:
                yield f"  {row[0] + ' ' * (widths[0] - columns(row[0]))}  {row[at]}"
    yield ""
    if value["front_on"]:
        yield f"Front over {front_text(value)}:"
        for number, name in enumerate(names):
            yield from _wrapped(f"{name}: {standing_text(value, number)}", look)
    for pair in value["pairs"]:
        yield from _wrapped(pair_text(value, pair), look)
    if value["pairs"]:
        yield f"  (same samples, at {100 * float(value['level']):g} % over all pairs together)"
    yield ""
    for each in sources.told():
        yield from _wrapped(each, look, hang="      ")
    for note in notes_of(value):
        yield from _wrapped(note, look, hang="    ")


def _wrapped(text: str, look: Look, hang: str = "    ") -> Iterator[str]:
    yield from wrap(visible(text), look.width, initial_indent="  ", subsequent_indent=hang, break_on_hyphens=False)


def markdown_comparison(value: Mapping[str, Any]) -> str:
    """As Markdown, for a pull request or a wiki."""
    sources = Sources()
    names = [escaped(each["name"]) for each in value["candidates"]]
    out = [f"| | {' | '.join(names)} |", f"|{' --- |' * (len(names) + 1)}"]
    for axis in value["axes"]:
        cells = map(escaped, cells_of(value, axis, sources))
        out.append(f"| {escaped(axis['name'])} | {' | '.join(cells)} |")
    out.append("")
    if value["front_on"]:
        out += [f"Front over {escaped(front_text(value))}:", ""]
        out += [f"* {name}: {escaped(standing_text(value, number))}" for number, name in enumerate(names)]
        out.append("")
    out += [f"* {escaped(pair_text(value, pair))}" for pair in value["pairs"]]
    out += ["", *(f"* {escaped(each)}" for each in (*sources.told(), *notes_of(value)))]
    return "\n".join(out).rstrip() + "\n"


def escaped(text: str) -> str:
    """Text of strangers in a table of Markdown: nothing of it is markup."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>|#!&~" else each for each in visible(text))


def rows_of(value: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The axes that a plot can have, the chosen ones first."""
    chosen = {each: number for number, each in enumerate(value["front_on"])}
    found = [each for each in value["axes"] if each["id"] in chosen]
    return sorted(found, key=lambda each: chosen[each["id"]])
