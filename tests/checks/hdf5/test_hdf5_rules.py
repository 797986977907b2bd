"""hdf5/external-file, hdf5/header-lies and hdf5/filter-plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.testing.forge_hdf5 import Data, Group, floats, hdf5


def told(tmp_path: Path, data: Data) -> list[tuple[str, str]]:
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5(Group({}, {"kernel": data})))
    return [(each.rule, str(each.severity)) for each in openvet.check(path).models[0].scan.all_findings()]


@pytest.mark.parametrize(
    ("name", "severity"),
    [(b"/etc/passwd", "high"), (b"a/../../b", "high"), (b"s3://bucket/x", "high"), (b"\\\\host\\x", "high"), (b"w-%d.bin", "high"),
     (b"w.bin", "medium"), (b"parts/w.bin", "medium"), (b"w..bin", "medium")],
)  # fmt: skip
def test_how_far_a_name_leads(tmp_path: Path, name: bytes, severity: str) -> None:
    assert told(tmp_path, Data(floats(2), files=((name, 8),))) == [("hdf5/external-file", severity)]


@pytest.mark.parametrize(
    ("number", "found"), [(1, []), (32000, []), (32015, ["note"]), (300, ["medium"]), (40000, ["medium"])]
)
def test_filters(tmp_path: Path, number: int, found: list[str]) -> None:
    rules = told(tmp_path, Data(floats(2), filters=((number, b""),)))
    assert rules == [("hdf5/filter-plugin", severity) for severity in found]


def test_data_beyond_the_end(tmp_path: Path) -> None:
    assert told(tmp_path, Data(floats(2), address=1 << 30)) == [("hdf5/header-lies", "medium")]
