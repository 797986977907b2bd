"""A lazy pattern is the pattern."""

from __future__ import annotations

import re

import pytest

from openvet.core import pattern as lazy


def test_it_does_what_the_pattern_does() -> None:
    text = "one 2 three 44"
    ours, theirs = lazy.pattern(r"(?P<n>\d+)"), re.compile(r"(?P<n>\d+)")
    assert ours.findall(text) == theirs.findall(text)
    assert ours.sub("x", text) == theirs.sub("x", text)
    assert ours.split(text) == theirs.split(text)
    assert [each.span() for each in ours.finditer(text)] == [each.span() for each in theirs.finditer(text)]
    assert (ours.pattern, ours.flags, ours.groups, ours.groupindex) == (
        theirs.pattern, theirs.flags, theirs.groups, theirs.groupindex,
    )  # fmt: skip
    assert lazy.pattern(b"A", re.IGNORECASE).fullmatch(b"a")


def test_nothing_is_compiled_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    real = re.compile

    def spy(text: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(text)
        return real(text, flags)

    monkeypatch.setattr(re, "compile", spy)
    ours = lazy.pattern("a+")
    assert not compiled
    assert ours.match("aa")
    assert ours.match("aa")
    assert ours.search("baa")
    assert compiled == ["a+"]


def test_a_mistake_shows_when_it_is_used() -> None:
    ours = lazy.pattern("(")
    with pytest.raises(re.error):
        ours.match("")
