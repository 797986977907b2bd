"""A plug-in of OpenVet could not be used, so what it would have read or found is missing.

What it finds:
    An installed package announces a format or a check through the entry points ``openvet.formats`` or
    ``openvet.checks``, and importing it failed, or it does not define what the contract asks for.

Why it matters:
    Whoever installed the plug-in counts on it. A scan without it looks like a scan with it.

Example:
    ``openvet.formats: acme`` fails with ``ModuleNotFoundError: No module named 'acme_formats'``.

Remedy:
    Repair or uninstall the package that provides the plug-in, then check again. ``openvet doctor`` lists all of them.

What it cannot see:
    Whether a plug-in that imports does what it says.

References:
    Design law 1: unread is never clean.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable

RULE = Rule(id="house/broken-plugin", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each plug-in that could not be used."""
    for broken in ctx.broken:
        yield ctx.finding(
            Location(""),
            f"the plug-in {printable(broken.name)} cannot be used: {printable(broken.error)}",
            "Repair or uninstall the package that provides it, then check again.",
            evidence={"plugin": printable(broken.name), "error": printable(broken.error)},
        )
