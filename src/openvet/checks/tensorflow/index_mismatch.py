"""The index of a TensorFlow checkpoint does not fit its shards.

What it finds:
    An index that describes a tensor twice, or one whose bytes do not fit its shape and type; shards that are not there,
    and tensors that lie beyond the end of their shard.

Why it matters:
    The model does not load, or loads with what stands somewhere else; what is missing was not checked.

Example:
    ``variables.index`` without ``variables.data-00000-of-00001``.

Remedy:
    Download index and shards from one publisher in one revision, then check the folder.

What it cannot see:
    Whether the numbers are the ones that the index was made for: the checksums are not computed.

References:
    https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/util/tensor_bundle ; CWE-345.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable

RULE = Rule(
    id="tensorflow/index-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(345,),
)

_REMEDY = "Download index and shards from one publisher in one revision, then check the folder."


def check(ctx: Context) -> Iterator[Finding]:
    """What the reader saw, then one finding for each shard that does not fit."""
    yield from ctx.anomalies(_REMEDY)
    places = {component.place: component for component in ctx.inventory.walk()}
    for component in ctx.components("tf-checkpoint-index"):
        folder = component.place[: len(component.place) - len(component.place.rpartition("/")[2])]
        absent = [name for name in component.claims if folder + printable(name) not in places]
        if absent:
            message = f"{len(absent)} of its {len(component.claims)} shards are not here: {printable(absent[0])}"
            evidence = {"missing": [printable(name) for name in absent[:20]]}
            yield ctx.finding(Location(component.place), message, _REMEDY, evidence=evidence)
        for name, ranges in component.claims.items():
            shard = places.get(folder + printable(name))
            end = max((start + size for start, size in ranges), default=0)
            if shard is not None and end > shard.size:
                message = f"says that its tensors take {end} bytes of {shard.place}, which has {shard.size}"
                yield ctx.finding(
                    Location(component.place), message, _REMEDY, evidence={"shard": shard.place, "end": str(end)}
                )
