"""A MessagePack file holds an array of objects, which msgpack-numpy unpickles.

What it finds:
    Maps with the keys of msgpack-numpy (nd, kind, data) whose kind is O.

Why it matters:
    msgpack-numpy gives the bytes to pickle.loads whenever its hooks are installed, so that whoever loads the file
    runs the pickle.

Example:
    A map with nd true, kind O and a pickle as data.

Remedy:
    Do not load it with msgpack-numpy; ask the author for plain numbers.

What it cannot see:
    Arrays of objects that other libraries write in other ways.

References:
    msgpack_numpy.decode in msgpack-numpy; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="msgpack/pickled-objects",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("msgpack",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that a reader recorded for this rule."""
    yield from ctx.anomalies("Do not load it with msgpack-numpy; ask the author for plain numbers.")
