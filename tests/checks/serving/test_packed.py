"""The rules serving/handler-code and serving/installs-packages."""

from __future__ import annotations

import json
from pathlib import Path

import openvet
from openvet.core.rule import Severity


def found(tmp_path: Path, files: dict[str, str]) -> set[tuple[str, str]]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    scan = openvet.check(tmp_path).models[0].scan
    return {
        (each.rule, str(each.severity))
        for each in scan.all_findings()
        if each.rule.startswith("serving/") and each.severity > Severity.NOTE
    }


def manifest(**model: str) -> str:
    return json.dumps({"model": {"modelName": "m", **model}})


def test_a_handler_of_the_server_is_no_code_of_the_model(tmp_path: Path) -> None:
    assert found(tmp_path, {"MAR-INF/MANIFEST.json": manifest(handler="image_classifier")}) == set()


def test_a_handler_with_a_function_and_a_folder(tmp_path: Path) -> None:
    files = {"a/MAR-INF/MANIFEST.json": manifest(handler="./h.py:run"), "a/h.py": "def run(x):\n    return exec(x)\n"}
    assert found(tmp_path, files) == {("serving/handler-code", "medium"), ("serving/handler-code", "high")}


def test_requirements_of_the_manifest_alone_count(tmp_path: Path) -> None:
    files = {
        "MAR-INF/MANIFEST.json": manifest(handler="image_classifier", requirementsFile="r.txt"),
        "r.txt": "torch==2.1\n-f http://example.org/wheels\n",
        "other.txt": "torch==2.1\n-f http://example.org/wheels\n",
    }
    assert found(tmp_path, files) == {("serving/installs-packages", "high")}


def test_a_manifest_of_another_shape(tmp_path: Path) -> None:
    assert found(tmp_path, {"MAR-INF/MANIFEST.json": '{"model": ["handler"]}', "MLmodel": "flavors: []\n"}) == set()
