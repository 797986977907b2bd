"""Which calls of a pickle make a tensor or an array, and of which bytes: PyTorch's and NumPy's, read as data.

Reference: ``torch/_utils.py`` and ``torch/_tensor.py`` of PyTorch; ``array_reduce`` in NumPy's ``multiarray/methods.c``;
``joblib/numpy_pickle.py``.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod
from typing import Final, NamedTuple

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.disarm.graph import Graph, Made, NotPlainError
from openvet.disarm.view import WIDTHS, Storage, View
from openvet.errors import MalformedError, UnsupportedError
from openvet.formats._torch import DTYPES
from openvet.formats.pickle.literals import span, text_of
from openvet.formats.pickle.values import ENCODED, LIT, OPCODE, PERSISTENT, REF, RESULT, TUPLE, a_of, offset_of, tag_of
from openvet.io.source import BytesSource, Source, Spool

__all__ = ["Bytes", "Claim", "Tensors", "c_strides", "dtype_of", "f_strides", "word_of"]

_REBUILD: Final = frozenset({"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"})
_WRAP: Final = frozenset({"_rebuild_parameter", "_rebuild_parameter_with_state"})
#: What cannot be carried, by the function that would make it.
_CANNOT: Final = {
    "_rebuild_qtensor": "a quantized tensor: its scales have no place in safetensors",
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor",
    "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_meta_tensor_no_storage": "a tensor without data (device meta)",
    "_rebuild_wrapper_subclass": "a subclass of Tensor",
    "_rebuild_device_tensor_from_numpy": "a tensor that is made of an array on loading",
    "_rebuild_device_tensor_from_cpu_tensor": "a tensor of a device that keeps it elsewhere",
}
_PLAIN_CLASSES: Final = frozenset({"torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.Parameter"})
_ARRAY: Final = frozenset({"numpy.core.multiarray", "numpy._core.multiarray"})
_BUFFER: Final = frozenset({"numpy.core.numeric", "numpy._core.numeric"})
_CODE: Final = pattern(r"([<>=|]?)([biufc?SUVOmMa])([0-9]{0,9})")
_WORDS: Final = {
    "b1": "BOOL", "?": "BOOL", "i1": "I8", "u1": "U8", "i2": "I16", "u2": "U16", "f2": "F16", "i4": "I32", "u4": "U32",
    "f4": "F32", "i8": "I64", "u8": "U64", "f8": "F64",
}  # fmt: skip
_LINE: Final = 64 * 1024 * 1024
_PIECE: Final = 1024 * 1024


class Bytes(NamedTuple):
    """Where a storage's bytes are."""

    source: Source
    offset: int
    size: int
    place: str


class Claim(NamedTuple):
    """What a pickle says of a storage: its type's word, bytes of one element, bytes in all."""

    dtype: str
    width: int
    nbytes: int


Locate = Callable[[str], Bytes]
"""Where the storage with a key is (raises :class:`~openvet.errors.ReadError`)."""


