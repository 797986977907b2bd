"""What streams of LZ4 and Zstandard share: frames of several kinds in a row, some of which decoders skip.

::

    skippable frame: 50..5f 2a 4d 18, size[4], size bytes that no decoder looks at

A skippable frame is a place to hide something. Its content is kept as a place in the source, for the reader to account for.
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.io.source import Source

__all__ = ["Ended", "Skipped", "behind_skippable", "skip_frames"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """One skippable frame: where its content lies, and which of the sixteen kinds it is."""

    offset: int
    size: int
    kind: int


class Ended:
    """A decoder that has nothing to decode: nothing but skippable frames was left."""

    eof = True
    needs_input = False
    unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:  # noqa: ARG002 - the shape of a decoder
        """Nothing."""
        return b""


def _skippable(source: Source, offset: int) -> Skipped | None:
    head = source.upto(offset, 8)
    if len(head) < 8 or head[1:4] != b"\x2a\x4d\x18" or head[0] & 0xF0 != 0x50:
        return None
    size = int.from_bytes(head[4:], "little")
    return Skipped(offset + 8, size, head[0] & 0x0F) if offset + 8 + size <= source.size else None


def skip_frames(source: Source, offset: int, into: list[Skipped], most: int) -> int:
    """The offset behind all skippable frames at ``offset``; the first ``most`` of them are put into ``into``."""
    while True:
        frame = _skippable(source, offset)
        if frame is None:
            return offset
        if len(into) < most:
            into.append(frame)
        offset = frame.offset + frame.size


def behind_skippable(source: Source, most: int = 64) -> int:
    """The offset behind the first skippable frames, of which a probe follows only some."""
    offset = 0
    for _ in range(most):
        frame = _skippable(source, offset)
        if frame is None:
            break
        offset = frame.offset + frame.size
    return offset
