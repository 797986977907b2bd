"""A pack's decision for people: the verdict, then every line that asks for something, then how the others came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from openvet.evidence.predicates.decision_v1 import OUTCOMES, AdvisoriesNamed, DecisionV1, Line
from openvet.policy.vocabulary import BESIDE, VOCABULARY
from openvet.reports._text import plural, visible
from openvet.reports.look import Look
from openvet.reports.text import table

__all__ = ["advisories_text", "compose_decision", "decision_line", "steps_text"]

_COLOURS = {"admit": "green", "review": "yellow", "reject": "red"}
#: Names that nobody has a value for, of one line; ``everything`` shows all, and the end counts the questions among them.
_MISSING = 3
_ORDER = (
    "violated",
    "indeterminate",
    "not-yet-in-force",
    "satisfied-by-attestation",
    "satisfied-by-evidence",
    "not-applicable",
)
_HEADINGS = {
    "violated": "Violated",
    "indeterminate": "Nobody can say yet",
    "not-yet-in-force": "Not yet in force",
    "satisfied-by-attestation": "Satisfied by somebody's word",
    "satisfied-by-evidence": "Satisfied by evidence",
    "not-applicable": "Does not apply",
}


def decision_line(name: str, decision: DecisionV1, look: Look) -> str:
    """One line: the verdict, the model, the pack, and how many lines came out how."""
    counts = [f"{count} {outcome}" for outcome in OUTCOMES if (count := decision.count(outcome))]
    verdict = look.paint(decision.verdict.upper(), "bold", _COLOURS[decision.verdict])
    return f"{verdict}  {visible(name)}  by {decision.pack.name} as of {decision.as_of}: {', '.join(counts) or 'no requirement'}\n"


def compose_decision(name: str, decision: DecisionV1, look: Look, *, everything: bool = False) -> str:
    """A decision.

    Args:
        everything: also lines that are satisfied or do not apply, and the steps between.
    """
    lines = [decision_line(name, decision, look).rstrip("\n")]
    if decision.pack.law:
        lines.append(f"as the law was read: {decision.pack.law}")
    if decision.advisories is not None:
        lines.append(advisories_text(decision.advisories, decision.as_of))
    for outcome in _ORDER if everything else _ORDER[:3]:
        found = [each for each in decision.lines if each.outcome == outcome]
        if not found:
            continue
        lines += ["", look.paint(_HEADINGS[outcome], "bold")]
        if outcome == "not-yet-in-force" and not everything:
            plain = [each for each in found if each.waived is None and not each.offenders]
            lines += _later(plain, look)
            found = [each for each in found if each not in plain]
        for each in found:
            lines += _line(each, look, everything=everything)
    if everything and decision.steps:
        lines += ["", look.paint("Steps", "bold"), *steps_text(decision, look)]
    lines += ["", *_questions(decision)]
    return "\n".join(lines).rstrip("\n") + "\n"


def advisories_text(named: AdvisoriesNamed, as_of: str) -> str:
    """Up to when published problems are known, how long that was before the day, and whether the model was held against them again."""
    try:
        days = (date.fromisoformat(as_of) - date.fromisoformat(named.date)).days
        age = f", {plural(days, 'day')} before" if days > 0 else ""
    except ValueError:
        age = ""
    again = f"; judged again for this decision (snapshot {named.sha256[:12]}...)" if named.judged_again else ""
    return f"published problems are known up to {visible(named.date) or 'a day that nobody says'}{age}{again}"


def _later(found: Sequence[Line], look: Look) -> Iterator[str]:
    """Lines whose day has not come, under what is the same of many of them."""
    by_day: dict[str, list[Line]] = {}
    for each in found:
        by_day.setdefault(f"{visible(each.why)}; by what is known today it would be {each.foreseen}", []).append(each)
    for said, lines in by_day.items():
        yield from table([[f"{said}:"]], look.width, wrap=True)
        yield from table([["", visible(each.id), f"{visible(each.title)} ({visible(each.clause)})"] for each in lines], look.width, wrap=True)  # fmt: skip


def _why(each: Line, everything: bool) -> str:
    """Why a line came out as it did; of many names that nobody has a value for the first ones."""
    if everything or len(each.missing) <= _MISSING + 1:
        return each.why
    some = f"{', '.join(each.missing[:_MISSING])} and {len(each.missing) - _MISSING} more"
    return each.why.replace(", ".join(each.missing), some)


def _line(each: Line, look: Look, *, everything: bool) -> list[str]:
    mark = "waived" if each.waived is not None else each.verdict
    out = table([[visible(each.id), mark, f"{visible(each.title)} ({visible(each.clause)})"]], look.width, wrap=True)
    rows: list[list[str]] = []
    if each.outcome == "not-yet-in-force":
        rows.append(["", f"{visible(each.why)}; by what is known today it would be {each.foreseen}"])
    elif each.outcome != "satisfied-by-evidence":
        rows.append(["", visible(_why(each, everything))])
    if each.offenders:
        rows.append(["", f"named: {', '.join(map(visible, each.offenders))}"])
    if each.waived is not None:
        rows.append(
            ["", f"waived until {each.waived.expires} by {visible(each.waived.owner)}: {visible(each.waived.reason)}"]
        )
    if each.approvers:
        rows.append(["", f"asks for {each.approvers} people who approve it"])
    if each.remedy and each.waived is None:
        rows.append(["", f"to do: {visible(each.remedy)}"])
    return [*out, *table(rows, look.width, wrap=True)]


def steps_text(decision: DecisionV1, look: Look) -> list[str]:
    """Steps with their values."""
    rows = []
    for each in decision.steps:
        open_ = "; ".join(filter(None, [f"not known: {', '.join(each.missing)}" if each.missing else "", each.because]))
        rows.append(
            [visible(each.id), visible(each.value) if each.value is not None else f"unknown ({visible(open_)})"]
        )
    return table(rows, look.width, wrap=True)


def _questions(decision: DecisionV1) -> Sequence[str]:
    """What a person could answer, and answers that do not count."""
    asked: dict[str, int] = {}
    for each in decision.lines:
        for name in each.missing if each.outcome == "indeterminate" else ():
            if name.startswith("answers."):
                asked[name.split(".")[1]] = asked.get(name.split(".")[1], 0) + 1
    out = []
    if asked:
        named = ", ".join(sorted(asked, key=lambda name: (-asked[name], name))[:8])
        more = f" and {len(asked) - 8} more" if len(asked) > 8 else ""
        out.append(
            f"{plural(len(asked), 'question')} open ({named}{more}): openvet attest asks them, with the same --policy"
        )
    missing = {name for each in decision.lines if each.outcome == "indeterminate" for name in each.missing}
    needed = {VOCABULARY[name].kind for name in missing if name in VOCABULARY} - {each.kind for each in decision.inputs}
    if bare := [each for each in BESIDE if each in needed]:
        out.append(
            f"no statement of {', '.join(bare)}: a check that is given the pack makes what it asks for, "
            "openvet check MODEL --policy PACK --dossier DIR --sign KEY"
        )
    out += [f"an answer does not count: {visible(each.question)} by {visible(each.by)} of {each.said}: {visible(each.problem)}" for each in decision.answers if each.problem]  # fmt: skip
    return out
