"""fastText models (``.bin``, and quantized ``.ftz``): arguments, a dictionary, two matrices.

::

    793712314, version (11 or 12: the same layout, but 11 had no subwords in classifiers), twelve arguments int32, threshold float64
    words int32 x 3, tokens int64, pruned int64
    word NUL count int64 kind int8 ..., pruned pairs of int32 ...
    quantized u8, matrix; output quantized u8, matrix
    matrix: rows int64, columns int64, float32 ... | quantized: norms u8, rows, columns, codes, centroids [, norms]

The first releases wrote neither the two numbers in front, nor what is pruned, nor whether a matrix is quantized; gensim reads them
still. Such a file is known by arguments that make sense and by words behind them.

Specification: ``src/fasttext.cc``, ``dictionary.cc`` and ``quantmatrix.cc`` of https://github.com/facebookresearch/fastText ,
``gensim/models/_fasttext_bin.py``
"""

from __future__ import annotations

import struct

from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="fasttext",
    title="fastText model",
    extensions=(".ftz", ".bin"),
    media_types=(),
    can_tell=("Arguments, the number of words and labels, and both matrices to the last byte.",),
    cannot_tell=("What the words and numbers mean.",),
)

_MAGIC = b"\xba\x16\x4f\x2f"
_VERSION = 12
_ARGUMENTS = (
    "dim",
    "ws",
    "epoch",
    "min_count",
    "neg",
    "word_ngrams",
    "loss",
    "model",
    "bucket",
    "minn",
    "maxn",
    "lr_update_rate",
)
_WORD = 64 * 1024
_CENTROIDS = 256
_OLD_HEAD = 76  # up to the first word
_RULE = "file/outside-memory"
_INT64 = 2**63


def probe(head: Head) -> Likeness:
    """The magic and a version that exists; without them, arguments, counts and first words that only such a model has."""
    if _is_old(head.data, head.size):
        return Likeness.WEAK
    fits = head.data.startswith(_MAGIC) and 1 <= int.from_bytes(head.data[4:8], "little") <= 100
    return Likeness.STRONG if fits else Likeness.NO


def _is_old(data: bytes, size: int) -> bool:
    """Whether a model of the first releases begins here."""
    if len(data) < _OLD_HEAD + 32:
        return False
    *given, rate = struct.unpack_from("<12id", data)
    dim, window, epoch, least, negative, grams, loss, model, bucket, shortest, longest, update = given
    words, plain, labels, tokens = struct.unpack_from("<3iq", data, 56)
    sane = (
        0 < dim <= 10_000 and 0 < window <= 1_000 and 0 < epoch <= 100_000 and least >= 0 and negative >= 0
        and 0 < grams <= 100 and loss in (1, 2, 3) and model in (1, 2, 3) and bucket >= 0
        and 0 <= shortest <= longest <= 1_000 and update > 0 and 0.0 <= rate < 1.0
        and 0 < words == plain + labels and plain >= 0 <= labels and tokens >= words
        and size > _OLD_HEAD + words * (11 + 4 * dim)
    )  # fmt: skip
    at = _OLD_HEAD
    for _ in range(min(words, 3) if sane else 0):
        end = data.find(b"\0", at, at + _WORD)
        if end <= at or len(data) < end + 10 or data[end + 9] > 1 or data[end + 8] & 0x80:
            return False
        at = end + 10
    return sane


