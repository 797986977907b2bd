"""A team's configuration at work: what it changes in a decision, and what every report says of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator

import openvet
from openvet.cli import main
from openvet.errors import SubjectError, UsageError
from openvet.policy.decision import Acceptance
from openvet.workflows.config import AcceptedCallable
from tests.reports.test_snapshots import VENDORED, schema
from tests.snapshots.snapshot import matches

UNKNOWN = b"cmylib.layers\nrebuild\n(S'a'\ntR."
PROJECT = b"cmylib.layers\nGate\n."
FRAMEWORK = b"csklearn.linear_model\nRidge\n."
DANGEROUS = b"cposix\nsystem\n(S'echo'\ntR."
DATA = b"(lp0\nI1\na."
SHA = hashlib.sha256(UNKNOWN).hexdigest()
TODAY = date(2026, 11, 24)


def stanza(rule: str = "pickle/unknown-callable", digest: str = SHA, expires: str = "2099-01-01") -> str:
    return f'[[accept]]\nrule = "{rule}"\ndigest = "{digest}"\nreason = "read"\nowner = "ann"\nexpires = {expires}\n'


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "OPENVET_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "m.pkl").write_bytes(UNKNOWN)
    return tmp_path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), env={"COLUMNS": "100"})


def verdict(data: bytes, tmp_path: Path, config: openvet.Config, *, strict: bool = False) -> str:
    (tmp_path / "one").mkdir(exist_ok=True)
    (tmp_path / "one" / "m.pkl").write_bytes(data)
    options = openvet.Options(config=config, strict=strict, today=TODAY)
    return str(openvet.check(tmp_path / "one" / "m.pkl", options=options).models[0].decision.verdict)


def held(rule: str, data: bytes, expires: date = date(2030, 1, 1)) -> openvet.Config:
    return openvet.Config(acceptances=(Acceptance(rule, hashlib.sha256(data).hexdigest(), "read", "ann", expires),))


def test_an_acceptance_holds_for_exactly_these_bytes_until_its_day(tmp_path: Path) -> None:
    rule = "pickle/unknown-callable"
    assert verdict(UNKNOWN, tmp_path, held(rule, UNKNOWN)) == "admit"
    assert verdict(UNKNOWN + b"\n", tmp_path, held(rule, UNKNOWN)) == "review"
    assert verdict(UNKNOWN, tmp_path, held("pickle/project-class", UNKNOWN)) == "review"
    assert verdict(UNKNOWN, tmp_path, held(rule, UNKNOWN, TODAY)) == "admit"
    assert verdict(UNKNOWN, tmp_path, held(rule, UNKNOWN, date(2026, 11, 23))) == "review"
    assert verdict(DANGEROUS, tmp_path, held("pickle/runs-process", DANGEROUS)) == "admit"


def test_a_member_and_its_archive_can_both_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/m.pkl", UNKNOWN)
    outer = hashlib.sha256(path.read_bytes()).hexdigest()
    for digest, wanted in ((outer, "admit"), (SHA, "admit"), ("00" * 32, "review")):
        config = openvet.Config(
            acceptances=(Acceptance("pickle/unknown-callable", digest, "read", "ann", date(2030, 1, 1)),)
        )
        model = openvet.check(path, options=openvet.Options(config=config, today=TODAY)).models[0]
        assert str(model.decision.verdict) == wanted
        assert [each.digests for each in model.findings] == [(outer, SHA)]


@pytest.mark.parametrize(
    ("data", "name", "plain", "known"),
    [
        (UNKNOWN, "mylib.layers.rebuild", "review", "admit"),
        (PROJECT, "mylib.layers.Gate", "review", "admit"),
        (FRAMEWORK, "sklearn.linear_model.Ridge", "admit", "admit"),
        (DANGEROUS, "posix.system", "reject", "reject"),
        (b"cmylib\nrun\n(cposix\nsystem\ntR.", "mylib.run", "reject", "reject"),
    ],
)
def test_accepted_callables_are_known_and_still_told(
    data: bytes, name: str, plain: str, known: str, tmp_path: Path
) -> None:
    config = openvet.Config(callables=(AcceptedCallable(name, "ours"),))
    assert verdict(data, tmp_path, openvet.Config()) == plain
    assert verdict(data, tmp_path, config) == known
    model = openvet.check(tmp_path / "one", options=openvet.Options(config=config)).models[0]
    told = [each.message for each in model.findings if each.rule == "pickle/accepted-callable"]
    assert told == ([] if name == "posix.system" else [f"uses {name}, which your team accepts: ours"])
    assert (
        verdict(data, tmp_path, openvet.Config(callables=(AcceptedCallable(name, "x", "", date(2026, 1, 1)),))) == plain
    )


def test_strict_rejects_what_is_not_proven_to_be_data(tmp_path: Path) -> None:
    strict = openvet.Config(strict=True)
    for data, wanted in ((DATA, "admit"), (UNKNOWN, "reject"), (PROJECT, "reject"), (FRAMEWORK, "reject"), (b"\x93\x01\xfe" * 99, "reject")):  # fmt: skip
        assert verdict(data, tmp_path, strict) == wanted
    assert verdict(FRAMEWORK, tmp_path, openvet.Config(), strict=True) == "reject"
    assert verdict(FRAMEWORK, tmp_path, replace(held("pickle/framework-class", FRAMEWORK), strict=True)) == "admit"
    known = openvet.Config(callables=(AcceptedCallable("sklearn.linear_model.Ridge", "ours"),), strict=True)
    assert verdict(FRAMEWORK, tmp_path, known) == "admit"
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "modeling_x.py").write_text("x = 1\n")
    assert str(openvet.check(folder, options=openvet.Options(strict=True)).models[0].decision.verdict) == "reject"


def test_from_review_to_admit_as_a_user_does_it(work: Path) -> None:
    first = call("check", "model")
    assert first.exit_code == 3
    assert "To accept it: openvet check --format acceptances model\n" in first.stdout
    told = call("check", "--format", "acceptances", "model")
    Path("openvet.toml").write_text(told.stdout)
    refused = call("check", "model")
    assert refused.exit_code == 2
    assert "openvet.toml:6: reason must be a text" in refused.stderr
    filled = told.stdout.replace('reason = ""', 'reason = "read"').replace('owner = ""', 'owner = "ann"')
    Path("openvet.toml").write_text(filled.replace('expires = ""', "expires = 2099-01-01"))
    last = call("check", "model")
    assert last.exit_code == 0
    assert last.stdout.startswith("ADMIT  model — 1 file read to the last byte, 1 finding accepted by the team\n")
    assert "→ accepted by ann until 2099-01-01: read" in last.stdout
    assert "openvet.toml (upwards from the working directory), sha256" in last.stdout
    assert call("check", "--no-config", "model").exit_code == 3


def test_every_report_names_the_file_and_its_digest(work: Path) -> None:
    text = stanza()
    Path("openvet.toml").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    value = json.loads(call("check", "--format", "json", "model").stdout)
    assert list(schema("report-v1").iter_errors(value)) == []
    assert (value["config"]["file"], value["config"]["sha256"]) == ("openvet.toml", digest)
    assert value["models"][0]["decision"]["accepted"][0]["reason"] == "read"
    finding = value["models"][0]["statements"][0]["predicate"]["files"][0]["findings"][0]
    assert (finding["severity"], finding["digests"]) == ("medium", [SHA])
    lines = [json.loads(line) for line in call("check", "--format", "jsonl", "model").stdout.splitlines()]
    assert [list(schema("report-v1", "#/$defs/line").iter_errors(each)) for each in lines] == [[], []]
    assert lines[0]["config"]["sha256"] == lines[1]["config"]["sha256"] == digest
    log = json.loads(call("check", "--format", "sarif", "model").stdout)
    official = json.loads(VENDORED.read_text(encoding="utf-8"))
    official.pop("$schema")
    assert list(Draft7Validator(official).iter_errors(log)) == []
    run = log["runs"][0]
    assert run["properties"]["config"]["sha256"] == digest
    suppression = run["results"][0]["suppressions"][0]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"] == "read (accepted by ann until 2099-01-01)"
    assert digest in call("check", "--format", "markdown", "model").stdout


def test_what_expired_or_matches_nothing_is_told(work: Path) -> None:
    Path("openvet.toml").write_text(
        stanza(expires="2020-01-01") + stanza(digest="00" * 32) + '[[callable]]\nname = "a.b"\nreason = "x"\n'
    )
    found = call("check", "model")
    assert found.exit_code == 3
    wanted = [
        f"openvet.toml:1: the acceptance of pickle/unknown-callable in {SHA[:12]}… expired on 2020-01-01",
        "openvet.toml:7: the acceptance of pickle/unknown-callable in 000000000000… matches nothing here",
        "openvet.toml:13: the callable a.b is used nowhere here",
    ]
    assert found.stderr == "".join(f"openvet: {line}\n" for line in wanted)
    for line in wanted:
        assert line in " ".join(found.stdout.split())
    value = json.loads(call("check", "-f", "json", "model").stdout)
    assert [each["kind"] for each in value["config"]["idle"]] == ["expired", "unused", "unused"]
    log = json.loads(call("check", "-f", "sarif", "model").stdout)
    assert len(log["runs"][0]["invocations"][0]["toolConfigurationNotifications"]) == 3


def test_one_of_several_models_is_enough_for_an_acceptance_to_match(work: Path) -> None:
    Path("openvet.toml").write_text(stanza())
    (work / "other").mkdir()
    (work / "other" / "a.txt").write_text("text")
    for form in ("text", "jsonl"):
        assert "matches nothing" not in call("check", "-f", form, "model", "other").output
    assert "matches nothing" in call("check", "other").stderr


def test_what_the_model_brings_is_ignored_and_told(work: Path) -> None:
    (work / "model" / "openvet.toml").write_text(stanza())
    os.chdir(work / "model")
    found = call("check", ".")
    assert found.exit_code == 3
    assert "ignored: openvet.toml: it lies in ., which is examined" in found.stdout
    assert json.loads(call("check", "-f", "json", ".").stdout)["config"]["ignored"][0]["file"] == "openvet.toml"
    refused = call("check", "--config", "openvet.toml", ".")
    assert refused.exit_code == 2
    assert "--config: openvet.toml is not used: it lies in ., which is examined" in refused.stderr


def test_defaults_yield_to_the_command_line(work: Path) -> None:
    Path("openvet.toml").write_text(
        '[defaults]\nformat = "json"\nfail-on = "reject"\nexclude = ["*.pkl"]\n[limits]\ndepth = 3\n'
    )
    value = json.loads(call("check", "model").stdout)
    scan = value["models"][0]["statements"][0]["predicate"]
    assert (scan["limits"]["depth"], scan["files"][0]["coverage"]) == (3, "unread")
    assert call("check", "model").exit_code == 0
    assert call("check", "--fail-on", "review", "model").exit_code == 3
    assert call("check", "-f", "text", "--exclude", "nothing", "model").stdout.startswith("REVIEW  model — calls mylib")
    changed = json.loads(call("check", "--limit", "depth=5", "--limit", "header=1.5M", "model").stdout)
    limits = changed["models"][0]["statements"][0]["predicate"]["limits"]
    assert (limits["depth"], limits["header"]) == (5, 3 * 2**19)


def test_openvet_config_tells_where_each_value_comes_from(work: Path) -> None:
    Path("openvet.toml").write_text("strict = true\n" + stanza(expires="2020-01-01"))
    value = json.loads(call("config", "--format", "json").stdout)
    assert value["values"]["strict"] == {"value": True, "from": "openvet.toml:1"}
    assert value["values"]["limits.depth"] == {"value": 8, "from": "default"}
    assert value["accept"][0]["expired"] is True
    shown = call("config", "model").stdout
    assert "EXPIRED until 2020-01-01  pickle/unknown-callable in" in shown
    Path("openvet.toml").write_text("strict = 3")
    assert call("config").exit_code == 2


def test_the_report_never_replaces_the_configuration(work: Path) -> None:
    Path("openvet.toml").write_text(stanza())
    assert call("check", "--output", "openvet.toml", "model").exit_code == 2
    assert Path("openvet.toml").read_text() == stanza()


# --- the library ---


def test_a_missing_path_does_not_cost_the_others_their_results(work: Path) -> None:
    report = openvet.check("model", "gone")
    assert [each.path for each in report.models] == ["model"]
    assert [(each.path, each.message) for each in report.errors] == [("gone", "No such file or directory")]
    with pytest.raises(SubjectError, match="gone"):
        openvet.check("gone", "gone too")


def test_options_of_another_kind_are_a_clear_error() -> None:
    with pytest.raises(
        UsageError, match=r"must be an openvet.Options, not a dict; write openvet.Options\(\*\*options\)"
    ):
        openvet.check("x", options={"jobs": 1})  # type: ignore[arg-type]


def test_a_model_has_all_its_findings_at_hand(work: Path) -> None:
    model = openvet.check("model").models[0]
    assert [each.rule for each in model.findings] == ["pickle/unknown-callable"]
    assert model.unknowns == ()


def test_inspect_names_it_as_well(work: Path) -> None:
    Path("openvet.toml").write_text("[limits]\ndepth = 3\n" + stanza())
    value = json.loads(call("inspect", "--format", "json", "model").stdout)
    assert list(schema("inspection-v1").iter_errors(value)) == []
    assert (value["config"]["file"], value["config"]["idle"]) == ("openvet.toml", [])
    assert "openvet.toml (upwards from the working directory), sha256" in call("inspect", "model").stdout


def test_whole_outputs(work: Path) -> None:
    # how far the walk goes up depends on the machine
    nothing = re.sub(r"(?m)^  (\.\./)+openvet\.toml +not there\n", "", call("config").stdout)
    matches("config/nothing.txt", nothing)
    (work / "model" / "openvet.toml").write_text("strict = true\n")
    text = (
        'strict = false\n[defaults]\nexclude = ["*.md"]\n[limits]\ndepth = 4\n'
        + stanza()
        + stanza(digest="00" * 32, expires="2020-01-01")
        + '[[callable]]\nname = "mylib.layers.Gate"\nreason = "ours"\nowner = "ann"\n'
    )
    Path("openvet.toml").write_text(text)
    matches("config/used.txt", call("config", "model").stdout)
    matches("config/used.json", call("config", "--format", "json").stdout)
    (work / "model" / "n.pkl").write_bytes(PROJECT)
    (work / "model" / "o.bin").write_bytes(b"\x93\x01\xfe" * 99)
    matches("config/check.txt", call("check", "model").stdout)
    matches("config/acceptances.toml", call("check", "--format", "acceptances", "model").stdout)
    os.chdir("model")
    matches("config/ignored.txt", call("config", ".").stdout)
