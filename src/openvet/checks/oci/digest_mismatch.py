"""A blob is named by a digest that is not its own.

What it finds:
    Files ``blobs/sha256/HEX`` of OCI layouts and ModelPack archives and ``blobs/sha256-HEX`` of Ollama stores whose SHA-256 is
    another, and descriptors in manifests that give another size than the blob has.

Why it matters:
    The digest is all that binds a blob to its manifest and its signature. A store that does not check it again, and most do not
    when they read their own folder, serves a model that was exchanged.

Example:
    A folder of Ollama in which the layer with the weights was overwritten in place.

Remedy:
    Delete the store and pull the model again, with Ollama 0.1.34 or later, which checks what it pulls.

What it cannot see:
    Blobs inside archives, whose bytes are hashed as part of the archive, and a manifest that was exchanged together with its blobs.

References:
    CWE-354. OCI image layout, https://github.com/opencontainers/image-spec ; CVE-2024-37032 (digests that were not checked).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(id="oci/digest-mismatch", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(354,))


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each blob whose name is wrong."""
    for component in ctx.inventory.files:
        named = re.search(r"(?:^|/)blobs/sha256[/-]([0-9a-f]{64})$", component.place)
        found = component.digests.get("sha256")
        if named is not None and found is not None and found != named[1]:
            yield ctx.finding(
                Location(component.place),
                f"is named sha256:{named[1][:12]}… and is sha256:{found[:12]}…",
                "Delete the store and pull the model again.",
                evidence={"named": named[1], "found": found},
            )
