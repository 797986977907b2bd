"""A model's licences for people: what is declared and whose texts were found, side by side, and what was changed in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.core.license_ids import known_license
from openvet.core.location import Location
from openvet.evidence.predicates.licenses_v1 import Change, Declared, Found, LicensesV1
from openvet.reports._text import plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["STATES", "compose_licenses", "title_of"]

#: What the state of a model means, in a sentence.
STATES: Final = {
    "agree": "every licence that is declared was found as a text, as it is published",
    "differ": "what is declared is not what was found",
    "declared-only": "declared, and no text of a licence lies with the model",
    "found-only": "a text was found, and nothing declares it",
    "unclear": "something in it is not known, or not as it is published",
    "nothing": "nothing declares a licence, and no text was found",
}
_SHOWN, _CHANGES, _NAMED = 20, 6, 4


def title_of(keys: Sequence[str]) -> str:
    """The licence that ``keys`` are; several are joined by "or", since nobody knows which."""
    if not keys:
        return "not known"
    named = " or ".join(keys[:_NAMED])
    more = f" or {len(keys) - _NAMED} others" if len(keys) > _NAMED else ""
    return visible(f"{named}{more}{' (ambiguous)' if len(keys) > 1 else ''}")


def compose_licenses(name: str, licenses: LicensesV1, look: Look = PLAIN, *, everything: bool = False) -> str:
    """The report of one model's licences; only the first entries of each list without ``everything``."""
    model = licenses.model
    lines = [look.paint(visible(name), "bold"), f"  {STATES[model.state]}", ""]
    for title, sets in (("Declared", model.declared), ("Found", model.found)):
        lines += [f"  {title:<9} {title_of(each)}{_name(each)}" for each in sets] or [f"  {title:<9} nothing"]
    most = None if everything else _SHOWN
    lines += _listed("Declared in", [_declared(each, name) for each in licenses.declared], most, look)
    if licenses.found:
        lines += ["", f"  {look.paint('Texts', 'bold')}"]
        for found in licenses.found[:most]:
            lines += _found(found, look, everything=everything)
        lines += _rest(len(licenses.found), most)
    if licenses.unknown_texts:
        lines += ["", f"  {look.paint('Terms of no licence that is known', 'yellow')}"]
        lines += [f"    {_at(each)}" for each in licenses.unknown_texts[:most]] + _rest(
            len(licenses.unknown_texts), most
        )
    if licenses.left_out:
        lines += ["", f"  entries that were too many to be listed: {licenses.left_out}"]
    lines += ["", "  Words are compared with texts as they are published; nobody has judged what they mean."]
    return look.finish("\n".join(lines) + "\n")


def _name(keys: Sequence[str]) -> str:
    known = known_license(keys[0]) if len(keys) == 1 else None
    return f"  {known.name}" if known is not None and known.name != known.key else ""


def _at(where: Location) -> str:
    line = f":{where.line}" if where.line is not None else ""
    return visible(f"{where.place}{line}{' ' + where.pointer if where.pointer else ''}")


def _declared(each: Declared, name: str) -> list[str]:
    meant = each.expression or title_of(each.keys)
    if not each.keys and each.form == "link" and "://" not in each.said:
        meant = "a file of the model"
    elif each.said.lower() == "other":
        meant = "said elsewhere"
    of = "" if each.scope == "model" else "of a part"
    # of a model that is one file, the key alone: with the file before it there is no room
    at = visible(each.source.pointer) if each.source.pointer and each.source.place == name else _at(each.source)
    return [f"    {at}", visible(each.said), f"= {visible(meant)}", of]


def _listed(title: str, rows: list[list[str]], most: int | None, look: Look) -> Iterator[str]:
    if rows:
        yield ""
        yield f"  {look.paint(title, 'bold')}"
        yield from table(rows[:most], look.width)
        yield from _rest(len(rows), most)


def _rest(count: int, most: int | None) -> list[str]:
    return [f"    and {count - most} more (--all)"] if most is not None and count > most else []


def _found(found: Found, look: Look, *, everything: bool) -> Iterator[str]:
    words = {
        "whole": "",
        "part": ", only its beginning",
        "near": ", under another title: it is not known which licence this is",
    }
    like = "like " if found.extent == "near" else ""
    yield f"    {look.paint(_at(found.source), 'cyan')}-{found.last_line}  {like}{title_of(found.keys)}{words[found.extent]}"
    parts = [
        f"{_percent(found.matched, found.of_text)} of the published text",
        f"{_percent(found.matched, found.of_place)} of this place",
    ]
    if found.changed:
        parts.append(f"{plural(found.words_added, 'word')} added, {plural(found.words_removed, 'word')} removed")
    elif found.extent != "near":
        parts.append("not changed")
    yield f"      {', '.join(parts)}"
    shown = found.changes if everything else found.changes[:_CHANGES]
    for each in shown:
        yield from _change(each, look)
    if len(found.changes) > len(shown):
        yield f"      and {len(found.changes) - len(shown)} more changes (--all)"


def _change(each: Change, look: Look) -> Iterator[str]:
    if each.published:
        yield f"      {look.paint('-', 'red')} line {each.line}: {visible(each.published)}"
    if each.text:
        yield f"      {look.paint('+', 'green')} line {each.line}: {visible(each.text)}"


def _percent(part: int, whole: int) -> str:
    """Rounded down, so that 100 % is all of it."""
    return f"{100 * part // whole if whole else 0} %"
