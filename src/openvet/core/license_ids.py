"""Which licence a name means: one key for each licence, and all the names under which it is met.

The table is ``data/licenses/ids.toml``; ``ids.json`` is made from it by ``tools/licenses.py``, because parsing the first takes longer than
a whole check. A key is SPDX's id where there is one, else ``LicenseRef-scancode-...`` or ``LicenseRef-openvet-...``.

A name that several licences have stays ambiguous: :func:`keys_of` gives all of them, and nobody picks one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.tables import data_folder

__all__ = [
    "KnownLicense",
    "bare",
    "families",
    "hub_licenses",
    "keys_of",
    "known_license",
    "known_licenses",
    "notices",
    "spdx_id",
    "spdx_ids",
    "table_date",
]

#: Words that are left out or added at will, and everything that is no letter, digit, dot or plus.
_NOISE = pattern(r"\b(?:the|licen[cs]es?|version|v|agreement|international|only|or[- ]later)\b|[^a-z0-9.+]+")
_VERSION = pattern(r"v(?=\d)")
#: Until here a name is a name; longer ones are texts.
_LONGEST = 200
_CC = pattern(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)")
_LINKED = pattern(
    r"(?:spdx\.org/licenses|choosealicense\.com/licenses|(?:www\.)?opensource\.org/licenses?|licenses\.nuget\.org)/([A-Za-z0-9.+-]+?)(?:\.html|\.json|\.php)?/?\Z"
)
_ENDS = (".html", ".htm", ".txt", ".md", ".en")


@dataclass(frozen=True, slots=True)
class KnownLicense:
    """One licence of the table.

    Attributes:
        key: SPDX's id, or a ``LicenseRef-``.
        name: its full name.
        category: ``permissive public-domain limited-copyleft copyleft source-available restricted``.
        hub: ids of the hub that mean it, perhaps among others.
        links: where it is published, without scheme and in lower case.
        texts: names of its texts; empty where it is known by name and link alone.
        ai: made for models, their data or their use.
        policy: no licence but a policy that licences point at.
    """

    key: str
    name: str
    category: str
    hub: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    ai: bool = False
    policy: bool = False

    @property
    def is_spdx(self) -> bool:
        """Whether the key is on SPDX's list."""
        return not self.key.startswith("LicenseRef-")


@cache
def _table() -> dict[str, Any]:
    import json

    with open(os.path.join(data_folder(), "licenses", "ids.json"), "rb", buffering=0) as file:
        table: dict[str, Any] = json.loads(file.read())
    return table


@cache
def known_licenses() -> Mapping[str, KnownLicense]:
    """Every licence of the table, by its key."""
    return {key: _licence(key, entry) for key, entry in _table()["licenses"].items()}


def _licence(key: str, entry: Mapping[str, Any]) -> KnownLicense:
    return KnownLicense(
        key,
        entry["name"],
        entry["category"],
        tuple(entry.get("hub", ())),
        tuple(entry.get("links", ())),
        tuple(entry.get("texts", ())),
        entry.get("ai", False),
        entry.get("policy", False),
    )


def known_license(key: str) -> KnownLicense | None:
    """The licence with this key, ``None`` where the table has none."""
    entry = _table()["licenses"].get(key)
    return None if entry is None else _licence(key, entry)


def hub_licenses() -> Mapping[str, str]:
    """Every id of the hub, with the hub's full name of it."""
    hub: dict[str, str] = _table()["hub"]
    return hub


def families() -> Mapping[str, list[str]]:
    """Ids of the hub that stand for several texts, with the keys that are known of each."""
    found: dict[str, list[str]] = _table()["families"]
    return found


def notices() -> list[tuple[str, list[str]]]:
    """Sentences that name a licence, as lines of words (:func:`openvet.licenses.words.phrase`), and what each means; the longest first."""
    return [(line, keys) for line, keys in _table()["notices"]]


def table_date() -> str:
    """The date of the table."""
    date: str = _table()["of"]
    return date


@cache
def _spdx() -> dict[str, str]:
    return {each.lower(): each for each in _table()["spdx"]}


def spdx_ids() -> list[str]:
    """Every id of SPDX's list, those of exceptions among them."""
    listed: list[str] = _table()["spdx"]
    return listed


def spdx_id(name: str) -> str:
    """SPDX's id that ``name`` is, whatever its case; ``""`` where it is none."""
    return _spdx().get(name.strip().lower(), "")


def bare(text: str) -> str:
    """``text`` in lower case without the words and signs that people leave out of a licence's name."""
    return _NOISE.sub("", _VERSION.sub("", text.lower().replace("_", "-")))


def keys_of(text: str) -> tuple[str, ...]:
    """The keys that an id, a name or a link may mean.

    Args:
        text: as somebody wrote it; no expression.

    Returns:
        One key where it is sure, several where the name stands for several licences, none where it is not known. An id of SPDX that
        the table does not have is its own key.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return ()
    lower = text.lower()
    table = _table()
    exact: list[str] | None = table["ids"].get(lower)
    if exact is not None:
        return tuple(exact)
    if own := spdx_id(text):
        return (own,)
    if "/" in lower and "." in lower:
        return _linked(lower)
    return tuple(table["names"].get(bare(lower), ()))


def _linked(link: str) -> tuple[str, ...]:
    link = link.partition("?")[0].partition("#")[0]
    if found := _CC.search(link):
        if found[1] == "publicdomain":
            return ("CC0-1.0",) if found[2] == "zero" else ()
        name = spdx_id(f"cc-{found[2]}-{found[3]}")
        return (name,) if name else ()
    if found := _LINKED.search(link):
        return keys_of(found[1]) if "/" not in found[1] else ()
    rest = link.partition("://")[2] or link
    links: dict[str, list[str]] = _table()["links"]
    rest = rest.removesuffix("/").replace("/resolve/main/", "/blob/main/").replace("/raw/main/", "/blob/main/")
    for each in (rest, rest.removeprefix("www."), f"www.{rest}"):
        for end in ("", *_ENDS):
            if end and not each.endswith(end):
                continue
            if (keys := links.get(each.removesuffix(end) if end else each)) is not None:
                return tuple(keys)
    return ()
