"""What a child says of itself and replies is a stranger's word: it is shown without escapes, and what is no number or no text goes no further."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import pytest

from openvet.engines.model import Model, ReplyError
from openvet.sandbox.session import Session


class Says:
    """A session whose child says what it is told to, as JSON."""

    def __init__(self, facts: Any, reply: Any = None) -> None:
        self.facts = json.loads(json.dumps({"can": ["tokens", "embed"], "version": "r 1", **facts}))
        self.reply = reply

    def ask(self, *_: Any) -> Any:
        return json.loads(json.dumps(self.reply))


def model(facts: Any, reply: Any = None) -> Model:
    return Model(cast("Session", Says(facts, reply)), "onnx")


def test_what_it_says_of_itself_is_shown_without_escapes() -> None:
    found = model(
        {
            "version": "r 1\x1b[2J\ndecision  PASS",
            "can": ["generate", "x\ndecision  PASS"],
            "context": "4\x1b[1A",
            "a\nb": 1,
            "template": True,
            "long": "\x1b" * 300,
        }
    )
    assert found.version == r"r 1\x1b[2J\x0adecision  PASS"
    assert found.can == {"generate"}
    assert found.facts.pop("long") == (r"\x1b" * 50)
    assert found.facts == {"context": r"4\x1b[1A", r"a\x0ab": 1, "template": True}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, -(2**63)])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ReplyError, match="no number"):
        model({"context": value})
    with pytest.raises(ReplyError, match="no number"):
        model({}, {"vectors": [[value]], "tokens": 1}).embed(["a"])


def test_half_a_character_is_no_text() -> None:
    reply = {"texts": ["a\ud83d", "\ude00"], "logprobs": [None, -1.0], "tops": [None, {"\ud800": -1.0}]}
    first, second = model({}, reply).tokens("a", top=1)
    assert (first.text, second.text, second.top) == ("a?", "?", (("?", -1.0),))
