"""CatBoost: a FlatBuffer with trees and features, and parts that it names behind it.

::

    "CBM1", size[4], the buffer (TModelCore)
    for each of its ModelPartIds a part; static_provider_v1: count[4], then size[4] and a buffer (TCtrValueTable) each

Reference: ``catboost/libs/model/flatbuffers`` and ``catboost/libs/model/model.cpp`` of CatBoost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._flatbuffers import Table

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="catboost",
    title="CatBoost model",
    extensions=(".cbm", ".cb", ".model"),
    media_types=(),
    can_tell=("how many trees and features there are, and that sizes, splits and leaves fit each other",),
    cannot_tell=("what the trees decide", "parts for text and embeddings, which are not read"),
)

_MAGIC = b"CBM1"
_CTR = "static_provider_v1"
_INFO = 200
#: CatBoost itself allows sixteen.
_DEEPEST = 32
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    data = head.data
    size = int.from_bytes(data[4:8], "little")
    return Likeness.STRONG if data.startswith(_MAGIC) and 8 <= size <= head.size else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Verify the buffer, compare the sizes of the trees, and read the parts behind it.

    Raises:
        MalformedError: an offset or a size leads out of the file.
        LimitError: more tables than are followed.
    """
    from openvet.formats._flatbuffers import Walk, schema

    if source.read(0, 4) != _MAGIC:
        raise MalformedError("does not start with CBM1", offset=0)
    size = int.from_bytes(source.read(4, 4), "little")
    walk = Walk(source.window(8, size), schema("catboost"), facts)
    core = walk.root
    facts.note("version", core.text("format_version"))
    info = [(each.text("key"), each.text("value")) for each in core.items("info_map") if len(facts.metadata) < _INFO]
    facts.note("info", {key: value[:500] for key, value in info[:_INFO]})
    trees = core.table("model_trees")
    if trees is not None:
        _check_trees(trees, facts)
    at = 8 + size
    for part in core.texts("model_part_ids"):
        if part != _CTR:
            facts.unknown("unsupported", f"the part {part} and what follows it were not read", at)
            return
        at = _counters(source, at, facts)
    account_for_rest(source, facts, at, "the model")


def _lie(facts: Facts, message: str, *, outside: bool = False) -> None:
    facts.anomaly("boosting/structure-lies", message, 8, outside=outside)


def _check_trees(trees: Table, facts: Facts) -> None:
    sizes = trees.vector("tree_sizes")[1]
    splits = trees.vector("tree_splits")[1]
    leaves = trees.vector("leaf_values")[1]
    facts.note("trees", sizes)
    facts.note("features", trees.vector("float_features")[1] + trees.vector("cat_features")[1])
    symmetric = trees.vector("non_symmetric_step_nodes")[1] == 0
    total, wanted = 0, 0
    for depth in _numbers(trees, "tree_sizes"):
        if depth < 0 or (symmetric and depth > _DEEPEST):
            _lie(facts, f"a tree is {depth} deep")
            return
        total += depth
        wanted += 1 << depth if symmetric else 0
    if total != splits:
        _lie(facts, f"the trees have {total} splits together, and {splits} are there", outside=total > splits)
    values = wanted * max(trees.number("approx_dimension", 1), 1)
    if symmetric and values != leaves:
        message = f"the trees have {wanted} leaves together, and {leaves} values are there"
        _lie(facts, message, outside=values > leaves)
    offsets = trees.vector("tree_start_offsets")[1]
    if offsets and offsets != sizes:
        _lie(facts, f"{sizes} trees have {offsets} places to start")
    start = 0
    for place, depth in zip(_numbers(trees, "tree_start_offsets"), _numbers(trees, "tree_sizes"), strict=False):
        if place != start:
            outside = not 0 <= place <= splits - depth
            _lie(facts, f"a tree starts at split {place} and not at {start}", outside=outside)
            return
        start += depth
    if any(split < 0 for split in _numbers(trees, "tree_splits")):
        _lie(facts, "a split has a number below zero", outside=True)


def _numbers(table: Table, name: str) -> list[int]:
    count = table.vector(name)[1]
    if count > _MOST:
        raise LimitError("trees", _MOST, f"{name} has {count} items")
    return list(table.numbers(name, count))


_MOST = 10_000_000


def _counters(source: Source, at: int, facts: Facts) -> int:
    """The counters of categories behind the core; gives where they end."""
    from openvet.formats._flatbuffers import Walk, schema

    count = int.from_bytes(source.read(at, 4), "little")
    at += 4
    if count * 8 > source.size - at:
        raise MalformedError(f"says that {count} tables follow", offset=at)
    for _ in range(count):
        size = int.from_bytes(source.read(at, 4), "little")
        Walk(source.window(at + 4, size), schema("catboost"), facts, "TCtrValueTable")
        facts.budget.check_time()
        at += 4 + size
    return at
