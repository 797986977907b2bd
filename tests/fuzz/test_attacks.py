"""Payloads x carriers x ways to reach them: what no honest code does is refused wherever it stands; what looks like it is not."""

import itertools
import os
import random
from pathlib import Path

import pytest

import openvet
from openvet.testing.forge_attacks import CARRIERS, LOOKALIKES, PAYLOADS, WAYS, carried

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "0"))
#: Each payload in so many carriers, unless there is time for all.
FEW = 4


def decided(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    verdict = str(openvet.check(folder).models[0].decision.verdict)
    for name in files:
        (folder / name).unlink()
    return verdict


def combinations(payload: str) -> list[tuple[str, str]]:
    every = list(itertools.product(CARRIERS, WAYS))
    chance = random.Random(payload)
    return chance.sample(every, min(len(every), max(FEW, EXAMPLES // len(PAYLOADS))))


@pytest.mark.parametrize("payload", sorted(PAYLOADS))
def test_a_payload_is_refused_wherever_it_stands(payload: str, tmp_path: Path) -> None:
    got = {each: decided(tmp_path, dict(carried(payload, *each))) for each in combinations(payload)}
    assert {each: verdict for each, verdict in got.items() if verdict != "reject"} == {}


@pytest.mark.parametrize("name", sorted(LOOKALIKES))
def test_what_looks_alike_is_not_refused(name: str, tmp_path: Path) -> None:
    imports, body = LOOKALIKES[name]
    for carrier in ("fixture", "interface", "script", "keras", "notebook"):
        file, made = CARRIERS[carrier]
        assert decided(tmp_path, {"config.json": '{"model_type": "x"}', file: made(imports, body)}) != "reject", carrier
