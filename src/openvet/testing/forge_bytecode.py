"""Compiled Python files, put together from names and instructions for any version, and never compiled or run."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["code", "function", "import_and_call", "pyc"]

_MAGIC = {(2, 7): 62211, (3, 6): 3379, (3, 7): 3394, (3, 8): 3413, (3, 9): 3425, (3, 10): 3439, (3, 11): 3495, (3, 12): 3531,
          (3, 13): 3571, (3, 14): 3627}  # fmt: skip


def _text(value: str) -> bytes:
    return b"u" + struct.pack("<I", len(value)) + value.encode()


def _tuple(items: Sequence[bytes]) -> bytes:
    return b"(" + struct.pack("<I", len(items)) + b"".join(items)


def code(
    version: tuple[int, int],
    instructions: bytes,
    names: Sequence[str],
    constants: Sequence[bytes] = (),
    *,
    name: str = "<module>",
    flags: int = 0,
) -> bytes:
    """One marshalled code object with the fields that ``version`` has."""
    numbers = 4 if version < (3, 0) else 6 if (3, 8) <= version < (3, 11) else 5
    out = b"c" + struct.pack("<I", 0) * (numbers - 1) + struct.pack("<I", flags)
    out += (
        b"s"
        + struct.pack("<I", len(instructions))
        + instructions
        + _tuple([b"N", *constants])
        + _tuple(list(map(_text, names)))
    )
    if version >= (3, 11):
        out += _tuple([]) + b"s\0\0\0\0"
    else:
        out += _tuple([]) * 3
    out += _text("m.py") + _text(name) + (_text(name) if version >= (3, 11) else b"")
    return out + struct.pack("<I", 1) + b"s\0\0\0\0" + (b"s\0\0\0\0" if version >= (3, 11) else b"")


def pyc(version: tuple[int, int], module: bytes, *, flags: int = 0) -> bytes:
    """A file with the header that ``version`` has."""
    header = 16 if version >= (3, 7) else 12 if version >= (3, 3) else 8
    return struct.pack("<H", _MAGIC[version]) + b"\r\n" + struct.pack("<I", flags) + bytes(header - 8) + module


def import_and_call(version: tuple[int, int], module: str = "os", attribute: str = "system") -> bytes:
    """``import module; module.attribute(...)`` at the top."""
    return code(version, _call(version, top=True), [module, attribute])


def function(version: tuple[int, int], *, called: bool, module: str = "os", attribute: str = "system") -> bytes:
    """A function ``f`` that does the same, and perhaps a call of it."""
    inner = code(version, _call(version, top=False), [module, attribute], name="f", flags=3)
    store, load = (114, 92) if version >= (3, 13) else (90, 101)
    const = 83 if version >= (3, 13) else 100
    instructions = bytes([const, 1, store, 0]) + (bytes([load, 0]) if called else b"")
    return code(version, instructions, ["f"], [inner])


def _call(version: tuple[int, int], *, top: bool) -> bytes:
    new = version >= (3, 13)
    store, load = (114, 92) if new else (90, 101)
    attribute = (82 if new else 106, 2 if version >= (3, 12) else 1)
    between = bytes([store, 0, load, 0]) if top else b""
    return bytes([75 if new else 108, 0]) + between + bytes(attribute)
