"""Tar files: v7, ustar, pax and GNU, read as ``tarfile`` reads them, and past the places where it stops.

Where readers disagree (a header whose checksum is wrong, a folder that has a size, entries after the end) both
readings are delivered and an anomaly says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.io.archive.anomaly import ArchiveAnomaly, Remarks
from openvet.io.archive.names import NameJudge, normal_name, shown
from openvet.io.archive.scan import equal_bytes, first_nonzero, places
from openvet.io.archive.tar_records import (
    BLOCK_SIZE,
    WITHOUT_DATA,
    Header,
    TarEntry,
    looks_like_header,
    parse_header,
    parse_pax,
    pax_number,
)
from openvet.io.source import Source

__all__ = ["TarEntry", "TarListing", "open_tar_entry", "read_tar"]

#: Bytes of one pax header.
_PAX = 1024 * 1024
#: Sizes below this fit into the 11 octal digits of a header and need no pax record.
_LARGEST_OCTAL = 8**11
_EXTENSIONS = frozenset({"long-name", "long-link", "pax", "pax-global"})


@dataclass(frozen=True, slots=True)
class TarListing:
    """What a tar contains.

    Attributes:
        entries: in their order in the file; of two with one name the later one counts for most readers.
        anomalies: contradictions, and names and kinds that are dangerous to extract.
        problems: what could not be read.
        dropped: anomalies and problems beyond the limit ``records``.
        outside: bytes that are not zero and belong to no entry.
    """

    entries: tuple[TarEntry, ...]
    anomalies: tuple[ArchiveAnomaly, ...]
    problems: tuple[ReadError, ...] = ()
    dropped: int = 0
    outside: int = 0

    def declared(self) -> Iterator[tuple[int, int]]:
        """What is packed in a tar by itself: nothing."""
        return iter(())

    @property
    def extent(self) -> int:
        """Where the last entry that is packed ends."""
        return 0


def read_tar(source: Source, budget: Budget) -> TarListing:
    """List a tar.

    Raises:
        ReadError: the source itself cannot be read; whatever is wrong with the archive is in the listing.
    """
    reading = _TarReading(source, budget)
    for step in (reading.walk, reading.judge):
        try:
            step()
        except (LimitError, MalformedError, UnsupportedError) as error:
            reading.remarks.problem(error)
    remarks = reading.remarks
    return TarListing(
        tuple(reading.entries), tuple(remarks.anomalies), tuple(remarks.problems), remarks.dropped, reading.outside
    )


def open_tar_entry(source: Source, entry: TarEntry) -> Source:
    """The content of an entry: a window, cut where the file ends.

    Raises:
        UnsupportedError: the entry is sparse or a part of a file.
    """
    if entry.kind in ("sparse", "multivolume"):
        raise UnsupportedError(f"a {entry.kind} file in a tar is not put together", offset=entry.offset)
    return source.window(entry.data_offset, max(min(entry.size, source.size - entry.data_offset), 0))


@dataclass(slots=True)
class _Pending:
    """What extension headers say about the entry that follows them."""

    start: int | None = None
    name: bytes | None = None
    linkname: bytes | None = None
    pax: Mapping[str, bytes] = field(default_factory=dict)


class _TarReading:
    """One listing on its way."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.remarks = Remarks(budget)
        self.entries: list[TarEntry] = []
        self.outside = 0
        self._judge = NameJudge(self.remarks)
        self._global: dict[str, bytes] = {}
        self._pending = _Pending()
        #: readers stop at the first empty block and at the first block that is no header
        self._after_end = False
        self._names = 0

    # -- from block to block ------------------------------------------------------------------------------------

    def walk(self) -> None:
        """Read headers one after the other; after a break go on at the next block that is a header."""
        at = 0
        steps = 0
        while at < self.source.size:
            steps += 1
            if not steps % 1024:
                self.budget.check_time()
            block = self.source.upto(at, BLOCK_SIZE)
            if not block.strip(b"\0"):
                at = self._skip_zeros(at)
                self._after_end = True
                continue
            header = self._header(block, at)
            if header is None:
                at = self._junk(at)
                continue
            if len(self.entries) >= self.budget.limits.members - self.budget.members:
                allowed = self.budget.limits.members
                self.remarks.problem(
                    LimitError("members", allowed, "too many members; the rest was not read", offset=at)
                )
                return
            at = self._extension(header, at) if header.kind in _EXTENSIONS else self._entry(header, at)

    def _header(self, block: bytes, at: int) -> Header | None:
        """The header in ``block``, also where only its checksum is wrong."""
        if len(block) < BLOCK_SIZE:
            return None
        fits = looks_like_header(block)
        if not fits and not block[257:].startswith(b"ustar"):
            return None
        try:
            header = parse_header(block)
        except MalformedError as error:
            self.remarks.problem(MalformedError(error.message, offset=at))
            return None
        if not fits:
            self.remarks.anomaly(
                "archive/checksum-mismatch", f"the header of the entry {shown(_decoded(header.name))} has a wrong checksum: some "
                "readers stop here, others go on", at, name=shown(_decoded(header.name)))  # fmt: skip
        return header

    def _skip_zeros(self, at: int) -> int:
        """The block in which the next byte is that is not zero."""
        found = first_nonzero(self.source, at, self.source.size, self.budget)
        return found if found == self.source.size else at + (found - at) // BLOCK_SIZE * BLOCK_SIZE

    def _junk(self, at: int) -> int:
        """Remark on data where a header should be; the offset of the next header of a modern dialect."""
        following = self.source.size
        for magic in places(self.source, b"ustar", at + BLOCK_SIZE + 257, self.source.size, self.budget):
            block = magic - 257
            if (block - at) % BLOCK_SIZE == 0 and looks_like_header(self.source.upto(block, BLOCK_SIZE)):
                following = block
                break
        self.outside += following - at
        where = "after the end" if self._after_end else "where a header should be"
        self.remarks.anomaly(
            "archive/hidden-data", f"{following - at} bytes {where} belong to no entry", at, where=where, bytes=following - at,
            begins=self.source.upto(at, 16).hex(),
        )  # fmt: skip
        self._after_end = True
        return following

    # -- headers that only describe the next one ----------------------------------------------------------------

    def _extension(self, header: Header, at: int) -> int:
        start = at + BLOCK_SIZE
        if self._pending.start is None:
            self._pending.start = at
        try:
            limit = _PAX if header.kind.startswith("pax") else self.budget.limits.member_name + 1
            if header.size > limit:
                if header.kind.startswith("pax"):
                    raise UnsupportedError(f"a pax header of {header.size} bytes is not read", offset=at)
                raise LimitError(
                    "member_name", self.budget.limits.member_name, "the name of a member is too long", offset=at
                )
            data = self.source.read(start, header.size)
            if header.kind == "long-name":
                self._pending.name = data.split(b"\0", 1)[0]
            elif header.kind == "long-link":
                self._pending.linkname = data.split(b"\0", 1)[0]
            elif header.kind == "pax":
                self._pending.pax = {**self._pending.pax, **parse_pax(data)}
            else:
                self._global.update(parse_pax(data))
        except ReadError as error:
            error.offset = at if error.offset is None else error.offset
            self.remarks.problem(error)
        self._padding(start, header.size)
        return start + _padded(header.size)

    def _padding(self, data: int, size: int) -> None:
        """Remark on what fills up the last block of an entry, where it is not zero: no reader looks at it."""
        filling = self.source.upto(data + size, -size % BLOCK_SIZE)
        held = filling.strip(b"\0")
        if held:
            at, count = data + size + filling.index(held), len(held)
            self.outside += count
            self.remarks.anomaly(
                "archive/hidden-data", f"{count} bytes in the padding of an entry belong to no entry", at, where="padding",
                bytes=count, begins=held[:16].hex(),
            )  # fmt: skip

    # -- entries ------------------------------------------------------------------------------------------------

    def _entry(self, header: Header, at: int) -> int:
        """Add the entry of a header, and give the offset of the next one."""
        pending, self._pending = self._pending, _Pending()
        pax = {**self._global, **pending.pax}
        data = at + BLOCK_SIZE
        while header.more_sparse and data < self.source.size:
            more = self.source.upto(data, BLOCK_SIZE)[504:505]
            data += BLOCK_SIZE
            if more in (b"", b"\0"):
                break
        name = self._name(header, pending, pax, at)
        size = self._size(header, pax, name, at)
        linkname = pax.get("linkpath") or pending.linkname or header.linkname
        kind = "sparse" if "sparse" in pax and header.kind == "file" else header.kind
        if header.by_slash and not name.endswith("/"):
            kind = "file"  # only the short form of its name was cut at a slash
        if kind in WITHOUT_DATA and size:
            if self._header_follows(data):
                size = 0
            else:
                self.remarks.anomaly(
                    "archive/header-mismatch",
                    f"the {kind} {shown(name)} carries {size} bytes",
                    at,
                    kind="fields",
                    differs={"size": [0, size]},
                )
        entry = TarEntry(
            name, kind, at if pending.start is None else pending.start, data, size, _decoded(linkname), header.mode
        )
        self._add(entry)
        if entry.end > self.source.size:
            self.remarks.problem(
                MalformedError(f"the entry {shown(name)} is cut off at the end", offset=self.source.size)
            )
        shorter = data + _padded(min(size, header.size))
        if header.size < size < _LARGEST_OCTAL and looks_like_header(self.source.upto(shorter, BLOCK_SIZE)):
            return shorter  # readers that know no pax headers see entries where others see content: read both
        self._padding(data, size)
        return data + _padded(size)

    def _name(self, header: Header, pending: _Pending, pax: Mapping[str, bytes], at: int) -> str:
        short = header.prefix + b"/" + header.name if header.prefix else header.name
        if pending.name is not None and "path" in pax and pending.name != pax["path"]:
            self.remarks.anomaly(
                "archive/header-mismatch", f"one entry has two long names, {shown(_decoded(pending.name))} and "
                f"{shown(_decoded(pax['path']))}", at, kind="name",
                differs={"name": [shown(_decoded(pending.name)), shown(_decoded(pax["path"]))]})  # fmt: skip
            self._judge.name(_decoded(pending.name), at)
        if header.gnu and header.prefix:
            self._judge.name(_decoded(header.name), at)  # GNU tar keeps other things where ustar has a prefix
        return _decoded(pax.get("path") or pending.name or short)

    def _size(self, header: Header, pax: Mapping[str, bytes], name: str, at: int) -> int:
        if "size" not in pax:
            return header.size
        try:
            size = pax_number(pax["size"])
        except ReadError as error:
            self.remarks.problem(type(error)(error.message, offset=at))
            return header.size
        if size != header.size and size < _LARGEST_OCTAL:
            self.remarks.anomaly(
                "archive/header-mismatch", f"the entry {shown(name)} has another size in its pax header than in its own", at,
                kind="fields", differs={"size": [header.size, size]})  # fmt: skip
        return size

    def _header_follows(self, at: int) -> bool:
        block = self.source.upto(at, BLOCK_SIZE)
        return not block.strip(b"\0") or looks_like_header(block)

    def _add(self, entry: TarEntry) -> None:
        self._names += len(entry.name) + len(entry.linkname)
        limits = self.budget.limits
        if len(entry.name) > limits.member_name:
            self.remarks.problem(
                LimitError("member_name", limits.member_name, "the name of a member is too long", offset=entry.offset)
            )
            return
        if self._names > limits.header:
            raise LimitError(
                "header", limits.header, "the names of the members are too long together", offset=entry.offset
            )
        self.entries.append(entry)
        if self._after_end:
            self.remarks.anomaly(
                "archive/hidden-member", f"the entry {shown(entry.name)} comes after the end of the archive: only some readers see it",
                entry.offset, name=shown(entry.name), bytes=entry.size)  # fmt: skip

    # -- names and kinds ----------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Remark on every entry by itself, and on those that share a name."""
        by_name: dict[str, TarEntry] = {}
        for index, entry in enumerate(self.entries):
            self._judge.name(entry.name, entry.offset)
            self._kind(entry)
            first = by_name.setdefault(normal_name(entry.name), entry)
            if first is not entry and not (first.kind == entry.kind == "dir"):
                self._duplicate(first, entry)
            if not index % 4096:
                self.budget.check_time()
        self._judge.chains()

    def _kind(self, entry: TarEntry) -> None:
        if entry.kind in ("symlink", "hardlink"):
            self._judge.link(entry.name, entry.linkname, entry.offset, hard=entry.kind == "hardlink")
        elif entry.kind in ("char", "block", "fifo"):
            self.remarks.anomaly(
                "archive/special-member",
                f"the entry {shown(entry.name)} is a device or pipe ({entry.kind})",
                entry.offset,
                name=shown(entry.name),
                kind=entry.kind,
            )
        elif entry.kind != "dir":
            self._judge.mode(entry.name, entry.mode, entry.offset)

    def _duplicate(self, first: TarEntry, second: TarEntry) -> None:
        same_kind = (first.kind, first.size, first.linkname) == (second.kind, second.size, second.linkname)
        identical = same_kind and equal_bytes(
            self.source, first.data_offset, second.data_offset, first.size, self.budget
        )
        self.remarks.anomaly(
            "archive/duplicate-member", f"two entries are named {shown(normal_name(second.name))}"
            + (" and have the same content" if identical else "; the later one replaces the earlier one when extracted"),
            second.offset, name=shown(normal_name(second.name)), first=first.offset, second=second.offset, identical=identical,
        )  # fmt: skip


def _padded(size: int) -> int:
    return -(-size // BLOCK_SIZE) * BLOCK_SIZE


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
