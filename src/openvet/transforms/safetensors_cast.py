"""Cast the floats of safetensors to another type, rounded to nearest; what the new type cannot hold is counted and refused."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from openvet.transforms._safetensors import FLOATS, as_f32, from_f32, rewrite
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="safetensors-cast",
    command="convert",
    inputs=("safetensors",),
    output="safetensors",
    folder=True,
    changes="every number is rounded to the nearest one that the new type has",
    targets=(
        Target("f16", {"dtype": "F16"}, "16 bits: 11 of precision, largest 65504", 16),
        Target("bf16", {"dtype": "BF16"}, "16 bits: 8 of precision, the range of 32 bits", 16),
        Target("f32", {"dtype": "F32"}, "32 bits; from F16 and BF16 nothing is lost, and nothing is won", 32),
    ),
    settings=(
        Setting("dtype", "text", "F16", "the type to cast to"),
        Setting("accept-overflow", "flag", False, "write infinity for numbers that the type cannot hold"),
        Setting("accept-underflow", "flag", False, "write zero for numbers that are too small for the type"),
    ),
    packages=("numpy",),
    install="'openvet[numbers]'",
)
_NAMED: Final = 3


def make(task: Making) -> dict[str, Any]:
    """Cast every tensor of floats; F64 is taken to 32 bits first, which rounds twice."""
    import numpy as np

    wanted = task.settings["dtype"]
    lost: dict[str, dict[str, int]] = {"overflow": {}, "underflow": {}}
    counts = {"cast": 0, "rounded": 0}

    def change(name: str, dtype: str, _: tuple[int, ...], values: Any) -> tuple[str, Any] | None:
        if dtype == wanted:
            return None
        before = as_f32(values, dtype)
        made = from_f32(before, wanted)
        after = as_f32(made, wanted)
        exact = values if dtype == "F64" else before
        for what, where in (
            ("overflow", np.isinf(after) & np.isfinite(exact)),
            ("underflow", (after == 0) & (exact != 0)),
        ):
            if count := int(np.count_nonzero(where)):
                lost[what][name] = count
        counts["cast"] += 1
        counts["rounded"] += int(np.count_nonzero((after != exact) & ~np.isnan(exact)))
        return wanted, made

    rewrite(task.source, task.target, lambda _name, _dtype, _shape: wanted, change)
    for what, found in lost.items():
        if found and not task.settings[f"accept-{what}"]:
            worst = ", ".join(
                f"{count} in {name}" for name, count in sorted(found.items(), key=lambda each: -each[1])[:_NAMED]
            )
            becomes = "infinite" if what == "overflow" else "zero"
            raise CannotError(
                f"{sum(found.values())} numbers would become {becomes} in {wanted} ({worst}); --set accept-{what}=yes writes them all the same"
            )
    if os.path.isdir(task.source):
        _say_dtype(os.path.join(task.target, "config.json"), wanted)
    return {**counts, **{what: sum(found.values()) for what, found in lost.items()}}


def _say_dtype(path: str, dtype: str) -> None:
    """What the settings say of the type becomes what it is."""
    word = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}[dtype]
    assert dtype in FLOATS  # noqa: S101 - one of the targets'
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except (OSError, ValueError):
        return
    found = [key for key in ("torch_dtype", "dtype") if isinstance(config, dict) and isinstance(config.get(key), str)]
    if found:
        config.update(dict.fromkeys(found, word))
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2, ensure_ascii=False)
            file.write("\n")
