"""Versions are ordered and requirements understood as the library does that everybody uses, and OSV's events as its text says."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from openvet.advisories import pep440, semver
from openvet.advisories.interval import Interval, covers, holds, intersect, meets
from openvet.advisories.osv import read_record

NUMBER = st.integers(0, 12).map(str)
RELEASE = st.lists(NUMBER, min_size=1, max_size=4).map(".".join)
TAIL = st.sampled_from(
    [
        "",
        "",
        "",
        "a1",
        "b2",
        "rc1",
        ".dev3",
        "rc1.dev2",
        ".post1",
        "-2",
        ".post1.dev4",
        "alpha",
        "-preview.3",
        "_rev5",
        ".dev",
        "c4",
    ]
)
VERSION = st.builds(
    lambda epoch, release, tail: f"{epoch}{release}{tail}", st.sampled_from(["", "", "1!", "v"]), RELEASE, TAIL
)
PLAIN = st.lists(st.integers(0, 3).map(str), min_size=1, max_size=3).map(".".join)


@given(VERSION, VERSION)
def test_versions_are_ordered_as_packaging_orders_them(one: str, other: str) -> None:
    a, b = pep440.key(one), pep440.key(other)
    assert a is not None
    assert b is not None
    assert (a < b) == (Version(one) < Version(other))
    assert (a == b) == (Version(one) == Version(other))


@given(st.text(max_size=20))
def test_what_is_no_version_for_packaging_is_none_here(text: str) -> None:
    try:
        Version(text)
    except ValueError:
        assert pep440.key(text) is None
    else:
        assert pep440.key(text) is not None


def test_a_local_version_counts_as_the_one_that_it_was_built_from() -> None:
    assert pep440.key("2.5.1+cu121") == pep440.key("2.5.1")
    assert pep440.key("9" * 300) is None


@given(
    st.lists(st.tuples(st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="]), PLAIN, st.booleans()), max_size=3),
    PLAIN,
)
def test_a_requirement_allows_the_releases_that_packaging_allows(
    clauses: list[tuple[str, str, bool]], version: str
) -> None:
    texts = []
    for operator, bound, prefix in clauses:
        if operator == "~=" and "." not in bound:
            continue
        texts.append(f"{operator}{bound}{'.*' if prefix and operator in {'==', '!='} else ''}")
    text = ",".join(texts)
    key, found = pep440.key(version), pep440.allowed(text)
    assert key is not None
    assert found is not None
    assert holds(found, key) == (Version(version) in SpecifierSet(text))


@pytest.mark.parametrize("text", [">=x", "1.0", "~=1", ">=1.*", "==", "latest", ">=1;<2", "^1.2"])
def test_what_is_no_requirement_is_none(text: str) -> None:
    assert pep440.allowed(text) is None


def test_one_version_is_told_from_a_range() -> None:
    assert pep440.exact("==1.2.3") == "1.2.3"
    assert pep440.exact(">=1,==1.2") == "1.2"
    assert pep440.exact("===1.2") == "1.2"
    assert [pep440.exact(each) for each in ("==1.*", ">=1", "", "~=1.2", "==x")] == [None] * 5


def test_semantic_versions() -> None:
    """The example of the specification, and dotted numbers."""
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
               "1.0.1", "1.10.0", "2"]  # fmt: skip
    keys = [semver.key(each) for each in ordered]
    assert None not in keys
    assert all(a < b for a, b in pairwise(keys))  # type: ignore[operator]
    assert semver.key("v1.0+build") == semver.key("1.0.0")
    assert semver.key("b4321") == semver.key("4321")  # a build of llama.cpp
    assert [semver.key(each) for each in ("", "beta", "1.0.0 beta", "1..2", "x" * 400)] == [None] * 5


# --- stretches ---

POINT = st.integers(0, 9).map(lambda each: (each,))
STRETCH = st.builds(Interval, st.none() | POINT, st.none() | POINT, st.booleans(), st.booleans())
SOME = st.lists(STRETCH, max_size=4).map(tuple)


def inside(stretches: tuple[Interval, ...], at: tuple[float]) -> bool:
    return any(
        (each.low is None or at > each.low or (at == each.low and not each.after))
        and (each.high is None or at < each.high or (at == each.high and each.closed))
        for each in stretches
    )


#: Each point and what lies between it and the next.
EVERY = [(each / 2,) for each in range(-1, 21)]


@given(SOME, SOME)
def test_stretches_are_sets_of_points(one: tuple[Interval, ...], other: tuple[Interval, ...]) -> None:
    both = intersect(one, other)
    for at in EVERY:
        assert inside(both, at) == (inside(one, at) and inside(other, at))
        assert holds(one, at) == inside(one, at)
    assert meets(one, other) == any(inside(one, at) and inside(other, at) for at in EVERY)
    assert covers(one, other) == all(inside(one, at) for at in EVERY if inside(other, at))


# --- OSV ---

EVENT = st.builds(
    lambda kind, at: {kind: at},
    st.sampled_from(["introduced", "introduced", "fixed", "last_affected", "limit"]),
    PLAIN | st.just("0"),
)


def by_the_text(events: list[dict[str, str]], version: str) -> bool:
    """The evaluation algorithm of the specification, word for word; of events at one version the introduction comes last."""
    at = Version(version)
    limits = [each["limit"] for each in events if "limit" in each]
    if limits and not any(limit == "*" or at < Version(limit) for limit in limits):
        return False
    rank = {"fixed": 0, "last_affected": 1, "introduced": 2}
    steps = [(kind, value) for each in events for kind, value in each.items() if kind != "limit"]
    steps.sort(key=lambda each: (not (each[0] == "introduced" and each[1] == "0"), Version(each[1]), rank[each[0]]))
    vulnerable = False
    for kind, value in steps:
        if kind == "introduced" and (value == "0" or at >= Version(value)):
            vulnerable = True
        elif (kind == "fixed" and at >= Version(value)) or (kind == "last_affected" and at > Version(value)):
            vulnerable = False
    return vulnerable


def record(events: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    affected = {
        "package": {"ecosystem": "PyPI", "name": "Some.Thing"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        **more,
    }
    return {"id": "GHSA-x", "affected": [affected]}


@given(st.lists(EVENT, min_size=1, max_size=6), PLAIN)
def test_events_mean_what_the_specification_says(events: list[dict[str, str]], version: str) -> None:
    (affected,) = read_record(record(events)).affected
    key = pep440.key(version)
    assert key is not None
    assert holds(affected.intervals, key) == by_the_text(events, version), affected.intervals
