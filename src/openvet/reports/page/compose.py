"""A whole page: for one model, or for several with a table of all of them before the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.tool import Tool
from openvet.policy.decision import Verdict
from openvet.reports._style import ANSWERS, CARDS
from openvet.reports._text import plural, short, visible
from openvet.reports.config_use import ConfigUse
from openvet.reports.markup import Content, Html, document, lines, listed, table, tag
from openvet.reports.page.evidence import evidence
from openvet.reports.page.findings import anchors, findings, unread
from openvet.reports.page.needs import needs
from openvet.reports.page.policy import policy
from openvet.reports.page.rights import licenses, openness
from openvet.reports.page.said import documents
from openvet.reports.page.sheet import FULL, MODELS, ROWS, Sheet, Spot
from openvet.reports.page.supply import advisories, bill, lineage
from openvet.reports.page.verdict import WORDS, banner, because, chip, identity, verdict_of, why
from openvet.reports.report import NotChecked

__all__ = ["compose"]

_STYLE: Final = (
    "\n"
    + ANSWERS
    + """nav.toc { margin: 1.75rem 0 0; padding: 0.8rem 0; border-top: 1px solid var(--rule); border-bottom: 1px solid var(--rule); font-size: 0.875rem; }
nav.toc ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; } nav.toc li { margin: 0; } nav.toc a { text-decoration: none; } nav.toc a:hover { text-decoration: underline; }
"""
    + CARDS
    + """td ul { margin: 0; padding-left: 1rem; } td p { margin: 0; } table.figures td { font-variant-numeric: tabular-nums; }
table.figures { width: auto; min-width: 20rem; } svg .spot { fill: var(--line); stroke: var(--back); stroke-width: 2; }
article.one { margin-top: 4rem; padding-top: 0.5rem; border-top: 3px solid var(--rule); } article.one:first-of-type { margin-top: 2.5rem; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.875rem; }
@media print { .answer { border: 1px solid var(--rule); border-left: 5px solid currentColor; } article.one { break-before: page; } section { break-inside: auto; } }
"""
)
#: Anchors and words of the contents, in the order of the page.
_CONTENTS: Final = (
    ("why", "Why"), ("what", "What it is"), ("findings", "Findings"), ("unread", "Not read"), ("policy", "Policy"),
    ("lineage", "Where it comes from"), ("licences", "Licences and duties"), ("openness", "Openness"), ("advisories", "Published problems"),
    ("bill", "What it is made of"), ("needs", "What it needs"), ("evidence", "Evidence"),
)  # fmt: skip


def compose(
    sheets: Sequence[Sheet], tool: Tool, errors: Sequence[NotChecked] = (), use: ConfigUse | None = None
) -> str:
    """The page; the same sheets give the same bytes. It shows a bounded part of any report, and says what it leaves out.

    Args:
        tool: what makes the page, which may be a later version than what looked at the models.
        errors: what could not be checked.
        use: what came of the team's configuration.
    """
    alone = len(sheets) == 1 and not errors
    title = f"{WORDS[verdict_of(sheets[0])][0]}: {short(sheets[0].report.subject.name)}" if alone else plural(len(sheets) + len(errors), "model")  # fmt: skip
    body: list[Content] = [
        tag("a", "Skip to the report", href="#report", class_="skip screen"),
    ]
    main: list[Content] = [tag("p", "OpenVet report", class_="over")]
    if alone:
        main += _model(sheets[0], Spot("m", 1))
    else:
        main += [tag("h1", title), *_overview(sheets, errors)]
        for number, sheet in enumerate(sheets[:FULL]):
            spot = Spot(f"m{number}", 2)
            main.append(tag("article", Html("\n"), lines(*_model(sheet, spot)), Html("\n"), class_="one", aria_labelledby=spot.id("top")))  # fmt: skip
    if use is not None:
        main.append(_configuration(use))
    body += [
        tag("main", Html("\n"), lines(*main), Html("\n"), id="report", tabindex=-1),
        _footer(tool),
    ]
    return document(f"{title} – OpenVet", *body, style=_STYLE)


def _model(sheet: Sheet, spot: Spot) -> Iterator[Html | None]:
    yield banner(sheet, spot)
    entries = [tag("a", word, href=f"#{spot.id(anchor)}") for anchor, word in _CONTENTS]
    yield tag("nav", listed(entries), class_="toc screen", aria_label=f"Contents: {short(sheet.report.subject.name)}")
    for part in (
        why(sheet, spot, anchors(sheet, spot)),
        (*identity(sheet, spot), *documents(sheet)),
        findings(sheet, spot),
        unread(sheet, spot),
        policy(sheet, spot),
        lineage(sheet, spot),
        licenses(sheet, spot),
        openness(sheet, spot),
        advisories(sheet, spot),
        bill(sheet, spot),
        needs(sheet, spot),
        evidence(sheet, spot),
    ):
        yield tag("section", Html("\n"), lines(*part), Html("\n"))


def _overview(sheets: Sequence[Sheet], errors: Sequence[NotChecked]) -> Iterator[Html | None]:
    counts = Counter(verdict_of(each) for each in sheets)
    told = [f"{counts[each]:,} {each}" for each in (Verdict.REJECT, Verdict.REVIEW, Verdict.ADMIT) if counts[each]]
    yield tag("p", ", ".join([*told, *([f"{len(errors):,} not checked"] if errors else [])]))
    rows: list[Sequence[Content]] = []
    for number, each in enumerate(sheets[:MODELS]):
        report = each.report
        word, style = WORDS[verdict_of(each)]
        name = short(report.path)
        shown = tag("a", name, href=f"#m{number}-top") if number < FULL else name
        rows.append((shown, chip(word, style), because(each)))
    rows += [(short(each.path), chip("Not checked", "open"), short(each.message)) for each in errors[:MODELS]]
    yield table(("model", "decision", "why"), rows)
    if len(sheets) > MODELS or len(errors) > MODELS:
        rest = max(len(sheets) - MODELS, 0) + max(len(errors) - MODELS, 0)
        yield tag("p", f"and {plural(rest, 'more model')}; openvet check --format jsonl gives all of them", class_="soft left-out")  # fmt: skip
    if len(sheets) > FULL:
        yield tag("p", f"The first {FULL} are shown in full below; make a page of each of the others.", class_="soft left-out")  # fmt: skip


def _configuration(use: ConfigUse) -> Html:
    told: list[Content] = []
    if use.name is not None:
        told.append(tag("p", tag("code", visible(use.name.file)), f" ({use.source})", f", SHA-256 {use.name.sha256}" if use.name.sha256 else ""))  # fmt: skip
    if use.strict:
        told.append(tag("p", "Strict: what is not proven to be data is rejected."))
    told.append(listed(f"ignored: {visible(each.file)}: {short(each.why)}" for each in use.ignored[:ROWS]))
    told.append(listed(short(each) for each in use.lines()[:ROWS]))
    return tag("section", tag("h2", "Configuration"), lines(*told))


def _footer(tool: Tool) -> Html:
    return tag(
        "footer",
        tag("p", f"Made by {tool.name} {tool.version}. This page loads nothing and runs nothing; what a model says about itself is shown as text."),
        tag("p", "It says what was found in these bytes, by programs that can be wrong. It is no advice about law, and no certificate."),
    )  # fmt: skip
