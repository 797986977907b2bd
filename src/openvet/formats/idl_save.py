"""Variables that IDL saved (``.sav``, a name that pickles have too), as SciPy reads them: records one after the other.

::

    "SR", 0, 4 (plain) or 6 (each record packed with zlib)
    record: kind u32, where the next begins u32 (low and high), 4 bytes, data      kind 6 ends the file, kind 12 is compiled code

Specification: C. Markwardt, "Unofficial Format Specification for IDL SAVE Files", https://www.physics.wisc.edu/~craigm/idl/savefmt/ ;
``scipy/io/_idl.py``. Numbers are big-endian.
"""

from __future__ import annotations

from collections import Counter

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="idl-save",
    title="variables of IDL",
    extensions=(),
    media_types=(),
    can_tell=("its kinds of records, up to the last byte of the file", "whether compiled routines are among them"),
    cannot_tell=("what the values say",),
)
_KINDS = {
    0: "start", 1: "common block", 2: "variable", 3: "system variable", 6: "end", 10: "time stamp", 12: "compiled code", 13: "identification",
    14: "version", 15: "heap", 16: "heap variable", 17: "64 bits", 19: "notice", 20: "description",
}  # fmt: skip
_END, _COMPILED = 6, 12
_RECORD = 16
#: What its bytes begin with.
STARTS = (b"SR\0\4", b"SR\0\6")


def probe(head: Head) -> Likeness:
    """The mark, and a first record that leads on inside the file."""
    if not head.data.startswith(STARTS) or head.size < 4 + _RECORD:
        return Likeness.NO
    kind, after = int.from_bytes(head.data[4:8], "big"), int.from_bytes(head.data[8:12], "big")
    return Likeness.STRONG if kind in _KINDS and 20 <= after <= head.size else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk record by record.

    Raises:
        MalformedError: a record is of no known kind, or does not lead on, or the last one does not end the file.
    """
    records: Counter[str] = Counter()
    wide = False
    at = 4
    try:
        while True:
            facts.budget.check_time()
            start = source.read(at, _RECORD)
            kind = int.from_bytes(start[:4], "big")
            after = int.from_bytes(start[4:8], "big") + (int.from_bytes(start[8:12], "big") << 32)
            if kind not in _KINDS:
                raise MalformedError(f"a record of the kind {kind} is none that is known", offset=at)
            records[_KINDS[kind]] += 1
            if kind == _END:
                break
            wide = wide or kind == 17
            if not at + (_RECORD if not wide else 12) <= after <= source.size:
                raise MalformedError("a record does not lead on to another one", offset=at)
            at = after
    finally:
        facts.note("records", dict(sorted(records.items())))
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at + _RECORD, "the last record")
    if records[_KINDS[_COMPILED]]:
        facts.unknown("unsupported", "holds compiled routines of IDL, which were not read", 4)
