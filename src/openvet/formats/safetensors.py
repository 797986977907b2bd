"""safetensors: eight bytes of length, a JSON header, tensor data.

Layout::

    u64 little-endian   n, the length of the header (at most 100 000 000)
    n bytes             JSON object: tensor name -> {"dtype", "shape", "data_offsets": [begin, end]},
                        and "__metadata__" -> object of text; may be padded with white space
    the rest            data; offsets count from here, cover it without a hole and without an overlap

Specification: https://github.com/huggingface/safetensors#format ; every refusal of the reference implementation
(``safetensors/src/tensor.rs``) is an anomaly here, and reading goes on behind it as far as that makes sense.

The header is walked entry by entry and never turned into one tree of objects, so that memory stays in proportion to
what is kept. Headers longer than the limit ``header`` are not read: the largest published ones are a tenth of it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import look_in_gap, say_incomplete, say_trailing
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="safetensors",
    title="safetensors",
    extensions=(".safetensors",),
    media_types=("application/vnd.safetensors",),
    can_tell=(
        "every tensor's name, dtype, shape and place",
        "that the tensors cover the data without hole, overlap or bytes left over",
        "that loading runs no code: the format has nothing to run",
    ),
    cannot_tell=(
        "what the numbers do",
        "headers longer than 12 MiB",
    ),
)

_HEADER_ALLOWED = 100_000_000
_ENTRY_HELD = 64 * 1024
_METADATA_KEPT = 100
#: A shorter text of metadata is no program; of a longer one the beginning tells.
_SHORTEST_PROGRAM = 16
_LOOKED_AT = 64 * 1024
_TEXT_KEPT = 500
_USIZE = 2**64

#: dtype -> bits of one element. F4 and F6 are packed, so that a tensor's bits must fill whole bytes.
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_FIELDS = frozenset({"dtype", "shape", "data_offsets"})


def probe(head: Head) -> Likeness:
    """A plausible length and a JSON object behind it; a lying length still looks like it where the keys do."""
    data = head.data
    if len(data) < 10 or data[8:9] != b"{":
        return Likeness.NO
    length = int.from_bytes(data[:8], "little")
    start = data[9:73].lstrip(b" \t\r\n")[:1]
    if 2 <= length <= min(head.size - 8, _HEADER_ALLOWED) and start in {b'"', b"}"}:
        return Likeness.STRONG
    if head.size - 8 < length <= _HEADER_ALLOWED and start == b'"' and data[9:10] == b'"':
        return Likeness.WEAK  # a header that was cut short
    return Likeness.WEAK if start == b'"' and (b'"data_offsets"' in data or b'"__metadata__"' in data) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the header, then hold every tensor against its neighbours and the file's end.

    Raises:
        MalformedError: there is no header that could be walked.
        LimitError: the header is longer than we hold, or describes more tensors than the limit.
    """
    text, data_start = _header(source, facts)
    facts.note("header_bytes", data_start - 8)
    walk = _Walk(text, facts, data_start)
    walk.run()
    _check_layout(source, facts, data_start)


def _lie(facts: Facts, lie: str, message: str, pointer: str | None = None, **evidence: Any) -> None:
    facts.anomaly("safetensors/header-lies", message, None if pointer else 0, pointer=pointer, lie=lie, **evidence)


def _header(source: Source, facts: Facts) -> tuple[str, int]:
    if source.size < 8:
        raise MalformedError("is shorter than the eight bytes of a header's length", offset=0)
    length = int.from_bytes(source.read(0, 8), "little")
    if length > _HEADER_ALLOWED:
        if source.upto(8, 1) == b"{":
            _lie(
                facts, "header-length", f"the header says that it is {length} bytes long, and {source.size - 8} follow"
            )
        raise MalformedError(f"the header says that it is {length} bytes long; at most 100000000 are allowed", offset=0)
    if length > source.size - 8:
        raise MalformedError(f"the header says that it is {length} bytes long, and {source.size - 8} follow", offset=0)
    held = facts.limits.header
    if length > held:
        raise LimitError("header", held, f"the header is {length} bytes long and was not read", offset=8)
    text = source.read(8, length).decode("latin-1")
    _check_utf8(source, length)
    if not text.startswith("{"):
        raise MalformedError("the header does not start with '{'", offset=8)
    return text, 8 + length


