"""Pickles that exhaust whoever loads them with harmless callables, and harmless ones that look alike."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_RULE = "pickle/resource-bomb"


def _call(name: str, *arguments: Any) -> Call:
    module, _, attribute = name.partition(":")
    return Call(Name(module, attribute), arguments)


def _shared(levels: int, use: str) -> bytes:
    """A tuple of twice the same tuple, and so on; the outermost is a key of a dictionary, or goes into a set."""
    pairs = b"".join((b"h" + bytes([level])) * 2 + b"\x86\x94" for level in range(levels))
    last = b"h" + bytes([levels])
    return b"\x80\x04)\x94" + pairs + (b"}" + last + b"Ns." if use == "key" else b"\x8f(" + last + b"\x90.")


def _chained() -> bytes:
    """Each level holds the two levels before it, one of them out of the memo."""
    levels = b"".join(b"h" + bytes([level]) + b"h" + bytes([level + 1]) + b"\x86\x94" for level in range(60))
    return b"\x80\x04\x8f()\x94)\x85\x94" + levels + b"\x90."


def _doubled(first: bytes, times: int) -> bytes:
    """What ``first`` puts on the stack, put behind itself so many times."""
    level = b"h\x00h\x01h\x01\x86R\x94q\x01"
    return b"\x80\x04coperator\nadd\n\x940" + first + b"q\x01" + level * times + b"."


def _case(word: str, technique: str, forge: Callable[[], bytes], *rules: str, name: str = "model.pkl") -> Case:
    decision = "reject" if rules else "admit"
    return Case(f"resources/{word}", technique, forge, decision, frozenset(rules), ("pickle",), name=name)  # type: ignore[arg-type]


def _made(word: str, technique: str, value: Any, *rules: str) -> Case:
    return _case(word, technique, lambda: dump(value, 4), *rules)


_RANGE = _call("builtins:range", 1 << 47)
_COUNT = _call("itertools:count")

CASES: tuple[Case, ...] = (
    _made("list-of-a-range", "A list of a range of 2^47 numbers", _call("builtins:list", _RANGE), _RULE),
    _made("set-of-a-count", "A set of everything that itertools.count gives", _call("builtins:set", _COUNT), _RULE),
    _made("counter-of-a-count", "A Counter of a count without end", _call("collections:Counter", _COUNT), _RULE),
    _made(
        "through-iterators",
        "A count without end behind enumerate and chain",
        _call("collections:deque", _call("builtins:enumerate", _call("itertools:chain", [1], _COUNT))),
        _RULE,
    ),
    _made("product", "All words of fifteen letters", _call("builtins:list", _call("itertools:product", *["abcdefghij"] * 15)), _RULE),
    _made("join-repeat", "Texts without end are joined", _call("builtins:str.join", "", _call("itertools:repeat", "a")), _RULE),
    _made("power-of-a-power", "Ten to the power of ten to the power of nine", _call("builtins:pow", 10, _call("builtins:pow", 10, 9)), _RULE),
    _made("bytes-of-a-power", "As many bytes as two to the power of forty", _call("builtins:bytes", _call("builtins:pow", 2, 40)), _RULE),
    _made("list-of-a-billion", "A list of a billion numbers", _call("builtins:list", _call("builtins:range", 10**9)), _RULE),
    _made("harmless-range-of-a-power", "A range of two to the power of twenty, and a list of one of ten", [_call("builtins:range", _call("builtins:pow", 2, 20)), _call("builtins:list", _call("builtins:range", 10))]),
    _made("power", "Ten to the power of a billion", _call("builtins:pow", 10, 10**9), _RULE),
    _made("shift", "One shifted by 2^40 bits", _call("_operator:lshift", 1, 1 << 40), _RULE),
    _made("factorial", "The factorial of a billion", _call("math:factorial", 10**9), _RULE),
    _made("fraction", "A Fraction of a text with a large exponent", _call("fractions:Fraction", "1e1000000000"), _RULE),
    _made("bytearray", "A bytearray of 2^37 bytes", _call("builtins:bytearray", 1 << 37), _RULE),
    _made("bytes", "Bytes of a terabyte", _call("builtins:bytes", 1 << 40), _RULE),
    _made("repeated-list", "A list repeated by operator.mul", _call("operator:mul", [0], 10**12), _RULE),
    _made(
        "repeated-in-steps",
        "A text that is repeated, and repeated again",
        _call("_operator:mul", _call("operator:mul", "a" * 1000, 100_000), 1000),
        _RULE,
    ),
    _made("padded-text", "A text that is filled up with zeros", _call("builtins:str.zfill", "1", 10**12), _RULE),
    _made("array", "An array of NumPy of 2^48 bytes", _call("numpy:ndarray", (1 << 48,)), _RULE),
    _made("zeros", "Zeros of NumPy", _call("numpy:zeros", (1 << 20, 1 << 20)), _RULE),
    _made("tensor", "Zeros of PyTorch, extent by extent", _call("torch:zeros", 1 << 20, 1 << 20), _RULE, "pickle/unknown-callable"),
    _made(
        "after-many",
        "The same callable gets harmless numbers first",
        [*(_call("builtins:bytearray", each) for each in range(20)), _call("builtins:bytearray", 1 << 37)],
        _RULE,
    ),
    _case("doubled-text", "A text of two letters, put behind itself thirty-two times", lambda: _doubled(b"\x8c\x02ab", 32), _RULE),
    _case("doubled-list", "A list of two numbers, put behind itself thirty times", lambda: _doubled(b"](K\x01K\x02e", 30), _RULE),
    _case("harmless-doubled", "A text put behind itself ten times", lambda: _doubled(b"\x8c\x02ab", 10)),
    _case("shared-key", "A tuple of 2^60 items, made of sixty, is a key", lambda: _shared(60, "key"), _RULE),
    _case("shared-in-a-set", "Such a tuple is put into a set", lambda: _shared(60, "set"), _RULE),
    _case("chained-in-a-set", "Each tuple holds the two before it", _chained, _RULE),
    _case("deep-key", "A tuple nested two hundred thousand levels deep is a key", lambda: b"\x80\x04})" + b"\x85" * 200_000 + b"Ns.", _RULE),
    _case("digits", "A number of a million decimal digits", lambda: b"(dS'n'\nL" + b"7" * 1_000_000 + b"L\ns.", _RULE),
    _case(
        "claimed-literal",
        "A bytearray that claims 2^45 bytes, which do not follow",
        lambda: b"\x80\x05\x96" + struct.pack("<Q", 1 << 45) + b"abc.",
        "pickle/memory-bomb",
        "pickle/broken-stream",
    ),
    _case(
        "claimed-frame",
        "A frame that claims 2^45 bytes",
        lambda: b"\x80\x04\x95" + struct.pack("<Q", 1 << 45) + b"N.",
        "pickle/memory-bomb",
        "pickle/frame-mismatch",
    ),
    _made("small-range", "A list of a range of a thousand numbers", _call("builtins:list", _call("builtins:range", 1000))),
    _made("kept-range", "A range of 2^47 numbers that nobody walks", _RANGE),
    _made("kept-count", "A count that is carried", {"ids": _COUNT}),
    _made("few-of-a-count", "Ten of a count", _call("builtins:list", _call("itertools:islice", _COUNT, 10))),
    _made("zip-with-a-count", "As many of a count as there are words", _call("builtins:dict", _call("builtins:zip", ["a", "b"], _COUNT))),
    _made("modular-power", "A power that a modulus bounds", _call("builtins:pow", 3, 10**9, 1_000_003)),
    _made("small-numbers", "Small powers, shifts and factorials", [_call("builtins:pow", 2, 64), _call("math:factorial", 20), _call("operator:lshift", 1, 40)]),
    _made("small-buffer", "A bytearray of a megabyte", _call("builtins:bytearray", 1 << 20)),
    _made("decimal", "A Decimal with a large exponent, and a Fraction", [_call("decimal:Decimal", "1E+6144"), _call("fractions:Fraction", "3/7")]),
    _case("shared-little", "Tuples that share tuples, five levels deep", lambda: _shared(5, "set")),
    _case("long-number", "A number of two thousand digits, as RSA has", lambda: b"(dS'n'\nL" + b"7" * 2000 + b"L\ns."),
)  # fmt: skip
