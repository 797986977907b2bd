"""Quantize Whisper in the format of CTranslate2: matrices become whole numbers of 8 bits, with one scale for each row.

The arithmetic is that of CTranslate2's own converter, which starts from the weights of another framework; here the model file itself is written anew, variable by
variable. Kernels of convolutions stay as they are, since CTranslate2 computes Whisper's in floats alone.

Source: ``_quantize`` and ``_serialize`` in ``python/ctranslate2/specs/model_spec.py`` of https://github.com/OpenNMT/CTranslate2; the layout is in
:mod:`openvet.formats.ctranslate2`.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.transforms._safetensors import copy_rest
from openvet.transforms._transform import CannotError, Making, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="ctranslate2-quantize",
    command="quantize",
    inputs=("ctranslate2",),
    output="ctranslate2",
    folder=True,
    changes="matrices and the table of embeddings become whole numbers of 8 bits, with one scale for each row; norms, biases and convolutions stay",
    targets=(Target("int8", {}, "8 bits; CTranslate2 computes with them as they are", 10),),
    settings=(),
    packages=("ctranslate2", "numpy"),
    install="'openvet[whisper]'",
)
_FILE: Final = "model.bin"
_SPECIFICATION: Final = "WhisperSpec"
#: Versions whose variables say their type by a number; the numbers, as NumPy has them, of the types that are floats.
_VERSIONS: Final = (4, 5, 6)
_FLOATS: Final = {0: "<f4", 4: "<f2"}
_F32, _I8, _BF16 = 0, 1, 5
_SCALE: Final = "_scale"


@dataclass(frozen=True, slots=True)
class _Variable:
    """One array, and where its bytes lie in the file."""

    name: str
    shape: tuple[int, ...]
    kind: int
    begin: int
    size: int

    @property
    def rounds(self) -> bool:
        """Whether it is a matrix of floats that CTranslate2 takes in 8 bits."""
        return self.name.endswith("/weight") and "conv" not in self.name and len(self.shape) == 2 and self.size > 0


class _File:
    """A model file that is read from the front (every method raises :class:`CannotError` where it ends too early)."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def number(self, form: str) -> int:
        found: int = struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))[0]
        return found

    def bytes(self, count: int) -> bytes:
        self.skip(count)
        return self.data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise CannotError(f"{_FILE} ends before what it says it holds")

    def text(self) -> str:
        return self.bytes(self.number("H")).rstrip(b"\0").decode("utf-8", "surrogateescape")

    def variables(self) -> Iterator[_Variable]:
        for _ in range(self.number("I")):
            name = self.text()
            shape = tuple(self.number("I") for _ in range(self.number("B")))
            kind, size = self.number("B"), self.number("I")
            yield _Variable(name, shape, kind, self.at, size)
            self.skip(size)

    def aliases(self) -> Iterator[tuple[str, str]]:
        for _ in range(self.number("I")):
            yield self.text(), self.text()


def make(task: Making) -> dict[str, Any]:
    """Write the model file anew; the other files come along."""
    source = os.path.join(task.source, _FILE)
    if not os.path.isfile(source):
        raise CannotError(f"a folder with {_FILE} is needed: CTranslate2 takes a model by its folder")
    os.makedirs(task.target)
    with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        count = _write(_File(data), os.path.join(task.target, _FILE))
    copy_rest(task.source, task.target)
    _opens(task.target, task.threads)
    return {"matrices": count}


def _write(old: _File, place: str) -> int:
    version, name, revision = old.number("I"), old.text(), old.number("I")
    if name != _SPECIFICATION or version not in _VERSIONS:
        raise CannotError(f"it is a {name[:100]} of version {version}, and {_SPECIFICATION} of version 4 to 6 is taken")
    variables = list(old.variables())
    aliases = list(old.aliases()) if old.at < len(old.data) else []
    if any(each.kind == _BF16 for each in variables if each.rounds):
        raise CannotError("its matrices are BF16, which is not taken")
    chosen = {each.name for each in variables if each.rounds and each.kind in _FLOATS}
    if not chosen:
        raise CannotError("there is no matrix of floats in it: it is quantized already")
    # what stands for a matrix stands for its scales too
    aliases += [(f"{alias}{_SCALE}", f"{of}{_SCALE}") for alias, of in aliases if of in chosen]
    with open(place, "wb") as file:
        file.write(
            struct.pack("<I", version) + _text(name) + struct.pack("<II", revision, len(variables) + len(chosen))
        )
        for each in variables:
            if each.name not in chosen:
                file.write(_head(each.name, each.shape, each.kind, each.size))
                file.write(old.data[each.begin : each.begin + each.size])
                continue
            whole, scales = _rounded(old, each)
            file.write(_head(each.name, each.shape, _I8, len(whole)) + whole)
            file.write(_head(each.name + _SCALE, each.shape[:1], _F32, len(scales)) + scales)
        file.write(struct.pack("<I", len(aliases)))
        file.writelines(_text(alias) + _text(of) for alias, of in aliases)
    return len(chosen)


def _rounded(old: _File, each: _Variable) -> tuple[bytes, bytes]:
    """The whole numbers of a matrix, and what each of its rows was multiplied by."""
    import numpy as np

    kind = np.dtype(_FLOATS[each.kind])
    if each.shape[0] * each.shape[1] * kind.itemsize != each.size:
        raise CannotError(f"{each.name[:200]} has {each.size} bytes, which do not fit its shape")
    values = np.frombuffer(old.data[each.begin : each.begin + each.size], kind).reshape(each.shape).astype(np.float32)
    if not np.all(np.isfinite(values)):
        raise CannotError(f"{each.name[:200]} holds infinity or NaN, which no whole number can hold")
    largest = np.abs(values).max(axis=1)
    largest[largest == 0] = 127.0
    # a row of tiny numbers would have a scale that is none
    scales = np.float32(127.0) / np.maximum(largest, np.float32(127.0) / np.finfo(np.float32).max)
    return np.rint(values * scales[:, None]).astype(np.int8).tobytes(), scales.astype("<f4").tobytes()


def _head(name: str, shape: tuple[int, ...], kind: int, size: int) -> bytes:
    return _text(name) + struct.pack(f"<B{len(shape)}IBI", len(shape), *shape, kind, size)


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape") + b"\0"
    return struct.pack("<H", len(data)) + data


def _opens(folder: str, threads: int) -> None:
    """Whether CTranslate2 takes what was written (raises :class:`CannotError`): a file that nothing opens is no model."""
    import ctranslate2

    try:
        ctranslate2.models.Whisper(folder, device="cpu", intra_threads=threads)
    except Exception as error:  # the library raises RuntimeError and ValueError
        raise CannotError(f"CTranslate2 does not open what was made: {error}"[:500]) from error
