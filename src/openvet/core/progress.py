"""Progress: counters that the work raises and a door may show. Reading them needs no lock."""

from __future__ import annotations

from openvet.core.dataclass import dataclass

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """How far an examination is. ``bytes_done`` counts hashed bytes, since every byte is hashed once."""

    subject: str = ""
    doing: str = ""
    files_total: int = 0
    files_done: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
