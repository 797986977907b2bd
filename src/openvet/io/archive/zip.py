"""Zip files, as every kind of reader sees them.

``zipfile`` goes by the directory, torch's miniz ignores flags and checksums, streaming readers go by the local headers
one after the other. A hostile zip shows each of them another file. So the listing holds what the directory lists and
what only local headers say, and an anomaly wherever the views differ.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.io.archive.anomaly import ArchiveAnomaly, Remarks
from openvet.io.archive.names import NameJudge, is_plain, normal_name, shown
from openvet.io.archive.scan import equal_bytes
from openvet.io.archive.zip_directory import Directory, EndRecord, find_directories, find_end, read_directory
from openvet.io.archive.zip_entry import open_zip_entry
from openvet.io.archive.zip_gaps import GapWalk, Span
from openvet.io.archive.zip_records import (
    ENCRYPTED,
    MASKED_HEADER,
    SIZES_FOLLOW,
    CentralRecord,
    LocalRecord,
    ZipEntry,
    decode_name,
    names_agree,
    read_local,
)
from openvet.io.source import Source

__all__ = ["ArchiveAnomaly", "ZipEntry", "ZipListing", "open_zip_entry", "read_zip"]

#: The bits of a mode that may be remarked on: the kind, set-user-id, set-group-id.
_TOLD = 0o176000
#: What the deflated form of no bytes takes, with which many writers pack a folder.
_NOTHING = 2


@dataclass(frozen=True, slots=True)
class ZipListing:
    """What a zip contains.

    Attributes:
        entries: in the order of the directory, then what only local headers or a second directory say.
        anomalies: contradictions between the views, and names and kinds that are dangerous to extract.
        problems: what could not be read; what was read before is in ``entries``.
        dropped: anomalies and problems beyond the limit ``records``.
        outside: bytes that are not zero and belong to no record.
    """

    entries: tuple[ZipEntry, ...]
    anomalies: tuple[ArchiveAnomaly, ...]
    problems: tuple[ReadError, ...] = ()
    dropped: int = 0
    outside: int = 0

    def declared(self) -> Iterator[tuple[int, int]]:
        """What each member takes when it is decoded, and encoded, as the headers say."""
        return ((entry.size, entry.compressed_size) for entry in self.entries if not entry.is_dir)

    @property
    def extent(self) -> int:
        """Where the last member ends."""
        return max((entry.end for entry in self.entries), default=0)


def read_zip(source: Source, budget: Budget) -> ZipListing:
    """List a zip. Decodes nothing but the targets of symbolic links.

    Raises:
        ReadError: the source itself cannot be read; whatever is wrong with the archive is in the listing.
    """
    reading = _ZipReading(source, budget)
    for step in (reading.directories, reading.gaps, reading.judge):
        try:
            step()
        except (LimitError, MalformedError, UnsupportedError) as error:
            reading.remarks.problem(error)
    remarks = reading.remarks
    return ZipListing(
        tuple(reading.entries), tuple(remarks.anomalies), tuple(remarks.problems), remarks.dropped, reading.outside
    )


class _ZipReading:
    """One listing on its way."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.remarks = Remarks(budget)
        self.entries: list[ZipEntry] = []
        self.outside = 0
        self._judge = NameJudge(self.remarks)
        #: directories and end records; what the entries cover is computed when it is needed
        self._spans: list[Span] = []
        self._found_end = False

    @property
    def _room(self) -> int:
        return max(self.budget.limits.members - self.budget.members - len(self.entries), 0)

    # -- the directories ----------------------------------------------------------------------------------------

    def directories(self) -> None:
        """Read the directory that most readers take, then every other one that some reader would take."""
        ends = list(find_end(self.source))
        first: EndRecord | None = None
        for end in ends:
            if first is not None and end.end != self.source.size:
                continue
            try:
                directories = find_directories(self.source, end)
            except UnsupportedError as error:
                if end is ends[0]:
                    self.remarks.problem(error)
                continue
            if not directories:
                continue
            if first is None:
                first = end
                self._found_end = True
            for directory in directories:
                self._directory(directory, primary=not self._spans)
            self._end_record(end)
        if first is None:
            self.remarks.problem(MalformedError("there is no directory at the end; only the local headers were read"))
        elif first is not ends[0]:
            self.remarks.anomaly(
                "archive/header-mismatch",
                "the last end record leads to no directory, an earlier one does",
                ends[0].start,
                kind="directory",
                expected=ends[0].start,
                seen=first.start,
            )

    def _end_record(self, end: EndRecord) -> None:
        if end.end > self.source.size:
            self.remarks.anomaly(
                "archive/header-mismatch",
                "the comment of the archive is cut off",
                end.start,
                kind="comment",
                expected=end.end,
                seen=self.source.size,
            )
        self._spans.append(Span(end.records, min(end.end, self.source.size)))

    def _directory(self, directory: Directory, *, primary: bool) -> None:
        position = directory.start
        added = 0
        listed = set() if primary else {(entry.header_offset, entry.name) for entry in self.entries if entry.central}
        for at, record in read_directory(self.source, directory, self.budget, self.remarks, self._room):
            position = at + record.length
            name = decode_name(record.name, record.flags)
            header = record.header_offset + directory.shift
            if (header, name) in listed:
                continue
            self._central(record, name, header, at, primary=primary)
            added += 1
        self._spans.append(Span(directory.start, position))
        if not primary and added:
            self.remarks.anomaly(
                "archive/header-mismatch", f"a second directory lists {added} members otherwise than the first one: readers "
                "disagree on what this archive contains", directory.start, kind="directory", members=added)  # fmt: skip

    def _central(self, record: CentralRecord, name: str, header: int, at: int, *, primary: bool) -> None:
        """Add the entry of one directory record, and its local view where that differs."""
        local: LocalRecord | None = None
        try:
            local = read_local(self.source, header, len(record.name))
        except MalformedError as error:
            self.remarks.anomaly(
                "archive/header-mismatch",
                f"the member {shown(name)} has no local header where the directory says",
                at,
                kind="missing",
                name=shown(name),
                expected=header,
            )
            self.remarks.problem(MalformedError(f"the member {shown(name)}: {error.message}", offset=error.offset))
        entry = ZipEntry(
            name, header, -1 if local is None else local.data_offset, record.compressed_size, record.size, record.method,
            record.flags, record.crc, primary, record.mode, False, -1 if local is None else local.first,
        )  # fmt: skip
        self.entries.append(entry)
        if local is not None:
            self._compare(entry, record, local)
            if entry.end > self.source.size:
                self.remarks.problem(
                    MalformedError(f"the member {shown(name)} is cut off at the end", offset=self.source.size)
                )
        if record.unicode_name is not None:
            self._compare_unicode(name, record.unicode_name, at)

    # -- the two views of one member ----------------------------------------------------------------------------

    def _compare(self, entry: ZipEntry, central: CentralRecord, local: LocalRecord) -> None:
        if local[:6] == central[:6] and (entry.method or entry.size == entry.compressed_size):
            return  # name, flags, method, checksum and both sizes: as almost always
        differs: dict[str, list[object]] = {}
        # A masked header (strong encryption of the directory) hides name and sizes by design.
        masked = bool(local.flags & MASKED_HEADER)
        if local.name != central.name and not masked:
            differs["name"] = [shown(entry.name), shown(decode_name(local.name, local.flags))]
        if local.method != central.method:
            differs["method"] = [central.method, local.method]
        if (local.flags ^ central.flags) & ENCRYPTED:
            differs["encrypted"] = [bool(central.flags & ENCRYPTED), bool(local.flags & ENCRYPTED)]
        if local.sizes_known and not masked:
            # writers in one pass may know the size of what they are given, and not yet to what it packs
            open_yet = local.flags & SIZES_FOLLOW and not local.compressed_size
            if local.compressed_size != central.compressed_size and not open_yet:
                differs["compressed_size"] = [central.compressed_size, local.compressed_size]
            if local.size != central.size:
                differs["size"] = [central.size, local.size]
            if local.crc != central.crc and (local.crc or not local.flags & 8):
                differs["crc"] = [f"{central.crc:08x}", f"{local.crc:08x}"]
        if entry.method == 0 and entry.size != entry.compressed_size and not entry.flags & ENCRYPTED:
            differs["stored"] = [entry.size, entry.compressed_size]
        if not differs:
            return
        self.remarks.anomaly(
            "archive/header-mismatch",
            f"the member {shown(entry.name)} has another {_words(differs)} in its local header than in the directory"
            if set(differs) != {"stored"} else f"the member {shown(entry.name)} is stored, but its two sizes differ",
            entry.header_offset, kind="name" if "name" in differs else "fields", differs=differs,
        )  # fmt: skip
        if {"name", "method", "compressed_size", "size"} & differs.keys() and self._room:
            self.entries.append(entry._replace(
                name=decode_name(local.name, local.flags),
                method=local.method,
                flags=local.flags,
                compressed_size=local.compressed_size if local.sizes_known else central.compressed_size,
                size=local.size if local.sizes_known else central.size,
                crc=local.crc if local.sizes_known else central.crc,
                central=False,
                shared=True,
            ))  # fmt: skip

    def _compare_unicode(self, name: str, unicode_name: str, at: int) -> None:
        if names_agree(name, unicode_name):
            return
        self.remarks.anomaly(
            "archive/header-mismatch", f"the member {shown(name)} has the other name {shown(unicode_name)} in its Unicode field",
            at, kind="name", differs={"name": [shown(name), shown(unicode_name)]},
        )  # fmt: skip
        self._judge.name(unicode_name, at)

    # -- what lies between the members --------------------------------------------------------------------------

    def gaps(self) -> None:
        """Find records that share bytes, and look at every byte that no record covers."""
        # members that a limit kept out of the listing are not hidden ones
        cut = any(isinstance(each, LimitError) and each.limit != "member_name" for each in self.remarks.problems)
        walk = GapWalk(self.source, self.budget, self.remarks, quiet=not self._found_end)
        position = 0
        last: ZipEntry | None = None
        shared: set[int] = set()
        previous = -1
        first_overlap: tuple[int, int] | None = None
        for span in sorted([*self._spans, *self._entry_spans()]):
            if span.start > position and not cut:
                walk.gap(position, span.start, last, self._room - len(walk.entries))
            elif span.start < min(position, span.end):
                shared.update(index for index in (previous, span.entry) if index >= 0)
                if span.entry >= 0 or previous >= 0:
                    first_overlap = first_overlap or (previous, span.entry)
            if span.end > position:
                position = span.end
                previous = span.entry
                last = self.entries[span.entry] if span.entry >= 0 else None
        if position < self.source.size and not cut:
            walk.gap(position, self.source.size, last, self._room - len(walk.entries))
        for index in shared:
            self.entries[index] = self.entries[index]._replace(shared=True)
        if first_overlap is not None:
            self._overlap(first_overlap, len(shared))
        self.entries.extend(walk.entries)
        self.outside = walk.outside

    def _entry_spans(self) -> Iterator[Span]:
        """What the entries cover; an entry that only repeats another one in its local view is left out."""
        for index, entry in enumerate(self.entries):
            if entry.data_offset >= 0 and not entry.shared:
                yield Span(entry.header_offset, min(entry.end, self.source.size), index)

    def _overlap(self, pair: tuple[int, int], count: int) -> None:
        names = [shown(self.entries[index].name) if index >= 0 else "the directory" for index in pair]
        offset = self.entries[max(pair)].header_offset
        self.remarks.anomaly(
            "archive/overlapping-members",
            f"{count} members share bytes with another record, the first are {names[0]} and {names[1]}",
            offset,
            members=count,
            first=names,
        )

    # -- names and kinds ----------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Remark on every entry by itself, and on those that share a name."""
        by_name: dict[str, int] = {}
        # without a directory the local headers are all there is, and duplicates among them count
        for index, entry in enumerate(self.entries):
            if not is_plain(entry.name):
                self._name(entry)
            self._kind(entry, entry.header_offset)
            if entry.flags & ENCRYPTED:
                self.remarks.anomaly(
                    "archive/encrypted-member",
                    f"the member {shown(entry.name)} says that it is encrypted",
                    entry.header_offset,
                    name=shown(entry.name),
                    method=entry.method,
                )
            if entry.central or not self._found_end:
                first = by_name.setdefault(normal_name(entry.name), index)
                if first != index:
                    self._duplicate(self.entries[first], entry)
            if not index % 4096:
                self.budget.check_time()
        self._judge.chains()

    def _name(self, entry: ZipEntry) -> None:
        self._judge.name(entry.name, entry.header_offset)
        if "\0" in entry.name:
            self.remarks.anomaly(
                "archive/header-mismatch", f"the name {shown(entry.name)} holds a NUL, where some readers end it",
                entry.header_offset, kind="name",
                differs={"name": [shown(entry.name), shown(entry.name.split(chr(0), 1)[0])]},
            )  # fmt: skip

    def _kind(self, entry: ZipEntry, offset: int) -> None:
        if entry.mode & _TOLD in (0, stat.S_IFREG) and not entry.is_dir:
            return
        kind = stat.S_IFMT(entry.mode)
        if entry.is_dir:
            if entry.size or entry.compressed_size > _NOTHING:
                self.remarks.anomaly(
                    "archive/hidden-data",
                    f"the folder {shown(entry.name)} carries {entry.size} bytes",
                    offset,
                    where="folder",
                    name=shown(entry.name),
                    bytes=entry.size,
                )
        elif kind == stat.S_IFLNK:
            self._link(entry, offset)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
            self._judge.device(entry.name, entry.mode, offset)
        else:
            self._judge.mode(entry.name, entry.mode, offset)

    def _link(self, entry: ZipEntry, offset: int) -> None:
        """A symbolic link's target is its content (Info-ZIP)."""
        try:
            if entry.size > self.budget.limits.member_name:
                raise MalformedError("its target is too long to be a path")
            with open_zip_entry(self.source, entry, self.budget) as content:
                target = content.upto(0, self.budget.limits.member_name).decode("utf-8", "surrogateescape")
        except LimitError:
            raise
        except ReadError as error:
            self.remarks.anomaly(
                "archive/special-member",
                f"the member {shown(entry.name)} is a symbolic link, but {error.message}",
                offset,
                name=shown(entry.name),
                kind="link",
            )
            return
        self._judge.link(entry.name, target, offset, hard=False)

    def _duplicate(self, first: ZipEntry, second: ZipEntry) -> None:
        identical = same_bytes(self.source, first, second, self.budget)
        self.remarks.anomaly(
            "archive/duplicate-member", f"two members are named {shown(second.name)}"
            + (" and have the same content" if identical else "; which one counts depends on the reader"),
            second.header_offset, name=shown(second.name), first=first.header_offset, second=second.header_offset,
            identical=identical,
        )  # fmt: skip


def same_bytes(source: Source, first: ZipEntry, second: ZipEntry, budget: Budget) -> bool:
    """Whether two entries hold the same data in the same encoding. Looked up, never believed."""
    if first.data_offset < 0 or second.data_offset < 0:
        return False
    if (first.method, first.compressed_size) != (second.method, second.compressed_size):
        return False
    if first.data_offset != second.data_offset and (first.shared or second.shared):
        return False  # members that share bytes could be compared for ever
    return equal_bytes(source, first.data_offset, second.data_offset, first.compressed_size, budget)


_WORDS = {
    "compressed_size": "compressed size",
    "crc": "checksum",
    "encrypted": "encryption flag",
    "stored": "stored size",
}


def _words(differs: dict[str, list[object]]) -> str:
    return ", ".join(_WORDS.get(key, key) for key in differs)
