"""``openvet check --policy``: packs beside the built-in decision, by option and by openvet.toml, signed where they have to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.cli import main

PACK = """\
id: acme
version: 1.0.0
title: What we ask
extends: baseline
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
uses: [train-on-outputs]
requirements:
  - {id: A-1, title: Somebody answers for it, clause: "1", source: acme, level: attested, pass: answers.owner != '', severity: high, remedy: Say who.}
  - {id: A-2, title: Outputs may be trained on, clause: "2", source: acme, level: computed, pass: "rights.uses['train-on-outputs'] == 'allowed'", severity: high, remedy: Ask.}
questions:
  - {id: owner, ask: Who answers for it, type: text}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")  # 2026-11-28
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("m", "team/policy"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "m/README.md").write_text("---\nlicense: apache-2.0\n---\n# M\n\nA model for tests.\n")
    header = json.dumps({"w": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}}).encode()
    (tmp_path / "m/model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(64))
    (tmp_path / "team/policy/pack.yaml").write_text(PACK)
    (tmp_path / "answers.yaml").write_text("by: {name: R. Lima}\nanswers: {owner: ML team}\n")
    return tmp_path


def test_a_pack_is_decided_from_what_the_check_found(place: Path) -> None:
    found = run("check", "m", "--policy", "baseline", "--as-of", "2026-11-28")
    assert found.exit_code == 0, found.output
    assert "by baseline@1.0.0 as of 2026-11-28: 12 satisfied-by-evidence, 1 violated" in found.stdout
    # how old the list is and what to do are told, and nothing is stopped by it; from a year on a person looks, and nobody is rejected
    assert "named: the list is 202 days old" in found.stdout
    assert "to do: Give a newer list (`--advisories all.zip`" in found.stdout
    later = run("check", "m", "--policy", "baseline", "--as-of", "2027-06-01")
    assert later.exit_code == 3
    assert "BASE-12  review" in later.stdout
    value = json.loads(run("check", "m", "--policy", "baseline", "--format", "json").stdout)
    assert list(schema("report-v1").iter_errors(value)) == []
    kinds = {each["kind"] for each in value["models"][0]["policies"][0]["inputs"]}
    assert kinds >= {"scan", "rights", "origin", "lineage", "licenses", "advisories", "card"}
    assert "policies" not in json.loads(run("check", "m", "--format", "json").stdout)["models"][0]


def test_the_worst_of_all_decisions_is_the_exit_code(place: Path) -> None:
    found = run("check", "m", "--quiet", "--policy", "team/policy")
    assert found.exit_code == 3
    assert [line.split()[0] for line in found.stdout.splitlines()] == ["ADMIT", "REVIEW"]
    answered = run("check", "m", "--quiet", "--policy", "team/policy", "--answers", "answers.yaml")
    assert answered.exit_code == 0
    assert "1 satisfied-by-attestation" in answered.stdout
    assert run("check", "m", "--quiet", "--policy", "strict").exit_code == 1
    assert (
        run("check", "m", "--quiet", "--policy", "baseline", "--as-of", "2026-11-28").exit_code == 0
    )  # old advisories lead to nothing
    assert (
        run("check", "m", "--quiet", "--policy", "baseline", "--as-of", "2026-11-28", "--fail-on", "violated").exit_code
        == 1
    )
    assert (
        run("check", "m", "--quiet", "--policy", "baseline", "--as-of", "2026-06-01", "--fail-on", "violated").exit_code
        == 0
    )
    assert (
        run(
            "check", "m", "--quiet", "--policy", "team/policy", "--as-of", "2026-06-01", "--fail-on", "violated"
        ).exit_code
        == 3
    )
    assert (
        run(
            "check", "m", "--quiet", "--policy", "team/policy", "--as-of", "2026-06-01", "--fail-on", "indeterminate"
        ).exit_code
        == 1
    )
    assert run("check", "m", "--quiet", "--policy", "strict", "--fail-on", "never").exit_code == 0


def test_uses_of_a_pack_are_asked_of_licences(place: Path) -> None:
    value = json.loads(run("check", "m", "--policy", "team/policy", "--format", "json").stdout)
    rights = next(each["predicate"] for each in value["models"][0]["statements"] if "/rights/" in each["predicateType"])
    assert "train-on-outputs" in rights["asked"]


def test_the_dossier_and_the_page_have_the_decision(place: Path) -> None:
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
        "--report",
        "page.html",
    )
    assert run(*asked).exit_code == 0
    shown = run("dossier", "show", "d", "--key", "owner.key.pub")
    assert "https://openvet/predicates/decision/v1" in shown.stdout
    assert "baseline@1.0.0" in (place / "page.html").read_text()
    signed = json.loads(
        run("dossier", "show", "d", "--key", "owner.key.pub", "--line", str(shown.stdout.count("about m"))).stdout
    )["predicate"]
    again = run(
        "decide", "d", "--key", "owner.key.pub", "--policy", "baseline", "--as-of", "2026-11-28", "--format", "json"
    )
    computed = json.loads(again.stdout)["models"][0]["statements"][0]["predicate"]
    assert computed["requirements"] == signed["requirements"]
    assert computed["inputs"] == signed["inputs"]  # everything that the decision rests on lies beside it


