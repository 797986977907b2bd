"""Parent and child in figures that are read off their files: weights by type, what stayed as it was, zeros, and bytes to serve."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Final

from openvet.core.text import printable
from openvet.evidence.predicates.derivation_v1 import Kept, Part, TypeCount, Weights
from openvet.formats._format import Tensor
from openvet.inventory.component import Component
from openvet.inventory.weights import NOT_PARAMETERS, ONE_FILE, counts, weights
from openvet.workflows.knowledge import tool
from openvet.workflows.making import RefusedError, Side

__all__ = ["FLOATS", "beside_of", "kept_of", "parts_of", "serve_bytes", "weights_of", "zeros_of"]

_LARGEST: Final = 12
FLOATS: Final = frozenset({"F64", "F32", "F16", "BF16"})


def weights_of(side: Side, parameters: int, only: Component | None = None) -> Weights:
    """One side in numbers, or ``only`` one file of it."""
    counted = side.inventory.once(counts)
    mix: dict[str, list[int]] = {}
    for component in side.inventory.once(weights)[side.format] if only is None else [only]:
        for kind, count in counted[component.place].items():
            row = mix.setdefault(kind, [0, 0, 0])
            for at, each in enumerate((count.tensors, count.elements, count.size)):
                row[at] += each
    rows = tuple(TypeCount(kind, *row) for kind, row in sorted(mix.items(), key=lambda item: (-item[1][2], item[0])))
    total = sum(each.bytes for each in rows)
    return Weights(
        side.format,
        side.size if only is None else only.size,
        total,
        parameters,
        f"{8 * total / parameters:.4f}" if parameters else "0",
        rows,
    )


def parts_of(parent: Side, child: Side, command: str, *, packed: bool) -> tuple[Part, ...]:
    """Each file of weights where there are several that are no shards of one: those that both have by name."""
    before, after = (
        {each.name: each for each in side.inventory.once(weights)[side.format]} for side in (parent, child)
    )
    if parent.format not in ONE_FILE or len(before) < 2 or before.keys() != after.keys():
        return ()
    counted = [side.inventory.once(counts) for side in (parent, child)]
    out = []
    for name, file in before.items():
        sides = (file, after[name])
        numbers = [
            sum(count.elements for kind, count in found[each.place].items() if kind not in NOT_PARAMETERS)
            for found, each in zip(counted, sides, strict=True)
        ]
        told = (
            weights_of(parent, numbers[0], file),
            weights_of(child, numbers[0 if packed else 1], after[name]),
        )
        first, second = (each.digests.get("sha256", "") for each in sides)
        tensors, made = ({each.name: each for each in side.tensors} for side in sides)
        out.append(Part(printable(name), first, second, *told, _kept(_same(tensors, made, command, parent.format))))
    return tuple(out)


def beside_of(parent: Side, child: Side) -> tuple[int, list[str]]:
    """Files that hold no weights: how many came along, byte for byte by both digests, and which did not.

    Raises:
        RefusedError: one is in the child with other bytes.
    """
    held = [{each.name for each in side.inventory.once(weights)[side.format]} for side in (parent, child)]
    theirs = {each.name: each for each in child.inventory.files if each.name not in held[1]}
    came, left = 0, []
    for each in parent.inventory.files:
        if each.name in held[0]:
            continue
        if each.name not in theirs:
            left.append(printable(each.name))
        elif each.digests.get("sha256") != theirs[each.name].digests.get("sha256") or not each.digests:
            raise RefusedError(
                f"{printable(each.name)} has other bytes in what was made than in the parent: it is not kept"
            )
        else:
            came += 1
    return came, left


def _tensors(side: Side) -> dict[str, Tensor]:
    """The tensors by name; where several files are no shards of one, by file and name: two graphs may call theirs alike."""
    components = side.inventory.once(weights)[side.format]
    apart = side.format in ONE_FILE and len(components) > 1
    return {
        f"{component.name}: {each.name}" if apart else each.name: each
        for component in components
        for each in component.tensors
    }


def _same(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], command: str, form: str
) -> list[tuple[str, Tensor]]:
    """Tensors that have the name and the type that they had, where types change."""
    return [
        (name, each)
        for name, each in after.items()
        if name in before
        and before[name].dtype == each.dtype
        and (command == "convert" or each.dtype in FLOATS or form == "gguf")
    ]


def kept_of(parent: Side, child: Side, command: str) -> Kept:
    """What stayed as it was: by the header where types change, by every byte where they do not."""
    before, after = _tensors(parent), _tensors(child)
    if command in ("quantize", "convert"):
        return _kept(_same(before, after, command, parent.format))
    digests = [_digests(side) for side in (parent, child)]
    return _kept(
        [
            (name, each)
            for name, each in after.items()
            if name in digests[0] and digests[0][name] == digests[1].get(name)
        ]
    )


def _kept(same: list[tuple[str, Tensor]]) -> Kept:
    same.sort(key=lambda item: (-(item[1].nbytes or 0), item[0]))
    return Kept(
        len(same),
        sum(each.nbytes or 0 for _, each in same),
        tuple((name, each.dtype, each.nbytes or 0) for name, each in same[:_LARGEST]),
    )


def _digests(side: Side) -> dict[str, str]:
    """The digest of each tensor's bytes, by our own reader."""
    from openvet.io.source import FileSource

    out: dict[str, str] = {}
    for component in side.inventory.once(weights)[side.format]:
        place = os.path.join(side.path, component.name) if os.path.isdir(side.path) else side.path
        with FileSource(os.open(place, os.O_RDONLY | os.O_CLOEXEC)) as source:
            for each in component.tensors:
                digest = hashlib.sha256(each.dtype.encode())
                if each.offset is not None and each.nbytes:
                    for block in source.chunks(each.offset, each.nbytes):
                        digest.update(block)
                out[each.name] = digest.hexdigest()
    return out


def zeros_of(side: Side) -> str | None:
    """The share of numbers in matrices and vectors of floats that are zero; ``None`` where NumPy is not there to count."""
    from openvet.transforms._zeros import count_zeros

    paths = [
        os.path.join(side.path, each.name) if os.path.isdir(side.path) else side.path
        for each in side.inventory.once(weights)[side.format]
    ]
    found = count_zeros(paths)
    return None if found is None or not found[1] else f"{found[0] / found[1]:.6f}"


def serve_bytes(side: Side) -> int:
    """Weights and cache, by arithmetic: of a context that is usual, or the model's own where that is less."""
    from openvet.evidence.predicates.profile_v1 import ProfileV1
    from openvet.profile.needs import Workload, needs_of
    from openvet.profile.profile import profile_parts
    from openvet.workflows.fits import USUAL_CONTEXT

    parts, left_off = profile_parts(side.inventory)
    body = ProfileV1(tool(), parts, left_off)
    sizes = []
    for part in body.parts:
        needs = needs_of(part)
        if needs is not None:
            sizes.append(needs.serve_bytes(Workload(min(USUAL_CONTEXT, needs.context or USUAL_CONTEXT), 1, "f16")))
    return max(sizes, default=side.size)
