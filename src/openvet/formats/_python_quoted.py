"""Commands that a text speaks of: a prompt for a test of safety, a sentence of a lesson. A heuristic over constants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["speaks_of"]

#: A sentence begins as no command does: with a capital, and words of letters alone.
_SENTENCE: Final = pattern(r"[\"'(]?[A-Z][a-z']{0,20}(?:,? [A-Za-z][a-z']{0,20}){3}[ ,:.`'\"-]")
#: With one of these a source can run a text that it holds.
_RUNS: Final = frozenset({"process", "code", "hidden", "native", "startup", "import", "handed"})


def speaks_of(text: str, capabilities: Iterable[str]) -> bool:
    """Whether ``text`` is a sentence of one line, in a source of these capabilities, which then runs nothing."""
    return "\n" not in text.strip() and _SENTENCE.match(text) is not None and _RUNS.isdisjoint(capabilities)
