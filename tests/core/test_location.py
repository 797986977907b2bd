"""Places: JSON Pointers that stay short however long the keys are."""

from __future__ import annotations

import pytest

from openvet.core.location import Location, below
from openvet.formats._keras import objects
from openvet.formats._templates import _named


def test_a_pointer_is_escaped() -> None:
    assert below(below("", "a/b~c"), 3) == "/a~1b~0c/3"


def test_a_pointer_keeps_its_ends_and_stays_short() -> None:
    pointer = ""
    for number in range(100):
        pointer = below(pointer, f"{number}-" + "k" * 1_000_000)
        assert len(pointer) <= 1000
    assert pointer.startswith("/0-k")
    assert below(pointer, "ops").endswith("/ops")


def test_a_long_key_is_not_written_out_for_everything_below_it() -> None:
    document = {"k" * 1_000_000: [{"chat_template": "a", "config": {"b": 1}}] * 100}
    assert max(len(pointer) for pointer, _ in objects(document)) <= 1000
    assert max(len(pointer) for pointer, _ in _named(document, "chat_template")) <= 1000


@pytest.mark.parametrize("pointer", ["/a\\b", "/a\x1f", "/a\\b\x1f", "/a\\x1f", "/plain", "/\u202e"])
def test_a_location_that_was_read_is_written_as_it_was(pointer: str) -> None:
    written = Location("a", pointer=pointer).to_json()
    assert Location.from_json(written).to_json() == written
    assert written["pointer"].isprintable()
