"""The big files that are measured, written byte by byte; what is there already is left alone."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

from openvet.testing.forge_views import Stored, Strided, zip_file

__all__ = ["MB", "checkpoint", "opcodes", "safetensors", "small_tensors"]

MB = 1000 * 1000


def safetensors(path: Path, size: int, *, sparse: bool) -> Path:
    """A well-formed safetensors file of about ``size`` bytes; ``sparse`` writes only its header."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 100
    each = size // count // 4 * 4
    header = {
        f"layer.{i}.weight": {"dtype": "F32", "shape": [each // 4], "data_offsets": [i * each, (i + 1) * each]}
        for i in range(count)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = random.Random(1)  # bytes that do not compress
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        if sparse:
            file.truncate(8 + len(text) + count * each)
        else:
            for _ in range(count):
                file.write(noise.randbytes(each))
    part.rename(path)
    return path


def opcodes(path: Path) -> Path:
    """A pickle of a dictionary with two million entries, 6 million opcodes in 90 MB, written opcode by opcode."""
    if path.exists():
        return path
    numbers = random.Random(1)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(b"\x80\x04}\x94")
        for start in range(0, 2_000_000, 1000):
            out = bytearray(b"(")
            for index in range(start, start + 1000):
                key = b"model.layers.%07d.weight.key%02d" % (index, index % 97)
                out += b"\x8c" + bytes([len(key)]) + key + b"\x94G" + struct.pack(">d", numbers.random())
            file.write(out + b"u")
        file.write(b".")
    part.rename(path)
    return path


def checkpoint(path: Path, size: int) -> Path:
    """A checkpoint of PyTorch of about ``size`` bytes, one of whose tensors in ten is a transposed view."""
    if path.exists():
        return path
    noise = random.Random(2)
    side = 1000
    tensors = {}
    for at in range(size // (4 * side * side)):
        stored = Stored(noise.randbytes(4 * side * side))
        tensors[f"layer.{at}.weight"] = Strided(stored, (side, side), (1, side) if at % 10 == 0 else (side, 1))
    part = path.with_suffix(".part")
    part.write_bytes(zip_file(tensors))
    part.rename(path)
    return path


def small_tensors(path: Path, count: int = 5000) -> Path:
    """A checkpoint of ``count`` small tensors, 206 MB, as a big transformer's layers or an optimizer's state give.

    Its members and its pickle are as ``torch.save`` writes them, names in the memo and storages aligned to 64 bytes.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = random.Random(3)
    shapes = [(101 + at % 3, 101) for at in range(count)]
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        _aligned(archive, "data.pkl", _state_dict(shapes))
        _aligned(archive, ".format_version", b"1")
        _aligned(archive, ".storage_alignment", b"64")
        _aligned(archive, "byteorder", b"little")
        for at, (rows, columns) in enumerate(shapes):
            _aligned(archive, f"data/{at}", noise.randbytes(4 * rows * columns))
        _aligned(archive, "version", b"3\n")
    part.rename(path)
    return path


def _aligned(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """A stored member whose data begins at a multiple of 64 bytes: an extra field fills the room before it."""
    info = zipfile.ZipInfo(f"archive/{name}")
    room = -(archive.fp.tell() + 30 + len(info.filename) + 4) % 64  # type: ignore[union-attr]
    info.extra = struct.pack("<2sH", b"FB", room) + b"Z" * room
    archive.writestr(info, data)


def _state_dict(shapes: list[tuple[int, int]]) -> bytes:
    """The pickle of an ``OrderedDict`` of float tensors, written by Python's own pickler over empty stand-ins for PyTorch."""
    names = {"torch": ("FloatStorage",), "torch._utils": ("_rebuild_tensor_v2",)}
    modules = {module: types.ModuleType(module) for module in names}
    for module, members in names.items():
        for name in members:
            made = type(name, (), {"__module__": module})
            setattr(modules[module], name, made)
    rebuild, storage = modules["torch._utils"]._rebuild_tensor_v2, modules["torch"].FloatStorage

    class Storage:
        def __init__(self, key: int, elements: int) -> None:
            self.identifier = ("storage", storage, str(key), "cpu", elements)

    class View:
        def __init__(self, key: int, rows: int, columns: int) -> None:
            self.arguments: tuple[object, ...] = (
                Storage(key, rows * columns),
                0,
                (rows, columns),
                (columns, 1),
                False,
                OrderedDict(),
            )

        def __reduce__(self) -> tuple[object, ...]:
            return rebuild, self.arguments

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return value.identifier if isinstance(value, Storage) else None

    state = OrderedDict((f"model.layers.{at}.weight", View(at, *shape)) for at, shape in enumerate(shapes))
    out = io.BytesIO()
    sys.modules.update(modules)
    try:
        Pickler(out, protocol=2).dump(state)
    finally:
        for module in modules:
            del sys.modules[module]
    return out.getvalue()
