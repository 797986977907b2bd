"""Whether an adapter fits a model: its matrices have to be as wide and as high as those that they are added to.

An adapter holds a difference and nothing of the model's own weights, so that its weights say nothing about whom it was trained on. Equal
extents prove nothing, and other extents rule a model out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.core.pattern import pattern
from openvet.evidence.predicates.lineage_v1 import WeightTest
from openvet.inventory.compare.names import keys
from openvet.lineage.sides import Side

__all__ = ["fits"]

_PAIR: Final = pattern(r"(.*?)\.(lora_(?:A|B|down|up|embedding_A|embedding_B))(?:\.[^.]+)?(?:\.weight)?\Z")
_FIRST: Final = ("lora_A", "lora_down")


def fits(adapter: Side, base: Side, derivative: str, origin: str) -> WeightTest:
    """Hold the extents of an adapter's matrices against those of a model."""
    extents: dict[str, tuple[int, ...]] = {}
    for each in base.matrices:
        for key in (each.name, *keys(each.name, ggml=each.ggml)):
            extents.setdefault(key.removesuffix(".weight"), each.extents)
    good, bad, unknown = 0, [], 0
    for name, first, extent in _halves(adapter):
        found = next((extents[key] for key in (name, *keys(name, ggml=False)) if key in extents), None)
        if found is None:
            unknown += 1
        elif found[1 if first else 0] == extent:
            good += 1
        else:
            bad.append(name)
    total = good + len(bad) + unknown
    if bad:
        verdict = "not-consistent"
        text = f"{len(bad)} of {total} matrices of the adapter do not fit ({bad[0]})"
    else:
        verdict = "cannot-tell"
        text = f"{good} of {total} matrices of the adapter fit; that says nothing about which model it was trained on"
    return WeightTest(
        derivative,
        origin,
        "adapter",
        verdict,
        "shapes",
        text,
        total,
        figures={"fit": str(good), "not found": str(unknown)},
    )


def _halves(adapter: Side) -> Iterator[tuple[str, bool, int]]:
    """Of each half of a pair: the name of the matrix that it is added to, whether it takes the input, and the extent on that side."""
    for each in adapter.matrices:
        found = _PAIR.match(each.name)
        if found is not None:
            first = found[2] in _FIRST
            yield found[1], first, each.shape[1] if first else each.shape[0]
