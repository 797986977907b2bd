"""A list of packages is taken from an index that not everybody uses.

What it finds:
    Lines of ``requirements.txt`` and its kind that name another package index, trust a host without a certificate, or fetch a
    package without encryption. Lists that a serving framework installs by itself have a rule of their own
    (``serving/installs-packages``).

Why it matters:
    Installing a package runs its code. Another index can give other code under a well-known name, and so can whoever sits
    between you and a place without encryption.

Example:
    ``--index-url http://198.51.100.1/simple``

Remedy:
    Install the packages by name from an index that you trust, and leave the line out.

What it cannot see:
    What the packages do; whether a name is the one that was meant.

References:
    https://pip.pypa.io/en/stable/reference/requirements-file-format/ ; CWE-829, CWE-427.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.requirements import Requirements

RULE = Rule(
    id="hub/requirement-source",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829, 427),
    needs=("requirements",),
)

_MOST = 20
_PACKED = ("MAR-INF/MANIFEST.json", "MLmodel")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each line; not where the model is packed for a server."""
    walked = list(ctx.inventory.walk())
    if any(component.name.endswith(_PACKED) for component in walked):
        return
    for component in walked:
        for program in component.programs:
            if not isinstance(program, Requirements):
                continue
            for install in [each for each in program.installs if each.kind in ("index", "plain")][:_MOST]:
                how = "another index" if install.kind == "index" else "a place without encryption"
                yield ctx.finding(
                    Location(component.place, line=install.line),
                    f"takes packages from {how}: {install.text}",
                    "Install the packages by name from an index that you trust.",
                    severity=Severity.MEDIUM if "http://" in install.text else None,
                    evidence=install.to_json(),
                )
