"""A pickle uses a callable that your team has accepted.

What it finds:
    A callable that OpenVet does not know to build data, and that the team's ``openvet.toml`` lists under ``[[callable]]`` with a
    reason. It takes the place of ``pickle/unknown-callable``, ``pickle/project-class`` and ``pickle/framework-class``.

Why it matters:
    Loading runs it. The decision counts it as known because somebody in the team said so.

Example:
    ``mylib.layers.Gate`` with ``reason = "our own layer, reviewed"``.

Remedy:
    Nothing to do while the reason holds. Take the entry out of ``openvet.toml`` when it does not.

What it cannot see:
    Whether the installed version of the callable is the one that the team looked at.

References:
    docs/guide/team-configuration.md ; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import NEEDS, evidence, judged, known_to_team, programs, spelled
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="pickle/accepted-callable",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One note for each accepted callable of each program."""
    if not ctx.callables:
        return
    for program in programs(ctx):
        for each in judged(program):
            if known_to_team(ctx, each):
                reason = ctx.callables[each.reference.qualified]
                yield ctx.finding(
                    program.at(each.reference.offset),
                    f"uses {spelled(each.reference)}, which your team accepts: {reason}",
                    "Nothing to do while that reason holds; the entry stands in openvet.toml.",
                    evidence={**evidence(each.reference), "accepted": reason},
                )
