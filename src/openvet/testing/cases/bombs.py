"""Archives that announce or give far more than any model holds, and ordinary ones that are full of zeros."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, Persistent, dump
from openvet.testing.forge_7z import forge_7z
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip
from openvet.testing.forge_keras import dense, keras3, model3
from openvet.testing.forge_tensors import npy

__all__ = ["CASES"]

_BOMB = "archive/decompression-bomb"
_MiB = 1 << 20
_PART = 64 * _MiB
#: Six and a half gigabytes, of which each part is an ordinary tensor by itself.
_MANY = 100


@cache
def _zeros(level: int) -> tuple[bytes, int]:
    """64 MiB of zeros, deflated, and their checksum. The fastest levels make 229 zeros out of a byte, the others 1029."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    block, out, crc = bytes(_MiB), b"", 0
    for _ in range(64):
        out += packer.compress(block)
        crc = zlib.crc32(block, crc)
    return out + packer.flush(), crc


def _part(name: str, level: int = 9) -> ZipPart:
    raw, crc = _zeros(level)
    fields: Mapping[str, int | bytes] = {"size": _PART, "packed": len(raw), "crc": crc}
    return ZipPart(name.encode(), b"", method=8, raw=raw, local=fields, central=fields)


def _storage(index: int) -> tuple[str, Call]:

    storage = Persistent(("storage", Name("torch", "FloatStorage"), str(index), "cpu", _PART // 4))
    tensor = Call(
        Name("torch._utils", "_rebuild_tensor_v2"),
        (storage, 0, (4096, 4096), (4096, 1), False, Call(Name("collections", "OrderedDict"))),
    )
    return f"layer{index}.weight", tensor


def _torch(count: int, level: int = 9) -> bytes:
    """A checkpoint whose storages are deflated, which PyTorch reads as well."""
    program = dump(dict(map(_storage, range(count))), 2)
    small = (
        ZipPart(b"archive/data.pkl", program),
        ZipPart(b"archive/byteorder", b"little"),
        ZipPart(b"archive/version", b"3\n"),
    )
    return forge_zip([*small, *(_part(f"archive/data/{index}", level) for index in range(count))])


def _zip(count: int, level: int = 9, ending: str = "bin") -> bytes:
    return forge_zip([_part(f"part-{index}.{ending}", level) for index in range(count)])


def _announced(size: int, method: str = "copy") -> bytes:
    """A 7z whose files are larger than anything that their packed bytes can give."""
    return forge_7z([(f"part-{index}.bin", b"x" * 9) for index in range(3)], method, announced=(size, size, 9))


def _case(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], rules: Iterable[str] = (), file: str = "model.zip",
    formats: tuple[str, ...] = ("zip",),
) -> Case:  # fmt: skip
    return Case(f"bombs/{name}", technique, forge, decision, frozenset(rules), formats, name=file)


CASES: tuple[Case, ...] = (
    _case("torch", "a checkpoint of a hundred deflated storages of zeros", lambda: _torch(_MANY), "reject", [_BOMB], "model.pt", ("torch-zip",)),
    _case("torch-fast", "the same at the fastest level of deflate, which stays below the ratio", lambda: _torch(_MANY, 1), "reject", [_BOMB], "model.pt", ("torch-zip",)),
    _case("zip", "a zip of a hundred members of zeros", lambda: _zip(_MANY), "reject", [_BOMB]),
    _case("npz", "an npz of a hundred members", lambda: _zip(_MANY, ending="npy"), "reject", [_BOMB], "weights.npz"),
    _case("keras", "a model of Keras 3 with a hundred members",
          lambda: forge_zip([ZipPart(b"config.json", b'{"module": "keras", "class_name": "Sequential", "config": {"layers": []}}'), *(_part(f"assets/{each}.bin") for each in range(_MANY))]),
          "reject", [_BOMB], "model.keras"),
    _case("zip-in-tar-gz", "the zip in a tar.gz", lambda: gzip.compress(forge_tar([TarPart(b"model.zip", _zip(_MANY))]), mtime=0), "reject", [_BOMB], "model.tar.gz",
          ("gzip", "tar", "zip")),
    _case("7z-announced", "a 7z that announces twelve gigabytes", lambda: _announced(6 << 30), "reject", [_BOMB, "file/malformed"], "model.7z", ("7z",)),
    _case("7z-announced-ppmd", "the same with a method that is not read", lambda: _announced(6 << 30, "ppmd"), "reject", [_BOMB], "model.7z", ("7z",)),
    _case("ordinary-zeros", "a checkpoint with four deflated storages of zeros", lambda: _torch(4), "admit", file="model.pt", formats=("torch-zip",)),
    _case("ordinary-zeros-fast", "the same at the fastest level of deflate", lambda: _torch(4, 1), "admit", file="model.pt", formats=("torch-zip",)),
    _case("ordinary-npz", "an npz with a compressed array of zeros",
          lambda: forge_zip([ZipPart(b"w.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1048576,), }", bytes(4 * _MiB)), method=8)]), "admit", file="weights.npz"),
    _case("ordinary-keras", "an ordinary model of Keras 3", lambda: keras3(model3(dense())), "admit", file="model.keras", formats=("keras", "zip")),
    _case("zip-xz", "a member of a zip that is packed with xz",
          lambda: forge_zip([ZipPart(b"archive/data.pkl", dump(Call(Name("os", "system"), ("echo forged",)), 4), method=95)]), "reject", ["pickle/runs-process"]),
    _case("zip-deflate64", "a member of a zip that is packed with a method that is not read", lambda: forge_zip([ZipPart(b"a.txt", b"text\n", method=9)]), "review"),
)  # fmt: skip
