"""The 50 minimum elements: all there, in their clusters, and counted by what a bill really has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from openvet.bom.coverage import STATES, clusters, cover, elements
from openvet.workflows.bom import bill_of
from tests.bom.models import MODELS


def test_all_fifty_are_there_in_seven_clusters() -> None:
    counts = Counter(each.code.partition("-")[0] for each in elements())
    assert counts == {"MD": 10, "SLP": 9, "MDL": 13, "DP": 10, "INF": 2, "SP": 4, "KPI": 2}
    assert len(elements()) == 50
    assert set(clusters()) == set(counts)
    assert len({each.code for each in elements()}) == 50
    assert all(each.cyclonedx and each.spdx for each in elements())


def states(name: str, folder: Path, *, timed: bool = False) -> dict[str, str]:
    return {each.element.code: each.state for each in cover(bill_of(str(MODELS[name](folder))), timed=timed)}


def test_a_bare_model_has_what_bytes_can_say(tmp_path: Path) -> None:
    found = states("bare", tmp_path)
    assert set(found.values()) <= {"met", "missing"}
    assert found["MDL-07"] == found["MDL-08"] == found["MDL-09"] == "met"
    assert found["MDL-12"] == found["MDL-02"] == found["MD-09"] == "missing"


def test_a_documented_one_has_more_and_says_which_is_only_declared(tmp_path: Path) -> None:
    found = states("whole", tmp_path, timed=True)
    assert found["MD-09"] == found["MDL-02"] == found["MDL-07"] == "met"
    assert found["MDL-12"] == found["SP-02"] == found["KPI-02"] == found["INF-02"] == "declared"
    never = {"MD-05", "DP-03", "DP-05", "DP-07", "DP-10", "SP-01", "SP-03"}
    assert {code for code, state in found.items() if state == "missing"} == never


def test_every_line_names_its_source(tmp_path: Path) -> None:
    for each in cover(bill_of(str(MODELS["whole"](tmp_path)))):
        assert each.state in STATES
        assert bool(each.by) == (each.state != "missing")
        if each.state == "declared":
            assert "sha256:" in each.by
