"""TFRecord files: events of TensorBoard (``events.out.tfevents.*``) and examples of datasets.

::

    record    length u64, checksum of these eight bytes u32, data, checksum of the data u32

The first record of a file of events names its version (``brain.Event:2``). A graph in an event is shown and not run.

Specification: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details ; ``event.proto``,
``summary.proto``, ``example.proto`` of TensorFlow.
"""

from __future__ import annotations

from functools import lru_cache

from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._crc32c import crc32c
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._protobuf import Walker, schema
from openvet.formats._trailing import say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tfrecord",
    title="TFRecord file (TensorBoard events, datasets)",
    extensions=(".tfrecord", ".tfrecords"),
    media_types=(),
    can_tell=("every record to the last byte of the file, and that it is an event or an example",),
    cannot_tell=("what the values say", "whether the checksums of the data are right"),
)

#: Fields of the first record that tell which message it is.
_TOLD_BY = 65_536
_KINDS = ("Event", "Example", "SequenceExample")


@lru_cache(4096)
def _checksum(data: bytes) -> int:
    """CRC-32C, turned and added to as TensorFlow does."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def probe(head: Head) -> Likeness:
    """A length and its checksum."""
    data = head.data
    if len(data) < 16 or int.from_bytes(data[:8], "little") > max(head.size, 1 << 32):
        return Likeness.NO
    return Likeness.STRONG if _checksum(data[:8]) == int.from_bytes(data[8:12], "little") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every record and the message in it.

    Raises:
        MalformedError: a length is not what its checksum says.
    """
    walker = Walker(source, facts, schema("tfrecord"))
    counts: dict[str, int] = {}
    at = 0
    kind = ""
    try:
        while at < source.size:
            if not sum(counts.values()) % 1024:
                facts.budget.check_time()
            if source.size - at < 16:
                say_incomplete(facts, at + 16, source.size)
                break
            head = walker.bytes(at, 12) if at + 12 <= source.size else b""
            length = int.from_bytes(head[:8], "little")
            if _checksum(head[:8]) != int.from_bytes(head[8:], "little"):
                raise MalformedError("the length of a record is not what its checksum says", offset=at)
            if length > source.size - at - 16:
                say_incomplete(facts, at + 16 + length, source.size)
                break
            begin = at + 12
            kind = kind or _kind(source, facts, begin, begin + length)
            if not kind:
                facts.unknown("unsupported", "the records are neither events nor examples and were not read", begin)
                return
            counts[kind] = counts.get(kind, 0) + 1
            _record(walker, kind, begin, begin + length)
            at = begin + length + 4
    finally:
        facts.note("records", dict(sorted(counts.items())))
        if walker.unknown:
            facts.unknown(
                "unsupported",
                f"{walker.unknown} fields of the records are unknown; the first is {walker.first_unknown_text}",
                walker.first_unknown,
            )


def _kind(source: Source, facts: Facts, at: int, end: int) -> str:
    """Which message the first record is."""
    for kind in _KINDS:
        walker = Walker(source, Facts("", "", facts.budget), schema("tfrecord"), most=_TOLD_BY)
        try:
            _record(walker, kind, at, end)
        except LimitError:
            pass
        except ReadError:
            continue
        if not walker.unknown:
            return kind
    return ""


def _record(walker: Walker, kind: str, at: int, end: int) -> None:
    """One message; the graphs of an event are walked as what they are."""
    if kind != "Event":
        walker.sweep(kind, at, end)
        return
    for field in walker.message(kind, at, end):
        if field.spec.type:
            walker.sweep(field.spec.type, field.at, field.end)
        elif field.name in {"graph_def", "meta_graph_def"} and field.size:
            graph = Walker(walker.source, walker.facts, schema("tensorflow"))
            graph.sweep("GraphDef" if field.name == "graph_def" else "MetaGraphDef", field.at, field.end)
            walker.unknown += graph.unknown
            walker.first_unknown_text = walker.first_unknown_text or graph.first_unknown_text
