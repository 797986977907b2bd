"""One file in a container or an encoding that a loader, or a person before it, opens.

A wrapper states what must hold of what it makes: ``hostile`` is what a file that was rejected may still come to, ``ordinary``
whether honest tools write it so, so that a harmless file has to stay admitted.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Final, Literal

from openvet.core.dataclass import dataclass
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_7z import forge_7z
from openvet.testing.forge_archive import TarPart, ZipPart, forge_cpio, forge_tar, forge_xar, forge_zip, pax_records
from openvet.testing.forge_codecs import lz4_frame, lz4_legacy, skippable, zstd_frame
from openvet.testing.forge_packages import rpm_package

__all__ = ["COMPRESSIONS", "WRAPPERS", "Wrapped", "Wrapper", "nested"]

Wrapped = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Wrapper:
    """One way to wrap.

    Attributes:
        name: unique.
        wrap: from a file's name and bytes to those of the wrapped one.
        ordinary: honest tools write it so; a harmless file in it is admitted.
        hostile: what a rejected file in it must come to: ``reject``, or ``not-admit`` where no loader gets there by itself.
        stores: its forge packs nothing, so that an archive inside can be opened from outside as well: a polyglot, which is reported.
        needs: which files it is for: ``pickle``, or ``headed`` for those that begin with PROTO (a pickle of protocol 0 in text is text).
    """

    name: str
    wrap: Callable[[str, bytes], Wrapped]
    ordinary: bool = False
    hostile: Literal["reject", "not-admit"] = "reject"
    needs: Literal["any", "pickle", "headed"] = "any"
    stores: bool = False


def _zipped(name: str, data: bytes, method: int = 0, **part: object) -> bytes:
    return forge_zip([ZipPart(name.encode(), data, method, **part)])  # type: ignore[arg-type]


def _zip(method: int = 0, ending: str = ".zip", **part: object) -> Callable[[str, bytes], Wrapped]:
    return lambda name, data: (name + ending, _zipped(name, data, method, **part))


def _tar(ending: str = ".tar", **part: object) -> Callable[[str, bytes], Wrapped]:
    return lambda name, data: (name + ending, forge_tar([TarPart(name.encode(), data, **part)]))  # type: ignore[arg-type]


def _packed(ending: str, pack: Callable[[bytes], bytes]) -> Callable[[str, bytes], Wrapped]:
    return lambda name, data: (name + ending, pack(data))


def _tar_packed(ending: str, pack: Callable[[bytes], bytes]) -> Callable[[str, bytes], Wrapped]:
    return lambda name, data: ("model" + ending, pack(forge_tar([TarPart(b"model/" + name.encode(), data)])))


def _named(make: Callable[[str], str]) -> Callable[[str, bytes], Wrapped]:
    return lambda name, data: (make(name), data)


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _gzip_fields(data: bytes) -> bytes:
    """A member with an extra field, a name, a comment and a checksum of its head."""
    head = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\0\xff" + b"\4\0ab\0\0" + b"name.txt\0" + b"a comment\0"
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + raw.compress(data) + raw.flush() + struct.pack("<II", zlib.crc32(data), len(data))


def _halves(pack: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda data: pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :])


def _alone(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


def _xz(data: bytes) -> bytes:
    return lzma.compress(data)


def _small_window(data: bytes) -> bytes:
    pack = zlib.compressobj(6, zlib.DEFLATED, 9)
    return pack.compress(data) + pack.flush()


def _sized(data: bytes) -> bytes:
    """Joblib's own container of old: ``ZF``, the size in hexadecimal, then zlib."""
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


def _long_name_tar(name: str, data: bytes) -> Wrapped:
    long = b"a/" * 70 + name.encode()
    parts = [TarPart(b"././@LongLink", long + b"\0", b"L"), TarPart(long[:100], data)]
    return name + ".tar", forge_tar(parts)


def _pax_tar(name: str, data: bytes) -> Wrapped:
    parts = [TarPart(b"PaxHeaders/x", pax_records({"path": b"deep/" * 40 + name.encode()}), b"x"), TarPart(b"x", data)]
    return name + ".tar", forge_tar(parts)


