"""GGML models from before GGUF (``ggml-model-q4_0.bin``): of llama.cpp until August 2023, of whisper.cpp to this day.

::

    magic u32: "lmgg" as it stands (ggml), "fmgg" (ggmf), "tjgg" (ggjt); the latter two have a version u32
    sizes of the network: 6 to 11 numbers u32, by the architecture           whisper: mel u32, fft u32, mel * fft floats
    words: their count is the first number, or stands here again; bytes u32, the word [, its score f32]
    tensors: dimensions u32, bytes of the name u32, type u32, extents u32 each, name, [filled up to 32: ggjt], data

Nothing says which architecture it is. Each known one is tried; that is taken which ends where the file does, or gives most tensors.

Reference: ``llama.cpp`` of https://github.com/ggml-org/llama.cpp/tree/master-dadbed9 ; https://github.com/ggml-org/whisper.cpp/blob/master/src/whisper.cpp ;
``examples`` of https://github.com/ggml-org/ggml
"""

from __future__ import annotations

import struct
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._ggml import GGML_TYPES
from openvet.formats._tensor_starts import look_at_start
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ggml",
    title="GGML model (before GGUF)",
    extensions=(".bin", ".ggml"),
    media_types=(),
    can_tell=("every tensor's name, type, shape and place, to the last byte of the file",),
    cannot_tell=("what the numbers do", "architectures other than LLaMA, GPT-2, GPT-J, GPT-NeoX and Whisper"),
)
_GGML, _GGMF, _GGJT = b"lmgg", b"fmgg", b"tjgg"
_WORDS, _WORD, _NAME = 1_000_000, 65_536, 1_024
_LARGEST = 1 << 40
#: Readers have room for four extents. More than so many are no number of dimensions that somebody wrote.
_EXTENTS, _ABSURD = 4, 4_096
#: What blocks took when numbers were kept otherwise: type -> (elements of a block, bytes).
_OLDER = {2: (32, 20), 3: (32, 24), 8: (32, 36)}
#: What tensors are called.
_NAMED: Final = pattern(rb"[A-Za-z0-9_./:-]+")
#: What its bytes begin with.
STARTS = (_GGML, _GGMF, _GGJT)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an architecture lays its file out: numbers in front, whether filters follow, whether the words are counted again."""

    name: str
    sizes: int
    filters: bool = False
    counted: bool = False
    scores: bool = False


_KINDS = (
    _Kind("llama", 7, scores=True),
    _Kind("llama or gpt-2", 7),  # GPT-2 has six numbers, and counts its words again
    _Kind("whisper", 11, filters=True, counted=True),
    _Kind("gpt-j", 7, counted=True),
    _Kind("gpt-neox", 8, counted=True),
    _Kind("gpt-neox", 8),
)


def probe(head: Head) -> Likeness:
    """The magic, and a plausible first number or version."""
    data = head.data
    if not data.startswith(STARTS) or head.size < 64:
        return Likeness.NO
    first = int.from_bytes(data[4:8], "little")
    return Likeness.STRONG if 0 < first < (_WORDS if data.startswith(_GGML) else 16) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Try each architecture, and keep what the best one says.

    Raises:
        MalformedError: none gives a tensor.
        LimitError: more tensors than are described.
    """
    magic = source.read(0, 4)
    best: tuple[_Kind, list[Tensor], int, int] | None = None
    broken = 0
    wide: tuple[int, int] | None = None
    for kind in _KINDS:
        if kind.scores and magic == _GGML:
            continue
        for older in (False, True):
            facts.budget.check_time()
            try:
                tensors, words, end = _walk(source, facts, kind, magic, older=older)
            except LimitError:
                raise
            except _WideError as error:
                wide = error.offset or 0, error.dimensions
                continue
            except ReadError as error:
                broken = max(broken, error.offset or 0)
                continue
            if best is None or (end == source.size, len(tensors)) > (best[3] == source.size, len(best[1])):
                best = kind, tensors, words, end
    if wide is not None and (best is None or best[3] != source.size):
        message = f"a tensor has {wide[1]} dimensions, and readers have room for {_EXTENTS}"
        facts.anomaly("file/outside-memory", message, wide[0], lie="dimensions")
    if best is None:
        raise MalformedError("is of no architecture that is known, or breaks off", offset=broken)
    facts.note("architecture", best[0].name)
    facts.note("words", best[2])
    facts.tensors.extend(best[1])
    for tensor in best[1]:
        look_at_start(source, tensor.offset or 0, tensor.nbytes or 0, tensor.name, facts)
    account_for_rest(source, facts, best[3], "the last tensor")


