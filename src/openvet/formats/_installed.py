"""Packages that the lines of a script or container file install with pip."""

from __future__ import annotations

import re
from typing import Any, Final

from openvet.core.pattern import pattern
from openvet.formats._format import Facts
from openvet.formats.requirements import packages_of

__all__ = ["tell_installed"]

_INSTALL: Final = pattern(r"\bpip[\d.]{0,6}\s+install\s+([^;|&\n]{1,20000})")
_WORD: Final = pattern(r"\"([^\"]*)\"|'([^']*)'|(\S+)")
_MORE_INDEXES: Final = f"--{'extra'}-index-url"
#: Options of ``pip install`` that take the next word with them.
_WITH_VALUE: Final = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", _MORE_INDEXES, "-f", "--find-links", "-t", "--target",
     "-e", "--editable", "--prefix", "--root", "--src", "--trusted-host", "--platform", "--python-version", "--proxy", "--cert",
     "--timeout", "--retries", "--progress-bar", "--no-binary", "--only-binary", "--cache-dir", "--log", "--group"}
)  # fmt: skip
_MOST: Final = 500


def tell_installed(text: str, facts: Facts) -> None:
    """Note each of them under ``requirements``, as lists of requirements do."""
    if "install" not in text:
        return
    found: list[dict[str, Any]] = []
    # a line that a backslash continues keeps its number
    for match in _INSTALL.finditer(re.sub(r"\\\r?\n", "  ", text)):
        before = match.string[: match.start()].rsplit("\n", 1)[-1].lstrip()
        if before.startswith("#"):
            continue
        number = text.count("\n", 0, match.start()) + 1
        found.extend(_named(match[1], number))
        if len(found) > _MOST:
            break
    if found:
        facts.metadata["requirements"] = found[:_MOST]


def _named(words: str, number: int) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    skip = False
    for match in _WORD.finditer(words):
        word = match[1] or match[2] or match[3] or ""
        if skip or word.startswith("-"):
            skip = not skip and word in _WITH_VALUE
        elif "$" not in word and "/" not in word:
            out.extend(packages_of(word, number))
    return out