class Tensors:
    """Makes views of the calls of one pickle."""

    def __init__(self, place: str, locate: Locate | None = None, *, swapped: bool = False) -> None:
        self.place = place
        self._locate = locate
        self._swapped = swapped
        self._storages: dict[str, tuple[Claim, Storage]] = {}
        self._literals: dict[int, Storage] = {}
        self._opened: list[Source] = []
        #: what makes the tensors that objects refer to by number
        self.numbered: dict[int, Callable[[], View]] | None = None
        #: who reads a torch file inside a literal
        self.nested: Callable[[Source, str], tuple[str, Storage]] | None = None

    def _by_number(self, graph: Graph, identifier: int) -> View:
        """A tensor of the oldest container, which objects refer to by number alone."""
        text = graph.text(identifier)
        number = (
            graph.integer(identifier) if text is None else int(text) if text.isdecimal() and len(text) < 20 else None
        )
        make = None if self.numbered is None or number is None else self.numbered.get(number)
        if make is None:
            raise MalformedError("it is not in the archive")
        return make()

    def close(self) -> None:
        for source in self._opened:
            source.close()

    def __call__(self, graph: Graph, value: int) -> View | None:
        """The view that a value is; ``None`` where it is no tensor.

        Raises:
            UnsupportedError, MalformedError: it is one, and cannot be carried.
        """
        if tag_of(value) == PERSISTENT and self.numbered is not None:
            return self._by_number(graph, graph.persistents[value])
        if tag_of(value) != RESULT:
            return None
        if value in graph.raw:
            return self._raw(graph, value)
        made = graph.call_of(value)
        if made is None:
            return None
        try:
            if made.module in ("torch._utils", "torch._tensor") and made.name.startswith("_rebuild"):
                return self._torch(graph, made.name, made.items)
            return self._numpy(graph, made, value)
        except NotPlainError as error:
            raise UnsupportedError(f"its description is not plain data: {error}") from error

    # PyTorch

    def _torch(self, graph: Graph, name: str, items: list[int] | None) -> View | None:
        if name in _WRAP:
            return None
        if name in ("_rebuild_from_type", "_rebuild_from_type_v2") and items and len(items) > 2:
            klass = graph.refs[a_of(items[1])].qualified if tag_of(items[1]) == REF else "something unknown"
            if klass not in _PLAIN_CLASSES or tag_of(items[0]) != REF:
                raise UnsupportedError(f"an instance of {shorten(printable(klass), 200)}, a subclass of Tensor")
            return self._torch(graph, graph.refs[a_of(items[0])].name, graph.children(items[2]))
        if name not in _REBUILD:
            raise UnsupportedError(
                _CANNOT.get(name, f"a tensor that torch._utils.{shorten(printable(name), 80)} would make")
            )
        if items is None or len(items) < 4:
            raise MalformedError("its arguments are not known")
        dtype, storage = self.storage_of(graph, items[0])
        if name == "_rebuild_tensor_v3":
            if len(items) < 7 or tag_of(items[6]) != REF:
                raise MalformedError("its type is not known")
            dtype = DTYPES.get(graph.refs[a_of(items[6])].name, ("?", 0))[0]
            if storage.swapped and WIDTHS.get(dtype, 1) > 1:
                raise UnsupportedError(
                    "written on a big-endian machine with an untyped storage, whose order PyTorch loses"
                )
        extra = items[7:8] if name == "_rebuild_tensor_v3" else items[6:7]
        if extra and graph.plain(extra[0]) not in ({}, None, {"dict": []}):
            raise UnsupportedError("a view with a mark that changes its numbers (conjugate or negative)")
        start = graph.integer(items[1])
        shape, strides = self._extents(graph, items[2]), self._extents(graph, items[3])
        if start is None or shape is None or strides is None:
            raise MalformedError("its place, shape or stride is not known")
        return View(storage, dtype, shape, strides, start)

    def storage_of(self, graph: Graph, value: int) -> tuple[str, Storage]:
        """The dtype and the bytes of the storage that a value is."""
        made = graph.call_of(value)
        if made is not None and made.qualified == "torch.storage._load_from_bytes" and made.items and self.nested:
            source, offset, size, place = self._literal(graph, made.items[0])
            return self.nested(source.window(offset, size), place)
        identifier = graph.persistents.get(value)
        items = None if identifier is None or tag_of(identifier) != TUPLE else graph.children(identifier)
        if items is None or len(items) < 5 or graph.text(items[0]) != "storage" or tag_of(items[1]) != REF:
            raise MalformedError("it is no view of a storage")
        name = graph.refs[a_of(items[1])].name.rpartition(".")[2]
        dtype, width = DTYPES.get(name, ("?", 0))
        key = graph.text(items[2])
        number = graph.integer(items[2]) if key is None else None
        key = str(number) if key is None and number is not None else key
        numel = graph.integer(items[4])
        if key is None or numel is None or numel < 0 or not width:
            raise MalformedError(f"its storage is of a type that is not known: {shorten(printable(name), 80)}")
        storage = self._stored(key, Claim(dtype, width, numel * width))
        if len(items) > 5 and graph.plain(items[5]) is not None:
            storage = self._part(graph, items[5], key, storage, width)
        return dtype, storage

    def _stored(self, key: str, claim: Claim) -> Storage:
        known = self._storages.get(key)
        if known is None:
            if self._locate is None:
                raise MalformedError("it is a view of a storage, and this kind of file has none")
            source, offset, size, place = self._locate(key)
            if size != claim.nbytes:
                raise MalformedError(f"its storage has {size} bytes, but the pickle claims {claim.nbytes}")
            known = self._storages[key] = claim, Storage(source, offset, size, self._swapped, place)
        if known[0] != claim:
            raise MalformedError("its storage is described in two ways that contradict each other")
        return known[1]

    def _part(self, graph: Graph, view: int, key: str, storage: Storage, width: int) -> Storage:
        """The part of a storage that a legacy file gives a name of its own: (key, offset, elements)."""
        parts = graph.children(view)
        numbers = [graph.integer(each) for each in parts[1:3]]
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            raise MalformedError("its storage is a part of another, and which part is not known")
        first, size = numbers[0] * width, numbers[1] * width
        if first < 0 or size < 0 or first + size > storage.nbytes:
            raise MalformedError("its storage is a part of another and goes beyond it")
        name = f"{key} {first} {size}"
        known = self._storages.get(name)
        if known is None:
            inner = Storage(storage.source, storage.offset + first, size, storage.swapped, storage.place)
            known = self._storages[name] = Claim("", 0, 0), inner
        return known[1]

    def _extents(self, graph: Graph, value: int) -> tuple[int, ...] | None:
        made = graph.call_of(value)
        if made is not None and made.qualified == "torch.Size" and made.items and len(made.items) == 1:
            value = made.items[0]
        try:
            numbers = [graph.integer(each) for each in graph.children(value)]
        except NotPlainError:
            return None
        return None if None in numbers else tuple(each or 0 for each in numbers)

    # NumPy

    def _numpy(self, graph: Graph, made: Made, value: int) -> View | None:
        if made.module in _ARRAY and made.name == "_reconstruct":
            states = graph.built.get(value, [])
            state = graph.children(states[0]) if len(states) == 1 and tag_of(states[0]) == TUPLE else []
            if len(state) < 4:
                raise MalformedError("an array whose state is not known")
            extents, dtype, order, raw = state[-4:]
            return self._array(graph, raw, dtype, self._extents(graph, extents), fortran=graph.plain(order) is True)
        if made.module in _BUFFER and made.name == "_frombuffer" and made.items and len(made.items) in (4, 5):
            raw, dtype, extents, order = made.items[:4]
            shape, word = self._extents(graph, extents), graph.text(order)
            if word in ("C", "F"):
                return self._array(graph, raw, dtype, shape, fortran=word == "F")
            turned = self._extents(graph, made.items[4]) if word == "K" and len(made.items) == 5 else None
            view = self._array(graph, raw, dtype, shape, fortran=False)
            if turned is None or sorted(turned) != list(range(len(view.shape))):
                raise MalformedError("an array whose order of axes is not known")
            return replace(
                view,
                shape=tuple(view.shape[axis] for axis in turned),
                strides=tuple(view.strides[axis] for axis in turned),
            )
        if made.module in _ARRAY and made.name == "scalar" and made.items and len(made.items) == 2:
            return self._array(graph, made.items[1], made.items[0], (), fortran=False)
        return None

    def _array(self, graph: Graph, raw: int, dtype: int, shape: tuple[int, ...] | None, *, fortran: bool) -> View:
        word, swapped = dtype_of(graph, dtype)
        if shape is None or min(shape, default=0) < 0:
            raise MalformedError("an array whose shape is not known")
        source, offset, size, place = self._literal(graph, raw)
        if size != prod(shape) * WIDTHS[word]:
            raise MalformedError(f"an array of {prod(shape) * WIDTHS[word]} bytes with {size} bytes of data")
        storage = self._literals.get(raw)
        if storage is None or storage.swapped != swapped:
            storage = self._literals[raw] = Storage(source, offset, size, swapped, place)
        return View(storage, word, shape, f_strides(shape) if fortran else c_strides(shape))

    def _raw(self, graph: Graph, value: int) -> View:
        """An array that joblib put between the opcodes."""
        array, state = graph.raw[value]
        fields = {graph.text(key): item for key, item in graph.pairs(state)}
        if array.offset is None:
            raise UnsupportedError("an array of Python objects")
        word, swapped = dtype_of(graph, fields["dtype"])
        storage = self._literals.get(value)
        if storage is None:
            storage = Storage(graph.source, array.offset, array.nbytes or 0, swapped, self.place)
            self._literals[value] = storage
        fortran = "order" in fields and graph.text(fields["order"]) == "F"
        return View(storage, word, array.shape, f_strides(array.shape) if fortran else c_strides(array.shape))

    def _literal(self, graph: Graph, value: int) -> Bytes:
        """The bytes of a literal; those that protocol 2 wrote as text are decoded into a temporary file without a name."""
        place = f"{self.place} @{offset_of(value)}"
        made = graph.call_of(value)
        if made is not None and made.qualified == "builtins.bytes" and made.items == []:  # how protocol 2 writes b""
            return Bytes(BytesSource(b""), 0, 0, place)
        if tag_of(value) != LIT:
            raise UnsupportedError("an array of Python objects, or one whose bytes are not in the pickle")
        known = self._literals.get(value)
        if known is not None:
            return Bytes(known.source, known.offset, known.nbytes, place)
        found = graph.raw_bytes(value)
        opcode = a_of(value) & OPCODE
        start, size = span(graph.peek, offset_of(value), opcode, _LINE)
        if found is not None:
            return Bytes(graph.source, found[0], found[1], place)
        encoding = graph.encodings.get(offset_of(value), "") if a_of(value) & ENCODED else ""
        if opcode in b"TU" and not a_of(value) & ENCODED:  # Python 2
            return Bytes(graph.source, start, size, place)
        if opcode == 0x56 and encoding.startswith(("latin", "iso")):
            text = text_of(graph.peek, offset_of(value), opcode, _LINE)
            data = _latin(text or "")
            return Bytes(BytesSource(data), 0, len(data), place)
        if opcode not in b"X\x8c\x8d" or not encoding:
            raise UnsupportedError("an array whose bytes are written in an unusual way")
        if "utf" in encoding:
            return Bytes(graph.source, start, size, place)
        spool = Spool(_decoded(graph.source, start, size), graph.budget)
        self._opened.append(spool)
        return Bytes(spool, 0, spool.size, place)


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise MalformedError("an array whose bytes are text beyond Latin-1") from None


