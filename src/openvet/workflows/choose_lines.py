"""What a need asks of one candidate, line by line: met, not met, or unknown, each with its evidence, or with the command that would make it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import date

from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.evidence.predicates.decision_v1 import DecisionV1
from openvet.evidence.predicates.rights_v1 import RightsV1, worst
from openvet.policy.compiled import CompiledPack
from openvet.policy.decision import Terms
from openvet.profile.device import Device
from openvet.workflows.candidates import Candidate, Evidence
from openvet.workflows.choose_figures import note_figure, on_device, quality, within
from openvet.workflows.choose_words import MET, NOT_MET, UNKNOWN, Line, Weighed, path_of, worst_of
from openvet.workflows.decide import Trusting, decide_dossier, decide_report
from openvet.workflows.need import Need
from openvet.workflows.told import told_of

__all__ = ["lines_of"]


def lines_of(
    need: Need,
    made: Weighed,
    device: Device | None,
    packs: Sequence[CompiledPack],
    as_of: date,
    key: PublicKey | None,
    tasks: Sequence[str] = (),
) -> Iterator[Line]:
    """Every requirement of a need that is about one candidate alone; its figures are noted in ``made``.

    Args:
        key: that was named, by which a dossier is verified for packs.
        tasks: digests of all tasks that the need may mean, of all candidates together.

    Raises:
        VerifyError: a dossier is not verified.
    """
    candidate = made.candidate
    yield _safety(need, candidate)
    if need.task is not None:
        yield from quality(need, made, tasks)
    if need.languages:
        yield _languages(need.languages, candidate)
    if device is not None:
        yield on_device(need, candidate, device)
    for each in need.budget:
        yield within(each, need, made, device)
    for name in ("latency", "memory", "size", "cost"):
        note_figure(name, need, made, device)
    if need.uses:
        yield _allowed(need.uses, candidate)
    for pack in packs:
        yield _admitted(pack, candidate, as_of, key)


def _safety(need: Need, candidate: Candidate) -> Line:
    what = "safe to load"
    counts = candidate.safety()
    if counts is None:
        return Line(
            what,
            UNKNOWN,
            "nobody has scanned it",
            next=f"openvet check {path_of(candidate)} --statement scan -o scan.json",
        )
    found, decision, note = counts
    verdict = str(decision.verdict)
    reasons = ", ".join(each.code for each in decision.reasons[:3])
    why = f"{verdict}{f': {reasons}' if reasons else ''}{f'; {note}' if note else ''}"
    if verdict == "admit" or (verdict == "review" and need.safety == "review"):
        return Line(what, MET, why, found)
    if verdict == "reject":
        return Line(what, NOT_MET, why, found)
    return Line(what, UNKNOWN, why, found, f"openvet check {path_of(candidate)}")


def _languages(wanted: Sequence[str], candidate: Candidate) -> Line:
    what = f"languages {', '.join(wanted)}"
    found = told_of(candidate, "card", _languages_in, ", ".join)
    more = "an evaluation of each language shows more than a card"
    if found is None:
        return Line(what, UNKNOWN, "no card says for which languages it is", candidate.last("card"), more)
    if found.apart:
        return Line(what, UNKNOWN, found.apart, found.source, more)
    told: tuple[str, ...] = found.value
    missing = [each for each in wanted if each not in told]
    said = f"its card names {', '.join(told[:10])}, which is a claim"
    return Line(
        what, NOT_MET if missing else MET, said + (f"; not {', '.join(missing)}" if missing else ""), found.source
    )


def _languages_in(card: CardV1) -> tuple[str, ...] | None:
    """The languages that a card names, in the order of the alphabet; ``None`` where it names none."""
    told: list[str] = []
    for document in card.documents:
        fact = document.fact("language") if document.kind == "model-card" else None
        if fact is not None:
            told += [str(each) for each in (fact.value if isinstance(fact.value, list | tuple) else [fact.value])]
    return tuple(sorted(set(told))) or None


def _allowed(uses: Sequence[str], candidate: Candidate) -> Line:
    what = f"may be used: {', '.join(uses)}"
    command = (
        f"openvet licenses {path_of(candidate)} {' '.join(f'--use {shlex.quote(each)}' for each in uses)} --statement"
    )
    every = [each for each in candidate.of("rights") if isinstance(each.predicate, RightsV1)]
    if not every:
        return Line(what, UNKNOWN, "nobody has asked its licences", next=command)
    lines = [_answered(what, uses, each, command) for each in every if set(uses) <= set(each.predicate.asked)]
    if not lines:
        asked = ", ".join(every[-1].predicate.asked)
        return Line(what, UNKNOWN, f"its licences were asked about {asked} alone", every[-1], command)
    return worst_of(lines)


def _answered(what: str, uses: Sequence[str], found: Evidence, command: str) -> Line:
    body: RightsV1 = found.predicate
    answers = [each for each in body.answers if each.use in uses] or list(body.answers)
    verdict = worst([*(each.verdict for each in answers), *(each.verdict for each in body.needs)])
    why = "; ".join(f"{each.use}: {each.verdict}" for each in answers[:6])
    outcome = {"allowed": MET, "not-allowed": NOT_MET}.get(verdict, UNKNOWN)
    return Line(what, outcome, why or verdict, found, "" if outcome != UNKNOWN else command)


def _admitted(pack: CompiledPack, candidate: Candidate, as_of: date, key: PublicKey | None) -> Line:
    name = pack.pack.id
    what = f"pack {name}"
    if candidate.report is not None:
        (decision,) = decide_report(candidate.report, [pack], as_of).decisions
        source: Evidence | None = candidate.last("scan")
    elif candidate.dossier and key is not None:
        (decision,) = decide_dossier(candidate.dossier, Trusting(key), [pack], as_of, Terms()).decisions
        source = candidate.last("scan")
    else:
        given = [
            each
            for each in candidate.of("decision")
            if isinstance(each.predicate, DecisionV1) and each.predicate.pack.id == name
        ]
        if not given:
            return Line(
                what, UNKNOWN, "no decision of it is there", next=f"openvet check {path_of(candidate)} --policy {name}"
            )
        return worst_of([_decided(what, name, each.predicate, each) for each in given])
    return _decided(what, name, decision, source)


def _decided(what: str, name: str, decision: DecisionV1, source: Evidence | None) -> Line:
    lines = [f"{each.id}: {each.outcome}" for each in decision.lines if each.verdict != "admit"][:4]
    outcome = {"admit": MET, "reject": NOT_MET}.get(decision.verdict, UNKNOWN)
    why = decision.verdict + (f" ({', '.join(lines)})" if lines else "")
    return Line(
        what,
        outcome,
        why,
        source,
        "" if outcome != UNKNOWN else f"openvet decide, with answers by `openvet attest --template`: {name}",
    )
