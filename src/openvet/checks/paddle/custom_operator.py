"""A PaddlePaddle program needs operators that PaddlePaddle does not have.

What it finds:
    Operators that PaddlePaddle 3 does not register, and those that carry what was compiled for one device.

Why it matters:
    The program runs only after a library with the operators was loaded (``paddle.utils.cpp_extension.load``), which is
    native code; an engine that was compiled is native code itself.

Example:
    An operator ``my_fused_thing``.

Remedy:
    Find out which library is meant, and build it from source that you have read.

What it cannot see:
    What the operators do.

References:
    https://www.paddlepaddle.org.cn/documentation/docs/en/guides/custom_op/index_en.html ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.paddle._operators import counted
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="paddle/custom-operator",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("paddle-program", "json"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each program that needs some."""
    from openvet.formats.paddle_program import operators

    told = operators("code", "writes", "reads", "network")
    for component, counts in counted(ctx):
        known = operators("known")
        foreign = [name for name in counts if name not in told and not _known(name, known)]
        if foreign:
            yield ctx.finding(
                Location(component.place),
                f"needs operators that PaddlePaddle does not have: {', '.join(sorted(foreign)[:8])}",
                "Find out which library is meant, and build it from source that you have read.",
                evidence={"operators": sorted(foreign)[:100]},
            )


def _known(name: str, known: frozenset[str]) -> bool:
    plain = name.rstrip("_")
    return plain in known or plain.removesuffix("_grad") in known or plain in {"p", "c", ""}
