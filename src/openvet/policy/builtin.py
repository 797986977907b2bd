"""The built-in policy: is this model safe to load?

* **reject** when a finding is at least ``high`` with at least ``medium`` confidence;
* **review** when anything else is above ``note``, when anything was not read, or when a rule could not be run;
* **admit** otherwise: everything was read, and nothing above ``note`` was found.

A team's terms change it in two ways. An accepted finding does not count, and the decision says so. With ``strict`` whatever is
not proven to be data is rejected: what would be a review, and a note by which loading runs code.

It is a pure function of the scan and the terms: the same give the same decision, for ever.
"""

from __future__ import annotations

from dataclasses import replace

from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Outcome, Severity
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.policy.decision import Accepted, Decision, Reason, Terms, Verdict

__all__ = ["POLICY", "STRICT", "decide", "verdict_of"]

POLICY = "openvet/safe-to-load@1"
STRICT = "openvet/only-data@1"

_NO_TERMS = Terms()
_RANK = {Verdict.REJECT: 0, Verdict.REVIEW: 1, Verdict.ADMIT: 2}


def decide(scan: Scan, terms: Terms = _NO_TERMS) -> Decision:
    """The decision on one subject, with one reason for each rule that fired and each kind of unknown."""
    accepted, counted = _accept(scan, terms)
    reasons = [*_from_findings(counted, terms), *_from_unknowns(scan), *_from_rules(scan)]
    if not scan.files:
        reasons.append(
            Reason(Verdict.REVIEW, "unknown:empty", "there is no file in it, so there is nothing to admit", 1)
        )
    if terms.strict:
        reasons = [replace(each, verdict=Verdict.REJECT) for each in reasons]
    reasons.sort(key=lambda each: (_RANK[each.verdict], each.code))
    verdict = reasons[0].verdict if reasons else Verdict.ADMIT
    return Decision(verdict, STRICT if terms.strict else POLICY, tuple(reasons), accepted)


def _accept(scan: Scan, terms: Terms) -> tuple[tuple[Accepted, ...], list[Finding]]:
    """The acceptances that hold for a finding here, and the findings that no acceptance holds for."""
    by_key = {(each.rule, each.digest): each for each in terms.acceptances}
    taken: dict[tuple[str, str], list[Finding]] = {}
    left: list[Finding] = []
    for finding in scan.all_findings():
        key = next(((finding.rule, each) for each in finding.digests if (finding.rule, each) in by_key), None)
        if key is None:
            left.append(finding)
        else:
            taken.setdefault(key, []).append(finding)
    return tuple(Accepted(by_key[key], tuple(taken[key])) for key in by_key if key in taken), left


def verdict_of(finding: Finding) -> Verdict:
    """What one finding alone leads to."""
    if finding.severity >= Severity.HIGH and finding.confidence >= Confidence.MEDIUM:
        return Verdict.REJECT
    return Verdict.REVIEW if finding.severity > Severity.NOTE else Verdict.ADMIT


def _from_findings(counted: list[Finding], terms: Terms) -> list[Reason]:
    groups: dict[tuple[str, Verdict], list[Finding]] = {}
    for finding in counted:
        verdict = verdict_of(finding)
        if verdict is Verdict.ADMIT and terms.strict and finding.rule in terms.code:
            verdict = Verdict.REJECT
        if verdict is not Verdict.ADMIT:
            groups.setdefault((finding.rule, verdict), []).append(finding)
    out = []
    for (rule, verdict), findings in groups.items():
        worst = min(findings, key=lambda each: each.sort_key())
        out.append(Reason(verdict, f"rule:{rule}", worst.message, len(findings), worst.location))
    return out


def _from_unknowns(scan: Scan) -> list[Reason]:
    groups: dict[str, list[tuple[str, Location]]] = {}
    for unknown in scan.all_unknowns():
        groups.setdefault(unknown.reason, []).append((unknown.message, unknown.location))
    out = [
        Reason(Verdict.REVIEW, f"unknown:{reason}", each[0][0], len(each), each[0][1])
        for reason, each in groups.items()
    ]
    silent = [file for file in scan.files if file.coverage in {Coverage.PARTIAL, Coverage.UNREAD} and not file.unknowns]
    if silent:  # coverage is the law; the unknowns only explain it
        first = Location(silent[0].path)
        out.append(Reason(Verdict.REVIEW, "unknown:coverage", "was not read to its end", len(silent), first))
    if not scan.reproducible:
        out.append(Reason(Verdict.REVIEW, "unknown:time", "a guard in seconds cut the reading short", 1))
    return out


def _from_rules(scan: Scan) -> list[Reason]:
    failed = [name for name, outcome in scan.rules.items() if outcome is Outcome.ERROR]
    if not failed:
        return []
    return [Reason(Verdict.REVIEW, "unknown:rule", f"the rule {failed[0]} could not be run", len(failed))]
