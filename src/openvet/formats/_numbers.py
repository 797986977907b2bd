"""Bytes that a program reads as numbers and nothing else, as they are or packed by themselves: whether they are no more than that.

Numbers are any bytes. What can be told is that they begin with no mark of a program, an archive or a pickle, unpacked too, and that
what they are packed with covers them to the last byte.
"""

from __future__ import annotations

from openvet.formats._carried import carried_kind
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource, Source

__all__ = ["are_numbers"]

_LOOKED = 64 * 1024


def are_numbers(data: Source, facts: Facts) -> bool:
    """Whether ``data`` begins with no mark, or is one packed stream of bytes that begin with none.

    Raises:
        LimitError: unpacking it costs more than the budget has.
    """
    from openvet.formats import gzip, zlib, zstd
    from openvet.io.archive.compressed import GZIP, ZLIB, Decoding
    from openvet.io.archive.zstd import ZstdCoding

    head = Head("", data)
    for module, coding in ((zstd, None), (gzip, GZIP), (zlib, ZLIB)):
        if module.probe(head) is Likeness.NO:
            continue
        how = ZstdCoding(facts.budget)
        decoding = Decoding(data, how.coding if coding is None else coding, facts.budget)
        begin = b""
        for block in decoding:
            if len(begin) < _LOOKED:
                begin += block[: _LOOKED - len(begin)]
        whole = (
            decoding.error is None and decoding.consumed == data.size and not how.skipped and not decoding.mismatches
        )
        return whole and _has_no_mark(Head("", BytesSource(begin)), facts)
    return _has_no_mark(head, facts)


def _has_no_mark(head: Head, facts: Facts) -> bool:
    from openvet.formats import known, pickle

    return not carried_kind(head.source, facts) and pickle.probe(head) is Likeness.NO and known.recognise(head) is None
