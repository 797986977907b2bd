"""The tensors of every file, counted once for all who ask: how many of each type, how many elements, how many bytes."""

from __future__ import annotations

from collections.abc import Iterable

from openvet.core.dataclass import dataclass
from openvet.inventory.component import Component, Inventory

__all__ = ["NOT_PARAMETERS", "ONE_FILE", "WEIGHTS", "Count", "counts", "total", "weights"]

#: Formats that hold weights, the one to count first where several are there.
WEIGHTS = ("safetensors", "gguf", "torch-zip", "torch-legacy", "torch-tar", "torch-export", "torch-package", "npy", "hdf5",
           "msgpack", "tf-checkpoint-index", "onnx", "ort", "tflite", "ctranslate2")  # fmt: skip
#: Of these, several files may be one model in parts or in variants; nothing in them says which.
ONE_FILE = frozenset({"onnx", "ort", "tflite", "hdf5", "msgpack"})
#: Counters, masks and tables of positions.
NOT_PARAMETERS = frozenset({"I64", "I32", "I16", "U64", "U32", "U16", "BOOL"})


@dataclass(slots=True)
class Count:
    """Tensors of one type.

    Attributes:
        tensors: how many have storage of their own: one under several names counts once.
        elements, size: their elements and bytes.
    """

    tensors: int = 0
    elements: int = 0
    size: int = 0


def weights(inventory: Inventory) -> dict[str, list[Component]]:
    """What holds weights, by format; to be asked for with :meth:`Inventory.once`."""
    groups: dict[str, list[Component]] = {}
    for component in inventory.walk():
        if component.tensors and component.format in WEIGHTS:
            groups.setdefault(component.format, []).append(component)
    return groups


def counts(inventory: Inventory) -> dict[str, dict[str, Count]]:
    """Place -> type -> count of everything that :func:`weights` gives; to be asked for with :meth:`Inventory.once`."""
    return {each.place: _count(each) for group in inventory.once(weights).values() for each in group}


#: The suffix of what CTranslate2 keeps beside whole numbers that stand for weights, and its word for those of 16 bits.
_SCALE, _INT16 = "_scale", "INT16"


def _count(component: Component) -> dict[str, Count]:
    out: dict[str, Count] = {}
    seen: set[tuple[int, int | None]] = set()
    scaled = _scaled(component)
    for tensor in component.tensors:
        elements = tensor.elements
        if tensor.offset is not None:
            if (tensor.offset, tensor.nbytes) in seen:  # one tensor under several names, such as tied weights
                elements = -1
            elif elements:
                seen.add((tensor.offset, tensor.nbytes))
        dtype = tensor.dtype
        if scaled is not None:
            if dtype == "I16" and tensor.name in scaled:
                dtype = _INT16
            elif elements > 0 and (not tensor.shape or tensor.name.removesuffix(_SCALE) in scaled - {tensor.name}):
                elements = 0  # a setting, or scales: bytes of the file, and nothing that was learned
        count = out.get(dtype)
        if count is None:
            count = out[dtype] = Count()
        if elements >= 0:
            count.tensors += 1
            count.elements += elements
            count.size += tensor.nbytes or 0
    return out


def _scaled(component: Component) -> set[str] | None:
    """Names of a CTranslate2 model's whole numbers that have scales beside them; ``None`` for other formats."""
    if component.format != "ctranslate2":
        return None
    scales = {each.name for each in component.tensors if each.name.endswith(_SCALE)}
    return {each.name for each in component.tensors if each.dtype in ("I8", "I16") and f"{each.name}{_SCALE}" in scales}


def total(inventory: Inventory, components: Iterable[Component]) -> dict[str, Count]:
    """The counts of some components together, the type with most tensors first."""
    by_place = inventory.once(counts)
    out: dict[str, Count] = {}
    for component in components:
        for dtype, count in by_place.get(component.place, {}).items():
            held = out.setdefault(dtype, Count())
            held.tensors += count.tensors
            held.elements += count.elements
            held.size += count.size
    return dict(sorted(out.items(), key=lambda item: (-item[1].tensors, item[0])))
