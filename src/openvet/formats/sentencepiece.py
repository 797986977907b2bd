"""SentencePiece models: the ``tokenizer.model`` and ``spiece.model`` of many language models.

A protocol buffer, ModelProto of https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto ::

    1  pieces, one message each: 1 text, 2 score (float), 3 type (1 to 6)
    2  trainer settings   3  normalizer settings   4  self test   5  denormalizer settings

Nothing in it runs. Every field of the outer message and of the pieces is walked to the last byte; settings are held by
length. Fields from 200 on are reserved for extensions and none is known, so that they are unread.
"""

from __future__ import annotations

from openvet.errors import MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="sentencepiece",
    title="SentencePiece tokenizer",
    extensions=(".model", ".spm", ".spiece"),
    media_types=("application/x-protobuf",),
    can_tell=("how many pieces the vocabulary has", "that nothing else is in the file"),
    cannot_tell=("what single pieces say", "what the normalizer does to a text"),
)

_PIECE = 0x0A
_SETTINGS = {0x12: "trainer", 0x1A: "normalizer", 0x22: "self test", 0x2A: "denormalizer"}
_SCORE = 0x15
_PROBED = 3
#: What its bytes begin with.
STARTS = (bytes([_PIECE]),)


def probe(head: Head) -> Likeness:
    """STRONG where the first fields are pieces: a text, a score, perhaps a type, and nothing else."""
    data = head.data[:4096]
    at = 0
    for _ in range(_PROBED):
        if data[at : at + 1] != bytes([_PIECE]) or at + 2 > len(data) or data[at + 1] & 0x80:
            return Likeness.NO
        end = at + 2 + data[at + 1]
        if end > len(data) or not _is_piece(data[at + 2 : end]):
            return Likeness.NO
        at = end
    return Likeness.STRONG


def _is_piece(data: bytes) -> bool:
    """Whether ``data`` is one piece. Short lengths only: no piece in use has 128 bytes."""
    if len(data) < 7 or data[0] != 0x0A or data[1] & 0x80:
        return False
    at = 2 + data[1]
    if data[at : at + 1] != bytes([_SCORE]):
        return False
    rest = data[at + 5 :]
    return not rest or (len(rest) == 2 and rest[0] == 0x18 and 1 <= rest[1] <= 6)


def read(source: Source, facts: Facts) -> None:
    """Walk the fields.

    Raises:
        MalformedError: a field goes beyond the end.
        UnsupportedError: a field that the format does not have.
    """
    cursor = Cursor(source)
    pieces = odd = 0
    while cursor.left:
        at = cursor.position
        tag = cursor.read(1)[0]
        if tag != _PIECE and tag not in _SETTINGS:
            raise UnsupportedError("holds a field that the format does not have; the rest was not read", offset=at)
        length = _length(cursor)
        if length > cursor.left:
            raise MalformedError("a field goes beyond the end", offset=at)
        if tag == _PIECE:
            pieces += 1
            odd += length > 1024 or not _is_piece(cursor.peek(length)[:length])
            if pieces % 8192 == 0:
                facts.budget.check_time()
        cursor.skip(length)
    facts.note("pieces", pieces)
    if odd:
        facts.note("unusual_pieces", odd)
        facts.unknown("unsupported", f"{odd} pieces are not written as usual and were not read")


def _length(cursor: Cursor) -> int:
    value = 0
    for shift in range(0, 35, 7):
        byte = cursor.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise MalformedError("a length has too many bytes", offset=cursor.position)
