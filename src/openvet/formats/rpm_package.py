"""Packages of RPM: a lead, two headers of tags, and a compressed archive of the files.

::

    lead: ED AB EE DB, 96 bytes in all
    header: 8E AD E8 01, 4 bytes, number of tags (u32), size of the store (u32), big endian
            per tag: tag, type, offset into the store, count (u32 each); then the store
    the first header (signatures) is padded to a multiple of 8 bytes
    a cpio archive, packed by gzip, xz, LZMA, bzip2 or Zstandard, up to the end

The archive becomes a member. The scripts that an installation runs as root are texts of tags (``PREIN``, ``POSTIN`` and so on), and are read as a shell's.

Specification: https://rpm-software-management.github.io/rpm/manual/format_v4.html
"""

from __future__ import annotations

from functools import partial

from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="rpm-package",
    title="package of RPM",
    extensions=(".rpm",),
    media_types=("application/x-rpm",),
    can_tell=(
        "the scripts that its installation runs as root, which nobody should run unread, and every file that it brings",
    ),
    cannot_tell=(
        "what its programs do",
        "archives without the sizes of their files, which packages of files above 4 GiB have",
    ),
)

_LEAD = b"\xed\xab\xee\xdb"
_HEADER = b"\x8e\xad\xe8\x01"
_SCRIPTS = {
    1023: "%pre",
    1024: "%post",
    1025: "%preun",
    1026: "%postun",
    1079: "%verify",
    1151: "%pretrans",
    1152: "%posttrans",
}
_MOST_TAGS = 10_000
_LONGEST = 64 * 1024
_STORE = 64 * 1024 * 1024


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_LEAD) and len(head.data) > 96 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read the scripts, and make the archive a member.

    Raises:
        MalformedError: a header is broken.
    """
    from openvet.formats._shell_script import tell_commands

    facts.anomaly(
        "hub/shell-command", "is a package of RPM, whose scripts are run as root when it is installed", 0, kind="shown"
    )
    _, end = _tags(source, 96)
    tags, end = _tags(source, end + -end % 8)
    names = []
    for tag, script in tags.items():
        names.append(_SCRIPTS[tag])
        tell_commands(script, facts)
    if names:
        facts.note("scripts", sorted(names))
    if end < source.size:
        size = source.size - end
        facts.add_members([Member("payload", size, partial(source.window, end, size), end, plain=True)])


def _tags(source: Source, at: int) -> tuple[dict[int, str], int]:
    """The scripts of a header, and where it ends."""
    start = source.read(at, 16)
    count, size = int.from_bytes(start[8:12], "big"), int.from_bytes(start[12:16], "big")
    if start[:4] != _HEADER or count > _MOST_TAGS or size > _STORE:
        raise MalformedError("has a header that is broken", offset=at)
    index = source.read(at + 16, count * 16)
    store = at + 16 + count * 16
    found: dict[int, str] = {}
    for entry in range(0, count * 16, 16):
        tag, _, offset, _ = (int.from_bytes(index[entry + part : entry + part + 4], "big") for part in (0, 4, 8, 12))
        if tag in _SCRIPTS and offset < size:
            text = source.upto(store + offset, min(_LONGEST, size - offset)).partition(b"\0")[0]
            found[tag] = text.decode("utf-8", "replace")
    return found, store + size
