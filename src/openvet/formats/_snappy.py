"""Snappy without a frame, as blocks of LevelDB tables have it: literals and copies of what came before.

Specification: https://github.com/google/snappy/blob/main/format_description.txt
"""

from __future__ import annotations

from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts

__all__ = ["unsnap"]


def unsnap(data: bytes, facts: Facts, offset: int) -> bytes:
    """The decoded bytes.

    Raises:
        LimitError: more bytes than one header may have.
        MalformedError: the stream breaks its own form.
    """
    size = at = shift = 0
    while True:
        if at >= len(data) or shift > 28:
            raise MalformedError("a compressed block has no size", offset=offset)
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > facts.limits.header:
        raise LimitError("header", facts.limits.header, f"a block unpacks to {size} bytes", offset=offset)
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        kind = tag & 3
        extra = max((tag >> 2) - 59, 0) if kind == 0 else (0, 1, 2, 4)[kind]
        if at + extra > len(data):
            raise MalformedError("a compressed block is cut off", offset=offset)
        number = int.from_bytes(data[at : at + extra], "little")
        at += extra
        if kind == 0:
            length = (number if extra else tag >> 2) + 1
            if at + length > len(data):
                raise MalformedError("a compressed block is cut off", offset=offset)
            out += data[at : at + length]
            at += length
        else:
            length = (tag >> 2 & 7) + 4 if kind == 1 else (tag >> 2) + 1
            back = (tag >> 5 << 8 | number) if kind == 1 else number
            if not 0 < back <= len(out):
                raise MalformedError("a compressed block copies from before its beginning", offset=offset)
            while length:  # a copy may overlap what it makes
                part = out[len(out) - back : len(out) - back + length] if back >= length else out[-back:]
                out += part
                length -= len(part)
        if len(out) > size:
            raise MalformedError("a compressed block unpacks to more than it says", offset=offset)
    if len(out) != size:
        raise MalformedError("a compressed block unpacks to less than it says", offset=offset)
    facts.budget.add_decoded(size, size, len(data))
    return bytes(out)
