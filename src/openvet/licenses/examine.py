"""From an inventory to what is said of a model's licences: declared and found, side by side, and what both come to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from openvet.core.dataclass import dataclass
from openvet.core.license_ids import keys_of, known_license
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates.licenses_v1 import Declared, Found, Whole
from openvet.inventory.component import Component, Inventory
from openvet.inventory.texts import is_license_name, is_notice_name
from openvet.licenses.declared import declared_by, declared_in_text
from openvet.licenses.detect import Match, detect
from openvet.licenses.fillings import speaks_of_rights
from openvet.licenses.index import keys_of_text
from openvet.licenses.words import Words, words_of

__all__ = ["Licenses", "find_licenses"]

#: Declarations and texts that are listed.
_MOST = 500
#: Words of a licence file in a row that are of no licence that we know, before they are told.
_UNKNOWN_WORDS = 20
#: Front matter in which some publishers put the whole licence.
_PROMPTS = ("extra_gated_prompt", "extra_gated_description", "license_text")
_SHORTEST_PROMPT = 400
#: How the licences begin that stand whole at the head of a source.
_WHOLE_TEXTS = pattern(
    r"Redistribution and use|Permission (?:is hereby granted|to use)|provided 'as-is'", re.IGNORECASE
)
#: Texts that are no licence files and are looked at.
_MOST_SOURCES = 2000


@dataclass(frozen=True, slots=True)
class Licenses:
    """What was seen of licences in one inventory; fields as in :class:`~openvet.evidence.predicates.licenses_v1.LicensesV1`."""

    model: Whole
    declared: tuple[Declared, ...]
    found: tuple[Found, ...]
    unknown_texts: tuple[Location, ...]
    left_out: int = 0


def find_licenses(inventory: Inventory) -> Licenses:
    """Look at every file once; ask with ``inventory.once``."""
    files = [each for each in inventory.walk() if each.role is None]
    sources = 0
    root = _root([each.place for each in files])
    linked = _linked(files)
    declared: list[Declared] = []
    found: list[Found] = []
    unknown: list[Location] = []
    for each in files:
        below = each.place.removeprefix(root)
        scope = "part" if "/" in below else "model"
        declared += declared_by(each, scope)
        for pointer, prompt, line in _prompts(each):
            found += _found(detect(prompt), scope, Location(each.place, line=line, pointer=pointer), 0)
        if each.text is None:
            continue
        is_license = is_license_name(each.name) or each.place in linked
        sources += not is_license
        if is_license or sources <= _MOST_SOURCES:
            _look_at_text(each, scope, is_license, declared, found, unknown)
    found = _of_notices(found, declared)
    whole = _whole(declared, found, unknown)
    left_out = sum(max(0, len(listed) - _MOST) for listed in (declared, found, unknown)) + max(
        0, sources - _MOST_SOURCES
    )
    return Licenses(whole, tuple(declared[:_MOST]), tuple(found[:_MOST]), tuple(unknown[:_MOST]), left_out)


def _of_notices(found: Sequence[Found], declared: Sequence[Declared]) -> list[Found]:
    """A licence whose text stands in a notice is that of a part, unless the model itself is said to be under it."""
    meant = {key for each in declared if each.scope == "model" for key in each.keys}
    return [
        replace(each, scope="part")
        if each.scope == "model" and is_notice_name(each.source.place) and meant.isdisjoint(each.keys)
        else each
        for each in found
    ]


def _root(places: Sequence[str]) -> str:
    """The folder in which everything lies: an archive of a repository has one at its top."""
    first = places[0].partition("/")[0] + "/" if places else ""
    return first if len(places) > 1 and all(each.startswith(first) for each in places) and "!" not in first else ""


def _linked(files: Sequence[Component]) -> frozenset[str]:
    """Files that a card names as its licence."""
    out = set()
    for each in files:
        if each.format == "markdown" and isinstance(each.document, dict):
            link = each.document.get("license_link")
            if isinstance(link, str) and "://" not in link:
                out.add(
                    each.place.rpartition("/")[0] + "/" + link.strip().removeprefix("./")
                    if "/" in each.place
                    else link.strip().removeprefix("./")
                )
    return frozenset(out)


def _prompts(component: Component) -> Iterator[tuple[str, str, int | None]]:
    """Texts in the front matter of a card that are long enough to be a licence."""
    document = component.document
    if component.format != "markdown" or not isinstance(document, dict):
        return
    for key in _PROMPTS:
        value = document.get(key)
        if isinstance(value, str) and len(value) >= _SHORTEST_PROMPT:
            line = component.outline.lines.get(f"/{key}") if component.outline is not None else None
            yield f"/{key}", value, line


def _look_at_text(
    component: Component,
    scope: str,
    is_license: bool,
    declared: list[Declared],
    found: list[Found],
    unknown: list[Location],
) -> None:
    text = component.text or ""
    is_card = component.basename.lower().startswith("readme")
    words = words_of(text)
    matches = detect(words) if is_license or is_card or _WHOLE_TEXTS.search(text) else ()
    if not is_license:  # a page may quote a paragraph: only what is there whole is a licence there
        matches = tuple(each for each in matches if each.extent == "whole")
        scope = scope if is_card else "part"
    found += _found(matches, scope, Location(component.place), 1)
    taken = [(each.line, each.last_line) for each in matches if each.extent != "near"]
    # what a file called COPYRIGHT says of several works is read as a notice; a text that lies in it is the model's
    notice = is_notice_name(component.basename) or component.basename.lower().startswith("copyright")
    said = list(declared_in_text(component, words, taken, "part" if is_card or notice else scope))
    declared += said
    if is_license and not notice:
        line = _unknown_line(words, matches, notice_lines=[each.source.line or 0 for each in said])
        if line is not None:
            unknown.append(Location(component.place, line=line))


def _unknown_line(words: Words, matches: Sequence[Match], notice_lines: Sequence[int]) -> int | None:
    """Where a licence file says something of rights that is of no licence that we know; the first such line."""
    at = 0
    known = [each for each in matches if each.extent != "near"]
    for start, end in [*((each.start, each.end) for each in known), (len(words.words), 0)]:
        for first, last in _paragraphs(words, at, start):
            line = words.line(first)
            about = words.words[first:last]
            if (
                last - first >= _UNKNOWN_WORDS
                and speaks_of_rights(about)
                and not any(line <= each <= words.line(last - 1) for each in notice_lines)
            ):
                return line
        at = max(at, end)
    return None


def _paragraphs(words: Words, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of words between empty lines."""
    at = start
    for place in range(start + 1, end):
        between = words.text[words.ends[place - 1] : words.starts[place]]
        if between.count("\n") > 1:
            yield at, place
            at = place
    if at < end:
        yield at, end


