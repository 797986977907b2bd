"""The packages that a list names, as PEP 508 writes them; what is no requirement names none."""

from __future__ import annotations

from typing import Any

import pytest

from openvet.formats.requirements import _named


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("numpy", [{"name": "numpy"}]),
        ("torch>=2.4,<3", [{"name": "torch", "versions": ">=2.4,<3"}]),
        ("a[b,c] ~= 1.0 ; python_version < '3.9'", [{"name": "a", "extras": "[b,c]", "versions": "~= 1.0", "if": "python_version < '3.9'"}]),
        ("x @ https://example.com/x.whl", [{"name": "x", "place": "https://example.com/x.whl"}]),
        ("foo (>=1.2)", [{"name": "foo", "versions": ">=1.2"}]),
        ("torch==2.4 --hash=sha256:ab", [{"name": "torch", "versions": "==2.4"}]),
        ("a>=1, b==2", [{"name": "a", "versions": ">=1"}, {"name": "b", "versions": "==2"}]),
        *((line, []) for line in ("-e git+https://example.com/x", "./local", "https://example.com/b.whl", "a b c", "a[", "a @ b c", "", "é")),
    ],
)  # fmt: skip
def test_what_a_line_names(line: str, wanted: list[dict[str, Any]]) -> None:
    assert _named(line, 7) == [{"line": 7, **each} for each in wanted]