def _base256_tar(name: str, data: bytes) -> Wrapped:
    return name + ".tar", forge_tar([TarPart(name.encode(), data, size_field=b"\x80" + len(data).to_bytes(11, "big"))])


def _members(kind: str) -> Callable[[str, bytes], Wrapped]:
    """The archives of serving tools, with the file beside what belongs into them."""

    def wrap(name: str, data: bytes) -> Wrapped:
        if kind == "nemo":
            config = TarPart(b"model_config.yaml", b"target: nemo.collections.asr.models.EncDecCTCModel\n")
            return "model.nemo", forge_tar([config, TarPart(b"./" + name.encode(), data)])
        return "model.mar", forge_zip(
            [
                ZipPart(
                    b"MAR-INF/MANIFEST.json", json.dumps({"model": {"modelName": "m", "serializedFile": name}}).encode()
                ),
                ZipPart(name.encode(), data),
            ]
        )

    return wrap


def _torch(_name: str, data: bytes) -> Wrapped:
    return "model.pt", forge_zip([ZipPart(b"m/data.pkl", data), ZipPart(b"m/version", b"3\n")])


def _literal(make: Callable[[bytes], object], loads: bool) -> Callable[[str, bytes], Wrapped]:
    """In a literal of a pickle, which loads it or only carries it."""

    def wrap(_name: str, data: bytes) -> Wrapped:
        value = make(data)
        return "outer.pkl", dump(Call(Name("pickle", "loads"), (value,)) if loads else {"blob": value}, 4)

    return wrap


def _empty_zip_first(name: str, data: bytes) -> Wrapped:
    return name + ".zip", _zipped("a.txt", b"text") + _zipped(name, data)


_W = Wrapper
#: Compressions that joblib and everybody else open: ending -> pack.
COMPRESSIONS: Final[dict[str, Callable[[bytes], bytes]]] = {
    ".gz": _gzip, ".bz2": bz2.compress, ".xz": _xz, ".lzma": _alone, ".z": zlib.compress, ".lz4": lz4_frame, ".zst": zstd_frame,
}  # fmt: skip

