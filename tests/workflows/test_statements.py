"""What the statements of a check say, and what they must not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.vectors import ADMITTED, ASKED, FOLDER, REJECTED

import openvet
from openvet.core.coverage import Coverage, Unknown
from openvet.core.location import Location
from openvet.core.rule import Outcome, Severity
from openvet.errors import UsageError
from openvet.evidence.predicates.inventory_v1 import BASES
from openvet.evidence.statement import ResourceDescriptor
from openvet.policy.builtin import decide
from openvet.policy.decision import Terms, Verdict
from openvet.reports.report import ModelReport
from openvet.testing import all_cases, dump
from openvet.testing.case import write_case
from openvet.workflows.statements import KINDS, statements_of


def body(report: ModelReport, kind: str, **more: Any) -> Any:
    (found,) = statements_of(report, [kind], replace(ASKED, **more))
    return found.predicate.to_json()


def with_scan(report: ModelReport, **changes: Any) -> ModelReport:
    scan = replace(report.scan, **changes)
    return replace(report, scan=scan, decision=decide(scan))


def test_a_rule_is_a_test() -> None:
    found = body(REJECTED, "test-result")
    assert found["result"] == "FAILED"
    assert found["failedTests"] == [
        "hub/attention-implementation",
        "safetensors/header-lies",
    ]  # found; could not be run
    assert found["warnedTests"] == ["coverage", "json/odd"]
    assert found["passedTests"] == ["safetensors/metadata"]  # and none that had nothing to look at
    assert body(ADMITTED, "test-result")["result"] == "PASSED"
    assert "hub/no-licence" in body(ADMITTED, "test-result")["passedTests"]  # a note


@pytest.mark.parametrize(
    "changes",
    [
        {"unknowns": (Unknown("excluded", "not asked", Location("")),)},
        {"files": ()},
        {"files": tuple(replace(each, coverage=Coverage.PARTIAL) for each in ADMITTED.scan.files)},
        {"files": (replace(ADMITTED.scan.files[0], coverage=Coverage.UNREAD), *ADMITTED.scan.files[1:])},
    ],
)
def test_unread_is_never_passed(changes: dict[str, Any]) -> None:
    found = with_scan(ADMITTED, **changes)
    assert body(found, "test-result")["result"] == "WARNED"
    assert "coverage" in body(found, "test-result")["warnedTests"]
    assert body(found, "svr")["properties"] == []
    assert body(found, "vsa")["verificationResult"] == "FAILED"


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED])
def test_a_rule_that_was_not_run_has_not_passed(outcome: Outcome) -> None:
    found = body(with_scan(ADMITTED, rules={**ADMITTED.scan.rules, "a/b": outcome}), "test-result")
    assert (found["result"], found["failedTests"]) == ("FAILED", ["a/b"])


def test_a_finding_of_a_rule_that_nobody_lists_counts() -> None:
    found = with_scan(ADMITTED, findings=(replace(ADMITTED.scan.findings[0], rule="a/b", severity=Severity.HIGH),))
    assert body(found, "test-result")["failedTests"] == ["a/b"]


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("policy", ["openvet/safe-to-load@1", "openvet/only-data@1"])
def test_only_admit_has_passed(verdict: Verdict, policy: str) -> None:
    report = replace(ADMITTED, decision=replace(ADMITTED.decision, verdict=verdict, policy=policy))
    name = policy.removeprefix("openvet/").removesuffix("@1")
    level = f"OPENVET_{name.upper().replace('-', '_')}"
    vsa, svr = body(report, "vsa"), body(report, "svr")
    assert vsa["policy"]["uri"] == f"https://openvet/policies/{name}/v1"
    if verdict is Verdict.ADMIT:
        assert vsa["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED", level]
        assert svr["properties"] == [level, "OPENVET_FULLY_READ"]
    else:
        assert (vsa["verificationResult"], vsa["verifiedLevels"]) == ("FAILED", ["FAILED"])
        assert svr["properties"] == ["OPENVET_FULLY_READ"]


def test_the_decision_is_computed_from_the_scan_that_is_named() -> None:
    digest = body(REJECTED, "vsa")["inputAttestations"][0]["digest"]["sha256"]
    assert digest == hashlib.sha256((FOLDER / "scan-rejected.json").read_bytes()).hexdigest()


def test_acceptances_and_a_configuration_are_told() -> None:
    vsa = json.loads((FOLDER / "vsa-team.json").read_bytes())["predicate"]
    svr = json.loads((FOLDER / "svr-team.json").read_bytes())["predicate"]
    tests = json.loads((FOLDER / "test-result-team.json").read_bytes())["predicate"]
    team = hashlib.sha256(b"team").hexdigest()
    assert vsa["policy"]["uri"].endswith(f"?configuration={team}")
    assert vsa["verifiedLevels"][1] == svr["properties"][0] == "OPENVET_SAFE_TO_LOAD_WITH_ACCEPTANCES"
    assert {"name": "openvet.toml", "digest": {"sha256": team}} in svr["verifier"]["policies"]
    assert {"name": "openvet.toml", "digest": {"sha256": team}} in tests["configuration"]
    assert tests["warnedTests"] == ["python/custom-code"], "what was accepted was found all the same"
    assert "team/" not in json.dumps([vsa["policy"], svr, tests]), "where a configuration lies is nobody's business"


def test_advisories_are_those_that_findings_name() -> None:
    result = body(REJECTED, "vulns")["scanner"]["result"]
    assert [each["id"] for each in result] == ["CVE-2026-4372"]  # the note names another one
    assert result[0]["severity"] == [{"method": "openvet", "score": "critical"}]
    assert [each["location"]["pointer"] for each in result[0]["annotations"]] == [
        "/_attn_implementation_internal",
        "/b",
    ]
    assert body(ADMITTED, "vulns")["scanner"]["result"] == []


@pytest.mark.parametrize(
    ("path", "asked", "uri"),
    [
        ("models/x", "", f"https://openvet/models/dirHash/{ADMITTED.subject.digest['dirHash']}"),
        ("hf:org/name@1234", "", "hf:org/name@1234"),
        ("oci:r.example/m:1", "", "oci:r.example/m:1"),
        ("hf:a b", "", f"https://openvet/models/dirHash/{ADMITTED.subject.digest['dirHash']}"),
        ("models/x", "pkg:huggingface/org/x@1", "pkg:huggingface/org/x@1"),
    ],
)
def test_what_users_know_it_as(path: str, asked: str, uri: str) -> None:
    assert body(replace(ADMITTED, path=path), "vsa", resource=asked)["resourceUri"] == uri


def test_what_is_refused() -> None:
    for report, kinds, asked, said in (
        (replace(ADMITTED, subject=ResourceDescriptor("m", {})), ["svr"], ASKED, "no digest"),
        (with_scan(ADMITTED, reproducible=False), ["test-result"], ASKED, "cut the scan short"),
        (replace(ADMITTED, inventory=None), ["inventory"], ASKED, "only the scan"),
        (ADMITTED, ["verdict"], ASKED, "no statement 'verdict'"),
        (ADMITTED, ["vsa"], replace(ASKED, resource="no uri"), "is no URI"),
    ):
        with pytest.raises(UsageError, match=said):
            statements_of(report, kinds, asked)


def test_each_kind_once_and_in_order() -> None:
    found = statements_of(ADMITTED, ["vsa", "scan", "vsa"], ASKED)
    assert [each.predicate.predicate_type.rsplit("/", 2)[-2] for each in found] == ["verification_summary", "scan"]


def test_real_results_agree_with_their_decision(tmp_path: Path) -> None:
    """For a sample of the test kit's cases: what the statements say is never better than what was decided."""
    seen = set()
    for number, case in enumerate(all_cases()[::40]):
        model = openvet.check(write_case(case, tmp_path / str(number))).models[0]
        if not model.subject.digest:
            continue
        tests, vsa, svr = (body(model, kind) for kind in ("test-result", "vsa", "svr"))
        verdict = model.decision.verdict
        seen.add(verdict)
        assert tests["result"] == {"admit": "PASSED", "review": "WARNED", "reject": "FAILED"}[verdict], case.id
        assert (vsa["verificationResult"] == "PASSED") == (verdict is Verdict.ADMIT)
        assert ("OPENVET_SAFE_TO_LOAD" in svr["properties"]) == (verdict is Verdict.ADMIT)
    assert seen == set(Verdict)


