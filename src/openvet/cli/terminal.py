"""What the terminal can do, and writing to it without ever failing over a character."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from openvet.reports.look import Look

__all__ = ["SYMBOLS", "is_terminal", "look_of", "may_colour", "say"]

SYMBOLS = "—→…×·█░▁▂▃▄▅▆▇│└─"
_NARROWEST, _WIDEST, _NO_TERMINAL = 40, 120, 100


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at ``stream`` (which may be closed)."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def may_colour(stream: TextIO | None) -> bool:
    """Colours: ``NO_COLOR`` forbids, ``FORCE_COLOR`` demands, a dumb terminal has none, else a terminal has them.

    The order is that of Python's own tracebacks. Source: no-color.org, force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def look_of(stream: TextIO | None) -> Look:
    """How text for ``stream`` should look."""
    return Look(width=_width(stream), colour=may_colour(stream), unicode=_has_symbols(stream))


def _width(stream: TextIO | None) -> int:
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and len(asked) < 6 and int(asked) > 0:
        found = int(asked)
    elif stream is None or not is_terminal(stream):
        return _NO_TERMINAL
    else:
        try:
            found = os.get_terminal_size(stream.fileno()).columns or _NO_TERMINAL
        except (OSError, ValueError):
            return _NO_TERMINAL
    return max(_NARROWEST, min(found, _WIDEST))


def _has_symbols(stream: TextIO | None) -> bool:
    try:
        SYMBOLS.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str) -> None:
    """One line for the person, on standard error. It never fails: there may be nobody to hear it."""
    try:
        if sys.stderr is not None:
            look = look_of(sys.stderr)
            encoding = sys.stderr.encoding or "ascii"
            sys.stderr.write(look.finish(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
            sys.stderr.flush()
    except (OSError, ValueError):
        pass
