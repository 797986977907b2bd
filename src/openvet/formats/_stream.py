"""What the formats of a single compressed stream share: one member with the decoded content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError
from openvet.formats._format import Facts, Member
from openvet.formats._listing import put_problem
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.compressed import Coding
    from openvet.io.source import Spool

__all__ = ["decodes", "read_stream", "stripped"]


def stripped(name: str, suffixes: Mapping[str, str]) -> str:
    """The file name without the ending that the compression gave it (``x.tgz`` becomes ``x.tar``)."""
    base = name.rsplit("/", 1)[-1]
    for suffix, instead in suffixes.items():
        if base.lower().endswith(suffix) and len(base) > len(suffix):
            return base[: -len(suffix)] + instead
    return base


def read_stream(source: Source, facts: Facts, coding: Coding, name: str) -> None:
    """Decode the stream in ``source`` and make its content a member.

    The content is decoded here and not when the member is opened, since only then it is known whether the stream comes
    to its end, and what follows it. What comes before a break is a member like any other.
    """
    from openvet.io.archive.compressed import Decoding, spool
    from openvet.io.archive.scan import first_nonzero

    decoding = Decoding(source, coding, facts.budget)
    content = spool(decoding, facts.budget)
    opener = _Opener(source, coding, facts.budget, content)
    facts.note("streams", decoding.streams)
    facts.note("decoded_bytes", decoding.size)
    for offset, message in decoding.mismatches:
        facts.anomaly("archive/checksum-mismatch", message, offset)
    if decoding.error is not None:
        put_problem(facts, decoding.error)
        if not content.size:
            return
    facts.add_members([Member(name, content.size, opener, 0)])
    if decoding.error is None:
        rest = first_nonzero(source, decoding.consumed, source.size, facts.budget)
        if rest < source.size:
            count = source.size - rest
            facts.anomaly(
                "archive/hidden-data",
                f"{count} bytes follow the compressed data",
                rest,
                where="after the end",
                bytes=count,
                begins=source.upto(rest, 16).hex(),
            )
            facts.unknown("no-reader", f"{count} bytes after the compressed data were not read", rest)


def decodes(source: Source, coding: Coding, enough: int) -> bool:
    """Whether the head of ``source`` decodes without an error to ``enough`` bytes, or to its end. For a probe."""
    from openvet.io.archive.compressed import Decoding

    head = source.window(0, min(source.size, _PROBED))
    decoding = Decoding(head, coding, Budget(Limits(decoded_bytes=_PROBED * 16)))
    for _ in decoding:
        pass
    if decoding.error is None:
        return not decoding.mismatches
    sound = decoding.truncated or isinstance(decoding.error, LimitError)
    return sound and decoding.size >= enough


#: Bytes that a probe decodes.
_PROBED = 64 * 1024


class _Opener:
    """Gives the content that was decoded while reading; the caller closes it. A second time it is decoded again."""

    __slots__ = ("_budget", "_coding", "_content", "_source")

    def __init__(self, source: Source, coding: Coding, budget: Budget, content: Spool) -> None:
        self._source = source
        self._coding = coding
        self._budget = budget
        self._content: Spool | None = content

    def __call__(self) -> Source:
        from openvet.io.archive.compressed import Decoding, spool

        content, self._content = self._content, None
        if content is not None:
            return content
        return spool(Decoding(self._source, self._coding, self._budget), self._budget)

    def __del__(self) -> None:
        if self._content is not None:
            self._content.close()
