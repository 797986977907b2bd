"""A filled document as Markdown. Text of the model and of people is escaped as in every Markdown report of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from openvet.policy.paper import Paper, PaperLine, Reference, Said
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
from openvet.reports._text import plural
from openvet.reports.markdown import code, safe

__all__ = ["compose"]


def compose(papers: Sequence[Paper], attest: str) -> str:
    """The whole document, or several one after the other.

    Args:
        attest: the command that asks the open questions, after ``openvet attest``.
    """
    return "\n".join("\n".join(_paper(each, attest)) + "\n" for each in papers)


def _paper(paper: Paper, attest: str) -> Iterator[str]:
    numbers = {each: at for at, each in enumerate(paper.references, 1)}
    yield f"# {safe(paper.title)}"
    yield from ("", f"*{DRAFT}*", "", LEGEND, "", "| | |", "|---|---|")
    for label, text in head(paper):
        yield f"| {label} | {safe(text, 1000)} |"
    found = sections(paper)
    if len(found) > 1:
        yield from ("", "## Sections", "", "| section | lines |", "|---|---|")
        yield from (f"| {safe(section)} | {tally(lines)} |" for section, lines in found)
    for section, lines in found:
        yield from ("", f"## {safe(section)}")
        for each in lines:
            yield from _line(each, paper, numbers)
    if paper.left:
        yield from ("", "## Left out", "")
        yield from (f"- {safe(each.id)} {safe(each.label)}: {safe(each.why)}" for each in paper.left)
    yield from _questions(paper, attest)
    yield from _statements(paper, numbers)


def _line(line: PaperLine, paper: Paper, numbers: Mapping[Reference, int]) -> Iterator[str]:
    yield from ("", f"### {safe(line.id)} {safe(line.label)}", "")
    yield f"{safe(line.clause)} · {line.level} · **{STATES[line.state]}**"
    if line.asks:
        yield from ("", safe(line.asks, 1000))
    rows = [
        *(f"- {safe(label_words(each), 1000)} {_said(each, numbers)}" for each in line.values),
        *(f"- beside: {safe(label_words(each), 1000)} {_said(each, numbers)}" for each in line.beside),
    ]
    if rows:
        yield from ("", *rows)
    if line.choices:
        yield from ("", "Choose from:", "", *(f"- [ ] {safe(each)}" for each in line.choices))
    opened = list(open_words(line, paper))
    if opened:
        yield from ("", f"> **Open**: {'; '.join(safe(each, 1000) for each in opened)}")
    yield from (text for note in line.notes for text in ("", safe(note, 1000)))


def _said(said: Said, numbers: Mapping[Reference, int]) -> str:
    cited = " ".join(f"[[{numbers[each]}](#statement-{numbers[each]})]" for each in said.references)
    note = f" — {safe(said.note, TEXT)}" if said.note else ""
    return f"{code(value_words(said), TEXT)}{note} ({safe(basis_words(said))}) {cited}".rstrip()


def _questions(paper: Paper, attest: str) -> Iterator[str]:
    if not paper.asked:
        return
    yield from ("", f"## {plural(len(paper.asked), 'question')} that only people can answer", "")
    yield from (f"`openvet attest {attest}` asks them, and keeps the answers as a signed statement.", "")
    for each in paper.asked:
        lines = ", ".join(each.items)
        yield f"- {code(each.id)} ({each.type}; for {safe(lines)}): {safe(each.ask, 1000)}"
        yield from (f"  - {safe(choice)}" for choice in each.choices)
        if each.why:
            yield f"  - why: {safe(each.why, 1000)}"
        if each.problem:
            yield f"  - an answer does not count: {safe(each.problem)}"


def _statements(paper: Paper, numbers: Mapping[Reference, int]) -> Iterator[str]:
    yield from ("", "## Statements that this rests on", "")
    if not numbers:
        yield "None."
        return
    yield from ("| | kind | SHA-256 | where |", "|---|---|---|---|")
    for each, at in numbers.items():
        yield f'| <a id="statement-{at}"></a>{at} | {safe(each.kind)} | {code(each.sha256)} | {safe(shown(each, paper))} |'
