"""Text out of bytes, for the readers of a hub repository's text files."""

from __future__ import annotations

import codecs

from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Head
from openvet.io.source import Source

__all__ = ["MARKS", "decode", "is_text", "read_text"]

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# what a text may hold below 0x20: tab, line feed, vertical tab, form feed, carriage return, escape
_CONTROLS = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B})


def is_text(head: Head) -> bool:
    """Whether the first bytes are text: UTF-8 without control characters, or UTF-16/32 with its mark."""
    data = head.data
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    if data.translate(None, _CONTROLS) != data:
        return False
    try:
        # a character may be cut by the end of the head
        codecs.getincrementaldecoder("utf-8")().decode(data, final=len(data) == head.size)
    except UnicodeDecodeError:
        return False
    return True


def read_text(source: Source, facts: Facts) -> str:
    """All of ``source`` as text.

    Raises:
        LimitError: longer than the limit ``text``.
        MalformedError: not in the encoding that its first bytes name, or not UTF-8.
    """
    limit = facts.limits.text
    if source.size > limit:
        raise LimitError("text", limit, "the text is too long to be parsed; it was not read")
    return decode(source.read(0, source.size))


def decode(data: bytes) -> str:
    """``data`` as text: by its byte order mark, else UTF-8.

    Raises:
        MalformedError: it is neither.
    """
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedError(f"is not {encoding.upper()} text", offset=error.start) from None
