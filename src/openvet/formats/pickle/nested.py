"""Programs inside literals: pickles, marshalled code, and pickles that are compressed or in base64.

Only the first bytes decide, and where those are compressed or encoded the first few kilobytes are decoded; a prefix that
merely looks like one by chance is told apart by walking it strictly.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from typing import Final

from openvet.core.limits import Budget
from openvet.io.source import BytesSource, Source

__all__ = [
    "ESCAPED",
    "TORCH_MAGIC",
    "as_text",
    "decoded_prefix",
    "from_digits",
    "inner_bytes",
    "long_pickle",
    "looks_nested",
    "readings",
    "suspect",
]

_DECODED: Final = 64 * 1024
#: How a pickle of protocol 2 and later, one of protocol 0, and zlib, gzip, bzip2 and xz begin in base64.
_BASE64: Final = frozenset(
    (b"gA", b"Y1", b"Y2", b"Y3", b"KG", b"KF", b"jA", b"eJ", b"eA", b"eF", b"eN", b"H4", b"Ql", b"/T")
)
_PROTOCOLS: Final = (0, 1, 2, 3, 4, 5)
#: CPython's marshal type of a code object, with and without its reference flag. From four (Python 2) to six (3.8 to 3.10) small
#: numbers follow it, and then the bytes of the code. Nothing that runs is shorter.
_CODE: Final = b"c\xe3"
_CODE_NUMBERS: Final = (4, 5, 6)
_CODE_BYTES: Final = 0x73
_SHORTEST_CODE: Final = 40
#: Between what a literal holds and the opcode of its line, where escapes hide it.
ESCAPED: Final = ", escaped in "
_SHORTEST: Final = 16
_DIGITS: Final = frozenset(("hexadecimal digits", "base32", "base64", "base85", "ascii85"))
_URLSAFE: Final = bytes.maketrans(b"-_", b"+/")
#: The pickle of torch's magic number, with which its legacy files begin.
TORCH_MAGIC: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def suspect(prefix: bytes, *, text: bool, budget: Budget, escaped: int = 0) -> str | None:
    """What kind of program a literal with these first bytes (at most 4 KiB) holds; ``None`` for data.

    ``escaped`` is the opcode of a line with escapes in it.
    """
    if escaped:
        plain = as_text(prefix, escaped)
        kind = suspect(plain, text=True, budget=budget) if len(plain) >= _SHORTEST else None
        return None if kind is None else f"{kind}{ESCAPED}{chr(escaped)}"
    if text and prefix[:1] in (b"'", b'"'):  # STRING keeps its quotes
        prefix = prefix[1:]
    if text and prefix[:1] == b"\x80":  # the same from protocol 0
        raw = _unescaped(prefix)
        return "pickle in raw-unicode-escape" if raw and looks_nested(raw, budget) else None
    if text and prefix[:2] == b"\xc2\x80":  # bytes as protocol 2 writes them: text in Latin-1
        raw = _latin1(prefix)
        return "pickle in latin-1" if raw and looks_nested(raw, budget) else None
    spelled = _spelling(prefix)
    if spelled is not None:
        raw = inner_bytes(spelled, prefix)
        if raw is not None and (compressed := _wrapping(raw[:6].ljust(6, b"\0"))):
            spelled, raw = f"{compressed} in {spelled}", _decoded(compressed, raw)
        if raw and looks_nested(raw, budget):
            return spelled
    if text:
        return None
    if prefix[0] in _CODE and _is_code(prefix):
        return "marshal"
    wrapped = _wrapping(prefix)
    if wrapped is not None:
        raw = _decoded(wrapped, prefix)
        return wrapped if raw and looks_nested(raw, budget) else None
    return "pickle" if looks_nested(prefix, budget) else None


def _is_code(prefix: bytes) -> bool:
    """Whether these bytes begin a marshalled code object."""
    if len(prefix) < _SHORTEST_CODE:
        return False
    for count in _CODE_NUMBERS:
        if prefix[1 + 4 * count] & 0x7F == _CODE_BYTES:  # with or without the flag
            return all(number < 1 << 28 for number in struct.unpack_from(f"<{count}I", prefix, 1))
    return False


def _spelling(prefix: bytes) -> str | None:
    """In which digits bytes may be written as text here: by how pickles, and compressed ones, begin in them."""
    head = prefix[:2]
    if head in (b"80", b"63", b"28", b"8c", b"8C") and not prefix[:16].translate(None, b"0123456789abcdefABCDEF"):
        return "hexadecimal digits"
    if head in (b"QA", b"MN", b"FB", b"RQ") and not prefix[:16].translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return "base32"
    if head in (b"fB", b"fC"):  # protocols 0 and 1, and all later ones
        return "base85"
    if head == b"J-":
        return "ascii85"
    return "base64" if head in _BASE64 else None


def looks_nested(raw: bytes, budget: Budget) -> bool:
    """Whether bytes begin with a pickle, strictly; a stream of an old protocol must resolve a name as well."""
    from openvet.formats.pickle.probing import evidence

    if len(raw) < 4:
        return False
    if raw.startswith(TORCH_MAGIC):
        return True
    headed = raw[0] == 0x80 and raw[1] in _PROTOCOLS
    if not headed and raw[:1] not in (b"c", b"(", b"\x8c", b"\x95"):
        return False
    if headed:
        return _holds_together(BytesSource(raw), budget)
    return evidence(BytesSource(raw), budget, opcodes=400).calls > 0


def looks_nested_whole(data: Source, budget: Budget) -> bool:
    """The same of bytes in full that begin with a protocol: what comes first may be longer than what is looked at elsewhere."""
    head = data.upto(0, 4)
    return len(head) == 4 and head[0] == 0x80 and head[1] in _PROTOCOLS and _holds_together(data, budget)


def _holds_together(data: Source, budget: Budget) -> bool:
    from openvet.formats.pickle.probing import evidence

    seen = evidence(data, budget, opcodes=400)
    return seen.calls > 0 or (seen.stopped and seen.opcodes > 3) or (seen.opcodes >= 12 and not seen.failed)


def long_pickle(literal: Source, budget: Budget) -> bool:
    """Whether a literal that is longer than its looked-at prefix is a pickle from its head to STOP, of whatever data."""
    from openvet.formats.pickle.probing import evidence

    head = literal.upto(0, 2)
    if head[:1] != b"\x80" or head[1] not in _PROTOCOLS or literal.upto(literal.size - 1, 1) != b".":
        return False
    seen = evidence(literal, budget, opcodes=400)
    return seen.hit_limit or (seen.stopped and seen.end == literal.size)


def inner_bytes(kind: str, raw: bytes) -> bytes | None:
    """The program inside a whole literal, decoded within bounds; ``None`` where it cannot be."""
    if kind == "pickle":
        return raw
    if ESCAPED in kind:
        inner, _, code = kind.rpartition(ESCAPED)
        return inner_bytes(inner, as_text(raw, ord(code)))
    compressed, _, digits = kind.partition(" in ")
    if digits in _DIGITS:
        packed = from_digits(digits, raw)
        return None if packed is None else _decoded(compressed, packed)
    if kind in _DIGITS:
        return from_digits(kind, raw)
    if kind == "pickle in latin-1":
        return _latin1(raw)
    if kind == "pickle in raw-unicode-escape":
        return _unescaped(raw)
    return _decoded(kind, raw)


def as_text(raw: bytes, code: int) -> bytes:
    """The text of a line with escapes, in UTF-8."""
    from openvet.formats.pickle.literals import decode_text

    return decode_text(raw, code).encode("utf-8", "surrogateescape" if code == 0x53 else "surrogatepass")


def readings(prefix: bytes, *, text: bool) -> Iterator[tuple[str, bytes]]:
    """The bytes that a literal stands for, and how they are spelled: for text as old protocols write bytes, else as they are.

    ``prefix`` may be cut in the middle of a character.
    """
    if not text:
        yield "", prefix
        return
    try:
        words = codecs.getincrementaldecoder("utf-8")().decode(prefix)
        spelling = " in latin-1"
    except UnicodeError:
        words = prefix.decode("raw-unicode-escape", "ignore")
        spelling = " in raw-unicode-escape"
    try:
        yield spelling, words.encode("latin-1")
    except UnicodeError:
        return


def _latin1(raw: bytes) -> bytes | None:
    """UTF-8 back to bytes; a character that the cut split is left out."""
    try:
        return raw.decode("utf-8", "ignore").encode("latin-1")
    except UnicodeError:
        return None


def _unescaped(raw: bytes) -> bytes | None:
    """What UNICODE writes back to bytes; an escape that the cut split is left out."""
    try:
        return raw.decode("raw-unicode-escape", "ignore").encode("latin-1")
    except UnicodeError:
        return None


def from_digits(kind: str, raw: bytes) -> bytes | None:
    """Bytes out of digits; a group that the cut split is left out."""
    import base64
    import binascii

    text = raw.strip(b"'\" \r\n").replace(b"\\n", b"").translate(None, b"\n\r")
    try:
        if kind == "hexadecimal digits":
            return binascii.a2b_hex(text[: len(text) // 2 * 2])
        if kind == "base32":
            return base64.b32decode(text[: len(text) // 8 * 8])
        if kind == "base85":
            return base64.b85decode(text)
        if kind == "ascii85":
            return base64.a85decode(text)
        return binascii.a2b_base64(text.translate(_URLSAFE)[: len(text) // 4 * 4])
    except (ValueError, struct.error):  # binascii.Error is a ValueError
        return None


def _wrapping(prefix: bytes) -> str | None:
    if prefix[0] == 0x78 and prefix[1] in (0x01, 0x5E, 0x9C, 0xDA):
        return "zlib"
    for magic, name in ((b"\x1f\x8b\x08", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"]\0\0", "lzma")):
        if prefix.startswith(magic):
            return name
    return None


def decoded_prefix(raw: bytes, most: int = _DECODED) -> bytes | None:
    """The first decoded bytes, at most ``most``, of what is compressed; ``None`` where ``raw`` (at least six bytes) is not."""
    kind = _wrapping(raw)
    return None if kind is None else _decoded(kind, raw, most)


def _decoded(kind: str, raw: bytes, most: int = _DECODED) -> bytes | None:
    """The first decoded bytes of something compressed."""
    import bz2
    import lzma
    import zlib

    try:
        if kind in ("zlib", "gzip"):
            return zlib.decompressobj(15 if kind == "zlib" else 31).decompress(raw, most)
        if kind == "bz2":
            return bz2.BZ2Decompressor().decompress(raw, most)
        if kind in ("xz", "lzma"):
            return lzma.LZMADecompressor(memlimit=64 * 1024 * 1024).decompress(raw, most)
    except (zlib.error, OSError, EOFError, ValueError, MemoryError, lzma.LZMAError):
        pass
    return None
