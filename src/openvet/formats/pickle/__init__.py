"""Pickle: a program for a small stack machine that rebuilds Python objects, and calls whatever it names on the way.

Layout: opcodes of one byte, each with its argument behind it, up to STOP (``.``). Protocol 2 and later begin with PROTO
(0x80) and the protocol's number; from protocol 4 on, frames (0x95 and eight bytes of length) group the opcodes. A file
may hold several pickles, one behind the other. There is no magic number and no checksum.

The reader is an abstract machine. It follows stack, memo, marks and frames with abstract values, and says what would be
resolved and called, with which arguments and at which offset, also when the stream breaks behind its payload.

Reference: ``Lib/pickletools.py`` of CPython; PEP 307, PEP 3154 and PEP 574.
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="pickle",
    title="Python pickle",
    extensions=(".pkl", ".pickle", ".p", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".dat", ".data", ".model", ".sav"),
    media_types=("application/x-python-pickle",),
    can_tell=(
        "every name that loading resolves and every call that it makes, with arguments and offset",
        "what linkers such as getattr or functools.partial lead to",
        "programs inside literals: pickles, compressed or base64 pickles, marshalled code",
        "where a loader would fail, and what it runs before that",
        "credentials of known issuers in its first half megabyte",
        "dtype, shape and place of the arrays that joblib puts between the opcodes",
    ),
    cannot_tell=(
        "what a class of a package or of the model's own code does when its state is set",
        "what objects do when they are used as arguments (a __hash__, an __eq__) or after loading",
        "what a loader with its own find_class or persistent_load does",
        "names that the program computes, beyond that it computes them",
    ),
)


def probe(head: Head) -> Likeness:
    """PROTO with a known number and opcodes that hold together; without PROTO a strict walk decides."""
    if head.data[:4] == b"PK\x03\x04":  # a zip; P is an opcode too, and where the text behind it ends is up to chance
        return Likeness.NO
    from openvet.formats.pickle.probing import likeness

    return likeness(head)


def read(source: Source, facts: Facts) -> None:
    """Walk every pickle of the file.

    Raises:
        ReadError: the source itself cannot be read; the programs up to there are in ``facts``.
    """
    from openvet.formats._secrets import scan_pickle
    from openvet.formats.pickle.reading import read_file

    read_file(source, facts)
    scan_pickle(source, facts)
