"""Runs that two texts share are found whole, by whatever steps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openvet.licenses.align import align
from openvet.licenses.words import SHINGLE, shingles


@given(st.integers(SHINGLE, 120), st.data())
def test_what_was_changed_in_one_place_is_all_that_differs(length: int, data: st.DataObject) -> None:
    text = [f"w{at}" for at in range(length)]  # each word once, so that nothing else is alike
    at = data.draw(st.integers(0, len(text) - 1))
    words = [*text[:at], "other", *text[at + 1 :]]
    blocks = align(words, shingles(words), 0, len(words), text, shingles(text))
    same = {each.file + step for each in blocks for step in range(each.length)}
    assert all(words[place] == text[place] for place in same)
    whole = [run for run in (range(at), range(at + 1, len(text))) if len(run) >= SHINGLE]
    assert same >= {place for run in whole for place in run}


@given(st.integers(SHINGLE, 200), st.integers(0, 60), st.integers(0, 60))
def test_a_run_is_found_to_its_last_word(length: int, before: int, after: int) -> None:
    text = [f"w{at}" for at in range(length)]
    words = [*(f"a{at}" for at in range(before)), *text, *(f"b{at}" for at in range(after))]
    (found,) = align(words, shingles(words), 0, len(words), text, shingles(text))
    assert (found.file, found.text, found.length) == (before, 0, length)
