"""A Git LFS pointer stands where a file should be, so its content was not checked.

What it finds:
    Pointer files of Git LFS: three lines of text with the digest and the size of a file that is kept elsewhere.

Why it matters:
    The model does not load with it, and nothing is known about the content. A later ``git lfs pull`` puts bytes there
    that nobody has checked.

Example:
    ``model.safetensors`` with 134 bytes that begin with ``version https://git-lfs.github.com/spec/v1``.

Remedy:
    Run ``git lfs pull`` in the repository, then check again.

What it cannot see:
    The content that the pointer names.

References:
    https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/lfs-pointer",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("lfs-pointer",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each pointer."""
    for component in ctx.components():
        size = component.metadata.get("bytes")
        content = f"{size} bytes" if isinstance(size, int) else "content"
        yield ctx.finding(
            Location(component.place),
            f"is a Git LFS pointer: its {content} were not downloaded and not checked",
            "Run git lfs pull in the repository, then check again.",
            evidence={key: component.metadata[key] for key in ("sha256", "bytes") if key in component.metadata},
        )
