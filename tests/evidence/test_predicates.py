import json
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage, Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Outcome, Severity
from openvet.evidence.predicates.inventory_v1 import BASES, Fact, InventoryV1, Item, TensorEntry
from openvet.evidence.predicates.scan_v1 import FileScan, Scan
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.statement import ResourceDescriptor, Statement

T = TypeVar("T")

WORD = st.text("abc/!é", min_size=1, max_size=8)
LOCATION = st.builds(Location, WORD, st.none() | st.integers(0, 99), st.none() | st.integers(1, 9), st.none() | WORD)
FINDING = st.builds(
    Finding,
    WORD,
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Confidence)),
    LOCATION,
    WORD,
    WORD,
    st.dictionaries(WORD, st.integers() | WORD, max_size=2),
)
UNKNOWN = st.builds(Unknown, WORD, WORD, LOCATION)
DIGEST = st.dictionaries(st.sampled_from(["sha256", "blake3"]), st.just("00" * 32))
TOOL = st.builds(Tool, WORD, WORD, WORD)


def _tuples(each: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(each, max_size=3).map(tuple)


SCAN = st.builds(
    Scan,
    TOOL,
    st.dictionaries(WORD, st.integers(1, 9), max_size=2),
    _tuples(
        st.builds(
            FileScan,
            WORD,
            _tuples(WORD),
            st.integers(0),
            DIGEST,
            st.sampled_from(list(Coverage)),
            _tuples(FINDING),
            _tuples(UNKNOWN),
        )
    ),
    st.dictionaries(WORD, st.sampled_from(list(Outcome)), max_size=3),
    _tuples(FINDING),
    _tuples(UNKNOWN),
    st.booleans(),
)
TENSOR = st.builds(
    TensorEntry, WORD, WORD, _tuples(st.integers(0, 9)), st.none() | st.integers(0), st.none() | st.integers(0)
)
ITEM = st.builds(
    Item,
    WORD,
    _tuples(WORD),
    st.integers(0),
    DIGEST,
    st.sampled_from([str(each) for each in Coverage]),
    st.dictionaries(WORD, WORD, max_size=2),
    _tuples(TENSOR),
    _tuples(st.dictionaries(WORD, WORD, max_size=2)),
)
FACT = st.builds(Fact, WORD, WORD | st.integers(), st.sampled_from(BASES), _tuples(LOCATION))
INVENTORY = st.builds(InventoryV1, TOOL, _tuples(FACT), _tuples(ITEM))


@settings(deadline=None, max_examples=60)
@given(SCAN)
def test_a_scan_survives_json(scan: Scan) -> None:
    assert Scan.from_json(json.loads(json.dumps(scan.to_json()))) == scan


@settings(deadline=None, max_examples=60)
@given(INVENTORY)
def test_an_inventory_survives_json(inventory: InventoryV1) -> None:
    assert InventoryV1.from_json(json.loads(json.dumps(inventory.to_json()))) == inventory


def test_a_statement_is_in_toto_v1() -> None:
    scan = Scan(Tool("openvet", "1", "ab"), {}, (), {})
    statement = Statement(ResourceDescriptor("m", {"dirHash": "cd"}), scan).to_json()
    assert statement.pop("predicate") == scan.to_json()
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"dirHash": "cd"}}],
        "predicateType": "https://openvet/predicates/scan/v1",
    }
