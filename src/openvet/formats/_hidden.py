"""Programs and pickles in places that are for words: comments of pictures, metadata of weights.

Nothing loads what stands there by itself. Whoever puts a program there has a second file that takes it out again.
"""

from __future__ import annotations

import base64
import binascii
import re

from openvet.core.pattern import pattern
from openvet.formats._format import Facts

__all__ = ["look_inside", "program_in"]

_MOST = 64 * 1024
#: Nothing shorter is a pickle that does something, in whatever letters it is written.
_SHORTEST_TEXT = 24
_WRITTEN = "a pickle in base64"
_BASE64 = pattern(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_PICKLE = pattern(rb"\x80[\x02-\x05](?:\x95.{8})?[(\]}c\x8cXcq\x94KMJGN\x88\x89BCU)]", re.DOTALL)
_OLD_PICKLE = pattern(rb"c(?:os|posix|nt|builtins|__builtin__|subprocess|sys|runpy|pty)\n\w+\n")


def look_inside(facts: Facts, data: bytes, where: str, offset: int | None = None) -> None:
    """Record it where ``data``, a comment or a value of metadata, is a program or a pickle, or is one in base64, or holds a credential."""
    from openvet.formats._secrets import scan_text

    scan_text(data[:_MOST].decode("utf-8", "replace"), facts, None, offset)
    found = program_in(data)
    if found:
        facts.anomaly("file/hidden-program", f"{found} stands in {where}", offset, size=len(data))
    if found == _WRITTEN or (not found and len(data) >= _SHORTEST_TEXT):
        _look_at_text(facts, data[:_MOST].strip(b"\0"), offset)


def _look_at_text(facts: Facts, text: bytes, offset: int | None) -> None:
    """Hand on the pickles that are written in a text, in whatever letters: what they do counts."""
    parts = [each for each in text.split(b"\0") if len(each) >= _SHORTEST_TEXT] if text.isascii() else []
    # a pickle that is not written in other letters is told of by its place
    if parts := [each for each in parts if program_in(each) in ("", _WRITTEN)]:
        from openvet.formats._encoded import EncodedPickles

        EncodedPickles(facts, f"at-{offset or 0}-").look(b"\n".join(parts))


def program_in(data: bytes) -> str:
    """What ``data`` is if it runs; nothing for words and numbers."""
    data = data[:_MOST].lstrip(b" \t\r\n\0")
    found = _runs(data)
    if found or not (text := _BASE64.match(data)):
        return found
    packed = text.group()[: len(text.group().rstrip(b"=")) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/"))
    try:
        found = _runs(base64.b64decode(packed))
    except (binascii.Error, ValueError):
        return ""
    return f"{found} in base64" if found else ""


def _runs(data: bytes) -> str:
    if data.startswith(b"\x7fELF") and data[4:5] in {b"\1", b"\2"}:
        return "a program for Linux"
    if data.startswith(b"MZ") and len(data) >= 64:
        at = int.from_bytes(data[60:64], "little")
        if data[at : at + 4] == b"PE\0\0":
            return "a program for Windows"
    if data[:4] in {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"}:
        return "a program for macOS"
    if data.startswith(b"PK\x03\x04") and len(data) >= 30:
        return "a zip archive"
    if data.startswith(b"#!/"):
        return "a script"
    if _PICKLE.match(data) or _OLD_PICKLE.match(data):
        return "a pickle"
    return ""
