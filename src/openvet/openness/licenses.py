"""Which licences are open, and for what, by the Model Openness Framework; ids are compared and no text is read.

Open are licences that the OSI has approved or the FSF calls libre, a list of licences for data, and OpenMDW. Of an expression every part
has to be open, and of a choice one.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from openvet.core.license_ids import keys_of, known_license
from openvet.openness._tables import license_table

__all__ = ["fits", "is_approved", "is_open", "spdx_id", "standing"]


#: Categories of our table of licences that let people do less than an open licence does.
_CLOSED: Final = ("source-available", "restricted")


@cache
def _ids(name: str) -> frozenset[str]:
    return frozenset(license_table()[name].split())


@cache
def _fitting(kind: str) -> frozenset[str]:
    return frozenset(license_table()["fits"][kind].split())


@cache
def _open() -> frozenset[str]:
    return _ids("approved") | _ids("libre") | _ids("data") | _ids("also")


@cache
def _spelled() -> dict[str, str]:
    """Every id in lower case -> as SPDX spells it."""
    known = {each.lower(): each for each in sorted(_open() | _ids("others"))}
    return {**known, **license_table()["hub"]}


def spdx_id(text: str) -> str:
    """An id of SPDX or of the hub as SPDX spells it; ``""`` where it is none of them, or names several licences."""
    lower = text.strip().lower()
    return "" if lower in license_table()["unclear"]["ids"] else _spelled().get(lower, "")


def _parts(licence: str) -> list[list[str]]:
    """Licences that apply together -> of each the choice."""
    groups: list[list[list[str]]] = [[[]]]
    words = iter(licence.replace("(", " ").replace(")", " ").split())
    for word in words:
        if word == "AND":
            groups.append([[]])
        elif word == "OR":
            groups[-1].append([])
        elif word == "WITH":
            next(words, None)  # an exception takes nothing away from what the licence allows
        else:
            groups[-1][-1].append(word)
    return [[" ".join(one) for one in each] for each in groups]


def _each(licence: str, ids: frozenset[str]) -> bool:
    # as it stands first: names of licences have commas and the words of expressions in them
    return licence in ids or (bool(licence) and all(any(one in ids for one in each) for each in _parts(licence)))


def is_open(licence: str) -> bool:
    """Whether a licence, spelled as SPDX does, is open by the framework's rules."""
    return _each(licence, _open())


def is_approved(licence: str) -> bool:
    """Whether the OSI has approved it; OpenMDW it has not."""
    return _each(licence, _ids("approved"))


def fits(licence: str, kind: str) -> bool:
    """Whether a licence is made for ``code``, ``data`` or a ``document``."""
    return _each(licence, _fitting(kind))


def standing(licence: str, kind: str) -> str:
    """``open`` and fitting, ``open-other-type``, ``not-open``, or ``not-known`` where the id is no exact one of SPDX or the hub."""
    if is_open(licence):
        return "open" if fits(licence, kind) else "open-other-type"
    closed = licence in _ids("others") or any(all(map(_is_closed, each)) for each in _parts(licence))
    return "not-open" if closed else "not-known"


def _is_closed(one: str) -> bool:
    if one in _ids("others"):
        return True
    if one.lower() in license_table()["unclear"]["ids"]:
        return False
    known = [known_license(key) for key in keys_of(one) or (one,)]
    return all(each is not None and each.category in _CLOSED and not is_open(each.key) for each in known)
