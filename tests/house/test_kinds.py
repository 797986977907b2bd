"""Every format and every rule has its shape, and whoever names a rule names one that exists."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from openvet.checks._docs import SECTIONS, summary_and_sections
from openvet.checks._run import checks
from openvet.core.rule import Rule
from openvet.formats._format import Format
from openvet.inventory.identify import formats
from openvet.version import VERSION
from openvet.workflows.knowledge import all_formats

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "openvet"
RULES = {module.RULE.id for module in checks().modules}
FAMILIES = {rule.split("/")[0] for rule in RULES}
FORMATS = {each.id for each in all_formats()}
WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def own(modules: tuple[ModuleType, ...]) -> list[ModuleType]:
    return [module for module in modules if module.__name__.startswith("openvet.")]


def name_of(module: ModuleType) -> str:
    return module.__name__


def test_nothing_is_missing_from_the_registry() -> None:
    """A module without its names would be passed over; it must have them, or a name that starts with _."""
    files = {path for path in SRC.glob("checks/*/*.py") if not path.name.startswith("_")}
    assert {Path(inspect.getfile(module)) for module in own(checks().modules)} == files
    folder = {path for path in SRC.glob("formats/*.py") if not path.name.startswith("_") and path.name != "known.py"}
    folder |= {path for path in SRC.glob("formats/*/__init__.py") if not path.parent.name.startswith("_")}
    assert {Path(inspect.getfile(module)) for module in own(formats().modules)} == folder


@pytest.mark.parametrize("module", own(checks().modules), ids=name_of)
def test_a_rule_has_its_shape(module: ModuleType) -> None:
    rule = module.RULE
    assert isinstance(rule, Rule)
    family, name = module.__name__.removeprefix("openvet.checks.").split(".")
    assert rule.id == f"{family}/{name}".replace("_", "-")
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)
    assert tuple(map(int, rule.since.split("."))) <= tuple(map(int, VERSION.split(".")))
    assert set(rule.needs) <= FORMATS, "needs a format that does not exist"
    summary, sections = summary_and_sections(module)
    assert re.fullmatch(r"[A-Z`'\"].*\.", summary), "the first line is one sentence"
    assert len(summary) <= 160
    assert tuple(heading for heading, _ in sections) == SECTIONS
    assert [heading for heading, text in sections if not text] == []


@pytest.mark.parametrize("module", own(formats().modules), ids=name_of)
def test_a_format_has_its_shape(module: ModuleType) -> None:
    format_ = module.FORMAT
    assert isinstance(format_, Format)
    assert WORD.fullmatch(format_.id)
    assert format_.title
    assert format_.reader
    assert format_.can_tell
    assert format_.cannot_tell, "every reading leaves something open"
    assert all(ending.startswith(".") and ending == ending.lower() for ending in format_.extensions)
    assert set(format_.refines) <= FORMATS
    assert len(inspect.getdoc(module) or "") > 50, "the docstring describes the bytes"
    assert list(inspect.signature(module.probe).parameters) == ["head"]
    assert list(inspect.signature(module.read).parameters) == ["source", "facts"]


def test_ids_are_one_of_a_kind() -> None:
    ids = [each.id for each in all_formats()]
    assert len(ids) == len(set(ids))
    rules = [module.RULE.id for module in checks().modules]
    assert len(rules) == len(set(rules))


def named_rules() -> Iterator[tuple[str, str]]:
    """(place, text) for each string that readers give as the id of a rule."""
    for room in ("io", "origins", "formats", "inventory", "checks", "policy", "workflows", "reports"):
        for path in sorted((SRC / room).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    function = ast.unparse(node.func).rsplit(".", 1)[-1].lower()
                    if function.endswith("anomaly") and isinstance(node.args[0].value, str):
                        yield f"{path.relative_to(SRC)}:{node.lineno}", node.args[0].value
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    head, slash, tail = node.value.partition("/")
                    if slash and head in FAMILIES and WORD.fullmatch(tail):
                        yield f"{path.relative_to(SRC)}:{node.lineno}", node.value


def test_every_rule_that_is_named_exists() -> None:
    assert [f"{place} {text}" for place, text in named_rules() if text not in RULES] == []


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.toml")), ids=lambda path: path.name)
def test_data_parses_and_names_rules_that_exist(path: Path) -> None:
    def strings(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for key, each in value.items():
                yield from (key, *strings(each))
        elif isinstance(value, list):
            for each in value:
                yield from strings(each)

    found = [
        text
        for text in strings(tomllib.loads(path.read_text(encoding="utf-8")))
        if text.partition("/")[0] in FAMILIES and WORD.fullmatch(text.partition("/")[2])
    ]
    assert [text for text in found if text not in RULES] == []


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.json")), ids=lambda path: path.name)
def test_schemas_parse(path: Path) -> None:
    from jsonschema import validators

    schema = json.loads(path.read_text(encoding="utf-8"))
    validators.validator_for(schema).check_schema(schema)


def test_every_rule_has_a_test() -> None:
    """Each rule's id, or its module, is named by some test."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert (
        sorted(rule for rule in RULES if rule not in text and rule.replace("/", ".").replace("-", "_") not in text)
        == []
    )
