"""Where a model comes from and what it brings with it: its lineage, published problems, and its bill of materials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1, AdvisoryHit
from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.reports._text import bytes_for_people, plural, short
from openvet.reports.advisories import STATUS_WORDS, by_package, do_about
from openvet.reports.lineage_page import parts
from openvet.reports.markup import Content, Html, details, join, listed, table, tag
from openvet.reports.page.said import origin
from openvet.reports.page.sheet import ROWS, Sheet, Spot, more
from openvet.reports.page.verdict import chip

__all__ = ["advisories", "bill", "lineage"]

_STYLES: Final = {"affected": "bad", "may-be-affected": "open", "unknown": "open", "not-affected": "good"}
_STATES: Final = {"met": "met", "declared": "declared only", "missing": "missing"}
_STATE_STYLES: Final = {"met": "good", "declared": "open", "missing": "calm"}
_PLACES: Final = 3


def lineage(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """What it was made of, drawn and in tables; who published and signed it."""
    found = sheet.report.answers.get("lineage")
    yield spot.head("Where it comes from", anchor="lineage")
    yield from origin(sheet)
    if not isinstance(found, LineageV1):
        yield tag("p", "Nobody looked at what it was made of.", class_="soft")
    elif not (found.edges or found.tests):
        yield tag("p", "Nothing in it says what it was made of.", class_="soft")
    else:
        yield from parts(found, spot.id("graph"))


def advisories(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """Published problems of loaders and packages that it reaches or names."""
    found = sheet.report.answers.get("advisories")
    yield spot.head("Published problems", anchor="advisories")
    if not isinstance(found, AdvisoriesV1):
        yield tag("p", "Nobody looked for them.", class_="soft")
        return
    reached = [each for each in found.hits if each.reasons]
    rows: list[Sequence[Content]] = [_reached(each) for each in reached[:ROWS]]
    yield table(("problem", "of", "status", "why", "what to do"), rows, caption="Reached by what is in it")
    yield more(len(reached), ROWS, "problems", sheet)
    named = list(by_package(each for each in found.hits if not each.reasons).values())
    yield table(
        ("package", "status", "problems", "what to do"),
        [_named(hits) for hits in named[:ROWS]],
        caption="Of packages that it names",
    )
    yield more(len(named), ROWS, "packages", sheet)
    if not found.hits:
        yield tag("p", "Nothing that is known is reached by what is in it, or by what it names.")
    yield tag("p", f"Known up to {short(found.snapshot.date) or 'no day that anybody said'}; nothing was looked up.", class_="soft small")  # fmt: skip


def _reached(hit: AdvisoryHit) -> Sequence[Content]:
    why = [join(f"{short(feature)} ", tag("code", short(str(where)))) for feature, where in hit.reasons[:_PLACES]]
    title = join(tag("strong", short(hit.published)), tag("br"), tag("span", short(hit.summary), class_="soft"))
    return title, short(hit.name), chip(STATUS_WORDS[hit.status], _STYLES[hit.status]), listed(why), do_about([hit])


def _named(hits: Sequence[AdvisoryHit]) -> Sequence[Content]:
    counts = Counter(each.status for each in hits)
    status = [join(chip(STATUS_WORDS[each], _STYLES[each]), f" {count:,} ") for each, count in counts.items()]
    ids = ", ".join(each.published for each in hits[: 2 * _PLACES])
    rest = len(hits) - 2 * _PLACES
    return short(hits[0].name), status, short(ids) + (f" and {rest:,} more" if rest > 0 else ""), do_about(hits)


def bill(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """What it is made of, counted; what it names and does not have; the minimum elements."""
    found = sheet.bill
    yield spot.head("What it is made of", anchor="bill")
    if found is None:
        yield tag("p", "No inventory was taken.", class_="soft")
        return
    pieces = (*found.parts, *found.pieces)
    kinds = Counter(each.kind for each in pieces)
    sizes: dict[str, int] = {}
    for each in pieces:
        sizes[each.kind] = sizes.get(each.kind, 0) + (each.size or 0)
    yield table(
        ("kind", "pieces", "size"),
        [
            (kind.replace("-", " "), f"{count:,}", bytes_for_people(sizes[kind]) if sizes[kind] else "")
            for kind, count in kinds.items()
        ],
        class_="figures",
    )
    named = [each for each in pieces if each.named is not None]
    rows = [
        (
            each.kind.replace("-", " "),
            short(f"{each.name} {each.version}".strip()),
            each.named.basis if each.named else "",
            listed(tag("code", short(str(where))) for where in (each.named.sources if each.named else ())[:_PLACES]),
        )
        for each in named[:ROWS]
    ]
    if rows:
        yield details(
            f"{plural(len(named), 'piece')} that it names",
            table(("kind", "name", "basis", "where"), rows),
            more(len(named), ROWS, "pieces", sheet),
        )
    if sheet.covered:
        yield _covered(sheet)
    yield tag("p", "In CycloneDX or SPDX, each field with its bytes: ", tag("code", f"openvet bom {short(sheet.report.path)}"), class_="soft small")  # fmt: skip


def _covered(sheet: Sheet) -> Html:
    counts = Counter(each.state for each in sheet.covered)
    told = ", ".join(f"{counts[state]} {word}" for state, word in _STATES.items())
    rows = [
        (each.element.code, short(each.element.name), chip(_STATES[each.state], _STATE_STYLES[each.state]), short(each.by))
        for each in sheet.covered
    ]  # fmt: skip
    return details(
        f"Minimum elements of the G7's SBOM for AI (2026-05-12): {told}, of {len(sheet.covered)}",
        table(("code", "element", "state", "by what"), rows),
    )
