"""A TensorFlow graph speaks to another machine.

What it finds:
    Operations for remote calls and for data services (``RpcClient``, ``RpcServer``, ``DataServiceDataset``,
    ``RegisterDataset`` ...), and debug operations that are given a ``grpc://`` address.

Why it matters:
    What goes into the model goes to somebody else, and what comes back is not what was checked.

Example:
    ``DebugIdentityV3`` with ``debug_urls`` of ``grpc://example.org:6006`` on the model's input.

Remedy:
    Do not load it where it can reach a network. Ask the publisher for a graph without it.

What it cannot see:
    Addresses that are only known when the graph runs; files behind ``gs://`` and the like are told by tensorflow/file-access.

References:
    https://www.tensorflow.org/guide/data_performance ; CWE-918, CWE-200.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import NEEDS, found, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="tensorflow/opens-network",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(200, 918),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operation with another address."""
    remedy = "Do not load it where it can reach a network; ask for a graph without this operation."
    for program, use in uses(ctx, "network"):
        told = f" {use.arguments[0]}" if use.arguments else ""
        yield found(ctx, program, use, f"the graph speaks to another machine{told}", remedy)
    for program, use in uses(ctx, "stream"):
        address = next((each for each in use.arguments if "://" in each and not each.startswith("file:")), "")
        if address:
            yield found(ctx, program, use, f"the graph sends values to {address}", remedy)
