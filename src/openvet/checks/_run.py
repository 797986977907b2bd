"""Running the checks: every rule once, over one inventory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set

from openvet.checks._check import Context
from openvet.core.coverage import Unknown
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.overtime import Overtime
from openvet.core.registry import Entry, Registered, load_kind
from openvet.core.rule import Outcome, Rule, rule_of
from openvet.errors import UsageError
from openvet.inventory.component import Inventory
from openvet.inventory.identify import formats

__all__ = ["Result", "checks", "import_rules", "run_checks"]


@dataclass(frozen=True, slots=True)
class Result:
    """What the rules said: findings, worst first, the outcome of every rule, and what a limit kept them from looking at."""

    findings: tuple[Finding, ...]
    outcomes: Mapping[str, Outcome]
    unknowns: tuple[Unknown, ...] = ()


def checks() -> Registered:
    """All rules; the facts of each entry are its :class:`~openvet.core.rule.Rule`."""
    return load_kind("openvet.checks", ("RULE", "check"), rule_of)


def import_rules(present: Collection[str]) -> None:
    """Import the rules that will be asked about files of the formats ``present``, before they are."""
    there = frozenset(present)
    for entry in checks().entries:
        if not entry.facts.recorded and _concerns(entry.facts, there):
            _ = entry.module


def _concerns(rule: Rule, present: Set[str]) -> bool:
    """Whether ``rule`` looks at any of the formats that are there."""
    return not rule.needs or not present.isdisjoint(rule.needs)


def run_checks(
    inventory: Inventory,
    only: Sequence[str] = (),
    callables: Mapping[str, str] | None = None,
    budget: Budget | None = None,
) -> Result:
    """Run the rules over what was read.

    Args:
        inventory: what was read.
        only: ids of the only rules to run; empty means all.
        callables: those that the team knows, with the reason.
        budget: gives the rules their seconds. A rule that takes longer is ended; its outcome is then an error, and so are
            those of the rules whose turn never came. ``None`` means the defaults.

    Raises:
        UsageError: an id in ``only`` is no rule's.
    """
    registered = checks()
    entries = registered.entries
    if only:
        known = {entry.facts.id for entry in entries}
        unknown = sorted(set(only) - known)
        if unknown:
            raise UsageError(f"unknown rule {unknown[0]}; `openvet rules` lists them")
        entries = tuple(entry for entry in entries if entry.facts.id in set(only))
    present = {name for component in inventory.walk() for name in component.formats}
    budget = budget or Budget()
    budget.start_rules()
    watch = Overtime(budget)
    broken = (*registered.broken, *formats().broken)
    findings: list[Finding] = []
    outcomes: dict[str, Outcome] = {}
    for entry in sorted(entries, key=lambda each: each.facts.id):
        rule = entry.facts
        if not _concerns(rule, present):
            outcomes[rule.id] = Outcome.NOT_APPLICABLE
            continue
        if rule.recorded and not inventory.anomalies(rule.id):
            outcomes[rule.id] = Outcome.PASS
            continue
        found, outcomes[rule.id] = _run(entry, Context(inventory, rule, broken, callables), watch)
        findings.extend(found)
    watch.close()
    return Result(tuple(sorted(findings, key=Finding.sort_key)), outcomes, inventory.unfinished)


def _run(entry: Entry, context: Context, watch: Overtime) -> tuple[list[Finding], Outcome]:
    """One rule. What it found before it failed is kept; the failure leads to a review."""
    module = entry.module
    found: list[Finding] = []
    try:
        watch.within(lambda: found.extend(module.check(context)))
    except Exception:  # noqa: BLE001 - a fault in one rule must not silence the others
        return found, Outcome.ERROR
    return found, Outcome.FAIL if found else Outcome.PASS
