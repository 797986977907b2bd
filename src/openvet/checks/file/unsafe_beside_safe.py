"""Pickle-based weights stand beside safetensors files with the same weights.

What it finds:
    In one folder, weights that only a pickle can carry (PyTorch archives, raw pickles with tensors) and safetensors
    files. It is said once for each folder, with the names of the files.

Why it matters:
    A loader that cannot find or use the safe file falls back to the unsafe one, and some load the unsafe one first. Whoever
    replaces it attacks everybody who loads without saying which of the two they want.

Example:
    ``pytorch_model.bin`` beside ``model.safetensors``.

Remedy:
    Load with ``use_safetensors=True``, and leave the pickle out of your copy: download with a pattern such as
    ``ignore_patterns=["*.bin", "*.pt", "*.pth", "*.ckpt"]``.

What it cannot see:
    Whether both hold the same weights.

References:
    https://huggingface.co/docs/transformers/main/en/main_classes/model (``use_safetensors``); CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.file._kinds import carried_by_pickle
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(
    id="file/unsafe-beside-safe",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("safetensors",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One note for each folder with both kinds."""
    safe: dict[str, list[Component]] = {}
    unsafe: dict[str, list[Component]] = {}
    for file in ctx.inventory.files:
        folder = file.place.rpartition("/")[0]
        if "safetensors" in file.formats:
            safe.setdefault(folder, []).append(file)
        elif carried_by_pickle(file.formats) and _has_tensors(file):
            unsafe.setdefault(folder, []).append(file)
    for folder, files in unsafe.items():
        if folder in safe:
            places = [file.place for file in files]
            named = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
            yield ctx.finding(
                Location(places[0]),
                f"{named}: weights in a pickle, beside {safe[folder][0].place}, which needs none",
                "Load with use_safetensors=True and leave the pickle out of your copy.",
                evidence={"unsafe": places[:100], "safe": [file.place for file in safe[folder][:100]]},
            )


def _has_tensors(file: Component) -> bool:
    return any(component.tensors or component.role == "tensor-data" for component in file.walk())
