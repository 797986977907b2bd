"""What the cards of a model say, for people: what is declared, what is missing, what is malformed or contradicted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.core.location import Location
from openvet.evidence.predicates.card_v1 import CardDocument, CardFact, CardV1
from openvet.reports._text import plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["TITLES", "compose_cards", "value_words"]

TITLES = {
    "model-card": "Model card",
    "dataset-card": "Data set card",
    "eval-results": "Evaluation results",
    "croissant": "Croissant description",
    "citation": "Citation file",
    "files": "No card; what the files say in its place",
}
_SHOWN = 30
_ITEMS = 6


def compose_cards(name: str, card: CardV1, look: Look = PLAIN, *, everything: bool = False) -> str:
    """The report of one model's cards; only the first statements of each without ``everything``."""
    lines = [look.paint(visible(name), "bold")]
    if not card.documents:
        lines.append(
            "  no card: there is no README.md, no .eval_results, no Croissant description and no CITATION.cff in it"
        )
    else:
        for document in card.documents:
            lines += ["", *_document(document, look, everything=everything)]
    return look.finish("\n".join(lines) + "\n")


def _document(document: CardDocument, look: Look, *, everything: bool) -> Iterator[str]:
    named = f" ({visible(document.specification)})" if document.specification else ""
    title = f"{look.paint(TITLES[document.kind], 'bold')}  {look.paint(visible(document.place), 'cyan')}{named}"
    yield title.rstrip()
    for basis, title in (("declared", "Declared"), ("derived", "Derived from the files")):
        yield from _facts(
            [each for each in document.facts if each.basis == basis], title, document, look, everything=everything
        )
    if document.sections:
        yield f"  {look.paint('Sections', 'dim')}"
        rows = [[f"    {each.name}", {"filled": "filled", "open": "open: only what the template left", "empty": "empty"}[each.state], _where(each.source, document)]
                for each in document.sections]  # fmt: skip
        yield from table(rows, look.width)
    yield from _missing(document, look)
    if document.problems:
        yield f"  {look.paint(plural(len(document.problems), 'problem'), 'yellow')}"
        rows = [
            [f"    card/{each.kind}", f"{_where(each.source, document)}: {visible(each.message)}".removeprefix(": ")]
            for each in document.problems
        ]
        yield from table(rows, look.width, wrap=True)
    elif document.kind != "files":
        yield "  nothing malformed, and nothing in the files was seen to be against it"
    if document.left_out:
        yield f"  and {document.left_out:,} more statements and problems, too many to be listed"


def _facts(facts: list[CardFact], title: str, document: CardDocument, look: Look, *, everything: bool) -> Iterator[str]:
    if not facts:
        return
    yield f"  {look.paint(title, 'dim')}"
    shown = facts if everything else facts[:_SHOWN]
    yield from table(
        [[f"    {visible(each.name)}", _where(each.source, document), value_words(each.value)] for each in shown],
        look.width,
    )
    if len(shown) < len(facts):
        yield f"    and {len(facts) - len(shown):,} more; --all lists them"


def _missing(document: CardDocument, look: Look) -> Iterator[str]:
    for of, title in (
        ("metadata", "Missing in the metadata"),
        ("property", "Missing, and required"),
        ("section", "No section with the hub's heading found"),
    ):
        names = [visible(each.name) for each in document.missing if each.of == of]
        if of == "metadata" and document.unread is not None:
            names = ["not read: what the front matter says and leaves out is not known"]
        if names:
            yield f"  {look.paint(title, 'dim')}"
            yield from table([["  ", "; ".join(names)]], look.width, wrap=True)


def _where(source: Location, document: CardDocument) -> str:
    """A place in short: the document's own name is above already."""
    place = "" if source.place == document.place else visible(source.place)
    line = "" if source.line is None else f":{source.line}" if place else f"line {source.line}"
    pointer = visible(source.pointer) if source.pointer and (place or source.line is None) else ""
    return " ".join(filter(None, (f"{place}{line}", pointer)))


def value_words(value: Any) -> str:
    """A value of a document as people read it: the first items of a list or a map, and how many more there are."""
    if isinstance(value, list):
        more = f" and {len(value) - _ITEMS} more" if len(value) > _ITEMS else ""
        return ", ".join(value_words(each) for each in value[:_ITEMS]) + more
    if isinstance(value, dict):
        return ", ".join(f"{visible(str(key))} {value_words(each)}" for key, each in list(value.items())[:_ITEMS])
    if isinstance(value, bool):
        return "true" if value else "false"
    return visible(str(value))
