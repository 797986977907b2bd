"""skops files: the nodes of the schema, and what is refused."""

from __future__ import annotations

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import ReadError
from openvet.formats import skops as skops_format
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats.skops import SkopsSchema
from openvet.io.source import BytesSource
from openvet.testing.cases.skops import node, skops
from openvet.testing.forge_export import zipped


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("x", "x.skops", Budget(limits or Limits()))
    skops_format.read(BytesSource(data), facts)
    return facts


def nodes(facts: Facts) -> list[tuple[str, str, int]]:
    return [
        (each.loader, each.qualified, each.count)
        for p in facts.programs
        if isinstance(p, SkopsSchema)
        for each in p.nodes
    ]


def test_nodes_are_counted() -> None:
    inner = node("numpy", "ndarray", "NdArrayNode")
    facts = read(skops(node("sklearn.svm._classes", "SVC", "ObjectNode", {"a": inner, "b": [inner, inner]})))
    assert nodes(facts) == [("ObjectNode", "sklearn.svm._classes.SVC", 1), ("NdArrayNode", "numpy.ndarray", 3)]
    assert facts.metadata["protocol"] == 3
    assert facts.unknowns == []


@pytest.mark.parametrize("schema", ["{", "[" * 100_000, '"__loader__"'])
def test_a_schema_that_is_none(schema: str) -> None:
    facts = read(zipped({"schema.json": schema}))
    assert nodes(facts) == []


def test_a_schema_that_is_too_long() -> None:
    facts = read(skops(node("a", "B")), Limits(text=20))
    assert [each.reason for each in facts.unknowns] == ["limit"]


def test_another_zip_with_a_schema_is_none() -> None:
    data = zipped({"schema.json": '{"type": "object"}'})
    assert skops_format.probe(Head("x.skops", BytesSource(data))) is Likeness.NO


def test_cut_at_every_byte() -> None:
    data = skops(node("a", "B"))
    for size in range(len(data)):
        source = BytesSource(data[:size])
        try:
            skops_format.probe(Head("x", source))
            skops_format.read(source, Facts("x", "x", Budget()))
        except ReadError:
            continue
