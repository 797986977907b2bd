"""``hub/host-access`` and ``hub/slow-pattern``: what a file beside a model asks of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import openvet

COMPOSE = "services:\n  model:\n    image: example/server\n    volumes: ['{}']\n"


def rules(folder: Path) -> set[str]:
    return {each.rule for each in openvet.check(folder).models[0].scan.all_findings() if each.severity.name != "NOTE"}


@pytest.mark.parametrize(
    ("volume", "told"),
    [("/:/host", True), ("/var/run/docker.sock:/var/run/docker.sock", True), ("./models:/models", False)],
)
def test_what_hands_over_the_machine(volume: str, told: bool, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(COMPOSE.format(volume))
    assert ("hub/host-access" in rules(tmp_path)) is told


@pytest.mark.parametrize(("expression", "told"), [(r"^(a+)+$", True), (r"'s|'t|\p{L}+|\p{N}{1,3}", False)])
def test_expressions_that_take_endlessly_long(expression: str, told: bool, tmp_path: Path) -> None:
    split = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
    (tmp_path / "tokenizer.json").write_text(
        json.dumps({"version": "1.0", "pre_tokenizer": split, "model": {"type": "BPE", "vocab": {}, "merges": []}})
    )
    assert ("hub/slow-pattern" in rules(tmp_path)) is told
