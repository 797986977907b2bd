"""Programs and archives inside a field of bytes: what a reader hands on as a member, so that it is looked at as a file.

Weights are any bytes, so only marks count that do not come by chance: long magic numbers, or short ones whose structure holds.
"""

from __future__ import annotations

from functools import partial

from openvet.errors import ReadError
from openvet.formats._format import Facts, Head, Member
from openvet.io.source import BytesSource, Source

__all__ = ["carried_kind", "hand_on"]

_MAGIC = {
    b"\x7fELF": "elf", b"PK\x03\x04": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"\xcf\xfa\xed\xfe": "mach-o",
    b"\xfe\xed\xfa\xcf": "mach-o", b"\xfe\xed\xfa\xce": "mach-o", b"\xce\xfa\xed\xfe": "mach-o",
    b"\xca\xfe\xba\xbe": "java", b"dex\n": "dex", b"\0asm\1\0\0\0": "wasm", b"\xfd7zXZ\0": "xz", b"\x89HDF\r\n\x1a\n": "hdf5",
    b"\x04\x22\x4d\x18": "lz4", b"#!/": "script", b"BC\xc0\xde": "bitcode", b"!<arch>\n": "ar", b"Rar!\x1a\x07": "rar",
    b"\x1bLua": "lua",
}  # fmt: skip
_FIRST = frozenset(mark[0] for mark in _MAGIC)
_PREFIX = 4096
_ENCODED = frozenset({"base64", "pickle in latin-1", "pickle in raw-unicode-escape"})


def carried_kind(data: Source, facts: Facts, *, text: bool = False) -> str:
    """What a field of bytes holds beside data: the name of a kind, or ''. Looks at its first bytes only."""
    if data.size < 8:
        return ""
    first = data.read(0, 8)
    if first[0] in _FIRST:
        for mark, kind in _MAGIC.items():
            if first.startswith(mark):
                return kind
    if first[:2] == b"MZ":
        from openvet.formats._known_tests import pe

        return "pe" if pe(Head("", data)) else ""
    if first[:3] == b"\x1f\x8b\x08" and not first[3] & 0xE0:
        return "gzip"
    if first[:3] == b"BZh" and first[4:8] == b"1AY&":
        return "bzip2"
    if first[0] in b"\x80\x95\xe3x" or (first[0] in b"c(g\xc2" and (text or data.size < 1 << 20)):
        from openvet.formats.pickle.nested import suspect

        prefix = data.upto(0, _PREFIX)
        kind = suspect(prefix, text=False, budget=facts.budget) or suspect(prefix, text=True, budget=facts.budget) or ""
        if not kind and not text and first[0] == 0x80 and data.size > _PREFIX:
            from openvet.formats.pickle.nested import looks_nested_whole

            return "pickle" if looks_nested_whole(data, facts.budget) else ""  # a long literal may come first
        return "" if kind == "marshal" and not text else kind  # five bytes are too few a mark among weights
    if data.size > 262 and data.read(257, 5) == b"ustar":
        return "tar"
    return ""


def hand_on(data: Source, facts: Facts, name: str, at: int, *, text: bool = False) -> bool:
    """Make a member of a field that holds a program or an archive; says whether it does."""
    try:
        kind = carried_kind(data, facts, text=text)
    except ReadError:
        return False
    if not kind:
        return False
    if kind in _ENCODED and data.size <= facts.limits.header:
        from openvet.formats.pickle.nested import inner_bytes

        data = BytesSource(inner_bytes(kind, data.read(0, data.size)) or b"")
    facts.add_members([Member(name, data.size, partial(_same, data), at)])
    return True


def _same(data: Source) -> Source:
    return data
