"""What was measured, as facts: all of it counts, the worst holds, and what is open or of other bytes is unknown and never a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.evidence.vectors import _BENCH, _DERIVATION, _EVAL, sha
from tests.policy.test_decide import line, one, pack

from openvet.evidence.predicates.bench_v1 import BenchV1
from openvet.evidence.predicates.bench_v1 import Figure as BenchFigure
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.evidence.predicates.eval_v1 import BackendRef, EvalV1, ModelRef
from openvet.evidence.statement import Predicate, ResourceDescriptor
from openvet.policy.figure_facts import is_about
from openvet.policy.given import Evidence, Held, facts_of

DAY = date(2026, 11, 30)
MODEL = {"dirHash": sha("base")}


def result(
    value: float, low: float | None, high: float | None, task: str = "quiz", *, of: str = "one", failed: int = 0, attests: bool = True, higher: bool = True
) -> EvalV1:  # fmt: skip
    return replace(
        _EVAL,
        task=replace(_EVAL.task, name=task, sha256=sha(of), higher=higher),
        backend=BackendRef("local", {}, attests),
        run=replace(_EVAL.run, failed=failed),
        figure=replace(_EVAL.figure, value=str(value), low=None if low is None else str(low), high=None if high is None else str(high)),
    )  # fmt: skip


def bench(*figures: BenchFigure, certified: bool = True, outcome: str = "measured", file: str = "") -> BenchV1:
    assert _BENCH.device is not None
    return replace(
        _BENCH, figures=figures, certified=certified, reasons=() if certified else ("busy",), outcome=outcome, device=replace(_BENCH.device, file=file)
    )  # fmt: skip


def step(verdict: str, loss: str | None = "0.02") -> DerivationV1:
    return replace(_DERIVATION, verdict=verdict, loss=loss)


def facts(*said: Predicate | tuple[Predicate, str]) -> dict[str, Any]:
    held = []
    for at, each in enumerate(said):
        predicate, by = each if isinstance(each, tuple) else (each, "a" * 64)
        kind = {EvalV1: "eval", BenchV1: "bench", DerivationV1: "derivation"}[type(predicate)]
        held.append(Held(kind, predicate, sha(str(at)), by))
    return facts_of(Evidence(ResourceDescriptor("m", MODEL), {}, figures=tuple(held)), DAY)


def outcome(rule: str, *said: Predicate | tuple[Predicate, str]) -> str:
    return one(pack(line(rule, level="computed")), facts(*said)).outcome


GOOD = "eval.low['quiz'] >= 0.7"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((result(0.8, 0.75, 0.85),), "satisfied-by-evidence"),
        ((result(0.8, 0.65, 0.85),), "violated"),
        ((), "indeterminate"),
        ((result(0.8, 0.75, 0.85, "another"),), "indeterminate"),
        ((result(0.8, None, None),), "indeterminate"),
        ((result(0.8, 0.75, 0.85, failed=2),), "indeterminate"),
        ((result(0.8, 0.75, 0.85, attests=False),), "indeterminate"),
        # of several results the one that says least counts, in any order
        ((result(0.8, 0.75, 0.85), result(0.78, 0.6, 0.9)), "violated"),
        ((result(0.78, 0.6, 0.9), result(0.8, 0.75, 0.85)), "violated"),
        ((result(0.8, 0.75, 0.85), result(0.8, None, None)), "indeterminate"),
        # two tasks of one name: nobody can say which is meant
        ((result(0.8, 0.75, 0.85), result(0.9, 0.85, 0.95, of="other")), "indeterminate"),
        ((result(0.8, 0.75, 0.85), result(0.1, 0.05, 0.2, "another", of="other")), "satisfied-by-evidence"),
    ],
)
def test_a_task_by_its_name(said: tuple[EvalV1, ...], expected: str) -> None:
    assert outcome(GOOD, *said) == expected


def test_a_task_by_its_digest_is_no_other_of_its_name() -> None:
    rule = f"eval.low['sha256:{sha('one')}'] >= 0.7"
    both = (result(0.8, 0.75, 0.85), result(0.1, 0.0, 0.2, of="other"))
    assert outcome(rule, *both) == "satisfied-by-evidence"
    # a task that is called like another one's digest
    forged = result(0.99, 0.98, 1.0, f"sha256:{sha('one')}", of="other")
    assert outcome(rule, forged) == "indeterminate"
    assert outcome(rule, result(0.5, 0.4, 0.6), forged) == "violated"
    assert facts(*both)["eval.tasks"] == ["quiz", *sorted(f"sha256:{sha(each)}" for each in ("one", "other"))]


def test_figures_of_tasks() -> None:
    found = facts((result(0.8, 0.75, 0.85), "a"), (result(0.7, 0.65, 0.9), "b"))
    assert [found[f"eval.{each}"]["quiz"] for each in ("value", "low", "high", "samples", "metric")] == [
        0.7,
        0.65,
        0.9,
        118.0,
        "mean",
    ]
    assert found["eval.signer"] == {}
    assert facts((result(0.8, 0.75, 0.85), "a"), (result(0.7, 0.65, 0.9), "a"))["eval.signer"]["quiz"] == "a"
    less = facts(result(0.1, 0.05, 0.2, higher=False), result(0.2, 0.15, 0.3, higher=False))
    assert less["eval.value"]["quiz"] == 0.2
    assert found["evidence.kinds"] == ["eval"]


P50 = BenchFigure("request-p50", "s", "1.5", "1.4", "1.6", "0.95", 57, "order")
MEMORY = BenchFigure("peak-resident", "byte", "270900000", None, None, None, 1, "none")
FAST = "bench.high['rpi5:8/request-p50'] <= 2.0"


@pytest.mark.parametrize(
    ("rule", "said", "expected"),
    [
        (FAST, (bench(P50),), "satisfied-by-evidence"),
        (FAST, (bench(replace(P50, high="2.5")),), "violated"),
        (FAST, (), "indeterminate"),
        (FAST, (bench(P50, certified=False),), "indeterminate"),
        (FAST, (bench(P50, file=sha("mine")),), "indeterminate"),
        (FAST, (bench(MEMORY),), "indeterminate"),
        (FAST, (bench(P50), bench(replace(P50, value="3", high="3.5"))), "violated"),
        (FAST, (bench(replace(P50, high=None)),), "indeterminate"),
        (FAST, (bench(replace(P50, method="range", n=3)),), "indeterminate"),
        ("bench.high['rpi5:8/peak-resident'] < 3e8", (bench(MEMORY),), "satisfied-by-evidence"),
        ("bench.outcome['rpi5:8'] == 'measured'", (bench(MEMORY),), "satisfied-by-evidence"),
        ("bench.outcome['rpi5:8'] == 'measured'", (bench(MEMORY), bench(certified=False, outcome="ended")), "violated"),
        ("bench.outcome['rpi5:8'] == 'measured'", (replace(bench(MEMORY), device=None),), "indeterminate"),
    ],
)
def test_benches_by_device(rule: str, said: tuple[BenchV1, ...], expected: str) -> None:
    assert outcome(rule, *said) == expected


def test_who_measured_and_where() -> None:
    found = facts((bench(P50), "a"), (bench(P50, MEMORY), "a"), (replace(bench(P50), device=None), "b"))
    assert found["bench.devices"] == ["here", "rpi5:8"]
    assert found["bench.signer"] == {"here": "b", "rpi5:8": "a"}
    assert found["bench.value"] == {
        "here/request-p50": 1.5,
        "rpi5:8/request-p50": 1.5,
        "rpi5:8/peak-resident": 270900000.0,
    }
    assert "rpi5:8/request-p50" not in facts(bench(P50), bench(replace(P50, value="1.55")))["bench.value"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((step("as-good"),), "satisfied-by-evidence"),
        ((step("as-good", "0.1"),), "violated"),
        ((step("unresolved"),), "violated"),
        ((step("not-asked", None),), "violated"),
        ((), "indeterminate"),
        ((step("as-good"), step("worse")), "violated"),
        ((step("as-good"), step("not-asked", None)), "satisfied-by-evidence"),
        ((step("as-good"), step("as-good", "0.1")), "violated"),
    ],
)
def test_what_was_quantized_must_have_been_shown_as_good(said: tuple[DerivationV1, ...], expected: str) -> None:
    assert outcome("derivation.verdict == 'as-good' && derivation.loss <= 0.02", *said) == expected


def test_steps() -> None:
    found = facts((step("as-good"), "a"), (replace(step("worse"), kind="prune", method="magnitude"), "b"))
    assert (found["derivation.kinds"], found["derivation.methods"]) == (
        ["prune", "quantize"],
        ["gguf-quantize", "magnitude"],
    )
    assert found["derivation.parents"] == [f"sha256:{sha('base')}"]
    assert (found["derivation.verdict"], found["derivation.loss"], found["derivation.signers"]) == (
        "worse",
        0.02,
        ["a", "b"],
    )
    assert "derivation.loss" not in facts(step("not-asked", None))


def test_what_names_other_bytes_or_none_is_not_about_these() -> None:
    for body in (result(0.8, 0.75, 0.85), bench(P50)):
        assert is_about(body, MODEL)
        assert not is_about(body, {"dirHash": sha("another")})
        assert not is_about(body, {"sha256": sha("base")})
        assert not is_about(replace(body, model=ModelRef("b\u00e4se")), MODEL)
