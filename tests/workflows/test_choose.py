"""A need and the evidence: what is met, what excludes, what nobody can say yet, and how a need is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema
from tests.workflows.kept import benched, evaluated, model

from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.policy.yaml_reader import PackError
from openvet.reports.choice import compose_choice, markdown_choice
from openvet.workflows.need import Budget, NeedTask, read_need


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(need: str, *arguments: object) -> Result:
    Path("need.yaml").write_text(need)
    return CliRunner().invoke(
        main, ["choose", "need.yaml", *map(str, arguments), "--no-progress"], env={"COLUMNS": "100"}
    )


def chosen(need: str, *arguments: object) -> dict[str, Any]:
    done = call(need, *arguments, "--format", "json")
    assert done.exit_code in (0, 1, 3), done.output
    value: dict[str, Any] = json.loads(done.stdout)
    assert list(schema("choice-v1").iter_errors(value)) == []
    assert done.exit_code == {"chosen": 0, "none": 1, "open": 3}[value["verdict"]]
    return value


def outcomes(value: dict[str, Any], which: int = 0) -> dict[str, str]:
    return {each["requirement"]: each["outcome"] for each in value["candidates"][which]["lines"]}


def test_the_smallest_that_is_good_enough() -> None:
    for name, numbers, right in (("large", 400, 0.97), ("middle", 200, 0.95), ("small", 100, 0.1)):
        model(name, numbers)
        evaluated(name, right)
    need = "need: capitals\ntask: {name: capitals, at-least: 0.6, margin: 0.15}\nprefer: size\n"
    value = chosen(need, "large", "large.eval.json", "middle", "middle.eval.json", "small", "small.eval.json")
    assert (value["verdict"], value["chosen"], value["ranked"]) == ("chosen", "middle", [1, 0])
    assert [each["standing"] for each in value["candidates"]] == ["feasible", "feasible", "excluded"]
    assert outcomes(value, 2)["task capitals at least 0.6"] == "not-met"
    (line,) = [each for each in value["candidates"][2]["lines"] if each["outcome"] == "not-met"][:1]
    assert line["source"]["source"] == "small.eval.json"
    assert (
        "on the same samples" in value["candidates"][0]["lines"][-1]["why"]
        or "it is the best" in value["candidates"][0]["lines"][-1]["why"]
    )


def test_missing_evidence_is_open_with_the_command_that_makes_it() -> None:
    model("a", 100)
    value = chosen("need: x\ntask: capitals\nbudget: {latency-p90: 2 s}\ndevice: rpi5\n", "a")
    assert value["verdict"] == "open"
    nexts = {each["requirement"]: each["next"] for each in value["candidates"][0]["lines"]}
    assert nexts["task capitals"].startswith("openvet eval a --task capitals.yaml")
    assert nexts["latency p90 at most 2 s"] == "openvet bench a --device rpi5 --statement -o bench.json"


@pytest.mark.parametrize(
    ("budget", "outcome"),
    [
        ("latency-p90: 500 ms", "met"), ("latency-p90: 390 ms", "unknown"), ("latency-p50: 100 ms", "not-met"), ("memory: 290M", "met"), ("memory: 250M", "not-met"),
        ("size: 1k", "met"), ("size: 100", "not-met"), ("tokens-per-second: 5", "unknown"),
    ],
)  # fmt: skip
def test_a_budget_is_held_against_the_whole_interval(budget: str, outcome: str) -> None:
    model("a", 100)
    value = chosen(f"need: x\nbudget: {{{budget}}}\n", "a", benched("a", 0.2))
    (line,) = [each for each in value["candidates"][0]["lines"] if each["requirement"] != "safe to load"]
    assert line["outcome"] == outcome, line


def test_what_was_not_certified_or_measured_elsewhere_does_not_count() -> None:
    model("a", 100)
    need = "need: x\nbudget: {latency-p50: 2 s}\n"
    assert chosen(need, "a", benched("a", 0.2, certified=False))["verdict"] == "open"
    assert chosen(f"{need}certified: false\n", "a", benched("a", 0.2, certified=False))["verdict"] == "chosen"
    value = chosen(f"{need}device: rpi5:16\n", "a", benched("a", 0.2))
    assert outcomes(value)["latency p50 at most 2 s"] == "unknown"
    assert "not under the limits of rpi5:16" in json.dumps(value)
    assert chosen(f"{need}device: rpi5:8\n", "a", benched("a", 0.2))["verdict"] == "chosen"


def test_cost_needs_a_price() -> None:
    model("a", 100)
    value = chosen("need: x\nusd-per-hour: 0.36\nbudget: {usd-per-million-tokens: 3}\n", "a", benched("a", 0.2))
    assert outcomes(value)["cost of a million tokens at most 3 USD"] == "met"
    assert call("need: x\nbudget: {usd-per-million-tokens: 3}\n", "a").exit_code == 2


def test_rights_languages_and_packs() -> None:
    model("free", 100), model("bound", 100, licence="cc-by-nc-4.0", languages="de")
    value = chosen("need: x\nuses: [commercial]\nlanguages: [en]\n", "free", "bound")
    assert [each["standing"] for each in value["candidates"]] == ["feasible", "excluded"]
    assert outcomes(value, 1) == {
        "safe to load": "met",
        "languages en": "not-met",
        "may be used: commercial": "not-met",
    }
    Path("none").mkdir()
    Path("none/model.safetensors").write_bytes(Path("free/model.safetensors").read_bytes())
    assert outcomes(chosen("need: x\nlanguages: [en]\n", "none"))["languages en"] == "unknown"
    pytest.importorskip("cel_expr_python")
    value = chosen("need: x\npolicy: [baseline]\n", "free")
    assert outcomes(value)["pack baseline"] == "met"


def test_what_is_not_safe_is_never_chosen() -> None:
    Path("m").mkdir()
    Path("m/model.pkl").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    value = chosen("need: x\n", "m")
    assert (value["verdict"], outcomes(value)) == ("none", {"safe to load": "not-met"})


def test_a_device_that_is_too_small_excludes() -> None:
    model("a", 100)
    Path("tiny.toml").write_text("[device.tiny]\nmemory_gib = 0.001\n")
    Path("big").mkdir()
    header = json.dumps({"w": {"dtype": "F32", "shape": [1_000_000], "data_offsets": [0, 4_000_000]}}).encode()
    Path("big/model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4_000_000))
    value = chosen("need: x\ndevice: tiny.toml\n", "a", "big")
    assert [each["standing"] for each in value["candidates"]] == ["feasible", "excluded"]


def test_only_what_is_signed_counts_where_that_is_needed() -> None:
    model("a", 100)
    key = generate("ed25519")
    Path("k.pub").write_bytes(key.public.pem)
    need = "need: x\nsigned: true\nbudget: {latency-p50: 2 s}\n"
    assert "name the key" in call(need, "a").output
    assert chosen(need, "a", benched("a", 0.2, key=key), "--key", "k.pub")["verdict"] == "chosen"


def test_two_that_are_not_resolved_are_said_to_be_as_good() -> None:
    model("a", 100), model("b", 120)
    value = chosen(
        "need: x\ntask: capitals\nprefer: [quality, size]\n", "a", evaluated("a", 0.8), "b", evaluated("b", 0.8)
    )
    assert value["verdict"] == "chosen"
    assert len(value["as_good"]) == 1
    assert any("is not resolved" in each for each in value["notes"])


def test_reports_say_all_of_it() -> None:
    model("a", 100)
    value = chosen("need: x\ntask: capitals\nbudget: {size: 100}\n", "a")
    text = compose_choice(value)
    assert text.startswith("x: none of these\n")
    assert "NOT MET: weights at most 100 bytes: 400 bytes [1]" in text
    assert "-> openvet eval a --task" in text
    assert "met: safe to load" in text
    assert "| a | excluded | weights at most 100 bytes: 400 bytes | NOT MET | \\[2\\] |" in markdown_choice(value)


# --- the need itself ---


def test_a_need_is_read() -> None:
    found = read_need(
        b"need: support\ntask: {name: t, sha256: 0123456789ab, at-least: 0.5, margin: 0.02}\nlanguages: [en, deu]\ndevice: rpi5:8\ncontext: 2048\n"
        b"budget: {memory: 1G, latency-p90: 250 ms, cold-start: 1 min, tokens-per-second: 10, usd-per-million-tokens: 2}\nusd-per-hour: 1.5\n"
        b"uses: [commercial, eu]\npolicy: [baseline]\nsafety: review\ncertified: false\nsigned: true\n",
        "need.yaml",
    )
    assert found.task == NeedTask("t", "0123456789ab", 0.5, None, 0.02)
    assert found.budget[0] == Budget("memory", float(2**30), 6)
    assert {each.name: each.bound for each in found.budget}["cold-start"] == 60.0
    assert (found.prefer, found.safety, found.certified, found.signed, found.usd_per_hour) == (
        ("size",),
        "review",
        False,
        True,
        1.5,
    )
    assert read_need(b"need: x\ntask: t\n", "f").prefer == ("quality",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has to hold one document"),
        ("task: t\n", "n.yaml:1: 'need' is missing"),
        ("need: x\nbugdet: {}\n", "n.yaml:2: there is no field 'bugdet'; did you mean 'budget'?"),
        ("need: x\nbudget:\n  latency: 2\n", "n.yaml:3: there is no field 'latency'"),
        ("need: x\nbudget:\n  latency-p90: soon\n", "n.yaml:3: 'soon' is no duration"),
        ("need: x\nbudget:\n  latency-p90: 0 s\n", "n.yaml:3: '0 s' is no duration"),
        ("need: x\nbudget:\n  size: -1\n", "n.yaml:3: 'size'"),
        ("need: x\nbudget:\n  tokens-per-second: nan\n", "n.yaml:3: 'nan' is no number"),
        ("need: x\nlanguages: [English]\n", "n.yaml:2: 'English' is no code"),
        ("need: x\nlanguages: en\n", "n.yaml:2: 'languages' has to be a list"),
        ("need: x\nuses: [world-domination]\n", "n.yaml:2: 'uses'"),
        ("need: x\nprefer: beauty\n", "n.yaml:2: 'beauty' is none of quality"),
        ("need: x\ntask: {name: t, margin: 0}\n", "n.yaml:2: 'margin' has to be above 0"),
        ("need: x\ntask: {name: t, sha256: xyz}\n", "n.yaml:2: 'xyz' is no SHA-256"),
        ("need: x\ncertified: maybe\n", "n.yaml:2: 'maybe' is none of true, false"),
        ("need: x\nbudget: {usd-per-million-tokens: 1}\n", "n.yaml:2: usd-per-million-tokens needs usd-per-hour"),
        ("need: &a x\ntask: *a\n", "anchors"),
        ("need: x\nneed: y\n", "stands twice"),
    ],
)
def test_a_need_that_makes_no_sense(text: str, words: str) -> None:
    with pytest.raises(PackError) as caught:
        read_need(text.encode(), "n.yaml")
    assert words in str(caught.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(PackError) as caught:
        read_need(b"need: x\nlanguages: [English]\nprefer: beauty\nfoo: 1\n", "n.yaml")
    assert len(caught.value.problems) == 3
