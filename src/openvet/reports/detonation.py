"""What a model did in the sandbox, for people: the verdict with its bounds first, then what was not expected, phase by phase."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.evidence.predicates.observation_v1 import (
    MALICIOUS,
    NOT_LOADED,
    NOTHING,
    UNUSUAL,
    Load,
    ObservationV1,
    Seen,
)
from openvet.reports._text import cut, plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["NO_PROOF", "compose_detonation"]

NO_PROOF: Final = (
    "This is no proof of safety: code can wait for a date, look whether it is watched, or lie in what was not loaded or run. "
    "What was seen is evidence; what was not seen is none."
)
_COLOURS: Final = {MALICIOUS: ("bold", "red"), UNUSUAL: ("yellow",), NOT_LOADED: ("yellow",), NOTHING: ("bold",)}
_MEANS: Final = {
    MALICIOUS: "it did what no load has an honest use for",
    UNUSUAL: "it did what is seldom part of loading a model; a person must look",
    NOT_LOADED: "not all of it could be loaded; nothing can be said about that",
    NOTHING: "nothing but what its loader does was seen",
}
_LISTED: Final = 20
_LINES: Final = 12


def compose_detonation(name: str, found: ObservationV1, look: Look = PLAIN, *, everything: bool = False) -> str:
    """The report of one model; expected events and all of the source text only with ``everything``."""
    verdict = found.verdict
    lines = [f"{look.paint(visible(name), 'bold')}: {look.paint(verdict, *_COLOURS[verdict])}: {_MEANS[verdict]}"]
    lines += _walls(found, look)
    for load in found.loads:
        lines += ["", *_load(load, look, everything=everything)]
    if found.not_loaded:
        lines += ["", look.paint("Not loaded", "bold")]
        rows = [[f"  {visible(each.path) or 'the model'}", visible(each.reason)] for each in found.not_loaded]
        lines += table(rows, look.width, wrap=True)
    lines += ["", *table([["", look.paint("", "dim") + NO_PROOF]], look.width, wrap=True)]
    return look.finish("\n".join(line.rstrip() for line in lines) + "\n")


def _walls(found: ObservationV1, look: Look) -> list[str]:
    walls = found.walls
    reached = [name for name, outcome in walls.outcomes.items() if outcome == "reached"]
    tried = f"{len(walls.outcomes)} attempts to get out were tried first, {len(reached) or 'none'} reached anything"
    rows = [
        ["  sandbox", f"level {walls.level}, {' + '.join(walls.walls) or 'limits alone'}: {walls.claim}; {tried}"],
        ["  recorders", ", ".join(each.name for each in found.recorders) or "none"],
    ]
    rows += [["", f"{each.name} misses {each.misses}"] for each in found.recorders]
    if walls.accepted:
        rows.insert(
            1,
            [
                "  ACCEPTED",
                f"no isolation was accepted (--i-accept-no-isolation); reached: {', '.join(reached) or 'nothing'}",
            ],
        )
    return table(rows, look.width, wrap=True)


def _load(load: Load, look: Look, *, everything: bool) -> Iterator[str]:
    seconds = sum(float(each.seconds) for each in load.phases)
    version = f" {visible(load.version)}" if load.version else ""
    went = ", ".join(each.name for each in load.phases if each.outcome == "completed" and each.name != "prepare")
    yield f"{look.paint(visible(load.path) or 'the model', 'bold')}  {load.loader}{version}: {look.paint(load.verdict, *_COLOURS[load.verdict])} ({went or 'no phase was completed'}; {seconds:.1f} s)"
    rows = [
        [f"  {visible(each.name)}", each.outcome, visible(each.detail)]
        for each in load.phases
        if each.outcome != "completed" or each.detail
    ]
    yield from table(rows, look.width, wrap=True)
    if load.ended != "answered":
        yield from table([["  ended", visible(load.ended)]], look.width, wrap=True)
    shown = [each for each in load.seen if everything or each.judged != "expected"]
    listed = shown if everything else sorted(shown, key=lambda each: each.judged != "malicious")[:_LISTED]
    for each in listed:
        yield from _seen(each, look, everything=everything)
    if len(shown) > len(listed):
        yield f"  and {len(shown) - len(listed):,} more; --all lists them"
    expected = load.count("expected") + load.left_off
    yield f"  expected of this loader: {plural(expected, 'event')}, and {plural(load.library_reads, 'read')} of the interpreter's own files"
    if load.lost:
        yield f"  {plural(load.lost, 'event')} beyond what is kept"
    if load.output and everything:
        yield "  it printed:"
        yield from (f"    {visible(line)}" for line in load.output.split("\n"))


def _seen(each: Seen, look: Look, *, everything: bool) -> Iterator[str]:
    colour = {"malicious": ("bold", "red"), "unusual": ("yellow",)}.get(each.judged, ("dim",))
    answer = f" ({each.answer})" if each.answer else ""
    times = f" {each.count:,} times" if each.count > 1 else ""
    about = visible(each.about)
    yield f"  {look.paint(each.judged, *colour)}  {visible(each.phase)}: {cut(f'{visible(each.kind)} {about}', 200)}{answer}{times}"
    yield f"    {each.why}{f'; by {visible(each.by)}' if each.by else ''}  [{each.recorder}]"
    text = (
        [visible(line) for line in each.detail.split("\n") if line.strip()]
        if each.detail not in ("to read", "to write")
        else []
    )
    yield from (f"      | {cut(line, max(look.width - 8, 40))}" for line in (text if everything else text[:_LINES]))
    if len(text) > _LINES and not everything:
        yield f"      | and {len(text) - _LINES} lines more"
