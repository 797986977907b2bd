"""An ONNX model takes the bytes of a tensor from a place that is not its own.

What it finds:
    External data whose file name leads out of the model's folder, also through a folder that is a link, names an address, or stands for memory of the loading
    process; places and lengths that are no numbers or lie beyond the file; files that are not there; two names for one tensor,
    and keys that ONNX does not have.

Why it matters:
    The loader opens the file that the model names and makes a weight of its bytes. A name such as ``../../../etc/passwd`` so
    brings any file that the process may read into the model's output, and a place outside of the file or of the mapped memory
    reads what lies there. Versions of ``onnx`` before 1.21 could be led out of the folder in several ways.

Example:
    ``location: "../../../../etc/passwd"`` in the ``external_data`` of an initializer.

Remedy:
    Do not load the model. Take one whose data lies in its own folder. ``onnx`` 1.21 and later refuse names that lead out, also by links.

What it cannot see:
    Whether the file beside the model holds the weights that its author meant.

References:
    CVE-2022-25882, CVE-2024-27318, CVE-2024-5187, CVE-2026-27489, CVE-2026-34446, CVE-2026-34447,
    CVE-2026-34445 (keys that set attributes), CVE-2025-51480 (writing) (onnx);
    https://onnx.ai/onnx/repo-docs/ExternalData.html ; CWE-22, CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten
from openvet.inventory.component import Component

__all__ = ["RULE", "check"]

RULE = Rule(
    id="onnx/external-data",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22, 125),
    needs=("onnx", "onnx-tensor"),
)

_REMEDY = (
    "Do not load it; take a model whose data lies in its own folder (onnx 1.21 and later refuse names that lead out)."
)
_WHOLE = "Download the model and its data again, and check them together."
_ODD = frozenset({"unknown-key", "two-names", "no-name"})


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name or place that is wrong, and for each file that is missing or too short."""
    for each in ctx.anomalies(_REMEDY):
        odd = each.evidence.get("lie") in _ODD
        severity = Severity.MEDIUM if odd else None
        yield ctx.finding(each.location, each.message, _REMEDY, severity=severity, evidence=each.evidence)
    there = {component.place: component for component in ctx.inventory.walk()}
    for component in ctx.components():
        folder = component.place[: len(component.place) - len(printable(component.basename))]
        for name, ranges in component.claims.items():
            shown = printable(name)
            through = _linked(shown, folder, there)
            if through:
                message = f"the bytes of {len(ranges)} tensors are read through {shorten(through, 200)}, a link that leads out of the model"
                evidence = {"path": shorten(shown, 200)}
                yield ctx.finding(Location(component.place), message, _REMEDY, evidence=evidence)
            else:
                yield from _beside(ctx, component.place, shown, ranges, there.get(folder + shown))


def _linked(name: str, folder: str, there: dict[str, Component]) -> str:
    """The link on the way to the file that leads out of the model, or ''."""
    parts = [each for each in name.split("/") if each not in ("", ".")]
    for count in range(1, len(parts) + 1):
        found = there.get(folder + "/".join(parts[:count]))
        if found is not None and any(each.rule == "file/link-escapes" for each in found.anomalies):
            return "/".join(parts[:count])
    return ""


def _beside(
    ctx: Context, place: str, name: str, ranges: Sequence[tuple[int, int]], file: Component | None
) -> Iterator[Finding]:
    """What the file beside the model lacks."""
    shown = shorten(name, 200)
    if file is None:
        message = f"the bytes of {len(ranges)} {'tensor' if len(ranges) == 1 else 'tensors'} lie in {shown}, which is not there"
        yield ctx.finding(Location(place), message, _WHOLE, severity=Severity.MEDIUM, evidence={"path": shown})
        return
    end = max((offset + length for offset, length in ranges), default=0)
    if end > file.size:
        far = end > 2 * file.size and any(offset > file.size for offset, _ in ranges)
        message = f"takes bytes up to {end} of {shown}, which has {file.size}"
        severity = Severity.HIGH if far and file.size else Severity.MEDIUM
        evidence = {"path": shown, "end": str(end), "size": file.size}
        yield ctx.finding(Location(place), message, _WHOLE, severity=severity, evidence=evidence)
