"""Pickles of the oldest protocols that stand in the middle of a text as they are, since those protocols are text themselves.

A pickle of protocol 0 resolves a name with three lines of words, which a text may hold by chance: two words one below the other. So
only what goes on as a pickle counts: a strict walk from there has to call what it resolved. Where the first line names a module of
Python itself and arguments follow, that is enough; otherwise the whole pickle must be there, up to its end.

Whoever seeks to such a place, or cuts the text there, loads it. Line ends of Windows are read as the text mode of a file does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from openvet.core.limits import Budget
from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.io.source import BytesSource

__all__ = ["OVERLAP", "StandingPickles"]

#: Bytes before and behind a name that belong to its pickle, at most.
_BEFORE: Final = 2 * 1024
_BEHIND: Final = 64 * 1024
#: As much of one part of a text is looked at again with the next.
OVERLAP: Final = 4 * 1024
_OPCODES: Final = 2_000
#: Places that are walked in one file; of words that only look so there are few.
_TRIES: Final = 20_000
#: A name that is resolved by GLOBAL or INST; its module is looked up afterwards.
_NAMED: Final = pattern(rb"[ci](\w{1,40})((?:\.\w{1,40}){0,8})\n[A-Za-z_][\w.]{0,200}\n")
#: How the arguments begin that follow a callable at once.
_ARGUMENTS: Final = pattern(rb"\((?:S['\"]|[VU]|[pqg]\d|[ILF]-?\d|[cdlNt(]|X)|\)R|p\d+\n\(")
#: What may stand behind a name in a text that is a pickle: opcodes, those with a line of their own only where it fits.
_GOES_ON: Final = pattern(rb"[()\]}02NRtodlbu.\x80-\xff]|S['\"]|[ILFpg]-?\d|[VcXUTKMJGhqr\x8c]")
#: Marks before a name at which a walk is begun.
_MARKS: Final = 8
_MODULES: Final = frozenset(
    name.encode()
    for name in (*sys.stdlib_module_names, "__builtin__", "commands", "imp", "distutils", "popen2", "dl", "asyncore")
)


class StandingPickles:
    """The search of one file, which may be given in parts."""

    __slots__ = ("_budget", "_tries")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tries = 0

    @property
    def spent(self) -> bool:
        """Whether some places were left alone, since there were too many."""
        return self._tries > _TRIES

    def find(self, data: bytes) -> Iterator[bytes]:
        """Each pickle in ``data`` that calls what it resolves, from its first byte to its end or to where it breaks off."""
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        done = 0
        for match in _NAMED.finditer(data):
            own = match[1] in _MODULES
            if match.start() < done or not (
                (own and _GOES_ON.match(data, match.end())) or _ARGUMENTS.match(data, match.end())
            ):
                continue
            self._tries += 1
            if self._tries > _TRIES:
                return
            found = self._from(data, match.start(), own=own)
            if found is not None:
                done = found[1]
                yield data[found[0] : found[1]]

    def _from(self, data: bytes, at: int, *, own: bool) -> tuple[int, int] | None:
        """Where the pickle begins and ends that resolves the name at ``at``.

        Its arguments may stand before it (INST, or by way of the memo), so that it is begun at marks before it as well: a whole
        pickle counts before one that breaks off.
        """
        first: tuple[int, int] | None = None
        start, arguments = at, data.index(b"\n", data.index(b"\n", at) + 1) + 1
        mark = max(at - _BEFORE, 0)
        for _ in range(_MARKS):
            end, whole = self._walk(data, start, arguments, own=own)
            if end > at and whole:
                return start, end
            if end > at and first is None:
                first = start, end
            mark = data.find(b"(", mark, at)
            if mark < 0:
                break
            start = arguments = mark
            mark += 1
        return first

    def _walk(self, data: bytes, start: int, arguments: int, *, own: bool) -> tuple[int, bool]:
        """The end of a pickle that begins at ``start`` and calls something, and whether it is whole; ``arguments`` is where those
        of a call may begin. The end is -1 where there is none.
        """
        from openvet.formats.pickle.probing import evidence

        self._budget.check_time()
        window = data[start : start + _BEHIND]
        try:
            seen = evidence(BytesSource(window), Budget(), opcodes=_OPCODES)
        except ReadError:
            return -1, False
        if not seen.calls or not (seen.stopped or (own and _ARGUMENTS.match(data, arguments))):
            return -1, False
        return start + (seen.end if seen.stopped else len(window)), seen.stopped
