"""GGUF: the model files of llama.cpp and its relatives.

Layout (version 1 has 32-bit counts and lengths; version 3 also exists in big-endian)::

    "GGUF"  u32 version  u64 tensors  u64 keys
    keys    string name, u32 type, value        a string is u64 length and bytes; an array is u32 type, u64 count, items
    infos   string name, u32 dimensions, u64[] extents (innermost first), u32 ggml type, u64 offset
    padding to general.alignment (32), then data; offsets count from there, each tensor padded to the alignment

Specification: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ; the reference reader is ``gguf.cpp``.

``tokenizer.chat_template`` and its named variants are programs (Jinja) and are handed over as such. Long arrays, such
as a vocabulary, are stepped over in blocks and only counted.
"""

from __future__ import annotations

import struct
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._gguf_keys import key_lies
from openvet.formats._hidden import look_inside
from openvet.formats._templates import MAX_TEMPLATE
from openvet.formats._trailing import all_zero, look_in_gap, say_incomplete, say_trailing
from openvet.io.source import BytesSource, Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="gguf",
    title="GGUF",
    extensions=(".gguf",),
    media_types=("application/vnd.gguf",),
    can_tell=(
        "every tensor's name, type, shape and place, and that they cover the data",
        "the general keys, architecture and quantization",
        "what the chat templates do that a template should not",
        "whether a download was cut short, and which part of a split model this is",
    ),
    cannot_tell=(
        "what the numbers do",
        "what single tokens of the vocabulary say",
        "sizes of tensor types that only a fork of ggml knows",
    ),
)

