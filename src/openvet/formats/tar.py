"""Tar archives: blocks of 512 bytes, a header and the data of one entry after the other, and two empty blocks.

::

    header: name[100] mode[8] uid[8] gid[8] size[12] mtime[12] checksum[8] type[1] linkname[100]
            "ustar" version user[32] group[32] major[8] minor[8] prefix[155]      (not in v7)
    data, padded to 512 bytes
    ... 1024 zero bytes

Long names and sizes come in entries of their own in front of the one they describe (GNU ``L`` and ``K``, pax ``x`` and
``g``). Reading goes on behind the end and behind broken headers, because some readers do.

Specification: POSIX.1-2017 pax, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html; GNU tar manual,
https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

from __future__ import annotations

from functools import partial

from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._listing import put_listing
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tar",
    title="Tar archive",
    extensions=(".tar", ".nemo"),
    media_types=("application/x-tar",),
    can_tell=(
        "The entries of v7, ustar, pax and GNU archives, also those behind the end and behind broken headers.",
        "Which entries share a name, link to another place, or are devices.",
    ),
    cannot_tell=(
        "The content of sparse files and of files that are split over several volumes.",
        "Entries of the v7 dialect behind the end.",
        "Where a link inside the archive leads through other links.",
    ),
)


def probe(head: Head) -> Likeness:
    """A header block whose checksum is right; with the magic but a wrong checksum it is only likely."""
    block = head.data[:512]
    if len(block) < 512 or (block[257:262] != b"ustar" and not block[148:154].strip(b" \0").isdigit()):
        return Likeness.NO
    from openvet.io.archive.tar_records import looks_like_header

    if looks_like_header(block):
        return Likeness.STRONG
    return Likeness.WEAK if block[257:262] == b"ustar" else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """List the archive and make every entry with data a member."""
    from openvet.io.archive.tar import open_tar_entry, read_tar

    listing = read_tar(source, facts.budget)
    put_listing(source, facts, listing)
    facts.add_members(
        Member(entry.name, entry.size, partial(open_tar_entry, source, entry), entry.offset)
        for entry in listing.entries
        if entry.size or entry.kind in ("file", "sparse", "multivolume", "other")
    )
