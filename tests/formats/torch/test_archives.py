"""Exported programs, packages and shards of distributed checkpoints; rule torch/export-expression."""

from __future__ import annotations

from types import ModuleType

import pytest

from openvet.core.limits import Budget
from openvet.errors import ReadError
from openvet.formats import torch_distcp, torch_export, torch_package
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats.torch_export import _is_plain
from openvet.io.source import BytesSource
from openvet.testing.forge_export import exported, package, shard


def read(module: ModuleType, data: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    module.read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("s0", True),
        ("2*s0 + Mod(s1, 8)", True),
        ("Max(1, s77//2) <= 1.5e3", True),
        ("s0.func", False),
        ("eval(1)", False),
        ("().__class__", False),
        ("'x'", False),
        ("s0[0]", False),
        ("lambda: 1", False),
        ("a__b", False),
        ("((s0", True),
    ],
)
def test_expressions(text: str, plain: bool) -> None:
    assert _is_plain(text) is plain


def test_an_exported_program() -> None:
    facts = read(torch_export, exported())
    assert [(each.name, each.dtype, each.shape, each.nbytes) for each in facts.tensors] == [
        ("l.weight", "F32", (2, 2), 16)
    ]
    assert (facts.unknowns, facts.anomalies) == ([], [])
    assert [each.role for each in facts.members if each.name.endswith("weight_0")] == ["tensor-data"]
    programs = [each.to_json() for each in facts.programs]
    assert [operator["name"] for operator in programs[0]["operators"]] == ["aten.relu"]


def test_a_graph_that_is_no_json() -> None:
    facts = read(torch_export, exported(extra={"models/b.json": b"{", "models/c.json": b"[" * 100_000}))
    assert [each.reason for each in facts.unknowns] == ["malformed", "malformed"]


def test_a_package() -> None:
    facts = read(torch_package, package())
    assert [(each.name, each.shape) for each in facts.tensors] == [("w", (2, 2))]
    assert facts.metadata["extern_modules"] == ["torch", "torch._utils", "collections"]
    assert [each.role for each in facts.members if each.name.endswith(".storage")] == ["tensor-data"]


def test_a_shard() -> None:
    data = shard({"a": 1}, {"b": 2}, {"c": 3})
    facts = read(torch_distcp, data)
    assert [each.name for each in facts.members] == ["item-0.pt", "item-1.pt", "item-2.pt"]
    assert sum(each.size for each in facts.members) == len(data)
    assert facts.unknowns == []


def test_one_zip_is_no_shard() -> None:
    data = shard({"a": 1})
    assert torch_distcp.probe(Head("x", BytesSource(data))) is Likeness.NO


def test_a_shard_that_begins_with_something_else() -> None:
    facts = read(torch_distcp, b"rest" + shard({"a": 1}, {"b": 2}))
    assert [each.reason for each in facts.unknowns] == ["malformed"]
    assert len(facts.members) == 3


@pytest.mark.parametrize(
    ("module", "data"), [(torch_export, exported()), (torch_package, package()), (torch_distcp, shard({"a": 1}, {"b": 2}))],
    ids=["export", "package", "distcp"],
)  # fmt: skip
def test_cut_at_many_bytes(module: ModuleType, data: bytes) -> None:
    for size in range(0, len(data), 7):
        source = BytesSource(data[:size])
        try:
            module.probe(Head("x", source))
            module.read(source, Facts("x", "x", Budget()))
        except ReadError:
            continue
