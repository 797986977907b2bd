"""UBJSON, LightGBM and CatBoost: what is read, and that nothing but read errors comes out."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import pytest

from openvet.checks.boosting.structure_lies import _lie
from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import catboost, lightgbm, ubjson
from openvet.formats._flatbuffers import schema
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.forge_boosting import catboost_model, forge_ubjson, lightgbm_model, xgboost_document

VALID: dict[str, tuple[ModuleType, bytes]] = {
    "ubjson": (ubjson, forge_ubjson(xgboost_document())),
    "lightgbm": (lightgbm, lightgbm_model()),
    "catboost": (catboost, catboost_model(bytes(4))),
}


def facts_of(module: ModuleType, data: bytes) -> Facts:
    facts = Facts("place", "x", Budget(Limits()))
    module.read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize("name", VALID)
def test_a_valid_file(name: str) -> None:
    module, data = VALID[name]
    assert module.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    facts = facts_of(module, data)
    assert facts.anomalies == []
    assert facts.unknowns == []
    assert facts.coverage is Coverage.READ


def test_ubjson_is_what_json_would_be() -> None:
    document = facts_of(ubjson, forge_ubjson(xgboost_document())).document
    assert document == xgboost_document()
    values = [None, True, 5, "text", [1, 2], {"a": 0.5}, []]
    assert facts_of(ubjson, forge_ubjson({"v": values})).document == {"v": values}
    assert facts_of(ubjson, b"{#i\x01i\x01a[CiD\x3f\xe0\0\0\0\0\0\0N]").document == {"a": ["i", 0.5]}


def test_notes() -> None:
    assert facts_of(lightgbm, lightgbm_model()).metadata["trees"] == 1
    facts = facts_of(catboost, catboost_model())
    assert facts.metadata["trees"] == 1
    assert facts.metadata["info"] == {"params": "{}"}


@pytest.mark.parametrize("name", ["ubjson", "catboost"])
def test_cut_at_every_byte(name: str) -> None:
    module, data = VALID[name]
    for cut in range(len(data)):
        try:
            facts = facts_of(module, data[:cut])
        except MalformedError:
            continue
        assert facts.anomalies or not data[cut:].strip(b"\0"), cut


@pytest.mark.parametrize("name", VALID)
def test_mutated(name: str) -> None:
    module, data = VALID[name]
    chance = random.Random(8)
    for _ in range(2000):
        mutated = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            mutated[chance.randrange(len(mutated))] = chance.choice(
                [0, 0x20, 0x2D, 0x39, 0x80, 0xFF, chance.randrange(256)]
            )
        module.probe(Head("x", BytesSource(bytes(mutated))))
        try:
            facts_of(module, bytes(mutated))
        except ReadError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"{i\x01a[$U",
        b"{i\x01a[$UU",
        b"{i\xffa",
        b"{i\x01aX",
        b"{Z",
        b"{i\x01aSl\x7f\xff\xff\xff",
        b"{i\x01a[#L" + b"\x7f" * 8,
    ],
)
def test_ubjson_refuses(data: bytes) -> None:
    with pytest.raises(MalformedError):
        facts_of(ubjson, data)


def test_ubjson_limits() -> None:
    with pytest.raises(LimitError):
        facts_of(ubjson, b"[" * 500)


@pytest.mark.parametrize(
    "lists",
    [
        {"left_children": [1, -1]},
        {"right_children": [0, -1, -1]},
        {"parents": [0, 0, 7]},
        {"split_indices": [-1, 0, 0]},
    ],
)
def test_a_tree_of_xgboost_that_lies(lists: dict[str, Any]) -> None:
    assert _lie(xgboost_document(**lists)) is not None


@pytest.mark.parametrize(
    ("lists", "outside"),
    [
        ({"left_children": [1, -1]}, False),
        ({"parents": [0, 0, 7]}, False),
        ({"left_children": [2, -1, -1], "parents": [2147483647, 0, 0]}, False),  # two ways to one node
        ({"right_children": [0, -1, -1]}, True),
        ({"left_children": [3, -1, -1]}, True),
        ({"split_indices": [2, 0, 0]}, True),
    ],
)
def test_what_leads_out_of_a_tree_of_xgboost(lists: dict[str, Any], outside: bool) -> None:
    found = _lie(xgboost_document(**lists))
    assert found is not None
    assert found[1] is outside


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ({}, []),
        ({"left_child": "77 -1"}, [True]),
        ({"left_child": "-4 -1"}, [True]),
        ({"left_child": "1 0"}, [True]),
        ({"right_child": "-2 1"}, [True]),
        ({"left_child": "1 -1", "right_child": "1 -3"}, [False]),  # two ways to one split
        ({"split_feature": "0 2"}, [True]),
        ({"threshold": "0.5"}, [False]),
    ],
)
def test_what_leads_out_of_a_tree_of_lightgbm(lists: dict[str, Any], told: list[bool]) -> None:
    facts = facts_of(lightgbm, lightgbm_model(**lists))
    assert [each.evidence.get("outside") for each in facts.anomalies] == told


def test_what_is_no_model_of_xgboost() -> None:
    others: list[Any] = [None, [], {}, {"learner": []}, {"learner": {"gradient_booster": {"model": {"trees": [1]}}}}]
    for other in others:
        assert _lie(other) is None
    assert _lie(xgboost_document(left_children=["…"])) is None
    dart = xgboost_document(left_children=[99, -1, -1])
    dart["learner"]["gradient_booster"] = {"gbtree": dart["learner"]["gradient_booster"]}
    assert _lie(dart) is not None


def test_every_type_of_the_schema_exists() -> None:
    of = schema("catboost")
    plain = {"string", *["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]}
    for fields in of.tables.values():
        assert {kind.strip("[]") for _, kind in fields} <= plain | set(of.tables) | set(of.structs)
