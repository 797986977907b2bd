"""Sections of a card's prose, known by the headings of the hub's templates.

A heading is compared as text, without case, numbers, signs and the template's ``[optional]``. What stands below it is not judged: it is
either more than the template left there, or not. Prose under other headings, or in another language, is not interpreted.

Templates: https://github.com/huggingface/huggingface_hub/tree/main/src/huggingface_hub/templates
"""

from __future__ import annotations

from typing import Any

from openvet.cards._forms import forms
from openvet.cards._page import Page
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates.card_v1 import Section
from openvet.formats._format import Heading

__all__ = ["look_at_sections", "section_names"]

#: Characters of a section that are kept.
_LONGEST = 1000
_OPTIONAL = pattern(r"\[optional\]|\(optional\)")
_NUMBER = pattern(r"\A[\d.]+[.)]?\s+")


def section_names(form: dict[str, Any], *, optional: bool = True) -> list[str]:
    """The sections of a template, in its order."""
    return [each["name"] for each in form["section"] if optional or not each.get("optional")]


def look_at_sections(page: Page, form: dict[str, Any]) -> None:
    """Put the template's sections that ``page`` has onto it, and those that it has not among what is missing."""
    outline = page.component.outline
    headings = outline.headings if outline is not None else ()
    names = [_bare(each.text) for each in headings]
    for section in form["section"]:
        wanted = set(section["headings"])
        found = [index for index, name in enumerate(names) if name in wanted]
        if not found:
            if not section.get("optional"):
                page.lack("section", section["name"])
            continue
        states = {index: _state(headings, index) for index in found}
        best = min(found, key=lambda index: (_RANK[states[index]], index))
        where = Location(page.component.place, line=headings[best].line)
        page.sections.append(Section(section["name"], states[best], where, _text(headings, best)))


_RANK = {"filled": 0, "open": 1, "empty": 2}


def _bare(heading: str) -> str:
    text = _OPTIONAL.sub("", heading.casefold()).replace("*", "").replace("`", "").strip()
    start, end = 0, len(text)
    while start < end and not (text[start].isalnum() or text[start] == "["):
        start += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] in ")]"):
        end -= 1
    return _NUMBER.sub("", text[start:end]).strip()


def _state(headings: tuple[Heading, ...], index: int) -> str:
    """Of the section below a heading, with those below it: ``filled``, ``open`` or ``empty``."""
    level = headings[index].level
    said = False
    for each in (headings[index], *_below(headings, index, level)):
        if each.lines > len(each.first) or any(not _is_open(line) for line in each.first):
            return "filled"
        said = said or each.lines > 0
    return "open" if said else "empty"


def _text(headings: tuple[Heading, ...], index: int) -> str:
    """The beginning of what stands below a heading and those below it, on one line, without tables and what the template left."""
    said: list[str] = []
    for each in (headings[index], *_below(headings, index, headings[index].level)):
        said.extend(line for line in each.first if not _is_open(line) and not line.startswith("|"))
        if sum(map(len, said)) > _LONGEST:
            break
    text = " ".join(said)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _below(headings: tuple[Heading, ...], index: int, level: int) -> tuple[Heading, ...]:
    end = index + 1
    while end < len(headings) and headings[end].level > level:
        end += 1
    return headings[index + 1 : end]


def _is_open(line: str) -> bool:
    """Whether a line is one that the template left."""
    known = forms()["open"]
    lower = line.casefold()
    if any(mark in lower for mark in known["marks"]) or line in known["lines"]:
        return True
    return any(line.startswith(start) for start in known["starts"])
