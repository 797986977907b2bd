"""Pairs of models: what comes from another one is found however it was changed, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1  # noqa: E402
from openvet.inventory.compare.numbers import Stored  # noqa: E402
from openvet.inventory.compare.runs import Blocks  # noqa: E402
from openvet.lineage.chance import agree, product, unit  # noqa: E402
from openvet.lineage.fingerprint import fingerprint, is_fixed  # noqa: E402
from openvet.lineage.judge import judge  # noqa: E402
from openvet.lineage.manner import manner, mixture  # noqa: E402
from openvet.lineage.places import Places  # noqa: E402
from openvet.lineage.sides import open_side  # noqa: E402
from tests.ggml_reference import quantize  # noqa: E402
from tests.lineage import pairs  # noqa: E402
from tests.lineage.pairs import Model, judged, side, sketch  # noqa: E402
from tests.workflows.test_diff import WIDE, weights  # noqa: E402

BASE: Model = weights(layers=3)
RELATED: dict[str, tuple[Callable[[], Model], set[str]]] = {
    "same": (lambda: BASE, {"identical"}),
    "cast": (lambda: {name: values.astype(np.float16) for name, values in BASE.items()}, {"cast"}),
    "tuned a little": (lambda: pairs.noised(BASE, 0.001), {"finetune"}),
    "tuned": (lambda: pairs.noised(BASE, 0.1), {"finetune"}),
    "trained on for long": (lambda: pairs.noised(BASE, 2.0), {"finetune"}),
    "adapter merged": (lambda: pairs.lora(BASE), {"finetune"}),
    "half pruned": (lambda: pairs.pruned(BASE, 0.5), {"pruned"}),
    "pruned and tuned": (lambda: pairs.pruned(pairs.noised(BASE, 0.05), 0.5), {"pruned", "finetune"}),
    "neurons and heads": (lambda: pairs.permuted(BASE, 4), {"permuted"}),
    "neurons, heads, tuned": (lambda: pairs.noised(pairs.permuted(BASE, 4), 0.3), {"permuted", "finetune"}),
    "residual stream": (lambda: pairs.residual(BASE, WIDE), {"permuted", "parts"}),
    "layers": (lambda: pairs.shuffled(BASE), {"parts"}),
    "renamed": (lambda: pairs.renamed(BASE), {"renamed"}),
    "all of it": (lambda: pairs.renamed(pairs.noised(pairs.permuted(BASE, 4), 0.3)), {"renamed", "permuted"}),
    "a stranger added": (lambda: pairs.merged(BASE, weights(9, layers=3), 0.6), {"finetune"}),
    "two layers of three": (
        lambda: {**BASE, **{name: values for name, values in weights(9, layers=3).items() if ".2." in name}},
        {"parts"},
    ),
}
STRANGERS: dict[str, Callable[[], Model]] = {
    "another start": lambda: weights(5, layers=3),
    "the same scales": lambda: pairs.like(BASE),
    "the same values": lambda: pairs.like(BASE, values=True),
    "a merge without it": lambda: pairs.merged(weights(5, layers=3), weights(6, layers=3), 0.5),
}
OPEN: dict[str, Callable[[], Model]] = {
    "rotated": lambda: pairs.rotated(BASE, WIDE),
    "the same norms": lambda: pairs.like(BASE, norms=True),
    "other extents": lambda: {
        name: values[:100, :100] if values.ndim == 2 else values for name, values in BASE.items()
    },
    "nothing there": lambda: {"model.norm.weight": np.ones(WIDE, np.float32)},
    "too small": lambda: {"model.layers.0.mlp.up_proj.weight": BASE["model.layers.0.mlp.up_proj.weight"][:32, :32]},
    "only the table": lambda: {**weights(9, layers=3), "model.embed_tokens.weight": BASE["model.embed_tokens.weight"]},
}


@pytest.mark.parametrize("name", RELATED)
def test_what_comes_from_it_is_found(name: str) -> None:
    make, claims = RELATED[name]
    found, said = judged(make(), BASE)
    assert found.test.verdict == "consistent", found.test
    assert {claim for claim, verdict in said.items() if verdict == "consistent"} >= claims
    assert float(found.test.p_value or 1) < 0.001


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_is_not_accepted(name: str) -> None:
    found, said = judged(STRANGERS[name](), BASE)
    assert (found.test.verdict, said) == ("not-consistent", {}), found.test


@pytest.mark.parametrize("name", OPEN)
def test_what_nobody_can_tell_is_left_open(name: str) -> None:
    other = OPEN[name]()
    base = other if name == "too small" else BASE
    if name == "too small":
        other = pairs.like(base)
    found, said = judged(other, base)
    assert (found.test.verdict, said) == ("cannot-tell", {}), found.test


def test_a_config_is_no_reason() -> None:
    """Equal names and shapes are the same for a stranger, and are not asked."""
    one, two = sketch(BASE), sketch(weights(5, layers=3))
    assert one.digests == two.digests
    assert judge(np, open_side(np, one), open_side(np, two), "a", "b").test.verdict == "not-consistent"


def test_networks_that_were_really_trained() -> None:
    """The same task from another start is a stranger; training on, also on another task, is none."""
    first, again, other = pairs.trained(1), pairs.trained(2), pairs.trained(3, data=1)
    assert judged(again, first)[0].test.verdict == "not-consistent"
    assert judged(other, first)[0].test.verdict == "not-consistent"
    assert judged(pairs.trained(4, data=1, start=first), first)[0].test.verdict == "consistent"


@pytest.mark.parametrize("kind", ["Q4_0", "Q5_1", "Q8_0", "Q4_K", "Q6_K"])
def test_quantized(kind: str) -> None:
    """Sketches know the original in every type of blocks, and say that it was quantized."""
    base = {name: values for name, values in weights(layers=2).items() if "mlp" in name}

    def one(name: str, values: Any) -> Stored:
        data = quantize(kind, values)
        return Stored(name, kind, values.shape, "model", run=lambda: Blocks(iter([data])))

    rows = {name: values[:40] for name, values in base.items() if ".0." in name}
    made = open_side(np, fingerprint(np, [one(name, values) for name, values in rows.items()], pairs.TOOL))
    base_side = side(rows)
    found = judge(np, made, base_side, "this", "other")
    said = {each.claim: each for each in manner(np, found, made, base_side)}
    assert found.test.verdict == "consistent", found.test
    assert said["quantized"].verdict == "consistent", said["quantized"]
    back = judge(np, base_side, made, "this", "other")
    assert "quantized" not in {each.claim for each in manner(np, back, base_side, made)}


@pytest.mark.parametrize("bits", [3, 4, 5])
def test_zeros_that_rounding_left_are_not_pruning(bits: int) -> None:
    """Quantized and made numbers again: small values are zero, and all others are moved as far."""

    def rounded(values: Any) -> Any:
        parts = values.reshape(-1, 32)
        step = np.abs(parts).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
        return (np.rint(parts / step) * step).reshape(values.shape).astype(np.float32)

    found, said = judged({name: rounded(values) if values.ndim == 2 else values for name, values in BASE.items()}, BASE)
    assert found.test.verdict == "consistent"
    assert "pruned" not in said
    assert said.get("quantized", "cannot-tell") == "cannot-tell"


def test_rows_in_another_order_are_found_by_their_norms() -> None:
    """Nothing stands where it was, and columns are over other rows: only the choice by norms has the same rows on both sides."""
    random = np.random.default_rng(0)
    model = {f"layers.{at}.mlp.up_proj.weight": random.standard_normal((600, 96)).astype(np.float32) for at in range(4)}
    turned = {name: values[random.permutation(600)] for name, values in model.items()}
    found, said = judged(turned, model)
    assert (found.test.verdict, found.test.test, said.get("permuted")) == (
        "consistent",
        "matched-vectors",
        "consistent",
    )
    assert judged(pairs.noised(turned, 0.1), model)[0].test.verdict == "consistent"


def test_a_mixture_lies_between_its_origins() -> None:
    first, second = pairs.noised(BASE, 0.05, 21), pairs.noised(BASE, 0.05, 22)
    mixed = side(pairs.merged(first, second, 0.3))
    both = [judge(np, mixed, side(each), "this", name) for each, name in ((first, "given:one"), (second, "given:two"))]
    found = mixture(np, *both)
    assert found is not None
    assert (found.verdict, found.figures["with"]) == ("consistent", "given:two")
    assert abs(float(found.figures["weight"]) - 0.7) < 0.01
    alone = side(pairs.noised(first, 0.05, 23))
    tuned = mixture(np, judge(np, alone, side(first), "this", "one"), judge(np, alone, side(second), "this", "two"))
    assert tuned is not None
    assert tuned.verdict == "not-consistent"


# --- chance ---


def test_random_orders_give_what_the_formula_says() -> None:
    """Mean and variance over random orders of features, for vectors that are as alike among themselves as those of real models."""
    random = np.random.default_rng(0)
    common = random.standard_normal((2, 1, 64)) ** 3
    a, b = (unit(np, common[at] + random.standard_normal((40, 64)) * 0.5) for at in (0, 1))
    seen = [float(np.einsum("ij,ij->", a[:, random.permutation(64)], b)) for _ in range(4_000)]
    outer = a.T @ b
    expected = float(np.sqrt(np.square(outer).sum() / 63))
    assert abs(np.mean(seen)) < 0.1 * expected
    assert abs(np.std(seen) / expected - 1) < 0.1
    found = agree(np, [(a, b)])
    assert found.z == pytest.approx(float(np.trace(outer)) / expected, rel=1e-4)
    assert agree(np, [(a[:20], b[:20]), (a[20:], b[20:])]).z == pytest.approx(found.z, rel=1e-4)
    assert agree(np, [(a, b)], [(a, b)]).z == pytest.approx(found.z, rel=1e-4)  # the same twice says nothing more


def test_strangers_are_as_far_apart_as_chance_puts_them() -> None:
    """Over many pairs z has the mean 0 and the deviation 1 that it is said to have."""
    shapes = {f"layers.{at}.mlp.up_proj.weight": (64, 64) for at in range(4)}
    seen = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        one, two = (
            {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()} for _ in (0, 1)
        )
        found = judge(np, side(one), side(two), "a", "b")
        seen.append(found.aligned.whole.z)
    assert abs(np.mean(seen)) < 0.5
    assert 0.7 < np.std(seen) < 1.3
    assert max(seen) < 6


@pytest.mark.parametrize(
    ("rows", "others", "inner"), [(1, 1, 1), (64, 64, 64), (70, 33, 128), (5, 200, 300), (130, 7, 31)]
)
def test_small_products_give_the_large_one(rows: int, others: int, inner: int) -> None:
    random = np.random.default_rng(rows)
    a, b = (
        random.standard_normal((rows, inner)).astype(np.float32),
        random.standard_normal((others, inner)).astype(np.float32),
    )
    assert np.allclose(product(np, a, b), a @ b.T, atol=1e-4)


# --- sketches ---


def test_places_stay_when_an_extent_grows() -> None:
    places = Places(np)
    before, after = places.first(32_000, 128), places.first(32_064, 128)
    assert len(set(before.tolist()) & set(after.tolist())) >= 125
    assert before[:64].tolist() == places.first(32_000, 64).tolist()


def test_a_vocabulary_that_grew() -> None:
    grown = {
        **BASE,
        "model.embed_tokens.weight": np.concatenate(
            (BASE["model.embed_tokens.weight"], np.ones((8, WIDE), np.float32))
        ),
    }
    assert judged(grown, BASE)[0].test.verdict == "consistent"


def test_the_same_input_gives_the_same_bytes() -> None:
    assert json.dumps(sketch(BASE).to_json()) == json.dumps(sketch(dict(reversed(list(BASE.items())))).to_json())
    assert FingerprintV1.from_json(sketch(BASE).to_json()) == sketch(BASE)


def test_numbers_that_are_none_and_matrices_of_nothing() -> None:
    """What is not finite, zero, flat or huge is left out and counted, and the rest is still known."""
    broken = {name: values.copy() for name, values in BASE.items()}
    broken["model.layers.0.self_attn.q_proj.weight"][:] = np.nan
    broken["model.layers.0.self_attn.k_proj.weight"][3] = np.inf
    broken["model.layers.1.self_attn.q_proj.weight"][:] = 0
    broken["model.layers.1.self_attn.k_proj.weight"][:] = 7
    broken["model.layers.2.self_attn.q_proj.weight"][:] = 3e38
    made = {each.name: each for each in sketch(broken).tensors}
    assert made["model.layers.0.self_attn.q_proj.weight"].not_finite > 0
    assert made["model.layers.0.self_attn.q_proj.weight"].rows is None
    assert made["model.layers.1.self_attn.q_proj.weight"].zeros == "1"
    assert judged(broken, BASE)[0].test.verdict == "consistent"
    assert judged({name: np.zeros_like(values) for name, values in BASE.items()}, BASE)[0].test.verdict == "cannot-tell"
    assert (
        judged({name: np.full_like(values, np.nan) for name, values in BASE.items()}, BASE)[0].test.verdict
        == "cannot-tell"
    )


def test_what_follows_from_a_formula_is_no_evidence() -> None:
    for name in (
        "model.rotary_emb.inv_freq",
        "encoder/position_encodings",
        "stft.forward_basis_buffer",
        "encoder.embed_positions.weight",
    ):
        assert is_fixed(name), name
    for name in ("model.layers.0.self_attn.q_proj.weight", "composition.weight", "model.embed_tokens.weight"):
        assert not is_fixed(name), name


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        ((64, 1, 3), False, True),
        ((64, 40, 3, 3), True, True),
        ((10, 128), True, False),
        ((128, 10), False, True),
        ((8, 8), False, False),
    ],
)
def test_shapes(shape: tuple[int, ...], rows: bool, columns: bool) -> None:
    made = sketch({"w": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}).tensors
    assert [(each.rows is not None, each.columns is not None) for each in made] == (
        [(rows, columns)] if rows or columns else []
    )
