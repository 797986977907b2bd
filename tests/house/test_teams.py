"""What teams put into their own repositories: the action, the hooks and the job say what is there, and are pinned."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Context
from jsonschema import Draft7Validator
from tests.browser.models import ordinary, tuned

from openvet.cli import main
from openvet.cli.check import check

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
GITLAB = ROOT / "templates" / "openvet.gitlab-ci.yml"
SCRIPT = ROOT / "tools" / "action.sh"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options() -> set[str]:
    return {name for each in check.params for name in each.opts}


def test_the_action_obeys_its_schema() -> None:
    schema = json.loads((ROOT / "tests/vendor/github-action.json").read_text(encoding="utf-8"))
    assert list(Draft7Validator(schema).iter_errors(load(ACTION))) == []


def test_the_action_is_pinned_and_puts_no_input_into_a_script() -> None:
    """What somebody writes into a pull request's title or a matrix must not become part of a command."""
    for step in load(ACTION)["runs"]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")
    told = load(ACTION)
    used = set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text(encoding="utf-8")))
    assert used == set(told["inputs"])
    asked = set(re.findall(r"OPENVET_[A-Z_]+", ACTION.read_text(encoding="utf-8")))
    assert asked <= set(re.findall(r"OPENVET_[A-Z_]+", SCRIPT.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [SCRIPT, GITLAB, HOOKS], ids=lambda path: path.name)
def test_the_options_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    commands = re.findall(r"openvet\"? check((?:[^|\n]|\\\n)*)", text)
    assert commands
    named = {option for each in commands for option in re.findall(r"--[a-z-]+", each)}
    assert named
    assert named <= options()
    assert "check" in main.list_commands(Context(main))


def test_the_job_for_gitlab() -> None:
    job = load(GITLAB)["openvet"]
    assert job["artifacts"]["reports"] == {"junit": "openvet.xml"}
    assert job["artifacts"]["when"] == "always"
    assert "openvet.html" in job["artifacts"]["paths"]
    script = "\n".join(job["script"])
    assert set(re.findall(r"\$(OPENVET_[A-Z_]+)", script)) == set(job["variables"])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("model.pkl", True), ("a/b/Model.PKL", True), ("weights.safetensors", True), ("pytorch_model.bin", True), ("x.gguf", True),
        ("saved.keras", True), ("README.md", False), ("main.py", False), ("config.json", False), ("pkl", False), ("a.pkl.txt", False),
        ("model.tar.gz", False), ("x.onnx", True),
    ],
)  # fmt: skip
def test_the_hook_is_about_files_of_models(name: str, meant: bool) -> None:
    hook = next(each for each in load(HOOKS) if each["id"] == "openvet")
    assert bool(re.search(hook["files"], name)) is meant


# --- the script of the action ---


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the action would have installed OpenVet."""
    place = tmp_path / "home" / "bin"
    place.mkdir(parents=True)
    (place / "openvet").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m openvet "$@"\n')
    (place / "openvet").chmod(0o755)
    return place.parent


def run(home: Path, folder: Path, **variables: str) -> tuple[int, dict[str, str], str]:
    env = {
        **os.environ,
        "GITHUB_OUTPUT": str(folder / "out"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **variables,
    }
    found = subprocess.run(
        ["bash", str(SCRIPT), "check", str(home)], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    out = (folder / "out").read_text() if (folder / "out").exists() else ""
    summary = (folder / "summary").read_text(encoding="utf-8") if (folder / "summary").exists() else ""
    return (
        found.returncode,
        dict(line.split("=", 1) for line in out.splitlines()),
        summary or found.stderr + found.stdout,
    )


def test_the_action_says_the_decision_and_writes_pages(home: Path, tmp_path: Path) -> None:
    ordinary(tmp_path, "good one")
    tuned(tmp_path, "bad")
    code, out, summary = run(home, tmp_path, OPENVET_PATHS="good one\n\n  bad  \n")
    assert (code, out) == (1, {"verdict": "reject", "page": "openvet.html", "sarif": "openvet.sarif"})
    assert "REJECT: bad" in summary
    assert "ADMIT: good one" in summary
    assert "2 models" in (tmp_path / "openvet.html").read_text(encoding="utf-8")
    assert len(json.loads((tmp_path / "openvet.sarif").read_text(encoding="utf-8"))["runs"]) == 2


@pytest.mark.parametrize(
    ("paths", "fail_on", "code", "verdict"),
    [
        ("good", "review", 0, "admit"), ("bad", "never", 0, "reject"), ("bad", "reject", 1, "reject"), ("odd", "review", 3, "review"),
        ("odd", "reject", 0, "review"), ("nowhere", "never", 2, "failed"), ("", "review", 2, "failed"), ("$(touch hit)\n`touch hit`", "review", 2, "failed"),
    ],
)  # fmt: skip
def test_what_fails_the_job(home: Path, tmp_path: Path, paths: str, fail_on: str, code: int, verdict: str) -> None:
    ordinary(tmp_path, "good")
    tuned(tmp_path, "bad")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "x.dat").write_bytes(b"\x00\x07\xfe" * 500)
    found = run(home, tmp_path, OPENVET_PATHS=paths, OPENVET_FAIL_ON=fail_on)
    assert found[0] == code, found
    assert found[1]["verdict"] == verdict
    assert not (tmp_path / "hit").exists()


def test_a_wrong_fail_on_is_said(home: Path, tmp_path: Path) -> None:
    code, _, said = run(home, tmp_path, OPENVET_PATHS="x", OPENVET_FAIL_ON="sometimes")
    assert code == 2
    assert "review, reject or never" in said
