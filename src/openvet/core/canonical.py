"""Canonical JSON: the same value always gives the same bytes.

The form is that of RFC 8785 (JSON Canonicalization Scheme) for the values we emit: objects sorted by UTF-16
code units, no white space, UTF-8, shortest escapes. Floating-point numbers are refused, because no digest of
ours may depend on how a platform prints one; write a number of a unit small enough to be an integer, or text.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["canonical_json"]


def canonical_json(value: Any) -> bytes:
    """``value`` as canonical JSON bytes.

    Raises:
        TypeError: for a float, a key that is not text, or any type that JSON does not have.
        ValueError: for text that is not valid Unicode, or an integer beyond 2**53 (RFC 8785 section 3.2.2.3).
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def _ordered(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > 2**53:
            raise ValueError(f"{value} cannot be carried exactly by every JSON reader; write it as text")
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a key must be text, not {type(key).__name__}")
        return {
            key: _ordered(value[key]) for key in sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))
        }
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")
