"""An OpenVINO network takes bytes that its file of weights does not have.

What it finds:
    Constants whose offset and size lead beyond the end of the ``.bin`` file beside the ``.xml``.

Why it matters:
    A loader that does not check reads other memory of the process. At best the download is incomplete.

Example:
    ``<data offset="0" size="4096"/>`` with a ``.bin`` of 16 bytes.

Remedy:
    Download both files again; do not load them as they are.

What it cannot see:
    Weights in a file of another name.

References:
    CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="openvino/bytes-outside",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(125,),
    needs=("xml",),
)

_REMEDY = "Download both files again; do not load them as they are."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each network that does so, and for numbers that are none."""
    yield from ctx.anomalies(_REMEDY)
    sizes = {component.place: component.size for component in ctx.inventory.walk()}
    for component in ctx.components():
        if "layers" not in component.metadata:
            continue
        folder = component.place[: len(component.place) - len(component.basename)]
        for name, ranges in component.claims.items():
            size = sizes.get(folder + name)
            end = max((offset + length for offset, length in ranges), default=0)
            if size is not None and end > size:
                yield ctx.finding(
                    Location(component.place),
                    f"takes bytes up to {end} of weights that have {size}",
                    _REMEDY,
                    evidence={"end": str(end), "size": size},
                )
