"""The database by its URL: SQLite in a file, or PostgreSQL. One set of tables, brought up to date when it is opened.

SQLite runs with a write-ahead log and ``synchronous=FULL``: what was committed is on the disk, also after the power failed
(https://www.sqlite.org/pragma.html#pragma_synchronous). Whoever writes says so first (``BEGIN IMMEDIATE``), so that no transaction finds out
at its end that another one was faster. PostgreSQL's defaults promise the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError

__all__ = ["Connection", "Database", "open_database", "schema_of", "told"]

#: Seconds that a transaction waits for another one's end.
_WAIT: Final = 30
_CONNECTIONS: Final = 64
#: Number of PostgreSQL's advisory lock under which migrations run: any number that is always the same.
_LOCK: Final = 7_027_216_081
_MIGRATIONS: Final = os.path.join(os.path.dirname(__file__), "migrations")


class Database:
    """Transactions. May be used by several threads.

    Args:
        engine: of SQLAlchemy, as :func:`open_database` sets it up.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # SQLite's own waiting is by sleeping and asking again: among threads of one process a queue is faster
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing.

        Raises:
            StorageError: the database does not answer.
        """
        with told(), self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the context is left, or never happened where it is left by an error.

        Raises:
            StorageError: it did not happen: the disk is full, or the database does not answer.
        """
        with told(), self._turn, self.engine.connect() as connection:
            writing = connection.execution_options(openvet_writing=True)
            with writing.begin():
                yield writing

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def told() -> Iterator[None]:
    """Say what went wrong with the database (raises :class:`StorageError`)."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        why = printable(str(getattr(error, "orig", None) or error).strip().splitlines()[0])[:300]
        raise StorageError(f"the database cannot be used: {why}; nothing of this was acknowledged") from error


def open_database(url: str, *, upgrade: bool = True) -> Database:
    """The database at ``url``, with its tables brought up to date.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://USER@HOST/NAME``.
        upgrade: whether tables of an older OpenVet are brought up to date; else they are refused: a server that uses them may be running.

    Raises:
        UsageError: it is no such URL, or the database is one of a newer OpenVet, or of an older one that is not to be upgraded.
        StorageError: it cannot be reached or written.
    """
    place = _place(url)
    engine = _sqlite(place) if place.get_backend_name() == "sqlite" else _postgresql(place)
    database = Database(engine)
    try:
        if upgrade:
            _migrate(database)
        elif (found := schema_of(database)) != _head():
            raise UsageError(
                f"the database has the schema {printable(found or 'of none')[:40]}, and this OpenVet has {_head()}: use the OpenVet that runs the server, "
                "or start the server with this one first, which brings it up to date"
            )
    except BaseException:
        database.close()
        raise
    return database


def schema_of(database: Database) -> str:
    """The version of the tables, '' where there are none (raises :class:`StorageError`)."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def _head() -> str:
    return str(ScriptDirectory(_MIGRATIONS).get_current_head())


def _place(url: str) -> URL:
    try:
        place = make_url(url)
        if place.get_backend_name() not in {"sqlite", "postgresql"}:
            raise NoSuchModuleError
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise UsageError(
            "the database is named by a URL such as sqlite:////srv/openvet/openvet.db or postgresql://openvet@db/openvet"
        ) from None
    if place.get_backend_name() == "postgresql":
        return place.set(drivername="postgresql+psycopg")
    if place.database in {None, "", ":memory:"}:
        raise UsageError("SQLite needs a file: sqlite:////srv/openvet/openvet.db; what is only in memory is lost")
    return place


def _sqlite(place: URL) -> Engine:
    engine = create_engine(place, pool_size=16, max_overflow=_CONNECTIONS - 16, connect_args={"timeout": _WAIT})

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        connection.isolation_level = (
            None  # the driver would begin transactions itself, and none for a change of the schema
        )
        for each in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_WAIT * 1000}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {each}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("openvet_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(place: URL) -> Engine:
    return create_engine(
        place,
        pool_size=16,
        max_overflow=_CONNECTIONS - 16,
        pool_pre_ping=True,
        connect_args={"options": "-c synchronous_commit=on -c timezone=UTC", "connect_timeout": _WAIT},
    )


def _migrate(database: Database) -> None:
    """Run the migrations that are missing, all of them in one transaction, which only one process at a time is in."""
    scripts = ScriptDirectory(_MIGRATIONS)
    known = {each.revision for each in scripts.walk_revisions()}
    head = scripts.get_current_head()
    with database.reading() as connection:  # the common case takes no lock
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        context = MigrationContext.configure(connection, opts={"transactional_ddl": True})
        current = context.get_current_revision()
        if current is not None and current not in known:
            raise UsageError(
                f"the database has the schema {printable(current)[:40]}, which a newer OpenVet made: use that one, or restore the backup "
                "that was made before it"
            )
        operations = Operations(context)
        for each in reversed(list(scripts.iterate_revisions(head, current))):
            each.module.upgrade(operations)
        context.stamp(scripts, str(head))
