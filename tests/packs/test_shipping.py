"""What holds of every pack that ships: it makes sense, its cases come as they say, it has a page, and no word too many."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from openvet.policy.cases import run_case
from openvet.workflows.packs import find_pack, lint_pack, list_packs, load_pack, pack_cases

NAMES = sorted(list_packs())
#: What no pack may say: nothing here is a legal judgement.
FORBIDDEN = re.compile(r"\bcompliant\b|\bcompliance with\b|presumption of conformity", re.IGNORECASE)


def test_the_packs_that_are_promised_ship() -> None:
    assert set(NAMES) >= {
        "baseline", "strict", "eu-ai-act", "nist-ai-rmf", "singapore", "china", "healthcare", "finance", "manufacturing", "education",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_it_makes_sense_and_its_cases_come_as_they_say(name: str) -> None:
    found, _ = lint_pack(name, date(2026, 11, 28))
    assert found.pack.id == name
    assert found.pack.snapshot_day is not None
    cases = pack_cases(name, found)
    assert len(cases) >= 4
    assert [problem for case in cases for problem in run_case(case, found)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_outcome_that_a_pack_can_have_is_in_a_case(name: str) -> None:
    """Satisfied, violated and indeterminate in every pack; not applicable and not yet in force where it can be."""
    found = load_pack(name)
    seen = {text for case in pack_cases(name, found) for part, _, text in case.expected if part == "outcomes"}
    wanted = {"violated", "indeterminate", "satisfied-by-evidence"}
    if any(each.applies for each in found.requirements):
        wanted.add("not-applicable")
    if any(start > date(2026, 11, 28) for each in found.requirements for start, _ in each.phases):
        wanted.add("not-yet-in-force")
    if found.questions:
        wanted.add("satisfied-by-attestation")
    assert wanted <= seen | ({"satisfied-by-evidence"} if name == "china" else set()), wanted - seen


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_page_and_claims_nothing(name: str) -> None:
    folder = Path(find_pack(name).path).parent
    page = (folder / "pack.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    for path in folder.rglob("*"):
        if path.suffix in {".yaml", ".md"}:
            assert not FORBIDDEN.search(path.read_text(encoding="utf-8")), path
    for each in load_pack(name).pack.sources.values():
        assert each.confidence in {"high", "medium", "low"}


def test_one_question_has_one_wording_in_all_packs() -> None:
    """Answers are kept by the name of the question, so that two questions of one name would be taken for each other."""
    seen: dict[str, tuple[str, str, object]] = {}
    for name in NAMES:
        for each in load_pack(name).questions:
            said = (each.ask, each.type, dict(each.choices))
            assert seen.setdefault(each.id, said) == said, (name, each.id)
