"""Pickle streams that nobody would write, made by a grammar that mostly keeps to what an unpickler accepts.

``soup(random)`` follows the stack and the memo in outline, so that most streams run far; now and then it puts in an opcode
that does not fit, cuts the stream, or changes a byte. The same seed gives the same stream.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random
from typing import Final

from openvet.formats.pickle.opcodes import NAMES as _OPCODES

__all__ = ["NAMES", "mutated", "opcodes", "soup"]

#: Globals that streams name: plain, dotted, of Python 2, linkers, constructors and what cannot exist.
NAMES: Final = (
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("builtins", "eval"),
    ("builtins", "exec"), ("__builtin__", "eval"), ("builtins", "getattr"), ("builtins", "object"), ("builtins", "list"),
    ("builtins", "dict"), ("builtins", "set"), ("builtins", "bytearray"), ("builtins", "complex"), ("__builtin__", "reduce"),
    ("builtins", "print.__self__.eval"), ("torch.serialization", "os.system"), ("a.b", "C.d.e"), ("a", "B"), ("__main__", "Net"),
    ("collections", "OrderedDict"), ("collections", "defaultdict"), ("copyreg", "_reconstructor"), ("copy_reg", "_reconstructor"),
    ("functools", "partial"), ("operator", "attrgetter"), ("operator", "methodcaller"), ("operator", "itemgetter"),
    ("importlib", "import_module"), ("builtins", "__import__"), ("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"),
    ("numpy", "dtype"), ("torch._utils", "_rebuild_tensor_v2"), ("torch", "FloatStorage"), ("torch.nn.modules.linear", "Linear"),
    ("sklearn.svm._classes", "SVC"), ("_codecs", "encode"), ("urllib2", "urlopen"), ("commands", "getoutput"), ("cPickle", "loads"),
    ("itertools", "starmap"), ("builtins", "map"), ("datetime", "datetime"), ("decimal", "Decimal"), ("x", ""), ("", "x"), ("ü", "é"),
)  # fmt: skip

_TEXTS: Final = ("", "a", "os", "system", "eval", "echo x", "__class__", "append", "extend", "__setitem__", "add", "__dict__",
                 "__setstate__", "builtins", "latin1", "ü", "x" * 60)  # fmt: skip


class _Cook:
    """One stream under way: its bytes, and what is roughly on the stack. Kinds: any, text, list, dict, set, tuple, call, obj."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.out = bytearray()
        self.stack: list[str] = []
        self.marks: list[int] = []
        self.memo: dict[int, str] = {}

    # pieces

    def put(self, data: bytes, *kinds: str) -> None:
        self.out += data
        self.stack += kinds

    def below(self, count: int) -> bool:
        """Whether ``count`` values stand above the last mark."""
        return len(self.stack) - (self.marks[-1] if self.marks else 0) >= count

    def drop(self, count: int) -> None:
        del self.stack[len(self.stack) - count :]

    def to_mark(self) -> None:
        del self.stack[self.marks.pop() :]

    def text(self, text: str) -> None:
        raw = text.encode()
        form = self.random.randrange(5)
        if form == 0 and len(raw) < 256:
            self.put(b"\x8c" + bytes([len(raw)]) + raw, "text")
        elif form == 1:
            self.put(b"X" + struct.pack("<I", len(raw)) + raw, "text")
        elif form == 2:
            self.put(b"\x8d" + struct.pack("<Q", len(raw)) + raw, "text")
        elif form == 3:
            self.put(b"V" + text.encode("raw-unicode-escape") + b"\n", "text")
        else:
            self.put(b"S" + repr(text).encode("ascii", "backslashreplace") + b"\n", "text")

    def line_name(self) -> bytes:
        module, name = self.random.choice(NAMES)
        return module.encode() + b"\n" + name.encode() + b"\n"

    # steps, each of which says whether it could be done

    def literal(self) -> bool:
        random = self.random
        choice = random.randrange(9)
        if choice < 4:
            self.text(random.choice(_TEXTS))
        elif choice == 4:
            self.put(b"K" + bytes([random.randrange(256)]), "any")
        elif choice == 5:
            self.put(
                random.choice((b"N", b"\x88", b"\x89", b"I01\n", b"I-5\n", b"L7L\n", b"F1.5\n", b"M\x01\x02")), "any"
            )
        elif choice == 6:
            self.put(
                random.choice((b"J\xff\xff\xff\xff", b"G" + bytes(8), b"\x8a\x01\x05", b"\x8b\x01\0\0\0\x05")), "any"
            )
        elif choice == 7:
            raw = bytes(random.randrange(256) for _ in range(random.randrange(6)))
            self.put(random.choice((b"C" + bytes([len(raw)]), b"B" + struct.pack("<I", len(raw)))) + raw, "any")
        else:
            raw = random.randbytes(random.randrange(20))
            self.put(random.choice((b"\x8e", b"\x96")) + struct.pack("<Q", len(raw)) + raw, "any")
        return True

    def container(self) -> bool:
        opcode, kind = self.random.choice(((b"]", "list"), (b"}", "dict"), (b"\x8f", "set"), (b")", "tuple")))
        self.put(opcode, kind)
        return True

    def mark(self) -> bool:
        if len(self.marks) > 4:
            return False
        self.marks.append(len(self.stack))
        self.out += b"("
        return True

    def gather(self) -> bool:
        """What takes everything above the mark."""
        if not self.marks:
            return False
        self.random.shuffle(steps := [b"t", b"l", b"d", b"\x91", b"1", b"e", b"u", b"\x90", b"o"])
        count = len(self.stack) - self.marks[-1]
        under = self.stack[self.marks[-1] - 1] if self.marks[-1] else ""
        for step in steps:
            if step in b"tl\x91" or (step == b"d" and count % 2 == 0):
                self.to_mark()
                self.put(step, {b"t": "tuple", b"l": "list", b"d": "dict", b"\x91": "any"}[step])
                return True
            fits = (
                step == b"1"
                or (step == b"e" and under in ("list", "obj"))
                or (step == b"u" and under in ("dict", "obj") and count % 2 == 0)
                or (step == b"\x90" and under in ("set", "obj"))
            )
            if fits:
                self.to_mark()
                self.out += step
                return True
            if step == b"o" and count and self.stack[self.marks[-1]] == "call":
                self.to_mark()
                self.put(step, "obj")
                return True
        return False

    def fill(self) -> bool:
        """APPEND and SETITEM."""
        if self.below(2) and self.stack[-2] in ("list", "obj"):
            self.drop(1)
            self.out += b"a"
            return True
        if self.below(3) and self.stack[-3] in ("dict", "obj"):
            self.drop(2)
            self.out += b"s"
            return True
        return False

    def tuple(self) -> bool:
        count = self.random.randrange(1, 4)
        if not self.below(count):
            return False
        self.drop(count)
        self.put(bytes([0x84 + count]), "tuple")
        return True

    def name(self) -> bool:
        random = self.random
        form = random.randrange(4)
        module, name = random.choice(NAMES)
        if form == 0:
            self.put(b"c" + self.line_name(), "call")
        elif form == 1:
            self.text(module)
            self.text(name)
            self.drop(2)
            self.put(b"\x93", "call")
        elif form == 2 and self.below(2) and self.stack[-2:] == ["text", "text"]:
            self.drop(2)  # whatever texts happen to be there
            self.put(b"\x93", "call")
        elif random.random() < 0.15:  # where a code is not registered the stream ends
            code = random.choice((1, 1, 2, 257, 70_000, 3))
            forms = [b"\x84" + struct.pack("<i", code)]
            if code < 256:
                forms.append(b"\x82" + bytes([code]))
            if code < 65_536:
                forms.append(b"\x83" + struct.pack("<H", code))
            self.put(random.choice(forms), "call")
        else:
            self.put(b"c" + self.line_name(), "call")
        return True

    def call(self) -> bool:
        random = self.random
        if self.marks and random.random() < 0.2:
            self.to_mark()
            self.put(b"i" + self.line_name(), "obj")
            return True
        if self.below(3) and self.stack[-3] == "call" and self.stack[-1] == "dict" and self.stack[-2] == "tuple":
            self.drop(3)
            self.put(b"\x92", "obj")
            return True
        if self.below(2) and self.stack[-2] in ("call", "obj") and self.stack[-1] == "tuple":
            self.drop(2)
            self.put(random.choice((b"R", b"R", b"\x81")), random.choice(("obj", "call")))
            return True
        if self.below(1) and self.stack[-1] in ("call", "obj"):
            self.container_of(random.randrange(4))
            self.drop(2)
            self.put(random.choice((b"R", b"R", b"\x81")), random.choice(("obj", "call")))
            return True
        return False

    def container_of(self, count: int) -> None:
        """A tuple of some literals and names."""
        self.out += b"("
        for _ in range(count):
            if self.random.random() < 0.3:
                self.put(b"c" + self.line_name(), "call")
            else:
                self.literal()
        self.drop(count)
        self.put(b"t", "tuple")

    def build(self) -> bool:
        if not self.below(1) or self.stack[-1] not in ("obj", "call"):
            return False
        form = self.random.randrange(6)
        if form == 0:
            self.put(b"}", "dict")
        elif form == 1:
            self.out += b"}"
            self.text(self.random.choice(_TEXTS))
            self.put(b"c" + self.line_name() + b"s", "dict")
            self.drop(2)
            self.stack.append("dict")
        elif form == 4:  # slots, one of which is the dictionary of the instance
            self.out += b"N}"
            self.text(self.random.choice(("__dict__", "__dict__", "__class__", "a")))
            self.out += b"}"
            self.text(self.random.choice(("append", "extend", "add", "__setstate__", "a")))
            self.out += b"c" + self.line_name() + b"ss\x86"
            self.drop(2)
            self.stack.append("tuple")
        elif form == 5 and self.memo:  # a state that the memo has, which other opcodes have filled
            index = self.random.choice(list(self.memo))
            self.put(b"g%d\n" % index, "any")
        elif form == 2:
            self.out += b"N}"
            self.text(self.random.choice(_TEXTS))
            self.out += b"c" + self.line_name() + b"s\x86"
            self.drop(1)
            self.stack.append("tuple")
        else:
            self.literal()
        self.drop(1)
        self.out += b"b"
        return True

    def memoize(self) -> bool:
        if not self.stack or (self.marks and self.marks[-1] == len(self.stack)):
            return False
        form = self.random.randrange(4)
        index = self.random.choice((0, 1, 2, 3, 4, 255, 256))
        if form == 0:
            index = len(self.memo)
            self.out += b"\x94"
        elif form == 1 and index < 256:
            self.out += b"q" + bytes([index])
        elif form == 2:
            self.out += b"r" + struct.pack("<I", index)
        else:
            self.out += b"p%d\n" % index
        self.memo[index] = self.stack[-1]
        return True

    def recall(self) -> bool:
        if not self.memo:
            return False
        index = self.random.choice(list(self.memo))
        form = self.random.randrange(3)
        if form == 0 and index < 256:
            self.put(b"h" + bytes([index]), self.memo[index])
        elif form == 1:
            self.put(b"j" + struct.pack("<I", index), self.memo[index])
        else:
            self.put(b"g%d\n" % index, self.memo[index])
        return True

    def shuffle(self) -> bool:
        """DUP, POP, persistent ids."""
        form = self.random.randrange(4)
        if form == 0 and self.below(1):
            self.put(b"2", self.stack[-1])
        elif form == 1 and self.below(2):
            self.drop(1)
            self.out += b"0"
        elif form == 2 and self.below(1):
            self.drop(1)
            self.put(b"Q", "obj")
        else:
            self.put(b"Pkey\n", "obj")
        return True

    def wild(self) -> bool:
        """Anything at all."""
        self.out += bytes([self.random.randrange(256)])
        return True


