"""Which processes vet: each says so every few seconds, so that somebody notices when none does."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, func, insert, select, update

from openvet.store.database import Connection
from openvet.store.tables import WORKER

__all__ = ["LIVES", "add_worker", "end_worker", "keep_worker", "living_workers"]

#: Milliseconds after its last sign for which a process counts as alive.
LIVES: Final = 30_000
_FORGOTTEN: Final = 24 * 3_600_000


def add_worker(connection: Connection, key: str, place: str, version: str, threads: int, now: int) -> None:
    """Somebody begins to work; those that have given no sign for a day are forgotten."""
    connection.execute(delete(WORKER).where(WORKER.c.seen < now - _FORGOTTEN))
    values = {"id": key, "place": place, "version": version, "threads": threads, "since": now, "seen": now}
    connection.execute(insert(WORKER).values(**values))


def keep_worker(connection: Connection, key: str, now: int) -> bool:
    """A sign of life; false where nobody knows of it any more."""
    return connection.execute(update(WORKER).where(WORKER.c.id == key).values(seen=now)).rowcount == 1


def end_worker(connection: Connection, key: str) -> None:
    """Somebody ends."""
    connection.execute(delete(WORKER).where(WORKER.c.id == key))


def living_workers(connection: Connection, now: int) -> tuple[int, int]:
    """How many processes work, and how many vettings they do at a time together."""
    which = select(func.count(), func.sum(WORKER.c.threads)).where(WORKER.c.seen > now - LIVES)
    count, threads = connection.execute(which).one()
    return int(count), int(threads or 0)
