"""The pack of the NIST AI RMF: every subcategory once, no other, and what a tool may say by itself."""

from __future__ import annotations

from openvet.policy.pack import Level
from openvet.workflows.packs import load_pack

#: NIST AI 100-1, tables 1 to 4: subcategories of each category.
SUBCATEGORIES = {
    "GOVERN": [7, 3, 2, 3, 2, 2],
    "MAP": [6, 3, 5, 2, 2],
    "MEASURE": [3, 13, 3, 3],
    "MANAGE": [4, 4, 2, 3],
}


def test_every_subcategory_is_there_once_and_in_order() -> None:
    lines = [each.requirement for each in load_pack("nist-ai-rmf").requirements]
    framework = [each for each in lines if each.source == "ai-rmf-1.0"]
    wanted = [
        f"{function} {category}.{number}"
        for function, counts in SUBCATEGORIES.items()
        for category, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]
    assert len(wanted) == 72
    assert [each.clause for each in framework] == wanted
    assert [each.id for each in framework] == [each.replace(" ", "-") for each in wanted]


def test_the_twelve_risks_of_the_generative_profile() -> None:
    lines = [each.requirement for each in load_pack("nist-ai-rmf").requirements]
    risks = [each for each in lines if each.source == "ai-600-1"]
    assert [each.id for each in risks] == [f"GAI-{number}" for number in range(1, 13)]
    assert all(each.applies == "steps.generative" for each in risks)


def test_what_is_computed_is_what_the_facts_say_a_tool_can_show() -> None:
    computed = {
        each.requirement.id
        for each in load_pack("nist-ai-rmf").requirements
        if each.requirement.level is Level.COMPUTED
    }
    assert computed == {"GOVERN-1.6", "MAP-2.1", "MAP-4.1", "MAP-4.2", "MANAGE-3.1", "GAI-12"}
