"""``fingerprint.pb``: checksums of a SavedModel, which nobody signs.

A protocol buffer of numbers: 1 checksum of saved_model.pb, 2 to 5 hashes of graph, signatures, objects and checkpoint,
6 version, 7 a unique name. Nothing in it runs.

Reference: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/fingerprint.proto
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="tf-fingerprint",
    title="TensorFlow fingerprint",
    extensions=(".pb",),
    media_types=("application/x-protobuf",),
    can_tell=("that it holds checksums and nothing else",),
    cannot_tell=("whether the checksums are right",),
)

_LARGEST = 1024
#: What its bytes begin with.
STARTS = (b"\x08", b"\x10")


def probe(head: Head) -> Likeness:
    """A small file of the message's own fields, with at least four of its five checksums."""
    if not 10 <= head.size <= _LARGEST or head.data[:1] not in {b"\x08", b"\x10"}:
        return Likeness.NO
    from openvet.formats._protobuf import looks_like, schema

    counts = looks_like(head, schema("tensorflow"), "FingerprintDef")
    if counts is None or set(counts.values()) != {1} or len({1, 2, 3, 4, 5} & counts.keys()) < 4:
        return Likeness.NO
    return Likeness.STRONG


def read(source: Source, facts: Facts) -> None:
    """Walk its fields.

    Raises:
        MalformedError: a field breaks the wire format.
    """
    from openvet.formats._protobuf import Walker, schema

    walker = Walker(source, facts, schema("tensorflow"))
    for part in walker.message("FingerprintDef", 0, source.size):
        if part.name == "version":
            walker.sweep(part.spec.type, part.at, part.end)
        elif part.name == "uuid":
            facts.note("uuid", walker.text(part, 100))
    facts.coverage = Coverage.INERT
    walker.report("tensorflow/graph-lies", "a fingerprint")
