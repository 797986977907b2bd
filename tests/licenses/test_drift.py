"""Every folder of the kit gets exactly the notes about dropped duties that it states, each with the clauses of both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.checks._run import checks
from openvet.core.rule import Severity
from openvet.licenses.drift import KINDS_OF_DRIFT
from openvet.testing.case import Case, write_case
from openvet.testing.forge_rights import RIGHTS


@pytest.mark.parametrize("name", RIGHTS)
def test_it_gets_the_notes_that_it_states(name: str, tmp_path: Path) -> None:
    each = RIGHTS[name]
    model = openvet.check(write_case(Case("license/x", "", each.data, "admit"), tmp_path)).models[0]
    found = [finding for finding in model.findings if finding.rule.removeprefix("license/") in KINDS_OF_DRIFT]
    assert {finding.rule.removeprefix("license/") for finding in found} == each.notes, [f.message for f in found]
    for finding in found:
        assert finding.severity is Severity.NOTE
        assert finding.evidence["clauses"]
        if finding.rule == "license/restriction-dropped":
            assert finding.evidence["own"] is not None
    assert str(model.decision.verdict) == "admit"


def test_every_kind_of_drift_is_a_rule() -> None:
    assert {f"license/{kind}" for kind in KINDS_OF_DRIFT} == {
        "license/restriction-dropped", "license/share-alike-broken", "license/terms-conflict", "license/output-training", "license/name-rule",
        "license/notice-missing", "license/copy-missing", "license/upstream-differs",
    }  # fmt: skip
    seen = frozenset().union(*(each.notes for each in RIGHTS.values()))
    assert seen == set(KINDS_OF_DRIFT) - {"output-training"}, (
        "no file names a teacher under a hub's id yet; test_rights does"
    )
    rules = {module.RULE.id for module in checks().modules}
    assert {f"license/{kind}" for kind in KINDS_OF_DRIFT} <= rules
