"""rules, explain, formats, doctor: what the tool says about itself."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main
from openvet.core.registry import Broken, Registered
from openvet.reports._wording import UNREAD
from openvet.workflows.knowledge import all_formats, rule_texts


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"COLUMNS": "100"})


def test_rules_are_all_listed() -> None:
    shown = call("rules").stdout
    value = json.loads(call("rules", "--format", "json").stdout)
    assert [each["id"] for each in value] == [each.id for each in rule_texts()]
    assert all(f"\n{each.id} " in f"\n{shown}" for each in rule_texts())
    assert all(len(line) <= 100 for line in shown.splitlines())


@pytest.mark.parametrize("rule", [each.id for each in rule_texts()])
def test_every_rule_is_explained(rule: str) -> None:
    found = call("explain", rule)
    assert found.exit_code == 0
    for heading in ("What it finds", "Why it matters", "Example", "Remedy", "What it cannot see", "References"):
        assert f"\n{heading}\n  " in found.stdout
    assert json.loads(call("explain", "-f", "json", rule).stdout)["id"] == rule


@pytest.mark.parametrize("reason", UNREAD)
def test_every_reason_why_something_was_not_read_is_explained(reason: str) -> None:
    found = call("explain", f"unknown:{reason}")
    assert found.exit_code == 0
    assert UNREAD[reason].meaning in found.stdout


def test_a_rule_may_be_named_as_the_decision_names_it() -> None:
    assert call("explain", "rule:house/broken-plugin").stdout == call("explain", "house/broken-plugin").stdout


def test_formats_are_all_listed() -> None:
    value = json.loads(call("formats", "--format", "json").stdout)
    assert [each["id"] for each in value] == [each.id for each in all_formats()]
    assert set(value[0]) == {"id", "title", "extensions", "media_types", "can_tell", "cannot_tell", "refines", "reader"}
    shown = call("formats").stdout
    assert shown.startswith("Read\n")
    assert all(f"\n  {each.id} " in shown for each in all_formats())


def test_one_format_says_what_it_cannot_tell() -> None:
    shown = call("formats", "safetensors").stdout
    assert "  cannot tell:\n    - " in shown


def test_a_sound_installation() -> None:
    found = call("doctor")
    assert "FAIL" not in found.stdout
    assert found.exit_code == 0
    value = json.loads(call("doctor", "--format", "json").stdout)
    assert all(each["ok"] for each in value["checks"])
    assert value["limits"]["depth"] == 8


def test_a_broken_plugin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Registered((), (Broken("openvet.formats: acme", "ImportError: no \x1b acme"),))
    monkeypatch.setattr("openvet.inventory.identify.formats", lambda: broken)
    found = call("doctor")
    assert found.exit_code == 1
    assert "FAIL  plug-ins: openvet.formats: acme: ImportError: no \\x1b acme; repair or uninstall" in found.stdout


def test_a_fault_of_the_installation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ImportError("no such thing")

    monkeypatch.setattr("openvet.workflows.knowledge.rule_texts", broken)
    found = call("doctor")
    assert (found.exit_code, "FAIL  rules: ImportError: no such thing" in found.stdout) == (1, True)


def test_a_reason_is_explained_as_the_report_spells_it() -> None:
    short, long = (CliRunner().invoke(main, ["explain", word]) for word in ("no-reader", "unknown:no-reader"))
    assert (short.exit_code, short.stdout) == (0, long.stdout)


def test_limits_and_formats_complete() -> None:
    def completed(words: str, at: int) -> list[str]:
        settings = {"_OPENVET_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        return CliRunner().invoke(main, [], prog_name="openvet", env=settings).stdout.split()

    assert completed("openvet check --limit dec", 3) == ["plain,decoded_bytes="]
    assert completed("openvet formats safe", 2) == ["plain,safetensors"]
