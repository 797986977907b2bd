"""Regular expressions that are compiled when they are first used.

A command imports well over a hundred patterns and uses a few of them; to compile one takes a tenth of a millisecond.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

__all__ = ["pattern"]

if TYPE_CHECKING:
    from re import compile as pattern
else:

    class _Pattern:
        """A pattern that has its methods from the moment when one of them is asked for."""

        def __init__(self, text: str | bytes, flags: int) -> None:
            self._text = text
            self._flags = flags

        def __getattr__(self, name: str) -> Any:
            """Called where the instance has no such attribute yet."""
            compiled = re.compile(self._text, self._flags)
            for each in ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split", "pattern"):
                setattr(self, each, getattr(compiled, each))
            return getattr(compiled, name)

    def pattern(text: str | bytes, flags: int = 0) -> _Pattern:
        """What ``re.compile`` makes of ``text``, later: for a pattern that a module keeps under a name.

        Raises:
            re.error: not here but where the pattern is first used.
        """
        return _Pattern(text, flags)
