"""Entry points that packaging metadata names: ``pyproject.toml``, ``setup.cfg``, ``entry_points.txt`` and texts of ``setup.py``.

Specification: https://packaging.python.org/en/latest/specifications/entry-points/ ; groups of scripts for people are left out.
"""

from __future__ import annotations

import re
from typing import Any, Final

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.formats._format import Facts

__all__ = ["note_entry_points", "note_entry_tables"]

_PEOPLE: Final = frozenset({"console_scripts", "gui_scripts", "scripts", "gui-scripts"})
_GROUP: Final = pattern(
    r"^\s{0,80}\[?[\"']?([A-Za-z][\w.-]{0,80})[\"']?(?:\]|\s{0,9}[:=]\s{0,9}[\[(\"']{0,4})\s*$", re.MULTILINE
)
_TARGET: Final = pattern(r"[\w.-]{1,80}\s{0,9}=\s{0,9}([A-Za-z_][\w.]{0,200}:[A-Za-z_][\w.]{0,200})")
_INLINE: Final = pattern(r"[\"']([\w.-]{1,80})[\"']\s{0,9}:\s{0,9}[\[(]?\s*[\"']")
_MOST: Final = 200
_LONGEST: Final = 256 * 1024


def note_entry_points(text: str, facts: Facts) -> None:
    """Note the functions that a text of the INI kind, or the arguments of ``setup()``, name for hosts to call."""
    targets: list[str] = []
    group = ""
    for line in text[:_LONGEST].splitlines():
        line = line[:1_000]
        if found := _GROUP.match(line) or _INLINE.search(line):
            group = found[1]
        if group in _PEOPLE:
            continue
        targets += _TARGET.findall(line)[: _MOST - len(targets)]
    _note(targets, facts)


def note_entry_tables(document: Any, facts: Facts) -> None:
    """Note the same of a parsed ``pyproject.toml``: of the standard and of Poetry."""
    targets: list[str] = []
    for table in (_below(document, "project", "entry-points"), _below(document, "tool", "poetry", "plugins"),
                  _below(document, "tool", "flit", "entrypoints"), _below(document, "tool", "setuptools", "entry-points")):  # fmt: skip
        for group, names in table.items():
            if group not in _PEOPLE and isinstance(names, dict):
                targets += [each for each in names.values() if isinstance(each, str) and ":" in each]
    _note(targets, facts)


def _note(targets: list[str], facts: Facts) -> None:
    if targets:
        facts.note("entry_points", [printable(each)[:400] for each in targets[:_MOST]])


def _below(document: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}
