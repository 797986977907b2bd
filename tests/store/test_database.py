"""The database: what was committed stays, migrations happen once and whole, and what cannot be used says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, create_engine, inspect, select, text

from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError
from openvet.store import migrations
from openvet.store.database import Database, open_database
from openvet.store.jobs import add_job, last_job
from openvet.store.tables import METADATA


def test_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        names = set(inspect(connection).get_table_names())
    assert names == {*METADATA.tables, "alembic_version"}


def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    with database.reading() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


def test_what_is_only_read_is_not_changed(database: Database) -> None:
    with database.reading() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM meta")).scalar() == 0


def test_an_error_takes_everything_back(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as connection:  # noqa: PT012
        connection.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
        raise RuntimeError
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM meta")).scalar() == 0


def test_many_starts_at_once_make_one_schema(url: str) -> None:
    opened: list[Database] = []
    failed: list[BaseException] = []

    def start() -> None:
        try:
            opened.append(open_database(url))
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for one in opened:
        one.close()
    assert (len(opened), failed) == (8, [])


STEP = """
import os, signal, sys
from alembic.operations import Operations
from openvet.store.database import open_database
made = Operations.create_table
count = int(sys.argv[2])
def create_table(self, *arguments, **keywords):
    global count
    count -= 1
    if count < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return made(self, *arguments, **keywords)
Operations.create_table = create_table
open_database(sys.argv[1]).close()
"""


@pytest.mark.parametrize("count", [0, 1, 5, len(METADATA.tables) - 1])
def test_killed_in_a_migration_leaves_the_old_schema(url: str, count: int) -> None:
    done = subprocess.run([sys.executable, "-c", STEP, url, str(count)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    database = open_database(url)
    with database.reading() as connection:
        assert set(inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}
    database.close()


def of_version(url: str, version: str) -> dict[str, list[tuple[object, ...]]]:
    """A database as a server of an earlier version left it, with a row in each of its tables; what is in them."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        for each in reversed(list(SCRIPTS.iterate_revisions(version, None))):
            each.module.upgrade(Operations(context))
        context.stamp(SCRIPTS, version)
    found: dict[str, list[tuple[object, ...]]] = {}
    made = MetaData()
    made.reflect(engine)
    with engine.begin() as connection:
        for table in made.sorted_tables:
            if table.name != "alembic_version":
                refers = {each.parent.name: each.column for each in table.foreign_keys}
                connection.execute(table.insert().values({each.name: value_for(each, refers) for each in table.c}))
        for table in made.sorted_tables:
            names = [each.name for each in table.c]
            found[table.name] = [tuple(each) for each in connection.execute(select(*(table.c[name] for name in names)))]
    engine.dispose()
    return found


def value_for(column: Column[object], refers: dict[str, Column[object]]) -> object:
    """Something that fits into a column; what it refers to was filled by the same rule."""
    column = refers.get(column.name, column)
    kind = column.type.python_type
    return {int: 7, bool: True, bytes: b"kept"}.get(kind, f"{column.table.name}.{column.name}")


SCRIPTS = ScriptDirectory(str(Path(migrations.__file__).parent))
EARLIER = sorted(each.revision for each in SCRIPTS.walk_revisions())[:-1]


@pytest.mark.parametrize("version", EARLIER)
def test_a_database_of_every_earlier_version_is_brought_up_to_date_with_what_is_in_it(url: str, version: str) -> None:
    before = of_version(url, version)
    assert EARLIER[0] == "0001"
    assert {name for name, rows in before.items() if not rows} == set()
    with pytest.raises(UsageError, match=f"has the schema {version}"):
        open_database(url, upgrade=False)
    database = open_database(url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        for name, rows in before.items():
            if name != "alembic_version":
                table = Table(name, MetaData(), autoload_with=connection)
                now = [dict(each) for each in connection.execute(select(table)).mappings()]
                columns = list(now[0])
                assert [tuple(each.values())[: len(rows[0])] for each in now] == rows, (name, columns)
    # and new rows go on from there
    with database.writing() as connection:
        add_job(connection, "vet", "vet:1:all", {"revision": 7}, 1)
        assert last_job(connection, "vet:1:all") is not None
    database.close()


def test_a_schema_of_a_newer_version_is_not_touched(url: str) -> None:
    database = open_database(url)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(UsageError, match="newer OpenVet made"):
        open_database(url)


@pytest.mark.parametrize("name", ["mysql://a/b", "nothing", "sqlite://", "sqlite:///:memory:", "oracle+x://h/d", ""])
def test_what_is_no_database_of_ours(name: str) -> None:
    with pytest.raises(UsageError, match="sqlite:////srv"):
        open_database(name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be used: unable to open"):
        open_database(f"sqlite:///{tmp_path}/no/a.db")


def test_a_full_disk_is_told_and_nothing_is_acknowledged(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(StorageError, match="full"), database.writing() as connection:  # noqa: PT012
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
        for number in range(1000):
            connection.execute(
                text("INSERT INTO meta VALUES (:name, :value)"), {"name": str(number), "value": "x" * 4000}
            )
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM meta")).scalar() == 0
    database.close()


WRITER = """
import sys
from sqlalchemy import text
from openvet.store.database import open_database
database = open_database(sys.argv[1])
start = int(sys.argv[2])
for number in range(start, start + 1_000_000):
    with database.writing() as connection:
        connection.execute(text("INSERT INTO meta VALUES (:name, 'x')"), {"name": str(number)})
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_being_killed(url: str) -> None:
    open_database(url).close()
    for turn in range(int(os.environ.get("OPENVET_TEST_KILLS", "3"))):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(turn * 1_000_000)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.02 + 0.05 * turn)
        process.kill()
        rest = process.stdout.read().split("\n")
        process.stdout.close()
        process.wait()
        whole = [int(each) for each in rest[:-1]]
        database = open_database(url)
        with database.reading() as connection:
            there = {int(each) for each in connection.execute(text("SELECT name FROM meta")).scalars()}
        database.close()
        assert {*whole, turn * 1_000_000} <= there
