"""Faiss: every part is stepped over, and every cut is told."""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.errors import ReadError
from openvet.formats import faiss
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.cases import faiss as cases


def test_vectors_are_a_tensor() -> None:
    told = Facts("t", "t", Budget())
    faiss.read(BytesSource(cases.flat()), told)
    assert [(each.name, each.shape, each.offset, each.nbytes) for each in told.tensors] == [("IxF2", (3, 2), 45, 24)]


def test_every_cut_is_told() -> None:
    for data in (cases.flat(), cases.lists(), cases.lists(shape=b"sprs")):
        assert faiss.probe(Head("x", BytesSource(data))) is Likeness.STRONG
        for end in range(37, len(data)):
            told = Facts("t", "t", Budget())
            try:
                faiss.read(BytesSource(data[:end]), told)
            except ReadError:
                continue
            assert told.coverage is not Coverage.READ, end


def test_other_words_are_no_index() -> None:
    for data in (b"IxF2 is a word" * 10, b"IxF2" + b"\xff" * 60, b"IwFl" + bytes(60)):
        assert faiss.probe(Head("x", BytesSource(data))) is Likeness.NO
