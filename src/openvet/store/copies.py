"""The whole database at one moment, as a file of SQLite, and back: also from PostgreSQL, and into it.

While it is copied, others go on writing. ``VACUUM INTO`` (https://www.sqlite.org/lang_vacuum.html) and a transaction of PostgreSQL with ``REPEATABLE READ``
each see the state at one moment.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Final
from urllib.parse import quote

from sqlalchemy import BigInteger, func, insert, select, text

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError
from openvet.store.database import Connection, Database, open_database, told
from openvet.store.tables import METADATA

__all__ = ["blobs_in", "copy_out", "fill"]

_ROWS: Final = 500


def copy_out(database: Database, path: str) -> None:
    """Write everything that is committed now into a new file of SQLite.

    Raises:
        StorageError: it cannot be read, or the file cannot be written.
    """
    if database.engine.dialect.name == "sqlite":
        with told():
            raw = database.engine.raw_connection()
        try:
            # outside of a transaction, which it does not allow
            raw.execute("VACUUM INTO ?", (path,))
        except sqlite3.Error as error:
            raise StorageError(f"the database cannot be copied to {printable(path)}: {error}") from error
        finally:
            raw.close()
        return
    target = open_database(f"sqlite:///{path}")
    try:
        at_once = database.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with told(), at_once.connect() as source, target.writing() as into:
            _copy(source, into)
    finally:
        target.close()
    try:
        with closing(sqlite3.connect(path)) as alone:  # one file, whoever reads it next
            alone.execute("PRAGMA journal_mode=DELETE").close()
    except sqlite3.Error as error:
        raise StorageError(f"{printable(path)} cannot be written: {error}") from error


def fill(path: str, database: Database) -> None:
    """Write everything of a file that :func:`copy_out` made, in the newest schema, into an empty database: all of it, or nothing.

    Raises:
        UsageError: the database is not empty.
        StorageError: it cannot be read or written.
    """
    source = open_database(f"sqlite:///{path}")
    try:
        with source.reading() as rows, database.writing() as into:
            for table in METADATA.sorted_tables:
                if into.execute(select(func.count()).select_from(table)).scalar_one():
                    raise UsageError(
                        f"the database that is configured is not empty (there are rows in {table.name}); name a new one in [data]"
                    )
            _copy(rows, into)
            if into.dialect.name == "postgresql":
                _count_on(into)
    finally:
        source.close()


def blobs_in(path: str) -> list[tuple[str, int]]:
    """The digests and sizes of the stored files that a copy lists; the copy is not touched.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as source:
            return source.execute("SELECT sha256, size FROM blob ORDER BY sha256").fetchall()
    except sqlite3.Error as error:
        raise StorageError(f"{printable(path)} cannot be read: {error}") from error


def _copy(source: Connection, into: Connection) -> None:
    for table in METADATA.sorted_tables:  # what others refer to comes first
        found = source.execution_options(yield_per=_ROWS).execute(select(table))
        for rows in found.mappings().partitions():
            into.execute(insert(table), [dict(each) for each in rows])


def _count_on(into: Connection) -> None:
    """Let PostgreSQL give new rows numbers after those that came along."""
    for table in METADATA.sorted_tables:
        if "id" in table.c and isinstance(table.c.id.type, BigInteger):
            highest = into.execute(select(func.max(table.c.id))).scalar()
            if highest is not None:
                name = into.dialect.identifier_preparer.format_table(table)
                into.execute(
                    text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)"),
                    {"name": name, "highest": highest},
                )
