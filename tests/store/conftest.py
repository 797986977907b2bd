"""A database for each test: SQLite, and PostgreSQL where OPENVET_TEST_POSTGRES names a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from openvet.store.database import Database, open_database

SERVER = os.environ.get("OPENVET_TEST_POSTGRES", "")
KINDS = ["sqlite", "postgresql"] if SERVER else ["sqlite"]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/openvet.db"
        return
    name = f"openvet_{uuid.uuid4().hex[:12]}"
    server = make_url(SERVER).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = open_database(url)
    yield made
    made.close()
