"""Parts of a split GGUF model are missing or do not belong together.

What it finds:
    Files that say through ``split.count`` that they are one part of several, where another part is not in the same
    folder, two files claim to be the same part, or the parts together have another number of tensors than they say.

Why it matters:
    The model does not load, or loads with a part of another model. What is missing was not checked; a loader takes whatever
    file stands there later.

Example:
    ``model-00001-of-00003.gguf`` alone in its folder.

Remedy:
    Download all parts from one publisher in one revision, then check the folder.

What it cannot see:
    Whether parts with the right numbers come from the same model.

References:
    https://github.com/ggml-org/llama.cpp/tree/master/tools/gguf-split
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(
    id="gguf/split-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(345,),
    needs=("gguf",),
    whole=True,
)

_REMEDY = "Download all parts from one publisher in one revision, then check the folder."


def check(ctx: Context) -> Iterator[Finding]:
    """Findings for each set of parts, by folder, name without its number, and count."""
    sets: dict[tuple[str, str, int], list[Component]] = {}
    for component in ctx.components():
        count = _number(component, "split.count")
        if count is None or count < 2:
            continue
        number = _number(component, "split.no")
        if number is None or number >= count:
            message = f"says that the model has {count} parts, and not rightly which one it is"
            yield ctx.finding(Location(component.place, pointer="split.no"), message, _REMEDY)
            continue
        folder, _, name = component.place.rpartition("/")
        sets.setdefault((folder, _stem(name), count), []).append(component)
    for (_, _, count), parts in sets.items():
        yield from _one_set(ctx, count, parts)


def _one_set(ctx: Context, count: int, parts: list[Component]) -> Iterator[Finding]:
    numbered: dict[int, Component] = {}
    for part in parts:
        number = _number(part, "split.no") or 0
        if number in numbered:
            message = f"and {numbered[number].place} both say that they are part {number + 1} of {count}"
            yield ctx.finding(Location(part.place, pointer="split.no"), message, _REMEDY)
        numbered.setdefault(number, part)
    first = parts[0]
    missing = count - len(numbered)
    if missing:
        gaps = [number + 1 for number in range(min(count, 1000)) if number not in numbered][:20]
        yield ctx.finding(
            Location(first.place, pointer="split.count"),
            f"the model has {count} parts, and {missing} of them are not here: {', '.join(map(str, gaps))}",
            _REMEDY,
            evidence={"count": count, "missing": gaps},
        )
        return
    stated = _number(first, "split.tensors.count")
    present = sum(len(part.tensors) for part in numbered.values())
    whole = all(part.coverage is Coverage.READ for part in numbered.values())
    if stated is not None and stated != present and whole:
        yield ctx.finding(
            Location(first.place, pointer="split.tensors.count"),
            f"the parts say that they have {stated} tensors together, and have {present}",
            _REMEDY,
            evidence={"stated": stated, "present": present},
        )


def _number(component: Component, key: str) -> int | None:
    value: Any = component.metadata.get(key)
    return value if type(value) is int and value >= 0 else None


def _stem(name: str) -> str:
    """The name without ``-00001-of-00003.gguf``, so that two split models in one folder stay two."""
    stem = name.removesuffix(".gguf")
    head, _, tail = stem.rpartition("-of-")
    if tail.isdigit() and head.rpartition("-")[2].isdigit():
        return head.rpartition("-")[0]
    return ""
