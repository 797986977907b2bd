"""Arrays of Zarr: chunks that hold numbers, and such that hold what is unpickled."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
#: Numbers that are no format's beginning.
_NUMBERS = bytes.fromhex("d1e2f3a4") * 25


def _version_2(
    chunk: bytes = _NUMBERS, kind: str = "<f4", filters: Any = None, extra: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """An array of two chunks."""
    told = {"zarr_format": 2, "shape": [10, 5], "chunks": [5, 5], "dtype": kind, "fill_value": 0, "order": "C", "filters": filters,
            "compressor": {"id": "zlib", "level": 1}}  # fmt: skip
    return {
        ".zarray": json.dumps(told).encode(),
        "0.0": zlib.compress(chunk),
        "1.0": zlib.compress(_NUMBERS),
        **(extra or {}),
    }


def _version_3(
    codecs: Any = ({"name": "bytes", "configuration": {"endian": "little"}},), **more: Any
) -> dict[str, bytes]:
    told = {"zarr_format": 3, "node_type": "array", "shape": [10], "data_type": "float32", "codecs": list(codecs), "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [5]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, **more}  # fmt: skip
    return {"zarr.json": json.dumps(told).encode(), "c/0": _NUMBERS, "c/1": _NUMBERS}


def _case(
    word: str, technique: str, forge: Callable[[], Mapping[str, bytes]], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:  # fmt: skip
    return Case(f"zarr/{word}", technique, forge, decision, frozenset(rules), ("json",), (), "array.zarr")


CASES: tuple[Case, ...] = (
    _case("pickle", "a filter unpickles the chunks, of which one has a payload", lambda: _version_2(_EVIL, "|O", [{"id": "pickle"}]), "reject",
          "pickle/runs-process"),
    _case("pickle-numbers", "a chunk of numbers is a pickle with a payload", lambda: _version_2(_EVIL), "reject", "pickle/runs-process"),
    _case("objects", "chunks of objects in a form that is not known", lambda: _version_2(kind="|O", filters=[{"id": "pickle"}]), "review"),
    _case("filter", "numbers behind a filter that unpickles", lambda: _version_2(filters=[{"id": "pickle"}]), "review"),
    _case("codec", "numbers behind a codec that is not known", lambda: _version_3([{"name": "mine", "configuration": {}}]), "review"),
    _case("codec-inside", "a codec that is not known, inside of another",
          lambda: _version_3([{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "mine"}]}}]), "review"),
    _case("beside", "a file that is no chunk of the array", lambda: _version_2(extra={"7.0": _NUMBERS}), "review"),
    _case("outside", "an array that would claim the files of others", lambda: {**_version_3(shape=[5]), "weights.bin": _NUMBERS}, "review"),
    _case("ordinary", "an ordinary array of version 2", _version_2, "admit"),
    _case("ordinary-3", "an ordinary array of version 3", _version_3, "admit"),
    _case("ordinary-3-points", "one whose chunks are named as in version 2", lambda: {
          {"c/0": "0", "c/1": "1"}.get(name, name): data for name, data in _version_3(chunk_key_encoding={"name": "v2"}).items()}, "admit"),
    _case("ordinary-3-shards", "one with shards", lambda: _version_3([{"name": "sharding_indexed", "configuration": {"chunk_shape": [1],
          "codecs": [{"name": "bytes"}, {"name": "blosc", "configuration": {"cname": "zstd"}}], "index_codecs": [{"name": "bytes"}, {"name": "crc32c"}]}}]),
          "admit"),
)  # fmt: skip
