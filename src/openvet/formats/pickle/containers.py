"""Archives, stores and programs inside literals: a zip that PyTorch would load, an HDF5 file, a checkpoint in base64.

Wrappers keep a whole model as bytes: Keras as the zip that ``_unpickle_model`` loads, estimators as the checkpoint of a network,
tools as base64 of a file. What a literal holds is read as the file that it is, so that it is judged like one beside the pickle.

Only marks count that do not come by chance, since weights are any bytes: magic numbers of four bytes and more, shorter ones whose
structure holds, and what is compressed only where another mark stands behind the compression. Some tools find a zip by its
end, whatever stands before it, so that the end of a large literal is looked at as well.
"""

from __future__ import annotations

import zlib
from typing import Final

from openvet.core.limits import Budget, Limits
from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._format import Head
from openvet.formats.pickle.nested import ESCAPED, as_text, decoded_prefix, from_digits, looks_nested, readings
from openvet.io.source import BytesSource, Source

__all__ = ["MARKS", "ZIP_END", "container", "opened"]

#: What files begin with that hold programs, or run.
MARKS: Final = {
    b"PK\x03\x04": "zip", b"\x89HDF\r\n\x1a\n": "hdf5", b"7z\xbc\xaf\x27\x1c": "7z", b"\x93NUMPY": "npy", b"\x7fELF": "elf",
    b"\xcf\xfa\xed\xfe": "mach-o", b"\xce\xfa\xed\xfe": "mach-o", b"Rar!\x1a\x07": "rar", b"ZF0x": "joblib",
}  # fmt: skip
#: How the marks, and what compresses, begin in base64 (long enough that no word does), and in hexadecimal digits.
_DIGITS: Final = {
    "base64": (b"UEsDB", b"iUhERg0K", b"N3q8rycc", b"k05VTVBZ", b"f0VMR", b"H4sI", b"Qlpo", b"/Td6WFo", b"_Td6WFo", b"KLUv/", b"KLUv_",
               b"BCJNGE", b"BCJNGH", b"eJ", b"eN", b"eA", b"eF", b"TVqQ", b"TVpQ", b"WkYweD"),
    "hexadecimal digits": (b"504b0304", b"89484446", b"377abcaf", b"934e554d5059", b"7f454c46", b"1f8b08", b"425a68", b"fd377a58",
                           b"28b52ffd", b"04224d18", b"789c", b"78da", b"7801", b"785e"),
    "base32": (b"KBFQGBA", b"RFEEIRQN", b"D6FQQ", b"G55LZ"),
    "base85": (b"P)h>@",),
}  # fmt: skip
#: 32 or 64 bits, either order of bytes, version 1.
_ELF: Final = (b"\1\1\1", b"\1\2\1", b"\2\1\1", b"\2\2\1")
#: How the settings of a Keras model begin as JSON: what ``to_json`` writes and ``model_from_json`` builds.
_KERAS: Final = (b'{"class_name"', b'{"module"')
#: Protocols 4 and 5 begin with a frame, of whose length the upper half is empty.
_FRAMED: Final = (b"\x80\x04\x95", b"\x80\x05\x95")
_DEPTH: Final = 3
_MEMBERS: Final = 8
#: What base64 of base64 begins with, for the beginnings of gzip, zlib, zips and HDF5.
_AGAIN: Final = frozenset((b"SD", b"ZU", b"VU", b"aV"))
#: The first two bytes of all of these, and of what compresses.
_BEGIN: Final = frozenset(
    each[:2]
    for each in (
        *MARKS,
        *_FRAMED,
        *(each for group in _DIGITS.values() for each in group),
        b"7F",
        b"1F",
        b"FD",
        b"0x",
        b"0X",
        b"da",
        *_AGAIN,
        *_KERAS,
        b"MZ",
        b"(\xb5",
        b'\x04"',
        b"\x1f\x8b",
        b"BZ",
        b"\xfd7",
        b"x\1",
        b"x^",
        b"x\x9c",
        b"x\xda",
        b"]\0",
    )
)
_SAYS: Final = pattern(rb"data:[\w/+.;=-]{0,100};base64,|0[xX]")
#: Hexadecimal digits in pairs.
_SPACED: Final = pattern(rb"(?:[0-9a-fA-F]{2}[ :]){8}")
#: ``sta`` of ``ustar`` in base64.
_TAR_DIGITS: Final = b"c3Rh"
#: Where a tar says that it is one.
_TAR: Final = 257
_SUM_AT: Final = 148
_SUM_ENDS: Final = (b"\0 ", b" \0")
_TAR_MARK: Final = b"ustar"
#: The record at the end of a zip.
ZIP_END: Final = b"PK\x05\x06"
_DECODED: Final = 8 * 1024
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=\r\n"


