"""What the licences say to the uses that were asked about, for people: every line with its clause, or with what has to be known."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import TextWrapper
from textwrap import shorten as cut_words
from typing import Final

from openvet.core.license_ids import known_license
from openvet.core.location import Location
from openvet.evidence.predicates.rights_v1 import GROUPS, Answer, Cited, Drift, Duty, Reason, RightsV1, Work
from openvet.reports._text import plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["DUTIES", "NO_ADVICE", "STATES_OF_DUTIES", "VERDICTS", "compose_rights", "license_name"]

NO_ADVICE: Final = "What clauses say, read by a program: no advice about law."
_COLOURS: Final = {"allowed": "green", "depends": "yellow", "not-allowed": "red"}
_SIGNS: Final = {"allowed": "+", "depends": "?", "not-allowed": "-"}
VERDICTS: Final = {"allowed": "allowed", "depends": "depends", "not-allowed": "not allowed"}
DUTIES: Final = {
    "ship": "To ship", "show": "To show", "name": "To name", "pass-on": "To pass on", "do": "To do", "keep-to": "To keep to",
}  # fmt: skip
_STATES: Final = {"met": "[here]", "missing": "[missing]", "unseen": "[ ]"}
#: The states of a duty, as words.
STATES_OF_DUTIES: Final = {"met": "seen here", "missing": "missing", "unseen": "not seen here"}
_STATE_COLOURS: Final = {"met": "green", "missing": "red", "unseen": "dim"}
_QUOTE: Final = 260
#: Data sets of unknown licence that are listed.
_DATA_SETS: Final = 3


def compose_rights(name: str, rights: RightsV1, look: Look = PLAIN, *, everything: bool = False) -> str:
    """The report of one model; quotations are cut without ``everything``, and what may end a licence is only counted."""
    return look.finish("".join(f"{line}\n" for line in _lines(name, rights, look, everything)))


def _lines(name: str, rights: RightsV1, look: Look, everything: bool) -> Iterator[str]:
    asked = ", ".join(visible(each) for each in rights.asked)
    verdict = look.paint(VERDICTS[rights.verdict], _COLOURS[rights.verdict], "bold")
    kept = ", if the duties below are kept" if rights.duties and rights.verdict != "not-allowed" else ""
    yield (
        f"{look.paint(visible(name), 'bold')}: {asked}: {verdict}{kept}" if asked else look.paint(visible(name), "bold")
    )
    yield ""
    yield from _works(rights, look, everything)
    names = {each.id: each.name if each.id != rights.works[0].id else "this model" for each in rights.works}
    told: dict[Cited, None] = {}
    for answer in rights.answers:
        yield ""
        yield from _answer(answer, names, told, look, everything)
    if rights.needs:
        yield ""
        yield look.paint("To be known whatever the use", "bold")
        for reason in rights.needs:
            yield from _reason(reason, names, told, look, everything)
    yield from _duties(rights, names, told, look, everything)
    if rights.drifts:
        yield ""
        yield look.paint(
            f"What its own licence drops: {plural(len(rights.drifts), 'question')} to the publisher", "bold", "yellow"
        )
        for drift in rights.drifts:
            yield from _drift(drift, told, look, everything)
    yield from _risks(rights, names, told, look, everything)
    yield ""
    yield look.paint(NO_ADVICE, "dim")


def _works(rights: RightsV1, look: Look, everything: bool) -> Iterator[str]:
    unknown = [each.id for each in rights.works if each.relation == "trained-on" and each.known == "unknown"]
    hidden = set() if everything else set(unknown[_DATA_SETS:])
    listed = [each for each in rights.works if each.id not in hidden]
    rows = [
        [f"  {'this model' if each.relation == 'self' else f'{each.relation}: {visible(each.name)}'}", _license(each)]
        for each in listed
    ]
    for work, line in zip(listed, table(rows, look.width), strict=True):
        yield line
        if known := _known(work):
            yield from _wrapped(known, look, "      ", "dim")
    if hidden:
        yield f"  and {plural(len(hidden), 'data set')} more of unknown licence; --all lists them"


def _license(work: Work) -> str:
    if work.taken:
        chosen = " and ".join(map(license_name, work.taken))
        return f"{chosen} (chosen)" if len(work.choices) > 1 else chosen
    if work.candidates:
        return f"ambiguous: {visible(work.expression)}"
    return visible(work.expression) or "unknown"


def _known(work: Work) -> str:
    where = "; ".join(_place(each) for each in work.sources[:2]) if work.known in ("declared", "found") else ""
    said = {"table": "", "given": "", "unknown": ""}.get(work.known, work.known)
    perhaps = "" if work.sure else "perhaps"
    return ", ".join(filter(None, (perhaps, f"{said} in {where}" if said and where else said, visible(work.note))))


def license_name(key: str) -> str:
    """A licence as people call it: SPDX's id, or its name where SPDX has none."""
    known = known_license(key)
    return visible(key if known is None or known.is_spdx else known.name)


