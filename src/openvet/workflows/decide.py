"""decide: what policy packs make of evidence, of a check that was just made or of a dossier, with no network and nothing but what is signed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.dossier.layout import INDEX
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.decision_v1 import DecisionV1, Line, worst
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.signing import parse_line, parse_statement, statement_digest
from openvet.evidence.statement import Predicate, ResourceDescriptor, Statement
from openvet.evidence.trust import is_kind
from openvet.policy.builtin import decide as decide_safety
from openvet.policy.compiled import CompiledPack
from openvet.policy.decide import decide
from openvet.policy.decision import Terms
from openvet.policy.figure_facts import MANY, is_about
from openvet.policy.given import Evidence, Held
from openvet.workflows.dossier import VerifiedDossier, verify
from openvet.workflows.dossier_trust import DossierTrust
from openvet.workflows.knowledge import tool
from openvet.workflows.statements import VERIFIER

if TYPE_CHECKING:
    from openvet.evidence.dossier.reading import Claim
    from openvet.reports.report import ModelReport

__all__ = [
    "DECISIONS_TYPE", "Change", "Decided", "Trusting", "believed_lines", "changes", "decide_dossier", "decide_report", "evidence_of_dossier", "evidence_of_report", "find_dossiers", "gained", "kind_of", "lapsed", "under_advisories",
]  # fmt: skip

DECISIONS_TYPE: Final = "https://openvet/decisions/v1"
_OWN: Final = f"{PREDICATE_BASE}/"
_BILLS: Final = (("cyclonedx", "https://cyclonedx.org/bom"), ("spdx", "https://spdx.dev/Document"))
_OTHERS: Final = (("provenance", "https://slsa.dev/provenance/"), ("svr", "https://in-toto.io/attestation/svr/"),
                  ("vsa", "https://slsa.dev/verification_summary/"), ("vulns", "https://in-toto.io/attestation/vulns/"),
                  ("test-result", "https://in-toto.io/attestation/test-result/"))  # fmt: skip
#: Kinds that packs do not decide by: the decisions themselves, those that were taken back, and whose the dossier is.
_APART: Final = frozenset({"admission", "answers", "decision", "dossier-owner", "revocations"})


@dataclass(frozen=True, slots=True)
class Trusting:
    """Whom to believe about a dossier.

    Attributes:
        key: its owner's public key.
        by: who is believed about which statements; ``None`` believes all for whom the owner vouches.
        checkpoint: a file with a kept checkpoint of its log.
        model: the model that it has to be about, where it is at hand.
    """

    key: PublicKey
    by: DossierTrust | None = None
    checkpoint: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What packs make of one model.

    Attributes:
        path: what the user named, printable.
        subject: the model.
        decisions: one for each pack, in the order of the packs.
        notes: what did not count, as sentences.
    """

    path: str
    subject: ResourceDescriptor
    decisions: tuple[DecisionV1, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of the decisions."""
        return worst(each.verdict for each in self.decisions)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "subject": self.subject.to_json(),
            "verdict": self.verdict,
            "statements": [Statement(self.subject, each).to_json() for each in self.decisions],
            "notes": list(self.notes),
        }


def kind_of(predicate_type: str) -> str:
    """The word that packs have for a kind of statement; '' where they have none."""
    if predicate_type.startswith(_OWN):
        return predicate_type.removeprefix(_OWN).partition("/")[0]
    if is_kind(predicate_type, "signature"):
        return "signature"
    return next((kind for kind, start in (*_BILLS, *_OTHERS) if predicate_type.startswith(start)), "")


def decide_report(
    report: ModelReport,
    packs: Sequence[CompiledPack],
    as_of: date,
    answers: Sequence[Held] = (),
    advisories: Sequence[str] = (),
) -> Decided:
    """What ``packs`` make of a check that was just made.

    Args:
        answers: what people said, see :func:`openvet.workflows.attest.read_answers`.
        advisories: as of :func:`decide_dossier`.

    Raises:
        UsageError: there are no advisories in one of ``advisories``.
    """
    evidence = evidence_of_report(report, answers)
    notes: tuple[str, ...] = ()
    if advisories:
        evidence, notes = under_advisories(evidence, report.path, advisories, as_of)
    return Decided(report.path, report.subject, tuple(decide(each, evidence, as_of, tool()) for each in packs), notes)


def evidence_of_report(report: ModelReport, answers: Sequence[Held] = ()) -> Evidence:
    """The statements that a check makes, as evidence."""
    made: dict[str, Predicate] = {"scan": report.scan, **report.answers}
    if report.inventory is not None:
        made["inventory"] = report.inventory
    held = {kind: Held(kind, each, statement_digest(Statement(report.subject, each))) for kind, each in made.items()}
    configuration = "" if report.config is None else report.config.sha256 or ""
    return Evidence(report.subject, held, tuple(answers), report.decision, None, configuration)


def decide_dossier(
    path: str,
    trusting: Trusting,
    packs: Sequence[CompiledPack],
    as_of: date,
    terms: Terms,
    configuration: str = "",
    advisories: Sequence[str] = (),
) -> Decided:
    """What ``packs`` make of a dossier.

    Args:
        terms: what the team accepts; ``configuration`` is the SHA-256 of the file that says so.
        advisories: folders, files and zips of OSV records that the model is held against again, with those that ship; none leaves it at the
            dossier's own statement.

    Raises:
        VerifyError, UsageError: as :func:`openvet.workflows.dossier.verify`; ``missing`` where nothing in it is about a model.
    """
    found = verify(path, trusting.key, trusting.checkpoint, trusting.model, by=trusting.by)
    evidence, notes = evidence_of_dossier(found, terms, configuration)
    if advisories:
        evidence, more = under_advisories(evidence, found.path, advisories, as_of)
        notes = (*notes, *more)
    return Decided(found.path, evidence.subject, tuple(decide(each, evidence, as_of, tool()) for each in packs), notes)


def under_advisories(
    evidence: Evidence, path: str, advisories: Sequence[str], as_of: date
) -> tuple[Evidence, tuple[str, ...]]:
    """The evidence with its advisories judged again, by further ones that were published until ``as_of``; and what there is to say of them.

    Raises:
        UsageError: there are no advisories in one of ``advisories``.
    """
    from openvet.workflows.advisories import judge_again

    facts = [evidence.held[kind].predicate for kind in ("scan", "inventory", "advisories") if kind in evidence.held]
    judged = judge_again(path, evidence.subject, facts, advisories, as_of)
    digest = statement_digest(Statement(evidence.subject, judged.advisories))
    held = {**evidence.held, "advisories": Held("advisories", judged.advisories, digest)}
    return replace(evidence, held=held, judged_again=True), judged.notes


def evidence_of_dossier(
    found: VerifiedDossier, terms: Terms, configuration: str = ""
) -> tuple[Evidence, tuple[str, ...]]:
    """The believed statements about the model that the last scan is about, the last of each kind and every one that measures; and what does not count.

    Raises:
        VerifyError: ``missing``: no scan is believed, so that nobody can say which bytes this is about.
    """
    lines, notes = believed_lines(found)
    scans = [claim for _, claim in lines if kind_of(claim.statement.predicate_type) == "scan"]
    if not scans:
        raise VerifyError("missing", "no scan in the dossier is believed: openvet check MODEL --dossier puts one there")
    subject = scans[-1].statement.subjects[0]
    held: dict[str, Held] = {}
    answers: list[Held] = []
    figures: list[Held] = []
    signers: list[str] = []
    for number, claim in lines:
        kind, said = kind_of(claim.statement.predicate_type), claim.statement
        if kind == "signature":  # its digest is one over its own list of files: who believes a line vouches for that
            signers.append(claim.key)
        elif not any(_same(subject, each) for each in said.subjects):
            if kind not in _APART or kind == "answers":
                notes.append(f"line {number} ({kind or said.predicate_type}) is about other bytes, and does not count")
        elif kind == "answers":
            answers.append(_held(kind, claim))
        elif kind in MANY:
            one = _held(kind, claim)
            if is_about(one.predicate, subject.digest):
                figures.append(one)
            else:
                notes.append(
                    f"line {number} ({kind}) names its model otherwise than by these bytes, and does not count"
                )
        elif kind and kind not in _APART and not _decided_here(kind, said.body):
            held[kind] = _held(kind, claim)
    scan = held["scan"].predicate
    safety = decide_safety(scan, terms) if isinstance(scan, Scan) else None
    return Evidence(
        subject, held, tuple(answers), safety, tuple(signers), configuration, figures=tuple(figures)
    ), tuple(notes)


def _decided_here(kind: str, body: Mapping[str, Any]) -> bool:
    """Whether a statement is what this program decided once, in the words of others; a decision is no evidence for the next one."""
    verifier = body.get("verifier") if kind in ("svr", "vsa") else None
    return isinstance(verifier, Mapping) and verifier.get("id") == VERIFIER


@dataclass(frozen=True, slots=True)
class _Unread:
    """A statement of somebody else's kind: its body as it was signed."""

    predicate_type: str
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.body)


