"""A JSON or YAML text gives one key two values.

What it finds:
    An object that has the same key twice with different values. Of keys that lead nowhere (``torch_dtype``, ``transformers_version``) it is a note.

Why it matters:
    Python's readers take the last value, others the first, and some refuse the file. What a person or a scanner reads
    need not be what the loader uses.

Example:
    ``{"auto_map": null, "auto_map": {"AutoModel": "x.Model"}}``.

Remedy:
    Ask the publisher for a file with each key once. OpenVet's other rules look at the last value.

What it cannot see:
    Keys inside vocabularies and other long runs of plain pairs.

References:
    https://www.rfc-editor.org/rfc/rfc8259#section-4 ; CWE-436.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

#: Keys of configurations that say how weights are held or what wrote the file: no value of theirs leads to code, to a file, or to what a model says.
_LEADS_NOWHERE = frozenset({
    "torch_dtype", "dtype", "transformers_version", "use_cache", "output_attentions", "output_hidden_states", "return_dict", "initializer_range",
})  # fmt: skip

RULE = Rule(
    id="json/duplicate-key",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(436,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such key."""
    for each in ctx.anomalies("Ask the publisher for a file that has each key once."):
        yield replace(each, severity=Severity.NOTE) if each.evidence.get("key") in _LEADS_NOWHERE else each