_STEPS: Final[tuple[tuple[Callable[[_Cook], bool], int], ...]] = (
    (_Cook.literal, 10), (_Cook.container, 6), (_Cook.mark, 6), (_Cook.gather, 8), (_Cook.fill, 6), (_Cook.tuple, 5),
    (_Cook.name, 9), (_Cook.call, 14), (_Cook.build, 6), (_Cook.memoize, 6), (_Cook.recall, 6), (_Cook.shuffle, 3),
)  # fmt: skip


def soup(random: Random) -> bytes:
    """One stream, or now and then a few behind one another."""
    out = b"".join(_stream(random) for _ in range(random.choice((1, 1, 1, 1, 2, 3))))
    return mutated(out, random) if random.random() < 0.3 else out


def _stream(random: Random) -> bytes:
    cook = _Cook(random)
    protocol = random.choice((None, 0, 1, 2, 3, 4, 4, 5))
    if protocol is not None:
        cook.out += bytes([0x80, protocol])
    steps = [step for step, weight in _STEPS for _ in range(weight)]
    for _ in range(random.randrange(3, 40)):
        while not random.choice(steps)(cook):
            pass
        if random.random() < 0.004:
            cook.wild()
    while cook.marks:
        cook.to_mark()
        cook.put(b"t", "tuple")
    body = bytes(cook.out) + (b"" if cook.stack else b"N") + b"."
    return _framed(body, random) if protocol in (4, 5) and random.random() < 0.4 else body


