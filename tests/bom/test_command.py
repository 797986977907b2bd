"""``openvet bom``: what it writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from openvet.cli import main
from tests.bom.forms import cyclonedx_errors, spdx_errors
from tests.bom.models import MODELS, whole


def run(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(main, ["bom", *arguments])
    assert found.exit_code == code, found.output
    return found.stdout


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(whole(tmp_path))


def test_a_path_alone_is_a_bill(model: str) -> None:
    document = json.loads(run(model))
    assert document == json.loads(run("create", model))
    assert cyclonedx_errors(document) == []


def test_spdx(model: str, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    assert run("--form", "spdx", "-o", str(target), model) == ""
    assert spdx_errors(json.loads(target.read_text())) == []


def test_the_time_is_said_where_one_is_given(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(run("--time", "2026-11-28", model))["metadata"]["timestamp"] == "2026-11-28T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert json.loads(run(model))["metadata"]["timestamp"] == "1970-01-02T00:00:00Z"


def test_a_package_url(tmp_path: Path) -> None:
    model = str(MODELS["bare"](tmp_path))
    document = json.loads(run("--purl", "pkg:huggingface/Org/Name", model))
    assert document["components"][0]["purl"] == "pkg:huggingface/Org/Name"
    run("--purl", "nonsense", model, code=2)


def test_coverage(model: str) -> None:
    text = run("--coverage", model)
    assert "of 50 minimum elements" in text
    assert "MDL-12" in text
    assert len(json.loads(run("--coverage", "--format", "json", model))["elements"]) == 50


@pytest.mark.parametrize("wrong", [("no-such-path",), ("--format", "json", "."), (".", "."), ("--time", "noon", ".")])
def test_wrong_use(wrong: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(*wrong, code=2)


def test_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = whole(tmp_path)
    run("-o", "one.json", str(model))
    (model / "LICENSE").write_text("Other\n")
    run("-o", "two.json", str(model))
    assert "the same in both" in run("diff", "one.json", "one.json")
    text = run("diff", "one.json", "two.json", code=1)
    assert "hash sha256" in text
    assert json.loads(run("diff", "-f", "json", "one.json", "two.json", code=1))["changes"][0]["component"]
    for content in ("{", "[]", '{"a": 1, "a": 2}', "[" * 100_000):
        Path("three.json").write_text(content)
        run("diff", "one.json", "three.json", code=2)
    run("diff", "one.json", "none.json", code=2)


def test_as_a_statement(model: str) -> None:
    for kind, form, errors in (
        ("cyclonedx", "https://cyclonedx.org/bom", cyclonedx_errors),
        ("spdx", "https://spdx.dev/Document/v3", spdx_errors),
    ):
        found = CliRunner().invoke(
            main, ["check", "--statement", kind, "--resource", "pkg:huggingface/acme/mini", model]
        )
        statement = json.loads(found.stdout)
        assert statement["predicateType"] == form
        assert errors(statement["predicate"]) == []
        assert "pkg:huggingface/acme/mini" in found.stdout


def test_a_signed_bill_is_told_as_one(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    calls = (
        ["keys", "new", "k", "--kind", "ed25519", "--no-passphrase"],
        ["check", model, "--statement", "cyclonedx", "--statement", "spdx", "--sign", "k", "-o", "s.json"],
        ["statement", "s.json", "--key", "k.pub", "--model", model],
    )
    found = [CliRunner().invoke(main, each) for each in calls]
    assert [each.exit_code for each in found] == [0, 1, 0]  # rejected: its requirements name a host that nobody knows
    assert "a bill of materials: CycloneDX 1.7, components: " in found[2].stdout
    assert "a bill of materials: SPDX 3.0.1, components: " in found[2].stdout
