"""What was found, each with its places and what to do about it; and what was not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from openvet.core.finding import Finding
from openvet.core.rule import Severity
from openvet.reports._wording import (
    Group,
    accepted_text,
    group_findings,
    group_unknowns,
    lookup_unread,
    plural,
    short,
)
from openvet.reports.card import value_words
from openvet.reports.markup import Content, Html, details, join, lines, listed, pairs, spoken, table, tag
from openvet.reports.page.sheet import LIKE_IT, ROWS, Sheet, Spot, more
from openvet.reports.page.verdict import chip

__all__ = ["anchors", "findings", "unread"]

_STYLES: Final = {
    Severity.CRITICAL: "bad",
    Severity.HIGH: "bad",
    Severity.MEDIUM: "open",
    Severity.LOW: "open",
    Severity.NOTE: "calm",
}
_SHOWN: Final = 12


def anchors(sheet: Sheet, spot: Spot) -> dict[str, str]:
    """Where on the page each rule's findings stand."""
    out: dict[str, str] = {}
    for at, group in enumerate(_loud(group_findings(sheet.report.scan, sheet.report.decision))[:ROWS]):
        out.setdefault(group.first.rule, spot.id(f"f{at}"))
    return out


def _loud(groups: Sequence[Group]) -> list[Group]:
    return [each for each in groups if each.first.severity > Severity.NOTE or each.acceptance is not None]


def findings(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """A card for each rule that found something, worst first; notes in a table."""
    groups = group_findings(sheet.report.scan, sheet.report.decision)
    count = sum(len(each.findings) for each in groups)
    yield spot.head(f"Findings ({count:,})" if count else "Findings", anchor="findings")
    if not groups:
        yield tag("p", "Nothing was found.", class_="soft")
        return
    loud = _loud(groups)
    for at, group in enumerate(loud[:ROWS]):
        yield _card(group, sheet, spot, spot.id(f"f{at}"))
    yield more(len(loud), ROWS, "rules with findings", sheet)
    notes = [each for each in groups if each.first.severity is Severity.NOTE and each.acceptance is None]
    if notes:
        rows = [(tag("code", each.first.rule), _place(each.first), _with_more(each)) for each in notes[:ROWS]]
        found = table(("note", "where", "what"), rows)
        total = sum(len(each.findings) for each in notes)
        yield details(f"{plural(total, 'note')}, which change nothing", found, more(len(notes), ROWS, "kinds of notes", sheet))  # fmt: skip


def _with_more(group: Group) -> str:
    rest = len(group.findings) - 1
    return short(group.first.message) + (f" (and {rest:,} more like it)" if rest else "")


def _place(finding: Finding) -> Html:
    return tag("code", short(str(finding.location)) if finding.location.place else "the whole model")


def _card(group: Group, sheet: Sheet, spot: Spot, anchor: str) -> Html:
    first = group.first
    style = "good" if group.acceptance is not None else _STYLES[first.severity]
    text = sheet.rules.get(first.rule)
    title = text.summary if text is not None else first.rule
    word = f"{first.severity}, accepted" if group.acceptance is not None else str(first.severity)
    shown = group.findings[:LIKE_IT]
    places = [join(_place(each), " ", tag("span", short(each.message))) for each in shown]
    remedies = dict.fromkeys(short(each.remedy) for each in shown if each.remedy)
    doing: list[Content] = [tag("p", tag("strong", "What to do: "), each) for each in remedies]
    if group.acceptance is not None:
        doing = [tag("p", tag("strong", "Accepted: "), accepted_text(group.acceptance))]
    return tag(
        "article",
        Html("\n"),
        lines(
            tag(
                f"h{min(spot.level + 2, 6)}",
                chip(word, style),
                " ",
                spoken(title),
                id=f"{anchor}-t",
            ),
            tag("p", tag("code", first.rule), f" · confidence {first.confidence}", class_="soft small"),
            listed(places),
            more(len(group.findings), LIKE_IT, "like it", sheet),
            *doing,
            _about(group, sheet),
        ),
        Html("\n"),
        id=anchor,
        class_=f"card {style}",
        aria_labelledby=f"{anchor}-t",
    )


def _about(group: Group, sheet: Sheet) -> Html | None:
    """What the rule is about, and what the finding rests on."""
    first = group.first
    text = sheet.rules.get(first.rule)
    body: list[Content] = []
    if text is not None:
        wanted = dict(text.sections)
        told = [wanted[name] for name in ("What it finds", "Why it matters") if wanted.get(name)]
        body += [tag("p", spoken(each)) for each in "\n\n".join(told).split("\n\n")]
        if text.cwe:
            body.append(tag("p", ", ".join(f"CWE-{each}" for each in text.cwe), class_="soft"))
    evidence = [(short(str(key)), _value(value)) for key, value in list(first.evidence.items())[:_SHOWN]]
    body.append(pairs(evidence))
    if not any(each is not None for each in body):
        return None
    return details("About this finding", *body)


def _value(value: Any) -> Html:
    return tag("code", short(value_words(value)))


def unread(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """What was not read, by its reason."""
    scan = sheet.report.scan
    groups = group_unknowns(scan)
    count = sum(len(each) for _, each in groups)
    yield spot.head(f"Not read ({count:,})" if count else "Not read", anchor="unread")
    if not groups:
        done = "Every byte was read, or recognised as a kind that no loader executes."
        cut = "A guard in seconds cut the reading short: another run may find more."
        yield tag("p", done if scan.reproducible else cut, class_="soft")
        return
    rows = []
    for reason, unknowns in groups[:ROWS]:
        words = lookup_unread(reason)
        places = [
            join(tag("code", short(str(each.location)) if each.location.place else "the whole model"), " ", short(each.message))
            for each in unknowns[:LIKE_IT]
        ]  # fmt: skip
        rest = len(unknowns) - LIKE_IT
        if rest > 0:
            places.append(join(tag("span", f"and {rest:,} more", class_="soft left-out")))
        rows.append((join(tag("strong", reason), tag("br"), words.meaning), listed(places), spoken(words.remedy)))
    yield table(("why", "where", "what to do"), rows, class_="wide-cells")
    yield more(count, min(count, sum(min(len(each), LIKE_IT) for _, each in groups[:ROWS])), "places", sheet)
