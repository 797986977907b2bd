"""What licences ask of whoever hands a model on, as a bill tells it: with the licence that asks, and the clause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.bom.bill import Bill, License, Said
from openvet.core.license_ids import known_license, spdx_id
from openvet.evidence.predicates.rights_v1 import Cited, Work

__all__ = ["Held", "about_model", "duties", "held_licenses", "key_of", "work_of"]

_READ: Final = "OpenVet's reading of clauses"


class Held:
    """The licences of one work: each with its name, or one expression where there is a choice.

    Attributes:
        licenses: that count together.
        expression: in their place; '' where there is no choice.
        said: who says so.
    """

    __slots__ = ("expression", "licenses", "said")

    def __init__(self, licenses: tuple[License, ...], expression: str, said: Said) -> None:
        self.licenses, self.expression, self.said = licenses, expression, said


def work_of(bill: Bill, ref: str) -> Work | None:
    """What is known of the licence of a piece; ``None`` where nobody asked."""
    names = {name for name, each in bill.works.items() if each == ref}
    return next((each for each in bill.rights.works if each.id in names), None) if bill.rights is not None else None


def held_licenses(bill: Bill, ref: str) -> Held | None:
    """The licence of a base model or data set as it is known; ``None`` where it is not."""
    work = work_of(bill, ref)
    if work is None or work.known == "unknown" or not work.expression:
        return None
    said = Said(work.expression, "declared" if work.known in ("declared", "found") else "derived", note=work.note)
    if len(work.choices) > 1:
        ways = [" AND ".join(way) if len(way) < 2 else f"({' AND '.join(way)})" for way in work.choices]
        return Held((), " OR ".join(ways), said)
    if not work.choices:  # an ambiguous name stays what it is
        return Held((License("", "", work.expression, "", said),), "", said)
    return Held(tuple(_license(key, said) for key in work.choices[0]), "", said)


def _license(key: str, said: Said) -> License:
    known, id_ = known_license(key), spdx_id(key)
    name = known.name if known is not None and known.name else key
    return License(id_, "" if id_ else key, name, "", said)


def key_of(license: License) -> str:  # noqa: A002
    """What clauses call the licence."""
    return license.id or license.reference


def duties(bill: Bill, ref: str, key: str) -> Iterator[tuple[str, str]]:
    """(group, words) of each duty that the licence ``key`` lays on whoever hands on what was made of the piece ``ref``."""
    work = work_of(bill, ref)
    if work is None or bill.rights is None:
        return
    for each in bill.rights.duties:
        if work.id in each.works and each.cited.license == key:
            state = "" if each.state == "unseen" else f": {each.state}"
            contested = ": contested for a model that was trained on it" if each.contested else ""
            yield each.group, f"{each.says} ({_at(each.cited)}){state}{contested}"


def about_model(bill: Bill) -> Iterator[tuple[str, Said]]:
    """(name, words) of what licences together say of the model: to each use, and what its own licence drops of what others ask for."""
    if bill.rights is None:
        return
    own = bill.rights.works[0] if bill.rights.works else None
    for answer in bill.rights.answers if own is not None and own.known != "unknown" else ():
        yield f"rights:{answer.use}", Said(answer.verdict, "derived", note=_READ)
    for each in bill.rights.drifts:
        clauses = "; ".join(f"{one.license}, {_at(one)}" for one in each.base)
        where = (each.location,) if each.location.place else ()
        yield f"license/{each.kind}", Said(f"{each.message} ({clauses})", "derived", where, "" if where else _READ)


def _at(cited: Cited) -> str:
    return f"{cited.document}, {cited.at}" if cited.document else cited.at
