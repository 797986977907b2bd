"""CRFsuite models (``python-crfsuite``, ``sklearn-crfsuite``): features, and two tables of names.

::

    "lCRF", size u32, "FOMC", version u32 (100), counts of features, labels, attributes (u32), then where each chunk begins (u32): features,
    labels, attributes, features of labels, features of attributes
    chunk: "FEAT" "LFRF" "AFRF" "CQDB", bytes u32, data

Reference: ``lib/crf/src/crf1d_model.c`` and ``lib/cqdb/src/cqdb.c`` of https://github.com/chokkan/crfsuite
"""

from __future__ import annotations

import struct

from openvet.errors import MalformedError
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="crfsuite",
    title="CRFsuite model",
    extensions=(".crfsuite", ".model"),
    media_types=(),
    can_tell=("its counts, and that its chunks account for every byte",),
    cannot_tell=("what names and weights mean",),
)
_HEAD = 48
_CHUNKS = (b"FEAT", b"CQDB", b"CQDB", b"LFRF", b"AFRF")
#: What its bytes begin with.
STARTS = (b"lCRF",)


def probe(head: Head) -> Likeness:
    fits = head.data[:4] == b"lCRF" and head.data[8:12] == b"FOMC" and head.size >= _HEAD
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the chunks to the file.

    Raises:
        MalformedError: a chunk is not where it is said to be, or goes beyond the end.
    """
    size, _, _, features, labels, attributes, *places = struct.unpack("<I4sI8I", source.read(4, 44))
    if size > source.size:
        raise MalformedError(f"says that it is {size} bytes long, and {source.size} are there", offset=4)
    extents = [(0, _HEAD)]
    for kind, at in zip(_CHUNKS, places, strict=True):
        start = source.read(at, 8)
        if start[:4] != kind:
            raise MalformedError(f"has no chunk {kind.decode()} where it says", offset=at)
        extents.append((at, max(int.from_bytes(start[4:], "little"), 8)))
    facts.note("features", features)
    facts.note("labels", labels)
    facts.note("attributes", attributes)
    account_for_all(source, facts, extents, "the model")