def _check_utf8(source: Source, length: int) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    at = 8
    try:
        for block in source.chunks(8, length):
            pending = len(decoder.getstate()[0])
            decoder.decode(block)
            at += len(block)
        pending = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise MalformedError("the header is not UTF-8", offset=at + error.start - pending) from None


class _Walk:
    """One pass over the header's text: names and entries, one at a time.

    ``text`` holds one character for each byte (decoded as latin-1), which keeps a header with a few characters beyond
    ASCII from taking four bytes for each of the others. Only names and values are decoded as what they are, UTF-8.
    """

    def __init__(self, text: str, facts: Facts, data_start: int) -> None:
        import json

        self.text = text
        self.facts = facts
        self.data_start = data_start
        self.names: set[str] = set()
        self.shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._json = json
        self._decode: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().raw_decode
        self._blank = re.compile(r"[ \t\r\n]*")
        # what every known writer emits; any other order or spacing takes the slower way with the same result
        self._usual = re.compile(
            r'\{"dtype":"([A-Z0-9_]{1,16})","shape":\[((?:[0-9]{1,19}(?:,[0-9]{1,19}){0,15})?)\],'
            r'"data_offsets":\[([0-9]{1,19}),([0-9]{1,19})\]\}'
        )
        self._marks = re.compile(r'["{}\[\]]')

    def run(self) -> None:
        at = self._skip(1)
        if self.text[at : at + 1] == "}":
            at += 1
        else:
            at = self._entries(at)
        if self._skip(at) != len(self.text):
            _lie(self.facts, "header-trailing", "text follows after the header's JSON object")

    def _skip(self, at: int) -> int:
        match = self._blank.match(self.text, at)
        return match.end() if match else at

    def _broken(self, at: int, message: str) -> MalformedError:
        return MalformedError(f"the header is not JSON: {message}", offset=8 + at)

    def _string(self, at: int) -> tuple[str, int]:
        if self.text[at : at + 1] != '"':
            raise self._broken(at, "a name in quotes is missing")
        try:
            value, end = self._decode(self.text, at)
            if not value.isascii():
                raw = self.text[at:end]
                value = raw if raw.isascii() else raw.encode("latin-1").decode("utf-8")
                value, _ = self._decode(value, 0)
        except ValueError:
            raise self._broken(at, "a text does not end, or holds what may not stand in one") from None
        return value, end

    def _pairs(self, at: int) -> Iterator[tuple[str, int, Callable[[int], None]]]:
        """Each key of the object whose first key is at ``at``, with where its value starts.

        The caller says through the callback where the value ends.
        """
        after = [at]
        while True:
            at = self._skip(after[0])
            key, at = self._string(at)
            at = self._skip(at)
            if self.text[at : at + 1] != ":":
                raise self._broken(at, "a ':' is missing")
            at = self._skip(at + 1)
            yield key, at, lambda end: after.__setitem__(0, end)
            at = self._skip(after[0])
            mark = self.text[at : at + 1]
            after[0] = at + 1
            if mark == "}":
                self.end = at + 1
                return
            if mark != ",":
                raise self._broken(at, "a ',' or '}' is missing")

    def _entries(self, at: int) -> int:
        for count, (name, start, done) in enumerate(self._pairs(at), 1):
            if count % 4096 == 0:
                self.facts.budget.check_time()
            if name in self.names:
                shown = printable(shorten(name, _TEXT_KEPT))
                _lie(self.facts, "duplicate-key", f"the name {shown} stands in the header twice", shown)
            if count > self.facts.limits.tensors:
                raise LimitError("tensors", self.facts.limits.tensors, "the header describes more tensors", offset=8)
            self.names.add(name)
            if not name.isascii() and any("\ud800" <= char <= "\udfff" for char in name):
                shown = printable(shorten(name, _TEXT_KEPT))
                _lie(self.facts, "not-unicode", f"the name {shown} holds half a surrogate pair", shown)
            end = self._metadata(start) if name == "__metadata__" else self._tensor(name, start)
            done(end)
        return self.end

    def _value_end(self, at: int) -> int:
        """Where the value at ``at`` ends, found by its brackets alone."""
        text = self.text
        if text[at : at + 1] == '"':
            return self._string(at)[1]
        if text[at : at + 1] not in {"{", "["}:
            ends = [found for mark in ",}]" if (found := text.find(mark, at, at + _ENTRY_HELD)) >= 0]
            return min(ends, default=len(text))
        depth = 0
        while True:
            match = self._marks.search(text, at)
            if match is None:
                raise self._broken(at, "a bracket is not closed")
            at = match.start()
            if text[at] == '"':
                at = self._string(at)[1]
                continue
            depth += 1 if text[at] in "{[" else -1
            at += 1
            if depth == 0:
                return at

    def _metadata(self, at: int) -> int:
        facts = self.facts
        if self.text.startswith("null", at):  # the reference takes that for none
            return at + 4
        if self.text[at : at + 1] != "{":
            _lie(facts, "metadata-not-object", "__metadata__ is not an object of texts", "__metadata__")
            return self._value_end(at)
        kept: dict[str, str] = {}
        encoded = EncodedPickles(facts)
        count = 0
        seen: set[str] = set()
        inside = self._skip(at + 1)
        if self.text[inside : inside + 1] == "}":
            return inside + 1
        for count, (key, at, done) in enumerate(self._pairs(inside), 1):  # noqa: B007 - noted below
            shown = printable(shorten(key, _TEXT_KEPT))
            if key in seen:
                _lie(facts, "duplicate-key", f"__metadata__ has the key {shown} twice", f"__metadata__/{shown}")
            if len(seen) < facts.limits.records:
                seen.add(key)
            if self.text[at : at + 1] == '"':
                value, end = self._string(at)
                if len(value) >= _SHORTEST_PROGRAM:
                    look_inside(facts, value[:_LOOKED_AT].encode("latin-1", "replace"), f"__metadata__ {shown}")
                    encoded.look(value)
                    encoded.walk(value)
                    self._template(shown, value)
                if len(kept) < _METADATA_KEPT:
                    kept[shown] = printable(shorten(value, _TEXT_KEPT))
            else:
                end = self._value_end(at)
                _lie(facts, "metadata-not-text", f"__metadata__ {shown} is not text", f"__metadata__/{shown}")
            done(end)
        facts.metadata["metadata"] = kept
        facts.note("metadata_keys", count)
        return self.end

    def _template(self, key: str, value: str) -> None:
        """A template that does what only an attack does; a program may render the one that comes with the weights."""
        from openvet.formats._templates import template_in_text

        if "{{" in value or "{%" in value:
            template = template_in_text(value, self.facts, pointer=f"__metadata__/{key}")
            if template is not None:
                self.facts.programs.append(template)

    def _tensor(self, name: str, at: int) -> int:
        match = self._usual.match(self.text, at)
        if match is not None:
            dtype, shape, begin, stop = match.groups()
            extents = tuple(map(int, shape.split(","))) if shape else ()
            # JSON has no leading zeros, and Python's int() takes them
            if not any(len(part) > 1 and part[0] == "0" for part in (*shape.split(","), begin, stop)):
                self._add(name, dtype, extents, int(begin), int(stop))
                return match.end()
        end = self._value_end(at)
        self._unusual(name, at, end)
        return end

    def _unusual(self, name: str, at: int, end: int) -> None:
        """An entry that is not written as usual: parse it with JSON, and name what is wrong with it."""
        shown = printable(shorten(name, _TEXT_KEPT))
        if end - at > _ENTRY_HELD:
            self.facts.unknown("limit", f"the entry of {shown} is {end - at} characters long and was not read", 8)
            _lie(self.facts, "entry-too-long", f"the entry of {shown} is {end - at} characters long", shown)
            return
        try:
            text = self.text[at:end].encode("latin-1").decode("utf-8")
            entry = self._json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise self._broken(at, f"the entry of {shown} cannot be read") from None
        if not isinstance(entry, _Pairs):
            _lie(self.facts, "tensor-not-object", f"the entry of {shown} is not an object", shown)
            return
        fields = dict(entry)
        if len(fields) != len(entry):
            _lie(self.facts, "duplicate-key", f"the entry of {shown} has a key twice", shown)
        missing = sorted(_FIELDS - fields.keys())
        if missing:
            _lie(self.facts, "missing-field", f"{shown} has no {' and no '.join(missing)}", shown)
            return
        if fields.keys() - _FIELDS:
            _lie(self.facts, "unknown-field", f"{shown} has fields that the format does not know", shown)
        dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
        if not isinstance(dtype, str):
            _lie(self.facts, "unknown-dtype", f"the dtype of {shown} is not text", shown)
        elif not _whole(shape) or any(extent >= _USIZE for extent in shape):
            _lie(self.facts, "bad-shape", f"the shape of {shown} is not a list of whole numbers", shown)
        elif not _whole(offsets) or len(offsets) != 2:
            _lie(self.facts, "bad-offsets", f"the data_offsets of {shown} are not two whole numbers", shown)
        else:
            self._add(name, dtype, tuple(shape), *offsets)

    def _add(self, name: str, dtype: str, shape: tuple[int, ...], begin: int, stop: int) -> None:
        facts = self.facts
        shown = printable(shorten(name, _TEXT_KEPT))
        bits = _BITS.get(dtype)
        if stop < begin or stop >= _USIZE:
            _lie(facts, "bad-offsets", f"the data_offsets of {shown} are [{begin}, {stop}]", shown)
            stop = max(begin, 0)
        if bits is None:
            dtype = printable(shorten(dtype, 32))
            _lie(facts, "unknown-dtype", f"{shown} has the dtype {dtype}, which the format does not know", shown)
        else:
            _check_size(facts, shown, bits, shape, stop - begin)
        shape = self.shapes.setdefault(shape, shape) if len(self.shapes) < 4096 else shape
        facts.tensors.append(Tensor(shown, dtype, shape, self.data_start + begin, stop - begin))


