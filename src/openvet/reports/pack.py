"""Packs for people and programs: which there are, what they ask for, and one requirement with all of it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from openvet.evidence.predicates.fields import without_none
from openvet.policy.compiled import CompiledPack, CompiledRequirement, CompiledStep
from openvet.policy.pack import Pack, Question, Requirement
from openvet.reports._text import plural, visible
from openvet.reports.look import Look
from openvet.reports.text import table as _plain_table

__all__ = [
    "compose_list", "compose_pack", "compose_questions", "compose_requirement", "pack_head", "pack_json", "question_json", "requirement_json", "table",
]  # fmt: skip


def table(rows: Sequence[Sequence[str]], look: Look) -> list[str]:
    """Rows at the width of ``look``. A pack may be anybody's: none of its texts is a terminal's command."""
    return _plain_table([[visible(_flat(cell)) for cell in row] for row in rows], look.width, wrap=True)


def compose_list(packs: Sequence[Pack], look: Look) -> str:
    """One line a pack."""
    rows = [[each.id, each.version, str(len(each.requirements)), f"{each.title}{_law(each)}"] for each in packs]
    end = "`openvet policy show PACK` lists what one asks for\n"
    return "\n".join(table(rows, look)) + f"\n\n{end}"


def _law(pack: Pack) -> str:
    if not pack.law_snapshot:
        return ""
    read = "" if pack.snapshot_day is None else f", read on {pack.snapshot_day.isoformat()}"
    return f" ({pack.law_snapshot}{read})"


def compose_pack(found: CompiledPack, look: Look) -> str:
    """A pack: its requirements, and what it asks people."""
    pack = found.pack
    lines = [f"{look.paint(pack.name, 'bold')}  {visible(_flat(pack.title))}{visible(_law(pack))}"]
    if pack.extends:
        lines.append(f"extends {', '.join(pack.extends)}")
    lines += ["", look.paint("Requirements", "bold")]
    rows = [
        [each.requirement.id, str(each.requirement.level), _since(each.requirement), _titled(each.requirement)]
        for each in found.requirements
    ]
    lines += table(rows, look)
    if pack.waivers:
        lines += ["", look.paint("Waivers", "bold")]
        lines += table([[each.requirement, each.subject[:24], f"until {each.expires.isoformat()}", f"{each.reason} ({each.owner})"] for each in pack.waivers], look)  # fmt: skip
    if pack.sources:
        lines += ["", look.paint("Sources", "bold")]
        lines += table([[each.key, each.day.isoformat(), each.confidence, each.title] for each in pack.sources.values()], look)  # fmt: skip
    text = "\n".join(lines) + "\n"
    if found.questions:
        text += f"\n{look.paint('Questions', 'bold')}\n{compose_questions(found.questions, look)}"
    return text


def _titled(each: Requirement) -> str:
    return f"{each.title} ({each.clause})"


def _since(each: Requirement) -> str:
    days = sorted({phase.start.isoformat() for phase in each.phases})
    return f"from {days[0]}" if len(days) == 1 else f"from {days[0]} or {days[-1]}" if days else ""


def compose_questions(questions: Sequence[Question], look: Look) -> str:
    """Questions, one a row."""
    rows = [[each.id, each.type, _asked(each)] for each in questions]
    return "\n".join(table(rows, look)) + "\n"


def _asked(each: Question) -> str:
    choices = f" [{', '.join(each.choices)}]" if each.choices else ""
    return f"{each.ask}{choices}"


def compose_requirement(line: CompiledRequirement, found: CompiledPack, look: Look) -> str:
    """One requirement, with everything that decides it."""
    each = line.requirement
    source = found.pack.sources[each.source]
    lines = [f"{look.paint(each.id, 'bold')}  {visible(_flat(each.title))}", "", f"{visible(_flat(each.clause))}, {visible(_flat(source.title))} ({source.day.isoformat()}, confidence {source.confidence})"]  # fmt: skip
    if each.text:
        lines += ["", *textwrap.wrap(visible(_flat(each.text)), look.width)]
    rows = [["level", f"{each.level}: {_LEVELS[str(each.level)]}"], ["severity", str(each.severity)]]
    rows += [["in force", f"from {phase.start.isoformat()}{f' where {_flat(phase.when)}' if phase.when else ''}"] for phase in each.phases]  # fmt: skip
    if each.until is not None:
        rows.append(["", f"until {each.until.isoformat()}"])
    rows += [["applies where", _flat(each.applies)]] if each.applies else []
    rows += [["unknown where", f"{_flat(each.undecided)}: {each.because}"]] if each.undecided else []
    rows.append(["holds where", _flat(each.passes)])
    if line.kinds:
        rows.append(["needs", f"{plural(len(line.kinds), 'statement')}: {', '.join(line.kinds)}"])
    rows += [["leads to", ", ".join(f"{outcome}: {verdict}" for outcome, verdict in _verdicts(line, found).items())]]
    rows += [["asks for", f"{each.approvers} people who approve what it stops"]] if each.approvers else []
    rows.append(["what to do", each.remedy])
    lines += ["", *table(rows, look)]
    below = _steps_below(line, found)
    if below:
        lines += ["", look.paint("Steps", "bold")]
        lines += table([[one.step.id, f"{one.step.text or ''} = {', else '.join(map(_flat, one.step.values))}".strip()] for one in below], look)  # fmt: skip
    asked = [one for one in found.questions if set(one.names) & set(line.all_names)]
    text = "\n".join(lines) + "\n"
    return text + (f"\n{look.paint('Questions', 'bold')}\n{compose_questions(asked, look)}" if asked else "")


def _steps_below(line: CompiledRequirement, found: CompiledPack) -> list[CompiledStep]:
    """The steps that a requirement names, and those that these name."""
    phases = [when for _, when in line.phases]
    named = {name for condition in (line.applies, line.passes, line.undecided, line.offenders, *phases) if condition for name in condition.names}  # fmt: skip
    out = []
    for each in reversed(found.steps):
        if each.step.name in named:
            named |= {name for condition in (*each.values, each.undecided) if condition for name in condition.names}
            out.append(each)
    return out[::-1]


_LEVELS = {
    "computed": "anybody can compute it again from the artefact",
    "presence": "that it is there is looked at, and not whether it is true",
    "attested": "only somebody's word",
}


def _verdicts(line: CompiledRequirement, found: CompiledPack) -> dict[str, str]:
    each = line.requirement
    return {outcome: str(each.on.get(outcome, by[each.severity])) for outcome, by in found.pack.verdicts.items()}


def _flat(text: str) -> str:
    return " ".join(text.split())


# --- for programs ---


def pack_head(pack: Pack) -> dict[str, Any]:
    """What a list says of a pack, and what stands first of one."""
    return {
        "id": pack.id,
        "version": pack.version,
        "title": pack.title,
        "law_snapshot": pack.law_snapshot,
        "snapshot_date": None if pack.snapshot_day is None else pack.snapshot_day.isoformat(),
        "extends": list(pack.extends),
    }


def pack_json(found: CompiledPack) -> dict[str, Any]:
    """A pack with every condition."""
    pack = found.pack
    return {
        **pack_head(pack),
        "files": {each.name: each.sha256 for each in pack.files},
        "needs": list(found.kinds),
        "uses": list(pack.uses),
        "sources": {
            each.key: without_none({"title": each.title, "date": each.day.isoformat(), "confidence": each.confidence, "link": each.link or None})
            for each in pack.sources.values()
        },
        "steps": [
            without_none({
                "id": each.step.id, "text": each.step.text or None, "clause": each.step.clause or None, "values": list(each.step.values),
                "undecided": each.step.undecided or None, "because": each.step.because or None, "rests_on": list(each.names),
            })
            for each in found.steps
        ],
        "requirements": [requirement_json(each, found) for each in found.requirements],
        "questions": [question_json(each) for each in found.questions],
        "waivers": [
            {
                "requirement": each.requirement, "subject": each.subject, "reason": each.reason, "owner": each.owner,
                "from": each.start.isoformat(), "expires": each.expires.isoformat(),
            }
            for each in pack.waivers
        ],
    }  # fmt: skip


def requirement_json(line: CompiledRequirement, found: CompiledPack) -> dict[str, Any]:
    """One requirement."""
    each = line.requirement
    return without_none(
        {
            "id": each.id,
            "title": each.title,
            "clause": each.clause,
            "source": each.source,
            "level": str(each.level),
            "severity": str(each.severity),
            "text": each.text or None,
            "in_force": [
                without_none({"from": phase.start.isoformat(), "when": phase.when or None}) for phase in each.phases
            ],
            "until": None if each.until is None else each.until.isoformat(),
            "applies": each.applies or None,
            "undecided": each.undecided or None,
            "because": each.because or None,
            "pass": each.passes,
            "offenders": each.offenders or None,
            "needs": list(line.kinds),
            "rests_on": list(line.all_names),
            "verdicts": _verdicts(line, found),
            "approvers": each.approvers or None,
            "remedy": each.remedy,
        }
    )


def question_json(each: Question) -> dict[str, Any]:
    """One question."""
    return without_none(
        {
            "id": each.id,
            "ask": each.ask,
            "type": each.type,
            "choices": dict(each.choices) or None,
            "why": each.why or None,
            "valid_days": each.valid_days or None,
        }
    )
