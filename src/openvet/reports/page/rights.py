"""Licences, and what they ask for; and how open the release is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.core.location import Location
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.openness_v1 import Checklist, OpennessV1, Reading
from openvet.evidence.predicates.rights_v1 import GROUPS, Cited, RightsV1
from openvet.reports._text import plural, short
from openvet.reports.licenses import STATES, title_of
from openvet.reports.markup import Content, Html, details, join, listed, pairs, table, tag
from openvet.reports.openness import CLASSES, READINGS, SCHEMES, STANDINGS
from openvet.reports.page.sheet import ROWS, Sheet, Spot, more
from openvet.reports.page.verdict import chip
from openvet.reports.rights import DUTIES, NO_ADVICE, STATES_OF_DUTIES, VERDICTS, license_name

__all__ = ["licenses", "openness"]

_STYLES: Final = {"allowed": "good", "depends": "open", "not-allowed": "bad"}
_DUTY_STYLES: Final = {"met": "good", "missing": "bad", "unseen": "calm"}
_LINE_STYLES: Final = {"evidence": "good", "declared": "calm", "open": "open", "against": "bad"}
_PART_STYLES: Final = {"found": "good", "declared": "calm", "missing": "calm"}
_REASONS: Final = 12


def _where(source: Location) -> Html:
    return tag("code", short(str(source)))


def _titles(keys: Sequence[str]) -> str:
    return license_name(keys[0]) if len(keys) == 1 else title_of(keys)


def licenses(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """What is declared and found, what it allows, and what it asks for."""
    found, rights = sheet.report.answers.get("licenses"), sheet.report.answers.get("rights")
    yield spot.head("Licences and duties", anchor="licences")
    if not isinstance(found, LicensesV1):
        yield tag("p", "Nobody looked at its licences.", class_="soft")
    else:
        yield from _licenses(found, sheet)
    if isinstance(rights, RightsV1):
        yield from _rights(rights, sheet, spot)


def _licenses(found: LicensesV1, sheet: Sheet) -> Iterator[Html | None]:
    model = found.model
    yield tag("p", f"{STATES[model.state].capitalize()}.")
    yield pairs([
        ("declared", "; ".join(map(_titles, model.declared[:_REASONS])) or "nothing"),
        ("text found", "; ".join(map(_titles, model.found[:_REASONS])) or "none"),
    ])  # fmt: skip
    rows: list[Sequence[Content]] = [
        (_where(each.source), short(each.said), each.expression or _titles(each.keys), "declared")
        for each in found.declared
    ]
    for text in found.found:
        changed = f", {plural(text.words_added + text.words_removed, 'word')} changed" if text.changed else ""
        rows.append((_where(text.source), f"{text.matched} of {text.of_text} words of the published text{changed}", _titles(text.keys), "text found"))  # fmt: skip
    rows += [(_where(each), "terms of no licence that is known", "not known", "text found") for each in found.unknown_texts]  # fmt: skip
    if rows:
        yield details(
            f"Where it is said ({len(rows):,})",
            table(("where", "what it says", "licence", "kind"), rows[:ROWS]),
            more(len(rows) + found.left_out, min(len(rows), ROWS), "places", sheet),
        )


def _clause(cited: Cited | None) -> str:
    """Which clause says so."""
    return "" if cited is None else f"{license_name(cited.license)}, {short(cited.at)}"


def _rights(rights: RightsV1, sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    names = {each.id: each.name for each in rights.works}
    yield spot.head("What may be done with it", 2)
    rows: list[Sequence[Content]] = []
    for answer in rights.answers[:ROWS]:
        reasons = [
            join(
                f"{short(names.get(each.work, each.work))}: {short(each.says)}",
                tag("span", f" ({_clause(each.cited)})", class_="soft") if each.cited is not None else None,
                join(tag("br"), tag("span", f"To know: {short(each.needs)}", class_="open")) if each.needs else None,
            )
            for each in answer.reasons[:_REASONS]
        ]
        rows.append((answer.use, chip(VERDICTS[answer.verdict], _STYLES[answer.verdict]), listed(reasons)))
    yield table(("use", "answer", "why"), rows)
    if rights.duties:
        yield spot.head("What its licences ask for", 2)
        duties = sorted(rights.duties, key=lambda each: GROUPS.index(each.group))
        contested = tag("span", "; whether this reaches the model is contested", class_="open")
        yield table(
            ("duty", "state", "what", "clause"),
            [
                (
                    DUTIES[each.group],
                    chip(STATES_OF_DUTIES[each.state], _DUTY_STYLES[each.state]),
                    join(short(each.says), contested if each.contested else None),
                    _clause(each.cited),
                )
                for each in duties[:ROWS]
            ],
        )
        yield more(len(duties), ROWS, "duties", sheet)
    if rights.drifts:
        yield spot.head("What its own licence drops", 2)
        yield listed([join(short(each.message), " ", _where(each.location)) for each in rights.drifts[:ROWS]])
        yield more(len(rights.drifts), ROWS, "of them", sheet)
    if rights.risks:
        risks = [f"{short(each.says)} ({_clause(each.cited)})" for each in rights.risks[:ROWS]]
        yield details(f"How it may end or change ({len(rights.risks):,})", listed(risks))
    needs = [f"{short(names.get(each.work, each.work))}: {short(each.needs or each.says)}" for each in rights.needs[:ROWS]]  # fmt: skip
    if needs:
        yield details(f"To be known whatever the use ({len(rights.needs):,})", listed(needs))
    yield _quotations(rights)
    yield tag("p", NO_ADVICE, class_="soft small")


def _quotations(rights: RightsV1) -> Html | None:
    """Every clause that was cited, once, in its own words."""
    reasons = [each for answer in rights.answers for each in answer.reasons]
    cited = [*(each.cited for each in reasons), *(each.cited for each in rights.duties), *(each.cited for each in rights.risks)]  # fmt: skip
    found = [each for each in dict.fromkeys(cited) if each is not None]
    if not found:
        return None
    rows = [(_clause(each), f"“{short(each.quote)}”") for each in found[:ROWS]]
    return details(f"Clauses in their own words ({len(found):,})", table(("clause", "words"), rows))


# --- openness ---


def openness(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """The class, the parts, and the checklists, each by its own rules."""
    found = sheet.report.answers.get("openness")
    yield spot.head("Openness", anchor="openness")
    if not isinstance(found, OpennessV1):
        yield tag("p", "Nobody looked at how open the release is.", class_="soft")
        return
    yield tag("p", f"Model Openness Framework {found.framework}, by its own rules:")
    yield table(("read", "class", "progress"), [(READINGS[each.name], _class(each), _progress(each)) for each in found.readings])  # fmt: skip
    rows: list[Sequence[Content]] = []
    for part in found.parts[:ROWS]:
        where = [join(f"{short(each.link or each.what)} ", _where(each.source)) for each in part.evidence[:2]]
        held = "" if part.license is None else f"{short(part.license.id)} ({STANDINGS[part.license.standing]})"
        rows.append((part.id.replace("-", " "), chip(part.state, _PART_STYLES.get(part.state, "open")), held, listed(where)))  # fmt: skip
    there = sum(each.state != "missing" for each in found.parts)
    yield details(f"Parts of the release ({there} of {len(found.parts)} there)", table(("part", "state", "licence", "where"), rows))  # fmt: skip
    for checklist in found.checklists:
        yield _checklist(checklist)
    yield tag("p", "Each scheme stands by its own rules. Links were not opened; nothing here is legal advice.", class_="soft small")  # fmt: skip


def _class(reading: Reading) -> Content:
    return chip(f"class {CLASSES[reading.reached]}" if reading.reached else "no class", "good" if reading.reached else "calm")  # fmt: skip


def _progress(reading: Reading) -> str:
    said = [
        f"{CLASSES[each.of].partition(' ')[0]}: {each.counted} of {each.needed}"
        for each in reading.classes
        if not each.held_back
    ]
    return "; ".join(said)


def _checklist(checklist: Checklist) -> Html:
    against = checklist.count("against")
    verdict = f"{plural(against, 'line')} against it" if against else "nothing seen against it"
    rows = [
        (
            join(short(each.asked), " ", tag("span", short(each.clause), class_="soft")),
            chip(each.state, _LINE_STYLES.get(each.state, "open")),
            short(each.text),
        )
        for each in checklist.lines[:ROWS]
    ]
    return details(
        f"{SCHEMES[checklist.scheme]}: {verdict}, of {plural(len(checklist.lines), 'line')}",
        table(("asked", "state", "why"), rows),
    )
