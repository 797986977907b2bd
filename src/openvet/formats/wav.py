"""WAV sound: a RIFF file of the kind ``WAVE``, also with big-endian lengths (``RIFX``) or long ones (``RF64``, ``BW64``).

Specification: http://soundfile.sapp.org/doc/WaveFormat/ . Chunks are walked; samples are not decoded.
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._riff import walk_riff
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="wav",
    title="WAV sound",
    extensions=(".wav", ".wave", ".rf64", ".bw64"),
    media_types=("audio/vnd.wave",),
    can_tell=("that it is sound up to its last byte",),
    cannot_tell=("what it says, or what its samples hide",),
)
#: What its bytes begin with.
STARTS = (b"RIFF", b"RIFX", b"RF64", b"BW64")


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data[:4] in STARTS and head.data[8:12] == b"WAVE" else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks (raises like :func:`walk_riff`)."""
    walk_riff(source, facts, (b"data",), "the sound")
