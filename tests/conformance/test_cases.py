"""Every case of the test kit gets exactly the decision and the rules that it states."""

import re
from pathlib import Path

import pytest

from openvet.testing import Case, all_cases, run_case

CASES = all_cases()


def test_ids_are_unique_and_in_one_spelling() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert [case.id for case in CASES if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+", case.id)] == []


def test_a_forge_gives_the_same_bytes_each_time() -> None:
    assert [case.id for case in CASES if case.forge() != case.forge()] == []


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    answer = run_case(case, tmp_path)
    assert answer.problem is None, answer.reasons
