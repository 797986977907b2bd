"""A pack's decision as VSA and SVR: what they say, what they must not, and that they are the same bytes again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evidence.vectors import FOLDER
from tests.reports.test_snapshots import schema

from openvet.cli import decide as command
from openvet.cli import main
from openvet.errors import UsageError
from openvet.evidence.predicates.decision_v1 import DecisionV1, Waived
from openvet.evidence.signing import parse_statement, statement_bytes, statement_digest
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.pack_results import RESULTS, result_statement

SUBJECT = ResourceDescriptor("m", {"sha256": "ab" * 32})


def vector() -> DecisionV1:
    found = parse_statement((FOLDER / "decision-lines.json").read_bytes()).predicate
    assert isinstance(found, DecisionV1)
    return found


def admitted(decision: DecisionV1, **changes: Any) -> DecisionV1:
    """The same where every line leads to nothing."""
    lines = tuple(replace(each, verdict="admit") for each in decision.lines)
    return replace(decision, lines=lines, verdict="admit", **changes)


def body(kind: str, decision: DecisionV1, resource: str = "") -> dict[str, Any]:
    made = result_statement(kind, SUBJECT, decision, resource)
    read = parse_statement(statement_bytes(made))
    name = {"vsa": "verification-summary-v1", "svr": "svr-v0"}[kind]
    assert list(schema(name).iter_errors(dict(read.body))) == []
    return dict(read.body)


def test_the_names_are_those_of_the_command() -> None:
    assert command.RESULTS == RESULTS


def test_a_summary_of_what_did_not_pass_says_so_and_no_more() -> None:
    decision = vector()
    assert decision.verdict != "admit"
    found = body("vsa", decision)
    assert (found["verificationResult"], found["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert found["timeVerified"] == f"{decision.as_of}T00:00:00Z"
    assert found["policy"]["digest"] == {"sha256": decision.pack.files[0]}
    assert found["policy"]["uri"].startswith(f"https://openvet/packs/{decision.pack.id}/v{decision.pack.version}")
    assert [each["digest"]["sha256"] for each in found["inputAttestations"]] == [
        each.sha256 for each in decision.inputs
    ]
    assert found["resourceUri"] == f"https://openvet/models/sha256/{'ab' * 32}"
    assert body("vsa", decision, "pkg:huggingface/org/m@1")["resourceUri"] == "pkg:huggingface/org/m@1"
    with pytest.raises(UsageError, match="is no URI"):
        result_statement("vsa", SUBJECT, decision, "my model")


def test_what_a_person_has_to_look_at_has_not_passed() -> None:
    decision = replace(admitted(vector()), verdict="review")
    assert body("vsa", decision)["verificationResult"] == "FAILED"
    assert not any("ADMITTED" in each for each in body("svr", decision)["properties"])


def test_waivers_and_a_configuration_are_part_of_what_passed() -> None:
    decision = admitted(vector(), configuration="")
    bare = replace(decision, lines=tuple(replace(each, waived=None) for each in decision.lines))
    name = decision.pack.id.upper().replace("-", "_")
    assert body("vsa", bare)["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED", f"OPENVET_ADMITTED_BY_PACK_{name}"]
    waived = replace(bare, lines=(replace(bare.lines[0], waived=Waived("o", "r", "2027-01-01")), *bare.lines[1:]))
    assert body("vsa", waived)["verifiedLevels"][1] == f"OPENVET_ADMITTED_BY_PACK_{name}_WITH_WAIVERS"
    team = replace(bare, configuration="cd" * 32)
    assert body("vsa", team)["policy"]["uri"].endswith(f"?configuration={'cd' * 32}")
    assert body("svr", team)["verifier"]["policies"][-1] == {"name": "openvet.toml", "digest": {"sha256": "cd" * 32}}
    assert all(each.get("name") != "openvet.toml" for each in body("svr", bare)["verifier"]["policies"])


def test_properties_are_the_lines_that_hold_each_with_how_that_is_known() -> None:
    decision = vector()
    said_by = replace(decision.lines[0], id="SAID", outcome="satisfied-by-attestation")
    decision = replace(decision, lines=(*decision.lines, said_by))
    outcomes = {each.id: each.outcome for each in decision.lines}
    assert {"satisfied-by-evidence", "satisfied-by-attestation", "violated"} <= set(outcomes.values())
    said = body("svr", decision)["properties"]
    wanted = [
        f"OPENVET_{outcome.upper().replace('-', '_')}:{decision.pack.id}/{line}"
        for line, outcome in outcomes.items()
        if outcome.startswith("satisfied")
    ]
    assert said == wanted
    assert not any("COMPLI" in each.upper() or "CONFORM" in each.upper() for each in said)


# --- from a dossier ---


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


DECIDE = (
    "decide",
    "d",
    "--key",
    "owner.key.pub",
    "--policy",
    "baseline",
    "--as-of",
    "2026-11-28",
    "--fail-on",
    "never",
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m/README.md").write_text("---\nlicense: apache-2.0\n---\n# M\n\nA model for tests.\n")
    assert run("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase").exit_code == 0
    asked = (
        "check",
        "m",
        "--policy",
        "baseline",
        "--dossier",
        "d",
        "--sign",
        "owner.key",
        "--quiet",
        "--fail-on",
        "never",
    )
    assert run(*asked).exit_code == 0
    return tmp_path


def test_they_are_the_same_bytes_on_another_day_and_no_evidence_for_the_next(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [f"--statement={each}" for each in RESULTS]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")
    first = run(*DECIDE, *kinds).stdout
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1827403200")
    assert run(*DECIDE, *kinds).stdout == first
    assert len(first.splitlines()) == len(RESULTS)
    decision, svr, vsa = (parse_statement(line.encode()) for line in first.splitlines())
    assert decision.predicate is not None
    inputs = {each["sha256"] for each in decision.body["inputs"]}
    assert {each["digest"]["sha256"] for each in vsa.body["inputAttestations"]} == inputs
    assert svr.subjects == vsa.subjects == decision.subjects
    assert run(*DECIDE, *kinds, "--sign", "owner.key", "--output", "r.json").exit_code == 0
    for at, line in enumerate(Path("r.json").read_text().splitlines()):
        Path(f"{at}.json").write_text(line + "\n")
        assert run("dossier", "add", "d", f"{at}.json", "--key", "owner.key").exit_code == 0
    assert run(*DECIDE, *kinds).stdout == first
    shown = run("statement", "r.json", "--key", "owner.key.pub")
    assert "PASSED (SLSA_BUILD_LEVEL_UNEVALUATED, OPENVET_ADMITTED_BY_PACK_BASELINE)" in shown.stdout


def test_somebody_elses_summary_is_evidence(place: Path) -> None:
    from openvet.evidence.predicates.verification_summary_v1 import VerificationSummary
    from openvet.evidence.signing import sign_statement, to_line
    from openvet.workflows.keys import read_private

    vsa = parse_statement(run(*DECIDE, "--statement", "vsa").stdout.encode())
    assert isinstance(vsa.predicate, VerificationSummary)
    theirs = Statement(vsa.subjects[0], replace(vsa.predicate, verifier="https://example.com/verifier"))
    key = read_private("owner.key", lambda _: b"")
    Path("theirs.json").write_bytes(to_line(sign_statement(theirs, key)) + b"\n")
    assert run("dossier", "add", "d", "theirs.json", "--key", "owner.key").exit_code == 0
    decision = json.loads(run(*DECIDE, "--statement", "decision").stdout)["predicate"]
    assert {"kind": "vsa", "predicateType": "https://slsa.dev/verification_summary/v1", "sha256": statement_digest(theirs)} in decision["inputs"]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--sign", "owner.key"), "--sign belongs to --statement"),
        (("--resource", "pkg:a/b@1"), "--resource belongs to --statement vsa"),
        (("--statement", "svr", "--resource", "pkg:a/b@1"), "--resource belongs to --statement vsa"),
        (("--statement", "vsa", "--resource", "no uri"), "'no uri' is no URI"),
        (("--statement", "vsa", "--since", "2026-01-01"), "one of the two"),
        (("--statement", "scan",), "'scan' is not one of"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(place: Path, more: tuple[str, ...], message: str) -> None:
    found = run(*DECIDE, *more)
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stdout == ""
