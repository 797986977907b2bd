"""Programs in places for words (file/hidden-program), behind ends, and in front: no joining of two files is admitted."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from base64 import b64encode
from pathlib import Path

import pytest

import openvet
from openvet.formats._hidden import program_in
from openvet.testing import forge_media, forge_tensors
from openvet.testing.forge_tables import TABLES

PICKLE = b"cposix\nsystem\n(S'echo forged'\ntR."
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)
PE = b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + bytes(40)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a/data.pkl"), PICKLE)
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("data.pkl")
        info.size = len(PICKLE)
        archive.addfile(info, io.BytesIO(PICKLE))
    return out.getvalue()


WHOLE = {
    **TABLES,
    "png": forge_media.png(), "gif": forge_media.gif(), "jpeg": forge_media.jpeg(), "webp": forge_media.webp(),
    "wav": forge_media.wav(), "ogg": forge_media.ogg(), "mp3": forge_media.mp3(), "pdf": forge_media.pdf(),
    "safetensors": forge_tensors.safetensors({"a": ("F32", (4,))}),
    "npy": forge_tensors.npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes(8)),
}  # fmt: skip
HOSTILE = {"pickle": PICKLE, "pickle-4": b"\x80\x04" + PICKLE, "zip": _zip(), "elf": ELF, "pe": PE, "tar": _tar(),
           "script": b"#!/bin/sh\necho forged\n", "page": b"<html><script>fetch('http://203.0.113.1/')</script></html>"}  # fmt: skip


def decide(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(openvet.check(path).models[0].decision.verdict)


@pytest.mark.parametrize("kind", WHOLE)
def test_no_file_with_another_behind_or_in_front_is_admitted(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    assert decide(path, WHOLE[kind]) == "admit"
    found = {
        name: (decide(path, WHOLE[kind] + data), decide(path, data + WHOLE[kind])) for name, data in HOSTILE.items()
    }
    if kind == "pdf":  # this one is text, and text behind text is text
        del found["page"]
    assert {name: pair for name, pair in found.items() if "admit" in pair} == {}
    behind = {name for name, (after, _) in found.items() if after == "reject"}
    if kind not in {"avi", "apple_plist"}:
        assert behind >= {"pickle", "pickle-4", "elf", "pe", "script", "zip"}


@pytest.mark.parametrize(
    "data", [ELF, PE, PICKLE, b"\x80\x04\x95\x0a\0\0\0\0\0\0\0]" + bytes(9), b"#!/bin/sh\necho forged\n", _zip()]
)
def test_a_program_is_seen_as_it_is_and_in_base64(data: bytes) -> None:
    assert program_in(data)
    assert program_in(b64encode(data)) == f"{program_in(data)} in base64"


@pytest.mark.parametrize(
    "data", [b"", b"a comment", b"MZ is how programs begin", b"0" * 64, b64encode(b"words and more words"), b"\x80 sign",
             b"collections.OrderedDict", b"#! is a shebang"],
)  # fmt: skip
def test_words_are_no_program(data: bytes) -> None:
    assert program_in(data) == ""
