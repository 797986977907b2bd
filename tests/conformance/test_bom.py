"""Other people's validators and readers find nothing wrong in our bills; ``make interop`` makes their environment.

``AIBOM_GENERATOR`` names a checkout of OWASP's generator (github.com/GenAI-Security-Project/aibom-generator), whose score is asked too.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.bom.models import MODELS, whole

from openvet.bom.cyclonedx import cyclonedx
from openvet.bom.spdx import spdx
from openvet.testing.case import Case, all_cases, write_case
from openvet.workflows.bom import bill_of

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/bom/bin/python"
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="the readers are not installed; make interop does that"
)
#: Every hundredth case, and all models of the tests of bills.
CASES = all_cases()[::100]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def readers() -> Iterator[Ask]:
    command = [str(PYTHON), str(Path(__file__).with_name("bom_driver.py"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:

        def ask(what: str, *given: str) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"ask": what, "with": given}) + "\n")
            process.stdin.flush()
            found: dict[str, Any] = json.loads(process.stdout.readline())
            return found

        yield ask
        assert process.stdin is not None
        process.stdin.close()


def look(model: Path, readers: Ask) -> None:
    bill = bill_of(str(model))
    found = readers("cyclonedx", json.dumps(cyclonedx(bill)))
    assert "error" not in found, found
    text = json.dumps(spdx(bill))
    found = readers("spdx", text)
    assert found.get("missing") == [], found
    assert found["objects"] >= 5
    for standard in ("ntia", "bsi", "fsct3-min"):
        found = readers("ntia", text, standard)
        assert found == {"parsing": [], "author": True, "timestamp": True, "relationships": True, "messages": []}, (
            standard
        )


@pytest.mark.parametrize("name", MODELS)
def test_they_read_our_models(name: str, readers: Ask, tmp_path: Path) -> None:
    look(MODELS[name](tmp_path), readers)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_they_read_all_kinds(case: Case, readers: Ask, tmp_path: Path) -> None:
    look(write_case(case, tmp_path), readers)


@pytest.mark.skipif(
    not os.environ.get("AIBOM_GENERATOR"), reason="AIBOM_GENERATOR names no checkout of OWASP's generator"
)
def test_the_score_of_a_documented_model(readers: Ask, tmp_path: Path) -> None:
    found = readers("score", json.dumps(cyclonedx(bill_of(str(whole(tmp_path))))), os.environ["AIBOM_GENERATOR"])
    assert found["valid"]["error_count"] == 0, found
    # the only field left is one that its registry looks for at a place that no document has
    assert found["missing"] == {"critical": [], "important": [], "supplementary": ["external_references"]}
    assert found["score"] >= 96