def test_every_fact_says_its_basis_and_where_its_bytes_are(tmp_path: Path) -> None:
    """A source names a file or member of the same inventory, whose file has a digest; the tool has a version and a digest."""
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["B"], "license": "mit"}')
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A\n")
    (tmp_path / "weights.pkl").write_bytes(dump({"epoch": 3}))
    model = openvet.check(str(tmp_path)).models[0]
    found = body(model, "inventory")
    digests = {each["place"]: each["digest"].get("sha256") for each in found["items"]}
    sources = [source for each in found["facts"] for source in each["sources"]]
    assert len(sources) > 2
    for each in found["facts"]:
        assert each["basis"] in BASES
        assert each["sources"] or each["basis"] == "derived"
    for source in sources:
        assert len(digests[source["place"].split("!/")[0]]) == 64
    for value in (found, body(model, "scan")):
        assert value["tool"]["version"] == openvet.__version__
        assert len(value["tool"]["knowledge"]["sha256"]) == 64
        assert value["tool"].keys() == {"name", "version", "knowledge"}


def test_strictness_is_another_policy() -> None:
    report = replace(ADMITTED, decision=decide(ADMITTED.scan, Terms(strict=True)))
    assert body(report, "vsa")["policy"]["uri"].endswith("/only-data/v1")


def test_the_command_offers_every_kind() -> None:
    from openvet.cli.statements import _KINDS

    assert _KINDS == KINDS
