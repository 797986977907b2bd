"""A MessagePack file holds values of a type that Flax does not have.

What it finds:
    Extension types other than arrays, complex numbers, scalars of NumPy and times.

Why it matters:
    What they become is up to the application: some register types that import a class or unpickle the bytes.

Example:
    An extension of type 42 around a pickle.

Remedy:
    Find out which library wrote the file and what it does with the type.

What it cannot see:
    What the bytes of the extension hold.

References:
    https://github.com/msgpack/msgpack/blob/master/spec.md (Extension types); CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="msgpack/unknown-extension",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("msgpack",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that a reader recorded for this rule."""
    yield from ctx.anomalies("Find out which library wrote the file and what it does with the type.")
