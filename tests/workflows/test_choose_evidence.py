"""What evidence may decide in a choice: one value is no interval, other limits are other limits, and the order in which statements are named decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.evidence.vectors import _BENCH
from tests.workflows.kept import benched, evaluated, model
from tests.workflows.test_choose import chosen, outcomes

from openvet.cli import main
from openvet.evidence.predicates.bench_v1 import Figure, LimitSet
from openvet.workflows.bench_says import KILLED


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    model("a", 100)
    return tmp_path


def line(value: dict[str, Any], begins: str, which: int = 0) -> dict[str, Any]:
    (found,) = [each for each in value["candidates"][which]["lines"] if each["requirement"].startswith(begins)]
    made: dict[str, Any] = found
    return made


def changed(path: str, to: str, change: Callable[[dict[str, Any]], None]) -> str:
    """A statement that says something else, and has no log beside it."""
    value = json.loads(Path(path).read_text())
    change(value)
    Path(to).write_text(json.dumps(value))
    return to


# --- what bounds a figure ---


def test_a_rate_without_an_interval_costs_what_it_costs_and_bounds_nothing() -> None:
    rate = Figure("written-rate", "token/s", "0.5", None, None, None, 1, "none")
    value = chosen(
        "need: x\nusd-per-hour: 1\nbudget: {usd-per-million-tokens: 3}\n", "a", benched("a", 1, figures=(rate,))
    )
    found = line(value, "cost of a million tokens")
    assert (found["outcome"], found["why"].split(":")[0]) == ("unknown", "555.6 USD (0 USD to ?)")


def test_a_rate_whose_interval_begins_at_nothing_may_cost_anything() -> None:
    rate = Figure("written-rate", "token/s", "500", "0", "1000", "0.95", 3, "t")
    need = "need: x\nusd-per-hour: 3.6\nbudget: {usd-per-million-tokens: %s}\n"
    found = line(chosen(need % 3, "a", benched("a", 1, figures=(rate,))), "cost of a million tokens")
    assert (found["outcome"], found["why"].split(":")[0]) == ("unknown", "2 USD (1 USD to ?)")
    assert line(chosen(need % 0.5, "a", benched("a", 1, figures=(rate,))), "cost")["outcome"] == "not-met"


@pytest.mark.parametrize(
    ("figure", "outcome"),
    [
        (Figure("cold-start", "s", "0.5", None, None, None, 1, "none"), "unknown"),
        (Figure("cold-start", "s", "0.5", "0.4", "0.6", None, 3, "range"), "unknown"),
        (Figure("cold-start", "s", "0.5", "0.4", "0.6", None, 6, "range"), "met"),
        (Figure("cold-start", "s", "5", "4", "6", None, 6, "range"), "not-met"),
    ],
)
def test_a_few_starts_bound_nothing(figure: Figure, outcome: str) -> None:
    found = line(chosen("need: x\nbudget: {cold-start: 2 s}\n", "a", benched("a", 1, figures=(figure,))), "cold start")
    assert found["outcome"] == outcome
    assert ("--starts 6" in found["next"]) == (outcome == "unknown")


# --- a device ---

THERE = 7942 * 2**20
MEMORY = LimitSet("memory", str(THERE), enforced=True, how="cgroup v2")
BUDGET = "need: x\ndevice: rpi5:8\nbudget: {latency-p50: 2 s, memory: 1G}\n"


@pytest.mark.parametrize(
    ("limits", "machine", "outcome"),
    [
        ((MEMORY,), 2**40, "met"),
        ((replace(MEMORY, asked="300000000"),), 2**40, "met"),
        ((replace(MEMORY, asked=str(THERE + 1)),), 2**40, "unknown"),
        ((replace(MEMORY, enforced=False),), 2**40, "unknown"),
        ((), 2**40, "unknown"),
        ((replace(MEMORY, enforced=False, how="this machine has less"),), 2**31, "met"),
    ],
)
def test_a_device_counts_only_with_its_memory(limits: tuple[LimitSet, ...], machine: int, outcome: str) -> None:
    path = benched("a", 0.2, limits=limits, machine=replace(_BENCH.machine, memory=machine))
    value = chosen(BUDGET, "a", path)
    assert line(value, "latency p50")["outcome"] == outcome
    assert line(value, "peak memory")["outcome"] == outcome
    assert ("it answers within" in line(value, "runs on")["why"]) == (outcome == "met")


def test_the_processor_is_said_to_be_another() -> None:
    value = chosen(BUDGET, "a", benched("a", 0.2))
    for begins in ("latency p50", "runs on"):
        assert "the processor was A Processor, not the device's" in line(value, begins)["why"]
    assert "processor" not in line(value, "peak memory")["why"]


@pytest.mark.parametrize(
    ("limit", "outcome", "detail", "word"),
    [
        (MEMORY, "ended", f"{KILLED}; said", "not-met"),
        (replace(MEMORY, asked="300000000"), "ended", f"{KILLED}; said", "unknown"),
        (replace(MEMORY, how="address space (RLIMIT_AS)"), "ended", "no memory", "unknown"),
        (MEMORY, "ended", "signal 11", "unknown"),
        (MEMORY, "too-slow", "the first request had no answer within 5 s", "unknown"),
    ],
)
def test_what_fails_here_need_not_fail_there(limit: LimitSet, outcome: str, detail: str, word: str) -> None:
    path = benched("a", 0.2, certified=False, limits=(limit,), outcome=outcome, detail=detail)
    assert line(chosen("need: x\ndevice: rpi5:8\n", "a", path), "runs on")["outcome"] == word


# --- statements that differ ---


def test_of_two_scans_the_worst_counts_in_any_order() -> None:
    Path("m").mkdir()
    Path("m/model.pkl").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    for name in ("a", "m"):
        done = CliRunner().invoke(main, ["check", name, "--statement", "scan", "-o", f"{name}.scan.json"])
        assert done.exit_code in (0, 1), done.output
    subject = json.loads(Path("a.scan.json").read_text())["subject"]
    bad = changed("m.scan.json", "bad.json", lambda value: value.update(subject=subject))
    for order in (("a.scan.json", bad), (bad, "a.scan.json"), (bad, "a"), ("a", bad)):
        found = line(chosen("need: x\n", *order), "safe to load")
        assert found["outcome"] == "not-met"
        assert "the worst counts" in found["why"]
        done = CliRunner().invoke(main, ["compare", *order, "m", "--format", "json", "--no-progress"])
        (safety,) = [each for each in json.loads(done.stdout)["axes"] if each["id"] == "safety"]
        assert safety["cells"][0]["word"] == "reject"


def test_of_two_results_what_holds_by_both() -> None:
    evaluated("a", 0.95)

    def worse(value: dict[str, Any]) -> None:
        value["predicate"]["figure"] |= {"value": "0.3", "low": "0.2", "high": "0.4"}

    other = changed("a.eval.json", "other.json", worse)
    for bound, outcome in ((0.7, "unknown"), (0.1, "met"), (0.999, "not-met")):
        found = [
            line(chosen(f"need: x\ntask: {{name: capitals, at-least: {bound}}}\n", "a", *order), "task")
            for order in (("a.eval.json", other), (other, "a.eval.json"))
        ]
        assert found[0] == found[1]
        assert found[0]["outcome"] == outcome
        assert "of 2 results that differ" in found[0]["why"]
    again = line(chosen("need: x\ntask: {name: capitals, at-least: 0.7}\n", "a", "a.eval.json", "a.eval.json"), "task")
    assert again["outcome"] == "met"


def test_of_two_measurements_what_holds_by_both() -> None:
    one, two = benched("a", 0.2), benched("a", 3.0)
    for bound, outcome in ((1, "unknown"), (4, "met")):
        found = [
            line(chosen(f"need: x\nbudget: {{latency-p50: {bound} s}}\n", "a", *order), "latency")
            for order in ((one, two), (two, one))
        ]
        assert found[0] == found[1]
        assert found[0]["outcome"] == outcome


def test_what_is_read_now_stands_above_what_others_said() -> None:
    model("large", 4000)
    for name in ("a", "large"):
        assert (
            CliRunner().invoke(main, ["check", name, "--statement", "profile", "-o", f"{name}.p.json"]).exit_code == 0
        )
    subject = json.loads(Path("large.p.json").read_text())["subject"]
    small = changed("a.p.json", "small.json", lambda value: value.update(subject=subject))
    for order in (("large", small), (small, "large")):
        assert line(chosen("need: x\nbudget: {size: 1k}\n", *order), "weights")["outcome"] == "not-met"


def two_of(kind: str) -> tuple[str, str]:
    """Two statements about the model ``a``, of which the second says what is so of another one."""
    model("b", 4000, licence="mit", languages="de")
    for name in ("a", "b"):
        done = CliRunner().invoke(main, ["check", name, "--statement", kind, "-o", f"{name}.{kind}.json"])
        assert done.exit_code == 0, done.output
    subject = json.loads(Path(f"a.{kind}.json").read_text())["subject"]
    return f"a.{kind}.json", changed(
        f"b.{kind}.json", f"other.{kind}.json", lambda value: value.update(subject=subject)
    )


@pytest.mark.parametrize(
    ("kind", "need", "begins", "alone", "one", "two"),
    [
        ("card", "languages: [en]", "languages", ("met", "not-met"), "says en", "says de"),
        ("profile", "budget: {size: 1k}", "weights", ("met", "not-met"), "says 400 bytes", "says 16,000 bytes"),
        (
            "profile",
            "budget: {memory: 1k}",
            "peak memory",
            ("unknown", "not-met"),
            "says 400 bytes",
            "says 16,000 bytes",
        ),
        ("profile", "device: rpi5:8", "runs on", ("met", "met"), "400 bytes to serve", "16,000 bytes to serve"),
    ],
)
def test_statements_that_contradict_each_other_leave_it_unknown(
    kind: str, need: str, begins: str, alone: tuple[str, str], one: str, two: str
) -> None:
    first, second = two_of(kind)
    text = f"need: x\n{need}\n"
    assert tuple(line(chosen(text, each), begins)["outcome"] for each in (first, second)) == alone
    found = [line(chosen(text, *order), begins) for order in ((first, second), (second, first))]
    for each in found:
        assert each["outcome"] == "unknown"
        assert "statements contradict each other" in each["why"]
        assert all(part in each["why"] for part in (first, second, one, two))
    assert found[0]["why"] == found[1]["why"]
    # the same said twice is no contradiction, and neither is what stands beside the files themselves
    assert line(chosen(text, first, first), begins)["outcome"] == alone[0]
    assert "contradict" not in line(chosen(text, second, "a"), begins)["why"]


def test_a_contradiction_is_shown_as_one_and_compared_with_nothing() -> None:
    first, second = two_of("profile")
    done = CliRunner().invoke(main, ["compare", second, first, "b", "--format", "json", "--no-progress"])
    axes = {each["id"]: each for each in json.loads(done.stdout)["axes"]}
    cell, other = axes["size"]["cells"]
    assert (cell["value"], cell["word"], other["value"]) == (None, "unknown", "16000")
    assert f"{first} (sha256:" in cell["note"]
    assert f"{second} (sha256:" in cell["note"]
    assert all(part in cell["note"] for part in ("says 400 byte", "says 16000 byte"))
    assert "size" not in json.loads(done.stdout)["front_on"]
    text = CliRunner().invoke(main, ["compare", second, first, "b", "--no-progress"])
    assert "unknown [" in text.stdout
    assert "statements contradict each other" in text.stdout.replace("\n", " ")


# --- tasks and models of one name ---


def test_two_tasks_of_one_name_are_not_held_against_each_other() -> None:
    model("b", 100)
    evaluated("a", 0.95), evaluated("b", 0.95)
    digest = json.loads(Path("a.eval.json").read_text())["predicate"]["task"]["sha256"]
    other = changed("b.eval.json", "other.json", lambda value: value["predicate"]["task"].update(sha256="ab" * 32))
    for what in ("task: {name: capitals, at-least: 0.5}", "task: {name: capitals, margin: 0.9}"):
        value = chosen(f"need: x\n{what}\n", "a", "a.eval.json", "b", other)
        for which in (0, 1):
            found = line(value, "task", which)
            assert found["outcome"] == "unknown"
            assert "2 tasks have this name" in found["why"]
            assert "sha256" in found["next"]
    value = chosen(
        f"need: x\ntask: {{name: capitals, sha256: {digest}, at-least: 0.5}}\n", "a", "a.eval.json", "b", other
    )
    assert [line(value, "task", which)["outcome"] for which in (0, 1)] == ["met", "unknown"]


def test_results_that_cannot_be_paired_are_unknown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.errors import UsageError

    model("b", 100)
    evaluated("a", 0.95), evaluated("b", 0.9)

    def refuses(*_: object, **__: object) -> None:
        raise UsageError("they have no sample in common")

    monkeypatch.setattr("openvet.workflows.choose.compare_results", refuses)
    value = chosen("need: x\ntask: {name: capitals, margin: 0.9}\n", "a", "a.eval.json", "b", "b.eval.json")
    found = next(each for at in (0, 1) if "it is the best" not in (each := line(value, "task", at))["why"])
    assert (found["outcome"], "no sample in common" in found["why"]) == ("unknown", True)


def test_a_result_by_name_alone_is_not_of_these_files() -> None:
    evaluated("a", 0.95)
    named = changed("a.eval.json", "named.json", lambda value: value["predicate"]["model"].pop("digest"))
    for order in (("a", named), (named, "a")):
        found = line(chosen("need: x\ntask: {name: capitals, at-least: 0.5}\n", *order), "task")
        assert found["outcome"] == "unknown"
        assert "by its name alone" in found["why"]
    value = chosen(
        "need: x\nbudget: {latency-p50: 2 s}\n",
        "a",
        benched("a", 0.2, model=replace(_BENCH.model, name="a", digest=None)),
    )
    assert "by its name alone" in line(value, "latency")["why"]


def test_what_was_not_answered_or_not_attested_is_said() -> None:
    evaluated("a", 0.95)
    need = "need: x\ntask: {name: capitals, at-least: 0.5}\n"
    found = line(chosen(need, "a", "a.eval.json"), "task")
    assert found["outcome"] == "met"
    assert "is a claim of whoever ran it" in found["why"]
    failed = changed("a.eval.json", "failed.json", lambda value: value["predicate"]["run"].update(failed=40))
    found = line(chosen(need, "a", failed), "task")
    assert found["outcome"] == "unknown"
    assert "40 of 80 samples were not answered" in found["why"]


# --- ranking ---


def test_measurements_of_two_processors_are_not_ranked_in_silence() -> None:
    model("b", 100)
    need = "need: x\nprefer: latency\n"
    same = chosen(need, "a", benched("a", 0.1), "b", benched("b", 0.9))
    assert (same["chosen"], same["as_good"], "different conditions" in json.dumps(same["notes"])) == ("a", [], False)
    apart = chosen(need, "a", benched("a", 0.1), "b", benched("b", 0.9, cpu="Another"))
    assert (apart["as_good"], "different conditions" in json.dumps(apart["notes"])) == ([1], True)
    assert outcomes(apart) == {"safe to load": "met"}
