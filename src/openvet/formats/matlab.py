"""MATLAB data of version 5 and later (``.mat``), as SciPy and Octave write it too.

::

    text[116], offset[8], version u16 (0x0100), "IM" or "MI" (the order of the bytes)
    element   kind u32, bytes u32, data, filled up to eight; up to four bytes: bytes u16, kind u16, data[4]
    kind 15   one element, packed with zlib          kind 14   an array: flags, extents, name, then what its class needs

Specification: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""

from __future__ import annotations

from collections import Counter

from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="matlab",
    title="MATLAB data",
    extensions=(".mat",),
    media_types=("application/x-matlab-data",),
    can_tell=("every variable with its class, to the last byte of the file",),
    cannot_tell=("what the values say", "what an object of MATLAB does when MATLAB loads it"),
)

_MARK = b"MATLAB 5.0 MAT-file"
_BEGIN = 128
_MATRIX, _PACKED = 14, 15
_CLASSES = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 6: "double", 7: "single", 8: "int8", 9: "uint8",
            10: "int16", 11: "uint16", 12: "int32", 13: "uint32", 14: "int64", 15: "uint64", 16: "function", 17: "opaque"}  # fmt: skip
_CODE = {"object", "function", "opaque"}
_ELEMENTS = 4_000_000
#: What its bytes begin with.
STARTS = (_MARK,)


def probe(head: Head) -> Likeness:
    order = head.data[126:128]
    return Likeness.STRONG if head.data.startswith(_MARK) and order in {b"IM", b"MI"} else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every variable.

    Raises:
        MalformedError: an element goes beyond what holds it.
        LimitError: more elements, or deeper, than is followed.
    """
    from openvet.io.archive.compressed import ZLIB, Decoding, spool

    order = "little" if source.read(126, 2) == b"IM" else "big"
    walk = _Walk(facts, order)
    at = _BEGIN
    try:
        while source.size - at >= 8:
            kind, size, begin, after = walk.tag(source, at, source.size)
            if kind == _PACKED:
                decoding = Decoding(source.window(begin, size), ZLIB, facts.budget)
                with spool(decoding, facts.budget) as content:
                    if decoding.error is not None:
                        raise decoding.error
                    end = walk.element(content, 0, content.size)
                    account_for_rest(content, facts, end, "a packed variable")
                after = begin + size
            elif kind == _MATRIX:
                walk.element(source, at, source.size)
            elif kind or size:
                raise MalformedError(f"an element of the kind {kind} is no variable", offset=at)
            at = after
    finally:
        facts.note("classes", dict(sorted(walk.classes.items())))
        facts.note("variables", walk.names[:1000])
    account_for_rest(source, facts, at, "the last variable")
    code = sorted(_CODE & walk.classes.keys())
    if code:
        facts.unknown("unsupported", f"holds what MATLAB makes objects or functions of: {', '.join(code)}")


class _Walk:
    def __init__(self, facts: Facts, order: str) -> None:
        self.facts = facts
        self.big = order == "big"
        self.classes: Counter[str] = Counter()
        self.names: list[str] = []
        self.count = 0

    def number(self, source: Source, at: int) -> int:
        return int.from_bytes(source.read(at, 4), "big" if self.big else "little")

    def tag(self, source: Source, at: int, end: int) -> tuple[int, int, int, int]:
        """Kind, bytes, where the data begin, and where the next element does."""
        self.count += 1
        if self.count > _ELEMENTS:
            raise LimitError("records", _ELEMENTS, "more elements than are followed", offset=at)
        if not self.count % 4096:
            self.facts.budget.check_time()
        if at + 8 > end:
            raise MalformedError("ends in the middle of an element", offset=at)
        kind = self.number(source, at)
        if kind >> 16:
            return kind & 0xFFFF, kind >> 16, at + 4, at + 8
        size = self.number(source, at + 4)
        if size > end - at - 8:
            raise MalformedError(f"an element of {size} bytes goes beyond the end", offset=at)
        after = at + 8 + size
        return kind, size, at + 8, after if kind == _PACKED else min(after + -size % 8, end)

    def element(self, source: Source, at: int, end: int) -> int:
        """A variable and the arrays inside it; gives where it ends."""
        waiting = [(at, end, 0)]
        last = 0
        while waiting:
            at, end, depth = waiting.pop()
            if depth > self.facts.limits.nesting:
                raise LimitError("nesting", self.facts.limits.nesting, "arrays are nested too deeply", offset=at)
            kind, size, begin, after = self.tag(source, at, end)
            last = last or after
            if depth and after < end:
                waiting.append((after, end, depth))
            if kind != _MATRIX or not size:
                continue
            flags, _, flags_at, inner = self.tag(source, begin, begin + size)
            if flags != 6:
                if flags == 5 or not flags:
                    raise MalformedError("an array does not begin with its flags", offset=begin)
                waiting.append((begin, begin + size, depth + 1))
                continue
            word = self.number(source, flags_at) & 0xFF
            name = _CLASSES.get(word, f"class {word}")
            self.classes[name] += 1
            if not depth:
                self.named(source, inner, begin + size)
            if inner < begin + size:
                waiting.append((inner, begin + size, depth + 1))
        return last

    def named(self, source: Source, at: int, end: int) -> None:
        """The name of a variable stands behind its extents."""
        _, _, _, at = self.tag(source, at, end)
        if at + 8 <= end and len(self.names) < 1000:
            _, size, begin, _ = self.tag(source, at, end)
            self.names.append(printable(source.read(begin, min(size, 200)).decode("latin-1")))
