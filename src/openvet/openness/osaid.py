"""The Open Source AI Definition 1.0 as a checklist: for each thing that it asks for, what is there, and under which terms.

The definition's own measure is whether a skilled person could build a substantially equivalent system, which no file shows; so that a line
has evidence says that something of the kind is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.evidence.predicates.card_v1 import CardDocument
from openvet.evidence.predicates.openness_v1 import Checklist, License, Line, Part
from openvet.openness._tables import osaid_table
from openvet.openness.gathered import Declared
from openvet.openness.licenses import is_approved, is_open

__all__ = ["check_definition"]

#: Which of several things settles a line.
_ORDER: Final = ("evidence", "declared", "against", "open")


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something that a line can rest on."""

    name: str
    state: str
    license: License | None
    source: Location


def check_definition(parts: Mapping[str, Part], card: CardDocument | None, distribution: Declared | None) -> Checklist:
    """The checklist of one release.

    Args:
        parts: its components by their ids.
        card: its model card.
        distribution: the licence of the whole, under which the card's own sections are.
    """
    table = osaid_table()
    lines = tuple(_line(each, list(_things(each, parts, card, distribution))) for each in table["line"])
    return Checklist("osaid-1.0", table["of"], lines)


def _things(
    line: dict[str, Any], parts: Mapping[str, Part], card: CardDocument | None, distribution: Declared | None
) -> Iterator[_Thing]:
    for name in line["parts"]:
        part = parts[name]
        if part.state != "missing":
            yield _Thing(name.replace("-", " "), part.state, part.license, part.evidence[0].source)
    for section in card.sections if card is not None else ():
        if section.name in line.get("sections", ()) and section.state == "filled":
            terms = None if distribution is None else distribution.of("model-card")
            yield _Thing(f"section {section.name}", "found", terms, section.source)


def _line(line: dict[str, Any], things: list[_Thing]) -> Line:
    if not things:
        text = "nothing of it was found, linked or recorded"
        return Line(line["id"], line["clause"], line["asked"], "open", text, "provider")
    code = line.get("terms") == "code"
    judged = [(_state(each, code=code), each) for each in things]
    state, best = min(judged, key=lambda each: _ORDER.index(each[0][0]))
    text, asks = state[1], state[2]
    if state[0] in ("evidence", "declared") and line.get("judged"):
        text, asks = f"{text}; whether it is enough is for a reader to judge", "reader"
    sources = tuple(dict.fromkeys(each.source for each in things))
    return Line(line["id"], line["clause"], line["asked"], state[0], f"{best.name}: {text}", asks, sources)


def _state(thing: _Thing, *, code: bool) -> tuple[str, str, str]:
    """(state, text, who is asked) of one thing."""
    where = {"found": "found", "linked": "linked and not opened", "recorded": "recorded"}[thing.state]
    if thing.license is None:
        return "open", f"{where}, and no licence of it is stated", "provider"
    said = thing.license.id
    if is_approved(said) or (not code and is_open(said)):
        return ("evidence" if thing.state == "found" else "declared"), f"{where}, under {said}", ""
    if thing.license.standing == "not-open":
        return "against", f"{where}, under {said}, which is not open", ""
    if code and is_open(said):
        return "open", f"{where}, under {said}, which the OSI has not approved", "lawyer"
    return "open", f"{where}, under {said}, of which it is not known whether it is open", "lawyer"
