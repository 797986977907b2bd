"""Problems that the cards have, by the name of the rule that tells of them."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.cards._candidates import has_candidates
from openvet.checks._check import Context
from openvet.core.finding import Finding

__all__ = ["problems"]


def problems(ctx: Context, remedy: str) -> Iterator[Finding]:
    """One finding for each problem of this rule's name, in every document."""
    if not ctx.inventory.once(has_candidates):
        return
    from openvet.cards.examine import find_cards

    name = ctx.rule.id.partition("/")[2]
    for document in ctx.inventory.once(find_cards):
        for problem in document.problems:
            if problem.kind == name:
                yield ctx.finding(problem.source, problem.message, remedy, evidence=problem.evidence)
