"""The page of a check, or of a dossier: the statements about each model, and what is computed from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.bom.coverage import cover
from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import OpenVetError, UsageError, VerifyError
from openvet.evidence.dossier.reading import Claim
from openvet.evidence.predicates.decision_v1 import DecisionV1
from openvet.evidence.predicates.inventory_v1 import InventoryV1
from openvet.evidence.predicates.known import KNOWN
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.signing import SignedStatement, parse_line, parse_statement, statement_digest
from openvet.evidence.statement import Predicate, ResourceDescriptor, Statement
from openvet.policy.builtin import decide
from openvet.reports.fit_page import Row
from openvet.reports.gist import gist
from openvet.reports.page.sheet import Evidence, InDossier, Sheet
from openvet.reports.report import ModelReport
from openvet.workflows.bom import bill_of_report
from openvet.workflows.devices import find_devices
from openvet.workflows.dossier import VerifiedDossier
from openvet.workflows.fits import fits_of
from openvet.workflows.knowledge import rule_texts, tool

__all__ = ["BESIDE", "DEVICES", "sheet_of", "sheet_of_dossier", "sheet_of_json", "sheet_of_statements", "without"]

#: Questions that a page asks beside those of every check; other forms of the report do not show them.
BESIDE: Final = ("openness", "rights")
#: On which a page holds a model: one of each size that people have. `openvet profile --device` has all of them.
DEVICES: Final = ("rpi5", "pc-ddr5-5600", "m4-pro", "rtx4090", "l40s", "h100")
_KINDS: Final = ("profile", "card", "lineage", "licenses", "rights", "openness", "advisories", "origin")


def without(report: ModelReport, *, with_inventory: bool = True, also: Sequence[str] = ()) -> ModelReport:
    """The report as it is when nobody asks for a page.

    Args:
        with_inventory: whether what the model is was asked for, and not only whether it is safe.
        also: questions that were asked for something else too.
    """
    if not with_inventory:
        return replace(report, inventory=None, facts=None, answers={})
    dropped = {*BESIDE} - {*also}
    return replace(report, answers={name: each for name, each in report.answers.items() if name not in dropped})


def sheet_of(report: ModelReport, policies: Sequence[DecisionV1] = ()) -> Sheet:
    """What the page shows about a model that was checked just now.

    Args:
        policies: what policy packs make of it (:func:`openvet.workflows.decide.decide_report`).
    """
    return _sheet(report, tuple(_evidence(each) for each in report.statements()), policies=tuple(policies))


def _sheet(report: ModelReport, evidence: tuple[Evidence, ...], **more: Any) -> Sheet:
    profile = report.answers.get("profile")
    bill = None if report.inventory is None else bill_of_report(report)
    found = {each.rule for each in report.scan.all_findings()}
    return Sheet(
        report,
        rules={each.id: each for each in rule_texts() if each.id in found},
        fits=_fits(report.subject.name, profile) if isinstance(profile, ProfileV1) else (),
        bill=bill,
        covered=() if bill is None else cover(bill),
        evidence=evidence,
        **more,
    )


def _fits(name: str, profile: ProfileV1) -> tuple[Row, ...]:
    found = {id(each.part): each for each in fits_of(profile, find_devices(DEVICES))}
    return tuple((name, part, found[id(part)].fits, found[id(part)].reasons) for part in profile.parts)


def _evidence(statement: Statement) -> Evidence:
    """A statement that nobody signed yet, by the digest of the bytes that would be signed."""
    digest = ""
    scan = statement.predicate
    if statement.subject.digest and not (isinstance(scan, Scan) and not scan.reproducible):
        digest = statement_digest(statement)
    return Evidence(statement.predicate.predicate_type, digest, tuple(gist(statement.predicate) or ()))


# --- from a report that was kept ---


def sheet_of_json(data: bytes) -> Sheet:
    """What the page shows about the first model of a report that was kept as JSON by a version of this program.

    The decision is computed again, from the scan.

    Raises:
        VerifyError: ``malformed``: it is no such report.
    """
    try:
        model = json.loads(data)["models"][0]
        subject = ResourceDescriptor(model["subject"].get("name", ""), model["subject"]["digest"])
        said = {each["predicateType"]: each["predicate"] for each in model["statements"]}
        read = [KNOWN[kind](body) for kind, body in said.items() if kind in KNOWN]
        policies = tuple(DecisionV1.from_json(each) for each in model.get("policies", ()))
        path = str(model["path"])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise VerifyError("malformed", "what was kept is no report of a check") from error
    used = {type(each).__name__: each for each in read}
    scan, inventory = used.get("Scan"), used.get("InventoryV1")
    if not isinstance(scan, Scan):
        raise VerifyError("malformed", "what was kept holds no scan")
    taken = inventory if isinstance(inventory, InventoryV1) else None
    answers = {name: used[_class_of(name)] for name in _KINDS if _class_of(name) in used}
    facts = None if taken is None else taken.facts
    report = ModelReport(path, subject, scan, taken, decide(scan), facts=facts, answers=answers, policies=policies)
    return sheet_of(report, policies)


# --- from statements that were signed ---


def sheet_of_statements(name: str, signed: Sequence[tuple[str, SignedStatement]]) -> Sheet | None:
    """What the page shows about a model by the statements of one check; ``None`` where no scan is among them, and so nothing is known.

    Args:
        name: of the model.
        signed: the SHA-256 of what was signed, and the statement.
    """
    used = {type(each.predicate).__name__: each.predicate for _, each in signed if each.predicate is not None}
    scan = used.get("Scan")
    if not isinstance(scan, Scan):
        return None
    answers = {kind: used[_class_of(kind)] for kind in _KINDS if _class_of(kind) in used}
    policies = tuple(each.predicate for _, each in signed if isinstance(each.predicate, DecisionV1))
    report = ModelReport(name, signed[0][1].subjects[0], scan, None, decide(scan), answers=answers, policies=policies)
    evidence = tuple(
        Evidence(each.predicate_type, digest, tuple(gist(each.predicate) or ()) if each.predicate is not None else ())
        for digest, each in signed
    )
    profile = answers.get("profile")
    fits = _fits(name, profile) if isinstance(profile, ProfileV1) else ()
    return Sheet(report, fits=fits, evidence=evidence, policies=policies)


def _class_of(name: str) -> str:
    """The class of each kind of statement bears its name."""
    return f"{name.capitalize()}V1"


# --- from a dossier ---


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a dossier, read."""

    number: int
    claim: Claim
    sha256: str
    predicate: Predicate | None
    believed: bool

    def about(self, digest: Mapping[str, str]) -> bool:
        return any(dict(each.digest) == dict(digest) for each in self.claim.statement.subjects)