def _check_size(facts: Facts, shown: str, bits: int, shape: tuple[int, ...], size: int) -> None:
    elements = 1
    for extent in shape:
        elements *= extent
        if elements >= _USIZE:  # the reference multiplies from the left and refuses the first overflow
            break
    needed = elements * bits
    if elements >= _USIZE or needed >= _USIZE:
        _lie(facts, "overflow", f"the shape of {shown} overflows 64 bits", shown)
    elif needed % 8:
        _lie(facts, "misaligned", f"the elements of {shown} do not fill whole bytes", shown)
    elif needed // 8 != size:
        message = f"{shown} has {size} bytes of data, and its shape needs {needed // 8}"
        _lie(facts, "size-mismatch", message, shown, expected=needed // 8, present=size)


def _check_layout(source: Source, facts: Facts, data_start: int) -> None:
    """Sorted by offset, tensors follow each other from 0 to the end of the file."""
    expected = data_start
    ordered = sorted(
        facts.tensors, key=lambda each: each.nbytes or 0
    )  # empty tensors stand before what shares their place
    ordered.sort(key=lambda each: each.offset or 0)
    for tensor in ordered:
        begin = tensor.offset or 0
        if begin > expected:
            message = f"{begin - expected} bytes before {tensor.name} belong to no tensor"
            _lie(facts, "hole", message, tensor.name, at=expected, size=begin - expected)
            look_in_gap(source, facts, expected, begin)
        elif begin < expected:
            message = f"{tensor.name} lies over the {expected - begin} bytes before it that belong to another tensor"
            _lie(facts, "overlap", message, tensor.name, at=begin, size=expected - begin)
        expected = max(expected, begin + (tensor.nbytes or 0))
    if expected > source.size:
        say_incomplete(facts, expected, source.size)
    elif not facts.unknowns:  # otherwise what follows may belong to an entry that was not read
        say_trailing(source, facts, expected, "the last tensor")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it stands in the text, duplicates and all."""


def _whole(value: Any) -> bool:
    return (
        isinstance(value, list)
        and not isinstance(value, _Pairs)
        and all(type(each) is int and each >= 0 for each in value)
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
