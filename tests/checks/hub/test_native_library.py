"""Settings that load a shared library (hub/native-library): what a path leads outside with is told from a bare name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import openvet


def decide(tmp_path: Path, key: str, value: object) -> str:
    path = tmp_path / "genai_config.json"
    path.write_text(json.dumps({"model": {"decoder": {"session_options": {key: value}}}}))
    return str(openvet.check(path).models[0].decision.verdict)


@pytest.mark.parametrize("value", ["/opt/a.so", "../a.so", "a/../../b.so", "C:\\a.dll", "\\\\host\\a.dll", "~/a.so"])
def test_a_library_outside_is_rejected(value: str, tmp_path: Path) -> None:
    assert decide(tmp_path, "custom_ops_library", value) == "reject"
    assert decide(tmp_path, "backend_path", value) == "reject"


def test_a_library_beside_the_model_is_for_a_person_to_see(tmp_path: Path) -> None:
    assert decide(tmp_path, "custom_ops_library", "ops.dll") == "review"


@pytest.mark.parametrize("value", ["", " ", None, 5, [], "QnnHtp.dll", "libQnnCpu.so"])
def test_a_name_that_the_system_looks_up_is_ordinary(value: object, tmp_path: Path) -> None:
    assert decide(tmp_path, "backend_path", value) == "admit"
