"""Pickles of plain containers that hold each other several times, level by level, and data that shares what it holds as honest data does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from openvet.testing.case import Case

__all__ = ["CASES"]

_LEVELS: Final = 60


def _lattice(level: Callable[[bytes], bytes]) -> bytes:
    """Level upon level; each is given the opcode that fetches the one below."""
    out = b"\x80\x02]q\x00"
    for number in range(_LEVELS):
        out += level(b"h" + bytes([number])) + b"q" + bytes([number + 1])
    return out + b"."


_HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "lists": lambda below: b"](" + below * 2 + b"e",
    "ten-times": lambda below: b"(" + below * 10 + b"l",
    "dictionaries": lambda below: b"}(K\x00" + below + b"K\x01" + below + b"u",
    "wrapped": lambda below: b"](](" + below + b"e](" + below + b"ee",
    "mixed": lambda below: b"}(K\x00](" + below * 2 + b"eK\x01" + below + b"u",
}


def _nodes() -> bytes:
    """Records of which each names the one before."""
    out = b"\x80\x02](Nq\x00"
    for number in range(200):
        out += b"}(K\x00K" + bytes([number]) + b"K\x01h" + bytes([number]) + b"uq" + bytes([number + 1])
    return out + b"e."


def _shared() -> bytes:
    """A record that hundreds of places share, over a few levels."""
    out = b"\x80\x02]}(K\x00K\x01uq\x00"
    for number in range(4):
        out += b"(" + (b"h" + bytes([number])) * 90 + b"lq" + bytes([number + 1])
    return out + b"a."


CASES: tuple[Case, ...] = (
    *(Case(f"lattices/{name}", f"plain containers that hold each other several times over {_LEVELS} levels: {name.replace('-', ' ')}",
           partial(_lattice, level), "review", frozenset({"pickle/resource-bomb"}), ("pickle",), ("CWE-776",), "data.pkl")
      for name, level in _HOSTILE.items()),
    Case("lattices/ordinary-nodes", "records of which each names the one before", _nodes, "admit", frozenset(), ("pickle",), (), "data.pkl"),
    Case("lattices/ordinary-shared", "settings that many places share", _shared, "admit", frozenset(), ("pickle",), (), "data.pkl"),
)  # fmt: skip
