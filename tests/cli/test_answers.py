"""The commands that each answer one question: one shape of JSON, what was not read is told, and a path that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openvet.cli.app import app as main

COMMANDS = ("licenses", "lineage", "openness", "origin", "card", "profile")
_BROKEN = "---\nlicense: [apache-2.0\nbase_model: org/base\n---\n# A model\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """A model whose card no parser takes, and whose licence is a link to nowhere."""
    (tmp_path / "README.md").write_text(_BROKEN)
    (tmp_path / "LICENSE").symlink_to("/nowhere/LICENSE")
    return str(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_all_of_them_have_one_shape(command: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    value = json.loads(run(command, "--format", "json", str(tmp_path)).stdout)
    assert {"type", "tool", "models", "errors"} == value.keys()
    (model,) = value["models"]
    assert {"path", "subject", "statements", "unknowns"} <= model.keys()
    assert (model["path"], model["unknowns"], value["errors"]) == (str(tmp_path), [], [])
    assert len(model["statements"]) == 1


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != "profile"])
def test_what_was_not_read_is_told(command: str, broken: str) -> None:
    said = run(command, broken)
    assert said.exit_code == 0
    assert "Not read: 2 places" in said.stdout
    assert "LICENSE: links to /nowhere/LICENSE" in said.stdout
    unknowns = json.loads(run(command, "--format", "json", broken).stdout)["models"][0]["unknowns"]
    assert {(each["reason"], each["location"]["place"]) for each in unknowns} == {("malformed", "README.md"), ("link", "LICENSE")}  # fmt: skip


def test_what_was_not_read_leaves_rights_open(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"license": "mit"}')
    assert run("licenses", "--use", "commercial", str(tmp_path)).exit_code == 0
    (tmp_path / "README.md").write_text(_BROKEN)
    said = run("licenses", "--use", "commercial", str(tmp_path))
    assert said.exit_code == 3
    assert "what README.md says of licences and of base models" in said.stdout


def test_weights_that_were_not_read_leave_rights_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"license": "mit"}')
    (tmp_path / "weights.bin").write_bytes(b"\x80\x04\x95\xff\xff")
    assert run("licenses", "--use", "commercial", str(tmp_path)).exit_code == 0


@pytest.mark.parametrize("command", [*COMMANDS, "fingerprint"])
def test_a_path_that_is_not_there(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(command, "nowhere")
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == "openvet: cannot read nowhere: No such file or directory; check the path and that you may read it\n"  # fmt: skip
    assert "or write hf:org/name for a model of the hub" in run(command, "org/name").stderr


def test_an_origin_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    said = run("lineage", str(tmp_path), f"{tmp_path}/nowhere")
    assert said.exit_code == 2
    assert said.stderr.startswith(f"openvet: cannot read {tmp_path}/nowhere: No such file")