def test_openvet_toml_chooses_packs_answers_and_whom_to_trust(place: Path) -> None:
    config = place / "team/openvet.toml"
    config.write_text('[policy]\npacks = ["policy"]\nanswers = "../answers.yaml"\n')
    found = run("check", "m", "--quiet", "--config", "team/openvet.toml")
    assert found.exit_code == 0, found.output
    assert "by acme@1.0.0" in found.stdout
    config.write_text(config.read_text() + 'trust = "trust.toml"\n')
    (place / "team/trust.toml").write_text(
        '[[key]]\nname = "policy"\nfile = "policy.key.pub"\n'
        '[[grant]]\nsays = ["pack"]\nby = ["policy"]\nmodels = ["acme"]\n'
    )
    assert run("keys", "new", "team/policy.key", "--no-passphrase").exit_code == 0
    unsigned = run("check", "m", "--quiet", "--config", "team/openvet.toml")
    assert unsigned.exit_code == 2
    assert "policy/pack.yaml:1: is not signed as it has to be: missing" in unsigned.stderr
    assert run("sign", "--key", "team/policy.key", "team/policy/pack.yaml").exit_code == 0
    assert run("check", "m", "--quiet", "--config", "team/openvet.toml").exit_code == 0
    (place / "team/policy/pack.yaml").write_text(PACK.replace("severity: high", "severity: low"))
    changed = run("check", "m", "--quiet", "--config", "team/openvet.toml")
    assert changed.exit_code == 2
    assert "is not signed as it has to be: mismatch" in changed.stderr
    assert run("check", "m", "--quiet", "--config", "team/openvet.toml", "--policy", "baseline").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--policy", "nothing"), "there is no pack 'nothing'"),
        (("--answers", "answers.yaml"), "--answers, --as-of, --policy-trust and --advisories belong to --policy"),
        (("--policy", "team/policy", "--answers", "nowhere.yaml"), "nowhere.yaml: No such file"),
        (("--policy", "baseline", "--as-of", "soon"), "--as-of 'soon' is no day"),
    ],
)
def test_what_makes_no_sense_is_said_before_the_model_is_read(
    place: Path, arguments: tuple[str, ...], message: str
) -> None:
    found = run("check", "m", *arguments)
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stdout == ""


def test_a_wrong_policy_table_is_told_with_its_line(place: Path) -> None:
    (place / "team/openvet.toml").write_text('[policy]\npacks = "baseline"\npack = []\n')
    found = run("check", "m", "--config", "team/openvet.toml")
    assert found.exit_code == 2
    assert "packs must be a list of packs" in found.stderr
    assert ":3:" in found.stderr
