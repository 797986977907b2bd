"""A TensorFlow Lite model runs operations of TensorFlow that touch more than tensors.

What it finds:
    Flex operators by the groups of TensorFlow's operations: those that read or write files, run Python or speak to
    the network, those that read files of data, and those that TensorFlow does not have.

Why it matters:
    With the Flex delegate a small model runs what a graph of TensorFlow runs. FlexWriteFile in it writes files
    wherever the application may.

Example:
    A custom operator named ``FlexWriteFile``.

Remedy:
    Do not run it with the Flex delegate; ask the author for a model with built-in operators only.

What it cannot see:
    What the operation is given: paths are constants of the model and are not followed here.

References:
    https://ai.google.dev/edge/litert/models/ops_select ; CWE-829, CWE-73.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="tflite/flex-op",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829, 73),
    needs=("tflite",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operation of each model that is not ordinary."""
    from openvet.formats._tf_program import op_knowledge

    for component in ctx.components():
        for name, count in component.metadata.get("operators", {}).get("flex", {}).items():
            known = op_knowledge().get(name)
            group = "" if known is None else known.group
            evidence = {"operation": name, "times": count, "group": group or "unknown"}
            if group in _DANGEROUS:
                message = f"runs Flex{name}, an operation of TensorFlow that {_DANGEROUS[group]}"
                yield ctx.finding(Location(component.place), message, _REMEDY, evidence=evidence)
            elif group in _ODD:
                message = f"runs Flex{name}, an operation of TensorFlow that may touch files or streams"
                yield ctx.finding(
                    Location(component.place), message, _REMEDY, severity=Severity.MEDIUM, evidence=evidence
                )
            elif not group:
                message = f"runs Flex{name}, an operation that TensorFlow does not have"
                yield ctx.finding(Location(component.place), message, _REMEDY, severity=Severity.LOW, evidence=evidence)


_REMEDY = "Do not run it with the Flex delegate; ask the author for a model with built-in operators only."
_ODD = frozenset({"data", "stream"})
_DANGEROUS = {"file": "reads or writes files", "code": "runs code", "network": "speaks to the network"}
