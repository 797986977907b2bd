"""``file/tensor-path`` and ``python/trusts-remote-code``: what they tell, and what stays ordinary."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.testing.forge_tensors import safetensors


def rules(path: Path) -> set[str]:
    return {each.rule for each in openvet.check(path).models[0].scan.all_findings()}


@pytest.mark.parametrize("name", ["../a", "a/../b", "..\\a", "~/a", "//host/a", "file://a", "/tmp/a", "D:/a"])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(safetensors({name: ("F32", (2,))}))
    assert "file/tensor-path" in rules(tmp_path)


@pytest.mark.parametrize("name", ["a..b", "/model/Add_1:0", "a/b", "...", "tmp/etc", "C", "x:0/y"])
def test_ordinary_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(safetensors({name: ("F32", (2,))}))
    assert "file/tensor-path" not in rules(tmp_path)


@pytest.mark.parametrize(
    ("given", "told"),
    [("True", True), ("1", True), ("not False", True), ("False", False), ("None", False), ("answer", False)],
)
def test_a_source_trusts_by_itself(tmp_path: Path, given: str, told: bool) -> None:
    text = f"from transformers import AutoModel\n\n\nclass Net:\n    def __init__(self, answer):\n        AutoModel.from_pretrained('a/b', trust_remote_code={given})\n"
    (tmp_path / "modeling_x.py").write_text(text)
    assert ("python/trusts-remote-code" in rules(tmp_path)) is told
