"""``openvet licenses --use``: what it prints, how it ends, and what ``--base`` may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main
from openvet.evidence.predicates.rights_v1 import RightsV1
from openvet.reports.rights import NO_ADVICE, compose_rights
from openvet.testing.case import Case, write_case
from openvet.testing.forge_rights import RIGHTS
from tests.licenses.made import asked_of, licenses, lineage
from tests.reports.test_snapshots import schema


@pytest.fixture
def llama(tmp_path: Path) -> str:
    """A fine-tune of Llama 3.1 that says Apache-2.0."""
    return str(write_case(Case("license/x", "", RIGHTS["llama-as-apache"].data, "admit"), tmp_path))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["licenses", *arguments])


def one(result: Result) -> dict[str, Any]:
    """The predicate of the one model in a JSON report."""
    value = json.loads(result.stdout)
    assert list(schema("rights-report-v1").iter_errors(value)) == []
    assert value["errors"] == []
    (model,) = value["models"]
    (statement,) = model["statements"]
    body: dict[str, Any] = statement["predicate"]
    assert list(schema("rights-v1").iter_errors(body)) == []
    assert model["verdict"] == RightsV1.from_json(body).verdict
    return body


def test_every_line_of_the_report_has_a_clause_or_says_what_it_needs(llama: str) -> None:
    result = run("--use", "commercial,eu,redistribute", llama)
    assert result.exit_code == 3, result.output
    text = " ".join(result.stdout.split())
    for part in (
        "commercial: depends", "eu: allowed", "redistribute: allowed", "to know: how many monthly active users",
        "Llama 3.1 Community License Agreement 2024, 1.b.i", '"non-exclusive, worldwide, non-transferable', "To ship", "To show", "To name",
        "Built with Llama", "license/restriction-dropped", "against it: Apache-2.0, 2", NO_ADVICE,
    ):  # fmt: skip
        assert part in text
    assert result.stdout.count(NO_ADVICE) == 1
    assert "compliant" not in text


@pytest.mark.parametrize(
    ("uses", "code"), [("commercial,10M-mau,redistribute", 0), ("commercial", 3), ("eu", 0), ("commercial,900M-mau", 3)]
)
def test_how_it_ends(llama: str, uses: str, code: int) -> None:
    assert run("--use", uses, llama).exit_code == code
    assert run("--use", uses, "--format", "json", llama).exit_code == code


def test_json_is_a_rights_statement(llama: str) -> None:
    body = one(run("--use", "commercial,train-on-outputs", "--format", "json", llama))
    assert body["asked"] == ["commercial", "train-on-outputs"]
    assert [each["relation"] for each in body["works"]] == ["self", "finetune"]
    assert {each["kind"] for each in body["drifts"]} == RIGHTS["llama-as-apache"].notes


def test_a_base_may_be_a_folder_a_bill_or_a_licence(llama: str, tmp_path: Path) -> None:
    name = "meta-llama/Llama-3.1-8B"
    base = tmp_path / "base"
    base.mkdir()
    (base / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# Base\n")
    for given in (f"{name}={base}", str(base)):
        result = run("--use", "commercial", "--base", given, "--format", "json", llama)
        assert result.exit_code == 1
        assert one(result)["works"][1]["known"] == "given"
    said = CliRunner().invoke(main, ["check", "--statement", "licenses", str(base)])
    assert said.exit_code in (0, 3), said.output
    (tmp_path / "base.jsonl").write_text(said.stdout)
    result = run("--use", "commercial", "--base", f"{name}={tmp_path / 'base.jsonl'}", "--format", "json", llama)
    assert result.exit_code == 1
    assert "not verified here" in one(result)["works"][1]["note"]
    bill = tmp_path / "bill.json"
    component = {"type": "machine-learning-model", "name": "Llama", "purl": f"pkg:huggingface/{name}@abc", "licenses": [{"license": {"id": "CC-BY-NC-4.0"}}]}  # fmt: skip
    bill.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}))
    assert run("--use", "commercial", "--base", str(bill), llama).exit_code == 1
    assert run("--use", "commercial", "--base", f"{name}=mit", llama).exit_code == 0
    assert run("--use", "commercial", "--base", f"{name}=MIT AND CC-BY-NC-4.0", llama).exit_code == 1
    assert run("--use", "commercial", "--base", f"pkg:huggingface/{name}=mit", llama).stderr == ""


def test_a_base_that_counts_for_nothing_is_told(llama: str, tmp_path: Path) -> None:
    name = "meta-llama/Llama-3.1-8B"
    result = run("--use", "commercial", "--base", "Llama-3.1=mit", llama)
    assert result.stderr == f"--base Llama-3.1=...: counted for nothing: no such work is named; named are {name}\n"
    assert run("--use", "commercial", "--base", "mit", llama).stderr == ""
    merge = tmp_path / "merge"
    merge.mkdir()
    (merge / "README.md").write_text("---\nlicense: mit\nbase_model:\n- org/a\n- org/b\n---\n# Merge\n")
    result = run("--use", "commercial", "--base", "mit", str(merge))
    assert "not exactly one base model: write NAME=...; named are org/a, org/b" in result.stderr
    assert run("--use", "commercial", "--base", "org/a=mit", str(merge)).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--use", "comercial"], "did you mean commercial?"),
        (["--use", "commercial", "--base", "org/base=no-such-thing"], "neither a path nor a licence"),
        (["--use", "commercial", "--base", "="], "write PATH"),
        (["--base", "mit"], "--base belongs to --use"),
        (["--statement"], "--statement belongs to --use"),
        (["--use", "eu", "--sign", "key"], "--sign belongs to --statement"),
        (["--use", "eu", "--statement", "--format", "json"], "exclude each other"),
    ],
)
def test_what_makes_no_sense_is_refused(llama: str, arguments: list[str], says: str) -> None:
    result = run(*arguments, llama)
    assert result.exit_code == 2
    assert says in result.output or says in str(result.exception)


def test_a_statement_names_what_it_is_about_and_may_be_signed(llama: str, tmp_path: Path) -> None:
    from openvet.evidence.signing import parse_line, parse_statement
    from openvet.evidence.verifier import verify_with_key
    from openvet.workflows.keys import read_public

    result = run("--use", "eu", "--statement", llama)
    assert result.exit_code == 0
    found = parse_statement(result.stdout.encode())
    assert isinstance(found.predicate, RightsV1)
    assert json.loads(result.stdout)["subject"][0]["digest"].keys() == {"dirHash"}
    keys = CliRunner().invoke(main, ["keys", "new", str(tmp_path / "signer.key"), "--no-passphrase"])
    assert keys.exit_code == 0, keys.output
    signed = run("--use", "eu", "--statement", "--sign", str(tmp_path / "signer.key"), llama)
    assert signed.exit_code == 0, signed.output
    bundle = parse_line(signed.stdout.strip().encode(), "line")
    verified = verify_with_key(bundle, read_public(str(tmp_path / "signer.key.pub")))
    assert verified.payload == result.stdout.strip().encode()


def test_the_worst_of_several_models_counts(llama: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# Other\n")
    assert run("--use", "commercial,1M-mau", llama, str(other)).exit_code == 1
    assert run("--use", "commercial,1M-mau", llama, str(tmp_path / "nothing")).exit_code == 2


def test_what_a_package_says_counts_where_nothing_else_does() -> None:
    from dataclasses import replace

    said = licenses("mit", "apache-2.0")
    inside = replace(said, declared=tuple(replace(each, scope="part") for each in said.declared))
    rights = asked_of(inside, "commercial")
    assert rights.works[0].taken == ("MIT", "Apache-2.0")
    assert "differ" in rights.works[0].note


def test_many_data_sets_are_one_line() -> None:
    rights = asked_of(licenses("mit"), "commercial", *((f"data/set{n}", "trained-on") for n in range(40)))
    assert len(rights.answers[0].reasons) == 2
    text = compose_rights("model", rights)
    assert "and 37 data sets more" in text
    assert "data/set39" not in text
    assert "data/set39" in compose_rights("model", rights, everything=True)
    assert len(lineage(("a/b", "trained-on")).nodes) == 2
