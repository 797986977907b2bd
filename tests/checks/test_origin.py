"""origin/look-alike and origin/official-claim: a note for what a file states, low for the place that a model came from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import openvet
from openvet.checks._run import run_checks
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.limits import DEFAULT_LIMITS, Budget
from openvet.core.rule import Severity
from openvet.formats._format import Heading, Outline
from openvet.inventory.component import Component, Inventory
from openvet.testing import all_cases
from openvet.testing.case import write_case

NOTED = {"origin/digits-for-letters", "origin/confusable-characters", "origin/hidden-characters", "origin/added-word"}
CASES = [each for each in all_cases() if each.id.startswith("origin/")]
COMMIT = "a" * 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_folder_gets_the_notes_that_it_should(case: openvet.testing.Case, tmp_path: Path) -> None:
    model = openvet.check(write_case(case, tmp_path)).models[0]
    found = [each for each in model.findings if each.rule.startswith("origin/")]
    assert {each.rule for each in found} == ({"origin/look-alike"} if case.id in NOTED else set())
    assert all(each.severity is Severity.NOTE for each in found)


def findings(name: str, *components: Component) -> list[Finding]:
    inventory = Inventory(components, name)
    result = run_checks(inventory, ("origin/look-alike", "origin/official-claim"), {}, Budget(DEFAULT_LIMITS))
    return list(result.findings)


def test_the_place_that_a_model_came_from_is_counted() -> None:
    (found,) = findings(f"hf:meta-1lama/Llama-3.1-8B@{COMMIT}")
    assert (found.rule, found.severity) == ("origin/look-alike", Severity.LOW)
    assert findings(f"hf:meta-llama/Llama-3.1-8B@{COMMIT}") == []
    assert findings("meta-1lama") == []  # a folder's name is no account


def test_a_claim_to_be_official_is_counted() -> None:
    outline = Outline(headings=(Heading(1, "The official release of Llama", 1, (), 0),))
    page = Component("README.md", "README.md", 1, ("markdown",), Coverage.READ, outline=outline)
    (found,) = findings(f"hf:someone/Llama-3.1-8B@{COMMIT}", page)
    assert (found.rule, found.severity, found.location.line) == ("origin/official-claim", Severity.LOW, 1)
    assert findings(f"hf:someone/Llama-3.1-8B-GGUF@{COMMIT}", page) == []
    silent = replace(page, outline=Outline(headings=(Heading(1, "Llama", 1, (), 0),)))
    assert findings(f"hf:someone/Llama-3.1-8B@{COMMIT}", silent) == []


def test_no_other_case_of_the_kit_has_a_name_that_looks_like_another(tmp_path: Path) -> None:
    """Names in hostile and harmless files of the kit are ordinary ones."""
    for number, case in enumerate(each for each in all_cases() if each.id.startswith(("card/", "hub/"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        model = openvet.check(write_case(case, folder)).models[0]
        assert [each.message for each in model.findings if each.rule.startswith("origin/")] == [], case.id
