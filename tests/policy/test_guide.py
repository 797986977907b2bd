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


FIGURES = """\
name: all was shown
as_of: 2026-11-30
facts:
  eval.low: {capitals: 0.83}
  bench.high: {rpi5/request-p50: 1.6}
  bench.outcome: {rpi5: measured}
  derivation.kinds: [quantize]
  derivation.verdict: as-good
  derivation.loss: 0.02
  lineage.relations: []
  evidence.kinds: [eval, bench, derivation, lineage]
expect: {verdict: admit}
---
name: what is too bad
as_of: 2026-11-30
facts:
  eval.low: {capitals: 0.79}
  bench.high: {rpi5/request-p50: 2.6}
  bench.outcome: {rpi5: measured}
  lineage.relations: [quantized]
  derivation.verdict: unresolved
  evidence.kinds: [eval, bench, derivation, lineage]
expect: {outcomes: {FIG-1: violated, FIG-2: violated, FIG-3: violated}}
---
name: what nobody measured is no pass
as_of: 2026-11-30
facts:
  eval.low: {rivers: 0.9}
  bench.high: {here/request-p50: 0.1}
  lineage.relations: [quantized]
  evidence.kinds: [eval, bench, lineage]
expect:
  outcomes: {FIG-1: indeterminate, FIG-2: indeterminate, FIG-3: indeterminate}
  missing: {FIG-1: [there is no value for "capitals"], FIG-3: [derivation.verdict]}
---
name: what was not quantized needs no certificate
as_of: 2026-11-30
facts: {lineage.relations: [], evidence.kinds: [lineage]}
expect: {outcomes: {FIG-3: not-applicable}}
"""


def test_the_pack_about_figures_decides_as_the_guide_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = GUIDE.with_name("policy.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "cases").mkdir()
    (tmp_path / "pack.yaml").write_text(next(each for each in blocks if each.startswith("id: acme-figures")))
    (tmp_path / "cases" / "a.yaml").write_text(FIGURES)
    found, notes = lint_pack(".", date(2026, 11, 30))
    assert notes == ()
    told = pack_cases(".", found)
    assert len(told) == 4
    assert [problem for case in told for problem in run_case(case, found)] == []
