"""Importance matrices of llama.cpp (``imatrix.dat``): how much each column of each tensor counts, by which a model is quantized.

::

    entries i32
    each: length of the name i32, the name of a tensor, calls i32, values i32, values x float32
    [chunks i32 [, length i32, the file of text that the matrix was computed with]]

What llama.cpp writes since August 2025 is GGUF, which has a reader of its own.

Reference: ``save_imatrix`` in https://github.com/ggml-org/llama.cpp/blob/b4000/examples/imatrix/imatrix.cpp
"""

from __future__ import annotations

from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._tensor_starts import look_at_start
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="imatrix",
    title="importance matrix of llama.cpp",
    extensions=(".dat", ".imatrix"),
    media_types=(),
    can_tell=(
        "how many tensors and values, and that nothing but names and numbers is in the file",
        "the text file that the matrix was computed with",
    ),
    cannot_tell=("what the numbers do to a model that is quantized with them",),
)

#: ggml has no room for longer names.
_NAME: Final = 128
_ENTRIES: Final = 65_536
_DATASET: Final = 4_096
_NAMED: Final = pattern(rb"[A-Za-z][\w-]*(?:\.[\w-]+)+")
_LEAST: Final = 16
_SHORTEST: Final = 18


def probe(head: Head) -> Likeness:
    """WEAK where a number of entries and a whole first one stand there, of which the name is one of a tensor."""
    data = head.data
    if head.size < _SHORTEST:
        return Likeness.NO
    entries, named = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
    if not 0 < entries <= _ENTRIES or not 0 < named <= _NAME or head.size < 4 + entries * _LEAST:
        return Likeness.NO
    at = 8 + named
    if len(data) < at + 8 or _NAMED.fullmatch(data[8:at]) is None:
        return Likeness.NO
    values = int.from_bytes(data[at + 4 : at + 8], "little")
    return Likeness.WEAK if at + 8 + 4 * values <= head.size else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the entries.

    Raises:
        MalformedError: it breaks off, or what stands there is no entry.
        LimitError: more entries than are described.
    """
    cursor = source.cursor(0)
    entries = _number(cursor)
    if entries > facts.limits.tensors:
        raise LimitError("tensors", facts.limits.tensors, f"has {entries} entries", offset=0)
    facts.note("entries", entries)
    names = [_entry(source, cursor, facts) for _ in range(entries)]
    if len(set(names)) < len(names):
        raise MalformedError("names a tensor twice", offset=cursor.position)
    if cursor.left >= 4:
        facts.note("chunks", _number(cursor))
    if cursor.left >= 4:
        at, length = cursor.position, _number(cursor)
        if length > _DATASET:
            raise MalformedError("what follows the entries is no name of a file", offset=at)
        dataset = cursor.read(length).decode("utf-8", "replace")
        if not dataset.isprintable() or "\ufffd" in dataset:
            raise MalformedError("what follows the entries is no name of a file", offset=at)
        facts.note("dataset", shorten(dataset, 200))
        names.append(dataset)
    EncodedPickles(facts, "name-").look("\n".join(names))
    account_for_rest(source, facts, cursor.position, "the matrix")


def _entry(source: Source, cursor: Cursor, facts: Facts) -> str:
    """Walk one entry; gives its name."""
    facts.budget.check_time()
    at, length = cursor.position, _number(cursor)
    name = cursor.read(length) if 0 < length <= _NAME else b""
    if _NAMED.fullmatch(name) is None:
        raise MalformedError("what stands there is no name of a tensor", offset=at)
    cursor.skip(4)
    size = 4 * _number(cursor)
    begin = cursor.position
    cursor.skip(size)
    if size >= _LEAST:
        look_at_start(source, begin, size, name.decode(), facts)
    return name.decode()


def _number(cursor: Cursor) -> int:
    return int.from_bytes(cursor.read(4), "little")
