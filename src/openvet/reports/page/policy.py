"""Which policy decided, and the requirements of policy packs, one a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.reports._text import plural, short
from openvet.reports.markup import Content, Html, join, table, tag
from openvet.reports.page.sheet import PolicyRow, Sheet, Spot
from openvet.reports.page.verdict import chip

__all__ = ["matrix", "policy"]

#: Outcomes as the house has them, and their styles; the worst first.
_OUTCOMES: Final = {
    "violated": "bad",
    "indeterminate": "open",
    "satisfied-by-attestation": "good",
    "satisfied-by-evidence": "good",
    "not-yet-in-force": "calm",
    "not-applicable": "calm",
}
#: Requirements that are shown: packs have some dozens each.
_ROWS: Final = 500


def policy(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """The built-in policy that decided, and the matrix of packs."""
    yield spot.head("Policy", anchor="policy")
    by = tag("code", short(sheet.report.decision.policy))
    yield tag("p", "Decided by the built-in policy ", by, ", from the scan and the team's acceptances alone.")
    yield from matrix(sheet.policies, spot)


def matrix(rows: Sequence[PolicyRow], spot: Spot) -> Iterator[Html | None]:
    """Every requirement with its outcome and why; nothing where no pack was asked. No outcome says that anything is compliant."""
    for pack in dict.fromkeys(each.pack for each in rows):
        own = [each for each in rows if each.pack == pack]
        counts = Counter(each.outcome for each in own)
        told = [join(chip(word, _style(word)), f" {count:,} ") for word, count in sorted(counts.items(), key=_rank)]
        yield spot.head(short(pack), 2)
        yield tag("p", told)
        cells: list[Sequence[Content]] = [
            (
                tag("code", short(each.requirement)),
                chip(each.outcome, _style(each.outcome)),
                join(short(each.title), tag("br"), tag("span", short(each.clause), class_="soft")),
                short(each.why),
            )
            for each in sorted(own, key=lambda each: _place(each.outcome))[:_ROWS]
        ]
        yield table(("requirement", "outcome", "asks", "why"), cells)
        if len(own) > _ROWS:
            yield tag("p", f"and {plural(len(own) - _ROWS, 'more requirement')}", class_="soft left-out")


def _style(outcome: str) -> str:
    return _OUTCOMES.get(outcome, "open")


def _place(outcome: str) -> int:
    order = list(_OUTCOMES)
    return order.index(outcome) if outcome in order else 1


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return _place(item[0]), item[0]
