"""An ExecuTorch program needs code that the runtime does not bring, or brings its own.

What it finds:
    Operators of foreign namespaces, backends that nobody publishes, and backends that load a library out of the
    program.

Why it matters:
    A backend is given a blob and does with it what it wants; some load it as native code. An operator of a foreign
    namespace is code of the application.

Example:
    A delegate with the id ``AotiBackend``, whose blob is a shared library.

Remedy:
    Find out which library brings it, and whether you trust it. Compile the program yourself where it carries native
    code.

What it cannot see:
    What a published backend does with its blob.

References:
    https://docs.pytorch.org/executorch/stable/compiler-delegate-and-partitioner.html ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="executorch/custom-code",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("executorch",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each backend and each namespace."""
    from openvet.formats._device import known_names

    remedy = "Find out which library brings it, and whether you trust it."
    for component in ctx.components():
        where = Location(component.place)
        for name in component.metadata.get("backends", {}):
            if name in known_names("executorch", "native"):
                message = f"the backend {name} loads native code that is carried in the program"
                yield ctx.finding(where, message, remedy, severity=Severity.HIGH, evidence={"backend": name})
            elif name not in known_names("executorch", "backends"):
                yield ctx.finding(where, f"needs the backend {name}", remedy, evidence={"backend": name})
        spaces = {name.split("::")[0] for name in component.metadata.get("operators", {})}
        for space in sorted(spaces - known_names("executorch", "namespaces")):
            message = f"needs code for operators of the namespace {space}"
            yield ctx.finding(where, message, remedy, evidence={"namespace": space})
