"""A Core ML model or package names a file outside itself.

What it finds:
    Files of weights, linked models and items of a package's ``Manifest.json`` whose path is absolute, an address, or climbs
    out of the folder.

Why it matters:
    The loader maps the file that the path says, whatever it is, and tools that copy or remove the items of a package do it
    where the path leads.

Example:
    ``"path": "../../../Library/Preferences/x.plist"`` in ``itemInfoEntries``.

Remedy:
    Do not load it; everything of a package belongs below its folder ``Data``.

What it cannot see:
    Files beside the model that are links to somewhere else; ``file/link-escapes`` tells those.

References:
    ``modelpackage/src/ModelPackage.cpp`` and ``MIL.proto`` of coremltools; CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten

__all__ = ["RULE", "check"]

RULE = Rule(id="coreml/outside-path", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(22,))

_REMEDY = "Do not load it; everything of a model belongs into its own folder."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each path that the readers recorded, and for each item of a manifest."""
    from openvet.formats._tf_program import is_outside

    yield from ctx.anomalies(_REMEDY)
    for component in ctx.components("json"):
        for key, path in _items(component.document):
            if not isinstance(path, str) or not path or is_outside(path):
                shown = printable(shorten(str(path), 200))
                yield ctx.finding(
                    Location(component.place, pointer=f"/itemInfoEntries/{printable(shorten(key, 100))}/path"),
                    f"an item of the package lies at {shown}, which is not inside it",
                    _REMEDY,
                    evidence={"path": shown},
                )


def _items(document: Any) -> Iterator[tuple[str, Any]]:
    """The items of a package's manifest with their paths."""
    if not isinstance(document, dict) or not {"fileFormatVersion", "rootModelIdentifier"} & document.keys():
        return
    items = document.get("itemInfoEntries")
    if isinstance(items, dict):
        for key, item in items.items():
            if isinstance(item, dict):
                yield key, item.get("path")
