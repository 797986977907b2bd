"""Which texts a condition looks for in a list, read from its tokens."""

from __future__ import annotations

import pytest

from openvet.conditions.names import looked_for
from openvet.evidence.predicates.known import KNOWN
from openvet.policy.vocabulary import KINDS
from openvet.workflows.decide import kind_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'a' in evidence.kinds", ("a",)),
        ("\"a\" in evidence.kinds || 'b' in evidence.kinds", ("a", "b")),
        ("['a', 'b'].all(each, each in evidence.kinds) && ['c'].exists(each, each in card.sections)", ("a", "b")),
        ("['a', 'b'].all(each, other in evidence.kinds)", ()),
        ("evidence.kinds.exists(kind, kind == 'a') && scan.rules.exists(kind, kind == 'b')", ("a",)),
        (
            "evidence.kinds.exists(kind, kind in ['a', 'b'] || (kind == 'c')) && card.pipeline_tag == 'd'",
            ("a", "b", "c"),
        ),
        ("evidence.kinds.exists(kind, kind == ')' || kind == 'a')", (")", "a")),
        ("'a' in card.sections && evidence.kinds.size() > 0 && x == 'b'", ()),
        ("'a' in evidence.kinds // 'b' in evidence.kinds", ("a",)),
        ("'it\\'s' in evidence.kinds", ("it\\'s",)),
        ("evidence.kinds.exists(kind, kind == 'a'", ("a",)),
        ("'a' in evidence.kindsx && 'b' in my.evidence.kinds", ()),
        (
            "r'a' in evidence . kinds",
            (),
        ),  # spaces in names are not looked through: a word less is told, and never a wrong one
    ],
)
def test_what_is_looked_for(text: str, found: tuple[str, ...]) -> None:
    assert looked_for(text, "evidence.kinds") == found


def test_the_words_are_those_that_a_dossier_can_have() -> None:
    """Every kind of statement that is read has a word; what packs do not decide by has none; forms of bills have one each."""
    apart = {"admission", "answers", "decision", "eval-plan", "revocations"}
    words = {kind_of(each) for each in KNOWN} | {"cyclonedx", "spdx", "signature"}
    assert words - apart == KINDS