_MAGIC = b"GGUF"
_MAX_STRINGS = 16_000_000
#: A shorter value is no program.
_SHORTEST_PROGRAM = 16
_KEYS_KEPT = 2_000
_OWN_NOTES = frozenset({"version", "byte_order", "tensor_types"})
_TEXT_KEPT = 500
#: Of a text as much is searched for pickles in base64.
_LOOKED_AT = 1024 * 1024
_ITEMS_KEPT = 64
_BLOCK = 1024 * 1024
#: Keys whose arrays hold the words of a tokenizer.
_VOCABULARIES = ("tokenizer.ggml.",)
#: Of a long array a text is looked at by itself from so many bytes on.
_LONG_PIECE = 24
_INT64 = 2**63
#: Numbers of types stay below five hundred, also those of forks: readers look a type up in a table by its number.
_TYPES = 4_096
#: Arrays of arrays of the specification's own reader are none; no writer nests them so deeply.
_DEEPEST = 8
#: A writer pads a tensor to a page at most. A larger jump that ends behind the file is no download that was cut short.
_JUMP = 1024 * 1024
_STRING, _ARRAY, _BOOL = 8, 9, 7
#: number -> (name, struct code); strings and arrays are handled apart
_SCALARS = {
    0: ("u8", "B"), 1: ("i8", "b"), 2: ("u16", "H"), 3: ("i16", "h"), 4: ("u32", "I"), 5: ("i32", "i"),
    6: ("f32", "f"), 7: ("bool", "B"), 10: ("u64", "Q"), 11: ("i64", "q"), 12: ("f64", "d"),
}  # fmt: skip
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Keys, then tensor infos, then how the tensors lie in the data.

    Raises:
        MalformedError: the header ends early or breaks its own form.
        UnsupportedError: a version or value type that no specification describes.
        LimitError: more keys, tensors or strings than are followed.
    """
    header = _Header(source, facts)
    header.counts()
    header.keys()
    for lie, message, key in key_lies(header.kinds, header.arrays, facts.metadata):
        header.lie(lie, message, key)
    header.infos()
    _check_layout(source, facts, header)


def _is_template(key: str) -> bool:
    return key == "tokenizer.chat_template" or key.startswith("tokenizer.chat_template.")


class _Header:
    """One pass over the header. ``ends`` are the tensors with the end of their data, as far as it is known."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.cursor = Cursor(source)
        self.alignment = 32
        self.data_start = 0
        self.n_tensors = 0
        self.n_keys = 0
        self.strings = 0
        self.encoded = EncodedPickles(facts)
        #: type of each value, and type and number of the items of each array, of the first keys
        self.kinds: dict[str, int] = {}
        self.arrays: dict[str, tuple[int, int]] = {}
        #: what the arrays of one chat template hold, as texts and as numbers
        self.pieces: list[str] = []
        self.numbers: list[int] = []

    def lie(self, lie: str, message: str, pointer: str | None = None, **evidence: Any) -> None:
        offset = None if pointer else self.cursor.position
        self.facts.anomaly("gguf/header-lies", message, offset, pointer=pointer, lie=lie, **evidence)

    def overflow(self, message: str, pointer: str | None = None) -> None:
        offset = None if pointer else self.cursor.position
        self.facts.anomaly("gguf/size-overflow", message, offset, pointer=pointer)

    def counts(self) -> None:
        """The fixed part: which version and byte order, how many tensors and keys."""
        start = self.cursor.read(8)
        if not start.startswith(_MAGIC):
            raise MalformedError("does not start with GGUF", offset=0)
        little, big = (int.from_bytes(start[4:], order) for order in ("little", "big"))
        self.order = "<" if little <= big else ">"
        version = min(little, big)
        if version not in {1, 2, 3}:
            raise UnsupportedError(f"is GGUF of version {little}, and only 1 to 3 are known", offset=4)
        self.size = struct.Struct(self.order + ("I" if version == 1 else "Q"))
        self.facts.note("version", version)
        self.facts.note("byte_order", "little" if self.order == "<" else "big")
        self.n_tensors = self.length()
        self.n_keys = self.length()
        left = self.cursor.left
        # the shortest key is a length, one byte of name, a type and one byte; the shortest info has an empty name
        for what, count, least in (("keys", self.n_keys, 14), ("tensors", self.n_tensors, 24)):
            if count >= _INT64 // 1024:  # what a reader multiplies by the size of its own record before it allocates
                self.overflow(f"the header says that {count} {what} follow: counting their bytes overflows 64 bits")
            elif count * least > left and version != 1:
                self.lie("count", f"the header says that {count} {what} follow, in {left} bytes", **{what: str(count)})

    def length(self) -> int:
        return int(self.size.unpack(self.cursor.read(self.size.size))[0])

    def u32(self) -> int:
        return int(struct.unpack(self.order + "I", self.cursor.read(4))[0])

    def string(self, keep: int) -> tuple[bytes, int]:
        """The first ``keep`` bytes of the next string, and how long it is."""
        length = self.length()
        if length > self.cursor.left:
            if length >= _INT64:
                self.overflow(f"a text says that it is {length} bytes long: adding to that overflows 64 bits")
            message = f"a text says that it is {length} bytes long, and {self.cursor.left} follow"
            raise MalformedError(message, offset=self.cursor.position)
        data = self.cursor.read(min(length, keep))
        self.cursor.skip(length - len(data))
        return data, length

    def keys(self) -> None:
        facts = self.facts
        seen: set[bytes] = set()
        for index in range(self.n_keys):
            if index >= facts.limits.records:
                raise LimitError(
                    "records", facts.limits.records, "more keys than are read", offset=self.cursor.position
                )
            raw, length = self.string(_TEXT_KEPT)
            shown = printable(raw.decode("utf-8", "surrogateescape"))
            if not raw:
                self.lie("key-empty", f"key {index} has no name")
            elif length > 65535:
                self.lie("key-too-long", f"the name of key {index} is {length} bytes long", shown)
            elif b"../" in raw or raw.startswith(b"/"):
                self.lie("key-path", f"the name of key {index} is a path: {shorten(shown, 200)}", shown)
            if raw in seen:
                self.lie("key-duplicate", f"the key {shown} stands in the header twice", shown)
            seen.add(raw)
            kind = self.u32()
            if len(self.kinds) < _KEYS_KEPT:
                self.kinds[shown] = kind
            value = self.value(shown, kind)
            if shown == "general.alignment":
                self.set_alignment(value)
            if len(facts.metadata) < _KEYS_KEPT and shown not in _OWN_NOTES:
                facts.metadata[shown] = value

    def set_alignment(self, value: Any) -> None:
        if type(value) is not int or value <= 0 or value & (value - 1) or value >= 2**32:
            lie = "alignment-zero" if type(value) is int and value == 0 else "alignment"
            self.lie(lie, f"general.alignment is {value!r}, which is no power of two", "general.alignment")
        else:
            self.alignment = value

    def value(self, key: str, kind: int) -> Any:
        """The value at the cursor, in a form that JSON has and that stays short."""
        if kind == _STRING:
            if _is_template(key):
                return self.template(key, key.removeprefix("tokenizer.chat_template").removeprefix("."))
            data, length = self.string(_LOOKED_AT)
            if length >= _SHORTEST_PROGRAM:
                self.look(key, data)
            text = printable(shorten(data[: _TEXT_KEPT * 4].decode("utf-8", "replace"), _TEXT_KEPT))
            return text if length <= _TEXT_KEPT * 4 else f"{text} ({length} bytes)"
        if kind == _ARRAY:
            return self.array(key, 1)
        return _plain(self.scalar(key, kind))

    def look(self, key: str, data: bytes) -> None:
        """A text that no reader of ours gives a meaning: it may be a program, a pickle or another template."""
        look_inside(self.facts, data[: _TEXT_KEPT * 4], f"the value of {key}")
        self.encoded.look(data)
        self.encoded.walk(data.decode("utf-8", "replace"))
        if b"{{" in data or b"{%" in data:
            from openvet.formats._templates import template_in_text

            template = template_in_text(data.decode("utf-8", "replace"), self.facts, pointer=key)
            if template is not None:
                self.facts.programs.append(template)

    def scalar(self, key: str, kind: int) -> Any:
        if kind not in _SCALARS:
            raise UnsupportedError(f"the key {key} has a value of the unknown type {kind}", offset=self.cursor.position)
        code = struct.Struct(self.order + _SCALARS[kind][1])
        value = code.unpack(self.cursor.read(code.size))[0]
        if kind != _BOOL:
            return value
        if value > 1:
            self.lie("bool", f"the truth value {key} is {value}", key)
        return bool(value)

    def template(self, key: str, name: str) -> Any:
        """A chat template: handed over as a program, noted only by its length."""
        from openvet.formats.jinja import read_template

        facts = self.facts
        facts.budget.check_time()
        start = self.cursor.position
        data, length = self.string(facts.limits.text)
        if length > facts.limits.text:
            facts.unknown("limit", f"the template {key} is {length} bytes long and was not read", start, pointer=key)
        else:
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError:
                self.lie("not-utf8", f"the template {key} is not UTF-8", key)
                text = data.decode("utf-8", "replace")
            template = read_template(text, facts.at(pointer=key), name, facts.limits)
            facts.programs.append(template)
            if template.error:
                facts.unknown("malformed", f"the template cannot be parsed: {template.error}", start, pointer=key)
        return f"a template of {length} bytes"

    def array(self, key: str, depth: int) -> Any:
        if depth > 1 or not _is_template(key):
            return self.items(key, depth)
        self.pieces, self.numbers = [], []
        out = self.items(key, depth)
        self.template_in_pieces(key)
        return out

    def template_in_pieces(self, key: str) -> None:
        """The template of a list: each text is one, or all are pieces of one; or its bytes are numbers."""
        from openvet.formats._templates import read_pieces, text_of_numbers

        facts = self.facts
        pieces, numbers = self.pieces, self.numbers
        texts = (
            [(str(index), f"{key}/{index}", text) for index, text in enumerate(pieces)] if len(pieces) <= 100 else []
        )
        for template in read_pieces("".join(pieces) or text_of_numbers(numbers), texts, key, facts):
            facts.programs.append(template)
            if template.error:
                facts.unknown("malformed", f"the template cannot be parsed: {template.error}", pointer=key)

    def items(self, key: str, depth: int) -> Any:
        kind = self.u32()
        count = self.length()
        if depth == 1 and len(self.arrays) < _KEYS_KEPT:
            self.arrays[key] = kind, count
        if kind == _STRING:
            return self.texts(key, count)
        if kind == _ARRAY:
            if depth >= _DEEPEST:
                self.lie("nested", f"arrays stand in each other, more than {_DEEPEST} deep", key)
            if depth >= min(self.facts.limits.depth, _DEEPEST):
                raise LimitError(
                    "depth", self.facts.limits.depth, "arrays nested too deeply", offset=self.cursor.position
                )
            self.count_strings(count, weight=100)
            for _ in range(count):
                self.array(key, depth + 1)
            return {"items": "array", "count": _plain(count)}
        if kind not in _SCALARS:
            raise UnsupportedError(f"the array {key} holds the unknown type {kind}", offset=self.cursor.position)
        name, code = _SCALARS[kind]
        width = struct.calcsize(self.order + code)
        if count * width >= _INT64:
            self.overflow(f"the array {key} says that it holds {count} items: counting their bytes overflows", key)
        self.as_text(key, count, code, width)
        if count <= _ITEMS_KEPT:
            values = struct.unpack(f"{self.order}{count}{code}", self.cursor.read(count * width))
            return [bool(each) if kind == _BOOL else _plain(each) for each in values]
        self.cursor.skip(count * width)
        return {"items": name, "count": _plain(count)}

    def as_text(self, key: str, count: int, code: str, width: int) -> None:
        """Numbers that are bytes or characters: a template under its name, and anywhere else a program."""
        if code not in "bBhHiIqQ" or not _SHORTEST_PROGRAM <= count <= _LOOKED_AT or count * width > self.cursor.left:
            return
        if _is_template(key):
            values = struct.unpack(f"{self.order}{count}{code}", self.source.read(self.cursor.position, count * width))
            if len(self.numbers) + count <= _LOOKED_AT and all(0 <= each < 0x110000 for each in values):
                self.numbers += values
        elif width == 1:
            data = self.source.read(self.cursor.position, count)
            if data.isascii():
                self.look(key, data)
            else:
                self.encoded.field(BytesSource(data), key, self.cursor.position)

    def count_strings(self, count: int, weight: int = 1) -> None:
        """Refuse counts that no reader can allocate, or that would keep us busy for minutes."""
        if count >= _INT64 // 32:
            self.overflow(f"an array says that it holds {count} items: counting their bytes overflows 64 bits")
        if count * self.size.size > self.cursor.left:
            message = f"an array says that it holds {count} items, in {self.cursor.left} bytes"
            raise MalformedError(message, offset=self.cursor.position)
        self.strings += count * weight
        if self.strings > _MAX_STRINGS:
            raise UnsupportedError(
                f"more than {_MAX_STRINGS} texts in arrays are not followed", offset=self.cursor.position
            )

    def texts(self, key: str, count: int) -> Any:
        self.count_strings(count)
        if _is_template(key):
            for _ in range(min(count, self.facts.limits.records)):
                self.pieces.append(self.string(MAX_TEMPLATE)[0].decode("utf-8", "replace"))
            self.step_over(max(count - self.facts.limits.records, 0))
        elif count <= _ITEMS_KEPT:
            parts = [self.string(_LOOKED_AT)[0] for _ in range(count)]
            for part in parts:
                if len(part) >= _SHORTEST_PROGRAM:
                    self.look(key, part)
            if len(parts) > 1 and not key.startswith(_VOCABULARIES):
                self.look(key, b"".join(parts))
            parts = [part[:_TEXT_KEPT] for part in parts]
            return [printable(part.decode("utf-8", "replace")) for part in parts]
        else:
            start = self.cursor.position
            self.step_over(count)
            if not key.startswith(_VOCABULARIES):
                self.look_through(key, start, count)
        return {"items": "string", "count": count}

    def look_through(self, key: str, start: int, count: int) -> None:
        """The texts of a long array, one by one and behind one another; of a very long one those that come first."""
        end, self.cursor.position = self.cursor.position, start
        parts = []
        room = _LOOKED_AT
        for _ in range(count):
            part, length = self.string(room)
            room -= length
            if room <= 0:
                break
            parts.append(part)
        self.cursor.position = end
        self.look(key, b"".join(parts))
        for part in parts:
            if len(part) >= _LONG_PIECE:
                self.look(key, part)

    def step_over(self, count: int) -> None:
        """Move behind ``count`` strings, a block at a time: a vocabulary has hundreds of thousands."""
        source, width, unpack = self.source, self.size.size, self.size.unpack_from
        position = self.cursor.position
        while count:
            data = source.upto(position, _BLOCK)
            at, last = 0, len(data) - width
            while count and at <= last:
                at += width + unpack(data, at)[0]
                count -= 1
            if position + at > source.size or not at:
                if at >= _INT64:
                    self.overflow("the length of a text in an array overflows 64 bits")
                raise MalformedError("a text in an array goes beyond the end of the file", offset=position)
            position += at
            self.facts.budget.check_time()
        self.cursor.position = position

    def infos(self) -> None:
        facts = self.facts
        seen: set[str] = set()
        limit = facts.limits.tensors
        infos: list[tuple[str, tuple[int, ...], int, int]] = []
        for index in range(self.n_tensors):
            if index >= limit:
                raise LimitError("tensors", limit, "the header describes more tensors", offset=self.cursor.position)
            if index % 4096 == 0:
                facts.budget.check_time()
            raw, length = self.string(_TEXT_KEPT)
            name = printable(raw.decode("utf-8", "surrogateescape"))
            if length > 256:  # ggml takes 63; forks for image models take 127 or 159
                self.lie("name-too-long", f"the name of tensor {index} is {length} bytes long", name)
            if name in seen:
                self.lie("tensor-duplicate", f"the tensor {name} stands in the header twice", name)
            seen.add(name)
            n_dims = self.u32()
            if n_dims > 4:
                self.lie("dimensions", f"{name} has {n_dims} dimensions; the format allows four", name)
                if n_dims > 64:
                    raise MalformedError(f"a tensor has {n_dims} dimensions", offset=self.cursor.position)
            width = self.size.size
            shape = struct.unpack(self.order + self.size.format[-1] * n_dims, self.cursor.read(n_dims * width))
            kind = self.u32()
            offset = struct.unpack(self.order + "Q", self.cursor.read(8))[0]
            infos.append((name, tuple(reversed(shape)), kind, offset))
        self.data_start = _padded(self.cursor.position, self.alignment)
        for info in infos:
            self.add(*info)

    def add(self, name: str, shape: tuple[int, ...], kind: int, offset: int) -> None:
        from openvet.formats._ggml import GGML_TYPES

        facts = self.facts
        known = GGML_TYPES.get(kind)
        elements = 1
        for extent in shape:
            elements *= extent
        nbytes: int | None = None
        if kind >= _TYPES:
            self.lie(
                "tensor-type", f"{name} has the tensor type {kind}, which no version and no fork of ggml has", name
            )
        if known is None:
            facts.unknown("unsupported", f"{name} has the tensor type {kind}, whose size is not known", pointer=name)
        else:
            _, block, size = known
            if (shape[-1] if shape else 1) % block:
                self.lie("block", f"a row of {name} does not fill whole blocks of {block} elements", name)
            nbytes = (elements + block - 1) // block * size
        if any(extent >= _INT64 for extent in shape) or elements >= _INT64 or (nbytes or 0) + offset >= _INT64:
            text = " x ".join(map(str, shape))
            self.overflow(f"the size of {name} ({text} at {offset}) overflows 64 bits", name)
        if offset % self.alignment:
            self.lie("offset", f"{name} lies at {offset}, which is no multiple of {self.alignment}", name)
        dtype = known[0] if known else f"GGML_{kind}"
        facts.tensors.append(Tensor(name, dtype, shape, self.data_start + offset, nbytes))


