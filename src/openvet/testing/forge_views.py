"""Forges PyTorch files whose tensors are any views of storages with any bytes, for what reads numbers and not only headers."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import product
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.testing.forge import Call, Name, Persistent, dump

__all__ = ["Stored", "Strided", "elements", "legacy_file", "tar_file", "zip_file"]

_MAGIC = 0x1950A86A20F9469CFC6C
_WIDTH = {"Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Double": 8, "Byte": 1, "Bool": 1, "Char": 1, "Short": 2, "Int": 4,
          "ComplexFloat": 8, "QInt8": 1}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A storage: its bytes, the kind of its class (``Float`` for ``FloatStorage``), and a lie about its elements."""

    data: bytes
    kind: str = "Float"
    claimed: int | None = None
    key: str = ""

    @property
    def width(self) -> int:
        return _WIDTH[self.kind]


@dataclass(frozen=True, slots=True, eq=False)
class Strided:
    """A view of a storage; ``extra`` are more arguments of the function that rebuilds it."""

    storage: Stored
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int = 0
    rebuild: str = "_rebuild_tensor_v2"
    extra: tuple[Any, ...] = ()
    parameter: bool = False


def elements(view: Strided, *, turned: bool = False) -> bytes:
    """The elements of a view in row-major order, one after the other; ``turned`` reverses the bytes of each."""
    width, out = view.storage.width, bytearray()
    for index in product(*(range(extent) for extent in view.shape)):
        at = (view.start + sum(n * step for n, step in zip(index, view.strides, strict=True))) * width
        element = view.storage.data[at : at + width]
        out += element[::-1] if turned else element
    return bytes(out)


@dataclass(slots=True)
class _Placing:
    legacy: bool
    keys: dict[Stored, str] = field(default_factory=dict)

    def place(self, value: Any) -> Any:
        """``value`` with every view replaced by what rebuilds it."""
        if isinstance(value, Strided):
            return self._view(value)
        if isinstance(value, dict):
            return {key: self.place(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.place(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self.place(item) for item in value)
        if isinstance(value, Call):
            items = tuple((key, self.place(item)) for key, item in value.items)
            return Call(value.callable, self.place(value.arguments), self.place(value.state), value.how, items)
        return value

    def _view(self, view: Strided) -> Call:
        stored = view.storage
        key = self.keys.setdefault(stored, stored.key or str(len(self.keys)))
        count = len(stored.data) // stored.width if stored.claimed is None else stored.claimed
        identifier: tuple[Any, ...] = ("storage", Name("torch", f"{stored.kind}Storage"), key, "cpu", count)
        if self.legacy:
            identifier += (None,)
        hooks = Call(Name("collections", "OrderedDict"))
        arguments = (Persistent(identifier), view.start, view.shape, view.strides, False, hooks, *view.extra)
        rebuilt = Call(Name("torch._utils", view.rebuild), arguments)
        return Call(Name("torch._utils", "_rebuild_parameter"), (rebuilt, True, hooks)) if view.parameter else rebuilt


def zip_file(
    value: Any, *, order: str = "little", protocol: int = 2, extra: Mapping[str, bytes] | None = None
) -> bytes:
    """``torch.save(value)`` of today."""
    placing = _Placing(legacy=False)
    members = {"data.pkl": dump(placing.place(value), protocol), "byteorder": order.encode(), "version": b"3\n"}
    members |= {f"data/{key}": stored.data for stored, key in placing.keys.items()}
    members |= extra or {}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), data)
    return buffer.getvalue()


def tar_file(value: Any, views: Mapping[int, Strided], parts: Sequence[tuple[int, int, int, int]] = ()) -> bytes:
    """PyTorch's oldest container: ``value`` refers to a view by ``Persistent(str(number))``, numbered as in ``views``.

    ``parts`` are storages that are parts of others: number, number of the whole, offset, elements.
    """
    stored = list(dict.fromkeys(view.storage for view in views.values()))
    storages, tensors = dump(len(stored), 2), dump(len(views), 2)
    for number, each in enumerate(stored):
        storages += dump((number, "cpu", Name("torch", f"{each.kind}Storage")), 2)
        storages += struct.pack("<q", len(each.data) // each.width) + each.data
    storages += dump([tuple(part) for part in parts], 2)
    for number, view in views.items():
        key = int(view.storage.key or stored.index(view.storage))
        tensors += dump((number, key, Name("torch", f"{view.storage.kind}Tensor")), 2)
        tensors += struct.pack("<i", len(view.shape)) + bytes(4)
        tensors += b"".join(struct.pack("<q", each) for each in (*view.shape, *view.strides, view.start))
    buffer = io.BytesIO()
    members = {
        "sys_info": dump({"protocol_version": 1000}, 2),
        "pickle": dump(value, 2),
        "storages": storages,
        "tensors": tensors,
    }
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def legacy_file(value: Any) -> bytes:
    """``torch.save(value, _use_new_zipfile_serialization=False)``."""
    placing = _Placing(legacy=True)
    program = dump(placing.place(value), 2)
    system = dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2)
    out = b"\x80\x02\x8a\x0a" + _MAGIC.to_bytes(10, "little") + b"." + dump(1001, 2) + system + program
    out += dump(list(placing.keys.values()), 2)
    for stored in placing.keys:
        out += struct.pack("<q", len(stored.data) // stored.width) + stored.data
    return out
