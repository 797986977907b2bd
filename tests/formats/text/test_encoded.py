"""Pickles written as text: the search is complete where it claims to be, and linear whatever the text is made of."""

from __future__ import annotations

import base64
import bz2
import hashlib
import lzma
import time
import zlib
from collections.abc import Callable

import pytest

from openvet.core.limits import Budget
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts
from openvet.io.source import BytesSource
from openvet.testing import Call, Name, dump

EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
CODED = base64.b64encode(EVIL)


def look(text: bytes) -> Facts:
    facts = Facts("a.txt", "a.txt", Budget())
    EncodedPickles(facts).look(text)
    return facts


@pytest.mark.parametrize(
    "before", [b"", b"state: ", b'"', b"base64,", b"sha256 " + b"0" * 64 + b"\n", b"x" * 30 + b" ", b"\\n"]
)
@pytest.mark.parametrize("behind", [b"", b"\n", b'"', b"==", b"\nmore words", b" " + b"f" * 64])
def test_base64_is_found_between_other_words(before: bytes, behind: bytes) -> None:
    assert [member.name for member in look(before + CODED + behind).members] == ["base64-1"]


def test_what_is_found_is_handed_on_whole() -> None:
    data = dump({"words": "word " * 40_000, "call": Call(Name("os", "system"), ("echo forged",))}, 4)
    lines = base64.encodebytes(data)
    for text in (base64.b64encode(data), lines, data.hex().encode(), base64.b32encode(data), base64.b85encode(data)):
        (member,) = look(text).members
        assert member.open().upto(0, len(data)) == data


def test_a_long_text_inside_of_what_is_compressed_hides_no_call() -> None:
    data = dump({"words": "word " * 40_000, "call": Call(Name("os", "system"), ("echo forged",))}, 4)
    for packed in (zlib.compress(data, 0), zlib.compress(data), bz2.compress(data), lzma.compress(data)):
        assert len(look(base64.b64encode(packed)).members) == 1


@pytest.mark.parametrize("text", [
    b"words " * 1000, CODED[:20], b"gASV" + b"A" * 80, b"https://example.org/" + b"path/" * 30,
    hashlib.sha256(b"a").hexdigest().encode(), base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    base64.b64encode(b"import os\nos.system\n" * 4), b"J-" * 100, b"\\x80\\x04 is how a pickle begins",
])  # fmt: skip
def test_nothing_is_found_where_nothing_is(text: bytes) -> None:
    facts = look(text)
    assert (facts.members, facts.anomalies, facts.unknowns) == ([], [], [])


HARD: dict[str, Callable[[int], bytes]] = {
    "beginnings of pickles": lambda n: b"\n".join([b"gASV" + b"A" * 72] * (n // 77)),
    "beginnings of zlib": lambda n: b"\n".join([b"eJwA" * 19] * (n // 77)),
    "digests": lambda n: b"\n".join(hashlib.sha256(b"%d" % i).hexdigest().encode() for i in range(n // 65)),
    "one run": lambda n: b"a" * n,
    "short lines": lambda n: b"ab\n" * (n // 3),
    "ascii85": lambda n: b"J-" * (n // 2),
    "escapes": lambda n: b"\\x80\\x04" * (n // 8),
    "backslashes": lambda n: b"\\" * n + b"x",
}


@pytest.mark.parametrize("kind", HARD)
def test_time_grows_with_the_text_and_no_faster(kind: str) -> None:
    small, large = HARD[kind](200_000), HARD[kind](1_600_000)
    spent = []
    for text in (small, large):
        begun = time.process_time()
        look(text)
        spent.append(time.process_time() - begun)
    assert spent[1] < 20 * spent[0] + 0.5


def test_too_many_candidates_are_said() -> None:
    candidate = base64.b64encode(b"\x80\x02" + b"N0" * 10 + b"\xff" * 4)
    facts = look((candidate + b" ") * 3_000)
    assert [each.reason for each in facts.unknowns] == ["limit"]


@pytest.mark.parametrize(
    "data", [EVIL, CODED, b"N0" + dump(Call(Name("os", "system"), ("echo forged",)), 0), b"\x1f\x8b\x08" + bytes(20)]
)
def test_a_field_that_is_a_program_is_handed_on(data: bytes) -> None:
    facts = Facts("a.msgpack", "a.msgpack", Budget())
    EncodedPickles(facts).field(BytesSource(data), "field", 0)
    assert len(facts.members) == 1