def _padded(offset: int, alignment: int) -> int:
    return (offset + alignment - 1) // alignment * alignment


def _plain(value: Any) -> Any:
    """A number in a form that every JSON reader carries exactly."""
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value) if isinstance(value, int) and abs(value) > 2**53 else value


def _check_layout(source: Source, facts: Facts, header: _Header) -> None:
    """Sorted by offset, each tensor begins where the padding after the one before it ends; padding is zero."""
    end: int | None = header.cursor.position  # of what is accounted for so far; None after a size that is not known
    for tensor in sorted(facts.tensors, key=lambda each: each.offset or 0):
        start = tensor.offset or 0
        expected = None if end is None else _padded(end, header.alignment)
        if end is None or expected is None:
            pass
        elif start > expected:
            message = f"{start - expected} bytes before {tensor.name} belong to no tensor"
            lie = "outside" if start > source.size and start - expected >= _JUMP else "hole"
            header.lie(lie, message, tensor.name, at=expected, size=start - expected)
            look_in_gap(source, facts, end, start)
        elif start < end:
            message = f"{tensor.name} lies over {end - start} bytes that belong to another tensor"
            header.lie("overlap", message, tensor.name, at=start, size=end - start)
        elif end < start <= source.size and not all_zero(source, end, start):
            header.lie("padding", f"the padding before {tensor.name} is not zero", tensor.name, at=end)
            look_in_gap(source, facts, end, start)
        if tensor.nbytes is None:
            end = None
        elif tensor.nbytes or end is None:
            end = max(end or 0, start + tensor.nbytes)
    kinds: dict[str, int] = {}
    for tensor in facts.tensors:
        kinds[tensor.dtype] = kinds.get(tensor.dtype, 0) + 1
    facts.note("tensor_types", dict(sorted(kinds.items())))
    if end is None:
        return
    if end > source.size:
        say_incomplete(facts, end, source.size)
    elif source.size > _padded(end, header.alignment) or not all_zero(source, end, source.size):
        say_trailing(source, facts, end, "the last tensor")
