"""A Keras model wraps a PyTorch module that only a pickle can carry.

What it finds:
    Layers of the class ``TorchModuleWrapper``. What the pickle inside would do is reported by the rules about pickles.

Why it matters:
    Keras with the torch backend decodes the module and calls ``torch.load`` with ``weights_only=False`` while the
    configuration is read; 3.11.0 to 3.11.2 do so in safe mode as well. A pickle can call anything.

Example:
    ``{"class_name": "TorchModuleWrapper", "config": {"module": "gAJjb3MKc3lzdGVt..."}}``.

Remedy:
    Load the model only when the rules about pickles find nothing in it, and with Keras 3.11.3 or later.

What it cannot see:
    A module that a custom class carries in its own way.

References:
    CVE-2025-49655 (fixed in 3.11.3); CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.keras._config import configs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="keras/pickled-module",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("json", "yaml"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each wrapped module."""
    for each in configs(ctx):
        if each.name == "TorchModuleWrapper":
            yield ctx.finding(
                each.location,
                "wraps a PyTorch module, which Keras unpickles while it reads the configuration",
                "Load it only when nothing is found in the pickle, and with Keras 3.11.3 or later.",
            )
