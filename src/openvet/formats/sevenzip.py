r"""7z archives: packed streams, then a header, which may be packed itself.

::

    "7z\xbc\xaf\x27\x1c", version[2], CRC-32 of what follows[4]
    header's offset[8], size[8], CRC-32[4]
    packed streams
    header: packed streams, folders (steps of decoding), files

Specification: ``DOC/7zFormat.txt`` of the LZMA SDK, https://www.7-zip.org/sdk.html
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from openvet.errors import LimitError, ReadError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._listing import judge_declared, put_problem
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.anomaly import Remarks
    from openvet.io.archive.names import NameJudge
    from openvet.io.archive.sevenzip_header import Folder, Header, Item
    from openvet.io.source import Spool

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="7z",
    title="7z archive",
    extensions=(".7z",),
    media_types=("application/x-7z-compressed",),
    can_tell=(
        "Every member with its name, size and kind, also where the header is packed.",
        "The content of members packed with LZMA, LZMA2, bzip2, deflate, Zstandard, LZ4 or nothing, with delta and branch filters.",
    ),
    cannot_tell=(
        "The content of encrypted archives and of other methods (PPMd, Deflate64, Brotli, BCJ2, filters for ARM64 and RISC-V).",
        "Archives that are split into several volumes.",
    ),
)

_LINK_TEXT = 4096
#: What its bytes begin with.
STARTS = (b"7z\xbc\xaf\x27\x1c",)


def probe(head: Head) -> Likeness:
    """The signature."""
    return Likeness.STRONG if head.data.startswith(b"7z\xbc\xaf\x27\x1c") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """List the files and make each one with data a member."""
    from openvet.io.archive.anomaly import Remarks
    from openvet.io.archive.sevenzip import is_encrypted, read_header

    try:
        header, start, end = read_header(source, facts.budget)
    except UnsupportedError as error:
        if "encrypted" in error.message:
            facts.anomaly("archive/encrypted-member", "the list of members is encrypted")
        raise
    remarks = Remarks(facts.budget)
    streams = [_Stream(source, header, folder, facts) for folder in header.folders]
    for index, folder in enumerate(header.folders):
        if is_encrypted(folder):
            facts.anomaly(
                "archive/encrypted-member",
                "its members are encrypted"
                if len(header.folders) == 1
                else f"the members of block {index} are encrypted",
            )
    facts.note("members", len(header.items))
    judge_declared(
        facts,
        ((each.size, sum(header.sizes[each.first : each.first + len(each.packed)])) for each in header.folders),
        source.size,
    )
    _members(header, streams, remarks, facts)
    for each in remarks.anomalies:
        facts.anomaly(each.rule, each.message, each.offset, **each.evidence)
    facts.dropped += remarks.dropped
    _account(source, header, start, end, facts)


def _members(header: Header, streams: list[_Stream], remarks: Remarks, facts: Facts) -> None:
    from openvet.io.archive.names import NameJudge, normal_name, shown

    places = [
        (stream, offset, size, crc) for stream in streams for offset, (size, crc) in stream.offsets(stream.folder.parts)
    ]
    judge = NameJudge(remarks)
    seen: set[str] = set()
    at = 0
    for item in header.items:
        judge.name(item.name, None)
        name = normal_name(item.name)
        if name in seen:
            remarks.anomaly(
                "archive/duplicate-member", f"two members are named {shown(item.name)}", name=shown(item.name)
            )
        seen.add(name)
        if not item.has_data:
            continue
        if at >= len(places):
            facts.unknown("malformed", f"the member {shown(item.name)} has no data in any folder")
            continue
        stream, offset, size, crc = places[at]
        at += 1
        opener = _Opener(stream, offset, size, crc, shown(item.name))
        _kind(item, opener, judge)
        facts.add_members([Member(item.name, size, opener)])
    judge.chains()
    if at < len(places):
        facts.anomaly("archive/hidden-data", f"{len(places) - at} parts of folders belong to no member")
        for index, (stream, offset, size, crc) in enumerate(places[at:]):
            facts.add_members(
                [Member(f"unnamed-{index}", size, _Opener(stream, offset, size, crc, f"unnamed-{index}"))]
            )


def _kind(item: Item, opener: _Opener, judge: NameJudge) -> None:
    """Links and rights, where the attributes are those of Unix."""
    if not item.attributes & 0x8000:
        return
    mode = item.attributes >> 16
    judge.mode(item.name, mode, None)
    if mode & 0o170000 in (0o010000, 0o020000, 0o060000, 0o140000):
        judge.device(item.name, mode, None)
    if mode & 0o170000 == 0o120000:
        try:
            target = opener().upto(0, _LINK_TEXT).decode("utf-8", "backslashreplace")
        except ReadError:
            target = "a place that cannot be read"
        judge.link(item.name, target, None, hard=False)


def _account(source: Source, header: Header, start: int, end: int, facts: Facts) -> None:
    """What lies beside the packed streams and the header."""
    from openvet.formats._trailing import account_for_rest
    from openvet.io.archive.scan import first_nonzero

    if header.items or header.sizes:
        packed = 32 + header.position + sum(header.sizes)
        begin = min(max(packed, 32), start)
        hole = first_nonzero(source, begin, start, facts.budget)
        # a packed header lies between the streams and its description
        if hole < start and start - begin > facts.limits.header:
            facts.unknown("no-reader", f"{start - begin} bytes between the members and the header were not read", hole)
        if header.position and first_nonzero(source, 32, min(32 + header.position, source.size), facts.budget) < min(
            32 + header.position, source.size
        ):
            facts.anomaly(
                "archive/hidden-data", f"{header.position} bytes before the first member belong to no member", 32
            )
            facts.unknown("no-reader", f"{header.position} bytes before the first member were not read", 32)
    account_for_rest(source, facts, end, "the 7z archive")


class _Stream:
    """One folder, decoded once, when the first of its members is opened."""

    __slots__ = ("_decoded", "_error", "_source", "facts", "folder", "header")

    def __init__(self, source: Source, header: Header, folder: Folder, facts: Facts) -> None:
        self._source = source
        self._decoded: Spool | None = None
        self._error: ReadError | None = None
        self.header = header
        self.folder = folder
        self.facts = facts

    @staticmethod
    def offsets(parts: list[tuple[int, int | None]]) -> list[tuple[int, tuple[int, int | None]]]:
        out, at = [], 0
        for part in parts:
            out.append((at, part))
            at += part[0]
        return out

    def decoded(self) -> Spool:
        from openvet.io.archive.sevenzip import decode_folder

        if self._error is not None:
            raise self._error
        if self._decoded is None:
            try:
                self._decoded = decode_folder(self._source, self.header, self.folder, self.facts.budget)
            except ReadError as error:
                self._error = error
                if isinstance(error, LimitError):
                    put_problem(self.facts, error)
                raise
        return self._decoded


class _Opener:
    """Opens one member: a window on its folder."""

    __slots__ = ("_crc", "_name", "_offset", "_size", "_stream")

    def __init__(self, stream: _Stream, offset: int, size: int, crc: int | None, name: str) -> None:
        self._stream = stream
        self._offset = offset
        self._size = size
        self._crc = crc
        self._name = name

    def __call__(self) -> Source:
        window = self._stream.decoded().window(self._offset, self._size)
        if self._crc is not None:
            crc = 0
            for chunk in window.chunks():
                crc = zlib.crc32(chunk, crc)
            if crc != self._crc:
                facts = self._stream.facts
                facts.anomaly(
                    "archive/checksum-mismatch", f"the checksum of the member {self._name} is wrong", member=self._name
                )
            self._crc = None
        return window
