"""Merges: each recipe's trace is found in the numbers, and what has none stays consistent with its origins and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

np = pytest.importorskip("numpy")

from openvet.evidence.predicates.lineage_v1 import WeightTest  # noqa: E402
from openvet.lineage.manner import mixture  # noqa: E402
from openvet.lineage.mixing import combination, stacked, value_by_value  # noqa: E402
from tests.lineage import pairs  # noqa: E402
from tests.lineage.pairs import Model, origins  # noqa: E402
from tests.workflows.test_diff import weights  # noqa: E402

BASE: Model = weights(layers=4)
ONE, TWO, THREE = (pairs.noised(BASE, 0.1, seed) for seed in (41, 42, 43))
HALF = {name: values.astype(np.float16) for name, values in BASE.items()}
HALF_ONE, HALF_TWO = ({name: values.astype(np.float16) for name, values in each.items()} for each in (ONE, TWO))


def said(made: Model, *others: Model) -> dict[str, WeightTest]:
    """Tests that say ``merge`` and are consistent, by their names; the first of ``others`` is the base."""
    held = origins(made, *others)
    assert len(held) == len(others), "it is consistent with each of them"
    together = combination(np, held)
    if together is not None:
        return {together.test: together}
    found = [stacked(np, held)]
    found += [mixture(np, first.judged, second.judged) for at, first in enumerate(held) for second in held[at + 1 :]]
    found += [value_by_value(np, held[at], [*held[:at], *held[at + 1 :]]) for at in range(len(held))]
    return {each.test: each for each in found if each is not None and each.verdict == "consistent"}


LINEAR: dict[str, tuple[Callable[[], Model], tuple[Model, ...]]] = {
    "SLERP": (lambda: pairs.slerp(ONE, TWO, 0.4), (ONE, TWO)),
    "SLERP of what lies far apart": (
        lambda: pairs.slerp(pairs.noised(BASE, 0.6, 1), pairs.noised(BASE, 0.6, 2), 0.4),
        (pairs.noised(BASE, 0.6, 1), pairs.noised(BASE, 0.6, 2)),
    ),
    "the mean of two, as 16 bits": (lambda: pairs.merged(HALF_ONE, HALF_TWO, 0.5), (HALF_ONE, HALF_TWO)),
}
SEVERAL: dict[str, tuple[Callable[[], Model], tuple[Model, ...], list[float]]] = {
    "task arithmetic": (lambda: pairs.added(BASE, ONE, TWO, weights=(0.7, 0.5)), (BASE, ONE, TWO), [-0.2, 0.7, 0.5]),
    "a task taken away": (lambda: pairs.added(BASE, ONE, TWO, weights=(1.0, -0.5)), (BASE, ONE, TWO), [0.5, 1.0, -0.5]),
    "three tasks": (
        lambda: pairs.added(BASE, ONE, TWO, THREE, weights=(0.4, 0.4, 0.4)),
        (BASE, ONE, TWO, THREE),
        [-0.2, 0.4, 0.4, 0.4],
    ),
    "task arithmetic, 16 bits": (
        lambda: pairs.added(HALF, HALF_ONE, HALF_TWO, weights=(0.6, 0.6)),
        (HALF, HALF_ONE, HALF_TWO),
        [-0.2, 0.6, 0.6],
    ),
}
SPARSE: dict[str, tuple[Callable[[], Model], tuple[Model, ...], list[float]]] = {
    "TIES": (lambda: pairs.ties(BASE, ONE, TWO), (BASE, ONE, TWO), [1.0, 1.0]),
    "TIES, a fifth kept, less of it": (
        lambda: pairs.ties(BASE, ONE, TWO, density=0.2, scale=0.6),
        (BASE, ONE, TWO),
        [0.6, 0.6],
    ),
    "TIES of three": (lambda: pairs.ties(BASE, ONE, TWO, THREE), (BASE, ONE, TWO, THREE), [1.0, 1.0, 1.0]),
    "DARE": (lambda: pairs.dare(BASE, ONE, TWO, weights=(0.5, 0.5)), (BASE, ONE, TWO), [1.0, 1.0]),
    "DARE, most of it dropped": (
        lambda: pairs.dare(BASE, ONE, TWO, drop=0.8, weights=(0.5, 0.3)),
        (BASE, ONE, TWO),
        [2.5, 1.5],
    ),
    "TIES, 16 bits": (lambda: pairs.ties(HALF, HALF_ONE, HALF_TWO), (HALF, HALF_ONE, HALF_TWO), [1.0, 1.0]),
}
NONE: dict[str, tuple[Callable[[], Model], tuple[Model, ...]]] = {
    "tuned": (lambda: pairs.noised(BASE, 0.1, 51), (BASE, ONE, TWO)),
    "tuned out of one of them": (lambda: pairs.noised(ONE, 0.05, 52), (BASE, ONE, TWO)),
    "one of them": (lambda: dict(ONE), (BASE, ONE, TWO)),
    "one of them, pruned": (lambda: pairs.pruned(ONE, 0.3), (BASE, ONE, TWO)),
    "half of a change dropped": (lambda: pairs.dare(BASE, ONE, weights=(1.0,)), (BASE, ONE, TWO)),
    "TIES, and tuned": (lambda: pairs.noised(pairs.ties(BASE, ONE, TWO), 0.05, 53), (BASE, ONE, TWO)),
    "merged out of others": (lambda: pairs.ties(BASE, THREE, pairs.noised(BASE, 0.1, 54)), (BASE, ONE, TWO)),
    "an adapter": (lambda: pairs.lora(BASE), (BASE, ONE, TWO)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_between_two(name: str) -> None:
    make, others = LINEAR[name]
    assert "linear-combination" in said(make(), *others)


@pytest.mark.parametrize("name", SEVERAL)
def test_a_combination_of_three_or_more(name: str) -> None:
    make, others, expected = SEVERAL[name]
    found = said(make(), *others)["linear-combination"]
    assert [float(each) for each in found.figures["weight"].split()] == pytest.approx(expected, abs=0.02)
    assert float(found.p_value or 1) < 1e-100


@pytest.mark.parametrize("name", SPARSE)
def test_value_by_value(name: str) -> None:
    make, others, expected = SPARSE[name]
    found = said(make(), *others)
    assert "linear-combination" not in found
    test = found["value-by-value"]
    assert test.figures["base"] == "given:0", "the base is told from the tunes"
    assert [float(each) for each in test.figures["scale"].split()] == pytest.approx(expected, rel=0.02)
    assert float(test.figures["by chance"]) < 0.3
    assert float(test.p_value or 1) < 1e-100


def test_layers_of_two_on_top_of_each_other() -> None:
    """Passthrough: layers are numbered anew, and every matrix is one of an origin's."""
    other = weights(77, layers=4)
    for first, second in ((BASE, other), (ONE, TWO)):
        made = pairs.stacked(first, second, layers=4)
        found = said(made, first, second)["matrix-by-matrix"]
        assert found.figures["with"] == "given:1"
        assert all(int(each) >= 6 for each in found.figures["matrices"].split())


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_merge_is_not_called_one(name: str) -> None:
    make, others = NONE[name]
    found = said(make(), *others)
    assert not found, found
