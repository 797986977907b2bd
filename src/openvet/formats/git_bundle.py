r"""Git bundles (``git bundle create``): names of revisions, and a pack with them.

::

    "# v2 git bundle\n" or "# v3 git bundle\n"
    @capability\n             only version 3
    -object comment\n         what must be there already
    object name\n             a branch or a tag
    \n
    a pack                    see git_pack.py

Specification: https://git-scm.com/docs/gitformat-bundle
"""

from __future__ import annotations

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import MalformedError, UnsupportedError
from openvet.formats import git_pack
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="git-bundle",
    title="Git bundle",
    extensions=(".bundle",),
    media_types=("application/x-git-bundle",),
    can_tell=("the branches and tags that it has, that every object in it is whole, and that its checksum fits",),
    cannot_tell=("whether the files of its revisions are harmless: check them when they are checked out",),
    refines=("text",),
)

_VERSIONS = (b"# v2 git bundle\n", b"# v3 git bundle\n")
#: What its bytes begin with.
STARTS = _VERSIONS
_LINE = pattern(rb"@[\w-]+(?:=[^\n]*)?|-?(?:[0-9a-f]{40}|[0-9a-f]{64})(?: [^\n]*)?")
_HEADER = 4 * 1024 * 1024
_SHOWN = 100


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_VERSIONS) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """The lines of the header, then the pack.

    Raises:
        MalformedError: a line of the header is none, or the pack is broken (see ``git_pack``).
        UnsupportedError: a header longer than is read, or objects that are left out by a filter.
    """
    head = source.upto(0, _HEADER)
    end = head.find(b"\n\n")
    if end < 0:
        if source.size > _HEADER:
            raise UnsupportedError("has a longer header than is read", offset=0)
        raise MalformedError("has no end of its header", offset=0)
    names: list[str] = []
    for line in head[len(_VERSIONS[0]) : end].split(b"\n"):
        if _LINE.fullmatch(line) is None:
            raise MalformedError("has a line in its header that is no revision", offset=0)
        if line[:1] not in (b"@", b"-") and len(names) < _SHOWN:
            names.append(printable(shorten(line.partition(b" ")[2].decode("utf-8", "replace"), 200)))
    facts.note("references", names)
    pack = source.window(end + 2, source.size - end - 2)
    if pack.upto(0, 4) != b"PACK":
        raise MalformedError("has no pack behind its header", offset=end + 2)
    git_pack.read(pack, facts)
