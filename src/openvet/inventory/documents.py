"""How much memory a parsed text takes that is kept for the rules.

Rules look at the values of all texts after the last file was read: which module a configuration names, whether an index fits its
shards. One text has a limit of its own, but a subject may have any number of them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["weight"]

#: What an object of Python takes beside the characters of its text, and its place in what holds it.
_EACH = 100


def weight(document: Any) -> int:
    """About the bytes that ``document`` takes: 100 for each key and each value, and one for each character.

    It is counted and not measured, so that every machine and every version of Python comes to the same answer. What an alias
    of YAML shares counts once.
    """
    total = 0
    seen: set[int] = set()
    level = [document]
    while level:
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str | bytes):
                total += _EACH + len(value)
            elif isinstance(value, dict | list):
                total += _EACH
                if id(value) not in seen:
                    seen.add(id(value))
                    inner += value.values() if isinstance(value, dict) else value
                    if isinstance(value, dict):
                        total += sum([_EACH + len(key) if isinstance(key, str) else _EACH for key in value])
            else:
                total += _EACH
        level = inner
    return total
