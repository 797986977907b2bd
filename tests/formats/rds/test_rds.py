"""The reader of R data: three spellings, every type, breaks at every byte, and what it refuses."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import rds as reader
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.forge_r import (
    NIL,
    bytecode,
    call,
    closure,
    environment,
    frame,
    ints,
    promise,
    rdata,
    rds,
    reals,
    strings,
    sym,
    vec,
)


def read(data: bytes) -> Facts:
    facts = Facts("a.rds", "a.rds", Budget(Limits()))
    reader.read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("spelling", ["X", "A", "B"])
def test_a_whole_object(spelling: str, version: int) -> None:
    data = rds(frame(x=reals(1.5, 2.0), y=ints(1, -5), z=strings("a b\n", "ü")), spelling, version)
    assert reader.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    facts = read(data)
    more = {"encoding": "UTF-8"} if version == 3 else {}
    assert facts.metadata == {"version": version, "written_by": "R 4.3.1", **more}
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])


@pytest.mark.parametrize("spelling", ["X", "A", "B"])
def test_names_functions_and_promises(spelling: str) -> None:
    facts = read(rdata(("f", closure(call("g", sym("x")))), ("p", promise(call("h"))), spelling=spelling))
    assert facts.metadata["objects"] == ["f", "p"]
    assert [row[:2] for row in facts.metadata["calls"]] == [["function", "g"], ["promise", "h"]]
    assert facts.metadata["functions"]["count"] == facts.metadata["promises"]["count"] == 1


def test_every_cut_is_a_read_error_or_an_unknown() -> None:
    for spelling in "XA":  # a cut line of text may be a whole number still, and then the next line is missing
        data = rds(vec(closure(bytecode((1, sym("s")), (16, strings("t")))), environment(("a", ints(1)))), spelling)
        for end in range(2, len(data) - 4):
            with pytest.raises(ReadError):
                read(data[:end])


def test_trailing_bytes_are_told() -> None:
    facts = read(rds(ints(1)) + b"more")
    assert [each.rule for each in facts.anomalies] == ["file/trailing-data"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ([11], "type 11"),
        ([255 | 5 << 8], "refers to item 5 of 0"),
        ([13, -7], "length of -7"),
        ([9, -7], "length of -7"),
    ],
)
def test_refused(item: list[int | bytes | float], words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read(rds(item))


def test_lines_that_are_no_numbers() -> None:
    with pytest.raises(MalformedError, match="whole number"):
        read(b"A\n3\n262657\n197888\n5\nUTF-8\nthirteen\n")


def test_deep_nesting_costs_no_recursion() -> None:
    assert read(rds([19, 1] * 8_000 + NIL)).coverage is Coverage.READ
    with pytest.raises(LimitError, match="nested"):
        read(rds([19, 1] * 30_000 + NIL))


def test_references_lead_to_names() -> None:
    second: list[int | bytes | float] = [6, 255 | 1 << 8, *NIL]
    facts = read(rds(vec(sym("system"), closure(second))))
    assert [row[:2] for row in facts.metadata["calls"]] == [["function", "system"]]
