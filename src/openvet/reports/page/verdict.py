"""The top of a page: what was decided, why, and what the model is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.decision_v1 import OUTCOMES, DecisionV1
from openvet.policy.decision import Verdict
from openvet.reports._facts import describe
from openvet.reports._wording import headline, plural, reason_text, reasons_by_weight, short
from openvet.reports.markup import Html, join, listed, pairs, tag
from openvet.reports.page.sheet import ROWS, Sheet, Spot, more

__all__ = ["WORDS", "banner", "because", "chip", "identity", "verdict_of", "why"]

#: A verdict in a word, and the style that goes with it.
WORDS: Final = {Verdict.ADMIT: ("Admit", "good"), Verdict.REVIEW: ("Review", "open"), Verdict.REJECT: ("Reject", "bad")}
_MEANS: Final = {
    Verdict.ADMIT: "Everything was read, and nothing above a note was found.",
    Verdict.REVIEW: "Something is unusual, or was not read: a person should look before anybody loads it.",
    Verdict.REJECT: "Something dangerous is proven: do not load it.",
}
_PACK_MEANS: Final = {
    Verdict.ADMIT: "",
    Verdict.REVIEW: "It is safe to load, and a pack leaves it to a person: what is violated or open stands under Policy.",
    Verdict.REJECT: "A pack rejects it: what is violated stands under Policy.",
}
_BADNESS: Final = (Verdict.ADMIT, Verdict.REVIEW, Verdict.REJECT)
_GLYPHS: Final = {
    Verdict.ADMIT: "M5 12.5 L10 17.5 L19 7",
    Verdict.REVIEW: "M12 5 V14 M12 18.5 V19",
    Verdict.REJECT: "M6.5 6.5 L17.5 17.5 M17.5 6.5 L6.5 17.5",
}


def chip(text: str, style: str) -> Html:
    """A word in its colour."""
    return tag("span", text, class_=f"chip {style}")


def _icon(verdict: Verdict) -> Html:
    return tag("svg", tag("path", d=_GLYPHS[verdict]), class_="icon", viewBox="0 0 24 24", width=28, height=28, aria_hidden="true")  # fmt: skip


def verdict_of(sheet: Sheet) -> Verdict:
    """The worst of the built-in decision and of what the packs on the page make of it."""
    return max(
        (sheet.report.decision.verdict, *(Verdict(each.verdict) for each in _decided(sheet))), key=_BADNESS.index
    )


def because(sheet: Sheet) -> str:
    """The first reason for :func:`verdict_of`, in one sentence."""
    report, verdict = sheet.report, verdict_of(sheet)
    if verdict is report.decision.verdict:
        return headline(report.decision, report.scan)
    return "; ".join(_counted(each) for each in _decided(sheet) if each.verdict == verdict)


def _decided(sheet: Sheet) -> Sequence[DecisionV1]:
    return sheet.policies or sheet.report.policies


def _counted(decision: DecisionV1) -> str:
    """What a pack's verdict rests on: how many of the lines that lead to it came out how."""
    lines = [each for each in decision.lines if each.verdict == decision.verdict]
    counts = Counter(each.outcome for each in lines if each.waived is None)
    said = ", ".join(
        f"{counts[each]} {each}" for each in OUTCOMES if counts[each] and decision.verdict != Verdict.ADMIT
    )
    return f"by {short(decision.pack.name)}{f': {said}' if said else ''}"


def banner(sheet: Sheet, spot: Spot) -> Html:
    """The model's name and the answer: the worst where packs were asked, too, with each one's own below it."""
    report, decided = sheet.report, _decided(sheet)
    built_in, verdict = report.decision.verdict, verdict_of(sheet)
    word, style = WORDS[verdict]
    return tag(
        "header",
        tag(f"h{spot.level}", short(report.subject.name), id=spot.id("top")),
        tag(
            "div",
            _icon(verdict),
            tag(
                "div",
                tag("p", tag("strong", word), class_="word"),
                tag("p", because(sheet), class_="because"),
                tag("p", _MEANS[verdict] if verdict is built_in else _PACK_MEANS[verdict], class_="small"),
            ),
            class_=f"answer {style}",
        ),
        listed(
            [
                join(chip(*WORDS[built_in]), " whether it is safe to load, by the built-in policy"),
                *(
                    join(
                        chip(*WORDS[Verdict(each.verdict)]),
                        " ",
                        tag("a", short(each.pack.title), href=f"#{spot.id('policy')}"),
                        f" ({_counted(each)}; as of {short(each.as_of)})",
                    )
                    for each in decided
                ),
            ],
            class_="plain",
        )
        if decided
        else None,
        class_="model",
    )


def why(sheet: Sheet, spot: Spot, anchors: dict[str, str]) -> Iterator[Html | None]:
    """Every reason for the decision, with its place; a finding's leads to the finding."""
    report = sheet.report
    reasons = reasons_by_weight(report.decision, report.scan)
    yield spot.head("Why", anchor="why")
    if not reasons:
        yield tag("p", headline(report.decision, report.scan))
    rows = []
    for reason in reasons[:ROWS]:
        kind, _, rule = reason.code.partition(":")
        word, style = WORDS[reason.verdict]
        anchor = anchors.get(rule) if kind == "rule" else spot.id("unread")
        text = reason_text(reason)
        linked = tag("a", text, href=f"#{anchor}") if anchor else text
        rows.append(join(chip(word, style), " ", linked))
    yield listed(rows, class_="plain")
    yield more(len(reasons), ROWS, "reasons", sheet)
    if report.decision.accepted:
        taken = sum(len(each.findings) for each in report.decision.accepted)
        yield tag("p", f"{plural(taken, 'finding')} accepted by the team, listed below.", class_="soft")
    if report.config is not None:
        where = tag("code", report.config.file)
        yield tag("p", "The team's configuration counted: ", where, f", SHA-256 {report.config.sha256}" if report.config.sha256 else "", class_="soft small")  # fmt: skip


def identity(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    """What the model is."""
    report = sheet.report
    yield spot.head("What it is", anchor="what")
    found: list[tuple[str, Html | str]] = [*describe(report.scan, report.facts, report.answers)]
    if sheet.dossier is None:
        found.append(("looked at", tag("code", short(report.path))))
    for name, value in sorted(report.subject.digest.items()):
        found.append((name, tag("code", value)))
    if not report.subject.digest:
        found.append(("digest", "none: not everything in it could be read"))
    yield pairs(found)