def _found(matches: Sequence[Match], scope: str, where: Location, first_line: int) -> Iterator[Found]:
    for each in matches:
        keys = tuple(dict.fromkeys(key for text in each.texts for key in keys_of_text(text)))
        line = each.line if first_line else where.line
        last = each.last_line if first_line else (where.line or 1) + each.last_line - each.line
        yield Found(
            keys,
            each.extent,
            each.matched,
            each.of_text,
            each.of_place,
            scope,
            Location(where.place, line=line, pointer=where.pointer),
            last,
            each.words_added,
            each.words_removed,
            each.changes,
        )


def _whole(declared: Sequence[Declared], found: Sequence[Found], unknown: Sequence[Location]) -> Whole:
    """What declarations and texts of the model itself come to; see the spec page for the words."""
    meant = _meant([each for each in declared if each.scope == "model"])
    said_but_unknown = any(
        each.scope == "model"
        and not each.keys
        and keys_of(each.said) == ()
        and each.said.lower() not in ("other", "unknown")
        and each.form in ("id", "name")
        for each in declared
    )
    texts = [each for each in found if each.scope == "model" and each.extent != "near" and not _is_policy(each.keys)]
    keys = tuple(dict.fromkeys(each.keys for each in texts))
    model_unknown = bool(unknown) or any(each.scope == "model" and each.extent == "near" for each in found)
    matched = [any(set(one) & set(other) for other in keys) for one in meant]
    if not meant and not keys:
        state = "unclear" if model_unknown or said_but_unknown else "nothing"
    elif not keys:
        state = "unclear" if model_unknown else "declared-only"
    elif not meant:
        state = "unclear" if said_but_unknown or model_unknown else "found-only"
    elif not all(matched):
        state = "differ"
    else:
        state = "unclear" if model_unknown or any(each.changed for each in texts) else "agree"
    return Whole(meant, keys, state)


def _is_policy(keys: Sequence[str]) -> bool:
    known = [known_license(key) for key in keys]
    return all(each is not None and each.policy for each in known)


def _meant(declared: Sequence[Declared]) -> tuple[tuple[str, ...], ...]:
    """The sets of keys that are declared of the model; a name and a link of one file narrow each other."""
    by_place: dict[str, list[Declared]] = {}
    for each in declared:
        by_place.setdefault(each.source.place, []).append(each)
    out: dict[tuple[str, ...], None] = {}
    for listed in by_place.values():
        ids = [each for each in listed if each.form in ("id", "expression", "notice") and each.keys]
        others = [each for each in listed if each.form in ("name", "link") and each.keys]
        for each in ids or others[:1]:
            keys = each.keys
            if not each.expression and len(keys) > 1:
                for other in others:
                    narrowed = tuple(key for key in keys if key in other.keys)
                    keys = narrowed or keys
            for one in [(key,) for key in each.keys] if each.expression and " OR " not in each.expression else [keys]:
                out.setdefault(one)
    return tuple(out)