def sheet_of_dossier(found: VerifiedDossier, policies: Sequence[DecisionV1] = ()) -> Sheet:
    """What the page shows about the model of a dossier that was verified: of each kind its last statement about that model.

    The decision is computed again, from the scan. Where a trust file was asked, only statements count that it believes.

    Args:
        policies: what policy packs make of it now (:func:`openvet.workflows.decide.decide_dossier`); of packs that are not among them, the
            last decision in the dossier is shown.

    Raises:
        UsageError: there is no scan in it, or none that is believed: nothing could be decided.
    """
    lines = [_read(number, each, found) for number, each in enumerate(found.dossier.claims, 1)]
    scans = [each for each in lines if each.believed and isinstance(each.predicate, Scan)]
    if not scans:
        raise UsageError(
            f"{found.path}: holds no statement of a scan{' that is believed' if found.believed else ''}, from which a decision could be "
            "computed; `openvet check --dossier` puts one there"
        )
    last = scans[-1]
    subject = last.claim.statement.subjects[0]
    own = [each for each in lines if each.believed and each.about(subject.digest)]
    used = {type(each.predicate).__name__: each for each in own}
    decided = {each.predicate.pack.id: each for each in own if isinstance(each.predicate, DecisionV1)}
    asked = {each.pack.id for each in policies}
    held = [each for id_, each in decided.items() if id_ not in asked]
    used.pop("DecisionV1", None)
    chosen = {each.number for each in (*used.values(), *held)}
    report = _report(last, subject, used)
    evidence = tuple(
        Evidence(
            each.claim.statement.predicate_type,
            each.sha256,
            tuple(gist(each.predicate) or ()) if each.predicate is not None else (),
            each.number,
            each.claim.key,
            each.number in chosen and each.predicate is not None,
        )
        for each in lines
    )
    dossier = InDossier(found.path, found.dossier.owner, len(lines))
    shown = (*policies, *(each.predicate for each in held if isinstance(each.predicate, DecisionV1)))
    return _sheet(report, evidence, dossier=dossier, policies=shown, notes=_notes(report, last, found))


def _read(number: int, claim: Claim, found: VerifiedDossier) -> _Line:
    payload = parse_line(claim.line, f"line {number}").envelope.payload
    try:
        predicate = parse_statement(payload).predicate
    except (VerifyError, OpenVetError, RecursionError):
        predicate = None  # a body that is not of its kind's form is listed, and says nothing
    believed = found.believed is None or any(number in numbers for _, numbers in found.believed.accepted)
    return _Line(number, claim, hashlib.sha256(payload).hexdigest(), predicate, believed)


def _report(last: _Line, subject: ResourceDescriptor, used: Mapping[str, _Line]) -> ModelReport:
    scan = last.predicate
    inventory = used["InventoryV1"].predicate if "InventoryV1" in used else None
    if not isinstance(scan, Scan):
        raise AssertionError("the last scan is one")
    taken = inventory if isinstance(inventory, InventoryV1) else None
    names = {_class_of(name): name for name in _KINDS}
    answers = {
        names[kind]: line.predicate for kind, line in used.items() if kind in names and line.predicate is not None
    }
    facts = None if taken is None else taken.facts
    return ModelReport(printable(subject.name), subject, scan, taken, decide(scan), facts=facts, answers=answers)


def _notes(report: ModelReport, last: _Line, found: VerifiedDossier) -> tuple[str, ...]:
    notes = [
        f"The decision was computed again from the scan in line {last.number}; what a team accepts is in no dossier and did not count."
    ]
    if report.scan.tool != tool():
        notes.append(
            f"The scan was made by {report.scan.tool.name} {report.scan.tool.version} with other rules than this program has: look again to learn what today's find."
        )
    if found.believed is None:
        notes.append(
            "Whose word the statements are was left to the owner, who vouches for all keys; --trust judges them by a trust file."
        )
    if found.compared is None:
        notes.append("The model itself was not looked at: openvet dossier verify --model says whether this is about it.")  # fmt: skip
    return tuple(notes)
