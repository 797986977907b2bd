"""A configuration makes the loader fetch and run attention code from a hub repository.

What it finds:
    A key of the attention (or experts) implementation whose value is a repository (``org/name``) and not one of the
    implementations that transformers has itself (``sdpa``, ``flash_attention_2``). Kernels of the organisation that
    transformers trusts by itself give a lower severity.

Why it matters:
    Transformers 4.56 to 5.2 take the value of ``_attn_implementation_internal`` from ``config.json``, download the
    repository that it names and import it: code of a stranger runs although ``trust_remote_code`` is ``False``.

Example:
    ``"_attn_implementation_internal": "attacker/kernel"`` in ``config.json``.

Remedy:
    Do not load the model. Delete the key, and use transformers 5.3.0 or later, which ignores it.

What it cannot see:
    What the named repository holds.

References:
    CVE-2026-4372, GHSA-29pf-2h5f-8g72; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import keys, shown
from openvet.checks.hub._walk import documents, entries
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="hub/attention-implementation",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("json", "yaml", "toml"),
)

_KEYS = frozenset(
    f"{hidden}{part}_implementation{end}"
    for hidden in ("", "_")
    for part in ("attn", "attention", "experts")
    for end in ("", "_internal")
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each key that names a repository."""
    for component in documents(ctx):
        for entry in entries(component, {*_KEYS, "kernel_mapping"}):
            for value in _texts(entry.value, 0 if entry.key in _KEYS else 3):
                name = value.rpartition("|")[2]
                if "/" not in name or (entry.key.startswith("kernel_") and name.startswith(("/", "."))):
                    continue
                trusted = name.split("/", 1)[0] in keys()["kernels"]["organisations"]
                yield ctx.finding(
                    entry.location,
                    f"makes transformers before 5.3.0 download and run code of {shown(value)}, without asking",
                    "Do not load it; delete the key, and use transformers 5.3.0 or later.",
                    severity=Severity.MEDIUM
                    if entry.key == "kernel_mapping" or (trusted and not entry.key.endswith("_internal"))
                    else None,
                    evidence={"key": shown(entry.key), "repository": shown(value), "advisory": "CVE-2026-4372"},
                )


def _texts(value: Any, deeper: int) -> Iterator[str]:
    """The value, or one for each part of the model, or for each device of each layer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, str):
                yield each
            elif deeper:
                yield from _texts(each, deeper - 1)
