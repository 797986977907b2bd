"""What lies between the records that a zip's directory leads to: descriptors, padding, records it does not list, data."""

from __future__ import annotations

from typing import NamedTuple

from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError
from openvet.io.archive.anomaly import Remarks
from openvet.io.archive.names import shown
from openvet.io.archive.scan import first_nonzero, places
from openvet.io.archive.zip_records import (
    CENTRAL,
    DESCRIPTOR,
    LOCAL,
    SIZES_FOLLOW,
    LocalRecord,
    ZipEntry,
    decode_name,
    descriptor_length,
    read_local,
)
from openvet.io.source import Source

__all__ = ["GapWalk", "Span"]

#: The largest data descriptor: signature, checksum and two sizes of 8 bytes.
_DESCRIPTOR = 24
#: Marks the first volume of an archive that was meant to be split (APPNOTE 8.5.4).
_SPANNED = (DESCRIPTOR, b"PK00")
#: Bytes of hidden data that are shown in a finding.
_SHOWN = 16


class Span(NamedTuple):
    """Bytes that a record covers; ``entry`` is the index of its entry, -1 for a directory or an end record."""

    start: int
    end: int
    entry: int = -1


class GapWalk:
    """Goes through the gaps as a streaming reader would go through the file.

    Attributes:
        entries: records that were found in them.
        outside: bytes that belong to no record; padding with zeros apart.
    """

    __slots__ = ("_budget", "_quiet", "_remarks", "_source", "entries", "outside")

    def __init__(self, source: Source, budget: Budget, remarks: Remarks, *, quiet: bool) -> None:
        self._source = source
        self._budget = budget
        self._remarks = remarks
        #: without any directory every record is "not listed"; one problem says so, not one anomaly each
        self._quiet = quiet
        self.entries: list[ZipEntry] = []
        self.outside = 0

    def gap(self, start: int, end: int, last: ZipEntry | None, room: int) -> None:
        """Look at ``start`` to ``end``; ``last`` is the member that ends at ``start``; at most ``room`` more entries."""
        at = start
        if last is not None:
            at += self._descriptor(at, end, last)
        while at < end:
            at = first_nonzero(self._source, at, end, self._budget)
            if at == end:
                return
            if at == 0 and self._source.upto(0, 4) in _SPANNED:
                at = 4
                continue
            record = self._record(at, end)
            if record is None:
                found, record = self._next_record(at, end)
                self._hidden_data(at, found)
                if record is None:
                    return
                at = found
            if len(self.entries) >= room:
                allowed = self._budget.limits.members
                self._remarks.problem(
                    LimitError("members", allowed, "too many members; the rest was not read", offset=at)
                )
                return
            at = self._add(at, end, record)

    def _descriptor(self, at: int, end: int, last: ZipEntry) -> int:
        data = self._source.read(at, min(_DESCRIPTOR, end - at))
        length, agrees = descriptor_length(data, last.crc, last.compressed_size, last.size)
        if length and not agrees:
            self._remarks.anomaly(
                "archive/header-mismatch", f"the data descriptor after the member {shown(last.name)} gives another size or "
                "checksum than the directory", at, kind="descriptor", name=shown(last.name))  # fmt: skip
        return length

    # -- records that no directory lists ------------------------------------------------------------------------

    def _record(self, at: int, end: int) -> LocalRecord | None:
        """The local header at ``at``, if one begins there that a reader could use."""
        if end - at < 30:
            return None
        try:
            record = read_local(self._source, at)
        except MalformedError:
            return None
        fits = record.data_offset <= end and len(record.name) <= self._budget.limits.member_name
        return record if fits else None

    def _next_record(self, at: int, end: int) -> tuple[int, LocalRecord | None]:
        """The next local header after ``at``; ``end`` and ``None`` if there is none."""
        for place in places(self._source, LOCAL, at + 1, end, self._budget):
            record = self._record(place, end)
            if record is not None:
                return place, record
        return end, None

    def _add(self, at: int, end: int, record: LocalRecord) -> int:
        """Add the entry of an unlisted record; the offset after it."""
        size, packed, crc = record.size, record.compressed_size, record.crc
        after = 0
        if record.flags & SIZES_FOLLOW and not packed:
            packed, descriptor = self._data_length(record, end)
            if descriptor:
                after = len(descriptor)
                crc = int.from_bytes(descriptor[4:8], "little")
                size = int.from_bytes(descriptor[-(after - 8) // 2 :], "little")
        name = decode_name(record.name, record.flags)
        entry = ZipEntry(
            name=name,
            header_offset=at,
            data_offset=record.data_offset,
            compressed_size=packed,
            size=size,
            method=record.method,
            flags=record.flags,
            crc=crc,
            central=False,
            shared=record.data_offset + packed > end,
        )
        self.entries.append(entry)
        if not self._quiet:
            self._remarks.anomaly(
                "archive/hidden-member", f"the member {shown(name)} has a local header but is not in the directory: only some "
                "readers see it", at, name=shown(name), bytes=packed, method=record.method)  # fmt: skip
        at = min(entry.end, end)
        if not after and at < end:
            data = self._source.read(at, min(_DESCRIPTOR, end - at))
            after = descriptor_length(data, crc, packed, size)[0]
        return min(at + after, end)

    def _data_length(self, record: LocalRecord, end: int) -> tuple[int, bytes]:
        """The length of data whose header leaves it open, and the descriptor after it.

        A descriptor counts when it names the very distance to it; without one the data ends at the next record.
        """
        start = record.data_offset
        for at in places(self._source, b"PK", start, end, self._budget):
            head = self._source.upto(at, _DESCRIPTOR)
            if head.startswith((LOCAL, CENTRAL)):
                return at - start, b""
            if head.startswith(DESCRIPTOR):
                for width in (8, 4):
                    if int.from_bytes(head[8 : 8 + width], "little") == at - start and len(head) >= 8 + 2 * width:
                        return at - start, head[: 8 + 2 * width]
        return end - start, b""

    # -- data that no record covers -----------------------------------------------------------------------------

    def _hidden_data(self, start: int, end: int) -> None:
        if self._quiet:
            return
        self.outside += end - start
        where = (
            "before the first member"
            if start == 0
            else "after the end"
            if end == self._source.size
            else "between its parts"
        )
        self._remarks.anomaly(
            "archive/hidden-data", f"{end - start} bytes {where} belong to no member", start, where=where, bytes=end - start,
            begins=self._source.upto(start, min(_SHOWN, end - start)).hex(),
        )  # fmt: skip
