"""What was not read, below an answer to one question: there may be more than the answer says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvet.core.coverage import Unknown
from openvet.reports._text import plural, short, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import wrapped

__all__ = ["compose_unread"]

_SHOWN: Final = 5


def compose_unread(unknowns: Sequence[Unknown], look: Look = PLAIN, *, everything: bool = False) -> str:
    """A few lines, '' where all was read; only the first places without ``everything``."""
    if not unknowns:
        return ""
    shown = unknowns if everything else unknowns[:_SHOWN]
    title = f"Not read: {plural(len(unknowns), 'place')}. What stands there is not in this answer"
    lines = ["", look.paint(title, "yellow")]
    for each in shown:
        where = visible(str(each.location)) if each.location.place else "the whole model"
        lines += wrapped(f"{where}: {short(each.message)}", look.width - 2, indent=4, first="  ")
    if len(shown) < len(unknowns):
        lines.append(f"  and {len(unknowns) - len(shown):,} more; openvet check lists them")
    return look.finish("\n".join(lines) + "\n")
