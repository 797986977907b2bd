"""Roles on a tree of projects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import UsageError
from openvet.gate.roles import RIGHTS, ROOT, Grant, Right, Role, holds_in, parse_project, rights_in

PROJECTS = ["/", "/a", "/a/b", "/a/b/c", "/ab", "/b"]
grants = st.lists(st.builds(Grant, st.sampled_from(list(Role)), st.sampled_from(PROJECTS)), max_size=5)

TABLE = """
             viewer submitter reviewer approver auditor admin
see          x      x         x        x        x       x
pull         .      x         x        x        .       .
ask          .      x         x        x        .       .
vet          .      x         x        x        .       .
recommend    .      .         x        x        .       .
decide       .      .         .        x        .       .
audit        .      .         .        .        x       x
administer   .      .         .        .        .       x
"""


def test_the_whole_table() -> None:
    head, *rows = [line.split() for line in TABLE.strip("\n").splitlines()]
    said = {(right, role): mark == "x" for right, *marks in rows for role, mark in zip(head, marks, strict=True)}
    assert said == {(right.value, role.value): right in RIGHTS[role] for right in Right for role in Role}


@pytest.mark.parametrize(
    ("granted", "asked", "holds"),
    [("/", "/", True), ("/", "/a/b", True), ("/a", "/a", True), ("/a", "/a/b/c", True), ("/a", "/ab", False),
     ("/a/b", "/a", False), ("/a", "/", False), ("/b", "/a/b", False)],
)  # fmt: skip
def test_a_role_holds_below(granted: str, asked: str, holds: bool) -> None:
    assert holds_in(granted, asked) is holds
    assert bool(rights_in([Grant(Role.ADMIN, granted)], asked)) is holds


@given(grants, st.sampled_from(PROJECTS))
def test_rights_are_the_union_and_grow_downwards(held: list[Grant], project: str) -> None:
    found = rights_in(held, project)
    assert found == frozenset().union(*(rights_in([each], project) for each in held))
    for below in PROJECTS:
        if holds_in(project, below):
            assert found <= rights_in(held, below)


def test_nobody_may_do_nothing() -> None:
    assert rights_in([], ROOT) == frozenset()


@pytest.mark.parametrize(
    "text", ["", "a", "/a/", "//", "/A", "/a//b", "/-a", "/a b", "/..", "/" + "x" * 64, "/a" * 9, "/a\n"]
)
def test_what_is_no_project(text: str) -> None:
    with pytest.raises(UsageError, match="a project is a path"):
        parse_project(text)


@pytest.mark.parametrize("text", ["/", "/a", "/vision/ocr-2", "/" + "x" * 63, "/a" * 8])
def test_projects(text: str) -> None:
    assert parse_project(text) == text
