"""Remarks about names, by the rule that tells of them."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Severity
from openvet.publishers.suspects import find_suspects

__all__ = ["suspects"]


def suspects(ctx: Context, kinds: tuple[str, ...], remedy: str) -> Iterator[Finding]:
    """One finding for each remark of these kinds; what only a file states, and not the place that the model came from, is a note."""
    for each in ctx.inventory.once(find_suspects):
        if each.kind in kinds:
            severity = None if each.kind in ("look-alike-account", "claims-official") else Severity.NOTE
            yield ctx.finding(each.source, each.message, remedy, severity=severity, evidence=each.evidence)
