"""The same pickle program in other opcodes.

:func:`rewritten` keeps what a program does: the same names are resolved and the same calls made in the same order with the same
arguments. :func:`roughened` adds what loaders trip over only behind the payload, or in one unpickler only: frames that lie, tails,
cut ends.
"""

from __future__ import annotations

import struct
from random import Random
from typing import Final

from openvet.errors import UsageError
from openvet.formats.pickle.opcodes import KIND, LENGTH1, LENGTH4, LENGTH8, LINE, NAMES, WIDTH

__all__ = ["parse", "rewritten", "roughened"]

#: One instruction: the name of its opcode, and its argument without a length.
Instruction = tuple[str, bytes]

_CODES: Final = {name: bytes([code]) for code, name in NAMES.items()}
_TEXTS: Final = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_LINES: Final = {"GLOBAL": 2, "INST": 2, "PERSID": 1, "PUT": 1, "GET": 1}
_WIDTHS: Final = {LENGTH1: 1, LENGTH4: 4, LENGTH8: 8}
#: Opcodes that leave a new value on the stack, so that noise may follow.
_VALUES: Final = _TEXTS | {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "BINFLOAT", "EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT",
                           "GLOBAL", "STACK_GLOBAL", "REDUCE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE", "LONG1", "INT", "OBJ", "INST", "NEWOBJ",
                           "SHORT_BINBYTES", "BINBYTES"}  # fmt: skip


def parse(stream: bytes) -> list[Instruction]:
    """The instructions of one pickle up to STOP.

    Raises:
        UsageError: it is broken, or more than one pickle.
    """
    out: list[Instruction] = []
    ends: list[int] = []
    begins: set[int] = set()
    at = 0
    while at < len(stream):
        code = stream[at]
        name, kind = NAMES.get(code, ""), KIND[code]
        if not name:
            raise UsageError(f"0x{code:02x} is no opcode")
        if name in _LINES or kind == LINE:
            end = at
            for _ in range(_LINES.get(name, 1)):
                end = stream.index(b"\n", end + 1) if b"\n" in stream[end + 1 :] else len(stream)
            argument, following = stream[at + 1 : end], end + 1
        elif kind in _WIDTHS:
            width = _WIDTHS[kind]
            size = int.from_bytes(stream[at + 1 : at + 1 + width], "little")
            argument, following = stream[at + 1 + width : at + 1 + width + size], at + 1 + width + size
        else:
            following = at + max(WIDTH[code], 1)
            argument = stream[at + 1 : following]
        if following > len(stream):
            raise UsageError("the pickle is cut off")
        if name == "FRAME":
            ends.append(following + int.from_bytes(argument, "little"))
        out.append((name, argument))
        at = following
        begins.add(at)
        if name == "STOP":
            break
    if not out or out[-1][0] != "STOP" or at != len(stream):
        raise UsageError("not one whole pickle")
    if len(ends) > 1 or not begins.issuperset(ends):
        raise UsageError("its frames lie, or are many")
    return out


def _bytes(instruction: Instruction) -> bytes:
    name, argument = instruction
    code = _CODES[name]
    if name in _LINES or KIND[code[0]] == LINE:
        return code + argument + b"\n"
    width = _WIDTHS.get(KIND[code[0]])
    return code + (b"" if width is None else len(argument).to_bytes(width, "little")) + argument