def _walk(source: Source, facts: Facts, kind: _Kind, magic: bytes, *, older: bool) -> tuple[list[Tensor], int, int]:
    cursor = source.cursor(4 if magic == _GGML else 8)
    sizes = struct.unpack(f"<{kind.sizes}I", cursor.read(4 * kind.sizes))
    if kind.filters:
        mel, fft = _number(cursor), _number(cursor)
        cursor.skip(4 * mel * fft)
    words = _number(cursor) if kind.counted else sizes[0]
    if not 0 < words <= _WORDS:
        raise MalformedError(f"has {words} words", offset=cursor.position)
    for _ in range(words):
        length = _number(cursor)
        if length > _WORD:
            raise MalformedError(f"has a word of {length} bytes", offset=cursor.position)
        cursor.skip(length + (4 if kind.scores else 0))
    tensors: list[Tensor] = []
    while cursor.left:
        if len(tensors) >= facts.limits.tensors:
            raise LimitError("tensors", facts.limits.tensors, "more tensors than are described", offset=cursor.position)
        if not len(tensors) % 256:
            facts.budget.check_time()
        end = cursor.position
        try:
            tensors.append(_tensor(cursor, aligned=magic == _GGJT, older=older))
        except _WideError:
            raise
        except ReadError:
            if not tensors:
                raise
            return tensors, words, end  # what is there is something else, or was cut off
    if not tensors:
        raise MalformedError("has no tensor", offset=cursor.position)
    return tensors, words, cursor.position


def _tensor(cursor: Cursor, *, aligned: bool, older: bool) -> Tensor:
    at = cursor.position
    dimensions, named, number = _number(cursor), _number(cursor), _number(cursor)
    if _EXTENTS < dimensions <= _ABSURD and 0 < named <= _NAME and number in GGML_TYPES:
        name = cursor.peek(4 * dimensions + named)[4 * dimensions :]
        if len(name) == named and _NAMED.fullmatch(name) is not None:
            raise _WideError(dimensions, at)
    if not 0 < dimensions <= _EXTENTS or named > _NAME or number not in GGML_TYPES:
        raise MalformedError("what stands there is no tensor", offset=at)
    shape = tuple(_number(cursor) for _ in range(dimensions))[::-1]
    name = cursor.read(named)
    if aligned:
        cursor.skip(-cursor.position % 32)
    word, block, size = GGML_TYPES[number]
    if older and number in _OLDER:
        block, size = _OLDER[number]
    elements = 1
    for extent in shape:
        elements *= extent
    if elements % block or elements > _LARGEST:
        raise MalformedError("a tensor does not fill its blocks", offset=at)
    begin = cursor.position
    cursor.skip(elements // block * size)
    return Tensor(printable(name.decode("utf-8", "surrogateescape")), word, shape, begin, elements // block * size)


class _WideError(MalformedError):
    """A tensor with more dimensions than there are, and all else that a tensor has."""

    def __init__(self, dimensions: int, at: int) -> None:
        super().__init__(f"a tensor has {dimensions} dimensions", offset=at)
        self.dimensions = dimensions


def _number(cursor: Cursor) -> int:
    return int.from_bytes(cursor.read(4), "little")