def believed_lines(found: VerifiedDossier) -> tuple[list[tuple[int, Claim]], list[str]]:
    """The lines of a dossier that are believed, with their numbers; and why others are not."""
    numbered = list(enumerate(found.dossier.claims, 1))
    if found.believed is None:
        return numbered, []
    good = {line for _, lines in found.believed.accepted for line in lines}
    notes = [f"line {each.line} does not count: {each.reason}: {each.message}" for each in found.believed.refused]
    return [(number, claim) for number, claim in numbered if number in good], notes


def _held(kind: str, claim: Claim) -> Held:
    payload = parse_line(claim.line, "line").envelope.payload
    predicate = parse_statement(payload).predicate or _Unread(claim.statement.predicate_type, claim.statement.body)
    return Held(kind, predicate, hashlib.sha256(payload).hexdigest(), claim.key)


def _same(one: ResourceDescriptor, other: ResourceDescriptor) -> bool:
    shared = one.digest.keys() & other.digest.keys()
    return bool(shared) and all(one.digest[each] == other.digest[each] for each in shared)


def find_dossiers(path: str) -> tuple[str, ...]:
    """The dossiers that a path names: itself, or those that lie in it, in order of their names.

    Raises:
        UsageError: there is none.
    """
    if os.path.isfile(path) or os.path.isfile(os.path.join(path, INDEX)):
        return (path,)
    found = tuple(_below(path)) if os.path.isdir(path) else ()
    if not found:
        raise UsageError(
            f"{printable(path)}: is no dossier, and none lies in it; openvet check MODEL --dossier DIR makes one"
        )
    return found


