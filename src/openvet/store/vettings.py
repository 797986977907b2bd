"""Vettings: what a job reads of a commit, how far it is, and what came of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import VETTING

__all__ = [
    "VettingRow",
    "end_vetting",
    "note_progress",
    "start_vetting",
    "vetting_lines",
    "vetting_of_job",
    "vetting_report",
]


@dataclass(frozen=True, slots=True)
class VettingRow:
    """A reading. ``stage`` is ``ranges`` (headers, from the upstream) or ``bytes`` (all of it, as it lies here); ``state`` is ``running``, ``done`` or ``failed``."""

    id: int
    scope: str
    stage: str
    state: str
    verdict: str
    reason: str
    bytes_total: int
    bytes_done: int
    started: int
    finished: int | None


_COLUMNS: Final = (
    VETTING.c.id, VETTING.c.scope, VETTING.c.stage, VETTING.c.state, VETTING.c.verdict, VETTING.c.reason, VETTING.c.bytes_total,
    VETTING.c.bytes_done, VETTING.c.started, VETTING.c.finished,
)  # fmt: skip


def start_vetting(connection: Connection, revision: int, job: int, scope: str, stage: str, total: int, now: int) -> int:
    """Begin a reading, or begin it anew where the job was interrupted; its number."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    begun = {
        "state": "running",
        "verdict": "",
        "reason": "",
        "bytes_total": total,
        "bytes_done": 0,
        "started": now,
        "finished": None,
    }
    new = make(VETTING).values(revision=revision, job=job, scope=scope, stage=stage, **begun)
    keys = [VETTING.c.job, VETTING.c.stage]
    return int(
        connection.execute(
            new.on_conflict_do_update(index_elements=keys, set_=begun).returning(VETTING.c.id)
        ).scalar_one()
    )


def note_progress(connection: Connection, vetting: int, done: int) -> None:
    """Say how many bytes are here or were read."""
    connection.execute(update(VETTING).where(VETTING.c.id == vetting).values(bytes_done=done))


def end_vetting(
    connection: Connection,
    vetting: int,
    state: str,
    verdict: str,
    reason: str,
    report: bytes | None,
    lines: bytes | None,
    now: int,
) -> None:
    """Say what came of a reading; ``report`` and ``lines`` are deflated."""
    ended = {"state": state, "verdict": verdict, "reason": reason, "report": report, "lines": lines, "finished": now}
    connection.execute(update(VETTING).where(VETTING.c.id == vetting).values(**ended))


def vetting_of_job(connection: Connection, job: int) -> VettingRow | None:
    """The reading that a job is at, or was at last."""
    row = connection.execute(
        select(*_COLUMNS).where(VETTING.c.job == job).order_by(VETTING.c.id.desc()).limit(1)
    ).first()
    return None if row is None else VettingRow(**row._mapping)


def vetting_report(connection: Connection, vetting: int) -> bytes | None:
    """The deflated report of a reading."""
    report: bytes | None = connection.execute(select(VETTING.c.report).where(VETTING.c.id == vetting)).scalar()
    return report


def vetting_lines(connection: Connection, vetting: int) -> bytes | None:
    """The deflated signed statements of a reading, one a line; ``None`` where it made none."""
    lines: bytes | None = connection.execute(select(VETTING.c.lines).where(VETTING.c.id == vetting)).scalar()
    return lines
