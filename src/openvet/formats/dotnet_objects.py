"""Serialized .NET objects, as ``BinaryFormatter`` writes them: a stream from which .NET rebuilds objects of any class.

::

    00  root[4]  header[4]  version[4] = 1  [4] = 0
    records, each with a mark[1]:  04 class of the system: identity[4] name ...   05 class of a library: identity[4] name ...   0C library ...

Names of classes are looked for by the shape of their records; the stream is not walked, so that what else it holds stays unread.

Specification: [MS-NRBF], https://learn.microsoft.com/openspecs/windows_protocols/ms-nrbf
"""

from __future__ import annotations

import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="dotnet-objects",
    title="serialized .NET objects (BinaryFormatter)",
    extensions=(".bin", ".dat"),
    media_types=(),
    can_tell=("names of classes that .NET would look for and rebuild objects of",),
    cannot_tell=("what the objects hold", "names behind the first 8 MiB"),
)

_MAGIC: Final = bytes.fromhex("0001000000ffffffff0100000000000000")
_SWEPT: Final = 8 * 1024 * 1024
_MOST: Final = 1_000
_RECORD: Final = pattern(rb"(?=[\x04\x05].{4}(?:([\x01-\x7f])|([\x80-\xff])([\x01-\x07]))[A-Za-z_])", re.DOTALL)
_NAME: Final = pattern(rb"[A-Za-z_][\w.+`\[\], =*&-]*")


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    data = source.read(0, min(source.size, _SWEPT))
    classes: dict[str, None] = {}
    for found in _RECORD.finditer(data):
        short, low, high = found.groups()
        length = short[0] if short else (low[0] & 0x7F) | high[0] << 7
        start = found.start() + (6 if short else 7)
        name = data[start : start + length]
        if len(name) == length and _NAME.fullmatch(name) and len(classes) < _MOST:
            classes[name.decode("ascii")] = None
    facts.anomaly("dotnet/serialized-object", "rebuilds objects of .NET", 0, classes=list(classes))
    facts.unknown("unsupported", "what the objects of .NET hold was not read")
