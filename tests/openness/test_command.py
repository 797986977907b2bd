"""``openvet openness`` as a person and as a script meet it, and the statement that a check makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.openness.releases import CONFIG, LINKED, WEIGHTS, card, complete, folder, linked, record
from tests.reports.test_snapshots import schema
from tests.snapshots.snapshot import matches

import openvet
from openvet.cli import main
from openvet.evidence.predicates.openness_v1 import OpennessV1
from openvet.evidence.signing import parse_statement

RELEASES = {
    "weights-alone": {"model.safetensors": WEIGHTS, "config.json": CONFIG},
    "complete": complete(),
    "linked": linked(),
    "restricted": {
        **linked({**LINKED, "Datasets": ("not/here", "CC-BY-NC-4.0"), "Magic": ("", "")}),
        "README.md": card("license: llama3.1\nextra_gated_fields: {Name: text}"),
    },
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"COLUMNS": "100"})


@pytest.mark.parametrize("name", RELEASES)
def test_text(name: str) -> None:
    folder(RELEASES[name], Path("model"))
    found = run("openness", "model")
    assert found.exit_code == 0
    matches(f"openness/{name}.txt", found.stdout)


def test_text_of_a_record() -> None:
    Path("RECORD.yml").write_bytes(record({**LINKED, "Model parameters (Final)": ("", "")}))
    found = run("openness", "RECORD.yml")
    assert found.exit_code == 0
    matches("openness/record.txt", found.stdout)


def test_everything_is_listed_where_it_is_asked_for() -> None:
    folder({**complete(), **{f"evals/e{at}.py": b"print(1)\n" for at in range(20)}}, Path("model"))
    short, long = run("openness", "model").stdout, run("openness", "--all", "model").stdout
    assert "and 20 more" in short
    assert "evals/e1.py" not in short
    assert "evals/e1.py" in long
    assert "and 15 more" in long


@pytest.mark.parametrize("name", RELEASES)
def test_json_is_the_statement(name: str) -> None:
    folder(RELEASES[name], Path("model"))
    value = json.loads(run("openness", "--format", "json", "--digests", "model").stdout)
    assert list(schema("openness-report-v1").iter_errors(value)) == []
    ((said,),) = (each["statements"] for each in value["models"])
    assert said["predicateType"] == "https://openvet/predicates/openness/v1"
    assert set(said["subject"][0]["digest"]) == {"dirHash"}


def test_a_path_that_is_not_there_fails() -> None:
    assert run("openness", "nowhere").exit_code == 2


def test_a_check_makes_the_statement_where_it_is_asked_for() -> None:
    folder(complete(), Path("model"))
    found = run("check", "model", "--statement", "openness")
    statement = parse_statement(found.stdout.encode().rstrip(b"\n"))
    assert isinstance(statement.predicate, OpennessV1)
    assert [each.reached for each in statement.predicate.readings] == [1, 1]
    assert run("scan", "model", "--statement", "openness").exit_code == 2


def test_a_check_makes_it_for_nobody_else() -> None:
    folder(complete(), Path("model"))
    assert set(openvet.check("model").models[0].answers) == {"profile", "card", "lineage", "licenses", "advisories"}
    program = "import sys; from openvet.cli import main\ntry: main(['check', 'model'])\nexcept SystemExit: print([each for each in sys.modules if each.startswith('openvet.openness')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fault_in_it_is_an_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.openness import examine

    folder(complete(), Path("model"))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("no number")

    monkeypatch.setattr(examine, "examine", broken)
    found = run("check", "model", "--statement", "openness")
    assert found.exit_code == 2
    (report,) = openvet.check("model").models
    assert report.unknowns == ()


def test_a_signed_statement_is_read_again() -> None:
    folder(RELEASES["restricted"], Path("model"))
    assert run("keys", "new", "k", "--no-passphrase").exit_code == 0
    signed = run("check", "model", "--statement", "openness", "--sign", "k", "-o", "s.json")
    assert signed.exit_code == 0, signed.stderr
    found = run("statement", "s.json", "--key", "k.pub", "--model", "model")
    assert found.exit_code == 0
    assert "class of the Model Openness Framework: declared none, files none" in found.stdout
    assert "lines of checklists with something against them: 3" in found.stdout
