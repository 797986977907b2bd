"""Kinds that are met seldom, and models of many files that point at each other: inputs that cost more to read than to write."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable

from worst_archives import zip_of

__all__ = ["INPUTS"]

_MIB = 1 << 20
_STARS = "".join(f"from .m{number} import *\n" for number in range(60))


def _many(count: int, name: str, data: bytes) -> dict[str, bytes]:
    return {name.format(number): data for number in range(count)}


def _aiff(chunk: bytes, count: int) -> bytes:
    body = b"AIFF" + chunk * count
    return b"FORM" + struct.pack(">I", len(body)) + body


def _riff(kind: bytes, chunk: bytes, count: int) -> bytes:
    body = kind + chunk * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _git_index(count: int) -> bytes:
    entry = bytes(60) + struct.pack(">H", 1) + b"a\0"
    body = b"DIRC" + struct.pack(">II", 2, count) + entry * count
    return body + hashlib.sha1(body).digest()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _icons(*, nested: bool) -> bytes:
    """255 pictures of 4 MB: all are one, or each one lies in a chunk of the one before it."""
    count, mark = 255, b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    start, end = 6 + 16 * count, _chunk(b"IEND", b"")
    picture = mark + _chunk(b"IDAT", bytes(4 * _MIB)) + end
    for _ in range(count - 1 if nested else 0):
        picture = mark + _chunk(b"prVt", picture) + end
    step = len(mark) + 8 if nested else 0
    sizes = [len(picture) - number * (step + 4 + len(end)) if nested else len(picture) for number in range(count)]
    entries = [struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, size, start + n * step) for n, size in enumerate(sizes)]
    return struct.pack("<HHH", 0, 1, count) + b"".join(entries) + picture


def _bitmap() -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 20 * _MIB, 0, 0, 54) + header + bytes(20 * _MIB)


def _font(tables: int) -> bytes:
    entry = b"glyf" + struct.pack(">III", 0, 12, 16)
    return struct.pack(">IHHHH", 0x00010000, tables, 16 << tables.bit_length() - 1 & 0xFFFF, 0, 0) + entry * tables


def _fonts(count: int, tables: int) -> bytes:
    """A collection of fonts of which each is one more look at the same tables."""
    start = 12 + 4 * count
    return b"ttcf\0\1\0\0" + struct.pack(">I", count) + struct.pack(">I", start) * count + _font(tables)


def _woff(tables: int) -> bytes:
    size = 44 + tables * 20
    head = b"wOFF" + struct.pack(">IIHHIHHIIIII", 0x00010000, size, tables, 0, size, 1, 0, 0, 0, 0, 0, 0)
    return head + (b"glyf" + struct.pack(">IIII", 44, 4, 4, 0)) * tables


def _word2vec(count: int) -> bytes:
    return b"%d 1\n" % count + b"".join(b"w%d \0\0\0\0" % number for number in range(count))


def _fasttext() -> bytes:
    words = b"a\0" + struct.pack("<qb", 1, 0)
    arguments = struct.pack("<12i", 1, 5, 5, 1, 5, 1, 1, 1, 0, 3, 6, 100) + struct.pack("<d", 1e-4)
    return struct.pack("<ii", 793712314, 12) + arguments + struct.pack("<iiiqq", 2_000_000, 2_000_000, 0, 1, -1) + words * 2_000_000 + bytes(17) * 2  # fmt: skip


def _ctranslate2(count: int) -> bytes:
    name = b"a\0"
    one = struct.pack("<H", len(name)) + name + struct.pack("<BIBI", 1, 1, 0, 4) + bytes(4)
    return struct.pack("<I", 6) + struct.pack("<H", 6) + b"ASpec\0" + struct.pack("<II", 1, count) + one * count


def _layers(depth: int) -> str:
    inner = '{"class_name":"Dense","config":{}}'
    opening = '{"class_name":"Sequential","config":{"layers":['
    return opening * depth + inner + "]}}" * depth


def _skops(count: int) -> bytes:
    nodes = [{"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"a"', "__id__": n} for n in range(count)]  # fmt: skip
    schema = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": nodes, "protocol": 2}
    return zip_of(iter([(b"schema.json", json.dumps(schema).encode())]))


def _torch(count: int) -> bytes:
    pickle = b"\x80\x02}" + b"".join(b"(X\x02\0\0\0ab(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0%dX\x03\0\0\0cpuK\x01tQu" % (n % 10) for n in range(count)) + b"."  # fmt: skip
    return zip_of(iter([(b"a/data.pkl", pickle), (b"a/version", b"3\n")]))


def _modules(count: int) -> dict[str, bytes]:
    """Modules that all hand on all others, and one that calls a name of them."""
    out = {f"m{number}.py": _STARS.encode() for number in range(count)}
    return out | {"a.py": b"from .m0 import f\n" + b"f()\n" * 2_000}


def _chain() -> dict[str, bytes]:
    calls = {f"m{n}.py": f"from .m{n + 1} import f as g\ndef f():\n    g()\n    g()\n".encode() for n in range(3_000)}
    return calls | {"a.py": b"from .m0 import f\nf()\n"}


def _shards(count: int) -> dict[str, bytes]:
    index = {"metadata": {}, "weight_map": {f"t{n}": f"model-{n}.safetensors" for n in range(200_000)}}
    return _many(count, "{}/model.safetensors.index.json", json.dumps(index).encode())


INPUTS: dict[str, Callable[[], bytes | dict[str, bytes]]] = {
    "AIFF: 2 000 000 chunks": lambda: _aiff(b"ANNO\0\0\0\0", 2_000_000),
    "WebP: 2 000 000 chunks": lambda: _riff(b"WEBP", b"EXIF\0\0\0\0", 2_000_000),
    "WAV: lists of a text": lambda: _riff(b"WAVE", b"LIST\4\0\0\0INFO", 1_500_000),
    "AVI: lists in lists": lambda: _riff(b"AVI ", b"LIST\4\0\0\0movi", 1_500_000),
    "git: an index of 300 000": lambda: {".git/index": _git_index(300_000)},
    "ICO: 255 pictures that are one": lambda: {"a.ico": _icons(nested=False)},
    "ICO: 255 pictures in each other": lambda: {"a.ico": _icons(nested=True)},
    "TrueType: 99 tables that are one": lambda: {"a.ttf": _font(99) + bytes(_MIB)},
    "TrueType: 1 000 fonts of 65 000 tables": lambda: {"a.ttc": _fonts(1_000, 65_000)},
    "WOFF: 65 000 tables that are one": lambda: {"a.woff": _woff(65_000)},
    "BMP: much behind": lambda: {"a.bmp": _bitmap()},
    "word2vec: 1 000 000 words": lambda: {"a.bin": _word2vec(1_000_000)},
    "word2vec: a text of 1 000 000": lambda: {"a.vec": b"1000000 1\n" + b"word 0.1\n" * 1_000_000},
    "fastText: 2 000 000 words": lambda: {"a.ftz": _fasttext()},
    "CTranslate2: 190 000 variables": lambda: {"model.bin": _ctranslate2(190_000)},
    "TOML: tables in tables": lambda: {"a.toml": b"[" + b".".join([b"a"] * 20_000) + b"]\n"},
    "TOML: dotted keys": lambda: {"a.toml": b"".join(b"a.b.c.d%d = 1\n" % n for n in range(200_000))},
    "TOML: arrays": lambda: {"a.toml": b"a = " + b"[" * 200_000},
    "TOML: tables of a list": lambda: {"a.toml": b"[[a]]\n[a.b]\nc = 1\n" * 200_000},
    "TOML: one long text": lambda: {"a.toml": b'a = "' + b"\\u0041" * 3_000_000 + b'"\n'},
    "Keras: layers in layers": lambda: {"config.json": _layers(60).encode()},
    "Keras: 60 levels, again and again": lambda: {"config.json": ("[" + ",".join([_layers(60)] * 5_000) + "]").encode()},
    "skops: 100 000 nodes": lambda: {"a.skops": _skops(100_000)},
    "PyTorch: 300 000 storages": lambda: {"a.pt": _torch(300_000)},
    "zip: names that go up": lambda: zip_of((b"../" * 1_000 + b"%d" % n, b"") for n in range(5_000)),
    "zip: 100 000 names in letters of two cases": lambda: zip_of((b"A" * (n % 50) + b"a%d" % n, b"") for n in range(100_000)),
    "zip: 20 000 MLflow models": lambda: zip_of((b"%d/MLmodel" % n, b"flavors: {python_function: {loader_module: m}}\n") for n in range(20_000)),
    "zip: 20 000 manifests of TorchServe": lambda: zip_of(
        (b"%d/MAR-INF/MANIFEST.json" % n, b'{"model": {"handler": "h.py", "modelFile": "m.py"}}') for n in range(20_000)),
    "zip: 20 000 sources that import the next": lambda: zip_of((b"m%d.py" % n, b"import m%d\nm%d.f()\n" % (n + 1, n + 1)) for n in range(20_000)),
    "zstd: skippable frames": lambda: b"\x50\x2a\x4d\x18\0\0\0\0" * 3_000_000,
    "lz4: skippable frames": lambda: b"\x50\x2a\x4d\x18\0\0\0\0" * 3_000_000 + b"\x04\x22\x4d\x18",
    "lz4: frames of nothing": lambda: bytes.fromhex("04224d1860408200000000") * 1_000_000,
    "sources that hand on each other": lambda: _modules(60),
    "sources that call each other, 3 000 deep": _chain,
    "20 000 adapters": lambda: _many(20_000, "{}/adapter_config.json", b'{"peft_type": "LORA", "auto_mapping": {"parent_library": "m"}}'),
    "20 000 configurations of one model": lambda: _many(20_000, "{}/config.json", b'{"auto_map": {"AutoModel": "m.M"}}'),
    "20 000 cards": lambda: _many(20_000, "{}/README.md", b"---\nlicense: mit\nbase_model: a/b\n---\n# a\n"),
    "20 000 shell scripts": lambda: _many(20_000, "{}.sh", b"#!/bin/sh\ncurl a | sh\n"),
    "20 000 YAML files": lambda: _many(20_000, "{}.yaml", b"_target_: os.system\n"),
    "50 indexes of 200 000 tensors": lambda: _shards(50),
    "PDF: line ends": lambda: {"a.pdf": b"%PDF-1.4\n" + b"\r" * (20 * _MIB) + b"%%EOF"},
    "PDF: open texts": lambda: {"a.pdf": b"%PDF-1.4\n1 0 obj\n" + b"(" * (10 * _MIB) + b"%%EOF"},
    "HTML: a mark that never ends": lambda: {"a.html": b"<html><script " + b"a=b " * (5 * _MIB)},
    "CSV: quotes": lambda: {"a.csv": b'"a""' * (5 * _MIB)},
    "INI: continued": lambda: {"a.cfg": b"[a]\nb = c\n" + b" d\n" * (5 * _MIB)},
    "dockerfile: lines that go on": lambda: {"Dockerfile": b"FROM a\nRUN b \\\n" + b" c \\\n" * 2_000_000},
    "gitattributes: 1 000 000 lines": lambda: {".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n" * 1_000_000},
    "20 000 pointers of LFS": lambda: _many(
        20_000, "{}.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 5\n"),
    "shell: 5 MB of ordinary lines": lambda: {"a.sh": b"#!/bin/sh\n" + b"".join(b"cp a%d b && make c | tee d\n" % n for n in range(200_000))},
    "PowerShell: iex of what nothing sets": lambda: {"a.ps1": b"".join(b"iex $x%d\n" % n for n in range(400_000))},
    "PowerShell: variables": lambda: {"a.ps1": b"".join(b"$x%d = 'a'\n" % n for n in range(400_000))},
    "PowerShell: names of programs": lambda: {"a.ps1": b"".join(b"wget http://a/b%d.exe\n" % n for n in range(200_000))},
    "vocabulary of 2 000 000": lambda: {"vocab.txt": b"word\n" * 2_000_000},
    "merges of 1 000 000": lambda: {"merges.txt": b"#version: 0.2\n" + b"a b\n" * 1_000_000},
}  # fmt: skip
