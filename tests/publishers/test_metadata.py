"""What a hub's answers say of a change: renamed, transferred, taken by somebody else, rewritten; and what is no change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.publishers.metadata import Answer, compare_answers, facts_of, look_at_answer, take_answer

BORN = "2024-07-14T22:20:15.000Z"
OBJECT = "66944f1fe0c5c2e493a804f5"  # its first four bytes are that second
SHA, NEWER = "a" * 40, "b" * 40


def answer(**more: Any) -> Answer:
    value = {
        "_id": OBJECT, "id": "org/name", "author": "org", "sha": SHA, "createdAt": BORN, "lastModified": "2024-10-16T22:00:37.000Z",
        "private": False, "gated": False, "disabled": False, "tags": ["license:mit"],
        "siblings": [{"rfilename": "model.safetensors", "lfs": {"sha256": "1" * 64}}, {"rfilename": "config.json"}],
    } | more  # fmt: skip
    found = take_answer({name: each for name, each in value.items() if each is not None}, "a.json")
    assert found is not None
    return found


def compared(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [each.kind for each in compare_answers(answer(**before), answer(**after))]


def test_what_an_answer_declares() -> None:
    facts = {each.name: each.value for each in facts_of(answer())}
    assert facts == {
        "id": "org/name", "author": "org", "_id": OBJECT, "sha": SHA, "createdAt": BORN, "lastModified": "2024-10-16T22:00:37.000Z", "gated": "no",
        "private": False, "disabled": False, "license": "mit", "files with digests": 1,
    }  # fmt: skip
    assert all(each.basis == "declared" for each in facts_of(answer()))
    assert list(look_at_answer(answer())) == []


def test_nothing_changed() -> None:
    assert compared({}, {}) == []
    assert compared({}, {"downloads": 5, "likes": 7, "id": "Org/Name", "author": "Org"}) == []


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({}, {"_id": "676944f1e0c5c2e493a804f5"}, ["namespace-reused"]),
        ({"_id": None}, {"_id": None, "createdAt": "2025-02-01T00:00:00Z", "lastModified": "2025-02-02T00:00:00Z"}, ["namespace-reused"]),
        ({"_id": None}, {"_id": None, "createdAt": "2024-08-01T00:00:00Z"}, []),  # made before it was last changed: another clock, no proof
        ({}, {"id": "new/name", "author": "new"}, ["renamed", "author-changed"]),
        ({}, {"author": "other"}, ["author-changed"]),
        ({}, {"sha": NEWER, "lastModified": "2025-01-01T00:00:00Z"}, ["moved-on"]),
        ({}, {"sha": NEWER, "commits": [{"id": NEWER}, {"id": SHA}]}, ["moved-on"]),
        ({}, {"sha": NEWER, "commits": [{"id": NEWER}, {"id": "c" * 40}]}, ["history-rewritten"]),
        ({}, {"lastModified": "2024-09-01T00:00:00Z"}, ["contradiction"]),
        ({}, {"gated": "manual"}, ["access-changed"]),
        ({}, {"private": True}, ["access-changed"]),
        ({"disabled": True}, {}, ["access-changed"]),
        ({}, {"tags": ["license:other"]}, ["license-changed"]),
        ({}, {"sha": NEWER, "siblings": [{"rfilename": "model.safetensors", "lfs": {"oid": "2" * 64}}]}, ["moved-on", "weights-changed"]),
        ({}, {"siblings": [{"rfilename": "model.safetensors", "lfs": {"oid": "2" * 64}}]}, ["contradiction"]),
        ({}, {"siblings": [{"rfilename": "other.safetensors", "lfs": {"oid": "2" * 64}}]}, []),
    ],
)  # fmt: skip
def test_what_changed(before: dict[str, Any], after: dict[str, Any], kinds: list[str]) -> None:
    assert compared(before, after) == kinds


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({"author": "other"}, ["contradiction"]),
        ({"disabled": True}, ["disabled"]),
        ({"createdAt": "2026-01-01T00:00:00Z"}, ["contradiction", "contradiction"]),
        ({"_id": "776944f1e0c5c2e493a804f5"}, ["contradiction"]),
        # every repository that was there on that day has that time
        ({"createdAt": "2022-03-02T23:29:04.000Z", "_id": "5f0c1f1fe0c5c2e493a804f5"}, []),
        ({"createdAt": "yesterday"}, []),
    ],
)
def test_what_one_answer_contradicts(change: dict[str, Any], kinds: list[str]) -> None:
    assert [each.kind for each in look_at_answer(answer(**change))] == kinds


def test_an_answer_about_another_name_is_a_redirect() -> None:
    found = take_answer({"id": "new/name", "author": "new"}, "x", "old/name")
    assert found is not None
    assert [each.kind for each in look_at_answer(found)] == ["renamed"]
    same = take_answer({"id": "Old/Name"}, "x", "old/name")
    assert same is not None
    assert list(look_at_answer(same)) == []


def test_a_list_of_commits_is_an_answer() -> None:
    found = take_answer([{"id": SHA, "title": "x"}, {"id": "no"}, 5], "x")
    assert found is not None
    assert found.commits == (SHA,)
    for nothing in ([], {}, {"id": "name"}, {"id": 5}, "text", None, 5, [{"id": "short"}]):
        assert take_answer(nothing, "x") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([SHA, OBJECT, BORN, "org/name", "\u202ea/b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rfilename", "lfs", "sha256", "oid", "id", "license"]) | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
ANSWERS = st.fixed_dictionaries(
    {"id": st.sampled_from(["org/name", "\u202ea/b", "x/\ud800"])},
    optional=dict.fromkeys(("_id", "author", "sha", "createdAt", "lastModified", "gated", "private", "disabled", "cardData", "tags", "siblings", "commits"), JSON),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(ANSWERS, ANSWERS)
def test_whatever_a_hub_answers(before: dict[str, Any], after: dict[str, Any]) -> None:
    one, other = take_answer(before, "a"), take_answer(after, "b")
    assert one is not None
    assert other is not None
    told = [*look_at_answer(one), *look_at_answer(other), *compare_answers(one, other)]
    for value in (*(each.to_json() for each in told), *(each.to_json() for each in facts_of(one))):
        json.dumps(value, allow_nan=False).encode("utf-8")
    for each in told:
        assert each.message.isprintable()
