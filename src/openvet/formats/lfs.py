"""Git LFS pointers: three lines of text that stand where a file should be.

Specification: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md . A clone without ``git lfs pull`` has these
instead of weights; the content that they name is absent, so nobody has read it.
"""

from __future__ import annotations

import re

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "LONGEST", "STARTS", "pointed_at", "probe", "read"]

FORMAT = Format(
    id="lfs-pointer",
    title="Git LFS pointer",
    extensions=(),
    media_types=("text/plain",),
    can_tell=("the digest and the size of the file that is absent",),
    cannot_tell=("anything about the content, which is elsewhere",),
    refines=("text",),
)

_FIRST = (b"version https://git-lfs.github.com/spec/v1\n", b"version https://hawser.github.com/spec/v1\n")
#: Bytes that a pointer has fewer of.
LONGEST = 1024
#: What its bytes begin with.
STARTS = _FIRST


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_FIRST) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Note what is absent.

    Raises:
        MalformedError: longer than a pointer may be, or without its digest and size.
    """
    if source.size >= LONGEST:
        raise MalformedError("begins as a Git LFS pointer, and is longer than one may be", offset=LONGEST)
    found = pointed_at(source.read(0, source.size))
    if found is None:
        raise MalformedError("begins as a Git LFS pointer, and names no digest and size", offset=0)
    digest, size = found
    facts.note("sha256", digest)
    facts.note("bytes", size)
    facts.unknown(
        "absent", f"is a pointer to {size} bytes that were not downloaded (git lfs pull)", coverage=Coverage.UNREAD
    )


def pointed_at(data: bytes) -> tuple[str, int] | None:
    """SHA-256 in hex and size in bytes of what the pointer ``data`` stands for; ``None`` where it is no pointer."""
    digest = re.search(rb"^oid sha256:([0-9a-f]{64})$", data, re.MULTILINE)
    size = re.search(rb"^size (\d{1,18})$", data, re.MULTILINE)
    if not data.startswith(_FIRST) or len(data) >= LONGEST or digest is None or size is None or not data.isascii():
        return None
    return digest.group(1).decode(), int(size.group(1))