class _Writer:
    """One program on its way into other opcodes."""

    def __init__(self, program: list[Instruction], random: Random) -> None:
        self.random = random
        self.out: list[bytes] = []
        self.free = 1_000 + random.randrange(50)
        self.put = 0
        self.names: dict[int, int] = {}
        self.program = self._explicit(program)

    def _explicit(self, program: list[Instruction]) -> list[Instruction]:
        """Memo entries by number, frames left out."""
        out: list[Instruction] = []
        known: set[int] = set()
        for name, argument in program:
            if name == "FRAME":
                continue
            if name in _PUTS:
                index = len(known) if name == "MEMOIZE" else _index(name, argument)
                known.add(index)
                out.append(("PUT", b"%d" % self._renamed(index)))
            elif name in _GETS:
                out.append(("GET", b"%d" % self._renamed(_index(name, argument))))
            else:
                out.append((name, argument))
        return out

    def _renamed(self, index: int) -> int:
        if index not in self.names:
            self.names[index] = index + self.random.choice((0, 300, 70_000)) * 7 + len(self.names) * 11
        return self.names[index]

    # pieces

    def emit(self, name: str, argument: bytes = b"") -> None:
        self.out.append(_bytes((name, argument)))

    def memo(self, name: str, index: int) -> None:
        """PUT or GET in any of its forms."""
        form = self.random.randrange(3)
        if form == 0 and index < 256:
            self.emit("BIN" + name, bytes([index]))
        elif form == 1:
            self.emit("LONG_BIN" + name, struct.pack("<I", index))
        else:
            self.emit(name, (b"0" * self.random.choice((0, 0, 3))) + b"%d" % index)

    def text(self, raw: bytes) -> None:
        forms = ["BINUNICODE", "BINUNICODE8", "UNICODE"]
        if len(raw) < 256:
            forms += ["SHORT_BINUNICODE"] * 2
        plain = raw.isascii() and raw.isalnum()
        if plain and len(raw) < 200:
            forms += ["STRING", "SHORT_BINSTRING", "BINSTRING"]
        form = self.random.choice(forms)
        if form == "UNICODE":
            try:
                text = raw.decode()
            except UnicodeError:
                return self.emit("BINUNICODE", raw)
            escaped = "".join(
                f"\\u{ord(letter):04x}"
                if ord(letter) < 0x10000 and (letter in "\\\n\r\0\x1a" or self.random.random() < 0.2)
                else letter
                for letter in text
            )
            return self.emit("UNICODE", escaped.encode("raw-unicode-escape"))
        if form == "STRING":
            spelled = b"".join(self.random.choice((bytes([byte]), b"\\x%02x" % byte, b"\\%03o" % byte)) for byte in raw)
            quote = self.random.choice((b"'", b'"'))
            return self.emit("STRING", quote + spelled + quote)
        return self.emit(form, raw)

    def integer(self, value: int) -> None:
        forms = ["INT", "LONG", "LONG1", "LONG4", "BININT"]
        if 0 <= value < 256:
            forms.append("BININT1")
        if 0 <= value < 65_536:
            forms.append("BININT2")
        form = self.random.choice(forms)
        if form == "INT":
            self.emit("INT", b"%d" % value if value not in (0, 1) else b"+%d" % value)
        elif form == "LONG":
            self.emit("LONG", b"%dL" % value)
        elif form in ("LONG1", "LONG4"):
            self.emit(form, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        else:
            self.emit(form, struct.pack({"BININT": "<i", "BININT1": "<B", "BININT2": "<H"}[form], value))

    def noise(self) -> None:
        """Opcodes that leave everything as it was."""
        form = self.random.randrange(9)
        if form == 0:
            self.out.append(b"20")
        elif form == 1:
            self.out.append(b"(N1")
        elif form == 2:
            self.out.append(b"N0")
        elif form == 3:
            self.out.append(b"(0")
        elif form == 4:
            self.free += self.random.randrange(1, 3)
            self.memo("PUT", 500_000 + self.free)
        elif form == 5:
            self.out.append(b"}(X\1\0\0\0aK\1u0")
        elif form == 6:
            self.out.append(b"(]N}t0")
        elif form == 7:
            self.out.append(b"NN\x860")
        else:
            self.out.append(b"\x8f(K\1\x900")

    def spare(self) -> int:
        """A memo entry of our own."""
        self.free += 1
        return 900_000 + self.free

    def aside(self, count: int) -> list[int]:
        """The topmost values into the memo and off the stack; the lowest first."""
        kept = []
        for _ in range(count):
            index = self.spare()
            self.memo("PUT", index)
            self.out.append(b"0")
            kept.append(index)
        return kept[::-1]

    # the walk

    def write(self) -> bytes:
        at = 0
        while at < len(self.program):
            at = self._one(at)
            if self.program[at - 1][0] in _VALUES and self.random.random() < 0.25:
                self.noise()
        return b"".join(self.out)

    def _one(self, at: int) -> int:  # noqa: C901 - one branch for each opcode
        name, argument = self.program[at]
        chance = self.random.random()
        if name in _TEXTS:
            self._as_text(name, argument)
        elif name == "PUT":
            self.memo("PUT", int(argument))
        elif name == "GET":
            self.memo("GET", int(argument))
        elif name == "GLOBAL" and chance < 0.6 and argument.isascii():
            module, _, attribute = argument.partition(b"\n")
            self.text(module)
            if chance < 0.3:
                self.memo("PUT", self.spare())
            self.text(attribute)
            self.emit("STACK_GLOBAL")
        elif name in _TUPLES and at + 1 < len(self.program) and self.program[at + 1][0] == "REDUCE" and chance < 0.4:
            kept = self.aside(_TUPLES[name] + 1)
            self.out.append(b"(")
            for index in kept:
                self.memo("GET", index)
            self.emit("OBJ")
            return at + 2
        elif name in _TUPLES and chance < 0.7:
            kept = self.aside(_TUPLES[name])
            self.out.append(b"(")
            for index in kept:
                self.memo("GET", index)
            self.emit("TUPLE")
        elif name in ("BININT", "BININT1", "BININT2"):
            self.integer(int.from_bytes(argument, "little", signed=name == "BININT"))
        elif name in ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE") and chance < 0.4:
            self.out.append({"EMPTY_LIST": b"(l", "EMPTY_DICT": b"(d", "EMPTY_TUPLE": b"(t"}[name])
        elif name == "NONE" and chance < 0.2:
            self.out.append(b"NN0")
        elif name in ("NEWTRUE", "NEWFALSE") and chance < 0.5:
            self.emit("INT", b"01" if name == "NEWTRUE" else b"00")
        elif name == "PROTO":
            self.out.append(_bytes((name, argument)) * self.random.choice((1, 1, 2)))
        else:
            self.out.append(_bytes((name, argument)))
        return at + 1

    def _as_text(self, name: str, argument: bytes) -> None:
        if name == "UNICODE":
            try:
                return self.text(argument.decode("raw-unicode-escape").encode())
            except UnicodeError:
                return self.emit(name, argument)
        return self.text(argument)


def _index(name: str, argument: bytes) -> int:
    return int(argument) if name in ("PUT", "GET") else int.from_bytes(argument, "little")


def rewritten(stream: bytes, random: Random) -> bytes:
    """One pickle in other opcodes that do the same.

    Raises:
        UsageError: it is broken, or more than one pickle.
    """
    writer = _Writer(parse(stream), random)
    out = writer.write()
    return _framed(writer.out, random) if random.random() < 0.3 else out


def _framed(parts: list[bytes], random: Random) -> bytes:
    """In frames that end where opcodes do, as picklers write them: PROTO stays outside."""
    out = bytearray()
    at = 0
    while at < len(parts):
        if parts[at][:1] == b"\x80":
            out += parts[at]
            at += 1
            continue
        size = random.choice((1, 3, 10, len(parts)))
        body = b"".join(parts[at : at + size])
        out += b"\x95" + struct.pack("<Q", len(body)) + body
        at += size
    return bytes(out)


def roughened(stream: bytes, random: Random) -> bytes:
    """One pickle that still runs its payload in at least one unpickler, and is otherwise not as it should be."""
    form = random.randrange(8)
    if form == 0:
        return stream[:-1]
    if form == 1:
        return stream + random.randbytes(random.randrange(1, 40))
    if form == 2:
        return b"\x80\x04N." + stream
    if form == 3:
        return stream[:-1] + b"\xff"
    if form == 4:
        return stream[:-1] + b"00000."
    if form == 5:
        return b"}(Va\nI1\nu." + stream
    head = stream[:2] if stream[:1] == b"\x80" else b""
    size = len(stream) - len(head) + (random.randrange(1, 5_000) if form == 6 else -random.randrange(1, len(stream)))
    return head + b"\x95" + struct.pack("<Q", max(size, 0)) + stream[len(head) :]
