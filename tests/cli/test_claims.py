"""``openvet claims``: exit codes, forms, statements that are signed and read back, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema
from tests.snapshots.snapshot import matches

from openvet.cli import main
from openvet.cli.claims import OPTIONS
from openvet.core.text import printable
from openvet.evidence.keys import generate
from openvet.evidence.predicates.claims_v1 import VERDICTS, Claims
from openvet.evidence.signing import parse_statement
from openvet.profile.claims.keys import KEYS
from openvet.reports.claims import compose
from openvet.reports.look import Look
from openvet.workflows.claims import Source, examine_claims, published_names


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["claims", *arguments], env={"COLUMNS": "100", **environment})


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--published", "bloom-176b"], 0),
        (["--published", "palm-540b"], 1),
        (["--published", "opt-175b"], 3),
        (["--parameters", "1e9"], 0),
        (["--published", "bloom-175b"], 2),
        (["--parameters", "many"], 2),
        ([], 2),
        (["run.toml", "--published", "bloom-176b"], 2),
        (["nowhere.toml"], 2),
        (["--published", "bloom-176b", "--sign", "a.key"], 2),
        (["--published", "bloom-176b", "--model", "."], 2),
        (["--published", "bloom-176b", "--statement", "--format", "json"], 2),
        (["--set", "training.tokens"], 2),
        (["--set", "training.token=1"], 2),
        (["--parameters", "1e9", "--statement"], 2),
        (["--list", "--format", "json"], 2),
    ],
    ids=str,
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    found = run(*arguments)
    assert found.exit_code == code, found.output
    assert "fault" not in found.stderr
    assert (found.stdout == "") == (code == 2)


@pytest.mark.parametrize(
    "row", ["bloom-176b", "opt-175b", "palm-540b", "deepseek-v3", "deepseek-serving-day", "gpt-3-175b"]
)
def test_the_whole_report(row: str) -> None:
    found = run("--published", row)
    matches(f"claims/{row}.txt", found.stdout)
    assert max(map(len, found.stdout.splitlines())) <= 100
    assert "\x1b" not in found.stdout
    assert "\x1b[" in run("--published", row, FORCE_COLOR="1").stdout


@pytest.mark.parametrize("shown", ["--list", "--keys", "--chips"])
def test_what_can_be_listed(shown: str) -> None:
    found = run(shown)
    assert found.exit_code == 0
    matches(f"claims/{shown[2:]}.txt", found.stdout)
    assert max(map(len, found.stdout.splitlines())) <= 150


def test_every_key_is_explained() -> None:
    text = run("--keys").stdout
    assert [each.leaf for each in KEYS.values() if f"  {each.leaf} (" not in text] == []


def test_options_are_the_keys_that_have_one() -> None:
    assert [key for key, _ in OPTIONS.values()] == [each.name for each in KEYS.values() if each.option]
    assert list(OPTIONS) == [each.leaf for each in KEYS.values() if each.option]


@pytest.mark.parametrize("row", published_names())
def test_json_obeys_its_schema_and_has_every_digit(row: str) -> None:
    value = json.loads(run("--published", row, "--format", "json").stdout)
    assert list(schema("claims-report-v1").iter_errors(value)) == []
    assert value["verdict"] in VERDICTS
    assert Claims.from_json(value["claims"]) == examine_claims(Source(published=row)).claims


def test_options_leave_no_subject() -> None:
    value = json.loads(run("--published", "bloom-176b", "--pue", "1.1", "--format", "json").stdout)
    assert value["subject"] is None
    assert list(schema("claims-report-v1").iter_errors(value)) == []


def test_a_signed_statement_is_verified_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key = generate("ed25519")
    Path("me.key").write_bytes(key.pem())
    Path("me.key.pub").write_bytes(key.public.pem)
    Path("run.toml").write_text(
        'name = "R\u00fcn"\n[training]\nchip_hours = 50\nusd_per_chip_hour = 2\n[published]\ncost_usd = 100\n'
    )
    found = run("run.toml", "--statement", "--sign", "me.key", "--output", "claims.json")
    assert found.exit_code == 0, found.output
    assert "the statement is in claims.json" in found.stderr
    told = CliRunner().invoke(main, ["statement", "claims.json", "--key", "me.key.pub", "--model", "run.toml"])
    assert told.exit_code == 0, told.output
    assert "claims about R\u00fcn: consistent" in told.stdout
    assert "cost_usd: consistent" in told.stdout
    Path("run.toml").write_text(Path("run.toml").read_text().replace("100", "101"))
    told = CliRunner().invoke(main, ["statement", "claims.json", "--key", "me.key.pub", "--model", "run.toml"])
    assert told.exit_code == 1


def test_a_statement_about_a_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    found = run("--published", "palm-540b", "--tokens", "7e11", "--statement", "--model", str(tmp_path / "model"))
    assert found.exit_code == 1, found.output
    statement = parse_statement(found.stdout.strip().encode())
    assert statement.subjects[0].name == "model"
    assert list(statement.subjects[0].digest) == ["dirHash"]
    assert (
        found.stdout
        == run("--published", "palm-540b", "--tokens", "7e11", "--statement", "--model", str(tmp_path / "model")).stdout
    )


def test_a_file_is_not_overwritten_by_its_report(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[training]\ntokens = 1\n")
    assert run(str(path), "--output", str(path)).exit_code == 2
    assert path.read_text() == "[training]\ntokens = 1\n"


def test_nothing_of_a_stranger_reaches_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'name = "a\\u001b[31m"\nnotes = ["\\u202e b"]\nsource = "\\u0007"\n[training]\ntokens = 1\nchip = "x\\u001b"\npeak_flop_per_second = 1\n'
    )
    found = run(str(path))
    assert found.exit_code == 0, found.output
    assert "\x1b" not in found.stdout
    assert "\u202e" not in found.stdout
    assert printable("a\x1b[31m") in found.stdout


def test_narrow_and_ascii() -> None:
    claims = examine_claims(Source(published="palm-540b")).claims
    narrow = compose(claims, Look(width=60, unicode=False))
    assert narrow.isascii()
