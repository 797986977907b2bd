"""An archive holds a member that is no ordinary file: a device, a pipe, or a program that would run as another user.

What it finds:
    Character and block devices, pipes and sockets in tar and zip archives, files with the set-user-id or set-group-id
    bit, and symbolic links in a zip whose target cannot be read. Devices, pipes and sockets are high, since no tool that
    packs a model writes one; the bits are medium, since they come along with files of some systems.

Why it matters:
    A tool that extracts such an archive as root creates what it says: a device gives access to a disk, a pipe makes
    the next reader wait for ever, a set-user-id program keeps the rights of its owner. A model needs none of them.

Example:
    A tar with the entry ``weights.bin`` of type 3 (character device) 1, 1: the memory of the machine.

Remedy:
    Extract only the ordinary files, with ``tarfile`` and ``filter="data"``, never as root.

What it cannot see:
    Access control lists and capabilities that some archives keep in extra fields.

References:
    CWE-250. PEP 706, https://peps.python.org/pep-0706/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/special-member",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(250,),
    recorded=True,
)

#: Kinds that are made by extracting, rather than files with odd rights.
_MADE = frozenset({"char", "block", "fifo", "device"})


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each member that is no ordinary file, as bad as what extracting it makes."""
    remedy = "Extract only the ordinary files, with a tool that refuses the others, and never as root."
    for finding in ctx.anomalies(remedy):
        made = finding.evidence.get("kind") in _MADE
        yield replace(finding, severity=Severity.HIGH) if made else finding
