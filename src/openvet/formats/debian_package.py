r"""Packages of Debian: an ``ar`` archive of a version, a tar with the scripts that are run as root, and a tar with the files.

::

    "!<arch>\n"
    per member, at an even offset: name[16] mtime[12] uid[6] gid[6] mode[8] size[10] 0x60 0x0A, then the data
    members: debian-binary ("2.0\n"), control.tar[.gz .xz .zst], data.tar[.gz .xz .zst .bz2 .lzma]

The tars become members, so that the scripts (``preinst``, ``postinst``, ``prerm``, ``postrm``) are read as what they are.

Specification: deb(5) of dpkg.
"""

from __future__ import annotations

from functools import partial

from openvet.core.text import printable, shorten
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="debian-package",
    title="package of Debian",
    extensions=(".deb", ".udeb"),
    media_types=("application/vnd.debian.binary-package",),
    can_tell=("the scripts that its installation runs as root, and every file that it brings",),
    cannot_tell=("what its programs do",),
)

_MAGIC = b"!<arch>\n"
_HEADER = 60
_MOST = 20


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC + b"debian-binary") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Make every member but the version a member of this file."""
    facts.anomaly(
        "hub/shell-command",
        "is a package of Debian, whose scripts are run as root when it is installed",
        0,
        kind="shown",
    )
    at, members = len(_MAGIC), 0
    while at < source.size:
        header = source.read(at, _HEADER)
        size = header[48:58].strip()
        if header[58:60] != b"`\n" or not size.isdigit():
            raise MalformedError("has a member whose header is broken", offset=at)
        name = header[:16].rstrip(b" /").decode("utf-8", "replace")
        if not 0 <= int(size) <= source.size - at - _HEADER:
            raise MalformedError(f"ends inside of its member {shorten(printable(name), 40)}", offset=at)
        if members >= _MOST:
            facts.unknown("limit", f"has more than {_MOST} members; the rest was not read", at)
            return
        members += 1
        if name != "debian-binary":
            facts.add_members(
                [Member(name, int(size), partial(source.window, at + _HEADER, int(size)), at, plain=True)]
            )
        at += _HEADER + int(size) + int(size) % 2
