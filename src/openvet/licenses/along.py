"""Rights along the graph: what may be done with a model, as its own licence and those of everything that it was made of say together.

A base model's restrictions and duties go on to what is made from it: the child may add to them and never drops one. At a merge all of
them count. What is contested stays open: whether a licence of data binds a model that was trained on it is never more than ``depends``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.lineage_v1 import THIS, LineageV1
from openvet.evidence.predicates.rights_v1 import Answer, Cited, Duty, Reason, RightsV1, Risk, Work, worst
from openvet.evidence.predicates.tool import Tool
from openvet.licenses.drift import drifts_of
from openvet.licenses.shipping import Held, look
from openvet.licenses.terms import GROUPS, KINDS, Clause, LicenseTerms, terms_of
from openvet.licenses.uses import Asked
from openvet.licenses.verdicts import OF_DATA, Case, cite, counts, judge, judge_data, title_of
from openvet.licenses.works import DATA, OUTPUTS, Given, works_of

__all__ = ["weigh"]

#: Data sets that a reason names.
_NAMED: Final = 5
_CHANGES: Final = frozenset({"modify", "merge"})
#: Uses that an outputs' clause is about; a teacher whose outputs were learned from is asked about these alone.
_LEARNED: Final = ("distil", "train-on-outputs")
#: Kinds of duties of data that could reach a model.
_OF_DATA: Final = frozenset({"attribution", "share-alike", "same-terms", "licence-link", "licence-copy"})

#: Kinds of duties that a clause lays on a model that learned from outputs, whether or not that makes it a derivative.
_OF_OUTPUTS: Final = frozenset({"name-prefix", "display"})


def case_of(work: Work, asked: Asked) -> Case:
    """How ``work`` is used: whatever was made from it is a changed version of it."""
    derived = work.relation != "self" or bool(asked.uses & _CHANGES)
    return Case(work.id, asked, work.relation, derived)


def choose(works: Sequence[Work], asked: Asked) -> tuple[Work, ...]:
    """The works, each with the licence taken: where there is a choice, the one that allows most of what was asked."""
    return tuple(replace(each, taken=_best(each, asked)) if each.choices else _settled(each) for each in works)


def _settled(work: Work) -> Work:
    """An ambiguous name is settled where everything that it may mean says the same: versions that differ in names and dates alone."""
    terms = [terms_of(key) for key in work.candidates]
    if (
        len(terms) < 2
        or len({None if each is None or not each.clauses else each.rules for each in terms}) > 1
        or terms[0] is None
    ):
        return work
    latest = max((each for each in terms if each is not None), key=lambda each: each.of)
    note = (
        f"{work.note}, and all of them say the same here"
        if work.note
        else "which version is not said, and all of them say the same here"
    )
    return replace(work, taken=(latest.key,), note=note)


def _best(work: Work, asked: Asked) -> tuple[str, ...]:
    if len(work.choices) == 1:
        return work.choices[0]
    case = case_of(work, asked)

    def badness(keys: tuple[str, ...]) -> tuple[int, int]:
        verdicts = [worst(r.verdict for key in keys for r in judge(key, use, case)) for use in asked.words]
        return verdicts.count("not-allowed"), verdicts.count("depends")

    return min(work.choices, key=badness)


def answers_of(works: Sequence[Work], asked: Asked) -> tuple[Answer, ...]:
    """One answer for each use, with what every work says to it."""
    answers = []
    for use in asked.words:
        reasons = [reason for work in works for reason in _say(work, use, asked)]
        reasons += _unknown_data(works, use)
        answers.append(Answer(use, worst(each.verdict for each in reasons), tuple(dict.fromkeys(reasons))))
    return tuple(answers)


def _say(work: Work, use: str, asked: Asked) -> Iterator[Reason]:
    case = case_of(work, asked)
    if not work.taken:
        if work.relation not in DATA:
            yield from _unknown(work)
        return
    for key in work.taken:
        if work.relation in DATA:
            yield from judge_data(key, use, case)
        elif work.relation in OUTPUTS:
            yield from _of_teacher(key, use, case, work)
        else:
            for reason in judge(key, use, case):
                yield reason if work.sure else _perhaps(reason, work)


def _unknown_data(works: Sequence[Work], use: str) -> list[Reason]:
    """One reason for all data sets whose licence is not known; a card may name dozens."""
    unknown = [each for each in works if each.relation in DATA and not each.taken]
    if not unknown or not any(use in uses for uses in OF_DATA.values()):
        return []
    names = ", ".join(each.name for each in unknown[:_NAMED]) + (
        f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
    )
    says = (
        "the licence of the data is not known"
        if len(unknown) == 1
        else f"the licences of {len(unknown)} data sets are not known"
    )
    needs = f"the licence of {names}, and whether it binds a model that was trained on it, which is contested"
    return [Reason("depends", unknown[0].id, says, None, needs)]


def _unknown(work: Work) -> Iterator[Reason]:
    if work.candidates:
        needs = f"which licence is meant: {', '.join(work.candidates[:6])}" + (
            " ..." if len(work.candidates) > 6 else ""
        )
        yield Reason("depends", work.id, work.note or "the licence is ambiguous", None, needs)
    else:
        whose = "this model" if work.id == THIS else work.name
        says = f"the licence of {whose} is not known; without one nothing is granted"
        yield Reason("depends", work.id, says, None, work.note or f"the licence of {whose}: no file of it declares one")


def _perhaps(reason: Reason, work: Work) -> Reason:
    """A reason that counts only if the model was made of ``work``, which its files do not surely say."""
    if reason.verdict == "allowed":
        return reason
    needs = f"whether it was made from {work.name}" + (f", and {reason.needs}" if reason.needs else "")
    return replace(reason, verdict="depends", needs=needs)


def _of_teacher(key: str, use: str, case: Case, work: Work) -> Iterator[Reason]:
    """What the licence of a model says to another one that learned from its outputs."""
    terms = terms_of(key)
    if terms is None or not terms.clauses:
        yield from judge(key, use, case)
        return
    derive = terms.of_kind("outputs-derive")
    for clause in terms.of_kind("no-output-training"):
        needs = str(clause.words.get("needs", "")) or (
            ""
            if not clause.words.get("exception")
            else f"whether this model is what the clause leaves out{clause.words['exception']}"
        )
        yield Reason(
            "depends" if needs else "not-allowed", work.id, f"its outputs {clause.says}", cite(terms, clause), needs
        )
    if derive:
        needs = f"whether this model was made to perform like {work.name}; then what {title_of(key)} says of derivatives counts"
        yield Reason("depends", work.id, derive[0].says, cite(terms, derive[0]), needs)
    elif free := [each for each in terms.clauses if each.role == "grant" and set(each.uses) & set(_LEARNED)]:
        yield Reason("allowed", work.id, free[0].says, cite(terms, free[0]))


def duties_of(works: Sequence[Work], asked: Asked, held: Held | None) -> tuple[Duty, ...]:
    """What has to be shipped, shown, named, passed on, done and kept to for the uses that were asked about."""
    found: dict[tuple[str, Cited], Duty] = {}
    for work in works:
        for terms, clause in _duties_of_work(work, asked):
            cited = cite(terms, clause)
            before = found.get((clause.kind, cited))
            if before is not None:
                found[clause.kind, cited] = replace(
                    before, works=(*before.works, work.id), contested=before.contested and work.relation in DATA
                )
                continue
            state, seen = look(terms, clause, held)
            says = clause.says + (f", {clause.words['condition']}" if "condition" in clause.words else "")
            found[clause.kind, cited] = Duty(
                KINDS[clause.kind].group, clause.kind, says, (work.id,), cited, state, seen, work.relation in DATA
            )
    return tuple(sorted(found.values(), key=lambda each: GROUPS.index(each.group)))


def _duties_of_work(work: Work, asked: Asked) -> Iterator[tuple[LicenseTerms, Clause]]:
    case = case_of(work, asked)
    for key in work.taken:
        terms = terms_of(key)
        if terms is None or (work.relation in DATA and terms.of_kind("results-free")):
            continue
        for clause in terms.clauses:
            if clause.role != "duty" or not counts(clause, case):
                continue
            if work.relation in DATA and clause.kind not in _OF_DATA:
                continue
            if work.relation in OUTPUTS:
                if set(clause.uses) & set(_LEARNED) and (clause.kind in _OF_OUTPUTS or terms.of_kind("outputs-derive")):
                    yield terms, clause
            elif set(clause.uses) & asked.uses:
                yield terms, clause


def risks_of(works: Sequence[Work]) -> tuple[Risk, ...]:
    """How the licences of the model and of what its weights come from may end or change."""
    found: dict[Cited, Risk] = {}
    for work in works:
        if work.relation in DATA or work.relation in OUTPUTS:
            continue
        for key in work.taken:
            terms = terms_of(key)
            if terms is None:
                continue
            for clause in terms.clauses:
                if clause.role == "risk":
                    cited = cite(terms, clause)
                    before = found.get(cited)
                    works_so_far = () if before is None else before.works
                    found[cited] = Risk(clause.kind, clause.says, (*works_so_far, work.id), cited)
    return tuple(found.values())


def needs_of(works: Sequence[Work], asked: Asked) -> tuple[Reason, ...]:
    """What has to be known whatever the use: what changed words of a licence say; where the model is used, if a licence leaves places out."""
    found = []
    for work in works:
        for place in work.changed:
            says = f"the text of its licence in {place.place} is not as published, and clauses are cited as published"
            needs = f"what the words say that were changed in {place.place} (openvet licenses lists them)"
            found.append(Reason("depends", work.id, says, None, needs))
        if asked.territories or work.relation in DATA or work.relation in OUTPUTS:
            continue
        for key in work.taken:
            terms = terms_of(key)
            if terms is None:
                continue
            for clause in terms.of_kind("territory"):
                needs = f"where it is used (--use {','.join(clause.words['outside'])} asks)"
                found.append(Reason("depends", work.id, clause.says, cite(terms, clause), needs))
    return tuple(found)


def weigh(
    tool: Tool,
    own: LicensesV1,
    lineage: LineageV1 | None,
    asked: Asked,
    given: Sequence[Given] = (),
    held: Held | None = None,
    name: str = "",
) -> RightsV1:
    """What may be done with a model, and what has to be.

    Args:
        own: what its files say of its licence.
        lineage: what it is said to be made of.
        asked: the uses.
        given: licences of base models that somebody gave.
        held: what lies with the model; ``None`` where nobody looked.
        name: of the model, for people.
    """
    works = choose(works_of(own, lineage, given, name), asked)
    return RightsV1(
        tool,
        asked.words,
        works,
        answers_of(works, asked),
        duties_of(works, asked, held),
        risks_of(works),
        drifts_of(works, held),
        needs_of(works, asked),
    )
