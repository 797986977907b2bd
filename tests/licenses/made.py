"""Statements of licences and lineages for tests, from a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openvet.core.license_ids import keys_of
from openvet.core.location import Location
from openvet.evidence.predicates.licenses_v1 import Declared, Found, LicensesV1, Whole
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node
from openvet.evidence.predicates.rights_v1 import RightsV1
from openvet.evidence.predicates.tool import Tool
from openvet.licenses.along import weigh
from openvet.licenses.shipping import Held
from openvet.licenses.terms import terms_of
from openvet.licenses.uses import take_uses
from openvet.licenses.works import Given

__all__ = ["asked_of", "licenses", "lineage"]

TOOL = Tool("openvet", "0.1.0", "ab" * 32)
CARD = Location("README.md", line=2, pointer="/license")


def licenses(*declared: str, expression: str = "", found: Sequence[str] = ()) -> LicensesV1:
    """What files say: ids or names as a card has them, an expression, keys whose texts lie there."""
    said = [
        Declared(each, "id", keys_of(each) or ((each,) if terms_of(each) else ()), "", "model", CARD)
        for each in declared
    ]
    if expression:
        said.append(Declared(expression, "expression", (), expression, "model", CARD))
    texts = tuple(Found((each,), "whole", 100, 100, 100, "model", Location("LICENSE", line=1), 9) for each in found)
    return LicensesV1(TOOL, "2026-08-22", Whole((), (), "unclear"), tuple(said), texts)


def lineage(*steps: tuple[str, str], beyond: Mapping[str, tuple[str, str]] | None = None) -> LineageV1:
    """This model from (what, how); ``beyond`` says the same of what it was made of."""
    nodes, edges = {THIS: Node(THIS, "model", "tuned")}, []
    further = [(THIS, *step) for step in steps] + [(of, *step) for of, step in (beyond or {}).items()]
    for of, origin, relation in further:
        kind = "dataset" if relation == "trained-on" else "model"
        nodes[origin] = Node(origin, kind, origin, hub=origin)
        edges.append(Edge(of, origin, relation, "declared", (Location("README.md", line=5, pointer="/base_model"),)))
    return LineageV1(TOOL, tuple(nodes.values()), tuple(edges))


def asked_of(
    own: LicensesV1, uses: str, *steps: tuple[str, str], held: Held | None = None, given: Mapping[str, str] | None = None,
    beyond: Mapping[str, tuple[str, str]] | None = None,
) -> RightsV1:  # fmt: skip
    """The rights of a model with these licences, made in these steps."""
    known = [Given(name, text=text) for name, text in (given or {}).items()]
    return weigh(TOOL, own, lineage(*steps, beyond=beyond), take_uses([uses]), known, held, "tuned")
