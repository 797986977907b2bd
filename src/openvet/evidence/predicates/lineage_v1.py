"""The lineage predicate: what a model says it was made of, and what its weights say to that. The spec page is ``lineage_v1.md``.

A graph and tests of its edges. What is declared is never changed by a test: a test stands beside it, with its statistic and its
threshold. Numbers that are no counts are decimal text, so that every reader has the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.inventory_v1 import BASES
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "CLAIMS", "NODES", "PREDICATE_TYPE", "RELATIONS", "THIS", "VERDICTS", "Edge", "LineageV1", "Node", "Problem", "WeightTest",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/lineage/v1"
#: The identifier of the node that stands for the subject.
THIS: Final = "this"
#: Kinds of nodes.
NODES: Final = ("model", "adapter", "dataset")
#: What one thing is to the other that it was made of. ``based-on`` is where nothing more was said; ``loaded-from`` is what a library
#: wrote down when it loaded weights, which may be the model itself under another name; ``evaluated-on`` and ``tokenizer-of`` hand on
#: no weights.
RELATIONS: Final = (
    "based-on", "finetune", "adapter", "quantized", "merge", "pruned", "converted", "distilled-from", "loaded-from",
    "trained-on", "evaluated-on", "tokenizer-of",
)  # fmt: skip
#: What a test is about: whether the weights of one come from the other at all, and in what way they may have been changed.
CLAIMS: Final = (
    "derived", "identical", "cast", "quantized", "pruned", "finetune", "low-rank", "merge", "permuted", "renamed", "parts", "adapter",
)  # fmt: skip
#: What a test says, and what nobody can say.
VERDICTS: Final = ("consistent", "not-consistent", "cannot-tell")
_NUMBER: Final = pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]{1,4})?\Z")
_SHA256: Final = pattern(r"[0-9a-f]{64}\Z")


def _text(found: Fields, name: str) -> str:
    text = found.take(name, str)
    if not text:
        raise FieldError(f"{found.at}/{name} is empty")
    return text


def _may_text(found: Fields, name: str) -> str | None:
    text = found.may(name, str)
    if text == "":
        raise FieldError(f"{found.at}/{name} is empty")
    return text


def _may_number(found: Fields, name: str) -> str | None:
    text = found.may(name, str)
    if text is not None and not _NUMBER.match(text):
        raise FieldError(f"{found.at}/{name} is no number in decimal")
    return text


def _texts(found: Fields, name: str) -> dict[str, str]:
    texts = found.may_map(name, str)
    if texts is None:
        raise FieldError(f"{found.at}/{name} is not there")
    return texts


def _location(found: Fields) -> Location:
    where = Location(found.take("place", str), line=found.may("line", int), pointer=found.may("pointer", str))
    if where.line is not None and where.line < 1:
        raise FieldError(f"{found.at}/line is no line")
    found.end()
    return where


@dataclass(frozen=True, slots=True)
class Node:
    """A model, an adapter or a data set, named in every way in which it was named.

    Attributes:
        id: what edges and tests call it; :data:`THIS` for the subject. Text that is stable within one statement.
        kind: one of :data:`NODES`.
        name: for people, as it was written.
        hub: ``organisation/name`` on a hub.
        revision: the hub's or repository's version of it.
        purl: a package URL; it names a registry, and perhaps a version.
        uri: where it is said to be.
        place: where it lies in the subject.
        digest: of it, algorithm to hex, as far as somebody says so.
    """

    id: str
    kind: str
    name: str
    hub: str | None = None
    revision: str | None = None
    purl: str | None = None
    uri: str | None = None
    place: str | None = None
    digest: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "id": self.id,
                "kind": self.kind,
                "name": self.name,
                "hub": self.hub,
                "revision": self.revision,
                "purl": self.purl,
                "uri": self.uri,
                "place": self.place,
                "digest": dict(self.digest),
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Node:
        made = cls(
            _text(found, "id"), found.word("kind", NODES), found.take("name", str), _may_text(found, "hub"),
            _may_text(found, "revision"), _may_text(found, "purl"), _may_text(found, "uri"), _may_text(found, "place"),
            _texts(found, "digest"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Edge:
    """One step: ``derivative`` is a ``relation`` of ``origin``, says who, read where.

    Attributes:
        derivative, origin: identifiers of nodes; for ``evaluated-on`` the model and the data set.
        relation: one of :data:`RELATIONS`.
        basis: see :data:`~openvet.evidence.predicates.inventory_v1.BASES`; ``measured`` where a test of the weights found it.
        sources: where that was read; several places may say the same.
        parameters: what else was said of the step (method, weight, rank, bits), values as they were written; never null.
    """

    derivative: str
    origin: str
    relation: str
    basis: str
    sources: tuple[Location, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "derivative": self.derivative,
            "origin": self.origin,
            "relation": self.relation,
            "basis": self.basis,
            "sources": [each.to_json() for each in self.sources],
            "parameters": dict(self.parameters),
        }

    @classmethod
    def take(cls, found: Fields) -> Edge:
        derivative, origin = _text(found, "derivative"), _text(found, "origin")
        relation, basis = found.word("relation", RELATIONS), found.word("basis", BASES)
        sources = tuple(map(_location, found.objects("sources")))
        parameters = found.take("parameters", dict)
        if any(each is None for each in parameters.values()):
            raise FieldError(f"{found.at}/parameters has a value that is none")
        found.end()
        return cls(derivative, origin, relation, basis, sources, parameters)


@dataclass(frozen=True, slots=True)
class WeightTest:
    """What the weights of two nodes say to one claim.

    Attributes:
        derivative, origin: identifiers of nodes.
        claim: one of :data:`CLAIMS`.
        verdict: one of :data:`VERDICTS`.
        test: how it was tested, a stable word that the spec page explains.
        reason: a sentence for people.
        samples: how many values, vectors or blocks it rests on.
        statistic, threshold: what was computed, and from where on it counts.
        p_value: of a test of chance: at most how likely such a statistic is where the two have nothing to do with each other.
        figures: what else was measured, names to numbers or words.
    """

    derivative: str
    origin: str
    claim: str
    verdict: str
    test: str
    reason: str
    samples: int = 0
    statistic: str | None = None
    threshold: str | None = None
    p_value: str | None = None
    figures: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "derivative": self.derivative,
                "origin": self.origin,
                "claim": self.claim,
                "verdict": self.verdict,
                "test": self.test,
                "reason": self.reason,
                "samples": self.samples,
                "statistic": self.statistic,
                "threshold": self.threshold,
                "pValue": self.p_value,
                "figures": dict(self.figures),
            }
        )

    @classmethod
    def take(cls, found: Fields) -> WeightTest:
        made = cls(
            _text(found, "derivative"), _text(found, "origin"), found.word("claim", CLAIMS), found.word("verdict", VERDICTS),
            _text(found, "test"), found.take("reason", str), count_of(found, "samples"), _may_number(found, "statistic"),
            _may_number(found, "threshold"), _may_number(found, "pValue"), _texts(found, "figures"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Problem:
    """What makes no sense in what was declared, and where that stands."""

    message: str
    location: Location

    def to_json(self) -> dict[str, Any]:
        return {"message": self.message, "location": self.location.to_json()}

    @classmethod
    def take(cls, found: Fields) -> Problem:
        made = cls(_text(found, "message"), _location(found.below("location")))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class LineageV1:
    """The body of a lineage statement.

    Attributes:
        nodes: the subject first, then in order of their identifiers.
        edges: in order of derivative, relation and origin.
        tests: in the order in which they were made; empty where no other model was at hand.
        problems: with what was declared.
        left_off: edges that were too many to be listed.
    """

    tool: Tool
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    tests: tuple[WeightTest, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_off: int = 0
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def node(self, name: str) -> Node | None:
        """The node with the identifier ``name``, if there is one."""
        return next((each for each in self.nodes if each.id == name), None)

    def origins(self, name: str = THIS, *relations: str) -> tuple[Edge, ...]:
        """The edges from ``name`` to what it was made of; only of these ``relations`` where some are named."""
        return tuple(
            each for each in self.edges if each.derivative == name and (not relations or each.relation in relations)
        )

    def verdict(self, derivative: str, origin: str) -> str | None:
        """What the tests say to whether one comes from the other; ``None`` where nothing was tested."""
        found = [
            each.verdict
            for each in self.tests
            if (each.claim, each.derivative, each.origin) == ("derived", derivative, origin)
        ]
        return found[0] if found else None

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "nodes": [each.to_json() for each in self.nodes],
            "edges": [each.to_json() for each in self.edges],
            "tests": [each.to_json() for each in self.tests],
            "problems": [each.to_json() for each in self.problems],
            "leftOff": self.left_off,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LineageV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, has a field that this kind does not have, or names a node that is not listed.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        made = cls(
            tool,
            tuple(map(Node.take, found.objects("nodes"))),
            tuple(map(Edge.take, found.objects("edges"))),
            tuple(map(WeightTest.take, found.objects("tests"))),
            tuple(map(Problem.take, found.objects("problems"))),
            count_of(found, "leftOff"),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        made.check_names()
        return made

    def check_names(self) -> None:
        """Raise FieldError where an identifier is there twice, or is named and not there."""
        known = {each.id for each in self.nodes}
        if not known or len(known) < len(self.nodes):
            raise FieldError("/nodes is empty, or has two nodes of one identifier")
        ends = [("edges", [(each.derivative, each.origin) for each in self.edges])]
        ends.append(("tests", [(each.derivative, each.origin) for each in self.tests]))
        for what, listed in ends:
            for at, pair in enumerate(listed):
                if not known.issuperset(pair):
                    raise FieldError(f"/{what}/{at} names a node that is not listed")
