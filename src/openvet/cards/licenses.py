"""Licences that a card names: whether the id says which licence is meant, and whether other files name another one.

Only ids and names are compared, never texts. Two that cannot be brought to one id stand side by side, and nothing is concluded.

Ids: https://huggingface.co/docs/hub/repositories-licenses
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from openvet.cards._beside import Beside
from openvet.cards._forms import ids
from openvet.cards._page import Page, shown
from openvet.cards.front_matter import texts_of
from openvet.core.location import Location
from openvet.core.pattern import pattern

__all__ = ["canonical", "look_at_licenses"]

#: Ids that name no licence.
_NONE = frozenset({"other", "unknown"})
_NOISE = pattern(r"\b(?:the|licen[cs]es?|version|v|agreement|international|only|or[- ]later)\b|[^a-z0-9.+]+")
_VERSION = pattern(r"\bv(?=\d)")
_CC = pattern(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)")
_LINKED = pattern(
    r"(?:spdx\.org/licenses|choosealicense\.com/licenses|opensource\.org/licenses?|licenses\.nuget\.org)/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?\Z"
)
_FILE = pattern(r"(?:licen[cs]e|copying|unlicen[cs]e)(?:[-_. ](.*))?\Z", re.IGNORECASE)
_ENDINGS = (".txt", ".md", ".rst", ".html", ".pdf")
_KNOWN_LINKS = {
    "www.apache.org/licenses/license-2.0": "apache-2.0",
    "www.gnu.org/licenses/gpl-3.0": "gpl-3.0",
    "www.gnu.org/licenses/agpl-3.0": "agpl-3.0",
    "opendatacommons.org/licenses/by": "odc-by",
    "opendatacommons.org/licenses/odbl": "odbl",
    "opendatacommons.org/licenses/pddl": "pddl",
    "ai.google.dev/gemma/terms": "gemma",
}
_ALIASES = {"apache2": "apache-2.0", "bsd3": "bsd-3-clause", "bsd2": "bsd-2-clause", "cc0": "cc0-1.0"}


def look_at_licenses(page: Page, document: dict[str, Any], beside: Beside) -> None:
    """Look at the ids in ``license``, at what has to stand beside ``other``, and at what other files say."""
    declared = [(text.strip(), pointer) for text, pointer in texts_of(document, "license") if text.strip()]
    known = ids()["licenses"]
    for text, pointer in declared:
        if text in ids()["families"]:
            page.problem(
                "ambiguous-license",
                f"license {shown(text)} stands for several licences, and does not say which",
                pointer,
                found=text,
            )
        elif text not in known:
            meant = canonical(text)
            hint = f"; the hub writes {meant}" if meant else ""
            page.problem("unknown-license", f"license {shown(text)} is no id of the hub{hint}", pointer, found=text)
        elif text == "other":
            _look_at_other(page, document, pointer)
    _look_at_link(page, document, beside)
    _compare(page, declared, beside)


def _look_at_other(page: Page, document: dict[str, Any], pointer: str) -> None:
    lacking = [
        name
        for name in ("license_name", "license_link")
        if not (isinstance(document.get(name), str) and document[name].strip())
    ]
    if lacking:
        page.problem(
            "unnamed-license",
            f"license is other, and {' and '.join(lacking)} {'are' if len(lacking) > 1 else 'is'} not there",
            pointer,
            missing=lacking,
        )


def _look_at_link(page: Page, document: dict[str, Any], beside: Beside) -> None:
    link = document.get("license_link")
    if (
        not isinstance(link, str)
        or not link.strip()
        or ":" in link
        or link.startswith(("/", "www."))
        or not beside.components
    ):
        return
    name = link.strip().removeprefix("./")
    if beside.named(name) is None and "/" not in name:
        page.problem(
            "unnamed-license",
            f"license_link names the file {shown(name)}, which is not here",
            "/license_link",
            found=link,
        )


def _compare(page: Page, declared: list[tuple[str, str]], beside: Beside) -> None:
    meant = {each for each in (canonical(text) for text, _ in declared) if each is not None}
    for text, where, sure in _elsewhere(beside):
        if sure:
            page.heard("license", text, where)
        other = canonical(text)
        if other is None or other in _NONE or not meant or meant & _NONE:
            continue
        if not sure:
            page.derive("license by the file's name", other, where)
        if not any(other == each or _family(other, each) or _family(each, other) for each in meant):
            said = ", ".join(sorted(meant))
            page.problem(
                "license-differs",
                f"names {shown(text)} as licence, and the card names {said}",
                where,
                card=sorted(meant),
                found=text,
                cardLocation=page.at(declared[0][1]).to_json(),
            )


def _family(family: str, exact: str) -> bool:
    """Whether ``family`` is an id that stands for several licences, ``exact`` among them."""
    return family in ids()["families"] and exact.startswith(family)


def _elsewhere(beside: Beside) -> Iterator[tuple[str, Location, bool]]:
    """(licence, where, whether it is said and not only a file's name) in all files but the card."""
    for each in beside.components:
        name = each.basename
        if each.format == "gguf":
            yield from _said(each.metadata.get("general.license"), Location(each.place, pointer="general.license"))
        elif each.format == "safetensors":
            kept = each.metadata.get("metadata")
            if isinstance(kept, dict):
                for key in ("license", "modelspec.license"):
                    yield from _said(kept.get(key), Location(each.place, pointer=f"__metadata__/{key}"))
        elif (name in ("config.json", "dataset_info.json", "model_index.json") and isinstance(each.document, dict)) or (
            each.format == "citation" and isinstance(each.document, dict)
        ):
            yield from _said(each.document.get("license"), Location(each.place, pointer="/license"))
    for each in beside.top:
        found = _FILE.match(_stem(each.basename))
        if found is not None and found[1]:
            yield found[1], Location(each.place), False


def _stem(name: str) -> str:
    return next((name[: -len(end)] for end in _ENDINGS if name.lower().endswith(end)), name)


def _said(value: Any, where: Location) -> Iterator[tuple[str, Location, bool]]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and each.strip():
            yield each.strip(), where, True


def canonical(text: str) -> str | None:
    """The hub's id for a licence that is named by an id, a full name or a well-known link; ``None`` where none is sure."""
    text = text.strip()
    lower = text.lower()
    if lower in ids()["licenses"]:
        return lower
    if "/" in lower and "." in lower:
        return _linked(lower)
    return _by_name().get(_bare(lower)) or _ALIASES.get(_bare(lower))


def _linked(link: str) -> str | None:
    if found := _CC.search(link):
        if found[1] == "publicdomain":
            return "cc0-1.0" if found[2] == "zero" else None
        name = f"cc-{found[2]}-{found[3]}"
        return name if name in ids()["licenses"] else None
    if found := _LINKED.search(link):
        return canonical(found[1])
    bare = link.partition("://")[2] or link
    bare = bare.removesuffix("/").removesuffix(".html").removesuffix(".txt").removesuffix(".en")
    return next((each for start, each in _KNOWN_LINKS.items() if bare.startswith(start)), None)


def _bare(text: str) -> str:
    return _NOISE.sub("", _VERSION.sub("", text.replace("_", "-")))


@cache
def _by_name() -> dict[str, str]:
    """Full names and ids of the hub without the words that people leave out; where two licences look the same so, neither is there."""
    out: dict[str, str | None] = {}
    for each, name in ids()["licenses"].items():
        for spelling in {_bare(each), _bare(name.lower())}:
            out[spelling] = each if out.get(spelling, each) == each else None
    return {spelling: each for spelling, each in out.items() if each and spelling}
