"""Components of a release by their signs: names of files, weights, statements and sections of cards, links in their prose.

Signs are conventions and this is a heuristic: that a file is called ``train.py`` shows that somebody put training code there, and not that
the model was made with it. Links are not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase, translate
from functools import cache
from typing import Any, Final

from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates.card_v1 import CardDocument, CardFact
from openvet.evidence.predicates.openness_v1 import Evidence, Note
from openvet.formats._format import Link
from openvet.inventory.component import Component, Inventory
from openvet.openness._tables import sign_table
from openvet.openness.gathered import Declared, Gathered
from openvet.openness.licenses import spdx_id

__all__ = ["card_of", "distribution_of", "read_cards", "read_files", "weights"]

#: Files and members looked at; a data set may have millions.
_MOST: Final = 50_000
_HUB: Final = "https://huggingface.co/datasets/"
_PAPERS: Final = "https://arxiv.org/abs/"
_ARXIV: Final = pattern(r"arxiv:(\d{4}\.\d{4,5})", re.ASCII)
_HUB_ID: Final = pattern(r"[A-Za-z0-9][\w.\-]{0,95}(?:/[A-Za-z0-9][\w.\-]{0,95})?", re.ASCII)
_NO_WORD: Final = pattern(r"[^a-z0-9]+")
_TOKEN: Final = pattern(r"[A-Za-z0-9.+-]+", re.ASCII)


# --- files ---


def read_files(inventory: Inventory, gathered: Gathered) -> None:
    """Add what names and contents of files show."""
    for number, component in enumerate(inventory.walk()):
        if number >= _MOST:
            text = f"there are more files; the first {_MOST:,} files and members were looked at"
            gathered.notes.append(Note(text, Location(component.place)))
            break
        if component.role is None:
            for name, state, what in _named(component):
                gathered.add(name, state, Evidence(what, Location(component.place)))
    final, middle = weights(inventory)
    for place, adapter in final:
        what = "weights of an adapter; those of its base model are elsewhere" if adapter else "weights"
        gathered.add("final-parameters", "found", Evidence(what, Location(place)))
    for place in middle:
        gathered.add("intermediate-parameters", "found", Evidence("weights of a step", Location(place)))


@cache
def _rules() -> tuple[tuple[tuple[str, str, str], re.Pattern[str] | None, frozenset[str], frozenset[str]], ...]:
    """((component, state, what it is), names, folders, formats) of each rule for files."""
    return tuple(
        (
            (each["component"], each.get("state", "found"), each.get("what", "a file of such a name")),
            re.compile("|".join(map(translate, each["names"]))) if each.get("names") else None,
            frozenset(each.get("folders", ())),
            frozenset(each.get("formats", ())),
        )
        for each in sign_table()["files"]
    )


def _named(component: Component) -> Iterator[tuple[str, str, str]]:
    """(component, state, what it is) of each that a file's name or folder is a sign of."""
    *folders, name = component.place.lower().replace("!/", "/").split("/")
    for_tests = False
    for said, names, within, formats in _rules():
        if formats and formats.isdisjoint(component.formats):
            continue
        if (names is not None and names.match(name)) or (within and not within.isdisjoint(folders)):
            for_tests = for_tests or said[0] == "evaluation-data"
            if not (said[0] == "datasets" and for_tests):  # data for tests are not what a model was trained on
                yield said


def weights(inventory: Inventory) -> tuple[list[tuple[str, bool]], list[str]]:
    """The files with final weights, each with whether it is an adapter's, and those with weights of a step in the middle.

    Where all weights are of one step, they are the final ones.
    """
    states = sign_table()["states"]
    final: list[str] = []
    middle: dict[str, str] = {}
    for place in _with_tensors(inventory):
        name = place.lower().partition("!/")[0].rpartition("/")[2]
        if any(fnmatchcase(name, each) for each in states):
            continue
        step = _step(place.lower())
        if step:
            middle[place] = step
        else:
            final.append(place)
    if not final and len(set(middle.values())) == 1:
        final, middle = list(middle), {}
    adapters = [each.rpartition("/")[2].startswith("adapter_") for each in final]
    return list(zip(final, adapters, strict=True)), list(middle)


def _with_tensors(inventory: Inventory) -> Iterator[str]:
    """The places that hold tensors: a file, or a member of an archive that holds none itself."""
    inside = ""
    for number, each in enumerate(inventory.walk()):
        if number >= _MOST:
            return
        if each.tensors and not (inside and each.place.startswith(inside)):
            inside = f"{each.place}!/"
            yield each.place


def _step(place: str) -> str:
    """The folder of a step that ``place`` lies in, ``""`` for none."""
    *folders, _ = place.replace("!/", "/").split("/")
    for number, folder in enumerate(folders):
        if any(fnmatchcase(folder, each) for each in sign_table()["steps"]):
            return "/".join(folders[: number + 1])
    return ""