def _decoded(source: Source, start: int, size: int) -> Iterator[bytes]:
    """UTF-8 of characters that each stand for one byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(start, start + size, _PIECE):
            yield _latin(decoder.decode(source.read(at, min(_PIECE, start + size - at))))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise MalformedError("an array whose bytes are text that is not UTF-8", offset=start) from None


def dtype_of(graph: Graph, value: int) -> tuple[str, bool]:
    """The word of a dtype that the pickle made, and whether its bytes are the other way round."""
    made = graph.dtypes.get(offset_of(value)) if tag_of(value) == RESULT else None
    if made is None:
        raise UnsupportedError("an array of a type that is not known")
    order = ""
    if made.state is not None:
        state = graph.children(made.state) if tag_of(made.state) == TUPLE else []
        if len(state) < 8 or any(graph.plain(each) is not None for each in state[2:5]):
            raise UnsupportedError("a structured array, or one of a type with parts")
        order = graph.text(state[1]) or ""
    return word_of(made.code, order)


def word_of(code: str, order: str = "") -> tuple[str, bool]:
    """The word of a dtype's code (``<f4``), and whether its bytes are the other way round."""
    match = _CODE.fullmatch(code)
    word = _WORDS.get(match.group(2) + match.group(3)) if match else None
    if match is None or word is None:
        kind = (
            "of Python objects" if code.endswith("O") or code == "O8" else f"of the type {shorten(printable(code), 80)}"
        )
        raise UnsupportedError(f"an array {kind}")
    return word, (order or match.group(1)) == ">" and WIDTHS[word] > 1


def c_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides in elements."""
    out: list[int] = []
    step = 1
    for extent in reversed(shape):
        out.append(step)
        step *= extent
    return tuple(reversed(out))


def f_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Column-major strides in elements."""
    return tuple(reversed(c_strides(tuple(reversed(shape)))))
