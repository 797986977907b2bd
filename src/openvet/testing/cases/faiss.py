"""Indexes of Faiss: what is numbers to the end, and what is not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES", "flat", "lists"]


def _vector(data: bytes, item: int) -> bytes:
    return struct.pack("<Q", len(data) // item) + data


def _head(kind: bytes, dimensions: int = 2, count: int = 3, metric: int = 1) -> bytes:
    argument = struct.pack("<f", 3.0) if metric > 1 else b""
    return kind + struct.pack("<iqqqBi", dimensions, count, 1 << 20, 1 << 20, 1, metric) + argument


def flat(kind: bytes = b"IxF2", metric: int = 1) -> bytes:
    """Three vectors of two dimensions."""
    return _head(kind, metric=metric) + _vector(struct.pack("<6f", *range(6)), 4)


def lists(kind: bytes = b"ilar", shape: bytes = b"full") -> bytes:
    """The same in two lists, of which the second is empty."""
    sizes = struct.pack("<2Q", 3, 0) if shape == b"full" else struct.pack("<2Q", 0, 3)
    quantizer = _head(b"IxF2", count=2) + _vector(struct.pack("<4f", *range(4)), 4)
    entries = struct.pack("<6f", *range(6)) + struct.pack("<3q", *range(3))
    body = struct.pack("<QQ", 2, 8) + shape + _vector(sizes, 8) + entries
    return _head(b"IwFl") + struct.pack("<QQ", 2, 1) + quantizer + b"\0" + _vector(b"", 8) + kind + body


def _graph(storage: bytes) -> bytes:
    parts = ((struct.pack("<2d", 0.9, 0.1), 8), (struct.pack("<3i", 0, 4, 6), 4), (struct.pack("<3i", 1, 1, 1), 4),
             (struct.pack("<4Q", 0, 4, 8, 12), 8), (struct.pack("<12i", *[-1] * 12), 4))  # fmt: skip
    return (
        _head(b"IHNf")
        + b"".join(_vector(data, item) for data, item in parts)
        + struct.pack("<5i", 0, 0, 40, 16, 1)
        + storage
    )


def _mapped(inner: bytes) -> bytes:
    return _head(b"IxMp") + inner + _vector(struct.pack("<3q", 7, 8, 9), 8)


def _case(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review"], *rules: str
) -> Case:
    return Case(f"faiss/{word}", technique, forge, decision, frozenset(rules), ("faiss",), (), "index.faiss")


CASES: tuple[Case, ...] = (
    _case("trailing", "bytes behind an index", lambda: flat() + b"more of it", "review", "file/trailing-data"),
    _case("elsewhere", "lists that lie in a file that the index names", lambda: lists(b"ilod"), "review"),
    _case("kind", "an index that holds one of a kind that is not known", lambda: _mapped(b"Ixxx" + bytes(60)), "review"),
    _case("deep", "indexes in indexes without an end", lambda: _head(b"IxMp") * 100, "review"),
    _case("cut-off", "an index that was cut off", lambda: flat()[:-5], "review", "file/malformed"),
    _case("bomb", "more vectors than the file could hold", lambda: flat()[:37] + b"\xff" * 8, "review", "file/malformed"),
    _case("ordinary", "vectors as they are", flat, "admit"),
    _case("ordinary-product", "vectors for inner products", lambda: flat(b"IxFI", 0), "admit"),
    _case("ordinary-metric", "a metric with an argument", lambda: flat(b"IxFl", 4), "admit"),
    _case("ordinary-graph", "a graph over the vectors", lambda: _graph(flat()), "admit"),
    _case("ordinary-lists", "vectors in lists", lists, "admit"),
    _case("ordinary-few", "vectors in lists of which most are empty", lambda: lists(shape=b"sprs"), "admit"),
    _case("ordinary-numbers", "vectors with numbers of their own", lambda: _mapped(flat()), "admit"),
)  # fmt: skip
