"""MIDI music: a header chunk ``MThd``, then chunks of tracks ``MTrk``, each with a length.

Specification: https://midi.org/standard-midi-files . Chunks are walked; events are not read.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="midi",
    title="MIDI music",
    extensions=(".mid", ".midi"),
    media_types=("audio/midi",),
    can_tell=("that it is a chain of tracks up to its last byte",),
    cannot_tell=("what it plays, or what its events hide",),
)
#: What its bytes begin with.
STARTS = (b"MThd\0\0\0\x06",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(b"MThd\0\0\0\x06") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks.

    Raises:
        MalformedError: a track goes beyond the end, or there are fewer than the header says.
    """
    tracks = int.from_bytes(source.read(10, 2), "big")
    at, found = 14, 0
    while (start := source.upto(at, 8))[:4] == b"MTrk" and len(start) == 8:
        length = int.from_bytes(start[4:], "big")
        if at + 8 + length > source.size:
            raise MalformedError("a track goes beyond the end", offset=at)
        at += 8 + length
        found += 1
        facts.budget.check_time()
    if found < tracks:
        raise MalformedError(f"says {tracks} tracks, and {found} are there", offset=at)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last track")
