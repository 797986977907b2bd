"""The guide to deciding by policy: every command of it, in its order, on a small model."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "policy.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
DAY = "2026-11-28"


def run(command: str) -> Result:
    return CliRunner().invoke(main, shlex.split(command)[1:], input="")


def prepare(folder: Path) -> None:
    """What the guide takes for granted: a model, a document, cases of the pack, and a file with one answer."""
    (folder / "my-model").mkdir()
    (folder / "my-model" / "README.md").write_text("---\nlicense: apache-2.0\n---\n# M\n\nA model for tests.\n")
    (folder / "acme" / "cases").mkdir(parents=True)
    (folder / "acme" / "cases" / "a.yaml").write_text(
        "name: one\nas_of: 2026-11-28\nanswers: {owner: R. Lima}\nexpect: {outcomes: {ACME-1: satisfied-by-attestation}}\n"
        "---\nname: none\nas_of: 2026-11-28\nexpect: {verdict: review}\n"
    )
    (folder / "training.pdf").write_text("who was trained\n")
    (folder / "owner.yaml").write_text("by: {name: R. Lima}\nanswers: {owner: R. Lima}\n")


def test_every_command_does_what_the_guide_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENVET_KEY_PASSPHRASE", "guide")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")  # the day of the guide, 2026-11-28
    prepare(tmp_path)
    text = GUIDE.read_text(encoding="utf-8")
    pack = next(block for name, block in BLOCK.findall(text) if name == "yaml" and block.startswith("id: "))
    (tmp_path / "acme" / "pack.yaml").write_text(pack)
    answers = next(block for name, block in BLOCK.findall(text) if name == "yaml" and block.startswith("by:"))
    done = {}
    for name, block in BLOCK.findall(text):
        if name == "toml":  # what further sections have to say comes to the end
            with open("openvet.toml" if block.startswith("[policy]") else "trust.toml", "a", encoding="utf-8") as file:
                file.write(block)
        for command in re.findall(r"^\$ (.*)", block, re.MULTILINE) if name == "console" else ():
            if command.startswith("openvet keys new") and Path(command.split()[3]).exists():
                continue
            if "--by" in command:  # asks at a terminal
                continue
            if "--answers answers.yaml" in command:
                (tmp_path / "answers.yaml").write_text(answers)
            words = command.partition(" | cmp - ")
            found = run(words[0].replace("./dossiers", "."))
            decides = " decide " in words[0] or (" check " in words[0] and "--dossier" not in words[0])
            wanted = {0, 1, 3} if decides else {0}
            assert found.exit_code in wanted, (command, found.output)
            done[command] = found
            if words[2]:
                assert found.stdout == Path(words[2]).read_text(), "a decision is not the same bytes again"
    trusted = next(each for command, each in done.items() if "--trust" in command)
    assert "line 12 does not count: untrusted: scanner is not trusted to say this" in trusted.stderr
    assert "1 satisfied-by-attestation" in trusted.stdout  # the one of whom it is asked
    assert not any(f"predicates/{each}/" in trusted.stderr for each in ("scan", "inventory", "rights", "origin"))
    signed = [each for command, each in done.items() if command == "openvet check ./my-model"]
    assert [each.exit_code in {0, 3} for each in signed] == [True]
    (tmp_path / "acme" / "pack.yaml").write_text(pack.replace("severity: high", "severity: low"))
    for command in ("openvet check ./my-model", "openvet decide ./dossier --key owner.key.pub --policy acme"):
        refused = run(command)
        assert refused.exit_code == 2, refused.output
        assert "is not signed as it has to be: mismatch: the signature is good, but the model is not what was signed: pack.yaml (changed" in refused.stderr  # fmt: skip
    changed = next(each for command, each in done.items() if "--since" in command)
    assert "EU-5.ba    not-yet-in-force -> indeterminate" in changed.stdout
    assert len(done) > 20


def test_the_outcomes_and_what_they_lead_to_are_those_of_the_code() -> None:
    from openvet.evidence.predicates.decision_v1 import OUTCOMES
    from openvet.policy.pack import DEFAULT_VERDICTS

    rows = dict(re.findall(r"^\| `([\w-]+)` \| .* \| ([^|]+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rows) == set(OUTCOMES)
    for outcome, row in rows.items():
        told = {
            severity: verdict
            for verdict, named in re.findall(r"(\w+)(?: \(([^)]*)\))?", row)
            for severity in (named.split(", ") if named else ("all",))
        }
        by = DEFAULT_VERDICTS.get(outcome)
        assert told == ({"all": "admit"} if by is None else {str(each): str(verdict) for each, verdict in by.items()})
