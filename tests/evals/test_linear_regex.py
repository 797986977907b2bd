"""Our regular expressions find what Python's find, in time that grows with the text alone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openvet.evals.linear_regex import LinearRegex, RegexError

ATOM = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\.", "^", "$", r"\b", r"\B", "é"])
REPEAT = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}"])


def _joined(parts: list[tuple[str, str]]) -> str:
    return "".join(atom + ("" if atom in ("^", "$", r"\b", r"\B") else repeat) for atom, repeat in parts)


ROW = st.lists(st.tuples(ATOM, REPEAT), min_size=1, max_size=4).map(_joined)
NESTED = st.tuples(ROW, ROW, ROW, REPEAT, st.booleans()).map(
    lambda each: f"{each[0]}{'(' if each[4] else '(?:'}{each[1]}|{each[2]}){each[3]}"
)


@settings(max_examples=250)
@given(ROW | NESTED, st.text(alphabet="abc1. \né", max_size=12))
@example(r"(a|ab)(?:c|bcd)", "abcd")
@example(r"a*(?:a|.*?\b)*", "1")
@example(r"#### ([0-9]+)", "x #### 42 #### 43")
def test_it_finds_what_pythons_finds(source: str, text: str) -> None:
    if not text and r"\B" in source:
        return  # no place of an empty text, for Python before 3.14
    python = re.compile(source)
    found = python.search(text)
    ours = LinearRegex(source)
    assert ours.groups == python.groups
    if found is not None and _empty_turns(source):
        return  # what a turn over nothing leads to differs between engines
    wanted = None if found is None else (found[1] or "") if python.groups else found[0]
    assert ours.search(text) == wanted


def _empty_turns(source: str) -> bool:
    """Whether a group that may match nothing is repeated."""
    match = re.search(r"\((?:\?:)?([^()]*)\)[*+{]", source)
    return match is not None and re.search(re.sub(r"\\[bB]|[$^]", "", match[1]), "") is not None  # wherever it stands


@pytest.mark.parametrize(
    "source",
    ["(", ")", "a**", "*a", "[a", "(?=a)", "(?P<n>a)", r"(a)\1", r"\Qa", "(a)(b)", "^*", "a{3,2}", "(a{99}){99}", "(" * 50 + ")" * 50, "[[a]"],
)  # fmt: skip
def test_what_is_not_taken_is_refused(source: str) -> None:
    with pytest.raises(RegexError):
        LinearRegex(source)


@pytest.mark.parametrize(
    "source", ["(a+)+$", "(?:a|a)*b", "a*a*a*a*b", "(?:a*)*b", r"(?:\w+\s?)*!", "(?:.*,){10}x", "[A-Z]+[0-9]*!"]
)
def test_no_text_is_slow(source: str) -> None:
    made = LinearRegex(source)
    for text in ("a" * 20_000, "A" * 20_000, "a, " * 7_000):
        begun = time.process_time()
        made.search(text)
        assert time.process_time() - begun < 2.0
