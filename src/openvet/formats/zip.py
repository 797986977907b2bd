r"""Zip archives: local records one after the other, then a directory of them, then an end record.

::

    local header "PK\x03\x04", name, extra fields, data [, data descriptor]     once per member
    directory record "PK\x01\x02", name, extra fields, comment                   once per member
    [ZIP64 end record, ZIP64 locator]
    end record "PK\x05\x06", comment

Both views are read: what the directory lists and what only local headers say. Every member of either becomes a member
of the file; see :mod:`openvet.io.archive.zip`.

Specification: APPNOTE.TXT, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openvet.errors import ReadError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._listing import put_listing, put_problem
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.zip import ArchiveAnomaly, ZipEntry, ZipListing

__all__ = ["FORMAT", "Opener", "holds_bytes", "opened_entries", "probe", "put_listing", "read", "zip_members"]

FORMAT = Format(
    id="zip",
    title="Zip archive",
    extensions=(".zip", ".whl", ".jar", ".egg", ".pyz", ".mar", ".docx", ".xlsx", ".pptx", ".odt", ".epub"),
    media_types=("application/zip", "application/x-zip-compressed", "application/java-archive"),
    can_tell=(
        "The members that the directory lists and those that only local headers show.",
        "Where the two views contradict each other, overlap, repeat a name or hide data.",
        "The content of stored, deflate, bzip2, LZMA and Zstandard members, whatever flags and checksums claim.",
    ),
    cannot_tell=(
        "The content of encrypted members and of members with other compression methods.",
        "Archives that are split into several volumes.",
        "Whether an extra field or a comment means something to a program.",
        "Whether the checksum of a stored member above 8 MiB, or of a stored tensor, is right.",
    ),
)

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_SPANNED = (b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04")
_END_SIZE = 22
#: Members that share bytes with another record and are opened all the same. An honest archive has none.
_SHARED = 16
_LONGEST_TAIL = _END_SIZE + 0xFFFF


def probe(head: Head) -> Likeness:
    """Strong with a local header first, or an end record at the very end that leads to a directory.

    Bytes after the end record make it only likely, for a tar whose last member is a zip has them too; and so does a frame of
    Zstandard whose blocks are stored, which holds the zip as it is: it is read as what the frame holds. A stream of zlib that is
    stored is no zip, for it is only likely itself.
    """
    if head.data.startswith((_LOCAL, _END, *_SPANNED)):
        return Likeness.STRONG
    tail = head.tail
    start = max(head.size - _LONGEST_TAIL, 0)
    if head.size - len(tail) > start:
        tail = head.source.upto(start, head.size - len(tail) - start) + tail
    at = tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail):
        return Likeness.NO
    where = head.size - len(tail) + at
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    wide = tail[max(at - 20, 0) : at].startswith(b"PK\x06\x07")
    if not wide and head.source.upto(max(where - size, 0), 4) != _CENTRAL:
        return Likeness.NO
    if at + _END_SIZE + comment != len(tail):
        from openvet.io.archive.compressed import stored_zlib

        return Likeness.NO if stored_zlib(head.source) else Likeness.WEAK
    from openvet.io.archive.zstd import MAGIC, stored

    return Likeness.WEAK if head.data.startswith(MAGIC) and stored(head.source) else Likeness.STRONG


def read(source: Source, facts: Facts) -> None:
    """List both views and make every entry a member."""
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    put_listing(source, facts, listing)
    facts.add_members(zip_members(source, listing, facts))


def zip_members(source: Source, listing: ZipListing, facts: Facts) -> Iterator[Member]:
    """The entries of a listing as members. What opening one shows to be wrong is recorded in ``facts``."""
    for entry in opened_entries(listing, facts):
        if holds_bytes(entry):
            yield Member(entry.name, entry.size, Opener(source, entry, facts), entry.header_offset)


def opened_entries(listing: ZipListing, facts: Facts) -> Iterator[ZipEntry]:
    """All entries, but of those that share their bytes with another record only the first: thousands of them cost nothing to make."""
    shared = 0
    for entry in listing.entries:
        shared += entry.shared
        if not entry.shared or shared <= _SHARED:
            yield entry
    if shared > _SHARED:
        facts.unknown("limit", f"{shared} members share bytes with other records; {_SHARED} of them were read")


def holds_bytes(entry: ZipEntry) -> bool:
    """Whether an entry is more than the name of a folder."""
    return not entry.is_dir or bool(entry.size or entry.compressed_size)


class Opener:
    """Opens one member. Small, since an archive may have very many."""

    __slots__ = ("_entry", "_facts", "_source", "_told")

    def __init__(self, source: Source, entry: ZipEntry, facts: Facts) -> None:
        self._source = source
        self._entry = entry
        self._facts = facts
        self._told = False

    def __call__(self) -> Source:
        from openvet.io.archive.zip import open_zip_entry

        told, self._told = self._told, True
        return open_zip_entry(self._source, self._entry, self._facts.budget, self._ignore if told else self._report)

    def _report(self, what: ArchiveAnomaly | ReadError) -> None:
        if isinstance(what, ReadError):
            put_problem(self._facts, what)
        else:
            self._facts.anomaly(what.rule, what.message, what.offset, **what.evidence)

    def _ignore(self, what: ArchiveAnomaly | ReadError) -> None:
        """The second opening of a member has nothing new to say."""
