"""What a model's makers say of it in documents, and who published and signed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.card_v1 import CardDocument, CardV1
from openvet.evidence.predicates.origin_v1 import OriginV1
from openvet.reports._text import plural, short
from openvet.reports.card import TITLES, value_words
from openvet.reports.markup import Content, Html, details, join, listed, pairs, table, tag
from openvet.reports.page.sheet import ROWS, Sheet, more
from openvet.reports.page.verdict import chip

__all__ = ["documents", "origin"]

_SECTIONS: Final = {"filled": "good", "open": "open", "empty": "open"}
_DOCUMENTS: Final = 10
_NAMED: Final = 20


def documents(sheet: Sheet) -> Iterator[Html | None]:
    """Cards: what they declare, leave out and get wrong; each folded."""
    found = sheet.report.answers.get("card")
    if not isinstance(found, CardV1):
        return
    shown = [each for each in found.documents if each.kind != "files"]
    if not shown:
        yield tag("p", "It has no card.", class_="soft")
    for each in shown[:_DOCUMENTS]:
        yield _document(each, sheet)
    yield more(len(shown), _DOCUMENTS, "documents", sheet)


def _document(document: CardDocument, sheet: Sheet) -> Html:
    missing = [short(each.name) for each in document.missing]
    if document.unread is not None:
        missing = [*missing, "what its front matter says, which could not be read"]
    rest = len(missing) - _NAMED
    problems: list[Content] = [join(short(each.message), " ", tag("code", short(str(each.source)))) for each in document.problems[:ROWS]]  # fmt: skip
    declared = [(short(each.name), short(value_words(each.value))) for each in document.facts[:_NAMED]]
    sections = [join(chip(each.state, _SECTIONS[each.state]), " ", short(each.name)) for each in document.sections[:ROWS]]  # fmt: skip
    return details(
        f"{TITLES[document.kind]} {short(document.place)}: {plural(len(document.problems), 'problem')}, {len(missing):,} missing",
        listed(problems),
        more(len(document.problems), ROWS, "problems", sheet),
        tag("p", tag("strong", "Missing: "), "; ".join(missing[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")) if missing else None,
        pairs(declared),
        more(len(document.facts), _NAMED, "declarations", sheet),
        listed(sections, class_="plain"),
    )  # fmt: skip


def origin(sheet: Sheet) -> Iterator[Html | None]:
    """Who published and signed it, where somebody asked that: a check alone does not."""
    found = sheet.report.answers.get("origin")
    if not isinstance(found, OriginV1):
        return
    known: list[tuple[str, Content]] = []
    if found.published is not None:
        place = found.published
        how = "it was fetched from there" if place.basis == "measured" else "declared"
        known.append(("published", f"{short(place.repository)} on {short(place.host)} ({how})"))
    known += [("publisher", f"{short(each.name)}{'' if each.own else ' (named)'}") for each in found.publishers[:_NAMED]]  # fmt: skip
    known += [
        ("signed by", join(short(each.identity or each.key[:16] or "an unnamed key"), " ", chip("attested", "good") if each.verified else chip("declared, not verified", "open")))
        for each in found.signers[:_NAMED]
    ]  # fmt: skip
    yield pairs(known)
    rows: list[Sequence[Content]] = [
        (
            each.kind,
            join(short(each.message), tag("span", " (a guess)", class_="soft") if each.heuristic else None),
            tag("code", short(str(each.source))) if each.source.place else "",
        )
        for each in found.remarks[:ROWS]
    ]
    yield table(("remark", "what", "where"), rows, caption="About its origin")
    yield more(len(found.remarks), ROWS, "remarks", sheet)
    if found.not_known:
        yield details("Not known of its origin", listed(short(each) for each in found.not_known[:ROWS]))
