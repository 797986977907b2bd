"""NIST's own model of OSCAL, as compliance-trestle has it, finds nothing wrong in our assessment results; ``make interop`` makes its environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.documents.samples import DAY, empty, placed, rich
from tests.reports.samples import TOOL

from openvet.policy.decide import decide
from openvet.policy.given import Evidence
from openvet.reports.oscal import compose
from openvet.workflows.packs import list_packs, load_pack

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/oscal/bin/python"
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="compliance-trestle is not installed; make interop does that"
)


def read(text: str) -> dict[str, Any]:
    driver = Path(__file__).with_name("oscal_driver.py")
    found = subprocess.run([str(PYTHON), str(driver)], input=text, capture_output=True, text=True, check=True)
    value: dict[str, Any] = json.loads(found.stdout)
    return value


@pytest.mark.parametrize("evidence", [rich, empty])
def test_every_pack_that_ships_is_read(evidence: Callable[[], Evidence]) -> None:
    known = evidence()
    decisions = [decide(load_pack(name), known, DAY, TOOL) for name in list_packs()]
    found = read(compose(known.subject, decisions, placed(known).lines))
    assert found.get("error") is None
    assert found["observations"] == sum(len(each.lines) for each in decisions)
    asked = ("not-applicable", "not-yet-in-force")
    assert found["findings"] == sum(line.outcome not in asked for each in decisions for line in each.lines)


def test_the_reader_refuses_what_is_none() -> None:
    known = rich()
    text = compose(known.subject, [decide(load_pack("baseline"), known, DAY, TOOL)], {})
    assert "error" in read(text.replace('"objective-id"', '"requirement"'))
    assert "error" in read(
        text.replace('"state": "satisfied"', '"state": "fine"').replace('"state": "not-satisfied"', '"state": "fine"')
    )
