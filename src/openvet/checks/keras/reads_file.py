"""A Keras configuration makes a layer open a file, a folder or an address of its choice.

What it finds:
    Vocabularies of lookup and text layers that are a path or an address instead of a list of words, and the SavedModel
    that a ``TFSMLayer`` loads. An address, an absolute path and a path that leaves its folder weigh more than the name of
    a file.

Why it matters:
    The file is opened while the configuration is read, also in safe mode: words of a local file end in the model and
    can be sent on, an address tells an attacker who loads the model and reaches servers inside a network. A
    SavedModel is a program.

Example:
    ``{"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}``.

Remedy:
    Do not load the model where the path is not one of its own files. Use Keras 3.12 or later, which refuses.

What it cannot see:
    Files that a custom class opens.

References:
    CVE-2025-12058 (fixed in 3.12.0); CWE-73, CWE-918.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.keras._config import configs
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="keras/reads-file",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(73, 918),
    needs=("json", "yaml"),
)

_KEYS = ("vocabulary", "filepath", "file_path", "vocabulary_file", "handle")
_FAR = pattern(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:|[/\\~$%]|\.\.[/\\])|.*[/\\]\.\.(?:[/\\]|$)")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each path."""
    for each in configs(ctx):
        if not isinstance(each.config, dict):
            continue
        for key in _KEYS:
            path = each.config.get(key)
            if not isinstance(path, str) or not path.strip():
                continue
            far = _FAR.match(path) is not None
            what = "loads a SavedModel from" if each.name == "TFSMLayer" else "opens"
            yield ctx.finding(
                each.location,
                f"the layer {shown(each.name)} {what} {shown(path)} when the configuration is read",
                "Do not load it unless the path is a file of the model that you have checked; use Keras 3.12 or later.",
                severity=None if far else Severity.MEDIUM,
                evidence={"class": shown(each.name), "key": key, "path": shown(path)},
            )