def read(source: Source, facts: Facts) -> None:
    """Walk the dictionary word by word, and the matrices by their sizes."""
    from openvet.formats._trailing import account_for_rest

    old = source.upto(0, 4) != _MAGIC
    if old and not _is_old(source.upto(0, 65_536), source.size):
        raise MalformedError("has no arguments of a fastText model", offset=0)
    cursor = source.cursor(0 if old else 4)
    version = 0 if old else _number(cursor, 4)
    if version > _VERSION:
        raise UnsupportedError(f"is of version {version}, which is newer than this reader", offset=4)
    facts.note("version", version)
    for key in _ARGUMENTS:
        facts.note(key, _number(cursor, 4))
    width = facts.metadata["dim"]
    cursor.skip(8)
    size, words, labels, _ = (_number(cursor, width) for width in (4, 4, 4, 8))
    pruned = -1 if old else _number(cursor, 8)
    if size >= 0 and not (0 <= words <= size and 0 <= labels <= size):
        facts.anomaly(_RULE, f"has {words} words and {labels} labels in a dictionary of {size}", 64, lie="words")
    if size < 0 or words < 0 or labels < 0 or words + labels != size:
        raise MalformedError(f"has {words} words and {labels} labels, {size} together", offset=64)
    facts.note("words", words)
    facts.note("labels", labels)
    for index in range(size):
        _word(cursor)
        if index % 4096 == 0:
            facts.budget.check_time()
    cursor.skip(max(pruned, 0) * 8)
    quantized = not old and cursor.read(1) != b"\0"
    rows = _matrix(cursor, facts, "input", width, quantized=quantized)
    if rows < words and pruned < 0:  # a word is a row
        facts.anomaly(_RULE, f"has {words} words and {rows} rows for them", cursor.position, lie="rows")
    output = not old and cursor.read(1) != b"\0"
    _matrix(cursor, facts, "output", width, quantized=quantized and output)
    account_for_rest(source, facts, cursor.position, "the fastText model")


def _number(cursor: Cursor, width: int) -> int:
    return int.from_bytes(cursor.read(width), "little", signed=True)


def _word(cursor: Cursor) -> None:
    """A word up to its NUL, its count and kind."""
    size = 64
    while True:
        data = cursor.peek(size)
        end = data.find(b"\0")
        if end >= 0:
            cursor.skip(end + 1 + 9)
            return
        if size >= _WORD:
            raise LimitError("header", _WORD, "a word is too long", offset=cursor.position)
        if len(data) < size:
            raise MalformedError("ends in the middle of a word", offset=cursor.position)
        size = min(size * 8, _WORD)


def _matrix(cursor: Cursor, facts: Facts, name: str, width: int, *, quantized: bool) -> int:
    """Step over a matrix and give the number of its rows."""
    norms = quantized and cursor.read(1) != b"\0"
    rows, columns = _number(cursor, 8), _number(cursor, 8)
    if rows < 0 or columns < 0 or rows * columns * 4 >= _INT64:
        message = (
            f"the {name} matrix says that it has {rows} x {columns} numbers: counting their bytes overflows 64 bits"
        )
        facts.anomaly(_RULE, message, cursor.position, lie="overflow")
    elif columns != width:
        message = f"the {name} matrix has {columns} columns in a model of {width} dimensions"
        facts.anomaly(_RULE, message, cursor.position, lie="columns")
    if rows < 0 or columns < 0:
        raise MalformedError(f"the {name} matrix has {rows} rows and {columns} columns", offset=cursor.position)
    start = cursor.position
    if not quantized:
        cursor.skip(rows * columns * 4)
        facts.tensors.append(Tensor(name, "F32", (rows, columns), start, rows * columns * 4))
        return rows
    codes = _number(cursor, 4)
    if codes < 0:
        raise MalformedError(f"the {name} matrix has {codes} codes", offset=start)
    cursor.skip(codes)
    _centroids(cursor)
    if norms:
        cursor.skip(rows)
        _centroids(cursor)
    facts.tensors.append(Tensor(name, "PQ8", (rows, columns), start, cursor.position - start))
    return rows


def _centroids(cursor: Cursor) -> None:
    dimensions = _number(cursor, 4)
    if dimensions < 0:
        raise MalformedError(f"centroids have {dimensions} dimensions", offset=cursor.position)
    cursor.skip(12 + dimensions * _CENTROIDS * 4)
