"""Parsed texts that are kept for the rules: one subject may keep so much, and what does not fit is said to be unread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.inventory.documents import weight

_HOSTILE = {"_target_": "os.system", "args": ["echo forged"]}


def _checked(folder: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[str, set[str], list[tuple[str, str]]]:
    model = openvet.check(folder, options=openvet.Options(limits=limits)).models[0]
    unknowns = [(each.location.place, each.reason) for file in model.scan.files for each in file.unknowns]
    return str(model.decision.verdict), {each.rule for each in model.scan.all_findings()}, unknowns


def _index(count: int) -> dict[str, object]:
    return {"metadata": {}, "weight_map": {f"t{number}": "model-1.safetensors" for number in range(count)}}


def test_what_does_not_fit_is_unread_and_what_does_is_judged(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(_index(1_000)))
    (tmp_path / "b.json").write_text(json.dumps(_index(1_000)))
    (tmp_path / "c.json").write_text(json.dumps(_HOSTILE))
    verdict, rules, unknowns = _checked(tmp_path, Limits(documents=300_000))
    assert unknowns == [("b.json", "limit")]
    assert "hub/config-target" in rules  # a small one behind it fits again
    assert verdict == "reject"


def test_one_that_a_rule_would_have_needed_leads_to_a_review(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(_HOSTILE))
    assert _checked(tmp_path)[0] == "reject"
    assert _checked(tmp_path, Limits(documents=100)) == ("review", set(), [("a.json", "limit")])


def test_many_ordinary_vocabularies_fit(tmp_path: Path) -> None:
    for number in range(15):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        (folder / "vocab.json").write_text(json.dumps({f"word{n}": n for n in range(50_000)}))
    verdict, _, unknowns = _checked(tmp_path)
    assert (verdict, unknowns) == ("admit", [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: [b, c]\n"),
        ("a.toml", "a = ['b']\n"),
        ("README.md", "---\nlicense: mit\n---\n"),
        ("a.json", "[1]"),
    ],
)
def test_it_holds_for_every_kind_of_text(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert _checked(tmp_path)[2] == []
    assert _checked(tmp_path, Limits(documents=50))[2] == [(name, "limit")]


def test_members_of_archives_count_as_files_do(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.json", json.dumps(_index(1_000)))
    _, _, unknowns = _checked(tmp_path, Limits(documents=500_000))
    assert [place for place, _ in unknowns] == ["a.zip!/2.json", "a.zip!/3.json"]


def test_the_weight_is_that_of_keys_values_and_characters() -> None:
    assert weight(None) == weight(1) == weight(2.5) == weight([]) == weight({}) == 100
    assert weight("abc") == 103
    assert weight(["abc", 1]) == 100 + 103 + 100
    assert weight({"ab": "abc", 1: None}) == 100 + 102 + 103 + 100 + 100


def test_what_an_alias_shares_counts_once_and_a_circle_ends() -> None:
    shared: list[Any] = ["x" * 1_000]
    for _ in range(60):
        shared = [shared, shared]
    assert weight(shared) < 20_000
    shared.append(shared)
    assert weight(shared) < 20_000
