"""RIFF: chunks of four letters, a 32-bit length and an even number of bytes, inside one outer chunk.

Specification: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991).
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["walk_riff"]


def walk_riff(source: Source, facts: Facts, needed: tuple[bytes, ...], what: str) -> None:
    """Walk every chunk; one of ``needed`` must be there.

    Raises:
        MalformedError: a chunk goes beyond the one around it, or none of ``needed`` is there.
    """
    end = 8 + int.from_bytes(source.read(4, 4), "little")
    if end > source.size:
        raise MalformedError(f"says that it is {end} bytes long, and {source.size} are there", offset=4)
    at = 12
    found = False
    while at + 8 <= end:
        facts.budget.check_time()
        start = source.read(at, 8)
        length = int.from_bytes(start[4:], "little")
        name = printable(start[:4].decode("latin-1"))
        if at + 8 + length > end:
            raise MalformedError(f"the chunk {name} goes beyond the end", offset=at)
        found = found or start[:4] in needed
        if start[:4] not in needed:
            look_inside(facts, source.upto(at + 8, min(length, 4096)), f"the chunk {name}", at)
        at += 8 + length + (length & 1)
    if not found:
        raise MalformedError(f"holds no {' or '.join(each.decode().strip() for each in needed)} chunk", offset=12)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, min(max(at, 12), source.size), what)
