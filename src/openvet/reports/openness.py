"""How open a release is, for people: the class and what the next one needs, every part with its evidence, and the checklists line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.core.location import Location
from openvet.evidence.predicates.openness_v1 import Checklist, ClassProgress, Evidence, Line, OpennessV1, Part, Reading
from openvet.reports._text import plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["CLASSES", "READINGS", "SCHEMES", "STANDINGS", "compose_openness"]

CLASSES: Final = {3: "III (open model)", 2: "II (open tooling model)", 1: "I (open science model)"}
READINGS: Final = {
    "record": "as recorded",
    "declared": "with what is declared",
    "files": "from the files alone",
}
#: Where both readings come to the same.
_BOTH: Final = "with what is declared, and from the files alone"
SCHEMES: Final = {
    "osaid-1.0": "Open Source AI Definition 1.0",
    "eu-53-2": "Open-source exemption of the AI Act, Article 53(2)",
    "openmdw-1": "OpenMDW",
}
STANDINGS: Final = {
    "open": "open",
    "open-other-type": "open, other type",
    "not-open": "not open",
    "not-known": "not known",
}
_COLOURS: Final = {"found": "green", "evidence": "green", "against": "red", "missing": "dim"}
_ASKS: Final = {"provider": "its provider", "lawyer": "a lawyer"}
_LISTED: Final = 12
_PLACES: Final = 2


def compose_openness(name: str, openness: OpennessV1, look: Look = PLAIN, *, everything: bool = False) -> str:
    """The report of one release; one piece of evidence of each part without ``everything``."""
    lines = [look.paint(visible(name), "bold"), ""]
    lines += _framework(openness, look)
    lines += ["", look.paint("Parts of the release", "bold")]
    lines += _parts(openness, look, everything=everything)
    for each in openness.checklists:
        lines += ["", *_checklist(each, look)]
    if openness.notes:
        lines += ["", look.paint("Not taken as it is written", "yellow")]
        shown = openness.notes if everything else openness.notes[:_LISTED]
        lines += table(
            [["  ", f"{_where(each.source)}: {visible(each.text)}"] for each in shown], look.width, wrap=True
        )
        if len(shown) < len(openness.notes):
            lines.append(f"  and {len(openness.notes) - len(shown):,} more; --all lists them")
    said = (
        "a record is taken at its word"
        if openness.basis == "record"
        else "links were not opened, and parts are known by names and headings"
    )
    lines += ["", f"Each scheme stands by its own rules. Nothing here is legal advice; {said}."]
    return look.finish("\n".join(lines) + "\n")


# --- the framework ---


def _framework(openness: OpennessV1, look: Look) -> Iterator[str]:
    yield look.paint(f"Model Openness Framework {visible(openness.framework)}", "bold")
    readings = openness.readings
    same = len(readings) > 1 and all(
        (each.reached, each.classes) == (readings[0].reached, readings[0].classes) for each in readings
    )
    for reading in readings[:1] if same else readings:
        reached = f"class {CLASSES[reading.reached]}" if reading.reached else "no class"
        named = _BOTH if same else READINGS[reading.name]
        yield f"  {named}: {look.paint(reached, 'bold')}  ({_progress(reading)})"
    for reading in readings[:1] if same else readings:
        lacking = _next(reading)
        if lacking is not None:
            title = f"Class {CLASSES[lacking.of]} needs{'' if same else f', {READINGS[reading.name]}'}"
            yield f"  {look.paint(title, 'dim')}"
            yield from table(list(_needs(lacking)), look.width, wrap=True)
    if openness.unfitting:
        yield f"  {look.paint('Open, and made for another type of work (this changes no class)', 'dim')}"
        yield from table([["   ", _names(openness.unfitting)]], look.width, wrap=True)


def _progress(reading: Reading) -> str:
    """Progress in the classes that count; nothing counts in one before the class below it is full."""
    said = [
        f"{_short(each)}: {each.counted} of {each.needed}, {each.percent:.0f} %"
        for each in reading.classes
        if not each.held_back
    ]
    held = [_short(each) for each in reading.classes if each.held_back]
    return "; ".join([*said, *([f"{', '.join(held)}: 0 % until the class below is full"] if held else [])])


def _short(progress: ClassProgress) -> str:
    return CLASSES[progress.of].partition(" ")[0]


def _next(reading: Reading) -> ClassProgress | None:
    """The class that comes next; ``None`` where the highest is reached."""
    wanted = reading.reached - 1 if reading.reached else 3
    return next((each for each in reading.classes if each.of == wanted), None)


def _needs(progress: ClassProgress) -> Iterator[list[str]]:
    for names, what in (
        (progress.missing, "to be there"),
        (progress.unlicensed, "a licence"),
        (progress.not_open, "an open licence"),
    ):
        if names:
            yield [f"    {what}", _names(names)]


def _names(ids: tuple[str, ...]) -> str:
    return "; ".join(each.replace("-", " ") for each in ids)


# --- the parts ---


def _parts(openness: OpennessV1, look: Look, *, everything: bool) -> Iterator[str]:
    rows = []
    for part in openness.parts:
        shown = part.evidence if everything else part.evidence[:1]
        more = part.more + len(part.evidence) - len(shown)
        first, *others = shown or (None,)
        row = [
            f"  {part.id.replace('-', ' ')}",
            look.paint(part.state, _COLOURS.get(part.state, "yellow")),
            _license(part),
        ]
        rows.append([*row, _evidence(first, more if not others else 0)])
        rows.extend(
            [
                ["", "", "", _evidence(each, more if number == len(others) - 1 else 0)]
                for number, each in enumerate(others)
            ]
        )
    yield from table(rows, look.width, wrap=True)


def _license(part: Part) -> str:
    if part.license is None:
        return "" if part.state == "missing" else "no licence stated"
    return f"{visible(part.license.id)} ({STANDINGS[part.license.standing]})"


def _evidence(evidence: Evidence | None, more: int) -> str:
    if evidence is None:
        return ""
    rest = f" and {more:,} more" if more else ""
    line = "" if evidence.source.line is None else f":{evidence.source.line}"
    where = f"{visible(evidence.link)}, {visible(evidence.what)}" if evidence.link else visible(evidence.what)
    return f"{where}, {visible(evidence.source.place)}{line}{rest}"


def _where(source: Location) -> str:
    line = "" if source.line is None else f":{source.line}"
    pointer = f" {visible(source.pointer)}" if source.pointer and source.line is None else ""
    return f"{visible(source.place)}{line}{pointer}"


# --- the checklists ---


def _checklist(checklist: Checklist, look: Look) -> Iterator[str]:
    yield f"{look.paint(SCHEMES[checklist.scheme], 'bold')}  {look.paint(f'as of {visible(checklist.of)}', 'dim')}"
    if len(checklist.lines) > 1:
        words = [
            f"{checklist.count(each)} {each}"
            for each in ("against", "open", "declared", "evidence")
            if checklist.count(each)
        ]
        against = checklist.count("against")
        verdict = f"{plural(against, 'line')} against it" if against else "nothing seen against it"
        yield f"  {verdict}; of {plural(len(checklist.lines), 'line')}: {', '.join(words)}"
    rows = []
    for each in checklist.lines:
        rows.append(
            [
                f"  {look.paint(each.state, _COLOURS.get(each.state, 'yellow'))}",
                f"{visible(each.asked)} ({visible(each.clause)})",
            ]
        )
        rows.append(["", f"  {_reason(each)}"])
    yield from table(rows, look.width, wrap=True)


def _reason(line: Line) -> str:
    asks = f"; for {_ASKS[line.asks]} to settle" if line.asks in _ASKS else ""
    places = [_where(each) for each in line.sources[:_PLACES] if each.place]
    return f"{visible(line.text)}{asks}" + (f" [{', '.join(places)}]" if places else "")
