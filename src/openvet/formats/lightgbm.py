"""LightGBM: a model as text, one key and its values a line.

::

    tree
    version=v4
    max_feature_idx=..., feature_names=..., tree_sizes=...
    Tree=0
    num_leaves=31, split_feature=..., left_child=..., leaf_value=... and so on, then the next tree
    end of trees
    feature_importances:, parameters:, pandas_categorical:

Reference: ``src/boosting/gbdt_model_text.cpp`` and ``src/io/tree.cpp`` of LightGBM.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="lightgbm",
    title="LightGBM model (text)",
    extensions=(".txt", ".lgb", ".lgbm", ".model"),
    media_types=(),
    can_tell=("how many trees and features there are, and that the lists of every tree fit each other",),
    cannot_tell=("what the trees decide",),
    refines=("text",),
)

#: Lists that have an entry for each split, and for each leaf.
_SPLITS = (b"split_feature", b"threshold", b"left_child", b"right_child", b"decision_type")
_LEAVES = (b"leaf_value",)
#: What its bytes begin with.
STARTS = (b"tree\nversion=v", b"tree\r\nversion=v")


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith((b"tree\nversion=v", b"tree\r\nversion=v")) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read it as the text that it is, then compare the lists of every tree."""
    from openvet.formats import text

    text.read(source, facts)
    if facts.coverage is Coverage.INERT:
        facts.coverage = Coverage.READ
    cursor = source.cursor()
    tree: dict[bytes, bytes] = {}
    trees, features, at = 0, 0, 0
    while cursor.left:
        start = cursor.position
        key, equals, value = cursor.readline(facts.limits.text).strip().partition(b"=")
        if key == b"end of trees" or (key == b"Tree" and equals):
            _check(tree, facts, at, features)
            tree, at = {}, start
            if not equals:
                break
            trees += 1
            if trees % 256 == 0:
                facts.budget.check_time()
        elif key == b"max_feature_idx" and not trees:
            features = _number(value, start)
        elif key == b"tree_sizes" and not trees:
            facts.note("tree_sizes", len(value.split()))
        elif trees and equals:
            tree[key] = value
    else:
        _lie(facts, "the trees have no end mark", source.size)
    facts.note("trees", trees)
    facts.note("features", features + 1)
    said = facts.metadata.get("tree_sizes", trees)
    if said != trees:
        _lie(facts, f"the header has sizes of {said} trees, and {trees} follow", 0)


def _lie(facts: Facts, message: str, at: int, *, outside: bool = False) -> None:
    facts.anomaly("boosting/structure-lies", message, at, outside=outside)


def _number(value: bytes, at: int) -> int:
    try:
        return int(value[:20])
    except ValueError:
        raise MalformedError("a number of the model is none", offset=at) from None


def _check(tree: dict[bytes, bytes], facts: Facts, at: int, features: int) -> None:
    """Whether the lists of a tree are as long as its number of leaves says, and lead to places that exist."""
    if not tree:
        return
    leaves = _number(tree.get(b"num_leaves", b"0"), at)
    if leaves < 1:
        _lie(facts, f"a tree has {leaves} leaves", at)
        return
    for names, wanted in ((_SPLITS, leaves - 1), (_LEAVES, leaves)):
        for name in names:
            found = len(tree[name].split()) if name in tree else wanted
            if found != wanted:
                _lie(facts, f"a tree of {leaves} leaves has {found} entries in {name.decode()}", at)
                return
    seen: set[int] = set()
    for name in (b"left_child", b"right_child"):
        for node, word in enumerate(tree.get(name, b"").split()):
            child = _number(word, at)
            if not -leaves <= child < leaves - 1 or child == 0 or child in seen:
                outside = not -leaves <= child < leaves - 1 or 0 <= child <= node  # or back to where it comes from
                _lie(facts, f"a split of a tree of {leaves} leaves leads to {child}", at, outside=outside)
                return
            seen.add(child)
    if any(not 0 <= _number(word, at) <= features for word in tree.get(b"split_feature", b"").split()):
        _lie(facts, "a split is on a feature that the model does not have", at, outside=True)
    categories = _number(tree.get(b"num_cat", b"0"), at)
    if categories:
        bounds = [_number(word, at) for word in tree.get(b"cat_boundaries", b"").split()]
        words = len(tree.get(b"cat_threshold", b"").split())
        if len(bounds) != categories + 1 or sorted(bounds) != bounds or bounds[0] != 0 or bounds[-1] != words:
            _lie(facts, "the lists of categories of a tree do not fit each other", at)
