"""``python/reordered-text``: marks of the bidirectional algorithm that are left open on a line."""

from __future__ import annotations

import pytest

from openvet.formats._reordered import reordered_line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n", None),
        ("name = '\u2067\u05e9\u2069'\n", None),
        ("\u202b\u2067\u05e9\u2069\u202c\n", None),
        ("x\n'\u202e'\n", (2, True)),
        ("'\u2066'\n'\u2069'\n", (1, True)),
        ("x\nx\n\u202c\n", (3, False)),
        ("'\u202aC:/x'\n", (1, False)),
        ("'\u202e\u2066\u202c\u2069'\n", (1, True)),
    ],
)
def test_which_line(text: str, found: tuple[int, bool] | None) -> None:
    assert reordered_line(text) == found
