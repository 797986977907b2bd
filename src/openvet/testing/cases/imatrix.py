"""Importance matrices of llama.cpp, and files that begin like one and are something else."""

from __future__ import annotations

import struct
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES", "imatrix"]

_VALUES = struct.pack("<32f", *(0.5 + each / 8 for each in range(32)))
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(40)
_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 2)


def imatrix(
    *values: bytes, names: tuple[str, ...] = ("blk.0.attn_q.weight", "output.weight"), end: bytes | None = None
) -> bytes:
    """A matrix with ``values`` for each of ``names``, as llama.cpp wrote it before it took GGUF for that."""
    entries = [
        struct.pack("<i", len(name)) + name.encode() + struct.pack("<2i", 40, len(data) // 4) + data
        for name, data in zip(names, values or (_VALUES, _VALUES), strict=True)
    ]
    told = struct.pack("<2i", 40, 13) + b"wiki.test.raw" if end is None else end
    return struct.pack("<i", len(entries)) + b"".join(entries) + told


def _case(word: str, technique: str, data: bytes, decision: Literal["admit", "review", "reject"], *rules: str) -> Case:
    return Case(f"imatrix/{word}", technique, lambda: data, decision, frozenset(rules), ("imatrix",), (), "imatrix.dat")


CASES: tuple[Case, ...] = (
    _case("ordinary", "an importance matrix", imatrix(), "admit"),
    _case("older", "one that does not say what it was computed with", imatrix(end=b""), "admit"),
    _case("cut-off", "one that is cut off", imatrix(end=b"")[:-8], "review", "file/malformed"),
    _case("behind", "one with something behind it", imatrix() + b"forged", "review", "file/trailing-data"),
    _case("program-for-values", "one with a program for the values of a tensor", imatrix(_VALUES, _ELF), "review",
          "file/program-in-weights"),
    _case("pickle-for-values", "one with a pickle that runs a process for the values of a tensor",
          imatrix(_VALUES, _EVIL.ljust(64, b"\0")), "reject", "pickle/runs-process"),
    _case("pickle-behind", "one with a pickle that runs a process behind it", imatrix() + _EVIL, "reject",
          "file/trailing-data", "pickle/runs-process"),
    _case("named-twice", "one with the same tensor twice", imatrix(names=("blk.0.attn_q.weight",) * 2), "review", "file/malformed"),
    _case("pickle-for-a-name", "one with a pickle for the name of what it was computed with",
          imatrix(end=struct.pack("<2i", 40, len(_EVIL)) + _EVIL), "review", "file/malformed"),
)  # fmt: skip
