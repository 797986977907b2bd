"""Tensors of ONNX: type, extents, and where their bytes are, in the model or in a file beside it."""

from __future__ import annotations

import struct
from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats._format import Facts, Tensor
from openvet.formats._protobuf import Field, Walker
from openvet.formats._tf_program import is_outside

__all__ = ["DTYPES", "TensorReader"]

LIES, EXTERNAL = "onnx/structure-lies", "onnx/external-data"

#: TensorProto.DataType -> (name, bits of an element; 0 where it has no fixed width)
DTYPES = {
    1: ("F32", 32), 2: ("U8", 8), 3: ("I8", 8), 4: ("U16", 16), 5: ("I16", 16), 6: ("I32", 32), 7: ("I64", 64), 8: ("STRING", 0),
    9: ("BOOL", 8), 10: ("F16", 16), 11: ("F64", 64), 12: ("U32", 32), 13: ("U64", 64), 14: ("C64", 64), 15: ("C128", 128),
    16: ("BF16", 16), 17: ("F8_E4M3", 8), 18: ("F8_E4M3FNUZ", 8), 19: ("F8_E5M2", 8), 20: ("F8_E5M2FNUZ", 8), 21: ("U4", 4),
    22: ("I4", 4), 23: ("F4", 4), 24: ("F8_E8M0", 8), 25: ("U2", 2), 26: ("I2", 2),
}  # fmt: skip
#: Fields with numbers of a fixed width: how many bytes each number has.
_FIXED = {"float_data": 4, "double_data": 8}
_NUMBERS = frozenset({"float_data", "int32_data", "int64_data", "double_data", "uint64_data"})
_KEYS = frozenset({"location", "offset", "length", "checksum", "basepath"})
#: What ONNX Runtime puts in the place of a file name for bytes that are in memory already.
_IN_MEMORY = "_ORT_MEM_ADDR_"
#: Types of shapes, counts and conditions, as ``struct`` unpacks them.
_CODES = {1: "f", 6: "i", 7: "q", 9: "?", 11: "d"}
_MOST = 1 << 63
_LISTED = 16  # a constant of fewer elements is an axis or a shape and is not listed as a tensor


@dataclass(slots=True)
class _Read:
    """What one TensorProto says."""

    dims: list[int] = field(default_factory=list)
    dtype: int = 0
    name: str = ""
    raw: Field | None = None
    few: Field | None = None
    single: list[int] = field(default_factory=list)
    numbers: int = 0
    counted: int | None = None
    texts: int = 0
    outside: bool = False
    entries: list[tuple[str, str, int]] = field(default_factory=list)


