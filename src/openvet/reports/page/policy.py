"""Which policy decided, and what policy packs make of the evidence, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.decision_v1 import DecisionV1, Line
from openvet.policy.decision import Verdict
from openvet.reports._text import plural, short
from openvet.reports.markup import Content, Html, details, join, table, tag
from openvet.reports.page.sheet import Sheet, Spot
from openvet.reports.page.verdict import WORDS, chip
from openvet.reports.policy import advisories_text

__all__ = ["matrix", "policy"]

#: Outcomes of lines and their styles, the one to look at first at the top.
_OUTCOMES: Final = {
    "violated": "bad",
    "indeterminate": "open",
    "satisfied-by-attestation": "good",
    "satisfied-by-evidence": "good",
    "not-yet-in-force": "calm",
    "not-applicable": "calm",
}
#: Outcomes about which there is nothing to do today: their lines are folded.
_QUIET: Final = frozenset({"not-yet-in-force", "not-applicable"})
#: Lines of a pack that are shown: packs have up to some hundreds.
_ROWS: Final = 500
_NAMED: Final = 8


def policy(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """The built-in policy that decided, and the matrix of packs."""
    yield spot.head("Policy", anchor="policy")
    by = tag("code", short(sheet.report.decision.policy))
    yield tag("p", "Whether it is safe to load was decided by the built-in policy ", by, ", from the scan and the team's acceptances alone.")  # fmt: skip
    for decision in sheet.policies:
        yield from matrix(decision, spot)


def matrix(decision: DecisionV1, spot: Spot) -> Iterator[Html | None]:
    """One pack: its verdict, and every requirement with its outcome, its clause and why. No outcome says that anything is compliant."""
    pack, lines = decision.pack, sorted(decision.lines, key=_place)
    word, style = WORDS[Verdict(decision.verdict)]
    yield spot.head(f"{short(pack.title)} ({short(pack.name)})", 2)
    law = f", by the law as of {short(pack.law)}" if pack.law else ""
    known = "" if decision.advisories is None else f"; {advisories_text(decision.advisories, decision.as_of)}"
    yield tag("p", chip(word, style), f" as of {short(decision.as_of)}{law}{known}")
    counts = Counter(each.outcome for each in lines)
    yield tag("p", [join(chip(outcome, _OUTCOMES[outcome]), f" {counts[outcome]:,} ") for outcome in _OUTCOMES if counts[outcome]])  # fmt: skip
    loud = [each for each in lines if each.outcome not in _QUIET]
    quiet = [each for each in lines if each.outcome in _QUIET]
    yield _table(loud)
    if quiet:
        yield details(f"{plural(len(quiet), 'line')} without anything to do today", _table(quiet))
    left = max(len(loud) - _ROWS, 0) + max(len(quiet) - _ROWS, 0)
    if left:
        yield tag("p", f"and {plural(left, 'more line')}; openvet decide --format json gives all of them", class_="soft left-out")  # fmt: skip


def _table(lines: Sequence[Line]) -> Html | None:
    rows: list[Sequence[Content]] = [
        (
            tag("code", short(each.id)),
            join(chip(each.outcome, _OUTCOMES[each.outcome]), tag("br"), tag("span", each.level, class_="soft small")),
            join(
                short(each.title), tag("br"), tag("span", short(f"{each.clause}, {each.source}"), class_="soft small")
            ),
            _why(each),
        )
        for each in lines[:_ROWS]
    ]
    return table(("requirement", "outcome", "asks", "why"), rows)


def _why(line: Line) -> Html:
    """The reason, what is missing for an answer, what to do, and who took the line out of the verdict."""
    said: list[Content] = [short(line.why)]
    if line.missing and line.missing[0] not in line.why:
        rest = len(line.missing) - _NAMED
        named = short(", ".join(line.missing[:_NAMED])) + (f" and {rest:,} more" if rest > 0 else "")
        said.append(join(tag("br"), tag("span", f"To know: {named}", class_="open")))
    if line.offenders:
        rest = len(line.offenders) - _NAMED
        named = short(", ".join(line.offenders[:_NAMED])) + (f" and {rest:,} more" if rest > 0 else "")
        said.append(join(tag("br"), tag("code", named)))
    if line.foreseen:
        said.append(join(tag("br"), f"from {short(line.since) or 'a day that nobody can say'} on: {line.foreseen}, by what is known now"))  # fmt: skip
    if line.approvers:
        said.append(join(tag("br"), f"Asks for {line.approvers} people who approve it."))
    if line.remedy:
        said.append(join(tag("br"), tag("strong", "What to do: "), short(line.remedy)))
    if line.waived is not None:
        by = line.waived
        said.append(join(tag("br"), tag("strong", "Waived: "), f"by {short(by.owner)} until {short(by.expires)}: {short(by.reason)}"))  # fmt: skip
    return join(*said)


def _place(line: Line) -> int:
    return list(_OUTCOMES).index(line.outcome)
