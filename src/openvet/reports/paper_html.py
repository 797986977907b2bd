"""A filled document as one page of HTML that needs nothing else and prints as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from openvet.policy.paper import Asked, Paper, PaperLine, Reference, Said
from openvet.reports._paper_words import (
    DRAFT,
    LEGEND,
    STATES,
    TEXT,
    basis_words,
    head,
    label_words,
    open_words,
    sections,
    shown,
    tally,
    value_words,
)
from openvet.reports._text import cut, plural
from openvet.reports.markup import Content, Html, document, join, lines, listed, pairs, table, tag

__all__ = ["compose"]

#: State -> the style of its mark.
_MARKS: Final = {
    "filled": "good",
    "satisfied-by-evidence": "good",
    "satisfied-by-attestation": "good",
    "violated": "bad",
    "not-applicable": "soft",
}
_STYLE: Final = """
section.line { border-top: 1px solid var(--rule); margin: 0.8rem 0; padding-top: 0.4rem; break-inside: avoid; }
section.line h3 { margin: 0.2rem 0; }
.state { font-weight: 600; }
.opened { border-left: 4px solid var(--open); background: var(--open-back); padding: 0.3rem 0.8rem; margin: 0.4rem 0; }
li { overflow-wrap: anywhere; }
td:nth-child(2) { overflow-wrap: normal; }
"""


def compose(papers: Sequence[Paper], attest: str) -> str:
    """The whole page; of several documents one after the other.

    Args:
        attest: the command that asks the open questions, after ``openvet attest``.
    """
    body = [_paper(each, attest, f"d{at}-") for at, each in enumerate(papers, 1)]
    title = f"{papers[0].title}: {papers[0].subject or 'unnamed'}"
    return document(title, tag("main", Html("\n"), lines(*body), Html("\n")), style=_STYLE)


def _paper(paper: Paper, attest: str, prefix: str) -> Html:
    anchors = {each: f"{prefix}statement-{at}" for at, each in enumerate(paper.references, 1)}
    body: list[Content] = [
        tag("h1", paper.title),
        tag("p", tag("em", DRAFT)),
        tag("p", LEGEND, class_="soft"),
        pairs(head(paper)),
    ]
    parts = sections(paper)
    if len(parts) > 1:
        body += [
            tag("h2", "Sections"),
            table(("section", "lines"), [(section, tally(found)) for section, found in parts]),
        ]
    for section, found in parts:
        body += [tag("h2", section), *(_line(each, paper, anchors) for each in found)]
    if paper.left:
        body += [tag("h2", "Left out"), listed(f"{each.id} {each.label}: {each.why}" for each in paper.left)]
    if paper.asked:
        body += [
            tag("h2", f"{plural(len(paper.asked), 'question')} that only people can answer"),
            tag(
                "p", tag("code", f"openvet attest {attest}"), " asks them, and keeps the answers as a signed statement."
            ),
            listed(map(_question, paper.asked)),
        ]
    body.append(tag("h2", "Statements that this rests on"))
    rows = [
        (
            tag("span", str(at), id=anchors[each]),
            each.kind,
            tag("code", each.sha256),
            tag("code", shown(each, paper)) if paper.signed else shown(each, paper),
        )
        for at, each in enumerate(paper.references, 1)
    ]
    body.append(table(("number", "kind", "SHA-256", "where"), rows) or tag("p", "None."))
    return tag("article", Html("\n"), lines(*body), Html("\n"))


def _line(line: PaperLine, paper: Paper, anchors: Mapping[Reference, str]) -> Html:
    opened = list(open_words(line, paper))
    values = [
        *(_said(each, anchors, "") for each in line.values),
        *(_said(each, anchors, "beside: ") for each in line.beside),
    ]
    mark = _MARKS.get(line.state, "open")
    return tag(
        "section",
        Html("\n"),
        lines(
            tag("h3", f"{line.id} {line.label}"),
            tag("p", line.clause, f" · {line.level} · ", tag("span", STATES[line.state], class_=f"state {mark}")),
            tag("p", line.asks, class_="soft") if line.asks else None,
            listed(values),
            tag("p", f"Choose from: {'; '.join(line.choices)}") if line.choices else None,
            tag("p", tag("strong", "Open: "), "; ".join(opened), class_="opened") if opened else None,
            *(tag("p", note) for note in line.notes),
        ),
        Html("\n"),
        class_="line",
    )


def _said(said: Said, anchors: Mapping[Reference, str], before: str) -> Html:
    numbers = list(anchors)
    cited = [(" ", tag("a", f"[{numbers.index(each) + 1}]", href=f"#{anchors[each]}")) for each in said.references]
    note = f" — {cut(said.note, TEXT)}" if said.note else None
    return join(
        before,
        label_words(said),
        " ",
        tag("strong", value_words(said)),
        note,
        " ",
        tag("span", f"({basis_words(said)})", class_="soft"),
        *cited,
    )


def _question(each: Asked) -> Html:
    return join(
        tag("strong", each.id),
        f" ({each.type}; for {', '.join(each.items)}): {each.ask}",
        listed(
            [
                *each.choices,
                *([f"why: {each.why}"] if each.why else []),
                *([f"an answer does not count: {each.problem}"] if each.problem else []),
            ]
        ),
    )
