r"""npy: one NumPy array.

Layout::

    "\x93NUMPY"  u8 major  u8 minor  length of the header (u16 in version 1, u32 in 2 and 3)
    header       a Python dict literal: {'descr': ..., 'fortran_order': bool, 'shape': tuple}, padded, '\n'
    data         the elements; or, where the dtype holds Python objects, one pickle

Specification: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html . ``numpy.save`` may be called
several times on one file; the arrays then follow each other and all are read.

The literal is parsed by a small grammar of its own (text, whole numbers, truth values, tuples, lists, one dict) and
never evaluated. The pickle of an object array is handed over as a member, for the pickle reader to judge.
"""

from __future__ import annotations

import re
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member, Tensor
from openvet.formats._trailing import hand_on_what_runs, say_incomplete, say_trailing
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="npy",
    title="NumPy array",
    extensions=(".npy",),
    media_types=("application/x-npy",),
    can_tell=(
        "dtype, shape and size of the array",
        "whether it holds Python objects, which only a pickle can carry",
    ),
    cannot_tell=("what the numbers do",),
)

_MAGIC = b"\x93NUMPY"
#: NumPy itself refuses headers beyond 10 000 characters unless told otherwise.
_HEADER_HELD = 1024 * 1024
_NESTING = 32
_KEYS = {"descr", "fortran_order", "shape"}
_WORDS = {
    "b1": "BOOL", "i1": "I8", "u1": "U8", "i2": "I16", "u2": "U16", "i4": "I32", "u4": "U32", "i8": "I64", "u8": "U64",
    "f2": "F16", "f4": "F32", "f8": "F64", "c8": "C64",
}  # fmt: skip
_SIZES = pattern(r"([<>|=]?)([biufcSaUVOmMt?])(\d{0,9})(\[\d{0,9}[a-zA-Zμ]{1,10}\])?", re.ASCII)

#: What NumPy takes for Python objects besides ``O``: names, a count or shape in front, one part of several with commas, and ``T``,
#: the dtype of texts, whose data are a pickle too.
_OBJECT = pattern(
    r"(?:(?:\d{1,9}|\([\d, ]{0,40}\)?|\d{0,9}\))\s*)?[<>|=]?(?:O[48]?|object_?|T)",
    re.ASCII,
)
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """One array after the other, to the end.

    Raises:
        MalformedError: a header breaks its form.
        UnsupportedError: a version or dtype that is not known.
        LimitError: a header that is too long, or too many arrays.
    """
    at = 0
    count = 0
    while at < source.size:
        if count and source.upto(at, len(_MAGIC)) != _MAGIC:
            say_trailing(source, facts, at, "the array")
            return
        if count >= facts.limits.records:
            raise LimitError("records", facts.limits.records, "more arrays in one file than are read", offset=at)
        at = _array(source, facts, at, count)
        count += 1
    if not count:
        raise MalformedError("is empty", offset=0)


@dataclass(frozen=True, slots=True)
class _Dtype:
    """A dtype: its word, the bytes of one element, and whether it holds Python objects."""

    word: str
    size: int
    objects: bool


#: The types of arrays of texts, and as much of one is looked through.
_TEXTS = pattern(r"[<>|=]?[US]\d{1,9}")
_TEXTS_HELD = 1024 * 1024


