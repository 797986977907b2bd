"""A Core ML program takes weights from where its file has none.

What it finds:
    Constants of an ML program whose offset is not the beginning of a blob in the file of weights that lies beside it.

Why it matters:
    A loader that does not check reads other memory of the process. At best the two files do not belong together.

Example:
    ``BLOBFILE(path = "@model_path/weights/weight.bin", offset = 1099511627776)``.

Remedy:
    Download the package again; do not load it as it is.

What it cannot see:
    Whether the weights are those that belong to the program, where all places fit.

References:
    ``mlmodel/src/MILBlob/Blob/StorageReader.cpp`` of coremltools; CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="coreml/bytes-outside",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(125,),
    needs=("coreml", "coreml-mil"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each program and file that do not fit."""
    places = {each.place: each for each in ctx.inventory.walk() if "coreml-weights" in each.formats}
    for component in ctx.components():
        folder = component.place[: len(component.place) - len(component.basename)]
        for name, offsets in component.metadata.get("blob_files", {}).items():
            weights = places.get(folder + name.removeprefix("@model_path/"))
            if weights is None or weights.unknowns:
                continue
            begins = {tensor.name for tensor in weights.tensors}
            wrong = [offset for offset in offsets if str(offset) not in begins]
            if wrong:
                yield ctx.finding(
                    Location(component.place),
                    f"takes {len(wrong)} weights from places of {name} where none begins, the first at {wrong[0]}",
                    "Download the package again; do not load it as it is.",
                    evidence={"first": str(wrong[0]), "wrong": len(wrong)},
                )
