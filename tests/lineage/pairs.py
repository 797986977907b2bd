"""Models and what people do to them: dictionaries of names and arrays of NumPy, of llama-like names, and what is trained here.

``benchmarks/lineage.py`` does the same to real weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1
from openvet.evidence.predicates.tool import Tool
from openvet.inventory.compare.numbers import Stored
from openvet.inventory.compare.runs import Blocks
from openvet.lineage.fingerprint import fingerprint
from openvet.lineage.judge import Judged, judge
from openvet.lineage.manner import manner
from openvet.lineage.mixing import Origin
from openvet.lineage.sides import Side, open_side

__all__ = [
    "TOOL", "Model", "added", "dare", "judged", "like", "lora", "merged", "noised", "origins", "permuted", "pruned", "renamed", "residual", "rotated", "shuffled",
    "side", "sketch", "slerp", "stacked", "stored", "ties", "trained",
]  # fmt: skip

Model = dict[str, Any]
TOOL = Tool("openvet", "0.1.0", "ab" * 32)
_TYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int8": "I8",
    "uint8": "U8",
    "int64": "I64",
    "int32": "I32",
}


def stored(model: Model) -> list[Stored]:
    def one(name: str, values: Any) -> Stored:
        return Stored(
            name,
            _TYPES[str(values.dtype)],
            values.shape,
            "model",
            run=lambda: Blocks(iter([np.ascontiguousarray(values).tobytes()])),
        )

    return [one(name, values) for name, values in model.items()]


def sketch(model: Model) -> FingerprintV1:
    return fingerprint(np, stored(model), TOOL)


def side(model: Model) -> Side:
    return open_side(np, sketch(model))


def judged(a: Model, b: Model) -> tuple[Judged, dict[str, str]]:
    """The verdict, and every further claim with its own."""
    one, two = side(a), side(b)
    found = judge(np, one, two, "this", "other")
    return found, {each.claim: each.verdict for each in manner(np, found, one, two)}


def origins(made: Model, *others: Model) -> list[Origin]:
    """What was merged, beside each of the models that it is consistent with."""
    mine = side(made)
    out = []
    for at, each in enumerate(others):
        other = side(each)
        found = judge(np, mine, other, "this", f"given:{at}")
        if found.test.verdict == "consistent":
            out.append(Origin(found, other))
    return out


def _matrices(model: Model) -> Iterator[tuple[str, Any]]:
    return ((name, values) for name, values in model.items() if values.ndim > 1)


def noised(model: Model, share: float, seed: int = 1) -> Model:
    """Every matrix with noise of ``share`` of its standard deviation: what training further looks like at its worst, without direction."""
    random = np.random.default_rng(seed)
    return {
        **model,
        **{
            name: (values + share * values.std() * random.standard_normal(values.shape)).astype(values.dtype)
            for name, values in _matrices(model)
        },
    }


def lora(model: Model, rank: int = 16, share: float = 0.03, seed: int = 2) -> Model:
    """A merged adapter on queries and values."""
    random = np.random.default_rng(seed)
    out = dict(model)
    for name, values in _matrices(model):
        if any(word in name for word in ("q_proj", "v_proj", "query", "value")):
            change = random.standard_normal((values.shape[0], rank)) @ random.standard_normal((rank, values.shape[1]))
            out[name] = (values + share * values.std() / change.std() * change).astype(values.dtype)
    return out


def pruned(model: Model, share: float) -> Model:
    return {
        **model,
        **{
            name: np.where(np.abs(values) < np.quantile(np.abs(values), share), 0, values).astype(values.dtype)
            for name, values in _matrices(model)
        },
    }


def merged(a: Model, b: Model, weight: float) -> Model:
    return {name: (weight * a[name] + (1 - weight) * b[name]).astype(a[name].dtype) for name in a}


def added(base: Model, *tunes: Model, weights: Sequence[float]) -> Model:
    """Task arithmetic: the base, and the changes of the tunes times their weights."""
    return {
        name: (
            values + sum(weight * (each[name] - values) for weight, each in zip(weights, tunes, strict=True))
        ).astype(values.dtype)
        for name, values in base.items()
    }


def slerp(a: Model, b: Model, part: float) -> Model:
    """Between two models along the sphere, tensor by tensor, as mergekit does it."""
    out = {}
    for name, one in a.items():
        other = b[name]
        left, right = (each.astype(np.float64).reshape(-1) for each in (one, other))
        cosine = float(left @ right / max(np.linalg.norm(left) * np.linalg.norm(right), 1e-300))
        angle = np.arccos(np.clip(cosine, -1, 1))
        if abs(cosine) > 0.9995 or np.sin(angle) < 1e-8:
            values = (1 - part) * left + part * right
        else:
            values = (np.sin((1 - part) * angle) * left + np.sin(part * angle) * right) / np.sin(angle)
        out[name] = values.reshape(one.shape).astype(one.dtype)
    return out


def ties(base: Model, *tunes: Model, density: float = 0.5, scale: float = 1.0) -> Model:
    """TIES: the largest changes of each tune, those of the sign that outweighs the other, and of these the mean."""
    out = dict(base)
    for name, values in _matrices(base):
        changes = np.stack([each[name].astype(np.float64) - values for each in tunes])
        for change in changes:
            change[np.abs(change) < np.quantile(np.abs(change), 1 - density)] = 0
        sign = np.sign(changes.sum(axis=0))
        agreeing = np.where(np.sign(changes) == sign, changes, 0)
        count = np.maximum((agreeing != 0).sum(axis=0), 1)
        out[name] = (values + scale * agreeing.sum(axis=0) / count).astype(values.dtype)
    return out


def dare(base: Model, *tunes: Model, drop: float = 0.5, weights: Sequence[float], seed: int = 31) -> Model:
    """DARE: changes are dropped at random, and what is left is made larger by as much."""
    random = np.random.default_rng(seed)
    out = dict(base)
    for name, values in _matrices(base):
        change = sum(
            weight * (each[name].astype(np.float64) - values) * (random.random(values.shape) >= drop) / (1 - drop)
            for weight, each in zip(weights, tunes, strict=True)
        )
        out[name] = (values + change).astype(values.dtype)
    return out


def stacked(a: Model, b: Model, *, layers: int) -> Model:
    """Passthrough: all layers of the first but the last one, then all of the second but the first one, and numbered anew."""
    out = {name: values for name, values in a.items() if _layer(name) is None}
    chosen = [(a, at) for at in range(layers - 1)] + [(b, at) for at in range(1, layers)]
    for place, (model, layer) in enumerate(chosen):
        for name, values in model.items():
            if _layer(name) == layer:
                out[name.replace(f".{layer}.", f".{place}.", 1)] = values
    return out


def like(model: Model, seed: int = 3, *, norms: bool = False, values: bool = False) -> Model:
    """A model of the same names, shapes and scales that has nothing to do with it.

    Args:
        norms: its rows have the same norms, too.
        values: it has the same values, in another order.
    """
    random = np.random.default_rng(seed)
    out = dict(model)
    for name, held in _matrices(model):
        if values:
            made = random.permutation(held.reshape(-1)).reshape(held.shape)
        else:
            made = held.mean() + held.std() * random.standard_normal(held.shape)
        if norms:
            flat = made.reshape(len(made), -1)
            flat *= (np.linalg.norm(held.reshape(len(held), -1), axis=1) / np.linalg.norm(flat, axis=1))[:, None]
        out[name] = made.astype(held.dtype)
    return out


#: Rows of the first ones and columns of the last one go together: neurons, and heads.
_GROUPS = (
    (("mlp.gate_proj", "mlp.up_proj", "intermediate.dense"), ("mlp.down_proj", "output.dense"), ("attention.output",)),
    (("v_proj", "q_proj", "k_proj", "self.query", "self.key", "self.value"), ("o_proj", "attention.output.dense"), ()),
)


def permuted(model: Model, heads: int, seed: int = 4) -> Model:
    """Neurons of each layer in another order, and heads where every one has keys of its own; it computes the same."""
    random = np.random.default_rng(seed)
    out = dict(model)
    layers = sorted({each for each in map(_layer, model) if each is not None})
    for layer in layers:
        for number, (rows, columns, without) in enumerate(_GROUPS):
            first = [name for name in model if _layer(name) == layer and any(each in name for each in rows)]
            last = [
                name for name in model
                if _layer(name) == layer and any(each in name for each in columns) and not any(each in name for each in without)
            ]  # fmt: skip
            extents = {model[name].shape[0] for name in first}
            if len(extents) != 1:
                continue  # heads that share keys stay where they are
            extent = extents.pop()
            unit = extent // heads if number else 1
            order = (random.permutation(extent // unit)[:, None] * unit + np.arange(unit)).reshape(-1)
            for name in first:
                out[name] = out[name][order]
            for name in last:
                if out[name].ndim == 2:
                    out[name] = out[name][:, order]
    return out


def _layer(name: str) -> int | None:
    parts = name.split(".")
    return next(
        (int(part) for before, part in pairwise(parts) if before in {"layers", "layer"} and part.isdigit()),
        None,
    )


def _turned(model: Model, matrix: Any) -> Model:
    """The residual stream seen from another side: ``matrix`` is orthogonal."""
    out = dict(model)
    wide = len(matrix)
    for name, values in _matrices(model):
        made = values
        written = any(each in name for each in ("o_proj", "down_proj", "attention.output.dense")) or name.endswith(
            ".output.dense.weight"
        )
        if written and values.shape[0] == wide:
            made = matrix.T @ values
        elif not written and values.shape[1] == wide:
            made = values @ matrix
        out[name] = made.astype(values.dtype)
    return out


def residual(model: Model, wide: int, seed: int = 5) -> Model:
    """The features of the residual stream in another order."""
    return _turned(model, np.eye(wide)[np.random.default_rng(seed).permutation(wide)])


def rotated(model: Model, wide: int, seed: int = 6) -> Model:
    return _turned(model, np.linalg.qr(np.random.default_rng(seed).standard_normal((wide, wide)))[0])


def renamed(model: Model, seed: int = 7) -> Model:
    order = np.random.default_rng(seed).permutation(len(model))
    names = list(model)
    return {f"t{number:03d}": model[names[at]] for number, at in enumerate(order)}


def shuffled(model: Model, seed: int = 8) -> Model:
    """Layers in another order."""
    layers = sorted({each for each in map(_layer, model) if each is not None})
    order = np.random.default_rng(seed).permutation(len(layers))
    order = np.roll(np.arange(len(layers)), 1) if (order == np.arange(len(layers))).any() else order
    turned = {layer: layers[at] for layer, at in zip(layers, order, strict=True)}
    out = {}
    for name, values in model.items():
        layer = _layer(name)
        word = "layers" if ".layers." in name else "layer"
        out[name if layer is None else name.replace(f"{word}.{layer}.", f"{word}.{turned[layer]}.", 1)] = values
    return out


def trained(
    seed: int, data: int = 0, start: Model | None = None, steps: int = 300, wide: int = 128, inputs: int = 64
) -> Model:
    """A network that was really trained: two hidden layers and a table of labels, by gradient descent with momentum.

    Args:
        seed: of the start and of the order of the samples.
        data: which task; models of one task have seen the same samples.
        start: weights to go on from.
    """
    world = np.random.default_rng(1000 + data)
    centres = world.standard_normal((10, inputs))
    twist = world.standard_normal((inputs, inputs)) / inputs**0.5
    random = np.random.default_rng(seed)
    names = ("layers.0.mlp.up_proj.weight", "layers.1.mlp.up_proj.weight", "layers.2.mlp.up_proj.weight", "head.weight")
    shapes = ((wide, inputs), (wide, wide), (wide, wide), (10, wide))
    model = (
        {name: random.standard_normal(shape) * (2 / shape[1]) ** 0.5 for name, shape in zip(names, shapes, strict=True)}
        if start is None
        else {name: values.astype(np.float64) for name, values in start.items()}
    )
    speed = {name: np.zeros_like(values) for name, values in model.items()}
    for _ in range(steps):
        labels = random.integers(0, 10, 16)
        x = np.tanh((centres[labels] + random.standard_normal((16, inputs))) @ twist)
        kept = [x]
        for name in names[:-1]:
            kept.append(np.maximum(kept[-1] @ model[name].T, 0))
        scores = kept[-1] @ model[names[-1]].T
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        back = scores / scores.sum(axis=1, keepdims=True)
        back[np.arange(16), labels] -= 1
        for at in range(len(names) - 1, -1, -1):
            change = back.T @ kept[at] / 16 + 1e-4 * model[names[at]]
            back = (back @ model[names[at]]) * (kept[at] > 0)
            speed[names[at]] = 0.9 * speed[names[at]] - 0.05 * change
            model[names[at]] = model[names[at]] + speed[names[at]]
    return {name: values.astype(np.float32) for name, values in model.items()}
