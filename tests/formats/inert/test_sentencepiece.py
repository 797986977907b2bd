"""SentencePiece models: walked field by field."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.errors import MalformedError, ReadError, UnsupportedError
from openvet.formats import sentencepiece as reader
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import sentencepiece

VALID = sentencepiece(["<unk>", "<s>", "</s>", *(f"▁word{n}" for n in range(500))], b"\x0a\x03abc")


def read(data: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    reader.read(BytesSource(data), facts)
    return facts


def test_a_valid_model() -> None:
    assert reader.probe(Head("x", BytesSource(VALID))) is Likeness.STRONG
    facts = read(VALID)
    assert (facts.metadata, facts.coverage, facts.unknowns) == ({"pieces": 503}, Coverage.READ, [])


def test_a_field_that_the_format_does_not_have() -> None:
    with pytest.raises(UnsupportedError):
        read(VALID + b"\xc2\x0c\x03abc")


def test_pieces_that_carry_more_than_a_piece_does() -> None:
    facts = read(VALID + b"\x0a\x0b" + b"\x0a\x01x\x15\0\0\0\0\x20\x01\x08")
    assert (facts.metadata["unusual_pieces"], facts.coverage) == (1, Coverage.PARTIAL)


@pytest.mark.parametrize("cut", [1, 10, 100, len(VALID) - 1])
def test_a_cut_is_seen(cut: int) -> None:
    with pytest.raises(MalformedError):
        read(VALID[:cut])


def test_a_length_of_too_many_bytes() -> None:
    with pytest.raises(ReadError):
        read(VALID + b"\x0a\xff\xff\xff\xff\xff\xff")


@pytest.mark.parametrize("data", [b"", b"\x0a", b"\x0a\x05hello", VALID[1:], b"\x0a\x10" + bytes(40)])
def test_what_is_none(data: bytes) -> None:
    assert reader.probe(Head("x", BytesSource(data))) is Likeness.NO