def container(prefix: bytes, *, text: bool, escaped: int = 0, end: bytes = b"") -> str:
    """What file a literal with these first bytes (at most 4 KiB) holds: a word for its kind, or '' for data.

    Args:
        prefix: its first bytes.
        text: whether it is text for a loader.
        escaped: the opcode of a line with escapes in it.
        end: its last bytes, where those may be the end of a zip.
    """
    if not (
        end
        or (text and not prefix.isascii())
        or prefix[:2] in _BEGIN
        or _is_tar(prefix)
        or _TAR_DIGITS in prefix[342:352]
        or escaped
        or prefix[:1] in b"'\""
    ):
        return ""
    if escaped:
        kind = container(as_text(prefix, escaped).lstrip(b"'\""), text=True)
        return f"{kind}{ESCAPED}{chr(escaped)}" if kind else ""
    for spelling, raw in readings(prefix, text=text):
        kind = _kind(raw, 0)
        if kind:
            return f"{kind}{spelling}"
    if ZIP_END in end:
        return "zip"
    return _in_digits(_bare(prefix), 0)


def _in_digits(plain: bytes, depth: int) -> str:
    """What digits spell, which may spell digits again."""
    for digits, beginnings in _DIGITS.items():
        if plain.lower().startswith(beginnings) if digits[0] == "h" else plain.startswith(beginnings):
            raw = from_digits(digits, plain) or b""
            kind = _kind(raw, 0) or (_in_digits(raw, depth + 1) if depth < _DEPTH else "")
            return f"{kind} in {digits}" if kind else ""
    if (
        plain[:2] in _AGAIN and depth < _DEPTH and not plain.translate(None, _WORD)
    ):  # digits whose digits begin like digits
        kind = _in_digits(from_digits("base64", plain) or b"", depth + 1)
        return f"{kind} in base64" if kind else ""
    if (
        _TAR_DIGITS in plain[342:352]
        and not plain.translate(None, _WORD)
        and _is_tar(from_digits("base64", plain) or b"")
    ):
        return "tar in base64"
    return ""


def _bare(raw: bytes) -> bytes:
    """Digits without quotes, without what says in front of them that they are digits, and without blanks between them."""
    plain = raw.strip(b"'\" \r\n")
    found = _SAYS.match(plain)
    plain = plain[found.end() :] if found else plain
    return plain.translate(None, b" :") if _SPACED.match(plain) else plain


def _kind(raw: bytes, depth: int) -> str:
    """What bytes are by their first ones; what is compressed counts where something else stands behind it."""
    for mark, kind in MARKS.items():
        if raw.startswith(mark):
            sound = _is_zip(raw) if kind == "zip" else kind != "elf" or raw[4:7] in _ELF
            return kind if sound else ""
    if raw.startswith(_KERAS) and b'"config"' in raw:
        return "json"
    if _is_tar(raw):
        return "tar"
    if raw[:3] in _FRAMED and raw[7:11] == bytes(4):
        return "pickle"
    if raw[:2] == b"MZ":
        from openvet.formats._known_tests import pe

        return "pe" if len(raw) >= 64 and pe(Head("", BytesSource(raw))) else ""
    if depth == _DEPTH or len(raw) < 8:
        return ""
    for inner in (_unpacked(raw), _behind_gzip(raw)):
        if (
            inner is not None
            and len(inner) >= 8
            and (
                _kind(inner, depth + 1)
                or _in_digits(inner[:_DECODED], depth + 1)
                or looks_nested(inner[:_DECODED], Budget())
            )
        ):
            return "compressed"
    return ""


