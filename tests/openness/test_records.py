"""Records of the Model Openness Tool get the classes and percentages that they state, and those that its own evaluator gives them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.openness.releases import examined

from openvet.core.coverage import Coverage
from openvet.evidence.predicates.openness_v1 import OpennessV1
from openvet.inventory.component import Component, Inventory
from openvet.openness.framework import components

VENDOR = Path(__file__).parent.parent / "vendor/mot"
STATED = sorted(VENDOR.glob("*.yml"))
EVALUATED: dict[str, dict[str, Any]] = json.loads((VENDOR / "evaluator-results.json").read_text("utf-8"))
MODELS: list[dict[str, Any]] = json.loads((VENDOR / "models.json").read_text("utf-8"))
NAMES = {each.id: each.name for each in components()}
_IN_NAME = re.compile(r"_C1_(\d+)%-C2_(\d+)%-C3_(\d+)%_(\d+)C_(\d+)G_(\d+)L_(\d+)V_(\d+)I_(\d+)T")


def of_document(document: Any) -> OpennessV1:
    """What is said of a record that was read already."""
    component = Component("record.yml", "record.yml", 1, ("yaml",), Coverage.READ, document=document)
    return examined(Inventory((component,)))


def as_evaluated(found: OpennessV1) -> dict[str, Any]:
    """Our result in the tool's words: class I lists everything that is needed."""
    (reading,) = found.readings
    of = {each.of: each for each in reading.classes}
    return {
        "class": reading.reached,
        "progress": {str(each): pytest.approx(of[each].percent) for each in (1, 2, 3)},
        "missing": sorted(NAMES[each] for each in of[1].missing),
        "invalid": sorted(NAMES[each] for each in of[1].not_open if _needed(each)),
        "unlicensed": sorted(NAMES[each] for each in of[1].unlicensed),
        "not-type-appropriate": sorted(NAMES[each] for each in found.unfitting),
    }


def _needed(name: str) -> bool:
    return next(each.needed for each in components() if each.id == name)


def theirs(name: str) -> dict[str, Any]:
    """The evaluator's result, without what it lists of components that nobody needs."""
    said = EVALUATED[name]
    needed = {each.name for each in components() if each.needed}
    return {
        **{key: said[key] for key in ("class", "progress")},
        **{key: sorted(needed & set(said[key])) for key in ("missing", "invalid", "unlicensed")},
        "not-type-appropriate": sorted(said["not-type-appropriate"]),
    }


def but_for_public_domain(found: OpennessV1, result: dict[str, Any]) -> dict[str, Any]:
    """``result`` without data under two licences that the tool lists for data, and then, by the order of its import, does not."""
    spared = {
        NAMES[each.id]
        for each in found.parts
        if each.type == "data" and each.license is not None and each.license.id in ("CC0-1.0", "CC-PDDC")
    }
    return {**result, "not-type-appropriate": [each for each in result["not-type-appropriate"] if each not in spared]}


@pytest.mark.parametrize("path", STATED, ids=lambda each: each.stem)
def test_the_percentages_in_the_name_of_a_test_record(path: Path) -> None:
    found = examined(path)
    (reading,) = found.readings
    progress = {each.of: each.percent for each in reading.classes}
    stated = _IN_NAME.search(path.name)
    assert stated is not None
    first, second, third, count, _, _, valid, invalid, _ = map(int, stated.groups())
    # the names state what each class would have; the tool, and the framework, count nothing above a class that is not full
    second = second if third == 100 else 0
    first = first if second == 100 else 0
    assert [round(progress[each]) for each in (1, 2, 3)] == [first, second, third]
    there = [each for each in found.parts if each.state != "missing"]
    assert len(there) == count
    standings = [each.license.standing for each in there if each.license is not None]
    assert sum(each.startswith("open") for each in standings) == valid
    assert sum(not each.startswith("open") for each in standings) == invalid
    assert found.notes == ()


@pytest.mark.parametrize("path", STATED, ids=lambda each: each.stem)
def test_the_tool_gives_a_test_record_the_same(path: Path) -> None:
    found = examined(path)
    assert as_evaluated(found) == but_for_public_domain(found, theirs(path.name))


def test_the_tool_s_own_expected_results() -> None:
    # the file was written without its lines of dates, which leaves commas that JSON does not have
    text = re.sub(r",(\s*[}\]])", r"\1", (VENDOR / "expected_results.json").read_text("utf-8"))
    expected = json.loads(text)["models"]
    assert len(expected) == len(STATED)
    for each in expected:
        found = of_document(each)
        (reading,) = found.readings
        assert reading.reached == each["classification"]["class"], each["release"]["name"]
        progress = {str(one.of): pytest.approx(one.percent) for one in reading.classes}
        assert each["classification"]["progress"] == progress, each["release"]["name"]


def test_every_published_record_gets_what_the_tool_gives_it() -> None:
    assert len(MODELS) == 273
    differing = {}
    for each in MODELS:
        found = of_document({"release": each["release"]})
        ours, tools = as_evaluated(found), but_for_public_domain(found, theirs(each["file"]))
        if ours != tools:
            differing[each["file"]] = (ours, tools)
    assert differing == {}
