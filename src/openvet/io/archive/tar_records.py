"""The records of a tar file, as values: POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU, and the older v7 format."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import MalformedError, UnsupportedError

__all__ = [
    "BLOCK_SIZE",
    "WITHOUT_DATA",
    "Header",
    "TarEntry",
    "looks_like_header",
    "parse_header",
    "parse_pax",
    "pax_number",
]

BLOCK_SIZE = 512

#: Type flags and the word that an entry's kind is; what is missing here is "other" and read like a file, as POSIX says.
KINDS = {
    b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink", b"3": "char", b"4": "block",
    b"5": "dir", b"6": "fifo", b"S": "sparse", b"L": "long-name", b"K": "long-link", b"x": "pax", b"X": "pax",
    b"g": "pax-global", b"D": "dir", b"M": "multivolume", b"V": "label",
}  # fmt: skip
#: Kinds whose size field is ignored when looking for the next header.
WITHOUT_DATA = frozenset({"hardlink", "symlink", "char", "block", "dir", "fifo"})

_USTAR = b"ustar"
_PAX_KEYS = frozenset({"path", "linkpath", "size"})
_PAX_LENGTH = pattern(rb"(\d{1,20}) ")


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One entry of a tar.

    Attributes:
        name: decoded, otherwise raw; a hint, never a path.
        kind: ``file dir symlink hardlink char block fifo sparse multivolume label other``.
        offset: of its first header block (a long name's or pax header's, where it has one).
        data_offset: of its first data byte.
        size: bytes of data.
        linkname: target of a link.
        mode: permission bits.
    """

    name: str
    kind: str
    offset: int
    data_offset: int
    size: int
    linkname: str = ""
    mode: int = 0

    @property
    def end(self) -> int:
        return self.data_offset + self.size


@dataclass(frozen=True, slots=True)
class Header:
    """One header block. ``prefix`` is the ustar prefix, whether or not its dialect has one."""

    name: bytes
    prefix: bytes
    kind: str
    size: int
    linkname: bytes
    mode: int
    gnu: bool
    checksum_fits: bool
    more_sparse: bool
    by_slash: bool = False  # a folder only because its name ends with a slash


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def _number(field: bytes) -> int:
    """A number in octal digits, or in base 256 where the first byte says so (GNU).

    Raises:
        MalformedError: it is neither, or negative.
    """
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = _text(field).strip()
    if not text:
        return 0
    if not text.isdigit() or b"8" in text or b"9" in text:
        raise MalformedError("a number in a tar header is none")
    return int(text, 8)


def _checksums(block: bytes) -> tuple[int, int]:
    """The sum of the block with its checksum field blank, of unsigned and of signed bytes (old Sun tar)."""
    rest = block[:148] + block[156:]
    unsigned = 256 + sum(rest)
    return unsigned, unsigned - 256 * len(rest.translate(None, _LOW_HALF))


_LOW_HALF = bytes(range(128))


def checksum_fits(block: bytes) -> bool:
    """Whether the checksum in a header block is right."""
    try:
        return _number(block[148:156]) in _checksums(block)
    except MalformedError:
        return False


def looks_like_header(block: bytes) -> bool:
    """Whether a block is a tar header: its checksum is right and it is not empty."""
    return len(block) == BLOCK_SIZE and block[0] != 0 and checksum_fits(block)


def parse_header(block: bytes) -> Header:
    """A header block.

    Raises:
        MalformedError: its size is no number.
    """
    kind = KINDS.get(block[156:157], "other")
    name = _text(block[0:100])
    by_slash = kind == "file" and block[156:157] != b"7" and name.endswith(b"/")
    if by_slash:
        kind = "dir"  # how v7 marks a folder
    try:
        mode = _number(block[100:108])
    except MalformedError:
        mode = 0
    magic = block[257:265]
    return Header(
        name=name,
        prefix=_text(block[345:500]) if magic.startswith(_USTAR) else b"",
        kind=kind,
        size=_number(block[124:136]),
        linkname=_text(block[157:257]),
        mode=mode & 0o7777,
        gnu=magic == b"ustar  \0",
        checksum_fits=checksum_fits(block),
        more_sparse=kind == "sparse" and block[482] != 0,
        by_slash=by_slash,
    )


def parse_pax(data: bytes) -> Mapping[str, bytes]:
    """The records of a pax header that bear on reading, ``length key=value`` each; a later one replaces an earlier one.

    Raises:
        MalformedError: a record has the wrong form.
    """
    records: dict[str, bytes] = {}
    at = 0
    while at < len(data) and data[at] != 0:
        match = _PAX_LENGTH.match(data, at)
        if match is None:
            raise MalformedError("a pax record has no length")
        length = int(match[1])
        end = at + length
        if length < 5 or end > len(data) or data[end - 1 : end] != b"\n":
            raise MalformedError("a pax record has the wrong length")
        key, equals, value = data[match.end() : end - 1].partition(b"=")
        if not equals:
            raise MalformedError("a pax record has no value")
        word = key.decode("utf-8", "surrogateescape")
        if word in _PAX_KEYS or word.startswith("GNU.sparse."):
            # of all sparse keys it only matters that there is one
            records["sparse" if word.startswith("GNU.sparse.") else word] = value
        at = end
    return records


def pax_number(value: bytes) -> int:
    """A size in a pax record.

    Raises:
        MalformedError: it is none.
        UnsupportedError: it is longer than any size.
    """
    if not value.isdigit():
        raise MalformedError("a size in a pax record is none")
    if len(value) > 20:
        raise UnsupportedError("a size in a pax record is beyond measure")
    return int(value)
