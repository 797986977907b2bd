"""What is compressed beyond all measure is a bomb, whatever packs it; a large array of nothing but zeros is none."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

import openvet

_HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000,), }".ljust(117) + b"\n"
_PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress}


def _decision(path: Path) -> tuple[str, set[str]]:
    model = openvet.check(path).models[0]
    return str(model.decision.verdict), {each.rule for each in model.scan.all_findings()}


@pytest.mark.parametrize("ending", _PACKERS)
def test_a_bomb_is_rejected(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"weights.bin.{ending}"
    path.write_bytes(_PACKERS[ending](bytes(50_000_000)) * 2000)
    assert _decision(path) == ("reject", {"archive/decompression-bomb"})


def test_a_thousand_million_zeros_are_an_array(tmp_path: Path) -> None:
    path = tmp_path / "zeros.npy.gz"
    path.write_bytes(gzip.compress(b"\x93NUMPY\x01\x00v\x00" + _HEADER) + gzip.compress(bytes(10_000_000)) * 100)
    assert _decision(path) == ("admit", set())
