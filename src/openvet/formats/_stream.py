"""What the formats of a single compressed stream share: one member with the decoded content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError
from openvet.formats._format import Facts, Member
from openvet.formats._listing import put_problem
from openvet.formats._trailing import all_zero
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.compressed import Coding
    from openvet.io.archive.frames import Skipped
    from openvet.io.source import Spool

__all__ = ["account_for_skipped", "decodes", "read_stream", "stripped"]


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


def account_for_skipped(source: Source, facts: Facts, skipped: Iterable[Skipped]) -> None:
    """Say what stands in frames that decoders skip, and hand it over to be looked at as a file of its own.

    Quiet are those that tools write: the table for seeking (contrib/seekable_format of Zstandard), the size of the next
    frame (pzstd), and zeros.
    """
    for number, frame in enumerate(skipped):
        facts.budget.check_time()
        window = source.window(frame.offset, frame.size)
        end = window.upto(max(frame.size - 9, 0), 9)
        table = frame.kind == 14 and len(end) == 9 and end[5:] == _SEEKABLE
        if table and frame.size == 9 + int.from_bytes(end[:4], "little") * (12 if end[4] & 0x80 else 8):
            continue
        if (frame.kind == 0 and frame.size == 4) or all_zero(window, 0, frame.size):
            continue
        facts.anomaly(
            "archive/hidden-data",
            f"{frame.size} bytes stand in a frame that decoders skip",
            frame.offset,
            where="skippable frame",
            bytes=frame.size,
            begins=window.upto(0, 16).hex(),
        )
        facts.add_members([Member(f"skippable-frame-{number}", frame.size, partial(_same, window), frame.offset)])


_SEEKABLE = bytes.fromhex("b1ea928f")


def _same(window: Source) -> Source:
    return window


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
