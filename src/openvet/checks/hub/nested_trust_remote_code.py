"""A configuration says by itself that remote code is to be trusted.

What it finds:
    ``trust_remote_code: true`` in a configuration. In a LightGlue configuration, or one with a
    ``keypoint_detector_config``, and in any nested configuration whose ``auto_map`` takes code from another repository, it is
    the published attack; in another JSON configuration it wants a look; in a YAML
    file of training parameters it is an ordinary note.

Why it matters:
    Whether code of a repository may run is for the person who loads the model to say. Transformers before 5.5.0 takes
    the answer from the configuration of a nested model and runs that model's code, whatever the caller said.

Example:
    ``{"model_type": "lightglue", "trust_remote_code": true, "keypoint_detector_config": {"auto_map": {...}}}``.

Remedy:
    Delete the key. Use transformers 5.5.0 or later. Load with ``trust_remote_code=False`` and see what is missing.

What it cannot see:
    Whether your loader looks at the key at all.

References:
    CVE-2026-5241, GHSA-fgcw-684q-jj6r; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._walk import Entry, documents, entries
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(
    id="hub/nested-trust-remote-code",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("json", "yaml", "toml"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such key."""
    for component in documents(ctx):
        for entry in entries(component, ("trust_remote_code",)):
            if _is_true(entry.value):
                yield ctx.finding(
                    entry.location,
                    "tells the loader to trust remote code, which is for the person who loads the model to decide",
                    "Delete the key; use transformers 5.5.0 or later, and load with trust_remote_code=False.",
                    severity=_severity(component, entry),
                    evidence={"advisory": "CVE-2026-5241"},
                )


def _is_true(value: Any) -> bool:
    return value is True or value == 1 or (isinstance(value, str) and value.lower() in ("true", "1", "yes"))


def _severity(component: Component, entry: Entry) -> Severity:
    document: Any = component.document
    if _lightglue(document) or _lightglue(entry.parent):
        return Severity.HIGH
    if entry.location.pointer and entry.location.pointer.count("/") > 1 and _remote(entry.parent.get("auto_map")):
        return Severity.HIGH
    return Severity.NOTE if "yaml" in component.formats else Severity.MEDIUM


def _remote(value: Any) -> bool:
    """Whether an ``auto_map`` takes code from another repository."""
    texts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(text, str) and "--" in text for text in texts)


def _lightglue(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    kinds = [
        value.get("model_type"),
        *(value.get("architectures") or [] if isinstance(value.get("architectures"), list) else []),
    ]
    return "keypoint_detector_config" in value or any(
        "lightglue" in kind.lower() for kind in kinds if isinstance(kind, str)
    )
