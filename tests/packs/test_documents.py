"""Documents of the frameworks that have a form of their own: parts in their order and number, every line of the pack once, what people write open."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import groupby

import pytest
from tests.documents.samples import answer, empty, filled, listed, rich, say

from openvet.policy.document import Document
from openvet.policy.given import Evidence
from openvet.policy.pack import Level
from openvet.policy.paper import Paper
from openvet.workflows.documents import find_document
from openvet.workflows.packs import load_pack

#: The facts: regulation.md, sections 2 to 4.
CATEGORIES = {"GOVERN": [7, 3, 2, 3, 2, 2], "MAP": [6, 3, 5, 2, 2], "MEASURE": [3, 13, 3, 3], "MANAGE": [4, 4, 2, 3]}
OWN = {
    "nist-ai-rmf": ("nist-profile",),
    "singapore": ("singapore-frameworks", "ai-verify", "starter-kit"),
    "china": ("china-disclosure", "china-filing", "china-labelling"),
}
NAMES = [(pack, name) for pack, names in OWN.items() for name in names]


def document(name: str) -> Document:
    return find_document(name)[0]


def paper(name: str, evidence: Evidence) -> Paper:
    return filled(*find_document(name), evidence)


def parts(name: str) -> list[tuple[str, list[str]]]:
    """Sections in order, each with the requirements in it."""
    return [
        (section, [each.requirement for each in items if each.requirement])
        for section, items in groupby(document(name).items, key=lambda each: each.section)
    ]


@pytest.mark.parametrize("pack", OWN)
def test_every_line_of_the_pack_stands_in_its_documents_once(pack: str) -> None:
    lines = [each.requirement.id for each in load_pack(pack).requirements]
    found = [each.requirement for name in OWN[pack] for each in document(name).items if each.requirement]
    assert Counter(found) == Counter(lines)


def test_the_profile_goes_by_function_and_category_and_has_a_target_for_each() -> None:
    found = parts("nist-profile")
    wanted = [(f"{function} {number}: ", count) for function, counts in CATEGORIES.items() for number, count in enumerate(counts, 1)]  # fmt: skip
    assert len(wanted) == 19
    assert sum(count for _, count in wanted) == 72
    assert found[0][0] == "The profile"
    assert len(found) == 1 + 19 + 1
    for (section, lines), (start, count) in zip(found[1:-1], wanted, strict=True):
        assert section.startswith(start)
        name = start.removesuffix(": ").replace(" ", "-")
        assert lines == [f"{name}.{number}" for number in range(1, count + 1)]
        last = [each for each in document("nist-profile").items if each.section == section][-1]
        assert (last.id, last.human, last.fills) == (f"target-{name.lower()}", True, ())
    assert found[-1][1] == [f"GAI-{number}" for number in range(1, 13)]


def test_singapores_frameworks_go_by_area_and_dimension() -> None:
    found = parts("singapore-frameworks")[1:]
    heads = Counter(section.partition(",")[0] for section, _ in found)
    assert heads == {"Model framework": 4, "Generative AI": 9, "Agentic AI": 4}
    clauses = {each.requirement.id: each.requirement.clause for each in load_pack("singapore").requirements}
    for section, lines in found:
        number, _, title = section.partition(", ")[2].partition(" ")[2].partition(": ")
        assert lines
        for each in lines:
            assert clauses[each].removeprefix(f"{number} ").partition(":")[0] == title
        assert [each.id.endswith("-practice") for each in document("singapore-frameworks").items if each.section == section and not each.requirement] == [True]  # fmt: skip


def test_ai_verify_goes_by_its_eleven_principles_and_the_kit_by_its_three_steps() -> None:
    clauses = {each.requirement.id: each.requirement.clause for each in load_pack("singapore").requirements}
    principles = parts("ai-verify")[1:-1]
    assert [section for section, _ in principles] == [f"Principle {n}: {clauses[f'VERIFY-{n}']}" for n in range(1, 12)]
    assert [lines for _, lines in principles] == [[f"VERIFY-{n}"] for n in range(1, 12)]
    assert parts("starter-kit") == [("Identify", []), ("Test", [f"KIT-{n}" for n in range(1, 6)]), ("Assess", [])]


def test_chinas_filing_has_the_fields_of_article_24_and_labels_their_parts() -> None:
    fields = [each for each in document("china-filing").items if each.section == "Fields of the filing"]
    assert [each.id for each in fields] == ["name", "form", "domain", "type", "self-assessment", "publicised"]
    assert all(each.human and each.clause.endswith("24") for each in fields)
    (types,) = (each.choices for each in fields if each.choices)
    assert len(types) == 5
    items = document("china-labelling").items
    assert [each.id for each in items if each.id.startswith("explicit-")] == [f"explicit-{kind}" for kind in ("text", "image", "audio", "video", "scene")]  # fmt: skip
    implicit = [each.id for each in items if each.section.startswith("Implicit") and not each.requirement]
    assert implicit == ["attribute", "provider", "content-id"]
    published = [each.id for each in document("china-disclosure").items if each.section == "What is published"]
    assert published == ["principles", "purpose", "mechanism", "CN-ALG-1"]


@pytest.mark.parametrize(("pack", "name"), NAMES)
def test_what_only_people_can_write_is_open_whatever_evidence_there_is(pack: str, name: str) -> None:
    made = paper(name, replace(rich(), answers=()))
    human = [each for each in made.lines if each.human and each.id not in {one.requirement for one in document(name).items}]  # fmt: skip
    assert human
    assert {each.state for each in human} == {"open"}
    asked = {each.id for each in made.asked}
    assert all(set(each.questions) & asked for each in human)


@pytest.mark.parametrize(("pack", "name"), NAMES)
@pytest.mark.parametrize("known", [True, False])
def test_a_line_of_the_pack_is_what_the_checklist_says(pack: str, name: str, known: bool) -> None:
    evidence = rich() if known else empty()
    of_pack = {each.id: replace(each, section="") for each in listed(load_pack(pack), evidence).lines}
    lines = {each.id: replace(each, section="") for each in paper(name, evidence).lines}
    for item in document(name).items:
        if item.requirement:
            assert lines[item.requirement] == of_pack[item.requirement]
            assert (item.level is Level.ATTESTED) == lines[item.requirement].human


def test_every_value_has_its_statement() -> None:
    for _, name in NAMES:
        made = paper(name, rich())
        for each in made.lines:
            for value in (*each.values, *each.beside):
                # which statements there are is known of all of them, and of none alone
                assert value.references or value.name == "evidence.kinds", (name, each.id, value.name)
                assert set(value.references) <= set(made.references)


def test_a_target_is_a_persons_word_and_a_case_that_does_not_hold_is_left_out() -> None:
    said = answer("nist_profile_target_govern_1", "text", "A policy by March, by Ana")
    made = paper("nist-profile", replace(empty(), answers=(say("Ana", said),)))
    (line,) = (each for each in made.lines if each.id == "target-govern-1")
    assert (line.state, line.values[0].basis, line.values[0].by) == ("filled", "attested", "Ana (officer)")
    away = answer("regions", "many-of", ("eu",))
    made = paper("china-filing", replace(empty(), answers=(say("Ana", away),)))
    assert [each.id for each in made.left] == ["name", "form", "domain", "type", "self-assessment", "publicised", "number", "changes"]  # fmt: skip
    assert made.source.endswith("; confidence of this account: medium")