WRAPPERS: Final[tuple[Wrapper, ...]] = (
    # zip
    _W("zip-stored", _zip(), True),
    _W("zip-deflated", _zip(8), True),
    _W("zip-bzip2", _zip(12), True),
    _W("zip-lzma", _zip(14), True),
    _W("zip-zstd", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data, 93, raw=zstd_frame(data))])), True),
    _W("zip-descriptor", _zip(8, flags=8), True),
    _W("zip-descriptor-plain", _zip(8, flags=8, descriptor=(False, False))),
    _W("zip-zip64", _zip(8, zip64=True), True),
    _W("zip-zip64-end", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data)], zip64=True)), True),
    _W("zip-comment", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data)], comment=b"a comment")), True),
    _W("zip-extra", _zip(8, local={"extra": b"UT\5\0\1\0\0\0\0"}, central={"extra": b"UT\5\0\1\0\0\0\0"}), True),
    _W("zip-folder", lambda name, data: (name + ".zip", forge_zip([ZipPart(b"d/", b""), ZipPart(b"d/" + name.encode(), data)])), True),
    _W("zip-encrypted-bit", _zip(flags=1)),
    _W("zip-encrypted-bit-central", _zip(central={"flags": 1})),
    _W("zip-wrong-crc", _zip(local={"crc": 1}, central={"crc": 1})),
    _W("zip-local-name", _zip(local={"name": b"README.md"})),
    _W("zip-central-name", _zip(central={"name": b"README.md"})),
    _W("zip-prefix", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data)], prefix=b"#!/bin/sh\nexit\n" * 4, relative=True))),
    _W("zip-prefix-absolute", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data)], prefix=b"JUNK" * 100))),
    _W("zip-suffix", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data)], suffix=bytes(64)))),
    _W("zip-unlisted", lambda name, data: (name + ".zip", forge_zip([ZipPart(b"a.txt", b"text"), ZipPart(name.encode(), data, listed=False)]))),
    _W("zip-twice", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), data), ZipPart(name.encode(), b"text")]))),
    _W("zip-twice-last", lambda name, data: (name + ".zip", forge_zip([ZipPart(name.encode(), b"text"), ZipPart(name.encode(), data)]))),
    _W("zip-behind-zip", _empty_zip_first),
    _W("zip-size-lie", _zip(local={"size": 1}, central={"size": 1})),
    _W("zip-in-zip", lambda name, data: (name + ".zip", _zipped("inner.zip", _zipped(name, data, 8), 8)), True),
    _W("zip-hidden-folder", lambda name, data: (name + ".zip", _zipped(".git/objects/" + name, data, 8))),
    # tar
    _W("tar-ustar", _tar(), True),
    _W("tar-v7", _tar(magic=b""), True),
    _W("tar-gnu", _tar(magic=b"ustar  \0"), True),
    _W("tar-pax", _pax_tar, True),
    _W("tar-long-name", _long_name_tar, True),
    _W("tar-base-256", _base256_tar),
    _W("tar-contiguous", _tar(kind=b"7")),
    _W("tar-old-kind", _tar(kind=b"\0"), True),
    _W("tar-unknown-kind", _tar(kind=b"Z")),
    _W("tar-no-end", lambda name, data: (name + ".tar", forge_tar([TarPart(name.encode(), data)], end=b""))),
    _W("tar-behind-end", lambda name, data: (name + ".tar", forge_tar([TarPart(b"a.txt", b"text")]) + forge_tar([TarPart(name.encode(), data)]))),
    _W("tar-twice", lambda name, data: (name + ".tar", forge_tar([TarPart(name.encode(), data), TarPart(name.encode(), b"text")]))),
    _W("tar-as-zip", lambda name, data: ("model.zip", forge_tar([TarPart(name.encode(), data)]))),
    # compressions
    *(_W(f"packed{ending}", _packed(ending, pack), True, stores=ending in (".lz4", ".zst")) for ending, pack in COMPRESSIONS.items()),
    *(_W(f"tar{ending}", _tar_packed(f".tar{ending}", pack), True) for ending, pack in COMPRESSIONS.items()),
    *(_W(f"joblib{ending}", lambda _, data, pack=pack: ("model.joblib", pack(data)), True, needs="pickle") for ending, pack in COMPRESSIONS.items()),  # type: ignore[misc]
    _W("gzip-fields", _packed(".gz", _gzip_fields), True),
    _W("gzip-members", _packed(".gz", _halves(_gzip)), True),
    _W("bzip2-streams", _packed(".bz2", _halves(bz2.compress)), True),
    _W("xz-streams", _packed(".xz", _halves(_xz)), True),
    _W("xz-padding", _packed(".xz", lambda data: _xz(data) + bytes(8)), True),
    _W("lz4-frames", _packed(".lz4", _halves(lz4_frame)), True, stores=True),
    _W("lz4-legacy", _packed(".lz4", lz4_legacy), True, stores=True),
    _W("zstd-frames", _packed(".zst", _halves(zstd_frame)), True, stores=True),
    _W("zstd-skippable", _packed(".zst", lambda data: skippable(b"abcd", 1) + zstd_frame(data))),
    _W("gzip-empty-member-first", _packed(".gz", lambda data: _gzip(b"") + _gzip(data))),
    _W("gzip-trailing", _packed(".gz", lambda data: _gzip(data) + b"trailing")),
    _W("gzip-cut", _packed(".gz", lambda data: _gzip(data)[:-6])),
    _W("zlib-level-0", _packed(".z", lambda data: zlib.compress(data, 0))),
    _W("zlib-small-window", _packed(".z", _small_window)),
    _W("gzip-in-gzip", _packed(".gz.gz", lambda data: _gzip(_gzip(data)))),
    _W("bzip2-in-xz", _packed(".bz2.xz", lambda data: _xz(bz2.compress(data)))),
    _W("joblib-zfile", lambda _, data: ("model.joblib", _sized(data)), True, needs="pickle"),
    # 7z
    *(_W(f"7z-{method}", lambda name, data, method=method: (name + ".7z", forge_7z([(name, data)], method)), True)  # type: ignore[misc]
      for method in ("copy", "lzma", "lzma2", "bzip2", "deflate")),
    # cpio and xar
    *(_W(f"cpio-{form}", lambda name, data, form=form: (name + ".cpio", forge_cpio([(name.encode(), data, 0o100644)], form)), True)  # type: ignore[misc]
      for form in ("new", "characters", "numbers")),
    _W("cpio.gz", lambda name, data: (name + ".cpio.gz", _gzip(forge_cpio([(name.encode(), data, 0o100644)]))), True),
    _W("cpio-behind-cpio", lambda name, data: (name + ".cpio", forge_cpio([(b"a.txt", b"text", 0o100644)]) + forge_cpio([(name.encode(), data, 0o100644)]))),
    *(_W(f"xar-{style}", lambda name, data, style=style: ("model.xar", forge_xar({name: data}, style)), True, stores=style == "octet-stream")  # type: ignore[misc]
      for style in ("x-gzip", "x-bzip2", "octet-stream")),
    _W("rpm", lambda name, data: ("model.rpm", rpm_package("/sbin/ldconfig", _gzip(forge_cpio([(b"./" + name.encode(), data, 0o100644)]))))),
    # archives of tools
    _W("mar", _members("mar"), needs="pickle"),
    _W("nemo", _members("nemo"), needs="pickle"),
    _W("torch-data", _torch, needs="pickle"),
    # literals
    *(_W(f"literal-{name}{'-loaded' if loads else ''}", _literal(make, loads), hostile="reject" if loads else "not-admit",
         needs="headed" if name in ("latin-1", "base85") else "pickle")
      for loads in (True, False)
      for name, make in (("bytes", lambda data: data), ("zlib", zlib.compress), ("gzip", _gzip), ("bz2", bz2.compress), ("xz", _xz),
                         ("lzma", _alone), ("base64", base64.b64encode), ("base64-text", lambda data: base64.b64encode(data).decode()),
                         ("base64-lines", lambda data: base64.encodebytes(data).decode()), ("urlsafe", lambda data: base64.urlsafe_b64encode(data).decode()),
                         ("base32", lambda data: base64.b32encode(data).decode()), ("base85", lambda data: base64.b85encode(data).decode()),
                         ("hex", lambda data: data.hex()), ("HEX", lambda data: data.hex().upper()),
                         ("zlib-base64", lambda data: base64.b64encode(zlib.compress(data)).decode()),
                         ("latin-1", lambda data: data.decode("latin-1")))),
    # names
    _W("name-upper", _named(str.upper), True, needs="pickle"),
    _W("name-text", _named(lambda name: name + ".txt"), needs="pickle"),
    _W("name-image", _named(lambda name: name.rpartition(".")[0] + ".png"), needs="pickle"),
    _W("name-safetensors", _named(lambda name: name.rpartition(".")[0] + ".safetensors"), needs="pickle"),
    _W("name-none", _named(lambda _: "model"), needs="pickle"),
    _W("name-hidden", _named(lambda name: ".cache/" + name), needs="pickle"),
    _W("name-spaces", _named(lambda name: "  " + name + " "), needs="pickle"),
)  # fmt: skip


def nested(depth: int) -> Wrapper:
    """Zip in gzip in tar, again and again."""

    def wrap(name: str, data: bytes) -> Wrapped:
        for level in range(depth):
            made = (WRAPPERS[1], Wrapper("", _packed(".gz", _gzip)), Wrapper("", _tar()))[level % 3]
            name, data = made.wrap(name, data)
            name = f"l{level}.bin"
        return name, data

    return Wrapper(f"nested-{depth}", wrap, ordinary=depth <= 3)
