"""Tensors of PyTorch's three containers: what a pickle's persistent ids and rebuild calls say, and where the bytes are.

The machine walks; :class:`Tensors` listens. It keeps one small record for each storage and each tensor, and the links
from a tensor to the container and key that hold it, which give the dotted names of a ``state_dict``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts, Tensor
from openvet.formats.pickle.references import Ref
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.values import OFFSET_SHIFT, REF, RESULT, TAG, TUPLE, a_of, offset_of, tag_of

__all__ = ["DTYPES", "Storage", "Tensors"]

_NAME: Final = 1_024
#: Storages are kept although their tensors are not described any more, so that their bytes are known as such.
_STORAGES: Final = 200_000
_STEPS: Final = 64

# storage class or dtype -> word, bytes of one element of a storage
DTYPES: Final[dict[str, tuple[str, int]]] = {
    "FloatStorage": ("F32", 4), "DoubleStorage": ("F64", 8), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1), "ComplexFloatStorage": ("C64", 8),
    "ComplexDoubleStorage": ("C128", 16), "QUInt8Storage": ("QU8", 1), "QInt8Storage": ("QI8", 1),
    "QInt32Storage": ("QI32", 4), "QUInt4x2Storage": ("QU4", 1), "QUInt2x4Storage": ("QU2", 1),
    "UntypedStorage": ("U8", 1),
    "float32": ("F32", 4), "float": ("F32", 4), "float64": ("F64", 8), "double": ("F64", 8), "float16": ("F16", 2),
    "half": ("F16", 2), "bfloat16": ("BF16", 2), "int64": ("I64", 8), "long": ("I64", 8), "int32": ("I32", 4),
    "int": ("I32", 4), "int16": ("I16", 2), "short": ("I16", 2), "int8": ("I8", 1), "uint8": ("U8", 1),
    "uint16": ("U16", 2), "uint32": ("U32", 4), "uint64": ("U64", 8), "bool": ("BOOL", 1), "complex64": ("C64", 8),
    "cfloat": ("C64", 8), "complex128": ("C128", 16), "cdouble": ("C128", 16), "complex32": ("C32", 4),
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e5m2": ("F8_E5M2", 1), "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1), "float8_e8m0fnu": ("F8_E8M0", 1), "float4_e2m1fn_x2": ("F4_X2", 1),
    "quint8": ("QU8", 1), "qint8": ("QI8", 1), "qint32": ("QI32", 4), "quint4x2": ("QU4", 1), "quint2x4": ("QU2", 1),
}  # fmt: skip
#: Types whose storages are bytes that hold several elements each, so that shapes and sizes cannot be compared.
_PACKED: Final = frozenset({"QU4", "QU2"})

#: The functions of ``torch._utils`` that make a tensor of a storage, with the places of offset, size and stride among their arguments.
_REBUILD: Final = frozenset({"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"})
#: Functions that only wrap their first argument, which stays the same tensor.
_WRAPS: Final = frozenset({"_rebuild_parameter", "_rebuild_parameter_with_state"})
#: A tensor without data: only its type, size and stride are kept.
_META: Final = "_rebuild_meta_tensor_no_storage"
_SILENT: Final = frozenset({"_parameters", "_buffers", "_modules"})


@dataclass(slots=True)
class Storage:
    """A run of elements that tensors are views of, as its first persistent id claims it."""

    key: str
    dtype: str
    width: int
    numel: int
    offset: int

    @property
    def nbytes(self) -> int:
        return self.numel * self.width


@dataclass(slots=True)
class _Raw:
    """A tensor before it has its name; one without a storage has no data in the file."""

    identity: int
    storage: Storage | None
    dtype: str
    width: int
    start: int
    shape: tuple[int, ...]
    reaches: int | None
    offset: int


class Tensors:
    """Listens to one walk of the machine."""

    def __init__(self, facts: Facts, place: str) -> None:
        self.facts = facts
        self.place = place
        self._most = facts.limits.tensors
        self.storages: dict[str, Storage] = {}
        self.other_persistent = 0
        self.full = False
        self._raw: list[_Raw] = []
        self._by_result: dict[int, Storage] = {}
        self._tensor_at: dict[int, int] = {}
        self._holders: set[int] = set()
        #: tensors and holders
        self.followed: set[int] = set()
        self._links: dict[int, tuple[int, int]] = {}
        self._aliases: list[tuple[int, tuple[int, int]]] = []
        self._pairs: dict[int, str] = {}
        self._prefixes: dict[int, str] = {}
        self._keys: dict[int, str] = {}
        self._last_container = 0
        #: the literal that was last read as ``storage``: most pickles get it from the memo each time
        self._word = 0
        #: types by their references
        self._dtypes: dict[int, tuple[str, int]] = {}

    def mismatch(self, message: str, offset: int | None, **evidence: Any) -> None:
        """A storage is not what the pickle says of it."""
        facts = self.facts
        outer, facts.place = facts.place, self.place
        try:
            facts.anomaly("torch/storage-mismatch", message, offset, **evidence)
        finally:
            facts.place = outer

    # what the machine tells

    def persistent(self, machine: Semantics, identifier: int, result: int) -> int | None:
        items = machine.items(identifier) or []
        if not items or items[0] == self._word:
            kind = "storage" if items else None
        else:
            kind = machine.text(items[0])
            self._word = items[0] if kind == "storage" else 0
        if kind == "storage" and len(items) > 4 and tag_of(items[1]) == REF:
            self._storage(machine, items, result)
        elif kind == "module" and len(items) > 1:  # a class and its source, kept since PyTorch 0.1
            return items[1]
        else:
            self.other_persistent += 1
        return None

    def _storage(self, machine: Semantics, items: list[int], result: int) -> None:
        key = machine.text(items[2])
        if key is None and (number := machine.integer(items[2])) is not None:
            key = str(number)
        numel = machine.integer(items[4])
        dtype, width = self._dtypes.get(items[1]) or self._dtype(machine, items[1])
        if key is None or numel is None or numel < 0:
            self.other_persistent += 1
            return
        storage = self.storages.get(key)
        if storage is None:
            if len(self.storages) >= max(self._most, _STORAGES):
                self.full = True
                return
            storage = self.storages[key] = Storage(key, dtype, width, numel, result >> OFFSET_SHIFT)
        elif (storage.dtype, storage.numel) != (dtype, numel):
            self.mismatch(
                f"storage {shorten(printable(key), 60)} is once {storage.numel} elements of {storage.dtype} and once {numel} of "
                f"{dtype}",
                offset_of(result),
                beyond=numel * width != storage.nbytes,
            )
            if numel * width > storage.nbytes:
                storage.dtype, storage.width, storage.numel = dtype, width, numel
        self._by_result[result >> OFFSET_SHIFT] = storage

    def _dtype(self, machine: Semantics, reference: int) -> tuple[str, int]:
        """What a storage of this class holds."""
        written = machine.refs[a_of(reference)].name
        found = DTYPES.get(written) or DTYPES.get(written.rpartition(".")[2], ("?", 0))
        if len(self._dtypes) < len(DTYPES):
            self._dtypes[reference] = found
        return found

    def called(self, machine: Semantics, ref: Ref, items: list[int], result: int) -> None:
        if not items:
            self._last_container = 0
            return
        first = items[0] >> OFFSET_SHIFT
        made = result & TAG == RESULT
        ours = ref.module == "torch._utils"
        if ref.module == "collections" and ref.name == "OrderedDict":  # Python 2 wrote it as a list of pairs
            self._links.pop(first, None)  # until now it was in the tuple of arguments
            self.placed(machine, result, 0, items[0])
        if ours and ref.name in _WRAPS and first in self._tensor_at:
            self._forget_place(first)  # the tuple of arguments is no container of the model
        elif made:
            self._given(machine, items, result)
        if not ours or len(items) < 4 or not made:
            return
        if len(self._raw) >= self._most:
            self.full = self.full or ref.name in _REBUILD
        elif ref.name in _REBUILD:
            self._rebuilt(machine, ref, items, result)
        elif ref.name == _META and tag_of(items[0]) == REF:
            dtype, width = DTYPES.get(machine.refs[a_of(items[0])].name, ("?", 0))
            shape = self._extents(machine, items[1])
            if shape is not None:
                self._add(_Raw(offset_of(result), None, dtype, width, 0, shape, None, offset_of(result)))

    def _add(self, raw: _Raw) -> None:
        self._tensor_at[raw.identity] = len(self._raw)
        self.followed.add(raw.identity)
        self._raw.append(raw)

    def _given(self, machine: Semantics, items: list[int], result: int) -> None:
        """Tensors among the arguments of a call are parts of what it makes: indices and values, scales, offsets."""
        last = self._last_container
        if not last:
            return
        if last & TAG == TUPLE and machine.items(last) == items:
            self._links.setdefault(offset_of(last), (offset_of(result), 0))
            self._hold(offset_of(result))
        self._last_container = 0

    def _rebuilt(self, machine: Semantics, ref: Ref, items: list[int], result: int) -> None:
        storage = self._by_result.get(items[0] >> OFFSET_SHIFT)
        if storage is None:
            return
        start = machine.integer(items[1])
        shape = self._extents(machine, items[2])
        strides = self._extents(machine, items[3])
        if (start or 0) < 0 or self._goes_back(machine, items[2]) or self._goes_back(machine, items[3]):
            self.mismatch(
                "a tensor has a negative offset, size or stride, which no program writes",
                offset_of(result),
                beyond=True,
            )
        if start is None or shape is None:
            return
        dtype, width = storage.dtype, storage.width
        if ref.name == "_rebuild_tensor_v3" and len(items) > 6 and tag_of(items[6]) == REF:
            dtype, width = DTYPES.get(machine.refs[a_of(items[6])].name, ("?", 0))
        reaches = None
        if strides is not None and len(strides) == len(shape):
            reaches = start + 1
            for extent, stride in zip(shape, strides, strict=True):
                reaches += (extent - 1) * stride
            if 0 in shape:
                reaches = 0
        if dtype in _PACKED:
            width = 0
        identity = result >> OFFSET_SHIFT
        self._add(_Raw(identity, storage, dtype, width, start, shape, reaches, identity))

    def placed(self, machine: Semantics, container: int, key: int, child: int) -> None:
        identity = child >> OFFSET_SHIFT
        if identity in self._tensor_at:
            if key == -2:  # the second of a pair: the first is its name
                first = (machine.items(container) or [0])[0]
                name = machine.text(first) if first else None
                if name is not None:
                    self._pairs[offset_of(container)] = name
        elif identity not in self._holders:
            return
        parent = container >> OFFSET_SHIFT
        if identity == parent:
            return
        link = (parent, key)
        if key > 0 and key not in self._keys:  # read now, while the walk has these bytes at hand
            self._keys[key] = self._key(machine, key)
        if identity not in self._links:
            self._links[identity] = link
        elif identity in self._tensor_at and len(self._aliases) < self._most:
            self._aliases.append((identity, link))
        self._hold(parent)
        self._last_container = container

    def _hold(self, identity: int) -> None:
        self._holders.add(identity)
        self.followed.add(identity)

    def _forget_place(self, identity: int) -> None:
        """The tensor is not where it was put last."""
        if self._aliases and self._aliases[-1][0] == identity:
            self._aliases.pop()
        else:
            self._links.pop(identity, None)

    @staticmethod
    def _goes_back(machine: Semantics, value: int) -> bool:
        """Whether a size or stride is negative: memory before the storage would be read."""
        known = machine.tape.numbers(value)
        if known is not None:
            return min(known, default=0) < 0
        return any((machine.integer(item) or 0) < 0 for item in machine.items(value) or ())

    def _extents(self, machine: Semantics, value: int) -> tuple[int, ...] | None:
        known = machine.tape.numbers(value)
        if known is not None:
            return tuple(known) if not known or min(known) >= 0 else None
        items = machine.items(value)
        if items is None or len(items) >= 64:
            return None
        extents = [machine.integer(item) for item in items]
        return None if any(each is None or each < 0 for each in extents) else tuple(each or 0 for each in extents)

    # what comes of it

    def finish(self, machine: Semantics, place_of: Callable[[Storage], int | None]) -> None:
        """Name the tensors and put them into the facts; ``place_of`` says where a storage's bytes begin."""
        facts = self.facts
        for raw in self._raw:
            name = self._name(machine, self._links.get(raw.identity)) or f"unnamed at {raw.offset}"
            self._put(raw, name, place_of)
        by_identity = {raw.identity: raw for raw in self._raw} if self._aliases else {}
        for identity, link in self._aliases:
            self._put(by_identity[identity], self._name(machine, link) or "unnamed", place_of)
        if self.full:
            facts.unknown("limit", f"more than {self._most} tensors; the others are not described (limit tensors)")
        facts.note("storages", len(self.storages))

    def _put(self, raw: _Raw, name: str, place_of: Callable[[Storage], int | None]) -> None:
        tensors = self.facts.tensors
        if len(tensors) >= self._most:
            self.full = True
            return
        if raw.storage is None:
            tensors.append(Tensor(name, raw.dtype, raw.shape, None, 0))
            return
        begin = place_of(raw.storage)
        width = raw.width
        if not width:
            tensors.append(Tensor(name, raw.dtype, raw.shape, None, None))
            return
        offset = None if begin is None else begin + raw.start * width
        tensors.append(Tensor(name, raw.dtype, raw.shape, offset, prod(raw.shape) * width))
        allowed = raw.storage.nbytes
        if raw.reaches is not None and raw.reaches * width > allowed:
            self.mismatch(
                f"tensor {shorten(name, 100)} reaches {raw.reaches * width} bytes into a storage of {allowed}",
                raw.offset,
                tensor=shorten(name, 200),
                reaches=str(raw.reaches * width),
                storage=str(allowed),
                beyond=True,
            )

    def _name(self, machine: Semantics, link: tuple[int, int] | None, depth: int = 0) -> str:
        """The dotted name that a link leads to; containers are walked once, so that many siblings cost little."""
        if link is None or depth > _STEPS:
            return ""
        parent, key = link
        outer = self._links.get(parent)
        if key == -2 and parent in self._pairs and outer is not None and outer[1] < 0:
            before = self._prefix(machine, outer[0], depth + 1)  # the list of pairs is no part of the name
            own = printable(shorten(self._pairs[parent], 256))
        else:
            before = self._prefix(machine, parent, depth + 1)
            own = self._segment(machine, key)
        if own in _SILENT or not own:
            return before
        return shorten(f"{before}.{own}" if before else own, _NAME)

    def _prefix(self, machine: Semantics, container: int, depth: int) -> str:
        known = self._prefixes.get(container)
        if known is None:
            self._prefixes[container] = ""  # a cycle ends here
            known = self._name(machine, self._links.get(container), depth)
            self._prefixes[container] = known
        return known

    def _segment(self, machine: Semantics, key: int) -> str:
        if key < 0:
            return str(-1 - key)
        if key == 0:
            return ""
        known = self._keys.get(key)
        return self._key(machine, key) if known is None else known

    def _key(self, machine: Semantics, key: int) -> str:
        text = machine.text(key)
        if text is not None:
            return printable(shorten(text, 256))
        number = machine.integer(key)
        return "?" if number is None else str(number)