def _is_zip(raw: bytes) -> bool:
    """Whether a local header holds together: a digest may begin with its mark."""
    size = int.from_bytes(raw[26:28], "little")
    return len(raw) >= 30 and int.from_bytes(raw[8:10], "little") < 100 and 0 < size <= 4096 and not raw[7] & 0xC0


def _is_tar(raw: bytes) -> bool:
    """Whether a header says that it is one of a tar; the oldest ones only have a checksum."""
    if raw[_TAR : _TAR + 5] == _TAR_MARK:
        return True
    if len(raw) < 512 or raw[_SUM_AT + 6 : _SUM_AT + 8] not in _SUM_ENDS or not raw[0]:
        return False
    digits = raw[_SUM_AT : _SUM_AT + 6].strip(b" \0")
    if not digits or digits.translate(None, b"01234567"):
        return False
    return int(digits, 8) == sum(raw[:512]) - sum(raw[_SUM_AT : _SUM_AT + 8]) + 8 * 0x20


def _unpacked(raw: bytes) -> bytes | None:
    """The first bytes of what is compressed; ``None`` where it is not, or nothing comes out."""
    if raw.startswith(b"\x28\xb5\x2f\xfd"):
        from openvet.io.archive.zstd import ZstdCoding, available

        return _first(raw, ZstdCoding(Budget()).coding) if available() else None
    if raw.startswith(b"\x04\x22\x4d\x18"):
        from openvet.io.archive.lz4 import Lz4Coding

        return _first(raw, Lz4Coding(Budget()).coding)
    return decoded_prefix(raw, _DECODED)


def _behind_gzip(raw: bytes) -> bytes | None:
    """The first bytes of the last member of a gzip stream, among the first few: the first may be a decoy."""
    found = None
    for _ in range(_MEMBERS):
        if not raw.startswith(b"\x1f\x8b\x08"):
            break
        decoder = zlib.decompressobj(31)
        try:
            found = decoder.decompress(raw, _DECODED)
        except zlib.error:
            break
        raw = decoder.unused_data
    return found


def _first(raw: bytes, coding: object) -> bytes | None:
    from openvet.io.archive.compressed import Coding, Decoding

    if not isinstance(coding, Coding):
        raise AssertionError("both kinds of frame have a coding")
    out = b""
    try:
        for piece in Decoding(BytesSource(raw), coding, Budget(Limits(decoded_bytes=_DECODED * 512))):
            out += piece[:_DECODED]
            if len(out) >= _DECODED:
                break
    except ReadError:
        pass
    return out or None


def opened(source: Source, start: int, size: int, kind: str, limits: Limits) -> Source:
    """The bytes of the file in the literal of ``size`` bytes at ``start``, of which :func:`container` gave the kind.

    Raises:
        LimitError: it is spelled in other bytes, and longer than the limit ``header``.
        MalformedError: it cannot be decoded.
    """
    kind, _, escaped = kind.partition(ESCAPED)
    spelled = kind.partition(" in ")[2]
    if not spelled and not escaped:
        return source.window(start, size)
    if size > limits.header:
        raise LimitError(
            "header", limits.header, "a file spelled out in a literal is too long; it was not read", offset=start
        )
    raw = source.read(start, size)
    if escaped:
        raw = as_text(raw, ord(escaped))
    if spelled.rpartition(" in ")[2] in _DIGITS:
        decoded: bytes | None = _bare(raw)
        for digits in reversed(spelled.split(" in ")):
            decoded = None if decoded is None else from_digits(digits, decoded)
    elif spelled:
        decoded = next((each for _, each in readings(raw, text=True)), None)
    else:
        decoded = raw
    if decoded is None:
        raise MalformedError("a file spelled out in a literal cannot be decoded", offset=start)
    return BytesSource(decoded)
