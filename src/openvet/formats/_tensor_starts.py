"""What stands at the start of a tensor: weights are any bytes, but no weights are a program from their first byte on.

Whoever hides a program in weights needs to find it again, and the start of a tensor is where it lies when the tensor is the program.
Only the first bytes of each tensor are looked at, so that the cost grows with the number of tensors and not with their size, and
only marks count that do not come by chance.

Archives and pickles have an honest use there (TransformerEngine keeps its state as a tensor of bytes): they are handed on, and what
they hold decides.
"""

from __future__ import annotations

from typing import Final

from openvet.core.text import shorten
from openvet.errors import ReadError
from openvet.formats._carried import carried_kind, hand_on
from openvet.formats._format import Facts
from openvet.io.source import Source

__all__ = ["look_at_names", "look_at_start", "look_at_starts", "may_begin"]

_LEAST: Final = 16
#: Formats whose tensors lie in the file that describes them.
_TOGETHER: Final = frozenset((
    "safetensors", "gguf", "npy", "hdf5", "msgpack", "caffe", "ctranslate2", "fasttext", "mxnet", "paddle-params", "darknet", "torch7",
    "tflite", "ort", "tf-graph", "tf-saved-model", "tf-meta-graph", "coreml-weights", "catboost", "faiss", "netcdf", "matlab-4", "fits", "ggml",
))  # fmt: skip
_NATIVE: Final = {
    "elf": "a program for Linux", "pe": "a program for Windows", "mach-o": "a program for macOS", "dex": "a program for Android",
    "wasm": "a WebAssembly module", "bitcode": "LLVM bitcode",
}  # fmt: skip
_PACKED: Final = frozenset(("zip", "7z", "rar", "xz", "hdf5", "pickle"))
_FIRST: Final = frozenset((0x7F, 0x4D, 0xCF, 0xFE, 0xCE, 0x64, 0x00, 0x42, 0x50, 0x37, 0x52, 0xFD, 0x89, 0x80))
_MOST: Final = 100
_WRITTEN: Final = frozenset((b"gA", b"eJ", b"eN", b"eA", b"H4"))
_WRITTEN_HEX: Final = frozenset((b"8002", b"8003", b"8004", b"8005", b"789c", b"7801", b"78da", b"1f8b"))
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
_LONG_NAME: Final = 40


def may_begin(first: int) -> bool:
    """Whether a program or something packed may begin with this byte; -1 stands for one that was not read."""
    return first < 0 or first in _FIRST


def look_at_starts(source: Source, facts: Facts, formats: tuple[str, ...]) -> None:
    """Look at the start of every tensor of a file that was read as ``formats``."""
    if _TOGETHER.isdisjoint(formats):
        return
    found = 0
    for index, tensor in enumerate(facts.tensors):
        if tensor.offset is None or tensor.offset < 0 or (tensor.nbytes is not None and tensor.nbytes < _LEAST):
            continue
        if index % 4096 == 0:
            facts.budget.check_time()
        left = source.size - tensor.offset
        size = left if tensor.nbytes is None else min(tensor.nbytes, left)
        if size >= _LEAST and look_at_start(source, tensor.offset, size, tensor.name, facts):
            found += 1
            if found >= _MOST:
                return


def look_at_start(source: Source, offset: int, size: int, name: str, facts: Facts) -> bool:
    """Record a program at ``offset``, or hand on what is packed there; says whether there was one."""
    try:
        first = source.read(offset, _LEAST)
        if _is_written(first):
            from openvet.formats._encoded import EncodedPickles

            EncodedPickles(facts, f"{shorten(name, 100) or 'tensor'}-").field(source.window(offset, size), name, offset)
            return False
        if first[0] not in _FIRST or not any(first[1:]):
            return False
        window = source.window(offset, size)
        kind = _dos(window) if first[:2] == b"MZ" else carried_kind(window, facts)
        if not _holds(kind, first):
            return False
        if kind in _NATIVE:
            what = f"the tensor {shorten(name, 200)}" if name else "the tensor"
            facts.anomaly(
                "file/program-in-weights", f"{what} begins as {_NATIVE[kind]} does", offset, size=size, what=kind
            )
            return True
        return kind in _PACKED and hand_on(window, facts, f"{shorten(name, 200) or 'tensor'}.{kind}", offset)
    except ReadError:  # a tensor that goes beyond its file was told of already
        return False


def _is_written(first: bytes) -> bool:
    """Whether the first bytes are letters and digits by which a pickle, or one that is compressed, is written in base64 or hexadecimal."""
    if first[:2] not in _WRITTEN and first[:4].lower() not in _WRITTEN_HEX:
        return False
    return not first.translate(None, _LETTERS)


def look_at_names(facts: Facts) -> None:
    """Look for pickles that are written as the name of a tensor, which is mostly made of words with dots between them."""
    names = [each.name for each in facts.tensors if len(each.name) >= _LONG_NAME and "." not in each.name]
    if names:
        from openvet.formats._encoded import EncodedPickles

        EncodedPickles(facts, "name-").look("\n".join(names))


def _dos(window: Source) -> str:
    """A DOS stub that leads to a PE header; a plain DOS program is too little a mark among weights."""
    at = int.from_bytes(window.upto(60, 4), "little")
    return "pe" if at and window.upto(at, 4) == b"PE\0\0" else ""


def _holds(kind: str, first: bytes) -> bool:
    """The fields behind the mark: four bytes alone are met once in some thousand million tensors."""
    if kind == "elf":
        return first[4] in (1, 2) and first[5] in (1, 2) and first[6] == 1
    if kind == "mach-o":
        order = "little" if first[0] in (0xCF, 0xCE) else "big"
        return 1 <= int.from_bytes(first[12:16], order) <= 12  # type: ignore[arg-type]
    if kind == "zip":
        return int.from_bytes(first[4:6], "little") <= 63 and int.from_bytes(first[8:10], "little") <= 99
    return True
