"""Importance matrices: what is told of one, one that breaks off at every byte, and bytes that only look like one."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, ReadError
from openvet.formats import imatrix
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.cases.imatrix import imatrix as made


def facts_of(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("a", "a", Budget(limits or Limits()))
    imatrix.read(BytesSource(data), facts)
    return facts


def likeness(data: bytes) -> Likeness:
    return imatrix.probe(Head("imatrix.dat", BytesSource(data)))


def test_a_matrix_is_read_to_the_last_byte() -> None:
    facts = facts_of(made())
    assert facts.metadata == {"entries": 2, "chunks": 40, "dataset": "wiki.test.raw"}
    assert (facts.coverage, facts.anomalies, facts.unknowns, facts.tensors) == (Coverage.READ, [], [], [])
    assert likeness(made()) is Likeness.WEAK


def test_one_that_breaks_off() -> None:
    entries = len(made(end=b""))
    for end in range(entries):
        with pytest.raises(ReadError):
            facts_of(made()[:end])
    assert facts_of(made()[:entries]).metadata == {"entries": 2}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(64),
        b"\xff" * 64,
        made(names=("blk", "output.weight")),
        made(names=("blk.\n.weight", "output.weight")),
        made(names=("a." + "b" * 200, "output.weight")),
        b"\x00\x00\x02\x00" + made()[4:],
        made()[:64],
    ],
)
def test_what_only_looks_like_one(data: bytes) -> None:
    assert likeness(data) is Likeness.NO


def test_more_entries_than_are_described() -> None:
    with pytest.raises(LimitError):
        facts_of(made(), Limits(tensors=1))