def _array(source: Source, facts: Facts, at: int, index: int) -> int:
    """Read the array at ``at`` and give the offset behind it."""
    header, data_start, version = _header(source, facts, at)
    value = _Literal(header, at, version).parse()
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise MalformedError("the header is not a dict of descr, fortran_order and shape", offset=at)
    shape, fortran = value["shape"], value["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(each) is int for each in shape) or not isinstance(fortran, bool):
        raise MalformedError("shape is no tuple of whole numbers, or fortran_order no truth value", offset=at)
    if any(extent < 0 for extent in shape) or len(shape) > 64:
        facts.anomaly("npy/header-lies", "the shape has negative extents or more than 64 of them", at, lie="bad-shape")
        raise MalformedError("the shape is impossible, so the data cannot be placed", offset=at)
    try:
        dtype = _dtype(value["descr"], at, 0)
    except UnsupportedError:
        hand_on_what_runs(source, facts, data_start)  # NumPy may know that it is one of objects
        raise
    name = "array" if index == 0 else f"array {index}"
    if index == 0:
        facts.note("version", f"{version}.{source.read(at + 7, 1)[0]}")
        facts.note("descr", shorten(printable(str(value["descr"])), 500))
        facts.note("fortran_order", fortran)
    if dtype.objects:
        return _objects(source, facts, data_start, Tensor(name, "OBJECT", shape), at)
    elements = 1
    for extent in shape:
        elements *= extent
    size = elements * dtype.size
    if elements >= 2**63 or size >= 2**63:
        facts.anomaly("npy/header-lies", "the size of the array overflows 64 bits", at, lie="overflow")
    facts.tensors.append(Tensor(name, dtype.word, shape, data_start, size))
    end = data_start + size
    if end > source.size:
        say_incomplete(facts, end, source.size)
        return source.size
    if isinstance(value["descr"], str) and _TEXTS.fullmatch(value["descr"]):
        _look_at_texts(source.read(data_start, min(size, _TEXTS_HELD)), value["descr"], dtype.size, facts)
    return end


def _look_at_texts(data: bytes, descr: str, width: int, facts: Facts) -> None:
    """Look for pickles that are written as text in an array of texts."""
    from openvet.formats._encoded import EncodedPickles

    if "U" in descr:
        data = data.decode("utf-32-be" if descr.startswith(">") else "utf-32-le", "replace").encode("utf-8", "replace")
        parts = data.split(b"\0") if b"\0" in data else [data]
    else:
        parts = [data[at : at + width].rstrip(b"\0") for at in range(0, len(data), max(width, 1))]
    EncodedPickles(facts).look(b"\n".join(part for part in parts if part))


def _header(source: Source, facts: Facts, at: int) -> tuple[str, int, int]:
    start = source.upto(at, 12)
    if len(start) < 10 or not start.startswith(_MAGIC):
        raise MalformedError("ends before the header", offset=at)
    version = start[6]
    if version not in {1, 2, 3}:
        raise UnsupportedError(f"is npy of version {version}, and only 1 to 3 are known", offset=at + 6)
    width = 2 if version == 1 else 4
    length = int.from_bytes(source.read(at + 8, width), "little")
    data_start = at + 8 + width + length
    if data_start > source.size:
        raise MalformedError(f"the header says that it is {length} bytes long, beyond the end of the file", offset=at)
    held = min(_HEADER_HELD, facts.limits.header)
    if length > held:
        raise LimitError("header", held, f"the header is {length} bytes long and was not read", offset=at)
    raw = source.read(at + 8 + width, length)
    try:
        return raw.decode("utf-8" if version == 3 else "latin-1"), data_start, version
    except UnicodeDecodeError:
        raise MalformedError("the header is not UTF-8", offset=at) from None


def _objects(source: Source, facts: Facts, start: int, tensor: Tensor, at: int) -> int:
    """An object array: the rest of the file is a pickle, and only the pickle's own reader can tell where it ends."""
    size = source.size - start
    facts.tensors.append(tensor)
    message = "holds Python objects, so numpy reads it only with allow_pickle=True and then runs its pickle"
    facts.anomaly("npy/object-array", message, at, offset_of_pickle=start, size=size)
    if not size:
        facts.anomaly("file/incomplete", "incomplete: the pickle of the objects is missing", start, present=source.size)
        facts.unknown("absent", "the pickle of the objects is missing", start)
    else:
        facts.add_members([Member("objects.pickle", size, lambda: source.window(start, size), start)])
    return source.size


def _dtype(descr: Any, at: int, depth: int) -> _Dtype:
    """The dtype that ``descr`` describes: text, ``(dtype, shape)``, or a list of fields."""
    if depth > _NESTING:
        raise LimitError("nesting", _NESTING, "the dtype is nested too deeply", offset=at)
    if isinstance(descr, str):
        return _simple(descr, at)
    if isinstance(descr, tuple) and len(descr) == 2:
        base = _dtype(descr[0], at, depth + 1)
        return _Dtype(base.word, base.size * _count(descr[1], at), base.objects)
    if isinstance(descr, list) and descr:
        size, objects = 0, False
        for field in descr:
            if not isinstance(field, tuple) or len(field) not in {2, 3}:
                raise MalformedError("a field of the dtype is not (name, dtype) or (name, dtype, shape)", offset=at)
            part = _dtype(field[1], at, depth + 1)
            size += part.size * (_count(field[2], at) if len(field) == 3 else 1)
            objects = objects or part.objects
        return _Dtype("STRUCT", size, objects)
    raise MalformedError("the dtype is neither text nor a list of fields", offset=at)


def _count(shape: Any, at: int) -> int:
    extents = shape if isinstance(shape, tuple) else (shape,)
    count = 1
    for extent in extents:
        if type(extent) is not int or extent < 0:
            raise MalformedError("the shape of a field is no tuple of whole numbers", offset=at)
        count *= extent
    return count


def _simple(descr: str, at: int) -> _Dtype:
    match = _SIZES.fullmatch(descr)
    if match is None and any(_OBJECT.fullmatch(part.strip()) for part in descr.split(",")):
        return _Dtype("OBJECT", 8, objects=True)
    if match is None:
        raise UnsupportedError(f"has the dtype {shorten(printable(descr), 80)}, which is not known", offset=at)
    _, kind, digits, _ = match.groups()
    if kind == "O":
        return _Dtype("OBJECT", 8, objects=True)
    if kind == "?":
        return _Dtype("BOOL", 1, objects=False)
    if not digits and kind not in "SaUV":
        raise UnsupportedError(f"has the dtype {descr}, whose size is not stated", offset=at)
    size = int(digits or 0)
    return _Dtype(_WORDS.get(kind + digits, kind + digits), size * 4 if kind == "U" else size, objects=False)


class _Literal:
    """The part of Python's literal grammar that a header may use."""

    def __init__(self, text: str, at: int, version: int) -> None:
        self.text = text
        self.at = at
        # what Python 2 wrote: 3L
        number = r"-?[0-9]{1,20}L?" if version < 3 else r"-?[0-9]{1,20}"
        self._token = re.compile(
            rf"\s*(?:(?P<number>{number})|(?P<word>True|False)"
            r"""|(?P<text>'(?:[^'\\\n]|\\['"\\])*'|"(?:[^"\\\n]|\\['"\\])*")|(?P<mark>[{}()\[\],:]))"""
        )
        self._position = 0

    def parse(self) -> Any:
        value = self._value(*self._next(), 0)
        if self.text[self._position :].strip():
            raise self._broken()
        return value

    def _broken(self) -> MalformedError:
        return MalformedError("the header is not the literal that the format asks for", offset=self.at)

    def _next(self) -> tuple[str, str]:
        match = self._token.match(self.text, self._position)
        if match is None or match.lastgroup is None:
            raise self._broken()
        self._position = match.end()
        return match.lastgroup, match.group(match.lastgroup)

    def _value(self, kind: str, part: str, depth: int) -> Any:
        if depth > _NESTING:
            raise LimitError("nesting", _NESTING, "the header is nested too deeply", offset=self.at)
        if kind == "number":
            return int(part.rstrip("L"))
        if kind == "word":
            return part == "True"
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", part[1:-1])
        if part == "(":
            items, commas = self._items(")", depth)
            return items[0] if len(items) == 1 and not commas else tuple(items)
        if part == "[":
            return self._items("]", depth)[0]
        if part == "{":
            return self._dict(depth)
        raise self._broken()

    def _items(self, close: str, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        commas = 0
        while True:
            kind, part = self._next()
            if part == close and kind == "mark":
                return items, commas
            items.append(self._value(kind, part, depth + 1))
            kind, part = self._next()
            if part == close and kind == "mark":
                return items, commas
            if part != "," or kind != "mark":
                raise self._broken()
            commas += 1

    def _dict(self, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while True:
            kind, part = self._next()
            if part == "}" and kind == "mark":
                return out
            key = self._value(kind, part, depth + 1)
            if not isinstance(key, str) or key in out or self._next()[1] != ":":
                raise self._broken()
            out[key] = self._value(*self._next(), depth + 1)
            kind, part = self._next()
            if part == "}" and kind == "mark":
                return out
            if part != "," or kind != "mark":
                raise self._broken()
