"""The result of a check as statements: our own, and those that others have specified and other people's tools read.

Each is a pure function of the evidence, the decision and the time. What it loses is on its spec page; the scan has all of it.

=============  ==========================================  ======================================================
name           predicate                                   made from
=============  ==========================================  ======================================================
``scan``       ours                                        what the rules found, and what was not read
``inventory``  ours                                        what the files contain
``profile``    ours                                        what each model is and needs
``card``       ours                                        what the model's cards declare, leave out, and get wrong
``lineage``    ours                                        what it declares that it was made of
``licenses``   ours                                        which licences are declared, and whose texts lie with it
``rights``     ours                                        what those licences say to use in a product, and ask for
``openness``   ours                                        which parts are there, and what schemes of openness make of them
``advisories`` ours                                        which published problems of loaders and packages it reaches
``test-result`` in-toto, test result                       the scan: a rule is a test
``svr``        in-toto, simple verification result         the decision: what holds
``vsa``        SLSA, verification summary                  the decision: passed or not
``vulns``      in-toto, vulnerabilities                    findings that are the trigger of a published advisory
``cyclonedx``  CycloneDX 1.7                               inventory, profile and card: what it is made of
``spdx``       SPDX 3.0.1                                  the same
=============  ==========================================  ======================================================
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.coverage import Coverage
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Outcome, Severity
from openvet.errors import UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1, AdvisoryHit
from openvet.evidence.predicates.fields import Descriptor, timestamp
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.predicates.svr_v0 import SimpleVerification
from openvet.evidence.predicates.test_result_v0 import SuiteResult
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.predicates.verification_summary_v1 import FAILED, PASSED, VerificationSummary
from openvet.evidence.predicates.vulns_v0 import Hit, Vulns
from openvet.evidence.signing import signable, statement_digest
from openvet.evidence.statement import Predicate, Statement
from openvet.origins.find import SCHEMES
from openvet.policy.builtin import verdict_of
from openvet.policy.decision import Verdict
from openvet.reports.report import ModelReport
from openvet.version import ADVISORIES_OF

__all__ = [
    "COVERAGE",
    "KINDS",
    "UNEVALUATED",
    "VERIFIER",
    "Asked",
    "own_kinds",
    "resource_of",
    "rules_of",
    "statements_of",
]

KINDS: Final = (
    "scan",
    "inventory",
    "profile",
    "card",
    "lineage",
    "licenses",
    "rights",
    "openness",
    "advisories",
    "test-result",
    "svr",
    "vsa",
    "vulns",
    "cyclonedx",
    "spdx",
)
#: Who verifies, as a URI: this program, run by whoever signed.
VERIFIER: Final = f"{NAMES}/verifier/v1"
#: What SLSA's builds of it are worth was not looked at.
UNEVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"
#: The test that every file was read to its end; all others have the id of a rule.
COVERAGE: Final = "coverage"
_URI: Final = pattern(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What belongs to a statement and is not in the result.

    Attributes:
        started, finished: when the model was looked at.
        resource: the URI under which its users know the model; '' takes what was named, or one made from the digest.
    """

    started: datetime
    finished: datetime
    resource: str = ""


def statements_of(report: ModelReport, kinds: Sequence[str], asked: Asked) -> tuple[Statement, ...]:
    """The statements of these kinds (of :data:`KINDS`) about one model, unsigned.

    Raises:
        UsageError: there is no such kind, the model was looked at without taking an inventory, nobody can name the bytes, another
            run would not give the same, or the URI is none.
    """
    if not report.subject.digest:
        raise UsageError(
            f"{report.subject.name}: not everything in it could be read, so that it has no digest to name it by"
        )
    if not report.scan.reproducible:
        raise UsageError(
            f"{report.subject.name}: a limit in seconds cut the scan short; no statement is made of such a result"
        )
    return tuple(Statement(report.subject, _predicate(report, kind, asked)) for kind in dict.fromkeys(kinds))


def own_kinds(report: ModelReport) -> tuple[str, ...]:
    """What a dossier gets where nothing is asked for: all that is ours, from which the others can be made again."""
    own = {"scan", *(("inventory",) if report.inventory is not None else ()), *report.answers}
    # what was asked for a policy pack lies beside its decision, so that anybody can compute that again
    return (*(kind for kind in KINDS if kind in own), *(kind for kind in report.answers if kind not in KINDS))


