"""Running the checks: every rule once, over one inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from openvet.checks._check import Context
from openvet.core.coverage import Unknown
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.overtime import Overtime
from openvet.core.registry import Registered, load_kind
from openvet.core.rule import Outcome
from openvet.errors import UsageError
from openvet.inventory.component import Inventory
from openvet.inventory.identify import formats

__all__ = ["Result", "checks", "run_checks"]


@dataclass(frozen=True, slots=True)
class Result:
    """What the rules said: findings, worst first, the outcome of every rule, and what a limit kept them from looking at."""

    findings: tuple[Finding, ...]
    outcomes: Mapping[str, Outcome]
    unknowns: tuple[Unknown, ...] = ()


def checks() -> Registered:
    """All rule modules."""
    return load_kind("openvet.checks", ("RULE", "check"))


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
    modules = registered.modules
    if only:
        known = {module.RULE.id for module in modules}
        unknown = sorted(set(only) - known)
        if unknown:
            raise UsageError(f"unknown rule {unknown[0]}; `openvet rules` lists them")
        modules = tuple(module for module in modules if module.RULE.id in set(only))
    present = {name for component in inventory.walk() for name in component.formats}
    budget = budget or Budget()
    budget.start_rules()
    watch = Overtime(budget)
    broken = (*registered.broken, *formats().broken)
    findings: list[Finding] = []
    outcomes: dict[str, Outcome] = {}
    for module in sorted(modules, key=lambda each: each.RULE.id):
        rule = module.RULE
        if rule.needs and present.isdisjoint(rule.needs):
            outcomes[rule.id] = Outcome.NOT_APPLICABLE
            continue
        found, outcomes[rule.id] = _run(module, Context(inventory, rule, broken, callables), watch)
        findings.extend(found)
    watch.close()
    return Result(tuple(sorted(findings, key=Finding.sort_key)), outcomes, inventory.unfinished)


def _run(module: ModuleType, context: Context, watch: Overtime) -> tuple[list[Finding], Outcome]:
    """One rule. What it found before it failed is kept; the failure leads to a review."""
    found: list[Finding] = []
    try:
        watch.within(lambda: found.extend(module.check(context)))
    except Exception:  # noqa: BLE001 - a fault in one rule must not silence the others
        return found, Outcome.ERROR
    return found, Outcome.FAIL if found else Outcome.PASS
