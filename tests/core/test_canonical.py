import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.canonical import canonical_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=200)
@given(VALUES)
def test_round_trip_and_determinism(value: Any) -> None:
    data = canonical_json(value)
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


def test_key_order_is_by_utf16_code_units() -> None:
    # RFC 8785 section 3.2.3: U+1F600 (surrogates d83d de00) sorts before U+FB33
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    data = canonical_json(dict.fromkeys(keys, 0)).decode()
    assert list(json.loads(data)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", [1.5, float("nan"), {1: 2}, {"a": object()}, b"x"])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_an_integer_that_not_every_reader_carries_is_refused() -> None:
    with pytest.raises(ValueError, match="text"):
        canonical_json(2**53 + 1)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_json("\ud800")
