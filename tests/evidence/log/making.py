"""Logs for tests: keys that are made once, entries by number, and disks that stop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from openvet.evidence.keys import generate
from openvet.evidence.log.audit import Audit, audit
from openvet.evidence.log.disk import Disk
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import create_log, open_writer

KEY, OTHER = generate("ed25519"), generate("ed25519")
ORIGIN = "example.com/log"


class Killed(BaseException):
    """The process ends here: nothing after this runs but what closes descriptors."""


class DyingDisk(Disk):
    """Stops before its ``last``-th step; a write that it stops at is done by half."""

    def __init__(self, folder: str, last: int = 1 << 60, *, torn: bool = False) -> None:
        super().__init__(folder)
        self.steps = 0
        self._last = last
        self._torn = torn
        self._writing = False

    def before(self, step: str, name: str) -> None:
        self.steps += 1
        self._writing = self._torn and self.steps == self._last and step == "write"
        if self.steps == self._last and not self._writing:
            raise Killed

    def write(self, descriptor: int, data: memoryview) -> int:
        if self._writing:
            os.write(descriptor, data[: len(data) // 2])
            raise Killed
        return os.write(descriptor, data)


def entries(begin: int, end: int, word: str = "entry") -> list[bytes]:
    """Entries that differ, of different lengths."""
    return [f"{word} {number} ".encode() * (number % 5) for number in range(begin, end)]


def new_log(folder: Path, *batches: int) -> str:
    """A log with batches of entries of these sizes."""
    create_log(str(folder), ORIGIN, KEY)
    add(folder, *batches)
    return str(folder)


def add(folder: Path, *batches: int) -> None:
    with open_writer(str(folder), KEY) as writer:
        for count in batches:
            size = writer.checkpoint.size
            assert writer.append(entries(size, size + count)) == range(size, size + count)


def look(folder: str | Path, kept: bytes | None = None) -> Audit:
    return audit(str(folder), KEY.public, ORIGIN, kept)


def all_entries(folder: str | Path) -> Sequence[bytes]:
    return list(LogReader(str(folder), KEY.public).entries())
