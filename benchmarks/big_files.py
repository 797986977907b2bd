"""The big files that are measured, written byte by byte; what is there already is left alone."""

from __future__ import annotations

import json
import random
import struct
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
    """A checkpoint of ``count`` small tensors, 206 MB, as a big transformer's layers or an optimizer's state give."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = random.Random(3)
    tensors = {}
    for at in range(count):
        rows = 101 + at % 3
        tensors[f"model.layers.{at}.weight"] = Strided(Stored(noise.randbytes(4 * rows * 101)), (rows, 101), (101, 1))
    part = path.with_suffix(".part")
    part.write_bytes(zip_file(tensors))
    part.rename(path)
    return path