def _below(path: str) -> Iterator[str]:
    for name in sorted(os.listdir(path)):
        each = os.path.join(path, name)
        if os.path.isfile(os.path.join(each, INDEX)) or (name.endswith(".zip") and os.path.isfile(each)):
            yield each


@dataclass(frozen=True, slots=True)
class Change:
    """A line that comes out otherwise, or that is not yet in force and has another day: by the day that is asked about, or by the pack.

    Attributes:
        before, after: outcomes; ``-`` where only the other decision has the line.
        since_before, since_after: the days from which it is in force, where they differ and one of them has not come; '' elsewhere.
    """

    requirement: str
    title: str
    before: str
    after: str
    since_before: str = ""
    since_after: str = ""

    def to_json(self) -> dict[str, str]:
        days = {"in_force_before": self.since_before, "in_force_after": self.since_after}
        body = {"requirement": self.requirement, "title": self.title, "before": self.before, "after": self.after}
        return body | {name: day for name, day in days.items() if day}


def changes(before: DecisionV1, after: DecisionV1) -> tuple[Change, ...]:
    """Lines whose outcome differs, or whose day does before it has come, in the order of ``after``, and then those that only ``before`` has."""
    was: Mapping[str, Line] = {each.id: each for each in before.lines}
    out = []
    for each in after.lines:
        one = was.get(each.id)
        if one is None:
            out.append(Change(each.id, each.title, "-", each.outcome, "", _awaited(each)))
            continue
        awaited = _awaited(one) or _awaited(each)
        days = (one.since, each.since) if awaited and one.since != each.since else ("", "")
        if one.outcome != each.outcome or any(days):
            out.append(Change(each.id, each.title, one.outcome, each.outcome, *days))
    now = {each.id for each in after.lines}
    return (
        *out,
        *(
            Change(each.id, each.title, each.outcome, "-", _awaited(each), "")
            for each in before.lines
            if each.id not in now
        ),
    )


def _awaited(line: Line) -> str:
    """The day on which a line comes into force; '' where it is in force, or nobody can say."""
    return line.since if line.outcome == "not-yet-in-force" else ""


def lapsed(before: DecisionV1, after: DecisionV1) -> tuple[str, ...]:
    """Questions whose answers count in ``before`` and no longer in ``after``, by their names: most answers hold for a time."""
    counts, now = ({each.question for each in one.answers if not each.problem} for one in (before, after))
    return tuple(sorted({each.question for each in after.answers} & counts - now))


def gained(before: DecisionV1, after: DecisionV1) -> tuple[str, ...]:
    """Questions whose answers count in ``after`` and not yet in ``before``, by their names: they were given between the two days."""
    counts, now = ({each.question for each in one.answers if not each.problem} for one in (before, after))
    return tuple(sorted(now - counts))
