"""Every folder of the kit gets exactly the notes that it states, and its card statement obeys the schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.reports.test_snapshots import schema

import openvet
from openvet.checks._run import checks
from openvet.core.rule import Severity
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.testing.case import Case, write_case
from openvet.testing.forge_cards import CARDS

RULES = {module.RULE.id.removeprefix("card/") for module in checks().modules if module.RULE.id.startswith("card/")}


@pytest.mark.parametrize("name", CARDS)
def test_it_gets_the_notes_that_it_states(name: str, tmp_path: Path) -> None:
    each = CARDS[name]
    model = openvet.check(write_case(Case("card/x", "", each.data, "admit"), tmp_path)).models[0]
    found = [finding for finding in model.findings if finding.rule.startswith("card/")]
    assert {finding.rule.removeprefix("card/") for finding in found} == each.notes, [f.message for f in found]
    assert all(finding.severity is Severity.NOTE for finding in found)
    card = model.answers["card"]
    assert isinstance(card, CardV1)
    assert list(schema("card-v1").iter_errors(card.to_json())) == []
    assert {problem.kind for document in card.documents for problem in document.problems} == each.notes


def test_every_rule_has_a_folder_and_every_folder_a_rule() -> None:
    known = {
        "card/ambiguous-license", "card/base-model-differs", "card/base-model-missing", "card/citation", "card/croissant",
        "card/data-file-missing", "card/eval-results", "card/incomplete", "card/language-code", "card/library-contradicted", "card/license-differs",
        "card/malformed-metadata", "card/model-index", "card/relation-contradicted", "card/task-contradicted", "card/unknown-license",
        "card/unknown-task", "card/unnamed-license",
    }  # fmt: skip
    assert {f"card/{name}" for name in RULES} == known
    assert frozenset().union(*(each.notes for each in CARDS.values())) == RULES
