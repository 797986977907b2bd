"""Disarm meets every case of the test kit, and changed ones: it writes sound safetensors or says why not, and leaves nothing else."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from tests.disarm.reading import read_back

import openvet
from openvet.core.limits import Limits
from openvet.disarm.rewrite import DisarmOptions
from openvet.errors import OpenVetError
from openvet.policy.decision import Verdict
from openvet.testing.case import Case, all_cases, write_case
from openvet.testing.forge import Call, Name
from openvet.testing.forge_soup import mutated, soup
from openvet.testing.forge_views import Stored, Strided, legacy_file, zip_file
from openvet.workflows.disarm import Outcome

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "300"))
CASES = all_cases()
# bombs are refused by the limits that they are refused by in use, only after fewer gigabytes
OPTIONS = DisarmOptions(drop_the_rest=True, copy_others=True, limits=Limits(ratio_floor=128 << 20))


@pytest.mark.parametrize("part", range(8))
def test_every_case(part: int, tmp_path: Path) -> None:
    for case in CASES[part::8]:
        folder = tmp_path / case.id.replace("/", "-")
        folder.mkdir()
        _one(case, folder)


def _one(case: Case, folder: Path) -> None:
    source = write_case(case, folder)
    before = set(folder.iterdir())
    target = folder / "disarmed-output"
    try:
        report = openvet.disarm_model(source, target, OPTIONS)
    except OpenVetError:
        assert set(folder.iterdir()) == before, case.id
        return
    assert set(folder.iterdir()) == {*before, target}, case.id
    written = [target] if target.is_file() else [target / file.target for file in report.files]
    for path in written:
        read_back(path)
    if case.decision == "reject":
        assert report.outcome is Outcome.DANGEROUS, case.id
    if case.id.startswith("weights/") or case.id == "literals/array-of-bytes":
        return  # what stands in the bytes of tensors stays there, and is told again
    for model in openvet.check(*written).models:
        assert model.decision.verdict is Verdict.ADMIT, (case.id, model.decision.reasons)


def _seeds() -> list[bytes]:
    base = Stored(bytes(range(64)))
    value = {"w": Strided(base, (4, 4), (1, 4)), "n": [1, 2.5, "x", None], "m": {"deep": Strided(base, (3,), (2,), 1)}}
    evil = {**value, "x": Call(Name("os", "system"), ("id",)), "y": Call(Name("a.b", "C"), (1,), {"z": 1})}
    return [zip_file(value), legacy_file(value), zip_file(evil, protocol=4), legacy_file(evil)]


def test_changed_files(tmp_path: Path) -> None:
    numbers = random.Random(11)
    seeds = _seeds()
    source, target = tmp_path / "in.pt", tmp_path / "out"
    for at in range(EXAMPLES):
        data = bytearray(seeds[at % len(seeds)])
        for _ in range(numbers.randrange(1, 5)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        source.write_bytes(data)
        _quietly(source, target)


def test_streams_of_any_opcodes(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pkl", tmp_path / "out"
    for at in range(EXAMPLES):
        numbers = random.Random(at)
        data = soup(numbers)
        source.write_bytes(mutated(data, numbers) if at % 2 else data)
        _quietly(source, target)


def _quietly(source: Path, target: Path) -> None:
    try:
        openvet.disarm_model(source, target, DisarmOptions(drop_the_rest=True, force=True, save_rest=True))
        read_back(target)
    except OpenVetError:
        pass
    assert not [each for each in source.parent.iterdir() if each.name.endswith(".part")]
