"""Text from strangers, made safe to show.

Names and messages of a subject may hold terminal escapes, direction overrides or bytes that are no text.
Nothing of that reaches a screen or a report unescaped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

__all__ = ["lines_of", "printable", "shorten"]

#: Characters of which the lines are held at once.
_BLOCK = 1 << 20

# Cc control, Cf format (bidirectional overrides, zero width), Cs lone surrogates, Co private use, Zl Zp separators, and Zs, the
# spaces that look like the one of ASCII
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def printable(text: str, *, keep_newlines: bool = False) -> str:
    r"""``text`` with every character that does not show as itself escaped; one-to-one, so that two names stay two.

    A byte that was not UTF-8 (a surrogate escape from the file system) shows as ``\x80``, a control
    character as ``\x1b``, others as ``\u202e``; a backslash itself shows as ``\\``.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    parts: list[str] = []
    for char in text:
        code = ord(char)
        if char == "\n" and keep_newlines:
            parts.append(char)
        elif char == "\\":
            parts.append("\\\\")
        elif 0xDC80 <= code <= 0xDCFF:
            parts.append(f"\\x{code - 0xDC00:02x}")
        elif char == " " or unicodedata.category(char) not in _HIDDEN:
            parts.append(char)
        elif code < 0x80:
            parts.append(f"\\x{code:02x}")
        elif code < 0x10000:
            parts.append(f"\\u{code:04x}")
        else:
            parts.append(f"\\U{code:08x}")
    return "".join(parts)


def shorten(text: str, width: int) -> str:
    """``text`` cut in the middle to at most ``width`` characters, with an ellipsis where it was cut."""
    if len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    head = (width - 1) // 2
    tail = width - 1 - head
    return text[:head] + "…" + text[len(text) - tail :]


def lines_of(text: str) -> Iterator[str]:
    """The lines of ``text`` as ``splitlines`` gives them, of which millions are never held at once."""
    at = 0
    while at < len(text):
        end = text.find("\n", at + _BLOCK) + 1 or len(text)
        yield from text[at:end].splitlines()
        at = end
