"""Pickle streams that call the same few callables again and again, and now and then with something else.

A walk may stop looking at calls that were harmless a dozen times. ``tables(random)`` makes what could deceive it: rows of like
calls, among which an argument, a state, an item, a key or the opcode differs once; containers that are filled after they became
arguments; results that are called, filled, built and looked up; memo entries that are overwritten. The same seed gives the same
stream.
"""

from __future__ import annotations

import base64
import struct
from random import Random
from typing import Final

__all__ = ["CALLABLES", "tables", "warmed"]

#: What is called: data, unknown and dangerous callables, linkers, what the machine looks at each time, methods of classes.
CALLABLES: Final = (
    ("builtins", "print"), ("m", "f"), ("a", "B"), ("a.b", "C.d"), ("datetime", "datetime"), ("decimal", "Decimal"), ("_codecs", "encode"),
    ("numpy", "dtype"), ("x", "dtype"), ("numpy.core.multiarray", "_reconstruct"), ("copyreg", "_reconstructor"),
    ("collections", "defaultdict"), ("collections", "OrderedDict"), ("functools", "partial"), ("functools", "partial.__call__"),
    ("m", "f.__call__"), ("operator", "methodcaller"), ("operator", "attrgetter"), ("operator", "call"), ("builtins", "getattr"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"), ("builtins", "str.join"), ("builtins", "bytes.fromhex"), ("builtins", "type"),
    ("torch.storage", "_load_from_bytes"), ("torch._utils", "_rebuild_tensor_v2"), ("torch", "FloatStorage"), ("os", "system"),
    ("builtins", "eval"), ("pickle", "loads"), ("builtins", "set"), ("cloudpickle.cloudpickle", "_make_cell"),
    ("cloudpickle.cloudpickle", "_make_skeleton_class"), ("dill._dill", "_create_code"), ("builtins", "setattr"), ("itertools", "starmap"),
    ("functools", "reduce"), ("importlib", "import_module"),
)  # fmt: skip

_LATE: Final = (("builtins", "eval"), ("os", "system"), ("builtins", "len"), ("__builtin__", "reduce"))
_TEXTS: Final = ("", "a", "os", "system", "eval", "latin1", "rot13", "O", "f8", "__setstate__", "__reduce__", "append", "extend", "add",
                 "default_factory", "__dict__", "__class__", "builtins")  # fmt: skip
_INNER: Final = b"\x80\x02cos\nsystem\nX\x0b\0\0\0echo forged\x85R."
_PROGRAMS: Final = (_INNER, base64.b64encode(_INNER), b"cos\nsystem\n(S'echo forged'\ntR.")
_MOST: Final = 250


class _Writer:
    """One stream under way; ``memo`` says of what kind each entry is."""

    def __init__(self, random: Random, protocol: int) -> None:
        self.random = random
        self.protocol = protocol
        self.out = bytearray() if not protocol else bytearray((0x80, protocol))
        self.memo: list[str] = []
        self.calls: list[int] = []

    # values, each of which is pushed

    def text(self, text: str | None = None) -> None:
        raw = (self.random.choice(_TEXTS) if text is None else text).encode()
        self.out += self.random.choice((b"\x8c" + bytes((len(raw),)), b"X" + struct.pack("<I", len(raw)))) + raw

    def literal(self) -> None:
        random = self.random
        form = random.randrange(8)
        if form < 3:
            self.out += b"K" + bytes((random.randrange(256),))
        elif form < 6:
            self.text()
        elif form == 6:
            self.out += random.choice((b"N", b"\x88", b"G" + bytes(8), b"I7\n", b"S'a'\n", b"\x8a\x01\x05", b"Va\n"))
        else:
            raw = random.randbytes(random.randrange(20))
            self.out += b"C" + bytes((len(raw),)) + raw

    def name(self, pair: tuple[str, str]) -> None:
        if self.random.random() < 0.2:
            self.text(pair[0])
            self.text(pair[1])
            self.out += b"\x93"
        else:
            self.out += b"c%s\n%s\n" % (pair[0].encode(), pair[1].encode())

    def get(self, index: int) -> None:
        self.out += b"h" + bytes((index,))

    def put(self, kind: str) -> None:
        """Memoize what is on top, mostly as the next entry."""
        if len(self.memo) >= _MOST:
            return
        if self.memo and self.random.random() < 0.05:
            index = self.random.randrange(len(self.memo))
            self.memo[index] = kind
        else:
            index = len(self.memo)
            self.memo.append(kind)
        self.out += b"\x94" if index == len(self.memo) - 1 and self.random.random() < 0.3 else b"q" + bytes((index,))

    def remembered(self, *kinds: str) -> bool:
        found = [index for index, kind in enumerate(self.memo) if kind in kinds]
        if found:
            self.get(self.random.choice(found))
        return bool(found)

    def plain(self, depth: int = 2) -> None:
        """What most arguments are."""
        form = self.random.randrange(10)
        if form < 6 or not depth:
            self.literal()
        elif form < 8:
            self.tuple(self.random.randrange(4), depth - 1, odd=False)
        elif not self.remembered("result"):
            self.literal()

    def odd(self, depth: int = 3) -> None:  # noqa: C901 - one line for each kind
        """What an argument is once."""
        random = self.random
        form = random.randrange(14)
        if form == 0:
            self.name(random.choice(_LATE))
        elif form == 1:
            self.name(random.choice(CALLABLES))
        elif form == 2 and self.remembered("call", "result", "list", "dict", "set", "tuple"):
            pass
        elif form == 3:
            self.out += b"]"
            if random.random() < 0.5:
                self.put("list")
            if depth and random.random() < 0.7:
                self.value(depth - 1)
                self.out += b"a"
        elif form == 4 and depth:
            self.out += b"}"
            self.put("dict")
            self.pairs(depth - 1)
            self.out += b"s" if random.random() < 0.5 else b"0" * random.randrange(3)
        elif form == 5:
            self.tuple(random.randrange(5), depth, odd=True)
        elif form == 6:
            raw = random.choice(_PROGRAMS)
            self.out += random.choice((b"B", b"X" if raw.isascii() else b"B")) + struct.pack("<I", len(raw)) + raw
        elif form == 7:
            self.out += random.choice((b"Pkey\n", b"NQ", b"\x97", b"\x82\x01"))
        elif form == 8 and depth:
            self.call(depth - 1)
        elif form == 9 and depth:
            self.out += b"("
            self.value(depth - 1)
            self.out += random.choice((b"\x91", b"l", b"t"))
        elif form == 10:
            self.out += b"\x8f"
            self.put("set")
        elif form == 11 and depth:
            self.call(depth - 1)
            self.state(depth - 1, odd=True)
        elif form == 12:
            self.tuple(random.randrange(60, 70), 0, odd=False)
        else:
            self.literal()

    def value(self, depth: int) -> None:
        if self.random.random() < 0.4:
            self.odd(depth)
        else:
            self.plain(depth)

    def tuple(self, count: int, depth: int, *, odd: bool) -> None:
        short = 0 < count < 4 and self.random.random() < 0.7
        self.out += b"" if short else b"("
        at = self.random.randrange(count) if odd and count else -1
        for each in range(count):
            if each == at and depth:
                self.odd(depth - 1)
            else:
                self.plain(min(depth, 2))
        self.out += bytes((0x84 + count,)) if short else b"t"

    def pairs(self, depth: int) -> None:
        if self.random.random() < 0.2:
            self.value(depth)
        else:
            self.text()
        self.value(depth)

    # calls

    def callee(self) -> None:
        if not self.calls or self.random.random() < 0.05:
            self.name(self.random.choice(CALLABLES))
        else:
            self.get(self.random.choice(self.calls))

    def call(self, depth: int) -> None:
        self.callee()
        self.tuple(self.random.randrange(4), depth, odd=self.random.random() < 0.3)
        self.out += self.random.choice((b"R", b"R", b"\x81"))

    def state(self, depth: int, *, odd: bool) -> None:
        """BUILD with a dictionary, slots, or anything."""
        random = self.random
        form = random.randrange(5)
        value = self.value if odd else self.plain
        if form < 2:
            self.out += b"}"
            self.text()
            value(depth)
            self.out += b"s"
        elif form == 2:
            self.out += b"N}"
            self.text()
            if random.random() < 0.3:
                self.out += b"}"
                self.text()
                value(depth)
                self.out += b"s"
            else:
                value(depth)
            self.out += b"s\x86"
        elif form == 3:
            value(depth)
        else:
            self.tuple(2, depth, odd=odd)
        self.out += b"b"

    def fill(self, depth: int, *, odd: bool) -> None:
        """Items for what is on top, by whichever opcode."""
        value = self.value if odd else self.plain
        form = self.random.randrange(5)
        if form == 0:
            value(depth)
            self.out += b"a"
        elif form == 1:
            self.text()
            value(depth)
            self.out += b"s"
        else:
            self.out += b"("
            for _ in range(self.random.randrange(4)):
                self.text()
                value(depth)
            self.out += (b"e", b"u", b"\x90")[form - 2]

    def row(self, shape: Random, odd: float) -> None:
        """One call as all of its table, but for what is odd in it."""
        random = self.random
        self.get(self.calls[shape.randrange(len(self.calls))])
        form = shape.randrange(12)
        strange = random.random() < odd
        count = shape.randrange(4)
        if form == 0 and strange:
            self.odd()
            self.out += b"0"
        if form == 1:
            self.out = self.out[:-2]
            self.out += b"("
            self.get(self.calls[shape.randrange(len(self.calls))])
            self.plain()
            self.out += b"o"
        elif form == 2 and strange and self.remembered("tuple"):
            self.out += b"R"
        else:
            self.tuple(count + (1 if strange and not count else 0), 3 if strange else 2, odd=strange)
            if random.random() < 0.1:
                self.put("tuple")
            self.out += b"}\x92" if form == 3 else b"\x81" if form < 6 else b"R"
        if random.random() < 0.15:
            self.put("result")
        for _ in range(shape.choice((0, 0, 1, 1, 2))):
            if shape.random() < 0.6:
                self.state(2, odd=random.random() < odd)
            else:
                self.fill(2, odd=random.random() < odd)
        if random.random() < odd / 2:
            self.tuple(1, 1, odd=random.random() < 0.5)
            self.out += b"R"

    def bytes_or_array(self, encoder: int, codec: int, maker: int, odd: float) -> None:
        """Bytes as protocol 2 writes them, or a small array of NumPy; an argument is odd now and then."""
        random = self.random
        strange = random.random() < odd
        if random.random() < 0.5:
            self.get(encoder)
            if strange:
                self.value(2)
            else:
                self.text()
            if strange and random.random() < 0.5:
                self.text()
            else:
                self.get(codec)
            self.out += b"\x86R"
        else:
            self.get(maker)
            self.get(random.choice(self.calls))
            extents = random.choice((b"K\0\x85", b"K\x03K\x02\x86", b"M\0\x20K\x02\x86")) if strange else b"K\0\x85"
            self.out += (
                random.choice((b"J\xff\xff\xff\x7f\x85", b"K\x05", b"(l", b"N"))
                if random.random() < odd / 2
                else extents
            )
            if random.random() < odd / 2:
                self.value(2)
            else:
                self.out += random.choice((b"C\x01b", b"\x8c\x01b"))
            self.out += b"\x87R"
            if random.random() < 0.5:
                self.state(2, odd=strange)

    def late(self) -> None:
        """Something comes into what was an argument, a key, a state or a result."""
        if self.remembered("list", "dict", "set", "result"):
            if self.random.random() < 0.3:
                self.state(2, odd=True)
            else:
                self.fill(2, odd=True)
            self.out += b"0"

    def finished(self) -> bytes:
        return bytes(self.out) + b"."


def tables(random: Random) -> bytes:
    """One stream, or now and then two behind one another."""
    return b"".join(_tables(random) for _ in range(2 if random.random() < 0.1 else 1))


def _tables(random: Random) -> bytes:
    writer = _Writer(random, random.choice((0, 2, 2, 3, 4, 5)))
    for _ in range(random.randrange(1, 4)):
        writer.name(random.choice(CALLABLES))
        index = len(writer.memo)
        writer.memo.append("call")
        writer.out += b"q" + bytes((index,)) + b"0"
        writer.calls.append(index)
    fixed = []
    for push in (b"c_codecs\nencode\n", b"\x8c\x06latin1", b"cnumpy.core.multiarray\n_reconstruct\n"):
        fixed.append(len(writer.memo))
        writer.memo.append("fixed")
        writer.out += push + b"q" + bytes((fixed[-1],)) + b"0"
    writer.out += b"]"
    if random.random() < 0.3:
        odd = random.choice((0.0, 0.1, 0.3))
        for _ in range(random.randrange(12, 30)):
            writer.bytes_or_array(fixed[0], fixed[1], fixed[2], odd)
            writer.out += random.choice((b"a", b"0"))
    for _ in range(random.randrange(1, 4)):
        seed = random.random()
        odd = random.choice((0.0, 0.03, 0.1, 0.3))
        for _ in range(random.randrange(4, 26)):
            together = random.random() < 0.1
            writer.out += b"(" if together else b""
            writer.row(Random(seed), odd)  # noqa: S311 - the same row again, by its seed
            writer.out += b"e" if together else random.choice((b"a", b"0"))
            if random.random() < odd:
                writer.late()
    return writer.finished()


def warmed(stream: bytes, names: tuple[tuple[str, str], ...], random: Random) -> bytes:
    """``stream`` behind a dozen calls with data of each of ``names``, whose results are dropped."""
    head = 2 if stream[:1] == b"\x80" else 0
    calls = bytearray()
    for module, name in names:
        one = b"c%s\n%s\n" % (module.encode("utf-8", "surrogateescape"), name.encode("utf-8", "surrogateescape"))
        for _ in range(12):
            calls += one + random.choice(
                (b"K\x01\x85R0", b")R0", b"K\x01X\x01\0\0\0a\x86\x810", b"(K\x01K\x02K\x03K\x04tR0")
            )
    return stream[:head] + bytes(calls) + stream[head:]
