"""A SavedModel names an asset that is not in its folder.

What it finds:
    Names of assets that are absolute, hold ``..`` or an address (high), and tables that read their words from a constant
    path outside of the model which is no asset of it: medium, as exporters leave the path of a vocabulary on the author's machine,
    and high where the path is one of the system or a place of keys and passwords.

Why it matters:
    The loader joins the name to the folder of assets and gives the result to the graph, which reads the file: with ``..``
    it reads any file of the machine, and a table can answer with its lines.

Example:
    An asset with the file name ``../../../../etc/passwd``, or a table that is filled from ``/etc/passwd``.

Remedy:
    Do not load it; no exporter writes such a name.

What it cannot see:
    Names that are only known when the graph runs.

References:
    https://www.tensorflow.org/guide/saved_model#the_savedmodel_format_on_disk ; CWE-22.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import found, outside, uses
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._private_places import PRIVATE

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
            severity = Severity.HIGH if _of_the_system(path) else Severity.MEDIUM
            yield found(ctx, program, use, f"the graph reads words from {path}", remedy, severity, Confidence.MEDIUM)


#: What stands in ``/dev/shm`` people put there themselves.
_SYSTEM = pattern(r"/(?:etc|proc|sys|boot|run|dev(?!/shm/)|var/(?:run|lib|log))/")


def _of_the_system(path: str) -> bool:
    """Whether a path leads to what the system or a person keeps for itself; no vocabulary stands there."""
    plain = posixpath.normpath("/" + path.strip().removeprefix("file://").replace("\\", "/").lstrip("/"))
    if len(plain) > 2 and plain[2] == ":":  # /C:/Windows
        return plain[3:].lower().startswith("/windows/")
    return _SYSTEM.match(plain) is not None or PRIVATE.search(plain) is not None
