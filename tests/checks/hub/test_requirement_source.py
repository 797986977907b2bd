"""``hub/requirement-source``: lists that take packages from elsewhere, told only where no server installs them by itself."""

from pathlib import Path

import pytest

import openvet


def said(folder: Path, text: str, beside: str = "config.json") -> list[tuple[str, int | None]]:
    (folder / "requirements.txt").write_text(text, encoding="utf-8")
    (folder / beside).write_text("{}" if beside.endswith(".json") else "flavors: {}\n", encoding="utf-8")
    found = openvet.check(folder).models[0].scan.all_findings()
    return [(str(each.severity), each.location.line) for each in found if each.rule == "hub/requirement-source"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch==2.1.0\n--extra-index-url http://192.0.2.1/simple\n", [("high", 2)]),
        ("torch==2.1.0\n--index-url https://example.org/simple\n", [("high", 2)]),
        ("torch==2.1.0\n--index-url https://pypi.example.internal/simple\n", [("low", 2)]),
        ("torch==2.1.0\n--index-url http://10.0.0.7/simple\n", [("medium", 2)]),
        ("torch==2.1.0\n--trusted-host example.org\n", [("low", 2)]),
        ("x @ http://example.org/x.whl\n", [("high", 1)]),
        ("--extra-index-url https://download.pytorch.org/whl/cu121\ntorch==2.1.0\n", []),
        ("torch==2.1.0\ngit+https://github.com/huggingface/transformers.git\n", []),
        ("torch==2.1.0  # --index-url http://192.0.2.1\n", []),
    ],
)
def test_places_of_packages(text: str, expected: list[tuple[str, int]], tmp_path: Path) -> None:
    assert said(tmp_path, text) == expected


def test_what_a_server_installs_has_a_rule_of_its_own(tmp_path: Path) -> None:
    assert said(tmp_path, "torch==2.1.0\n--index-url https://example.org/simple\n", "MLmodel") == []
