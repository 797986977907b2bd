"""Checkpoints of JAX as Orbax keeps them, in data bases of OCDBT and in shards of Zarr; each ordinary, and with something hidden in it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from gzip import compress
from typing import Literal

from openvet.testing.case import Case, Files
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_ocdbt import DATA, data_file, manifest, node, shard

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_ARRAY = json.dumps(
    {"zarr_format": 2, "shape": [10], "chunks": [10], "dtype": "<f4", "compressor": None, "filters": None}
).encode()
_NUMBERS = bytes(range(7, 47))


def _checkpoint(chunk: bytes = _NUMBERS, gap: bytes = b"", behind: bytes = b"") -> Files:
    data = data_file([("w/.zarray", _ARRAY)], [("w/0", chunk)], gap)
    root = len(chunk) + len(gap)
    return {DATA: data, "manifest.ocdbt": manifest(root, len(data) - root, behind=behind), "_METADATA": b"{}"}


def _only_values() -> Files:
    """Two values in a file without any node; the node lies in another folder, as where processes write for themselves."""
    inner = "ocdbt.process_0/" + DATA
    root = node([("w/.zarray", _ARRAY)], [("w/0", 0, 40), ("w/1", 40, 8)], inner)
    return {DATA: root, inner: _NUMBERS + bytes(range(200, 208)), "manifest.ocdbt": manifest(0, len(root))}


def _case(
    word: str,
    technique: str,
    forge: Callable[[], bytes | Files],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    formats: tuple[str, ...] = ("ocdbt-data", "ocdbt"),
    name: str = "0",
) -> Case:
    return Case(f"tensorstore/{word}", technique, forge, decision, frozenset(rules), formats, (), name)


def _shard(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return _case(word, technique, forge, decision, *rules, formats=("zarr-shard",))


CASES: tuple[Case, ...] = (
    _case("orbax", "a checkpoint of Orbax: a manifest, a value and the node that leads to it", _checkpoint, "admit"),
    _case("orbax-packed", "the same with a packed value", lambda: _checkpoint(compress(_NUMBERS, mtime=0)), "admit"),
    _case("orbax-only-values", "values in a file of their own, which another one leads to", _only_values, "admit"),
    _case("orbax-pickle-value", "a pickle as a value", lambda: _checkpoint(_EVIL), "reject", "file/polyglot",
          "pickle/runs-process", "pickle/trailing-data"),
    _case("orbax-packed-pickle", "a packed pickle as a value", lambda: _checkpoint(compress(_EVIL, mtime=0)), "reject", "pickle/runs-process"),
    _case("orbax-gap", "a packed pickle that no key leads to", lambda: _checkpoint(gap=compress(_EVIL, mtime=0)), "reject",
          "file/trailing-data", "pickle/runs-process"),
    _case("orbax-manifest", "bytes behind the last entry of a manifest", lambda: _checkpoint(behind=b"forged"), "review", "file/malformed"),
    _shard("shard", "a shard of Zarr 3", lambda: shard(zlib.compress(_NUMBERS), compress(_NUMBERS, mtime=0)), "admit"),
    _shard("shard-pickle", "a packed pickle in a shard", lambda: shard(compress(_EVIL, mtime=0), _NUMBERS), "reject", "pickle/runs-process"),
    _shard("shard-two-kinds", "a pickle as the first part of a shard", lambda: shard(_EVIL, _NUMBERS), "reject", "file/polyglot",
           "pickle/runs-process", "pickle/trailing-data"),
)  # fmt: skip
