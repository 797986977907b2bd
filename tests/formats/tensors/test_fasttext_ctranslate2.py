"""fastText and CTranslate2: a valid file, and one that breaks off at every byte."""

from __future__ import annotations

import contextlib
from typing import Any

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


def lies(reader: Any, data: bytes) -> list[str]:
    facts = Facts("a", "a", Budget(Limits()))
    with contextlib.suppress(ReadError):
        reader.read(BytesSource(data), facts)
    assert {each.rule for each in facts.anomalies} <= {"file/outside-memory", "file/trailing-data"}
    return [each.evidence["lie"] for each in facts.anomalies if each.rule == "file/outside-memory"]


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 2), []),
        ((2**33, 2**31), ["overflow"]),
        ((-2, -2), ["overflow"]),
        ((2, 4), ["columns"]),
        ((1, 2), ["rows"]),
        ((2**20, 2), []),
    ],
)
def test_sizes_of_fasttext(shape: tuple[int, int], told: list[str]) -> None:
    assert [each for each in lies(fasttext, store.fasttext(shape=shape)) if each in told] == told
    assert bool(lies(fasttext, store.fasttext(shape=shape))) is bool(told)


def test_words_of_fasttext() -> None:
    assert lies(fasttext, store.fasttext(said=3)) == lies(fasttext, store.fasttext(said=-1)) == ["words"]
    assert lies(fasttext, store.fasttext(said=1)) == []  # a dictionary with something between


@pytest.mark.parametrize(
    ("size", "shape", "told"),
    [(24, (2, 3), []), (20, (2, 3), []), (28, (2, 3), ["bytes"]), (0, (2**16,) * 4, ["overflow"]), (4, (), [])],
)
def test_sizes_of_ctranslate2(size: int, shape: tuple[int, ...], told: list[str]) -> None:
    assert lies(ctranslate2, store.ctranslate2(size, shape)) == told


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