# --- cards ---


def card_of(documents: tuple[CardDocument, ...]) -> CardDocument | None:
    """The model's card: the first document, where it is one."""
    return documents[0] if documents and documents[0].kind == "model-card" else None


def distribution_of(documents: tuple[CardDocument, ...]) -> Declared | None:
    """The licence of the whole, as the card names it, or the files themselves where there is no card.

    Several are joined as all applying: a card does not say whether one may choose.
    """
    card = card_of(documents)
    said = card if card is not None else next((each for each in documents if each.kind == "files"), None)
    if said is None:
        return None
    facts = [each for each in said.facts if each.name == "license" and each.basis == "declared"]
    own = [each for each in facts if each.source.place == said.place] or facts
    texts = [text for each in own for text in _texts(each.value)]
    if not texts:
        return None
    if texts == ["other"]:
        named = said.fact("license_name")
        texts = _texts(named.value) if named is not None else texts
    ids = dict.fromkeys(spdx_id(text) or text.strip() for text in texts)
    return Declared(" AND ".join(ids), "distribution", own[0].source)


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str) and each.strip()]


def read_cards(documents: tuple[CardDocument, ...], inventory: Inventory, gathered: Gathered) -> None:
    """Add what cards declare, what their sections have, and where their links lead."""
    for each in documents:
        if each.kind in ("dataset-card", "croissant"):
            gathered.add("data-card", "found", Evidence(f"a {each.kind.replace('-', ' ')}", Location(each.place)))
        elif each.kind == "eval-results" and each.facts:
            gathered.add("evaluation-results", "found", Evidence("results of evaluations", Location(each.place)))
    card = card_of(documents)
    if card is None:
        return
    file = next((each for each in inventory.of(("markdown",)) if each.place == card.place), None)
    outline = None if file is None else file.outline
    filled = [each for each in card.sections if each.state == "filled"]
    if filled or (outline is not None and outline.prose):
        gathered.add("model-card", "found", Evidence("a model card", Location(card.place)))
    for component, names in sign_table()["sections"].items():
        for section in filled:
            if section.name in names:
                what = f"the section {section.name} of the model card"
                gathered.add(component, "found", Evidence(what, section.source))
    for fact in card.facts:
        _read_fact(fact, gathered)
    for link in outline.links if outline is not None else ():
        _read_link(link, card.place, gathered)


def _read_fact(fact: CardFact, gathered: Gathered) -> None:
    if fact.basis != "declared":
        return
    if fact.name == "datasets":
        for text in _texts(fact.value):
            if _HUB_ID.fullmatch(text):
                gathered.add("datasets", "linked", Evidence("a data set of the hub", fact.source, _HUB + text))
    elif fact.name == "tags":
        for text in _texts(fact.value):
            if found := _ARXIV.fullmatch(text.lower()):
                gathered.add("research-paper", "linked", Evidence("a paper", fact.source, _PAPERS + found[1]))
    elif fact.name in ("model-index", "result") and isinstance(fact.value, Mapping):
        gathered.add("evaluation-results", "found", Evidence("results in the card's metadata", fact.source))
        data = fact.value.get("dataset")
        if isinstance(data, str) and "/" in data and _HUB_ID.fullmatch(data):
            gathered.add("evaluation-data", "linked", Evidence("a data set of the hub", fact.source, _HUB + data))


# --- links ---


def _read_link(link: Link, place: str, gathered: Gathered) -> None:
    address = link.url.partition("://")[2].lower().removeprefix("www.")
    before, _, after = link.said.partition(link.url)
    line = f" {_NO_WORD.sub(' ', f'{before} {after}'.lower())} "
    where = Location(place, line=link.line)
    for rule in sign_table()["links"]:
        words, hosts = rule.get("words", ()), rule.get("hosts", ())
        if link.row and not rule.get("rows", True):
            continue
        if hosts and not any(address.startswith(each) for each in hosts):
            continue
        if words and not any(f" {each}" in line for each in words):
            continue
        evidence = Evidence("a link on a line about it" if words else "a link", where, link.url)
        declared = _stated(link.said, where)
        gathered.add(rule["component"], "linked", evidence, declared)
        for more in rule.get("also", ()):
            if any(f" {each}" in line for each in more["words"]):
                gathered.add(more["component"], "linked", evidence, declared)
        return


def _stated(line: str, where: Location) -> Declared | None:
    """The licence that stands beside a link: an exact id in parentheses, or on a line that speaks of a licence."""
    speaks = "licen" in line.lower()
    for found in _TOKEN.finditer(line):
        said = found[0].rstrip(".+-")
        known = spdx_id(said)
        if known != said or not known:
            continue
        inside = line[: found.start()].endswith("(") and line[found.end() :].startswith((")", ","))
        if inside or (speaks and ("-" in known or known.isupper())):
            return Declared(known, "component", where)
    return None