def _predicate(report: ModelReport, kind: str, asked: Asked) -> Predicate:
    if kind == "scan":
        return report.scan
    if kind == "inventory":
        if report.inventory is None:
            raise UsageError("only the scan was made; openvet check takes the inventory too")
        return report.inventory
    if kind in report.answers:
        return report.answers[kind]
    if kind not in _MAKERS:
        if kind in KINDS:
            raise UsageError("only the scan was made; openvet check makes the other statements too")
        raise UsageError(f"there is no statement {kind!r}; there are {', '.join(KINDS)}")
    return _MAKERS[kind](report, asked)


# --- what all of them name ---


def rules_of(tool: Tool) -> Descriptor:
    """The rules and readers in force. The digest is that of the scan's ``tool.knowledge``."""
    return Descriptor(name="rules and readers", uri=f"{NAMES}/rules/v{tool.version}", digest={"sha256": tool.knowledge})


def _configuration(report: ModelReport) -> list[Descriptor]:
    """The team's configuration, by its digest: where it lies is nobody's business."""
    if report.config is None:
        return []
    digest = report.config.sha256
    where = None if digest else f"{NAMES}/configuration/made-by-the-calling-program"
    return [Descriptor(name="openvet.toml", uri=where, digest={"sha256": digest} if digest else None)]


def _limits(scan: Scan) -> Descriptor:
    from openvet.evidence.strict import encode_base64

    data = canonical_json(signable(dict(scan.limits)))
    return Descriptor(
        name="limits",
        digest={"sha256": hashlib.sha256(data).hexdigest()},
        content=encode_base64(data),
        media_type="application/json",
    )


def _policy(report: ModelReport) -> Descriptor:
    """The policy. A team's configuration makes another policy of it, whose URI says so."""
    name, _, version = report.decision.policy.removeprefix("openvet/").partition("@")
    uri = f"{NAMES}/policies/{name}/v{version}"
    if report.config is not None:
        uri += f"?configuration={report.config.sha256 or 'made-by-the-calling-program'}"
    return Descriptor(uri=uri, digest={"sha256": report.scan.tool.knowledge})


def _property(report: ModelReport) -> str:
    """What holds of a model that the policy admits; that findings were accepted is part of it."""
    name = report.decision.policy.removeprefix("openvet/").partition("@")[0].upper().replace("-", "_")
    return f"OPENVET_{name}{'_WITH_ACCEPTANCES' if report.decision.accepted else ''}"


def _is_read(scan: Scan) -> bool:
    """Whether every file was read to its last byte, or is of a kind that no loader executes."""
    if not scan.files or any(True for _ in scan.all_unknowns()) or not scan.reproducible:
        return False
    return all(each.coverage in {Coverage.READ, Coverage.INERT} for each in scan.files)


# --- one maker each ---


def _test_result(report: ModelReport, _: Asked) -> SuiteResult:
    """Rules as tests. One that could not be run has not passed; one that had nothing to look at is not named."""
    scan = report.scan
    worst: dict[str, Verdict] = {}
    for each in scan.all_findings():
        found = verdict_of(each)
        if _BADNESS[found] > _BADNESS[worst.get(each.rule, Verdict.ADMIT)]:
            worst[each.rule] = found
        worst.setdefault(each.rule, found)
    lists: dict[Verdict, list[str]] = {each: [] for each in Verdict}
    for rule in {**scan.rules, **worst}:
        outcome = scan.rules.get(rule, Outcome.FAIL)
        if outcome in {Outcome.PASS, Outcome.FAIL}:
            lists[worst.get(rule, Verdict.ADMIT)].append(rule)
        elif outcome is not Outcome.NOT_APPLICABLE:
            lists[Verdict.REJECT].append(rule)
    lists[Verdict.ADMIT if _is_read(scan) else Verdict.REVIEW].append(COVERAGE)
    failed, warned = lists[Verdict.REJECT], lists[Verdict.REVIEW]
    return SuiteResult(
        result="FAILED" if failed else "WARNED" if warned else "PASSED",
        configuration=(rules_of(scan.tool), _limits(scan), *_configuration(report)),
        passed=tuple(sorted(lists[Verdict.ADMIT])),
        warned=tuple(sorted(warned)),
        failed=tuple(sorted(failed)),
    )


_BADNESS: Final = {Verdict.ADMIT: 0, Verdict.REVIEW: 1, Verdict.REJECT: 2}


def _svr(report: ModelReport, asked: Asked) -> SimpleVerification:
    properties = [_property(report)] if report.decision.verdict is Verdict.ADMIT else []
    if _is_read(report.scan):
        properties.append("OPENVET_FULLY_READ")
    return SimpleVerification(
        verifier=VERIFIER,
        time=timestamp(asked.finished),
        properties=tuple(properties),
        policies=(_policy(report), *_configuration(report)),
    )


