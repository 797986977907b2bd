"""fastText and CTranslate2: a valid file, and one that breaks off at every byte."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats import ctranslate2, fasttext
from openvet.formats._format import Facts, Tensor
from openvet.io.source import BytesSource
from openvet.testing.cases import store


def test_fasttext() -> None:
    facts = Facts("a", "a", Budget(Limits()))
    data = store.fasttext()
    fasttext.read(BytesSource(data), facts)
    assert facts.tensors == [
        Tensor("input", "F32", (2, 2), len(data) - 49, 16),
        Tensor("output", "F32", (2, 2), len(data) - 16, 16),
    ]
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])
    assert (facts.metadata["words"], facts.metadata["dim"]) == (2, 2)
    for end in range(4, len(data)):
        with pytest.raises(ReadError):
            fasttext.read(BytesSource(data[:end]), Facts("a", "a", Budget(Limits())))
    for broken, error in (
        (data[:4] + b"\x0d" + data[5:], UnsupportedError),
        (data[:64] + b"\x09" + data[65:], MalformedError),
        (store.fasttext((b"x" * 70_000, b"b")), LimitError),
    ):
        with pytest.raises(error):
            fasttext.read(BytesSource(broken), Facts("a", "a", Budget(Limits())))


def test_ctranslate2() -> None:
    facts = Facts("a", "a", Budget(Limits()))
    data = store.ctranslate2()
    ctranslate2.read(BytesSource(data), facts)
    assert facts.tensors == [Tensor("w", "F32", (2, 3), data.index(bytes(range(24))), 24)]
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])
    assert facts.metadata == {"version": 6, "specification": "WhisperSpec", "revision": 3, "aliases": 1}
    whole = len(data) - 12  # before the aliases, which early versions do not have
    for end in (*range(4, whole), *range(whole + 1, len(data))):
        with pytest.raises(ReadError):
            ctranslate2.read(BytesSource(data[:end]), Facts("a", "a", Budget(Limits())))
    with pytest.raises(UnsupportedError):
        ctranslate2.read(BytesSource(b"\x63" + data[1:]), Facts("a", "a", Budget(Limits())))
