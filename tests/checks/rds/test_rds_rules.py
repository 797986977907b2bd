"""The lists of R functions fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.checks.rds._calls import harmless, kind_of
from openvet.testing.forge_r import active, call, closure, environment, promise, rdata, rds, strings, sym


def test_nothing_is_both_dangerous_and_harmless() -> None:
    assert [name for name in ("system", "unlink", "source", "eval(parse)", ".Internal") if harmless(name)] == []


def test_common_words_count_only_where_they_are_called() -> None:
    assert kind_of("bytecode/handed-on", "url") is None
    assert kind_of("promise", "url") == "network"
    assert kind_of("function", "options") is None
    assert kind_of("bytecode/handed-on", "system") == "process"


@pytest.mark.parametrize(
    ("rule", "item", "told"),
    [
        ("rds/promise", promise(sym("x")), True),
        ("rds/promise", environment(("x", promise(sym("y")))), False),
        ("rds/dangerous-call", closure(call("get", strings("system2"))), True),
        ("rds/dangerous-call", call("~", sym("y"), sym("system")), False),
        ("rds/carries-code", closure(call("helper")), True),
        ("rds/carries-code", closure(call("+", sym("x"))), False),
        ("rds/active-binding", environment(last=active("x", closure(call("+")))), True),
        ("rds/active-binding", environment(("x", closure(call("+")))), False),
    ],
)
def test_a_rule_and_its_look_alike(tmp_path: Path, rule: str, item: list[int | bytes | float], told: bool) -> None:
    assert (rule in rules(tmp_path, rds(item))) is told


def test_a_name_that_r_calls_by_itself(tmp_path: Path) -> None:
    assert "rds/runs-on-start" in rules(tmp_path, rdata((".Last", closure(call("+")))))
    assert "rds/runs-on-start" not in rules(tmp_path, rdata(("c", strings("a"))))


def rules(folder: Path, data: bytes) -> set[str]:
    path = folder / "model.rds"
    path.write_bytes(data)
    return {each.rule for each in openvet.check(path).models[0].scan.all_findings()}