def _vsa(report: ModelReport, asked: Asked) -> VerificationSummary:
    """A model that a person has to look at has not passed."""
    passed = report.decision.verdict is Verdict.ADMIT
    return VerificationSummary(
        verifier=VERIFIER,
        version={report.scan.tool.name: report.scan.tool.version},
        time=timestamp(asked.finished),
        resource=resource_of(asked.resource, report.path, report.subject.digest),
        policy=_policy(report),
        inputs=(Descriptor(digest={"sha256": statement_digest(Statement(report.subject, report.scan))}),),
        result=PASSED if passed else FAILED,
        levels=(UNEVALUATED, _property(report)) if passed else (FAILED,),
    )


def resource_of(given: str, path: str, digests: Mapping[str, str]) -> str:
    """The URI of a model: the one that was given, its path where that is one, or one made from its digest.

    Raises:
        UsageError: what was given is none.
    """
    if given:
        if not _URI.fullmatch(given):
            raise UsageError(f"{given!r} is no URI; give one such as pkg:huggingface/org/name@revision")
        return given
    if path.startswith(SCHEMES) and _URI.fullmatch(path):
        return path
    name, digest = next((name, digests[name]) for name in ("dirHash", "sha256") if name in digests)
    return f"{NAMES}/models/{name}/{digest}"


def _vulns(report: ModelReport, asked: Asked) -> Vulns:
    """Findings whose rule names the advisory whose trigger they are (a note is the trigger of nothing), and what advisories say."""
    hits: dict[str, list[Finding]] = {}
    reached = _reached(report)
    for each in report.scan.all_findings():
        named = each.evidence.get("advisory")
        if isinstance(named, str) and each.severity > Severity.NOTE:
            hits.setdefault(named, []).append(each)
    tool = report.scan.tool
    updated = datetime.fromisoformat(ADVISORIES_OF).replace(tzinfo=UTC)
    return Vulns(
        scanner=f"pkg:pypi/{tool.name}@{tool.version}",
        version=tool.version,
        database=f"{NAMES}/rules/v{tool.version}",
        database_version=tool.knowledge,
        updated=timestamp(updated),
        hits=tuple(_hit(name, hits.get(name, []), reached.get(name, [])) for name in sorted({*hits, *reached})),
        started=timestamp(asked.started),
        finished=timestamp(asked.finished),
    )


def _reached(report: ModelReport) -> Mapping[str, list[AdvisoryHit]]:
    """Published problems that content reaches, or of versions that are named; those that only may be are not a scanner's result."""
    found = report.answers.get("advisories")
    out: dict[str, list[AdvisoryHit]] = {}
    for each in found.hits if isinstance(found, AdvisoriesV1) else ():
        if each.status == "affected" or (each.reasons and each.status != "not-affected"):
            out.setdefault(each.published, []).append(each)
    return out


def _hit(name: str, findings: list[Finding], reached: list[AdvisoryHit]) -> Hit:
    severity = [("openvet", str(max(each.severity for each in findings)))] if findings else []
    severity += [("published", each) for each in sorted({one.severity for one in reached if one.severity})]
    notes: list[dict[str, Any]] = [
        {"rule": each.rule, "location": each.location.to_json(), "digests": list(each.digests)}
        for each in sorted(findings, key=Finding.sort_key)
    ]
    notes += [
        {"ecosystem": each.ecosystem, "package": each.name, "status": each.status, "fixed": list(each.fixed)}
        for each in reached
    ]
    return Hit(name, tuple(severity), tuple(notes))


def _bill(report: ModelReport, asked: Asked, form: str) -> Predicate:
    """A bill of materials, at the time of the check. Numbers that readers disagree about are left out where the form wants no text."""
    from openvet.workflows.bom import bill_of_report, document_of, signable_document

    purl = asked.resource if asked.resource.startswith("pkg:") else ""
    return signable_document(document_of(bill_of_report(report, purl), form, asked.finished))


_MAKERS: Final[Mapping[str, Callable[[ModelReport, Asked], Predicate]]] = {
    "test-result": _test_result,
    "svr": _svr,
    "vsa": _vsa,
    "vulns": _vulns,
    "cyclonedx": lambda report, asked: _bill(report, asked, "cyclonedx"),
    "spdx": lambda report, asked: _bill(report, asked, "spdx"),
}
