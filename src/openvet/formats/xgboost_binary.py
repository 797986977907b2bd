"""XGBoost models in the binary form that it wrote up to version 3.0 (``.model``, ``.bin``, ``.deprecated``).

::

    ["binf"] base score f32, features u32, classes i32, attributes? i32, metrics? i32, ... 136 bytes in all
    objective, booster: bytes u64, text
    gbtree, dart: trees i32, ... 160 bytes in all, then for each tree: roots i32, nodes i32, ... 148 bytes, nodes of 20 bytes, statistics of
        16 bytes; then the group of each tree i32          dart: count u64, floats
    gblinear: 136 bytes, count u64, floats
    [attributes: count u64, pairs of texts] ["max_delta_step" for count:poisson: text] [metrics: count u64, texts]

Numbers are little-endian. Reference: ``src/learner.cc``, ``src/gbm/gbtree_model.h`` and ``src/tree/tree_model.cc`` of
https://github.com/dmlc/xgboost/tree/release_2.1.0
"""

from __future__ import annotations

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="xgboost-binary",
    title="XGBoost model in its old binary form",
    extensions=(".model", ".bst", ".deprecated"),
    media_types=(),
    can_tell=("objective, booster, trees and attributes, to the last byte of the file",),
    cannot_tell=(
        "what the trees decide",
        "models that do not begin with the letters, as versions before 0.4 wrote them",
    ),
)
_MARK = b"binf"
_LEARNER, _TREES, _LINEAR, _TREE, _NODE, _STATISTIC = 136, 160, 136, 148, 20, 16
_TEXT = 1 << 20
_MOST_TREES, _MOST_PAIRS = 1_000_000, 100_000
#: What its bytes begin with.
STARTS = (_MARK,)


def probe(head: Head) -> Likeness:
    """The mark, and a name of an objective behind the numbers."""
    data = head.data
    at = len(_MARK) + _LEARNER
    length = int.from_bytes(data[at : at + 8], "little")
    name = data[at + 8 : at + 8 + min(length, 64)]
    fits = data.startswith(_MARK) and 0 < length <= 64 and name.isascii() and name.decode("ascii").isprintable()
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the trees and what stands behind them.

    Raises:
        MalformedError: a number is out of its range, or a part goes beyond the end.
        LimitError: more trees or texts than are followed.
    """
    cursor = source.cursor(len(_MARK))
    learner = cursor.read(_LEARNER)
    objective, booster = _text(cursor), _text(cursor)
    facts.note("objective", shorten(printable(objective.decode("utf-8", "replace")), 200))
    facts.note("booster", shorten(printable(booster.decode("utf-8", "replace")), 200))
    facts.note("features", int.from_bytes(learner[4:8], "little"))
    if booster in {b"gbtree", b"dart"}:
        facts.note("trees", _trees(cursor, facts))
        if booster == b"dart":
            _floats(cursor)
    elif booster == b"gblinear":
        cursor.skip(_LINEAR)
        _floats(cursor)
    else:
        raise MalformedError("has a booster that is none of XGBoost's", offset=cursor.position)
    if int.from_bytes(learner[12:16], "little"):
        _texts(cursor, facts, 2)
    if objective == b"count:poisson" and cursor.left:
        _texts(cursor, facts, 0)
    if int.from_bytes(learner[16:20], "little"):
        _texts(cursor, facts, 1)
    account_for_rest(source, facts, cursor.position, "the model")


def _number(cursor: Cursor, width: int = 8) -> int:
    return int.from_bytes(cursor.read(width), "little")


def _text(cursor: Cursor) -> bytes:
    size = _number(cursor)
    if size > _TEXT:
        raise LimitError("header", _TEXT, f"a text of {size} bytes is not read", offset=cursor.position)
    return cursor.read(size)


def _texts(cursor: Cursor, facts: Facts, each: int) -> None:
    """Texts in groups of ``each``; 0 is a single one without a count. They are words, and looked at for what is none."""
    count = (_number(cursor) if each else 1) * max(each, 1)
    if count > _MOST_PAIRS:
        raise LimitError("records", _MOST_PAIRS, "more attributes than are followed", offset=cursor.position)
    for _ in range(count):
        at = cursor.position
        look_inside(facts, _text(cursor), "an attribute", at)


def _floats(cursor: Cursor) -> None:
    cursor.skip(4 * _number(cursor))


def _trees(cursor: Cursor, facts: Facts) -> int:
    begin = cursor.position
    count = int.from_bytes(cursor.read(_TREES)[:4], "little")
    if count > _MOST_TREES:
        raise LimitError("records", _MOST_TREES, "more trees than are followed", offset=begin)
    for number in range(count):
        if not number % 256:
            facts.budget.check_time()
        head = cursor.read(_TREE)
        cursor.skip(int.from_bytes(head[4:8], "little") * (_NODE + _STATISTIC))
    cursor.skip(4 * count)
    return count
