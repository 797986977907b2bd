"""joblib files of the years before 2016, which joblib loads to this day.

::

    "ZF", the decoded size as text ("0x1a2b", filled up with spaces to 19 characters), one more space or none, zlib

Reference: ``joblib/numpy_pickle_compat.py``, ``read_zfile``.
"""

from __future__ import annotations

from dataclasses import replace

from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._stream import read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="joblib-zfile",
    title="joblib file of the years before 2016",
    extensions=(".joblib", ".pkl", ".z", ".gz"),
    media_types=(),
    can_tell=(
        "The content, also what comes before a break.",
        "Whether the checksum fits, and whether data follows the stream.",
    ),
    cannot_tell=("What the numbers of an array (``.npy.z``) mean, which the pickle beside it says.",),
)

_SIZE = 19
#: How joblib called the arrays that it kept beside a pickle.
_ARRAY = ".npy.z"
_HEAD = pattern(rb"ZF *(?:0x)?[0-9a-fA-F]+L? *")
#: What its bytes begin with.
STARTS = (b"ZF",)


def probe(head: Head) -> Likeness:
    """The letters, and a number of 19 characters."""
    data = head.data[: 2 + _SIZE]
    return Likeness.STRONG if len(data) == 2 + _SIZE and _HEAD.fullmatch(data) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode the stream into one member."""
    from openvet.io.archive.compressed import ZLIB

    begin = 2 + _SIZE
    begin += source.upto(begin, 1) == b" "
    head = source.read(0, 2 + _SIZE)
    if not _HEAD.fullmatch(head):
        raise MalformedError("the size of the content is no number", offset=2)
    said = int(head[2:].strip().rstrip(b"L"), 16)
    facts.note("said_bytes", said if said < 2**53 else str(said))
    read_stream(source.window(begin, source.size - begin), facts, ZLIB, stripped(facts.name, {".z": "", ".gz": ""}))
    if facts.name.lower().endswith(_ARRAY) and facts.members and _is_raw(facts.members[0], facts):
        facts.members[0] = replace(facts.members[0], role="tensor-data")


def _is_raw(member: Member, facts: Facts) -> bool:
    """Whether what joblib keeps beside its pickle under this name is the numbers of an array: nothing that has a mark.

    The pickle beside it makes an array of them. On their own they are what no reader knows, and a pickle would be read as one.
    """
    from openvet.formats._numbers import are_numbers

    with member.open() as content:
        return are_numbers(content, facts)
