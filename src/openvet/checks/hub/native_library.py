"""A setting makes a loader load a shared library.

What it finds:
    Keys of runtime configurations that name a shared library: ``custom_ops_library`` of ONNX Runtime GenAI, ``backend_path`` and
    ``ep_library_path`` of execution providers where they lead to a file by its path.

Why it matters:
    A shared library runs its own code when it is loaded, before any operator of it is used. The key stands in a text file that
    looks like any other configuration.

Example:
    ``"custom_ops_library": "../libevil.so"`` below ``session_options`` in ``genai_config.json``.

Remedy:
    Remove the key, or load the model with a library that you built yourself. ONNX Runtime GenAI follows the key in all versions
    from 0.6 on that have it.

What it cannot see:
    What the library does, and libraries that a program loads by a name of its own.

References:
    https://onnxruntime.ai/docs/genai/reference/config.html ; CWE-114
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.hub._walk import documents, entries
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/native-library",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(114,),
    needs=("json", "yaml", "toml"),
)

_REMEDY = "Remove the key, or use a library that you built yourself."
_CUSTOM = ("custom_ops_library", "custom_op_library")
#: Ordinary configurations name these too, by a bare name that the system looks up.
_BACKENDS = ("backend_path", "ep_library_path", "ep_library", "shared_lib_path", "provider_library")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each key."""
    for component in documents(ctx):
        for entry in entries(component, (*_CUSTOM, *_BACKENDS)):
            value = entry.value
            if not isinstance(value, str) or not value.strip():
                continue
            outside = value.startswith(("/", "\\", "~")) or ".." in value or value[1:2] == ":"
            if entry.key in _CUSTOM:
                severity = Severity.HIGH if outside else Severity.MEDIUM
            elif outside or "/" in value or "\\" in value:
                severity = Severity.HIGH
            else:
                continue
            yield ctx.finding(
                entry.location, f"makes a loader load the shared library {shown(value)}", _REMEDY, severity=severity
            )
