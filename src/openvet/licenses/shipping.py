"""Whether what has to go along with a model lies there: licence texts, lines of notices, names. What lies elsewhere cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.licenses.terms import Clause, LicenseTerms, terms_of

__all__ = ["Held", "Name", "has_line", "look"]

_WORD = pattern(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A name that the model has.

    Attributes:
        text: without an organisation before it.
        source: where it stands.
        sure: whether the model says it of itself; a folder may be called anything.
    """

    text: str
    source: Location
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """What lies with a model.

    Attributes:
        texts: licence whose whole text lies there -> where.
        notices: place -> text, of files that are called NOTICE and those of licences.
        pages: place -> text, of the card and other pages for people; only as far as they were kept.
        names: of the model.
        seen: whether files were looked at; else nothing is said to be missing.
    """

    texts: Mapping[str, Location] = field(default_factory=dict)
    notices: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    names: tuple[Name, ...] = ()
    seen: bool = True


def look(terms: LicenseTerms, clause: Clause, held: Held | None) -> tuple[str, Location | None]:
    """(state, where) of a duty: ``met``, ``missing`` or ``unseen``."""
    if held is None or not held.seen:
        return "unseen", None
    if clause.kind in ("licence-copy", "licence-link"):
        at = held.texts.get(terms.key) or next(
            (at for key, at in held.texts.items() if _says_the_same(key, terms)), None
        )
        if at is not None:
            return "met", at
        # an address may stand anywhere, so that only a missing text can be told
        return ("missing", Location("")) if clause.kind == "licence-copy" else ("unseen", None)
    if clause.kind == "notice-line":
        line = str(clause.words["text"])
        place = has_line(line, held.notices, clause.quote) or has_line(line, held.pages, clause.quote)
        return ("met", Location(place)) if place is not None else ("missing", Location(""))
    if clause.kind == "display":
        for text in (str(clause.words["text"]), *clause.words.get("or", ())):
            place = has_line(text, held.pages, clause.quote)
            if place is not None:
                return "met", Location(place)
        return "unseen", None
    if clause.kind == "name-prefix":
        named = [each for each in held.names if each.sure]
        wrong = next((each for each in named if not begins(each.text, str(clause.words["text"]))), None)
        if wrong is not None:
            return "missing", wrong.source
        return ("met", named[0].source) if named else ("unseen", None)
    return "unseen", None


def _says_the_same(key: str, terms: LicenseTerms) -> bool:
    """Whether a licence is another version of ``terms`` that differs in names and dates alone."""
    other = terms_of(key)
    return (
        other is not None
        and other.title.partition("(")[0] == terms.title.partition("(")[0]
        and other.rules == terms.rules
    )


def begins(name: str, prefix: str) -> bool:
    """Whether ``name`` begins with ``prefix``; case, and signs between the words, do not matter."""
    return "".join(_WORD.findall(name.lower())).startswith("".join(_WORD.findall(prefix.lower())))


def has_line(line: str, texts: Mapping[str, str], clause: str = "") -> str | None:
    """The first place whose text has the words of ``line`` in order; case, signs, (c) and © do not matter.

    Args:
        clause: the quotation of what asks for the line, ``[...]`` for words left out. A text that has it is the licence, or holds a copy of
            it: there the line stands once because the licence names it, and only where it stands once more does anybody keep it.
    """
    wanted, asking = _words(line), [_words(each) for each in clause.split("[...]")] if clause else []
    for place, text in texts.items():
        said = _words(text)
        least = 2 if asking and all(each in said for each in asking) else 1
        if said.count(wanted) >= least:
            return place
    return None


def _words(text: str) -> str:
    """The words of a text between blanks."""
    found = _WORD.findall(text.lower().replace("(c)", "©"))
    return f" {' '.join(found)} "
