"""A file of no bytes.

Usual for ``__init__.py``, ``.gitkeep`` and ``py.typed``. There is no byte that could mean anything, so it is inert.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="empty",
    title="empty file",
    extensions=(),
    media_types=("inode/x-empty",),
    can_tell=("that there is nothing in it",),
    cannot_tell=("whether something should be in it",),
)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.size == 0 else Likeness.NO


def read(source: Source, facts: Facts) -> None:  # noqa: ARG001 - the contract of a format
    facts.coverage = Coverage.INERT
