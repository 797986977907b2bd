"""Where a zip's directory is. Readers disagree on it, so every place that one of them would take is looked at.

Python's ``zipfile`` counts back from the end record, miniz (and with it torch) takes the offset that the end record
names; with ZIP64 some trust the locator and some the place right before it; and where several end records could be
meant, one reader takes the last and another the one whose comment fits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.io.archive.anomaly import Remarks
from openvet.io.archive.zip_records import (
    CENTRAL,
    CENTRAL_SIZE,
    END,
    END64,
    LOCATOR64,
    CentralRecord,
    central_length,
    parse_central,
)
from openvet.io.source import Source

__all__ = ["Directory", "EndRecord", "find_directories", "find_end", "read_directory"]

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
#: An end record and the longest comment that it may have.
_TAIL = _END.size + 0xFFFF
#: End records that are looked at, from the last one backwards.
_CANDIDATES = 16
_FULL16, _FULL32 = 0xFFFF, 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class EndRecord:
    """An end of central directory record (4.3.16).

    Attributes:
        start: where it begins.
        end: where its comment ends, as it says; may lie beyond the source.
        records: where the records that belong to it (its ZIP64 record and locator) begin.
        comment: length of the comment that is really there.
    """

    start: int
    end: int
    records: int
    comment: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One place where a reader would look for the directory.

    Attributes:
        start: of its first record in the source.
        size: bytes, as the end record says.
        count: records, as the end record says.
        shift: what must be added to the offsets in it (bytes in front of the archive).
        wide: the numbers come from a ZIP64 record.
        end: the end record that leads here.
    """

    start: int
    size: int
    count: int
    shift: int
    wide: bool
    end: EndRecord


def find_end(source: Source) -> Iterator[EndRecord]:
    """Every possible end record, the last one (which most readers take) first."""
    start = max(source.size - _TAIL, 0)
    tail = source.upto(start, _TAIL)
    at = len(tail)
    for _ in range(_CANDIDATES):
        at = tail.rfind(END, 0, at + len(END) - 1)
        if at < 0:
            return
        if at + _END.size <= len(tail):
            said = _END.unpack_from(tail, at)[7]
            begin = start + at
            yield EndRecord(
                begin, begin + _END.size + said, _first_record(source, begin), min(said, len(tail) - at - _END.size)
            )


def _first_record(source: Source, end: int) -> int:
    """Where the ZIP64 records in front of the end record at ``end`` begin; ``end`` if there are none."""
    locator = end - _LOCATOR64.size
    if locator < 0 or source.read(locator, 4) != LOCATOR64:
        return end
    record = locator - _END64.size
    return record if record >= 0 and source.read(record, 4) == END64 else locator


def find_directories(source: Source, end: EndRecord) -> list[Directory]:
    """Every place that ``end`` may be taken to lead to and where a directory begins, that of ``zipfile`` first.

    Raises:
        UnsupportedError: the archive has several volumes.
    """
    found: list[Directory] = []
    for disk, count, size, offset, wide, stop in _readings(source, end):
        if disk not in (0, _FULL16, _FULL32):
            raise UnsupportedError("a zip of several volumes", offset=end.start)
        for start, shift in ((stop - size, stop - size - offset), (offset, 0)):
            inside = 0 <= start <= stop and (shift >= 0 or size == 0)
            begins = inside and (source.upto(start, 4) == CENTRAL or (count == 0 and size == 0 and start == stop))
            if begins and all((each.start, each.shift) != (start, shift) for each in found):
                found.append(Directory(start, size, count, shift, wide, end))
    return found


def _readings(source: Source, end: EndRecord) -> Iterator[tuple[int, int, int, int, bool, int]]:
    """Disk, count, size, offset, whether ZIP64, and where the directory should stop: once for each way to read them."""
    plain = _END.unpack(source.read(end.start, _END.size))
    locator = end.start - _LOCATOR64.size
    if locator >= 0:
        signature, _, named, _ = _LOCATOR64.unpack(source.read(locator, _LOCATOR64.size))
        if signature == LOCATOR64:
            for at in (locator - _END64.size, named):
                if 0 <= at <= locator - _END64.size and source.read(at, 4) == END64:
                    wide = _END64.unpack(source.read(at, _END64.size))
                    yield wide[4], wide[7], wide[8], wide[9], True, at
    if plain[5] != _FULL32 and plain[6] != _FULL32:
        yield plain[1], plain[4], plain[5], plain[6], False, end.records


def read_directory(
    source: Source, directory: Directory, budget: Budget, remarks: Remarks, room: int
) -> Iterator[tuple[int, CentralRecord]]:
    """The records of a directory with their offsets, at most ``room``; a break goes to ``remarks`` and ends it.

    ``zipfile`` stops after the size that the end record says, others after the count; records go on as long as
    either wants more and a record begins there.
    """
    cursor = source.cursor(directory.start)
    stop = directory.start + directory.size
    names = 0
    seen = 0
    while cursor.position < stop or seen < directory.count:
        at = cursor.position
        head = cursor.peek(CENTRAL_SIZE)
        if not head.startswith(CENTRAL):
            if at < stop:
                remarks.problem(MalformedError("the directory breaks off: no record begins here", offset=at))
            break
        if seen >= room:
            allowed = budget.limits.members
            remarks.problem(LimitError("members", allowed, "too many members; the rest was not read", offset=at))
            return
        try:
            record = parse_central(cursor.read(central_length(head)))
        except MalformedError as error:
            remarks.problem(MalformedError(error.message, offset=at))
            break
        names += len(record.name)
        if len(record.name) > budget.limits.member_name:
            remarks.problem(
                LimitError("member_name", budget.limits.member_name, "the name of a member is too long", offset=at)
            )
        elif names > budget.limits.header:
            allowed = budget.limits.header
            remarks.problem(LimitError("header", allowed, "the names of the members are too long together", offset=at))
            return
        else:
            yield at, record
        seen += 1
        if not seen % 4096:
            budget.check_time()
    _compare_counts(directory, seen, cursor.position, remarks)


def _compare_counts(directory: Directory, seen: int, end: int, remarks: Remarks) -> None:
    # Writers without ZIP64 let the count of 16 bits run over; all readers know that.
    count_fits = seen == directory.count or (not directory.wide and seen & _FULL16 == directory.count)
    size_fits = end - directory.start == directory.size
    if not count_fits or not size_fits:
        remarks.anomaly(
            "archive/header-mismatch",
            f"the end record announces {directory.count} members in {directory.size} bytes, but the directory has {seen} "
            f"in {end - directory.start}",
            directory.end.start, kind="directory", expected=[directory.count, directory.size],
            seen=[seen, end - directory.start],
        )  # fmt: skip
