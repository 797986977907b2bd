"""A symbolic link leads out of the model.

What it finds:
    A link whose target lies outside the folder that is examined and outside the cache that it belongs to. It was
    not followed. Where it leads to a well-known place of keys, passwords or tokens, or into ``/proc``, that is high: nobody packs
    such a link by mistake.

Why it matters:
    What a loader finds there is not part of what was checked, and may change at any time. A link to ``/etc/passwd``
    or to a key makes a tool that copies models copy that.

Example:
    ``tokenizer.json -> ../../../home/user/.ssh/id_ed25519``

Remedy:
    Remove the link. If the target belongs to the model, copy it in and check again.

What it cannot see:
    Hard links, which look like any other file.

References:
    CWE-59.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/link-escapes",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(59,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each link that escapes."""
    from openvet.formats._private_places import PRIVATE

    for finding in ctx.anomalies("Remove the link, or check the folder that it leads to on its own."):
        target = finding.message.removeprefix("links to ").partition(", outside the model")[0]
        private = PRIVATE.search(target) or target.startswith("/proc/")
        yield replace(finding, severity=Severity.HIGH) if private else finding
