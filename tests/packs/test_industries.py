"""Counts and days of the packs of industries, as the rules have them."""

from __future__ import annotations

import pytest

from openvet.policy.pack import Requirement
from openvet.workflows.packs import load_pack


def lines_of(name: str) -> dict[str, Requirement]:
    return {each.requirement.id: each.requirement for each in load_pack(name).requirements}


def test_ten_principles_of_good_machine_learning_practice_and_three_parts_of_a_change_plan() -> None:
    lines = lines_of("healthcare")
    assert [each for each in lines if each.startswith("GMLP-")] == [f"GMLP-{number}" for number in range(1, 11)]
    assert [lines[f"PCCP-{number}"].clause for number in (1, 2, 3)] == [
        "Description of modifications",
        "Modification protocol",
        "Impact assessment",
    ]
    assert ">= 31.0" in lines["HTI-1"].passes  # 45 CFR 170.315(b)(11)(iv) has 31 source attributes


@pytest.mark.parametrize(
    ("pack", "line", "day"),
    [
        ("healthcare", "EU-AIA-I", "2028-08-02"),
        ("finance", "SR-1", "2026-04-17"),
        ("finance", "AIA-5b", "2027-12-02"),
        ("finance", "AIA-5c", "2027-12-02"),
        ("finance", "DORA-1", "2025-01-17"),
        ("finance", "EBA-1", "2026-09-18"),
        ("manufacturing", "MACH-1", "2027-01-20"),
        ("manufacturing", "CRA-1", "2026-09-11"),
        ("manufacturing", "CRA-2", "2027-12-11"),
        ("education", "EDU-5f", "2025-02-02"),
        ("education", "EDU-3a", "2027-12-02"),
        ("education", "EDU-NOTICE", "2026-08-02"),
    ],
)
def test_days(pack: str, line: str, day: str) -> None:
    assert [each.start.isoformat() for each in lines_of(pack)[line].phases] == [day]


def test_every_use_of_annex_iii_in_education_and_finance_is_there() -> None:
    assert {each for each in lines_of("education") if each.startswith("EDU-3")} == {
        "EDU-3a",
        "EDU-3b",
        "EDU-3c",
        "EDU-3d",
    }
    assert {each for each in lines_of("finance") if each.startswith("AIA-")} == {"AIA-5b", "AIA-5c"}


def test_generative_models_are_outside_of_sr_26_2() -> None:
    step = next(each.step for each in load_pack("finance").steps if each.step.id == "sr_26_2")
    assert "!steps.generative" in step.values[0]
