"""The fingerprint of a model: a sketch of each of its matrices, and digests of what can only be the same or not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ReadError
from openvet.evidence.predicates.fingerprint_v1 import RECIPE, FingerprintV1, NotSketched, TensorSketch
from openvet.evidence.predicates.tool import Tool
from openvet.inventory.compare.names import keys
from openvet.inventory.compare.numbers import Stored
from openvet.inventory.compare.tensors import Heads, split_experts
from openvet.lineage.places import Places
from openvet.lineage.sketch import is_sketched, sketch_tensor

__all__ = ["TENSORS", "VECTORS", "fingerprint", "is_fixed"]

#: Tensors of one fingerprint at most, and vectors of all of them together: about 1.5 MB in base64.
TENSORS: Final = 1_024
VECTORS: Final = 7_680
_MOST_EACH: Final = 48
#: What is computed and not learnt, and is the same in models that have nothing to do with each other.
_FIXED: Final = pattern(r"rotary|inv_freq|position_ids|sinusoid|pos_enc|position_enc|positional|embed_positions|position_embed|pos_embed|relative_|\.masked_bias|attn\.bias$|stft|mel_filter|window_fn|forward_basis")  # fmt: skip
_REASONS: Final = 50


def is_fixed(name: str) -> bool:
    """Whether the name says that the numbers follow from a formula, or stand for positions, which are no features."""
    return _FIXED.search(name.lower()) is not None


@dataclass(frozen=True, slots=True)
class _Task:
    stored: Stored
    heads: int


def fingerprint(
    np: Any,
    tensors: Sequence[Stored],
    tool: Tool,
    heads: Heads | None = None,
    digests: Mapping[str, str] | None = None,
    not_read: Sequence[NotSketched] = (),
    spread: Callable[[Callable[[_Task], Any], Sequence[_Task]], Iterable[Any]] = map,
) -> FingerprintV1:
    """Sketch ``tensors``, each read once.

    Args:
        np: NumPy.
        heads: what a GGUF file's converter did.
        digests: of the files beside the weights.
        not_read: what is known to be missing.
        spread: gives the results of a function for all items, in order (a pool of threads, or ``map``).
    """
    ggml = any(each.ggml for each in tensors)
    named: dict[str, Stored] = {}
    for each in split_experts(tensors) if ggml else tensors:
        named.setdefault(each.name, each)
    missing: dict[str, list[str]] = {}
    tasks = []
    for name in sorted(named):
        why = is_sketched(named[name])
        if why and why != "-":
            missing.setdefault(why, []).append(name)
        elif not why and not is_fixed(name):
            tasks.append(_Task(named[name], _heads_of(named[name], heads)))
    left_off = max(len(tasks) - TENSORS, 0)
    if left_off:
        # the same ones whatever they are called in a packaging, as far as that is known
        tasks = sorted(sorted(tasks, key=_order)[:TENSORS], key=lambda each: each.stored.name)
    count = min(max(VECTORS // (4 * max(len(tasks), 1)), 1), _MOST_EACH)
    places = Places(np)
    sketches: list[TensorSketch] = []

    def one(task: _Task) -> TensorSketch | str:
        try:
            return sketch_tensor(np, task.stored, places, count, task.heads)
        except ReadError as error:
            return printable(error.message)

    for task, made in zip(tasks, spread(one, tasks), strict=True):
        if isinstance(made, str):
            missing.setdefault(made, []).append(task.stored.name)
        else:
            sketches.append(made)
    told = [
        NotSketched("", f"{len(names)} {'tensor' if len(names) == 1 else 'tensors'} ({names[0]}): {why}")
        for why, names in list(missing.items())[:_REASONS]
    ]
    return FingerprintV1(
        tool, RECIPE, tuple(sketches), {**_digests(named), **(digests or {})}, (*not_read, *told), left_off
    )


def _heads_of(stored: Stored, heads: Heads | None) -> int:
    return heads.turn_of(stored.name).heads if heads is not None and stored.ggml else 0


def _order(task: _Task) -> bytes:
    name = next(iter(keys(task.stored.name, ggml=task.stored.ggml)), task.stored.name)
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


def _digests(named: Mapping[str, Stored]) -> dict[str, str]:
    """Of names, and of shapes without names: equal ones prove nothing, different ones say where to look."""
    shapes = sorted([*each.shape] for each in named.values())
    return {
        "names": hashlib.sha256(canonical_json(sorted(named))).hexdigest(),
        "shapes": hashlib.sha256(canonical_json(shapes)).hexdigest(),
    }
