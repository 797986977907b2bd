"""The compact protocol of Thrift: what is kept of lists is bounded."""

from __future__ import annotations

import pytest

from openvet.core.limits import Budget
from openvet.errors import LimitError
from openvet.formats import _thrift
from openvet.formats._format import Facts
from openvet.formats._thrift import Compact


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _list_of_nothing(count: int) -> bytes:
    """A structure whose field 1 is a list of empty structures, a byte for each."""
    return b"\x19\xfc" + _varint(count) + bytes(count) + b"\0"


def test_values_of_lists_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thrift, "_MOST_KEPT", 1_000)
    assert Compact(_list_of_nothing(1_000), Facts("x", "x", Budget())).structure({1: {}}) == {1: [{}] * 1_000}
    with pytest.raises(LimitError, match="more values"):
        Compact(_list_of_nothing(1_001), Facts("x", "x", Budget())).structure({1: {}})


def test_what_is_not_wanted_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thrift, "_MOST_KEPT", 1_000)
    assert Compact(_list_of_nothing(5_000), Facts("x", "x", Budget())).structure({2: {}}) == {}
