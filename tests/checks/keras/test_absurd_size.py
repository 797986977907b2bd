"""``keras/absurd-size``: settings of one layer that multiply to more than any machine holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.testing.forge_keras import keras3, layer, model3


def rules(folder: Path, config: dict[str, Any]) -> set[str]:
    path = folder / "model.keras"
    path.write_bytes(keras3(model3(layer("Dense", config))))
    return {each.rule for each in openvet.check(path).models[0].scan.all_findings()}


@pytest.mark.parametrize(
    "config",
    [{"units": 1 << 35}, {"units": 1e12}, {"input_dim": 1 << 25, "output_dim": 1 << 10}, {"size": [1 << 18, 1 << 18]}],
)
def test_too_large(tmp_path: Path, config: dict[str, Any]) -> None:
    assert "keras/absurd-size" in rules(tmp_path, config)


@pytest.mark.parametrize(
    "config",
    [
        {"units": (1 << 35) - 1},
        {"units": "1e12"},
        {"units": True},
        {"filters": 4096, "kernel_size": [9, 9, 9], "units": 65536},
        {"units": float("inf")},
        {"units": None},
    ],
)
def test_large_and_no_number(tmp_path: Path, config: dict[str, Any]) -> None:
    assert "keras/absurd-size" not in rules(tmp_path, config)
