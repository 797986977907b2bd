"""Counts and days of the packs of Singapore and China, as the frameworks and rules have them."""

from __future__ import annotations

from collections import Counter

from openvet.workflows.packs import load_pack


def test_each_framework_of_singapore_has_its_areas() -> None:
    lines = [each.requirement for each in load_pack("singapore").requirements]
    counts = Counter(each.source for each in lines)
    # the third dimension of the framework for generative AI is two lines: disclosure, and practices of safety
    assert counts == {"mgf-2020": 4, "genai-2024": 9 + 1, "agentic-2026": 4, "kit-2026": 5, "ai-verify": 11}
    assert len({each.clause[0] for each in lines if each.source == "genai-2024"}) == 9
    assert all(not each.phases for each in lines)  # voluntary: nothing comes into force


def test_the_rules_of_china_have_their_days() -> None:
    lines = [each.requirement for each in load_pack("china").requirements]
    assert {(each.source, each.phases[0].start.isoformat()) for each in lines} == {
        ("algorithm-2022", "2022-03-01"),
        ("synthesis-2023", "2023-01-10"),
        ("generative-2023", "2023-08-15"),
        ("labelling-2025", "2025-09-01"),
        ("security-2025", "2025-11-01"),
        ("csl-2026", "2026-01-01"),
        ("anthropomorphic-2026", "2026-07-15"),
    }
    assert all("steps.public_service_in_china" in each.applies for each in lines)
