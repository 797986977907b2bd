r"""Git objects in files of their own (``.git/objects/ab/cdef...``): a zlib stream of a kind, a size and the content.

::

    zlib of: "blob" or "tree" or "commit" or "tag", a space, the size as decimal digits, "\0", the content

The stream is decompressed to its end and its size compared. What it holds is a file of this or another revision, which no
loader of models sees before somebody checks it out.

Specification: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
"""

from __future__ import annotations

import re
import zlib

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import say_trailing
from openvet.formats.git_pack import inflate
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="git-object",
    title="Git object",
    extensions=(),
    media_types=(),
    can_tell=("that it is one whole object of a Git repository",),
    cannot_tell=("whether a file of another revision is harmless: check it when it is checked out",),
    refines=("zlib",),
)

_START = pattern(rb"(blob|tree|commit|tag) (0|[1-9]\d{0,17})\0")


def _start(data: bytes) -> re.Match[bytes] | None:
    if len(data) < 8 or data[0] & 0x8F != 8 or data[1] & 0x20 or int.from_bytes(data[:2], "big") % 31:
        return None
    try:
        return _START.match(zlib.decompressobj().decompress(data, 64))
    except zlib.error:
        return None


def probe(head: Head) -> Likeness:
    """A zlib stream that begins with a kind and a size."""
    return Likeness.STRONG if _start(head.data[:1024]) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decompress the object.

    Raises:
        MalformedError: it is no object, or is shorter or longer than it says.
        LimitError: it expands too much.
    """
    start = _start(source.upto(0, 1024))
    if start is None:
        raise MalformedError("does not begin like an object", offset=0)
    facts.note("object", start.group(1).decode("ascii"))
    end, given = inflate(source, facts, 0)
    if given != start.end() + int(start.group(2)):
        raise MalformedError(f"says {int(start.group(2))} bytes and has {given - start.end()}", offset=0)
    facts.coverage = Coverage.INERT
    say_trailing(source, facts, end, "the object")