def _framed(body: bytes, random: Random) -> bytes:
    """With a frame around it, which now and then says a wrong length."""
    size = len(body) - 2 + random.choice((0, 0, 0, 0, -1, 1, -5, 1000))
    return body[:2] + b"\x95" + struct.pack("<Q", max(size, 0)) + body[2:]


def mutated(stream: bytes, random: Random) -> bytes:
    """A copy with a few changes: bytes changed, cut out, doubled, the end cut off."""
    out = bytearray(stream)
    for _ in range(random.randrange(1, 4)):
        if not out:
            break
        at = random.randrange(len(out))
        form = random.randrange(5)
        if form == 0:
            out[at] = random.randrange(256)
        elif form == 1:
            del out[at : at + random.randrange(1, 4)]
        elif form == 2:
            out[at:at] = out[at : at + random.randrange(1, 12)]
        elif form == 3:
            out[at:at] = bytes([random.choice(b"(tR0.c\x93\x81bqh2\x94ao}])N")])
        else:
            del out[at:]
    return bytes(out)


#: Opcodes with arguments that mean something.
_TOKENS: Final = (b"\x80\x02", b"\x80\x04", b"cos\nsystem\n", b"\x8c\x02os\x8c\x06system\x93", b"cbuiltins\ngetattr\n", b"(i__main__\nNet\n",
                  b"\x8c\x01a", b"U\x01b", b"X\x01\0\0\0c", b"Va\\u0062\n", b"S'a\\x62'\n", b"I01\n", b"I 7\n", b"L1_0L\n", b"F 1.5\n",
                  b"F1_0\n", b"\x8a\0", b"\x8b\xff\xff\xff\xff", b"p01\n", b"g01\n", b"p 1\n", b"g+1\n", b"P\n", b"Pa\n", b"\x82\x01", b"\x84\1\0\0\0",
                  b"\x95" + bytes(8), b"\x95\x03" + bytes(7), b")R", b"}b", b"N}\x86b", b")\x81", b")}\x92", b"(o", b"h\0", b"q\0", b"\x94", b"2", b"0",
                  b"1", b"(", b"t", b"]", b"}", b"\x8f", b"a", b"e", b"u", b"s", b"\x90", b"\x91", b"\x97", b"\x98", b".")  # fmt: skip


def opcodes(random: Random) -> bytes:
    """Opcodes in any order, most of them with arguments that fit, by no grammar at all."""
    table = [bytes([byte]) for byte in _OPCODES] + list(_TOKENS) * 3
    return b"".join(random.choice(table) for _ in range(random.randrange(2, 60))) + random.choice((b".", b""))
