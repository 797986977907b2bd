"""Records and cards from strangers: whatever stands in them, there is an answer, in bounded time, and printable."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.openness.releases import WEIGHTS, card, examined, folder

from openvet.core.coverage import Coverage
from openvet.evidence.predicates.openness_v1 import OpennessV1
from openvet.inventory.component import Component, Inventory
from openvet.reports.openness import compose_openness


def of_release(release: Any) -> OpennessV1:
    component = Component("r.yml", "r.yml", 1, ("yaml",), Coverage.READ, document={"release": release})
    return examined(Inventory((component,)))


@pytest.mark.parametrize(
    "release",
    [
        {"components": []},
        {"components": [None, 7, "x", [], {}, {"name": None}, {"name": ["Datasets"]}]},
        {"components": [{"name": "Datasets", "license": ["MIT"], "component_path": {"a": 1}}]},
        {"components": [{"name": "Datasets", "license": 7}], "license": ["MIT"]},
        {"components": [{"name": "Datasets"}], "license": {"distribution": "MIT", "data": {"name": 7}, 3: None}},
        {"components": [{"name": "Magic\x1b[31m\u202e" * 100, "license": "MIT"}]},
        {"components": [{"name": "Datasets", "license": "x\x1b[31m" * 1000, "component_path": "https://a/\x1b[31m" * 100}]},
        {"components": [{"name": "Datasets"}] * 10_000},
    ],
)  # fmt: skip
def test_records_that_are_no_records(release: Any) -> None:
    found = of_release(release)
    assert OpennessV1.from_json(found.to_json()) == found
    text = compose_openness("r.yml", found, everything=True)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(found.notes) <= 201


def test_an_empty_licence_and_a_name_of_nothing_count_for_nothing() -> None:
    found = of_release({"components": [{"name": "Datasets"}, {"name": "Datasets "}]})
    assert found.part("datasets").license is None
    assert [each.text for each in found.notes] == ["names no component of the framework: Datasets "]


@pytest.mark.parametrize("path", ["../weights.bin", "/etc/passwd", "..", "a/../../b", "data:text/plain,x", "C:\\x"])
def test_paths_lead_nowhere_outside(path: str, tmp_path: Path) -> None:
    text = f"framework: {{name: Model Openness Framework}}\nrelease:\n  components:\n  - name: Datasets\n    component_path: '{path}'\n"
    found = examined(folder({"m/MOF.yml": text.encode(), "weights.bin": b"x"}, tmp_path))
    assert found.part("datasets").state == "missing"
    assert len(found.notes) == 1


def test_other_yaml_is_no_record(tmp_path: Path) -> None:
    text = b"release:\n  components:\n  - name: Datasets\n"
    found = examined(folder({"a.yml": text, "b.yml": b"- framework\n", "model.safetensors": WEIGHTS}, tmp_path))
    assert found.part("datasets").state == "missing"


def test_a_card_of_nothing_but_links_takes_no_time(tmp_path: Path) -> None:
    lines = "training data https://example.org/a " * 40
    prose = "# Model\n\n" + f"{lines}\n" * 3000 + "x" * 1_000_000 + "://" * 100_000
    where = folder({"README.md": card(prose=prose)}, tmp_path)
    begun = time.process_time()
    found = examined(where)
    assert time.process_time() - begun < 5
    assert len(found.part("datasets").evidence) <= 6


def test_many_files_take_little_time() -> None:
    files = tuple(
        Component(f"data/part-{at:06}.parquet", f"data/part-{at:06}.parquet", 1, ("parquet",), Coverage.READ)
        for at in range(60_000)
    )
    begun = time.process_time()
    found = examined(Inventory(files))
    assert time.process_time() - begun < 5
    assert found.part("datasets").more > 40_000
    assert [each.text for each in found.notes] == [
        "there are more files; the first 50,000 files and members were looked at"
    ]
