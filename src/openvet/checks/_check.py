"""The contract of a check.

A check is one module ``checks/<family>/<rule>.py`` with two names::

    RULE = Rule(id="family/rule", ...)
    def check(ctx: Context) -> Iterator[Finding]: ...

The module's docstring is the rule's documentation; ``openvet explain``, the SARIF rule table and the docs
site all print it. Its first line is a sentence that names the problem; then come the sections *What it finds*,
*Why it matters*, *Example*, *Remedy*, *What it cannot see* and *References*.

A check looks at the inventory and never at bytes. It knows nothing of other checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.registry import Broken
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component, Inventory

__all__ = ["Context"]


class Context:
    """What a check sees. ``broken`` are the plug-ins that could not be imported, ``callables`` what the team knows: name -> reason."""

    __slots__ = ("broken", "callables", "inventory", "rule")

    def __init__(
        self,
        inventory: Inventory,
        rule: Rule,
        broken: tuple[Broken, ...] = (),
        callables: Mapping[str, str] | None = None,
    ) -> None:
        self.inventory = inventory
        self.rule = rule
        self.broken = broken
        self.callables = callables or {}

    def components(self, *formats: str) -> Iterator[Component]:
        """Every file and member, or those of the given formats; without arguments those that ``RULE.needs`` names."""
        wanted = frozenset(formats or self.rule.needs)
        return self.inventory.of(wanted) if wanted else self.inventory.walk()

    def finding(
        self,
        location: Location,
        message: str,
        remedy: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        evidence: Mapping[str, Any] | None = None,
    ) -> Finding:
        """A finding of this rule; severity and confidence are the rule's unless given."""
        return Finding(
            rule=self.rule.id,
            severity=self.rule.severity if severity is None else severity,
            confidence=self.rule.confidence if confidence is None else confidence,
            location=location,
            message=message,
            remedy=remedy,
            evidence=evidence or {},
        )

    def anomalies(self, remedy: str) -> Iterator[Finding]:
        """One finding for each anomaly that a reader recorded for this rule."""
        for anomaly in self.inventory.anomalies(self.rule.id):
            yield self.finding(anomaly.location, anomaly.message, remedy, evidence=anomaly.evidence)
