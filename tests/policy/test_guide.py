"""The guide for authors of packs: its example is a pack that makes sense, and its cases come as they say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from openvet.policy import read_document as document_reader
from openvet.policy import read_pack as reader
from openvet.policy.cases import run_case
from openvet.policy.read_document import read_document
from openvet.workflows.packs import lint_pack, load_pack, pack_cases

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "write-a-pack.md"


def test_the_example_makes_sense_and_its_cases_come_as_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    pack = next(each for each in blocks if each.startswith("id: acme-models"))
    cases = next(each for each in blocks if each.startswith("name: "))
    (tmp_path / "cases").mkdir()
    (tmp_path / "pack.yaml").write_text(pack)
    (tmp_path / "cases" / "a.yaml").write_text(cases)
    found, notes = lint_pack(".", date(2026, 11, 28))
    assert notes == ()
    told = pack_cases(".", found)
    assert len(told) == 2
    assert [problem for case in told for problem in run_case(case, found)] == []


def test_every_field_is_in_the_guide() -> None:
    source = Path(reader.__file__ or "").read_text(encoding="utf-8")
    fields = {name for each in re.findall(r"\.end\(([^)]*)\)", source) for name in re.findall(r'"(\w+)"', each)}
    assert {"waivers_max_days", "undecided", "needs", "valid_days", "from"} <= fields
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name in sorted(fields) if not re.search(rf"\b{name}:", text)] == []


def test_the_example_of_a_document_is_read_and_every_field_of_one_is_in_the_guide() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    text = next(each for each in blocks if each.startswith("id: annex-xii"))
    found = read_document(text.encode(), "documents/annex-xii.yaml", load_pack("eu-ai-act"))
    assert [each.id for each in found.questions] == ["annex_xii_size_of_text"]
    source = Path(document_reader.__file__ or "").read_text(encoding="utf-8")
    fields = {name for each in re.findall(r"\.end\(([^)]*)\)", source) for name in re.findall(r'"(\w+)"', each)}
    assert {"filled_by", "beside", "choices", "requirements"} <= fields
    chapter = "\n".join(each for each in blocks if each.startswith(("id: annex-xii", "  - section:")))
    assert [name for name in sorted(fields) if not re.search(rf"\b{name}:", chapter)] == []
