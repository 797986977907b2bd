"""JUnit XML: what fails, what is skipped, that any text of a model is valid XML; ``make interop`` holds it against the schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.core.location import Location
from openvet.core.rule import Outcome, Severity
from openvet.policy.builtin import decide
from openvet.policy.decision import Acceptance, Terms, Verdict
from openvet.reports import junit
from openvet.reports.report import ModelReport, Report
from tests.reports import samples


def suites(report: Report) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(junit.compose(report))
    assert root.tag == "testsuites"
    for name in ("tests", "failures", "errors"):
        assert int(root.attrib[name]) == sum(int(each.attrib[name]) for each in root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{kind}"))
    return list(root)


def outcomes(suite: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["name"]: each[0].tag if len(each) else "passed" for each in suite.findall("testcase")}


def test_what_the_decision_rests_on_fails() -> None:
    (suite,) = suites(samples.SAMPLES["hostile"])
    assert outcomes(suite) == {
        "config/custom-code": "failure",
        "pickle/runs-process": "failure",
        "torch/needs-package": "passed",
        "everything was read": "passed",
    }
    failed = suite.find("testcase[@name='pickle/runs-process']/failure")
    assert failed is not None
    assert failed.attrib == {
        "type": "reject",
        "message": "calls os.system('echo hello') when it is loaded (and 12 more like it)",
    }
    assert "critical: pytorch_model.bin!/archive/data.pkl @42" in str(failed.text)
    assert "use model.safetensors instead" in str(failed.text)
    told = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert (told["verdict"], told["digest.dirHash"]) == ("reject", "ef" * 32)


def test_notes_fail_nothing() -> None:
    (suite,) = suites(samples.SAMPLES["clean"])
    assert set(outcomes(suite).values()) == {"passed"}


def test_what_was_not_read_fails_by_its_reason() -> None:
    (suite,) = suites(samples.SAMPLES["unread"])
    assert outcomes(suite) == {
        "config/custom-code": "failure",
        "pickle/runs-process": "skipped",
        "torch/needs-package": "passed",
        "limit": "failure",
        "no-reader": "failure",
        "coverage": "failure",
        "denied": "failure",
        "time": "failure",
    }
    broken = replace(samples.UNREAD, scan=replace(samples.UNREAD.scan, findings=(), rules={"a/b": Outcome.ERROR}))
    broken = replace(broken, decision=decide(broken.scan))
    assert outcomes(suites(samples.report(broken))[0])["a/b"] == "error"


def test_what_could_not_be_checked_is_an_error() -> None:
    found = suites(samples.MANY)
    assert [each.attrib["errors"] for each in found] == ["0", "0", "0", "0", "1"]
    assert found[-1].attrib["name"] == "gone"


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_it_fails_exactly_where_the_decision_is_no_admit(name: str) -> None:
    """A system that looks at the tests alone comes to the same answer as one that looks at the exit code."""
    for suite, model in zip(suites(samples.SAMPLES[name]), samples.SAMPLES[name].models, strict=False):
        fails = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        assert bool(fails) == (model.decision.verdict is not Verdict.ADMIT)


def with_terms(terms: Terms) -> ModelReport:
    scan = samples.TEAM_SCAN
    return replace(samples.TEAM, decision=decide(scan, terms))


def test_what_the_team_accepts_fails_nothing_and_what_it_forbids_fails() -> None:
    held = [Acceptance("config/custom-code", f"0{at}" * 32, "read", "ann", date(2030, 1, 1)) for at in (2, 3)]
    assert outcomes(suites(samples.report(with_terms(Terms(tuple(held)))))[0])["config/custom-code"] != "failure"
    (suite,) = suites(samples.report(with_terms(Terms(tuple(held[:1])))))
    failed = suite.find("testcase[@name='config/custom-code']/failure")
    assert failed is not None
    assert "more like it" not in failed.attrib["message"]
    strict = decide(samples.CLEAN.scan, Terms((), strict=True, code=frozenset({"torch/needs-package"})))
    (suite,) = suites(samples.report(replace(samples.CLEAN, decision=strict)))
    assert strict.verdict is Verdict.REJECT
    assert outcomes(suite)["torch/needs-package"] == "failure"


@given(st.text())
def test_any_text_is_valid_xml(text: str) -> None:
    finding = replace(samples.RUNS, location=Location(text or "x", pointer=text), message=text, remedy=text)
    scan = replace(samples.CLEAN.scan, findings=(finding, replace(finding, severity=Severity.LOW)))
    model = ModelReport(text, replace(samples.CLEAN.subject, name=text), scan, None, decide(scan))
    (suite,) = suites(samples.report(model))
    assert suite.attrib["failures"] == "1"


def test_fifty_thousand_findings_are_a_bounded_text() -> None:
    found = tuple(
        replace(samples.RUNS, location=Location(f"f{at}.pkl"), message=f"m{at} {'x' * 900}") for at in range(50_000)
    )
    scan = replace(samples.CLEAN.scan, findings=found)
    made = junit.compose(samples.report(replace(samples.CLEAN, scan=scan, decision=decide(scan))))
    assert len(made) < 200_000
    assert "and 49,950 more; openvet check --format json lists all" in made
