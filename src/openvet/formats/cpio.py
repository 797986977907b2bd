r"""cpio archives: what RPM packages, installers of macOS and the first file system of Linux are packed in.

::

    new ("070701", with checksums "070702"): 13 fields of 8 hexadecimal digits behind the magic: number, mode, user, group, links, time,
        size, device (2), device that it is (2), size of the name, checksum; the name and the data are filled up to multiples of 4
    old in characters ("070707"): octal fields, 76 bytes in all, nothing is filled up
    old in numbers (C7 71 or 71 C7): 13 numbers of 16 bits, large ones high half first; name and data are filled up to multiples of 2
    the entry "TRAILER!!!" ends it; zeros may follow, and another archive behind them (as in an initial file system of Linux)

Reference: cpio(5), https://man.freebsd.org/cgi/man.cgi?query=cpio&sektion=5 ; buffer format of Linux's early user space,
https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._trailing import say_trailing
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.names import NameJudge

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="cpio",
    title="cpio archive",
    extensions=(".cpio",),
    media_types=("application/x-cpio",),
    can_tell=(
        "every entry of the new and the old forms, also of archives that follow each other",
        "which entries share a name, lead outside, link to another place, or are devices",
    ),
    cannot_tell=(
        "archives without the sizes of their files, which RPM writes for very large ones",
        "whether checksums are right",
    ),
)

_NEW = (b"070701", b"070702")
_OLD = b"070707"
_NUMBERS = {b"\xc7\x71": "little", b"\x71\xc7": "big"}
_HEX = pattern(rb"[0-9A-Fa-f]{104}")
_OCTAL = pattern(rb"[0-7]{70}")
_END = b"TRAILER!!!"
#: Bytes of the longest name, as the kernel's PATH_MAX.
_LONGEST_NAME = 4096
_LINK_TEXT = 4096
_FILE, _FOLDER, _LINK, _KIND = 0o100000, 0o040000, 0o120000, 0o170000
_KINDS = frozenset((_FILE, _FOLDER, _LINK, 0o010000, 0o020000, 0o060000, 0o140000, 0))
#: What its bytes begin with.
STARTS = (*_NEW, _OLD, *_NUMBERS)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One header: where it and its data begin, and where the next one is."""

    name: bytes
    mode: int
    size: int
    at: int
    data: int
    next: int


def probe(head: Head) -> Likeness:
    """A whole header with a kind of file that exists, and a name that ends with a zero byte."""
    if len(head.data) < 26 or not head.data.startswith(STARTS):
        return Likeness.NO
    try:
        entry = _entry(head.source, 0)
    except MalformedError:
        return Likeness.NO
    fits = (
        entry is not None
        and entry.mode & _KIND in _KINDS
        and entry.name.isascii()
        and entry.name.decode().isprintable()
    )
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Make every entry with data a member.

    Raises:
        MalformedError: a header is broken, or an entry goes beyond the end.
        LimitError: there are more members than are read.
    """
    from openvet.io.archive.anomaly import Remarks
    from openvet.io.archive.names import NameJudge

    remarks = Remarks(facts.budget)
    judge = NameJudge(remarks)
    try:
        _walk(source, facts, judge)
        judge.chains()
    finally:
        for each in remarks.anomalies:
            facts.anomaly(each.rule, each.message, each.offset, **each.evidence)
        facts.dropped += remarks.dropped
        facts.note("members", len(facts.members))


def _walk(source: Source, facts: Facts, judge: NameJudge) -> None:
    from openvet.io.archive.scan import first_nonzero

    at, steps = 0, 0
    seen: dict[str, int] = {}
    while at < source.size:
        steps += 1
        if not steps % 1024:
            facts.budget.check_time()
        entry = _entry(source, at)
        if entry is None:
            say_trailing(source, facts, at, "the archive")
            return
        if entry.data + entry.size > source.size:
            raise MalformedError("an entry goes beyond the end of the archive", offset=at)
        if entry.name == _END and not entry.size:
            at = first_nonzero(source, entry.next, source.size, facts.budget)
            continue
        _put(source, facts, entry, judge, seen)
        at = entry.next


def _put(source: Source, facts: Facts, entry: _Entry, judge: NameJudge, seen: dict[str, int]) -> None:
    """Remark on an entry, and make it a member where it has data."""
    from openvet.io.archive.names import normal_name, shown

    name = entry.name.decode("utf-8", "surrogateescape")
    kind = entry.mode & _KIND
    judge.name(name, entry.at)
    judge.mode(name, entry.mode, entry.at)
    if kind == _LINK:
        target = source.read(entry.data, min(entry.size, _LINK_TEXT)).decode("utf-8", "surrogateescape")
        judge.link(name, target, entry.at, hard=False)
        return
    if kind not in (_FILE, _FOLDER, 0):
        judge.device(name, entry.mode, entry.at)
    if not entry.size:  # of several names of one file only the last one has its data
        return
    normal = normal_name(name)
    if normal in seen:
        facts.anomaly(
            "archive/duplicate-member", f"two entries are named {shown(normal)}; the later one replaces the earlier one when extracted",
            entry.at, name=shown(normal), first=seen[normal], second=entry.at,
        )  # fmt: skip
    seen.setdefault(normal, entry.at)
    facts.add_members([Member(name, entry.size, partial(source.window, entry.data, entry.size), entry.at, plain=True)])


def _entry(source: Source, at: int) -> _Entry | None:
    """The entry at ``at``; ``None`` where no header stands.

    Raises:
        MalformedError: a header stands there, and its name is none.
    """
    start = source.upto(at, 110)
    if start[:6] in _NEW and _HEX.fullmatch(start[6:110]):
        fields = [int(start[place : place + 8], 16) for place in range(6, 110, 8)]
        mode, size, length, header, unit = fields[1], fields[6], fields[11], 110, 4
    elif start[:6] == _OLD and _OCTAL.fullmatch(start[6:76]):
        mode, length, size = (int(start[a:b], 8) for a, b in ((18, 24), (59, 65), (65, 76)))
        header, unit = 76, 1
    elif start[:2] in _NUMBERS and len(start) >= 26:
        order = _NUMBERS[start[:2]]
        numbers = [int.from_bytes(start[place : place + 2], order) for place in range(0, 26, 2)]  # type: ignore[arg-type]
        mode, length, size, header, unit = numbers[3], numbers[10], numbers[11] << 16 | numbers[12], 26, 2
    else:
        return None
    if not 1 <= length <= _LONGEST_NAME:
        raise MalformedError(f"an entry has a name of {length} bytes", offset=at)
    name = source.upto(at + header, length)
    if len(name) < length or name[-1:] != b"\0":
        raise MalformedError("the name of an entry has no end", offset=at)
    # the filling of the new form counts from the header, which stands at a multiple of it
    data = at + header + length + -(header + length) % unit
    return _Entry(name.rstrip(b"\0"), mode, size, at, data, data + size + -size % unit)
