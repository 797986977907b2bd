"""safetensors with NumPy: tensors as they lie in the file, one at a time, and a file written tensor by tensor.

BF16 has no type in NumPy: its bits are the upper half of F32's. Used in the child, and where the parent's side counts zeros in what a child wrote.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.transforms._transform import CannotError

__all__ = ["FLOATS", "Header", "as_f32", "copy_rest", "from_f32", "read_header", "rewrite", "tensor", "weight_files"]

#: dtype -> the NumPy type of its bits.
FLOATS: Final = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_LONGEST: Final = 100_000_000
#: Files that hold weights in some form: a child has its own, and none of its parent's.
_WEIGHTS: Final = (
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".onnx_data", ".gguf", ".ggml", ".h5", ".msgpack", ".ot", ".tflite", ".pkl", ".pickle",
    ".joblib", ".npz", ".npy", ".mlmodel", ".pb", ".params", ".pdparams", ".keras", ".engine", ".mar", ".nemo",
)  # fmt: skip
_INDEX: Final = ".safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Header:
    """One file: name -> (dtype, shape, first byte, bytes), in the order of the data; and its metadata."""

    path: str
    tensors: Mapping[str, tuple[str, tuple[int, ...], int, int]]
    metadata: Mapping[str, str]


def read_header(path: str) -> Header:
    """The header of a file.

    Raises:
        CannotError: it is none, or lies about what is in it.
    """
    size = os.path.getsize(path)
    shown = os.path.basename(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _LONGEST):
            raise CannotError(f"{shown} is no safetensors file: its header would be {length} bytes long")
        try:
            value = json.loads(file.read(length))
            metadata = value.pop("__metadata__", None) or {}
            tensors = {}
            for name, each in value.items():
                begin, end = each["data_offsets"]
                tensors[name] = (str(each["dtype"]), tuple(each["shape"]), 8 + length + begin, end - begin)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CannotError(f"{shown} is no safetensors file: {error}") from error
    at = 8 + length
    for name, (_, shape, begin, count) in sorted(tensors.items(), key=lambda item: item[1][2:]):
        if begin != at or count < 0 or not all(type(each) is int and each >= 0 for each in shape):
            raise CannotError(f"{shown}: the tensor {name[:200]!r} does not follow on the one before it")
        at += count
    if at != size:
        raise CannotError(f"{shown} is {size} bytes long, and its header describes {at}")
    return Header(path, dict(sorted(tensors.items(), key=lambda item: item[1][2])), metadata)


def tensor(header: Header, name: str) -> Any:
    """A tensor of floats as it lies in the file (BF16 as whole numbers of 16 bits).

    Raises:
        CannotError: it is none of floats, or its shape needs other bytes than it has.
    """
    import numpy as np

    dtype, shape, begin, count = header.tensors[name]
    kind = np.dtype(FLOATS[dtype])
    elements = 1
    for each in shape:
        elements *= each
    if elements * kind.itemsize != count:
        raise CannotError(f"{os.path.basename(header.path)}: {name[:200]!r} of {dtype} {shape} has {count} bytes")
    if not count:
        return np.zeros(shape, kind)
    return np.memmap(header.path, kind, "r", begin, shape)


def as_f32(values: Any, dtype: str) -> Any:
    """As 32-bit floats; exact for F16 and BF16."""
    import numpy as np

    if dtype == "BF16":
        return (values.astype("<u4") << 16).view("<f4")
    with np.errstate(over="ignore"):
        return values.astype("<f4")


def from_f32(values: Any, dtype: str) -> Any:
    """Rounded to nearest, ties to even, in the bits that the file has. A value that is beyond the type becomes infinite, as IEEE 754 says."""
    import numpy as np

    if dtype != "BF16":
        with np.errstate(over="ignore", under="ignore"):
            return values.astype(FLOATS[dtype])
    bits = np.ascontiguousarray(values, "<f4").view("<u4")
    rounded = ((bits.astype("<u8") + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    # a NaN stays one: its rounding could carry into what means infinity
    return np.where(np.isnan(values), ((bits >> 16) | 0x40).astype("<u2"), rounded)


def weight_files(source: str) -> list[str]:
    """The safetensors files of a file or folder, relative to the folder; a file alone is ``''``.

    Raises:
        CannotError: there is none.
    """
    if os.path.isfile(source):
        return [""]
    found = sorted(
        os.path.relpath(os.path.join(root, name), source)
        for root, _, names in os.walk(source)
        for name in names
        if name.endswith(".safetensors")
    )
    if not found:
        raise CannotError("there is no safetensors file in it")
    return found


#: Name, dtype, shape and the tensor, where it holds floats -> dtype and bits to write; ``None`` copies it.
Change = Callable[[str, str, tuple[int, ...], Any], "tuple[str, Any] | None"]


def rewrite(source: str, target: str, new_dtype: Callable[[str, str, tuple[int, ...]], str], change: Change) -> None:
    """Write each safetensors file of ``source`` anew, tensor by tensor, and of a folder everything that is no weight.

    Args:
        new_dtype: the type that a tensor of floats will have, which has to be known before the data.
    """
    names = weight_files(source)
    sizes: dict[str, int] = {}
    for name in names:
        header = read_header(os.path.join(source, name) if name else source)
        place = os.path.join(target, name) if name else target
        os.makedirs(os.path.dirname(place), exist_ok=True)
        sizes[name] = _write(header, place, new_dtype, change)
    if names != [""]:
        copy_rest(source, target)
        for name in sorted(os.listdir(source)):
            if name.endswith(_INDEX):
                _write_index(os.path.join(source, name), os.path.join(target, name), sizes)


def _write(header: Header, place: str, new_dtype: Callable[[str, str, tuple[int, ...]], str], change: Change) -> int:
    import numpy as np

    table: dict[str, Any] = {"__metadata__": dict(header.metadata)} if header.metadata else {}
    at = 0
    for name, (dtype, shape, _, count) in header.tensors.items():
        kind = new_dtype(name, dtype, shape) if dtype in FLOATS else dtype
        if kind != dtype:
            count = count // np.dtype(FLOATS[dtype]).itemsize * np.dtype(FLOATS[kind]).itemsize
        table[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, at + count]}
        at += count
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(place, "wb") as file, open(header.path, "rb") as old:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, (dtype, shape, begin, count) in header.tensors.items():
            made = change(name, dtype, shape, tensor(header, name)) if dtype in FLOATS else None
            if made is not None:
                if made[0] != table[name]["dtype"]:
                    raise AssertionError("what was announced is what is written")
                file.write(np.ascontiguousarray(made[1]).tobytes())
                continue
            old.seek(begin)
            file.writelines(_blocks(old, count))
    return at


def _blocks(file: Any, count: int) -> Iterator[bytes]:
    while count:
        block = file.read(min(count, 1 << 20))
        if not block:
            raise CannotError("the file became shorter while it was read")
        count -= len(block)
        yield block


def _write_index(source: str, target: str, sizes: Mapping[str, int]) -> None:
    with open(source, encoding="utf-8") as file:
        index = json.load(file)
    index["metadata"] = {**index.get("metadata", {}), "total_size": sum(sizes.values())}
    with open(target, "w", encoding="utf-8") as file:
        json.dump(index, file, indent=2, ensure_ascii=False)
        file.write("\n")


def copy_rest(source: str, target: str) -> None:
    """Copy what is no weight: settings, tokenizers, texts. Links and hidden folders stay behind; nothing that is there already is replaced."""
    for root, folders, names in os.walk(source):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            lies = os.path.join(root, name)
            place = os.path.join(target, os.path.relpath(lies, source))
            if name.lower().endswith(_WEIGHTS) or name.endswith(_INDEX) or name.startswith("."):
                continue
            # a hub's cache has links to files; what they lead to may lie beside the model, where nothing is readable
            if os.path.isfile(lies) and not os.path.lexists(place):
                os.makedirs(os.path.dirname(place), exist_ok=True)
                shutil.copyfile(lies, place)
