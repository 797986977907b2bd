"""The name of a tensor is a path that leads out.

What it finds:
    Names of tensors with a part ``..`` between slashes or backslashes, with a drive of Windows or the name of a machine in front, or
    below a folder of the system such as ``/etc``, in safetensors, pickles, NumPy archives, HDF5 and every other format with tensors.

Why it matters:
    No common loader makes a path of a tensor's name. Converters and tools that write a file for each tensor do, and no training
    gives a tensor such a name.

Example:
    A tensor ``../../.config/autostart/x`` in a safetensors file.

Remedy:
    Do not convert the file with a tool that writes a file for each tensor; ask the publisher what the name is for.

What it cannot see:
    Names that are harmless as paths. Names of members in archives are told by ``archive/path-traversal``.

References:
    CWE-22.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import shorten

RULE = Rule(id="file/tensor-path", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(22,))

_LEADS_OUT = pattern(
    r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[A-Za-z]:[/\\]|^(?:\\\\|//)[\w.-]+[/\\]|^(?:file|https?|ftp)://|^~[/\\]|"
    r"^/(?:etc|home|root|tmp|usr|var|proc|dev|bin|sbin|opt|lib|Users|Library)/",
    re.IGNORECASE,
)
_MOST = 10


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each of the first names of a file."""
    for component in ctx.inventory.walk():
        told = 0
        for tensor in component.tensors:
            if (".." in tensor.name or "/" in tensor.name or "\\" in tensor.name) and _LEADS_OUT.search(tensor.name):
                yield ctx.finding(
                    Location(component.place, tensor.offset),
                    f"the name of a tensor is a path that leads out: {shorten(tensor.name, 120)}",
                    "Do not let a tool write a file for each tensor; ask the publisher what the name is for.",
                    evidence={"tensor": shorten(tensor.name, 400)},
                )
                told += 1
                if told >= _MOST:
                    break
