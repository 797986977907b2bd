"""Whole bills, byte for byte, and what is printed about them. The tool is a made-up one: its digest changes with every file of ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from openvet.bom.compare import compare
from openvet.bom.coverage import cover
from openvet.bom.cyclonedx import cyclonedx
from openvet.bom.foreign import read_bill
from openvet.bom.spdx import spdx
from openvet.evidence.predicates.tool import Tool
from openvet.reports.bom import compose_coverage, compose_difference
from openvet.workflows.bom import bill_of
from tests.bom.models import MODELS, whole
from tests.snapshots.snapshot import matches

TOOL = Tool("openvet", "0", "0" * 64)


@pytest.mark.parametrize("name", MODELS)
def test_bills(name: str, tmp_path: Path) -> None:
    bill = replace(bill_of(str(MODELS[name](tmp_path))), tool=TOOL)
    for form, write in (("cdx", cyclonedx), ("spdx", spdx)):
        matches(f"bom/{name}.{form}.json", json.dumps(write(bill), indent=1, ensure_ascii=False) + "\n")
    matches(f"bom/{name}.coverage.txt", compose_coverage(bill.subject.name, [each.to_json() for each in cover(bill)]))


def test_a_difference(tmp_path: Path) -> None:
    model = whole(tmp_path)
    before = read_bill(cyclonedx(bill_of(str(model))))
    (model / "LICENSE").write_text("Other\n")
    (model / "merges.txt").write_text("a b\n")
    (model / "generation_config.json").rename(model / "generation.json")
    (model / "requirements.txt").write_text("transformers==4.58.0\ntorch>=2.4\n")
    found = compare(before, read_bill(cyclonedx(bill_of(str(model))))).to_json()
    bills = [
        {"path": path, "form": "CycloneDX", "version": "1.7", "components": 1, "leftOut": 0} for path in ("a", "b")
    ]
    matches("bom/difference.txt", compose_difference({"bills": bills, **found}))
