"""A bill against the minimum elements of the G7's "SBOM for AI": which are met from evidence, which only declared, which missing.

It says what is there, and no more: an element that is declared is not verified by being counted, and no number of them is compliance.

Source: ``data/g7_elements.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

from openvet.bom._cited import told
from openvet.bom.bill import Bill, Piece, Said
from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.tables import read_table

__all__ = ["STATES", "Element", "Line", "clusters", "cover", "elements"]

#: From the files themselves or the bill; from what a document says; from nothing.
STATES: Final = ("met", "declared", "missing")


@dataclass(frozen=True, slots=True)
class Element:
    """One minimum element: its code, its name, its cluster, and the fields of our two forms that have it."""

    code: str
    name: str
    cluster: str
    source: str
    cyclonedx: str
    spdx: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a bill has of one element: the state of :data:`STATES`, and by what."""

    element: Element
    state: str
    by: str

    def to_json(self) -> dict[str, str]:
        return {
            "code": self.element.code,
            "name": self.element.name,
            "cluster": self.element.cluster,
            "state": self.state,
            "by": self.by,
            "cyclonedx": self.element.cyclonedx,
            "spdx": self.element.spdx,
        }


@cache
def _table() -> dict[str, Any]:
    return read_table("g7_elements")


def clusters() -> Mapping[str, str]:
    """The prefix of a code -> the cluster's name."""
    return dict(_table()["clusters"])


@cache
def elements() -> tuple[Element, ...]:
    """All of them, in the order of the document."""
    named = clusters()
    return tuple(
        Element(
            each["code"],
            each["name"],
            named[each["code"].partition("-")[0]],
            each["from"],
            each["cyclonedx"],
            each["spdx"],
        )
        for each in _table()["element"]
    )


def cover(bill: Bill, *, timed: bool = False) -> tuple[Line, ...]:
    """What ``bill`` has of each element; ``timed``: it says when it was made."""
    digests = bill.digests_by_place
    out = []
    for each in elements():
        word, _, names = each.source.partition(":")
        if word == "time":
            found = [Said("the time that was given", "attested")] if timed else []
        else:
            found = list(_WAYS[word](bill, names.split() if word != "said" else _words(bill, names)))
        best = next((one for one in found if one.basis != "declared"), found[0] if found else None)
        if best is None:
            out.append(Line(each, "missing", ""))
        else:
            state = "declared" if best.basis == "declared" else "met"
            ours = word in ("document", "advisories")
            out.append(Line(each, state, best.text if ours else told(best, digests)))
    return tuple(out)


def _words(bill: Bill, names: str) -> list[str]:
    """The statements that ``names`` holds, of which some have names of two words."""
    if names in bill.model.said or names == "training data":
        return [names]
    return names.split()


def _from_pieces(pieces: Iterable[Piece]) -> Iterable[Said]:
    for piece in pieces:
        yield piece.named if piece.named is not None else Said(piece.name, "derived", (Location(piece.place),))


_WAYS: Final[Mapping[str, Callable[[Bill, list[str]], Iterable[Said]]]] = {
    "document": lambda _, __: [Said("the bill itself", "derived")],
    "advisories": lambda bill, _: (
        [Said(f"the advisories known up to {bill.advisories.snapshot.date}", "derived")]
        if bill.advisories is not None
        else ()
    ),
    "never": lambda _, __: (),
    "model": lambda bill, _: [bill.model.said.get("name", Said(bill.model.name, "derived"))],
    "purl": lambda bill, _: [Said(bill.model.purl, "derived")] if bill.model.purl else (),
    "said": lambda bill, names: [bill.model.said[each] for each in names if each in bill.model.said],
    "piece": lambda bill, names: _from_pieces(bill.of(*names)),
    "file": lambda bill, names: _from_pieces(
        each for each in bill.pieces if each.name.lower().rpartition("/")[2] in names
    ),
    "relation": lambda bill, names: [
        each.said for each in bill.relations if each.kind in names and each.said is not None
    ],
    "hash": lambda bill, _: _from_pieces(each for each in bill.of("weights", "adapter") if each.digests),
    "license": lambda bill, _: [each.said for each in bill.licenses],
    "links": lambda bill, _: [said for _, __, said in bill.links],
    "metrics": lambda bill, _: bill.metrics,
}
