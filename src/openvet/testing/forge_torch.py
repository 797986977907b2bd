"""Forges PyTorch's three containers around a pickle, without torch."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.testing.forge import Call, Name, Persistent, dump

__all__ = ["FakeTensor", "state_dict", "torch_legacy", "torch_tar", "torch_zip"]

_MAGIC = 0x1950A86A20F9469CFC6C
_WIDTH = {
    "FloatStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "LongStorage": 8,
    "DoubleStorage": 8,
    "ByteStorage": 1,
}


@dataclass(frozen=True, slots=True)
class FakeTensor:
    """A tensor of zeros: its shape, its storage's class, and lies about the storage where they are wanted."""

    shape: tuple[int, ...]
    storage: str = "FloatStorage"
    key: str = ""
    start: int = 0
    claimed: int | None = None
    parameter: bool = False
    stride: tuple[int, ...] | None = None

    @property
    def elements(self) -> int:
        count = 1
        for extent in self.shape:
            count *= extent
        return count


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    out: list[int] = []
    step = 1
    for extent in reversed(shape):
        out.append(step)
        step *= extent
    return tuple(reversed(out))


def _tensor(tensor: FakeTensor, key: str, *, legacy: bool) -> Call:
    numel = tensor.elements if tensor.claimed is None else tensor.claimed
    identifier: tuple[Any, ...] = ("storage", Name("torch", tensor.storage), key, "cpu", numel)
    if legacy:
        identifier += (None,)
    hooks = Call(Name("collections", "OrderedDict"))
    rebuilt = Call(
        Name("torch._utils", "_rebuild_tensor_v2"),
        (Persistent(identifier), tensor.start, tensor.shape, tensor.stride or _strides(tensor.shape), False, hooks),
    )
    return Call(Name("torch._utils", "_rebuild_parameter"), (rebuilt, True, hooks)) if tensor.parameter else rebuilt


def _place(value: Any, storages: dict[str, FakeTensor], *, legacy: bool) -> Any:
    """``value`` with every tensor replaced by what rebuilds it."""
    if isinstance(value, FakeTensor):
        key = value.key or str(len(storages))
        storages.setdefault(key, value)
        return _tensor(value, key, legacy=legacy)
    if isinstance(value, dict):
        return {key: _place(item, storages, legacy=legacy) for key, item in value.items()}
    if isinstance(value, list):
        return [_place(item, storages, legacy=legacy) for item in value]
    if isinstance(value, tuple):
        return tuple(_place(item, storages, legacy=legacy) for item in value)
    if isinstance(value, Call):
        return Call(
            value.callable,
            _place(value.arguments, storages, legacy=legacy),
            _place(value.state, storages, legacy=legacy),
            value.how,
            tuple((key, _place(item, storages, legacy=legacy)) for key, item in value.items),
        )
    return value


def state_dict(tensors: Mapping[str, FakeTensor]) -> Call:
    """An OrderedDict of tensors, as ``model.state_dict()`` gives it."""
    return Call(Name("collections", "OrderedDict"), items=tuple(tensors.items()))


def torch_zip(
    value: Any,
    *,
    folder: str = "archive",
    extra: Mapping[str, bytes] | None = None,
    protocol: int = 2,
    cut: Mapping[str, int] | None = None,
) -> bytes:
    """``torch.save(value)`` of today. ``cut`` shortens storages; ``extra`` members go into the folder too."""
    storages: dict[str, FakeTensor] = {}
    program = dump(_place(value, storages, legacy=False), protocol)
    members = {"data.pkl": program, "byteorder": b"little", "version": b"3\n", ".data/serialization_id": b"0" * 40}
    for key, tensor in storages.items():
        size = tensor.elements * _WIDTH[tensor.storage]
        members[f"data/{key}"] = bytes((cut or {}).get(key, size))
    members.update(extra or {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data)
    return buffer.getvalue()


def torch_legacy(value: Any, *, tail: bytes = b"", lie: int = 0) -> bytes:
    """``torch.save(value, _use_new_zipfile_serialization=False)``. ``lie`` is added to each storage's own count."""
    storages: dict[str, FakeTensor] = {}
    program = dump(_place(value, storages, legacy=True), 2)
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    magic = _MAGIC.to_bytes(10, "little")
    out = b"\x80\x02\x8a\x0a" + magic + b"." + dump(1001, 2) + dump(system, 2) + program + dump(list(storages), 2)
    for tensor in storages.values():
        out += struct.pack("<q", tensor.elements + lie) + bytes(tensor.elements * _WIDTH[tensor.storage])
    return out + tail


def torch_tar(value: Any, tensors: Mapping[int, FakeTensor], *, storage_class: Any = None, views: Any = ()) -> bytes:
    """PyTorch's oldest container: ``value`` refers to a tensor by ``Persistent(str(key))``.

    ``storage_class`` takes the place of a storage's class and ``views`` that of the list behind the storages, to put a
    payload there.
    """
    storages = dump(len(tensors), 2)
    records = dump(len(tensors), 2)
    for key, tensor in tensors.items():
        klass = storage_class or Name("torch", tensor.storage)
        storages += dump((key, "cpu", klass), 2) + struct.pack("<q", tensor.elements)
        storages += bytes(tensor.elements * _WIDTH[tensor.storage])
        records += dump((key, key, Name("torch", tensor.storage.replace("Storage", "Tensor"))), 2)
        records += struct.pack("<i", len(tensor.shape)) + bytes(4)
        for number in (*tensor.shape, *(tensor.stride or _strides(tensor.shape)), 0):
            records += struct.pack("<q", number)
    storages += dump(list(views) if isinstance(views, tuple) else views, 2)
    members = {
        "sys_info": dump({"protocol_version": 1000}, 2),
        "pickle": dump(value, 2),
        "storages": storages,
        "tensors": records,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
