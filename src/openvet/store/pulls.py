"""Who was given what, and a few values that the server remembers."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.store.database import Connection
from openvet.store.tables import META, PULL

__all__ = ["add_pull", "get_value", "set_value"]


def add_pull(
    connection: Connection,
    revision: int,
    path: str,
    sha256: str,
    person: int | None,
    agent: str,
    address: str,
    sent: int,
    now: int,
    project: str | None = None,
) -> None:
    """Remember that somebody was given ``sent`` bytes of a file, for a project; ``None`` is not known."""
    connection.execute(
        insert(PULL).values(
            revision=revision, path=path, sha256=sha256, person=person, agent=agent, address=address, bytes=sent, at=now, project=project,
        )
    )  # fmt: skip


def get_value(connection: Connection, name: str) -> str:
    """A remembered value, '' where there is none."""
    return connection.execute(select(META.c.value).where(META.c.name == name)).scalar() or ""


def set_value(connection: Connection, name: str, value: str) -> None:
    """Remember a value in place of the one before."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    new = make(META).values(name=name, value=value)
    connection.execute(new.on_conflict_do_update(index_elements=[META.c.name], set_={"value": value}))
