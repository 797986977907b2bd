"""Characters that make an editor show a line of source in another order than a program reads it.

An embedding, override or isolate of the Unicode bidirectional algorithm that is still open where a line ends moves what stands behind it,
so that a comment can look like code and code like a comment. Those that are closed again, as in texts of right-to-left languages, are none.

Source: https://trojansource.codes (CVE-2021-42574); UAX #9; GCC's ``-Wbidi-chars=unpaired``.
"""

from __future__ import annotations

from typing import Final

from openvet.core.pattern import pattern

__all__ = ["reordered_line"]

_MARK: Final = pattern("[\u202a-\u202e\u2066-\u2069]")
#: Overrides and isolates, which nobody gets into a source by a mistake; an embedding comes along with paths that Windows shows.
_TURNS: Final = pattern("[\u202d\u202e\u2066-\u2068]")
_LINE_MOST: Final = 100_000
_ISOLATES: Final = "\u2066\u2067\u2068"


def reordered_line(text: str) -> tuple[int, bool] | None:
    """The number of the first line on which such a character is left open, or one closes nothing, and whether it is turned on purpose;
    ``None`` where there is none.
    """
    if _MARK.search(text) is None:
        return None
    for number, line in enumerate(text.splitlines(), 1):
        opened: list[str] = []
        for found in _MARK.finditer(line[:_LINE_MOST]):
            mark = found[0]
            if mark not in "\u202c\u2069":
                opened.append("\u2069" if mark in _ISOLATES else "\u202c")
            elif not opened or opened.pop() != mark:
                break
        else:
            if not opened:
                continue
        return number, _TURNS.search(line[:_LINE_MOST]) is not None
    return None
