"""A manifest names a layer that is not what it should be.

What it finds:
    Descriptors in OCI and Ollama manifests with a digest that is none (``../../etc/passwd``), that fetch their content from
    addresses, and whose blob has another size.

Why it matters:
    A digest becomes a path in the store: CVE-2024-37032 wrote any file that way. Content from an address is decided by whoever
    holds the address.

Example:
    ``{"mediaType": "application/vnd.ollama.image.license", "digest": "../../../../etc/ld.so.preload", "size": 1}``.

Remedy:
    Do not load it; Ollama 0.1.34 and later check digests.

What it cannot see:
    Blobs that are not part of the subject.

References:
    CVE-2024-37032 (Ollama). CWE-22, CWE-354. OCI image specification, descriptor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten
from openvet.inventory.component import Component

__all__ = ["RULE", "check"]

RULE = Rule(id="oci/descriptor", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(22, 354))

_REMEDY = "Do not load it; pull the model again from a registry that you trust."
_DIGEST = pattern(r"(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_BLOB = pattern(r"\A(?:.*/)?blobs/sha256[/-]", re.DOTALL)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each descriptor that lies."""
    sizes = {_BLOB.sub("sha256:", each.place): each.size for each in ctx.inventory.files}
    for component in ctx.inventory.walk():
        for pointer, descriptor in _descriptors(component):
            digest, size, urls = (descriptor.get(key) for key in ("digest", "size", "urls"))
            where = Location(component.place, pointer=pointer)
            shown = printable(shorten(str(digest), 80))
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                yield ctx.finding(where, f"the digest {shown} is none", _REMEDY, evidence={"digest": shown})
            elif sizes.get(digest, size) != size:
                message = f"gives {printable(str(size))} bytes for a blob of {sizes[digest]}"
                yield ctx.finding(where, message, _REMEDY, evidence={"digest": shown})
            if urls:
                message = "fetches its content from an address"
                yield ctx.finding(where, message, _REMEDY, severity=Severity.MEDIUM, evidence={"digest": shown})


def _descriptors(component: Component) -> Iterator[tuple[str, dict[str, Any]]]:
    """Descriptors of a manifest or an index, with where they stand."""
    document = component.document
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        return
    for key in ("layers", "manifests", "blobs"):
        rows = document.get(key)
        if isinstance(rows, list):
            for index, row in enumerate(rows):
                if isinstance(row, dict) and "mediaType" in row:
                    yield f"/{key}/{index}", row
    config = document.get("config")
    if isinstance(config, dict) and "mediaType" in config:
        yield "/config", config
