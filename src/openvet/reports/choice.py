"""A choice, as text and as Markdown: what is feasible, what was excluded by which evidence, and what nobody can say yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any, Final

from openvet.reports._text import visible
from openvet.reports.compare import Sources, escaped
from openvet.reports.look import PLAIN, Look

__all__ = ["compose_choice", "markdown_choice"]

_COLOURS: Final = {
    "feasible": "green",
    "excluded": "red",
    "open": "yellow",
    "met": "green",
    "not-met": "red",
    "unknown": "yellow",
}
_MARKS: Final = {"met": "met", "not-met": "NOT MET", "unknown": "unknown"}


def compose_choice(value: Mapping[str, Any], look: Look = PLAIN, *, everything: bool = False) -> str:
    """As text; ``value`` is as the JSON report has it, ``everything`` also lists what is met."""
    return "".join(f"{look.finish(line)}\n" for line in _text(value, look, everything=everything))


def _headline(value: Mapping[str, Any]) -> str:
    if value["verdict"] == "chosen":
        return f"{visible(value['need'])}: {visible(value['chosen'])}"
    if value["verdict"] == "open":
        return f"{visible(value['need'])}: nobody can tell yet: evidence is missing"
    return f"{visible(value['need'])}: none of these"


def _text(value: Mapping[str, Any], look: Look, *, everything: bool) -> Iterator[str]:
    colour = {"chosen": "green", "open": "yellow", "none": "red"}[value["verdict"]]
    yield look.paint(_headline(value), colour, "bold")
    if value["ranked"]:
        names = [visible(value["candidates"][at]["name"]) for at in value["ranked"]]
        yield from _wrapped(f"feasible, best first by {', '.join(value['prefer'])}: {', '.join(names)}", look)
    sources = Sources()
    for each in value["candidates"]:
        yield ""
        yield f"{look.paint(visible(each['name']), 'bold')}: {look.paint(each['standing'], _COLOURS[each['standing']])}"
        met = [line for line in each["lines"] if line["outcome"] == "met"]
        for line in each["lines"]:
            if line["outcome"] == "met" and not everything:
                continue
            mark = look.paint(_MARKS[line["outcome"]], _COLOURS[line["outcome"]])
            number = f" [{sources.number(line['source'])}]" if line["source"] else ""
            yield from _wrapped(f"{mark}: {visible(line['requirement'])}: {visible(line['why'])}{number}", look)
            if line["next"]:
                yield from _wrapped(f"-> {visible(line['next'])}", look, first="      ", hang="         ")
        if met and not everything:
            yield from _wrapped(f"met: {', '.join(visible(line['requirement']) for line in met)}", look)
    yield ""
    for told in sources.told():
        yield from _wrapped(told, look, hang="      ")
    for note in value["notes"]:
        yield from _wrapped(f"note: {visible(note)}", look)


def _wrapped(text: str, look: Look, first: str = "  ", hang: str = "    ") -> Iterator[str]:
    yield from wrap(
        text, look.width, initial_indent=first, subsequent_indent=hang, break_on_hyphens=False, break_long_words=False
    )


def markdown_choice(value: Mapping[str, Any]) -> str:
    """As Markdown, for a decision record."""
    sources = Sources()
    out = [
        f"**{escaped(_headline(value))}**",
        "",
        "| candidate | standing | requirement | | evidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in value["candidates"]:
        for line in each["lines"]:
            number = f"[{sources.number(line['source'])}]" if line["source"] else line["next"]
            cells = (
                each["name"],
                each["standing"],
                f"{line['requirement']}: {line['why']}",
                _MARKS[line["outcome"]],
                number,
            )
            out.append(f"| {' | '.join(escaped(cell) for cell in cells)} |")
    out += ["", *(f"* {escaped(told)}" for told in sources.told()), *(f"* {escaped(note)}" for note in value["notes"])]
    return "\n".join(out).rstrip() + "\n"
