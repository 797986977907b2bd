"""Models side by side: what is about one model stands together, nothing is made up, and what is not resolved is not decided."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evidence.vectors import _BENCH
from tests.reports.test_snapshots import schema
from tests.workflows.kept import benched, evaluated, model

from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.evidence.predicates.bench_v1 import Figure
from openvet.reports.compare import compose_comparison, markdown_comparison
from openvet.reports.compare_page import comparison_page
from openvet.reports.look import Look


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments), "--no-progress"], env={"COLUMNS": "100"})


def compared(*arguments: object) -> dict[str, Any]:
    done = call(*arguments, "--format", "json")
    assert done.exit_code in (0, 3), done.output
    value: dict[str, Any] = json.loads(done.stdout)
    assert list(schema("comparison-v1").iter_errors(value)) == []
    return value


def standings(value: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["standing"]["word"] if each["standing"] else "" for each in value["candidates"]}


def test_models_results_and_measurements_stand_together() -> None:
    model("a", 400), model("b", 100)
    value = compared("a", evaluated("a", 0.9), benched("a", 0.2), "b", evaluated("b", 0.4), benched("b", 0.5))
    assert [(each["name"], len({one["kind"] for one in each["evidence"]}) > 3) for each in value["candidates"]] == [
        ("a", True),
        ("b", True),
    ]
    cells = {each["name"]: each["cells"] for each in value["axes"]}
    assert [cell["value"] for cell in cells["weights"]] == ["1600", "400"]
    assert [cell["interval"] for cell in cells["weights"]] == ["exact", "exact"]
    assert cells["latency p50"][0]["low"] == "0.18"
    assert [cell["word"] for cell in cells["safe to load"]] == ["admit", "admit"]
    assert cells["may be used: commercial, redistribute, serve"][0]["word"] == "allowed (Apache-2.0)"
    assert {cell["source"]["basis"] for cell in cells["latency p50"]} == {"not verified"}
    assert cells["weights"][0]["source"]["basis"] == "made now"
    assert standings(value) == {"a": "front", "b": "dominated"}
    (pair,) = value["pairs"]
    assert pair["verdict"].startswith("better; ")


def test_what_is_not_resolved_is_open() -> None:
    for name, right in (("a", 0.80), ("b", 0.75)):
        model(name, 400 if name == "a" else 500)
        evaluated(name, right)
    value = compared(
        "a",
        "a.eval.json",
        "b",
        "b.eval.json",
        "--axis",
        next(each for each in ["size"]),
        "--axis",
        _task("a.eval.json"),
    )
    assert set(standings(value).values()) <= {"front", "open"}
    assert "cannot be resolved" in value["pairs"][0]["verdict"]


def _task(path: str) -> str:
    task = json.loads(Path(path).read_text())["predicate"]["task"]
    return f"quality:{task['name']}@{task['sha256'][:8]}"


def test_without_logs_intervals_have_to_do() -> None:
    model("a", 400), model("b", 400)
    evaluated("a", 0.95), evaluated("b", 0.3)
    for name in ("a", "b"):
        Path(f"{name}.eval.log.jsonl").unlink()
    value = compared("a", "a.eval.json", "b", "b.eval.json")
    assert value["pairs"] == []
    assert any("are not compared on the same samples" in each for each in value["notes"])
    assert standings(value) == {"a": "front", "b": "dominated"}


def test_a_log_that_was_changed_is_refused() -> None:
    model("a", 400), model("b", 400)
    evaluated("a", 0.9), evaluated("b", 0.9)
    log = Path("a.eval.log.jsonl")
    log.write_text(log.read_text().replace('"score":"0"', '"score":"1"').replace('"score":0', '"score":1'))
    done = call("a.eval.json", "b.eval.json")
    assert done.exit_code == 2
    assert "was changed" in done.output


def test_measurements_of_two_machines_are_not_compared() -> None:
    model("a", 400), model("b", 100)
    value = compared(benched("a", 0.1), benched("b", 9.0, cpu="Another"))
    latencies = [each for each in value["axes"] if each["name"] == "latency p50"]
    assert [[cell is None for cell in each["cells"]] for each in latencies] == [[False, True], [True, False]]
    assert any("2 conditions" in each for each in value["notes"])
    assert value["front_on"] == []


def test_what_nobody_measured_is_said(folder: Path) -> None:
    model("a", 400), model("b", 100)
    done = call("a", evaluated("a", 0.9), "b")
    assert "not measured" in done.stdout
    done = call("a", "a")
    assert (done.exit_code, "is about a" in done.output) == (2, True)


def test_cost_is_of_the_price_that_the_user_says() -> None:
    model("a", 400), model("b", 100)
    value = compared(benched("a", 0.1), benched("b", 0.2), "--usd-per-hour", "0.36")
    (cost,) = [each for each in value["axes"] if each["group"] == "cost"]
    assert [cell["value"] for cell in cost["cells"]] == ["1", "2"]  # 0.0001 USD/s over 100 and 50 token/s
    assert float(cost["cells"][0]["low"]) == pytest.approx(100 / 110)


def test_a_rate_that_may_be_nothing_may_cost_anything() -> None:
    model("a", 400), model("b", 100)
    rate = Figure("written-rate", "token/s", "5", "0", "11", "0.95", 3, "t")
    value = compared(benched("a", 0.1, figures=(rate,)), benched("b", 0.2), "--usd-per-hour", "0.36")
    (cost,) = [each for each in value["axes"] if each["group"] == "cost"]
    assert (cost["cells"][0]["value"], cost["cells"][0]["high"]) == ("20", None)
    assert float(cost["cells"][0]["low"]) == pytest.approx(100 / 11)


def test_measurements_of_two_runtimes_are_not_compared() -> None:
    model("a", 400), model("b", 100)
    value = compared(
        benched("a", 0.1), benched("b", 9.0, runtime=replace(_BENCH.runtime, version="llama_cpp_python 0.4.0"))
    )
    assert value["front_on"] == []
    assert any("llama_cpp_python 0.4.0" in each["under"] for each in value["axes"])


def test_only_what_is_certified_decides() -> None:
    model("a", 400), model("b", 100)
    axes = ("a", evaluated("a", 0.9), "b", evaluated("b", 0.1))
    assert standings(compared(*axes, benched("a", 0.1), benched("b", 9.0))) == {"a": "front", "b": "dominated"}
    busy = (benched("a", 0.1, certified=False), benched("b", 9.0, certified=False))
    assert standings(compared(*axes, *busy)) == {"a": "front", "b": "open"}


@pytest.mark.parametrize(("starts", "word"), [(3, "open"), (6, "dominated")])
def test_the_least_and_most_of_a_few_starts_decide_nothing(starts: int, word: str) -> None:
    model("a", 400), model("b", 100)
    axes = ("a", evaluated("a", 0.9), "b", evaluated("b", 0.1))
    benches = [
        benched(name, 1.0, figures=(Figure("cold-start", "s", f"{at}", f"{at * 0.9}", f"{at * 1.1}", None, starts, "range"),))
        for name, at in (("a", 1), ("b", 5))
    ]  # fmt: skip
    assert standings(compared(*axes, *benches)) == {"a": "front", "b": word}


def test_several_results_that_differ_decide_nothing() -> None:
    model("a", 400), model("b", 400)
    for name, right in (("a", 0.95), ("b", 0.1)):
        evaluated(name, right)
    other = json.loads(Path("a.eval.json").read_text())
    other["predicate"]["figure"]["value"] = "0.05"
    Path("again.json").write_text(json.dumps(other))
    assert standings(compared("a", "a.eval.json", "a.eval.json", "b", "b.eval.json"))["b"] == "dominated"
    for order in (("a.eval.json", "again.json"), ("again.json", "a.eval.json")):
        value = compared("a", "b", "b.eval.json", *order)
        assert "dominated" not in standings(value).values()
        assert value["pairs"] == []
        assert "none of them decides" in json.dumps(value)


def test_signatures_are_verified_where_a_key_is_named() -> None:
    model("a", 400), model("b", 100)
    key, other = generate("ed25519"), generate("ed25519")
    Path("k.pub").write_bytes(key.public.pem)
    Path("o.pub").write_bytes(other.public.pem)
    one, two = benched("a", 0.1, key=key), benched("b", 0.2, key=key)
    value = compared(one, two, "--key", "k.pub")
    assert {one["basis"] for each in value["candidates"] for one in each["evidence"]} == {"signed"}
    done = call(one, two, "--key", "o.pub")
    assert done.exit_code == 2
    assert "bench" in done.output
    done = call(one, benched("b", 0.3), "--key", "k.pub")
    assert "nobody signed it" in done.output


def test_a_dossier_needs_its_owner() -> None:
    model("a", 400), model("b", 100)
    key = generate("ed25519")
    Path("k").write_bytes(key.pem())
    Path("k.pub").write_bytes(key.public.pem)
    done = CliRunner().invoke(main, ["check", "a", "--dossier", "d", "--sign", "k", "-q"])
    assert done.exit_code == 0, done.output
    done = call("d", "b")
    assert (done.exit_code, "name its owner's key" in done.output) == (2, True)
    value = compared("d", "b", "--key", "k.pub")
    assert [each["name"] for each in value["candidates"]] == ["a", "b"]
    assert {one["basis"] for one in value["candidates"][0]["evidence"]} == {"signed"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a", "nowhere"), "there is no such file"),
        (("a", "b", "--axis", "beauty"), "there is no axis 'beauty' here; there are"),
        (("a",), "two models at least"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    model("a", 400), model("b", 100)
    done = call(*arguments)
    assert done.exit_code == 2
    assert words in done.output


HOSTILE = "x<script>|`*\x1b[31m"


def sample() -> dict[str, Any]:
    source = {"kind": "eval", "sha256": "ab" * 32, "source": HOSTILE, "basis": "signed", "key": "cd" * 32}

    def cell(value: str, low: str | None, high: str | None, note: str = "") -> dict[str, Any]:
        return {
            "value": value,
            "low": low,
            "high": high,
            "word": "",
            "interval": "95 % wilson",
            "source": source,
            "note": note,
        }

    word = {"value": None, "low": None, "high": None, "word": HOSTILE, "interval": "none", "source": source, "note": ""}
    return {
        "type": "https://openvet/comparison/v1",
        "candidates": [
            {"name": HOSTILE, "digest": {}, "evidence": [], "standing": {"word": "front", "by": []}},
            {"name": "b", "digest": {}, "evidence": [], "standing": {"word": "dominated", "by": [0]}},
            {"name": "c", "digest": {}, "evidence": [], "standing": {"word": "open", "by": [0]}},
            {"name": "d", "digest": {}, "evidence": [], "standing": None},
        ],
        "axes": [
            {"id": "q", "name": "capitals: exact match", "group": "quality", "unit": "", "more_is_better": True, "under": "",
             "cells": [cell("0.9", "0.8", "0.95"), cell("0.5", "0.4", "0.6", "a claim"), cell("0.85", "0.7", None), None]},
            {"id": "l", "name": "latency p50", "group": "latency", "unit": "s", "more_is_better": False, "under": "A Processor, 2 cores",
             "cells": [cell("0.02", "0.018", "0.03"), cell("1.5", "1.4", "1.7"), cell("0.5", None, None), cell("0.5", "0.4", "0.6")]},
            {"id": "r", "name": "may be used: commercial", "group": "rights", "unit": "", "more_is_better": None, "under": "", "cells": [word, None, word, None]},
        ],
        "front_on": ["q", "l"],
        "pairs": [{"axis": "q", "first": 0, "second": 1, "difference": "0.4", "low": "0.2", "high": "0.6", "verdict": "better; 3 of 9 answers flip"}],
        "level": "0.95",
        "notes": ["statements were taken as they are: without --key nobody's signature was verified"],
    }  # fmt: skip


def test_every_report_whole() -> None:
    from tests.snapshots.snapshot import matches

    value = sample()
    assert list(schema("comparison-v1").iter_errors(value)) == []
    matches("reports/comparison.txt", compose_comparison(value, Look(width=120)))
    matches("reports/comparison.narrow.txt", compose_comparison(value, Look(width=80, unicode=False)))
    matches("reports/comparison.md", markdown_comparison(value))
    page = comparison_page(value)
    matches("reports/comparison.html", page)
    assert "<script" not in page
    assert "\x1b" not in page
    assert "http:" not in page
    assert page.count("<circle") == 3  # d has no quality and no place


def test_a_certificate_says_how_far_a_model_is_from_its_parent() -> None:
    from openvet.evidence.predicates.derivation_v1 import Agreement, DerivationV1, Kept, Parent, TypeCount, Weights
    from openvet.workflows.candidates import Candidate, Evidence
    from openvet.workflows.compare import compare
    from openvet.workflows.knowledge import tool

    def made(name: str, kl: str, bits: str, parent: str = "ab" * 32) -> Candidate:
        weights = Weights("gguf", 1000, 900, 800, bits, (TypeCount("Q4_K", 5, 800, 900),))
        agreement = (
            Agreement("kl", kl, None, None, 1023, "tokens"),
            Agreement("perplexity-of-parent", "28", None, None, 1023, "tokens"),
        )
        body = DerivationV1(
            tool(), "quantize", "q4_k_m", {}, {}, Parent("big", {"sha256": parent}), (), weights, weights, Kept(0, 0, ()), agreement
        )  # fmt: skip
        return Candidate(
            name, {"sha256": name * 64}, [Evidence("derivation", body, "0" * 64, f"{name}.json", "signed")]
        )

    value = compare([made("a", "0.06", "6.2"), made("b", "0.51", "5.1")]).to_json()
    assert list(schema("comparison-v1").iter_errors(value)) == []
    names = {each["id"]: [cell and cell["value"] for cell in each["cells"]] for each in value["axes"]}
    assert names == {"agreement:kl@abababab": ["0.06", "0.51"], "bits-per-weight": ["6.2", "5.1"]}
    apart = compare([made("a", "0.06", "6.2"), made("b", "0.51", "5.1", "cd" * 32)]).to_json()
    assert [[cell is None for cell in each["cells"]] for each in apart["axes"] if each["group"] == "agreement"] == [
        [False, True],
        [True, False],
    ]
