"""The index of a sharded model does not fit its shards.

What it finds:
    ``*.index.json`` files whose ``weight_map`` names a shard that leaves the folder (high), a shard that is not there,
    a tensor that its shard does not have, or leaves out tensors that a shard has. A wrong ``total_size`` is a note.

Why it matters:
    Loaders open whatever path the index names. A name such as ``../../other/model.safetensors`` makes them read a file that
    nobody checked; a missing shard means that a part of the model was not checked.

Example:
    ``{"weight_map": {"lm_head.weight": "../../../tmp/payload.safetensors"}}``

Remedy:
    Download index and shards from one publisher in one revision. Do not load a model whose index leaves its folder.

What it cannot see:
    Whether tensors with the right names come from the same model; which tensors of shards in other formats than
    safetensors are there.

References:
    https://huggingface.co/docs/transformers/main/en/big_models ; CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openvet.checks._check import Context
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten
from openvet.inventory.component import Component

RULE = Rule(
    id="safetensors/index-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22, 345),
    whole=True,
)

_REMEDY = "Download index and shards from one publisher in one revision, then check the folder."


def check(ctx: Context) -> Iterator[Finding]:
    """Findings for each index, one for each shard and kind of mismatch."""
    components: dict[str, Component] = {}
    for component in ctx.components():
        if not isinstance(component.document, dict) or not component.basename.endswith(".index.json"):
            continue
        weights = component.document.get("weight_map")
        if isinstance(weights, dict):
            components = components or {each.place: each for each in ctx.components()}
            yield from _index(ctx, component, weights, components)


def _index(
    ctx: Context, index: Component, weights: Mapping[str, Any], components: Mapping[str, Component]
) -> Iterator[Finding]:
    shards: dict[str, set[str]] = {}
    for name, shard in weights.items():
        if isinstance(shard, str):
            shards.setdefault(shard, set()).add(printable(shorten(name, 500)))
        else:
            where = Location(index.place, pointer=f"/weight_map/{shorten(name, 200)}")
            yield ctx.finding(where, "the name of a shard is not text", _REMEDY)
    folder = index.place[: len(index.place) - len(index.place.rpartition("/")[2])]
    found: list[Component] = []
    missing: list[str] = []
    for shard, names in sorted(shards.items()):
        if _leaves(shard):
            yield ctx.finding(
                Location(index.place, pointer="/weight_map"),
                f"names the shard {shorten(printable(shard), 200)}, which is not in the model's own folder",
                "Do not load the model: its index makes a loader open a file outside of it.",
                severity=Severity.HIGH,
                evidence={"shard": shorten(printable(shard), 500), "tensors": len(names)},
            )
            continue
        part = components.get(folder + printable(shard))
        if part is None:
            missing.append(shard)
            continue
        found.append(part)
        if "safetensors" in part.formats and part.coverage is Coverage.READ:
            yield from _shard(ctx, index, part, names)
    # an index of the other format stays behind when only one format was downloaded; then none of its shards is there
    if missing and (found or any(shard.endswith(".safetensors") for shard in missing)):
        shown = ", ".join(shorten(printable(shard), 100) for shard in missing[:3])
        yield ctx.finding(
            Location(index.place, pointer="/weight_map"),
            f"names {len(missing)} of {len(shards)} shards that are not here: {shown}{' ...' if len(missing) > 3 else ''}",
            _REMEDY,
            evidence={"missing": [shorten(printable(shard), 500) for shard in missing[:100]]},
        )
    elif not missing:
        yield from _total_size(ctx, index, found)


def _shard(ctx: Context, index: Component, part: Component, names: set[str]) -> Iterator[Finding]:
    present = {tensor.name for tensor in part.tensors}
    absent = sorted(names - present)
    unlisted = sorted(present - names)
    if absent:
        yield ctx.finding(
            Location(index.place, pointer="/weight_map"),
            f"says that {len(absent)} tensors are in {part.place}, and they are not: {shorten(', '.join(absent[:3]), 200)}",
            _REMEDY,
            evidence={"shard": part.place, "tensors": absent[:20], "count": len(absent)},
        )
    if unlisted:
        yield ctx.finding(
            Location(part.place),
            f"holds {len(unlisted)} tensors that {index.place} does not place here: {shorten(', '.join(unlisted[:3]), 200)}",
            _REMEDY,
            severity=Severity.LOW,
            evidence={"index": index.place, "tensors": unlisted[:20], "count": len(unlisted)},
        )


def _total_size(ctx: Context, index: Component, found: list[Component]) -> Iterator[Finding]:
    metadata = index.document.get("metadata")
    stated = metadata.get("total_size") if isinstance(metadata, dict) else None
    sizes = [tensor.nbytes for part in found for tensor in part.tensors]
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not sizes:
        return
    whole = all("safetensors" in part.formats and part.coverage is Coverage.READ for part in found)
    total = sum(size or 0 for size in sizes)
    if whole and stated != total:
        yield ctx.finding(
            Location(index.place, pointer="/metadata/total_size"),
            f"says that the weights take {stated} bytes, and they take {total}",
            "Nothing needs to be done: converters get this number wrong now and then.",
            severity=Severity.NOTE,
            evidence={"stated": str(stated), "present": total},
        )


def _leaves(shard: str) -> bool:
    """Whether ``shard`` is a path that does not stay below the index's folder, on any operating system."""
    parts = shard.replace("\\", "/").split("/")
    return ".." in parts or not parts[0] or ":" in parts[0] or "\0" in shard
