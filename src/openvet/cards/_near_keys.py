"""Keys of front matter that are nearly one of the hub's: the hub ignores them, and what they say is lost.

Near is a key that differs in how it is written (``pipeline-tag``, ``License``), in British spelling (``licence``), or in one letter
(``languages``, ``langauge``). That is a heuristic: publishers may add keys of their own, and one further away is taken for such a one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openvet.cards._forms import forms
from openvet.cards._page import Page, child, shown

__all__ = ["look_at_keys", "near_key"]

#: No key of the hub is as long; longer ones are not compared.
_LONGEST = 40
#: A word of fewer letters is one letter away from too many others.
_SHORTEST = 3


def look_at_keys(page: Page, document: dict[str, Any]) -> None:
    """Report keys at the top of ``document`` that are none of the hub's and nearly one."""
    known = {*forms()["model"]["fields"], *forms()["dataset"]["fields"]}
    for key in document:
        if not isinstance(key, str) or key in known:
            continue
        meant = near_key(key, known)
        if meant is not None:
            beside = ", which is there too" if document.get(meant) is not None else ""
            page.problem(
                "malformed-metadata",
                f"{shown(key)} is no field of the hub; did you mean {meant}{beside}?",
                child("", key),
                found=key,
                meant=meant,
            )


def near_key(key: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``key`` is nearly; ``None`` where it is far from all."""
    if not _SHORTEST <= len(key) <= _LONGEST:
        return None
    plain = _plain(key)
    names = {_plain(each): each for each in sorted(known)}
    if plain in names:
        return names[plain]
    return next((names[each] for each in names if _one_apart(plain, each)), None)


def _plain(key: str) -> str:
    return key.strip().casefold().replace("-", "_").replace(" ", "_").replace("licence", "license")


def _one_apart(one: str, other: str) -> bool:
    """Whether one letter more, less or other, or two that changed places, make ``one`` the ``other``."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, theirs = one[start:], other[start:]
    return (
        rest[1:] == theirs[1:]
        or rest[1:] == theirs
        or rest == theirs[1:]
        or (rest[:2] == theirs[1::-1] and rest[2:] == theirs[2:])
    )
