"""A Keras configuration makes layers that no machine holds.

What it finds:
    Layers whose own settings make more than 2**35 weights or values: ``units``, ``filters`` and sizes of embeddings, repeated and
    padded extents.

Why it matters:
    A configuration of some hundred bytes makes whoever loads it ask for terabytes of memory: a server that loads what
    others upload stands still. Weights do not have to be there.

Example:
    ``{"class_name": "Embedding", "config": {"input_dim": 1099511627776, "output_dim": 1024}}``.

Remedy:
    Do not load it.

What it cannot see:
    Sizes that only the shapes of several layers together make.

References:
    CWE-400, CWE-789.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.keras._config import configs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="keras/absurd-size",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(400, 789),
    needs=("json", "yaml"),
)

_ABSURD = 1 << 35
#: Settings of one layer, each of which is a factor of what it holds.
_FACTORS = ("units", "filters", "input_dim", "output_dim", "kernel_size", "n", "size", "num_heads", "key_dim", "intermediate_dim", "max_tokens",
            "num_bins", "sequence_length", "projection_units", "nb_filter", "depth_multiplier")  # fmt: skip
_MOST = 20


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each layer."""
    told = 0
    for each in configs(ctx):
        if not isinstance(each.config, dict) or told >= _MOST:
            continue
        given = {key: _size(each.config.get(key)) for key in _FACTORS if key in each.config}
        count = prod(max(value, 1) for value in given.values())
        # one factor alone has to be beyond what layers have: many small ones multiply in honest layers too
        if count >= _ABSURD and max(given.values(), default=0) >= 1 << 24:
            told += 1
            yield ctx.finding(
                each.location,
                f"the layer {shown(each.name)} is made for at least 2**{count.bit_length() - 1} numbers",
                "Do not load it.",
                evidence={"class": shown(each.name), **{key: value for key, value in given.items() if value}},
            )


def _size(value: Any) -> int:
    """A whole number, or the product of a few."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value >= 1 << 24 and value == value and value != float("inf"):
        return int(value)
    if isinstance(value, list | tuple) and 0 < len(value) <= 8:
        return prod(max(_size(each), 1) for each in value)
    return 0
