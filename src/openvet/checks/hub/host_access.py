"""Settings of containers that come with the model give the machine to what runs inside.

What it finds:
    In files of Compose, Kubernetes, development containers and ECS, whatever their names, and in lines with ``docker run``: mounts of
    the whole disk, of the socket of Docker, containerd, CRI-O or Podman, of folders from which the system runs programs, and of raw
    disks and memory; the host's processes; commands that enter the host. For review: all rights alone (``privileged``, which RDMA
    and some accelerators need), single rights that take over the machine, such mounts read-only, homes, places of keys, and the role
    ``cluster-admin``.

Why it matters:
    Who starts the model as its files say starts an image of somebody else, which then has the machine and not only the model.

Example:
    ``volumes: ["/:/host"]`` in ``docker-compose.yml``.

Remedy:
    Remove the line. A model server needs a GPU, a folder with the model and a cache; it does not need the machine.

What it cannot see:
    What the image does, and what a loader of the settings puts into variables.

References:
    https://kubernetes.io/docs/concepts/security/pod-security-standards/ ; CWE-250 ; MITRE ATT&CK T1610, T1611.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/host-access",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(250,),
    needs=("json", "yaml", "toml", "shell", "notebook", "text"),
    recorded=True,
)

_REMEDY = "Remove it from your copy before you start a container by it."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each setting."""
    for finding in ctx.anomalies(_REMEDY):
        yield finding if finding.evidence.get("kind") == "host" else replace(finding, severity=Severity.MEDIUM)
