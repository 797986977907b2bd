from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage, Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Outcome, Severity
from openvet.evidence.predicates.scan_v1 import FileScan, Scan
from openvet.evidence.predicates.tool import Tool
from openvet.policy.builtin import decide
from openvet.policy.decision import Reason, Verdict

TOOL = Tool("openvet", "0", "00")


def _finding(
    severity: Severity, confidence: Confidence = Confidence.HIGH, rule: str = "a/b", place: str = "f"
) -> Finding:
    return Finding(rule, severity, confidence, Location(place), f"{rule} says {severity}", "do this")


def _scan(
    *findings: Finding,
    coverage: Coverage = Coverage.READ,
    unknowns: tuple[Unknown, ...] = (),
    rules: dict[str, Outcome] | None = None,
    reproducible: bool = True,
) -> Scan:
    file = FileScan("f", ("text",), 1, {"sha256": "00"}, coverage, findings, unknowns)
    return Scan(TOOL, {}, (file,), rules or {"a/b": Outcome.PASS}, reproducible=reproducible)


def test_everything_read_and_only_notes() -> None:
    decision = decide(_scan(_finding(Severity.NOTE), coverage=Coverage.INERT))
    assert decision.verdict is Verdict.ADMIT
    assert decision.reasons == ()


def test_each_severity_and_confidence() -> None:
    table = {
        (severity, confidence): decide(_scan(_finding(severity, confidence))).verdict
        for severity in Severity
        for confidence in Confidence
    }
    reject = {(s, c) for s in (Severity.HIGH, Severity.CRITICAL) for c in (Confidence.MEDIUM, Confidence.HIGH)}
    assert {key for key, verdict in table.items() if verdict is Verdict.REJECT} == reject
    assert {key for key, verdict in table.items() if verdict is Verdict.ADMIT} == {
        (Severity.NOTE, c) for c in Confidence
    }


def test_what_was_not_read_is_never_admitted() -> None:
    unknown = Unknown("no-reader", "no format that OpenVet knows", Location("f"))
    for coverage in (Coverage.PARTIAL, Coverage.UNREAD):
        assert decide(_scan(coverage=coverage, unknowns=(unknown,))).verdict is Verdict.REVIEW
        assert decide(_scan(coverage=coverage)).verdict is Verdict.REVIEW
    assert decide(_scan(unknowns=(unknown,))).verdict is Verdict.REVIEW
    assert decide(Scan(TOOL, {}, (), {})).verdict is Verdict.REVIEW
    assert decide(_scan(reproducible=False)).verdict is Verdict.REVIEW


def test_a_rule_that_could_not_be_run_leads_to_a_review() -> None:
    decision = decide(_scan(rules={"a/b": Outcome.ERROR, "c/d": Outcome.NOT_APPLICABLE}))
    assert decision.reasons == (Reason(Verdict.REVIEW, "unknown:rule", "the rule a/b could not be run", 1),)


def test_whole_decision() -> None:
    scan = _scan(
        _finding(Severity.CRITICAL, rule="p/x", place="b"),
        _finding(Severity.CRITICAL, rule="p/x", place="a"),
        _finding(Severity.HIGH, Confidence.LOW, rule="p/x", place="a"),
        _finding(Severity.LOW, rule="q/y"),
        coverage=Coverage.PARTIAL,
        unknowns=(Unknown("limit", "too much", Location("f", 7)), Unknown("limit", "too much again", Location("f", 9))),
    )
    assert decide(scan).to_json() == {
        "policy": "openvet/safe-to-load@1",
        "verdict": "reject",
        "accepted": [],
        "reasons": [
            {
                "verdict": "reject",
                "code": "rule:p/x",
                "message": "p/x says critical",
                "count": 2,
                "location": {"place": "a"},
            },
            {
                "verdict": "review",
                "code": "rule:p/x",
                "message": "p/x says high",
                "count": 1,
                "location": {"place": "a"},
            },
            {
                "verdict": "review",
                "code": "rule:q/y",
                "message": "q/y says low",
                "count": 1,
                "location": {"place": "f"},
            },
            {
                "verdict": "review",
                "code": "unknown:limit",
                "message": "too much",
                "count": 2,
                "location": {"place": "f", "offset": 7},
            },
        ],
    }


SEVERITIES = st.sampled_from(list(Severity))
FINDINGS = st.builds(_finding, SEVERITIES, st.sampled_from(list(Confidence)), st.sampled_from(["a/b", "c/d"]))
ORDER = [Verdict.ADMIT, Verdict.REVIEW, Verdict.REJECT]


@settings(deadline=None, max_examples=200)
@given(st.lists(FINDINGS, max_size=5), FINDINGS)
def test_one_more_finding_never_makes_it_better(findings: list[Finding], more: Finding) -> None:
    before = decide(_scan(*findings)).verdict
    after = decide(_scan(*findings, more)).verdict
    assert ORDER.index(after) >= ORDER.index(before)