class TensorReader:
    """Reads the TensorProtos of one model into its facts."""

    def __init__(self, walker: Walker, facts: Facts) -> None:
        self.walker = walker
        self.facts = facts
        self.external: dict[str, int] = {}
        #: Tensor -> (file beside the model, offset) of its bytes; '' where two tensors have the name.
        self.placed: dict[str, tuple[str, int]] = {}
        #: Name and numbers of the tensor that was read last, where those are a few in the model itself.
        self.last: tuple[str, list[float]] | None = None

    def tensor(self, whole: Field, *, listed: bool, owner: str = "") -> list[Field]:
        """Read one; list it where it is a weight or a large constant. Gives the texts that it carries."""
        walker = self.walker
        got = _Read()
        self.last = None
        texts: list[Field] = []
        fields: set[int] = set()
        for part in walker.message("TensorProto", whole.at, whole.end):
            if part.name == "dims":
                got.dims += walker.numbers(part, 64)
            elif part.name == "data_type":
                got.dtype = part.value
            elif part.name == "name":
                got.name = printable(shorten(walker.text(part, 2_000), 1_000))
            elif part.name == "raw_data":
                got.raw = part
                if part.size:
                    fields.add(part.number)
                    texts.append(part)
            elif part.name in _NUMBERS:
                fields.add(part.number)
                self._numbers(part, got, whole.end)
            elif part.name == "string_data":
                got.texts += 1
                texts.append(part)
            elif part.name == "data_location":
                got.outside = part.value == 1
            elif part.name == "external_data":
                got.entries.append(self._entry(part))
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)
        got.name = got.name or owner
        if len(fields) > 1:
            self._lie(
                "two-values", f"{_of(got)} has its values in two fields: readers differ over them", whole, fatal=False
            )
        self._judge(got, whole, listed=listed)
        values = self._few(got)
        if values:
            self.last = got.name, values
        return texts

    def _numbers(self, part: Field, got: _Read, end: int) -> None:
        """A run of numbers, or one of many that have a field each; a few are kept."""
        got.few = part if not got.numbers and part.size <= 16 * _LISTED else None
        got.numbers += part.size or 1
        if not part.packed and part.name not in _FIXED and len(got.single) <= _LISTED:
            got.single += self.walker.numbers(part, 1)
            return
        more = self.walker.skip_like(part, end)
        got.few = got.few if not more else None
        got.numbers += more
        if part.name in _FIXED:
            got.counted = (got.counted or 0) + (part.size // _FIXED[part.name]) + more

    def _few(self, got: _Read) -> list[float]:
        """The numbers of a small tensor, as a shape or a count is one; none where it is larger or of another kind."""
        code = _CODES.get(got.dtype)
        if code is not None and got.single and got.raw is None:
            return [float(each) for each in got.single] if len(got.single) <= _LISTED else []
        part = got.raw or got.few
        if code is None or part is None or got.outside or not 0 < part.size <= 16 * _LISTED:
            return []
        if got.raw is None and got.dtype not in (1, 11):
            return [float(each) for each in self.walker.numbers(part, _LISTED)]
        data = self.walker.bytes(part.at, part.size)
        width = struct.calcsize(code)
        if len(data) % width or len(data) // width > _LISTED:
            return []
        return [float(each) for each in struct.unpack(f"<{len(data) // width}{code}", data)]

    def _entry(self, whole: Field) -> tuple[str, str, int]:
        key = value = ""
        for part in self.walker.message("StringStringEntryProto", whole.at, whole.end):
            text = self.walker.text(part)
            key, value = (text, value) if part.name == "key" else (key, text)
        return key, value, whole.tag_at

    def _judge(self, got: _Read, whole: Field, *, listed: bool) -> None:
        word, bits = DTYPES.get(got.dtype, (f"type {got.dtype}", 0))
        if len(got.dims) > 64 or any(extent < 0 for extent in got.dims):
            self._lie(
                "negative-extent", f"{_of(got)} has extents that no tensor has: {_extents(got.dims)}", whole, fatal=True
            )
            return
        elements = 1
        for extent in got.dims:
            elements *= extent
        needed = (elements * bits + 7) // 8
        if elements >= _MOST or needed >= _MOST:
            self._lie("overflow", f"the size of {_of(got)} ({_extents(got.dims)}) overflows 64 bits", whole, fatal=True)
            return
        if got.outside or (got.entries and got.raw is None and not got.numbers):
            at = None
            self._external(got, needed if bits else None, whole)
        else:
            at = got.raw.at if got.raw is not None else None
            self._held(got, elements, bits, needed, whole)
        if listed or elements >= _LISTED:
            got.name = got.name or f"constant at {whole.at}"
            if len(self.facts.tensors) >= self.facts.limits.tensors:
                raise LimitError(
                    "tensors", self.facts.limits.tensors, "the model describes more tensors", offset=whole.at
                )
            self.facts.tensors.append(Tensor(got.name, word, tuple(got.dims), at, needed if bits else None))

    def _held(self, got: _Read, elements: int, bits: int, needed: int, whole: Field) -> None:
        """The bytes that are in the model are as many as the extents say."""
        if got.raw is not None and got.raw.size:
            if bits and got.raw.size != needed:
                message = f"{_of(got)} has {got.raw.size} bytes, but its extents ({_extents(got.dims)}) need {needed}"
                self._lie("tensor-size", message, whole, fatal=got.raw.size < needed)
        elif elements and bits and not got.numbers:
            self._lie("tensor-size", f"{_of(got)} has no data for {elements} elements", whole, fatal=False)
        elif got.counted is not None and got.dtype in (1, 11) and got.counted != elements:
            message = f"{_of(got)} has {got.counted} numbers for {elements} elements"
            self._lie("tensor-size", message, whole, fatal=False)

    def _external(self, got: _Read, needed: int | None, whole: Field) -> None:
        """Bytes in another file: the name must lead to one beside the model, the numbers must be numbers."""
        facts = self.facts
        values = {key: value for key, value, _ in got.entries}
        location = values.get("location", "")
        shown = printable(shorten(location, 300))
        for key, _, at in got.entries:
            if key.startswith("__"):
                message = (
                    f"the external data of {_of(got)} sets {printable(shorten(key, 100))} of the loader's own object"
                )
                facts.anomaly(EXTERNAL, message, at, lie="attribute")
            elif key not in _KEYS and not key.startswith("prepacked_"):
                message = f"the external data of {_of(got)} has the key {printable(shorten(key, 100))}, which ONNX does not have"
                facts.anomaly(EXTERNAL, message, at, lie="unknown-key")
        if not location:
            facts.anomaly(
                EXTERNAL, f"{_of(got)} lies in another file, which it does not name", whole.tag_at, lie="no-name"
            )
            return
        if _IN_MEMORY in location:
            message = f"{_of(got)} is said to lie at an address of the loader's memory"
            facts.anomaly(EXTERNAL, message, whole.tag_at, lie="memory-address", path=shown)
            return
        if len({value for key, value, _ in got.entries if key == "location"}) > 1:
            facts.anomaly(EXTERNAL, f"{_of(got)} names two files", whole.tag_at, lie="two-names", path=shown)
        if is_outside(location) or location.startswith("file:"):
            message = f"{_of(got)} is read from {shown}, outside the model's folder"
            facts.anomaly(EXTERNAL, message, whole.tag_at, lie="outside", path=shown)
            return
        offset, length = _number(values.get("offset", "0")), _number(values.get("length", "-1"), least=-1)
        if offset is None or length is None or offset + max(length, 0) >= _MOST:
            message = f"{_of(got)} is read from a place that is no number"
            facts.anomaly(EXTERNAL, message, whole.tag_at, lie="overflow", path=shown)
            return
        if length >= 0 and needed is not None and length < needed:
            message = (
                f"{_of(got)} takes {length} bytes of {shown}, but its extents ({_extents(got.dims)}) need {needed}"
            )
            self._lie("tensor-size", message, whole, fatal=True)
        name = "/".join(part for part in location.replace("\\", "/").split("/") if part not in ("", "."))
        self.external[name] = self.external.get(name, 0) + 1
        self.placed[got.name] = ("" if got.name in self.placed else name, offset)
        facts.claims.setdefault(name, []).append((offset, length if length >= 0 else needed or 0))

    def _lie(self, lie: str, message: str, whole: Field, *, fatal: bool) -> None:
        self.facts.anomaly(LIES, message, whole.tag_at, lie=lie, beyond=fatal)


def _of(got: _Read) -> str:
    return f"tensor {shorten(got.name, 100)}" if got.name else "a tensor without a name"


def _extents(dims: list[int]) -> str:
    return " x ".join(str(each) for each in dims[:8]) + (" ..." if len(dims) > 8 else "")


def _number(text: str, least: int = 0) -> int | None:
    """A decimal number as ONNX writes it; ``None`` where it is none or has no place in 64 bits."""
    text = text.strip()
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 20:
        return None
    value = int(text)
    return value if least <= value < _MOST else None
