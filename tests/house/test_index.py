"""The indexes of rules and formats say what the modules beside them say, and what they leave out is not needed."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from openvet.checks._run import checks
from openvet.core import registry
from openvet.core.registry import Registered, walk_kind
from openvet.core.rule import rule_of
from openvet.formats._format import sign_of
from openvet.inventory.identify import formats

ROOT = Path(__file__).resolve().parents[2]
#: What a check of a recorded rule may ask its context for.
RECORDED = {"ctx.anomalies", "ctx.inventory.anomalies"}


def test_the_indexes_are_what_the_modules_say() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "index.py"))
    assert list(made["stale"]()) == [], "run `make index`"


@pytest.mark.parametrize(
    ("found", "package", "facts_of"),
    [(checks, "openvet.checks", rule_of), (formats, "openvet.formats", sign_of)],
    ids=["rules", "formats"],
)
def test_the_index_names_what_walking_finds(
    found: Callable[[], Registered], package: str, facts_of: Callable[[ModuleType], Any]
) -> None:
    assert registry._indexed(package, facts_of) is not None, "the index does not fit to what is in the folder"
    walked = [module for module in walk_kind(package) if hasattr(module, "RULE") or hasattr(module, "probe")]
    built_in = [entry for entry in found().entries if entry.name.startswith("openvet.")]
    assert [(entry.name, entry.facts) for entry in built_in] == [(each.__name__, facts_of(each)) for each in walked]
    assert [entry.module for entry in built_in] == walked


@pytest.mark.parametrize("entry", checks().entries, ids=lambda entry: entry.facts.id)
def test_a_rule_is_recorded_exactly_where_it_looks_at_nothing_but_what_readers_recorded(entry: registry.Entry) -> None:
    tree = ast.parse(Path(entry.module.__file__ or "").read_text(encoding="utf-8"))
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "ctx"]
    asked = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    known = [each for each in asked if each in RECORDED]
    nothing_else = len(uses) == len(known) + asked.count("ctx.finding")
    assert entry.facts.recorded == bool(known and nothing_else)
    own = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "ctx.inventory.anomalies"]  # fmt: skip
    if entry.facts.recorded:  # of its own, and not what was recorded for another one
        assert all(ast.unparse(node.args[0]) == "RULE.id" for node in own)
