"""Every kind of statement that is known has a gist."""

from __future__ import annotations

import pytest

from openvet.evidence.predicates.known import KNOWN
from openvet.evidence.statement import Statement
from openvet.reports.gist import _GISTS, gist
from tests.evidence.vectors import statements

VECTORS = dict(statements())


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_has_one(name: str) -> None:
    predicate = VECTORS[name].predicate
    said = gist(predicate)
    if predicate.predicate_type in KNOWN:
        assert said
        assert all(isinstance(line, str) and line for line in said)


def test_every_known_kind_is_in_the_table() -> None:
    assert {type(each.predicate).__name__ for each in VECTORS.values()} >= set(_GISTS)
    assert {each.predicate.predicate_type.rpartition("/")[0] for each in VECTORS.values()} >= {
        kind.rpartition("/")[0] for kind in KNOWN
    }


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert gist(None) is None
    assert gist(Statement) is None