def _place(where: Location) -> str:
    line = "" if where.line is None else f":{where.line}"
    # of a member of an archive its own path
    return f"{visible(where.place.rpartition('!/')[2])}{line}" if where.place else "the whole model"


def _answer(
    answer: Answer, names: dict[str, str], told: dict[Cited, None], look: Look, everything: bool
) -> Iterator[str]:
    yield f"{look.paint(visible(answer.use), 'bold')}: {look.paint(VERDICTS[answer.verdict], _COLOURS[answer.verdict], 'bold')}"
    for reason in sorted(answer.reasons, key=lambda each: list(_SIGNS).index(each.verdict), reverse=True):
        yield from _reason(reason, names, told, look, everything)


def _reason(
    reason: Reason, names: dict[str, str], told: dict[Cited, None], look: Look, everything: bool
) -> Iterator[str]:
    sign = look.paint(_SIGNS[reason.verdict], _COLOURS[reason.verdict])
    text = f"{visible(names.get(reason.work, reason.work))}: {visible(reason.says)}"
    cited = "" if reason.cited is None else f" ({_cited(reason.cited)})"
    lines = _lines_of(text + cited, look.width - 4)
    yield f"  {sign} {lines[0]}"
    yield from (f"    {line}" for line in lines[1:])
    if reason.cited is not None:
        yield from _quoted(reason.cited, told, look, everything)
    if reason.needs:
        yield from _wrapped(f"to know: {visible(reason.needs)}", look, "    ", "yellow")


def _cited(cited: Cited) -> str:
    return f"{license_name(cited.license)}, {visible(cited.at)}"


def _quoted(cited: Cited, told: dict[Cited, None], look: Look, everything: bool) -> Iterator[str]:
    """The words of a clause, the first time."""
    if cited in told:
        return
    told[cited] = None
    quote = visible(cited.quote)
    short = quote if everything else cut_words(quote, _QUOTE, placeholder=" ...")
    yield from _wrapped(f'"{short}"', look, "      ", "dim")


def _wrapped(text: str, look: Look, indent: str, *styles: str) -> Iterator[str]:
    for line in _lines_of(text, look.width - len(indent)):
        yield indent + look.paint(line, *styles)


def _lines_of(text: str, width: int) -> list[str]:
    """``text`` in lines; names of models and addresses have hyphens at which nothing breaks."""
    return TextWrapper(max(width, 40), break_on_hyphens=False, break_long_words=False).wrap(text) or [""]


def _duties(
    rights: RightsV1, names: dict[str, str], told: dict[Cited, None], look: Look, everything: bool
) -> Iterator[str]:
    for group in GROUPS:
        duties = [each for each in rights.duties if each.group == group]
        if not duties:
            continue
        yield ""
        yield look.paint(DUTIES[group], "bold")
        for duty in duties:
            yield from _duty(duty, names, told, look, everything)


def _duty(duty: Duty, names: dict[str, str], told: dict[Cited, None], look: Look, everything: bool) -> Iterator[str]:
    works = ", ".join(visible(names.get(each, each)) for each in duty.works)
    seen = f", in {_place(duty.seen)}" if duty.seen is not None and duty.seen.place else ""
    contested = "; whether this reaches the model is contested" if duty.contested else ""
    state = _STATES[duty.state]
    told_duty = f"{visible(duty.says)} ({works}; {_cited(duty.cited)}){seen}{contested}"
    lines = _lines_of(told_duty, look.width - len(state) - 3)
    yield f"  {look.paint(state, _STATE_COLOURS[duty.state])} {lines[0]}"
    yield from (f"  {' ' * len(state)} {line}" for line in lines[1:])
    if everything:
        yield from _quoted(duty.cited, told, look, everything)


def _drift(drift: Drift, told: dict[Cited, None], look: Look, everything: bool) -> Iterator[str]:
    yield from _wrapped(f"license/{drift.kind}  {_place(drift.location)}: {visible(drift.message)}", look, "  ")
    for each in drift.base if everything else drift.base[:1]:
        yield from _quoted(each, told, look, everything)
    if drift.own is not None:
        yield from _wrapped(f"against it: {_cited(drift.own)}", look, "    ", "dim")
        yield from _quoted(drift.own, told, look, everything)


def _risks(
    rights: RightsV1, names: dict[str, str], told: dict[Cited, None], look: Look, everything: bool
) -> Iterator[str]:
    if not rights.risks:
        return
    yield ""
    yield look.paint("How it may end or change", "bold")
    for risk in rights.risks:
        works = ", ".join(visible(names.get(each, each)) for each in risk.works)
        yield from _wrapped(f"{visible(risk.says)} ({works}; {_cited(risk.cited)})", look, "  ")
        if everything:
            yield from _quoted(risk.cited, told, look, everything)
