"""A SavedModel names an asset that is not in its folder.

What it finds:
    Names of assets that are absolute, hold ``..`` or an address (high), and tables that read their words from a constant
    path outside of the model which is no asset of it (medium).

Why it matters:
    The loader joins the name to the folder of assets and gives the result to the graph, which reads the file: with ``..``
    it reads any file of the machine, and a table can answer with its lines.

Example:
    An asset with the file name ``../../../../etc/passwd``.

Remedy:
    Do not load it; no exporter writes such a name.

What it cannot see:
    Names that are only known when the graph runs.

References:
    https://www.tensorflow.org/guide/saved_model#the_savedmodel_format_on_disk ; CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import found, outside, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="tensorflow/asset-path",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22,),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name, one for each table."""
    yield from ctx.anomalies("Do not load it; no exporter writes such a name.")
    for program, use in uses(ctx, "vocabulary"):
        path = outside(use)
        if path and not use.asset:
            remedy = "Ask the publisher for the file as an asset of the model."
            yield found(
                ctx, program, use, f"the graph reads words from {path}", remedy, Severity.MEDIUM, Confidence.MEDIUM
            )
