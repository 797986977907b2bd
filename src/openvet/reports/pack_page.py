"""Reference pages in Markdown: one for a pack, one for the crosswalk of several, one for the names that conditions can use.

A pack may be anybody's. Its words are written so that they stay words: no HTML, no link, no cell that ends early; what stands between backticks is
shown as code. Links are made here alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from openvet.core.pattern import pattern
from openvet.policy.compiled import CompiledPack, CompiledRequirement
from openvet.policy.crosswalk import Crossing, Crosswalk, Served, question_of
from openvet.policy.pack import Question
from openvet.policy.vocabulary import VOCABULARY
from openvet.reports._text import plural, visible

__all__ = ["anchors", "compose_crosswalk_page", "compose_names_page", "compose_pack_page", "prose"]

_STRUCTURE: Final = pattern(r"[&<>|*_\[\]\\~!#$]|https?(?=:)|www(?=\.)")
_DROPPED: Final = pattern(r"[^\w\- ]")
_OUTCOME_WORDS: Final = {"violated": "does not hold", "indeterminate": "nobody can say"}


def prose(text: str) -> str:
    """``text`` on one line, in which nothing is Markdown but code between backticks."""
    parts = visible(" ".join(text.split())).split("`")
    if len(parts) % 2 == 0:  # a backtick without its second one
        return _STRUCTURE.sub(_entity, "&#96;".join(parts).replace("&#96;", "\0")).replace("\0", "&#96;")
    return "".join(_span(part) if at % 2 else _STRUCTURE.sub(_entity, part) for at, part in enumerate(parts))


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0][0])};{match[0][1:]}"


def _span(text: str) -> str:
    """A code span, also in a table; what could end one is shown without."""
    text = visible(" ".join(text.split()))
    return f"`{text.replace('|', chr(92) + '|')}`" if text and "`" not in text else prose(text.replace("`", "'"))


def _condition(text: str) -> str:
    """A condition outside of tables: as code, to be copied."""
    text = visible(" ".join(text.split()))
    return f"`{text}`" if "`" not in text else f"`` {text} ``" if "``" not in text else prose(text.replace("`", "'"))


def anchors(found: CompiledPack) -> Mapping[str, str]:
    """Requirement -> the anchor of its heading, as hosts of repositories make them."""
    out: dict[str, str] = {}
    seen: dict[str, int] = {}
    for each in found.requirements:
        base = _DROPPED.sub("", each.requirement.id.lower()).replace(" ", "-")
        count = seen.get(base, 0)
        seen[base] = count + 1
        out[each.requirement.id] = f"{base}-{count}" if count else base
    return out


def compose_pack_page(found: CompiledPack, words: str) -> str:
    """A pack's page.

    Args:
        words: its ``pack.md``, which comes with the package: Markdown that is taken as it is, but for its first heading.
    """
    pack = found.pack
    heading, _, body = words.strip().partition("\n")
    body = body if heading.startswith("# ") else words
    facts = [f"Version {pack.version}", plural(len(found.requirements), "requirement"), plural(len(found.questions), "question")]  # fmt: skip
    if pack.law_snapshot:
        facts.append(f"state of the law {prose(pack.law_snapshot)}")
    if pack.snapshot_day:
        facts.append(f"sources last read on {pack.snapshot_day.isoformat()}")
    if pack.extends:
        facts.append(f"extends {', '.join(map(prose, pack.extends))}, whose requirements come first")
    parts = [f"# {pack.id}", f"**{prose(pack.title)}.** {'; '.join(facts)}.", body.strip()]
    at = anchors(found)
    rows = ["| id | what | clause | level | in force from |", "| --- | --- | --- | --- | --- |"]
    for line in found.requirements:
        each = line.requirement
        days = ", ".join(dict.fromkeys(phase.start.isoformat() for phase in each.phases))
        rows.append(f"| [{prose(each.id)}](#{at[each.id]}) | {prose(each.title)} | {prose(each.clause)} | {each.level} | {days} |")  # fmt: skip
    parts += ["## All requirements", "\n".join(rows)]
    parts += [part for line in found.requirements for part in _requirement(line, found)]
    if found.steps:
        parts += ["## All steps", "Values between, which conditions name; of several the first that has a value counts.", "\n".join(_steps(found))]  # fmt: skip
    if found.questions:
        parts += ["## All questions", "\n".join(_questions(found.questions))]
    if pack.sources:
        rows = ["| key | source | date | confidence |", "| --- | --- | --- | --- |"]
        rows += [f"| {_span(each.key)} | {prose(each.title)} | {each.day.isoformat()} | {each.confidence} |" for each in pack.sources.values()]  # fmt: skip
        parts += ["## All sources", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _requirement(line: CompiledRequirement, found: CompiledPack) -> Iterator[str]:
    each = line.requirement
    source = found.pack.sources[each.source]
    yield f"### {each.id}"  # the reader takes letters, digits, and . _ - alone
    yield f"**{prose(each.title)}.** {prose(each.clause)}, {prose(source.title)} ({source.day.isoformat()}, confidence {source.confidence})."
    if each.text:
        yield prose(each.text)
    rows = [f"* Level {each.level}, severity {each.severity}: {_verdicts(line, found)}"]
    rows += [f"* In force from {phase.start.isoformat()}{f' where {_condition(phase.when)}' if phase.when else ''}" for phase in each.phases]  # fmt: skip
    if each.until is not None:
        rows.append(f"* In force until {each.until.isoformat()}, and on that day no longer")
    if each.applies:
        rows.append(f"* Applies where {_condition(each.applies)}")
    if each.undecided:
        rows.append(f"* Unknown where {_condition(each.undecided)}: {prose(each.because)}")
    rows.append(f"* Holds where {_condition(each.passes)}")
    facts = [_span(name) for name in line.all_names if not question_of(name)]
    asked = dict.fromkeys(question for name in line.all_names if (question := question_of(name)))
    if line.kinds:
        rows.append(f"* Statements: {', '.join(map(_span, line.kinds))}")
    rows += [f"* Facts: {', '.join(facts)}"] if facts else []
    rows += [f"* Questions: {', '.join(map(_span, asked))}"] if asked else []
    rows += [f"* Asks for {each.approvers} people who approve what it stops"] if each.approvers else []
    rows.append(f"* What to do: {prose(each.remedy)}")
    yield "\n".join(rows)


def _verdicts(line: CompiledRequirement, found: CompiledPack) -> str:
    each = line.requirement
    return "; ".join(
        f"{each.on.get(outcome, by[each.severity])} where it {word}" if outcome == "violated" else f"{each.on.get(outcome, by[each.severity])} where {word}"
        for outcome, word in _OUTCOME_WORDS.items()
        for by in (found.pack.verdicts[outcome],)
    )  # fmt: skip


def _steps(found: CompiledPack) -> Iterator[str]:
    for one in found.steps:
        each = one.step
        said = ": ".join(filter(None, [each.clause, each.text]))
        values = ", else ".join(map(_condition, each.values))
        stop = f"; unknown where {_condition(each.undecided)}: {prose(each.because)}" if each.undecided else ""
        yield f"* {_span(each.name)}{f' ({prose(said)})' if said else ''}: {values}{stop}"


def _questions(questions: Sequence[Question]) -> Iterator[str]:
    for each in questions:
        lasts = f", holds for {each.valid_days} days" if each.valid_days else ""
        yield f"* {_span(each.id)} ({each.type}{lasts}): {prose(each.ask)}{f' *Why:* {prose(each.why)}' if each.why else ''}"
        for value, said in each.choices.items():
            yield f"  * {_span(value)}: {prose(said)}"


def compose_names_page(questions: Sequence[Question]) -> str:
    """The facts that conditions can use, and the questions that packs share."""
    parts = [
        "# Names in the conditions of policy packs",
        (
            "What `openvet policy facts` and `openvet policy questions` list. A fact has a value where a statement of its kind is at hand and says it; "
            "else it has none. How a pack is written says [the guide](../guide/write-a-pack.md), and which requirement rests on which name the [crosswalk](crosswalk.md)."
        ),
        "## Facts",
    ]
    rows = ["| name | type | statement | meaning |", "| --- | --- | --- | --- |"]
    rows += [f"| {_span(each.name)} | {each.type} | {each.kind} | {prose(each.text)} |" for each in VOCABULARY.values()]
    parts += ["\n".join(rows), "## Questions that all packs can ask", "\n".join(_questions(questions))]
    return "\n\n".join(parts) + "\n"


def compose_crosswalk_page(found: Crosswalk) -> str:
    """The crosswalk; the pages of the packs lie beside it, in ``packs``."""
    at = {each.pack.id: anchors(each) for each in found.packs}
    parts = [
        "# Crosswalk",
        (
            "Which evidence and which question serves which requirement, in all packs that ship, read off their conditions; `openvet policy crosswalk` "
            "prints it, also for packs of your own. Named are the requirements that a name *settles*: their condition rests on it. "
            "That it *bears on* others means that it only says whether they apply, from when, whether they can be known, or what is named where they do not hold."
        ),
    ]
    rows = ["| pack | version | requirements | of them computed, presence, attested | questions |", "| --- | --- | --- | --- | --- |"]  # fmt: skip
    for each, own in zip(found.packs, found.own, strict=True):
        counts = [sum(str(line.requirement.level) == level for line in each.requirements) for level in ("computed", "presence", "attested")]  # fmt: skip
        further = f" and {len(each.requirements) - own} of {', '.join(each.pack.extends)}" if own < len(each.requirements) else ""  # fmt: skip
        rows.append(f"| [{each.pack.id}](packs/{each.pack.id}.md) | {each.pack.version} | {own}{further} | {', '.join(map(str, counts))} | {len(each.questions)} |")  # fmt: skip
    parts += ["\n".join(rows), "## Statements", "\n".join(_table("statement", found.statements, at, {}))]
    parts += ["## Facts", "\n".join(_table("fact", found.facts, at, {}))]
    words = {name: each.ask for name, each in found.asked.items()}
    parts += ["## Questions", "\n".join(_table("question", found.questions, at, words))]
    parts += ["## Facts that no pack uses", ", ".join(map(_span, found.unused)) or "None."]
    return "\n\n".join(parts) + "\n"


def _table(what: str, crossings: Sequence[Crossing], at: Mapping[str, Mapping[str, str]], words: Mapping[str, str]) -> Iterator[str]:  # fmt: skip
    yield f"| {what} | pack | settles | bears on |"
    yield "| --- | --- | --- | --- |"
    for each in crossings:
        name = f"{_span(each.name)}{f' {prose(words[each.name])}' if each.name in words else ''}"
        for served in each.served:
            yield f"| {name} | {served.pack} | {_linked(served, at[served.pack])} | {len(served.bears_on) or ''} |"
            name = ""


def _linked(served: Served, at: Mapping[str, str]) -> str:
    return ", ".join(f"[{prose(each)}](packs/{served.pack}.md#{at[each]})" for each in served.settles)
