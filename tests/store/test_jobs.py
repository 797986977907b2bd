"""Jobs: one at a time by key, each done exactly once, whoever is killed when."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import text

from openvet.store.database import Database, open_database
from openvet.store.jobs import LostJobError, add_job, claim_job, fail_job, finishing, jobs_ahead, keep_job, last_job


def add(database: Database, key: str, now: int = 0, kind: str = "work", delay: int = 0) -> int:
    with database.writing() as connection:
        return add_job(connection, kind, key, {"key": key}, now, delay=delay)


def state(database: Database, key: str) -> tuple[str, int, str]:
    with database.reading() as connection:
        found = last_job(connection, key)
    assert found is not None
    return found.state, found.attempts, found.error


def test_a_job_from_its_beginning_to_its_end(database: Database) -> None:
    first = add(database, "a")
    assert add(database, "a") == first, "one active job a key"
    job = claim_job(database, 10, 100)
    assert job is not None
    assert (job.id, job.kind, job.key, job.payload, job.fence, job.attempts) == (first, "work", "a", {"key": "a"}, 1, 1)
    assert add(database, "a") == first
    assert claim_job(database, 10, 100) is None
    with finishing(database, job, 20) as connection:
        connection.execute(text("INSERT INTO meta VALUES ('done', 'a')"))
    assert state(database, "a") == ("done", 1, "")
    assert claim_job(database, 1000, 100) is None
    assert add(database, "a") != first
    with database.reading() as connection:
        assert last_job(connection, "other") is None


def test_the_longest_waiting_first_and_only_of_the_kinds_that_are_asked_for(database: Database) -> None:
    add(database, "late", delay=50)
    second = add(database, "b", kind="other")
    third = add(database, "c")
    with database.reading() as connection:
        assert (jobs_ahead(connection, third, "work"), jobs_ahead(connection, third, "other")) == (1, 1)
    assert [job and job.key for job in (claim_job(database, 0, 9, {"work"}), claim_job(database, 0, 9, ["work"]))] == [
        "c",
        None,
    ]
    found = claim_job(database, 0, 9)
    assert found is not None
    assert found.id == second
    late = claim_job(database, 50, 1000)
    assert late is not None
    assert late.key in {"b", "c"}, "those whose lease is over have waited longer"


def test_a_lease_is_prolonged_and_ends(database: Database) -> None:
    add(database, "a")
    job = claim_job(database, 0, 100)
    assert job is not None
    with database.writing() as connection:
        keep_job(connection, job, 90, 100)
    assert claim_job(database, 189, 100) is None
    other = claim_job(database, 190, 100)
    assert other is not None
    assert (other.id, other.fence, other.attempts) == (job.id, 2, 2)
    with pytest.raises(LostJobError), database.writing() as connection:
        keep_job(connection, job, 200, 100)
    with pytest.raises(LostJobError), finishing(database, job, 200) as connection:
        connection.execute(text("INSERT INTO meta VALUES ('done', 'wrong')"))
    with pytest.raises(LostJobError), database.writing() as connection:
        fail_job(connection, job, "wrong", 200, None)
    with finishing(database, other, 200) as connection:
        assert connection.execute(text("SELECT count(*) FROM meta")).scalar() == 0


def test_an_effect_that_fails_finishes_nothing(database: Database) -> None:
    add(database, "a")
    job = claim_job(database, 0, 100)
    assert job is not None
    with pytest.raises(RuntimeError), finishing(database, job, 1) as connection:  # noqa: PT012
        connection.execute(text("INSERT INTO meta VALUES ('done', 'a')"))
        raise RuntimeError
    assert state(database, "a") == ("running", 1, "")
    with finishing(database, job, 2) as connection:
        assert connection.execute(text("SELECT count(*) FROM meta")).scalar() == 0


def test_a_failed_attempt_is_tried_again_later(database: Database) -> None:
    add(database, "a")
    job = claim_job(database, 0, 100)
    assert job is not None
    with database.writing() as connection:
        fail_job(connection, job, "no answer", 10, 50)
    assert state(database, "a") == ("ready", 1, "no answer")
    assert claim_job(database, 59, 100) is None
    job = claim_job(database, 60, 100)
    assert job is not None
    with database.writing() as connection:
        fail_job(connection, job, "no answer still", 70, None)
    assert state(database, "a") == ("failed", 2, "no answer still")
    assert claim_job(database, 10_000, 100) is None


def test_what_kills_its_worker_every_time_is_given_up(database: Database) -> None:
    add(database, "a")
    attempts = 0
    while claim_job(database, attempts * 100, 100) is not None:
        attempts += 1
    assert attempts == 5
    assert state(database, "a") == ("failed", 5, "fault: whoever worked on it ended before it did, 5 times")


def test_many_threads_ask_for_one_and_get_one(database: Database) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(add(database, "a"))) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(found), len(set(found))) == (16, 1)


WORKER = """
import sys, time
from sqlalchemy import text
from openvet.store.database import open_database
from openvet.store.jobs import LostJobError, claim_job, finishing
database = open_database(sys.argv[1])
clock = lambda: int(time.time() * 1000)
while True:
    job = claim_job(database, clock(), 300)
    if job is None:
        with database.reading() as connection:
            if not connection.execute(text("SELECT count(*) FROM job WHERE state <> 'done'")).scalar():
                break
        time.sleep(0.02)
        continue
    try:
        with finishing(database, job, clock()) as connection:
            connection.execute(text("INSERT INTO pull (revision, path, sha256, agent, address, bytes, at) SELECT id, :key, '', '', '', 1, 0 FROM revision"), {"key": job.key})
    except LostJobError:
        pass
    print(job.key, flush=True)
"""


def test_every_job_is_done_exactly_once_whoever_is_killed(url: str) -> None:
    """Real processes, killed at any moment: what a job writes is there once, and never not at all."""
    chance = random.Random(1)
    count, kills = 150, int(os.environ.get("OPENVET_TEST_KILLS", "4"))
    database = open_database(url)
    with database.writing() as connection:
        connection.execute(text("INSERT INTO repository VALUES (1, 'model', 'a/b', '', 0)"))
        connection.execute(text("INSERT INTO revision VALUES (1, 1, 'c', '', '{}', 0)"))
        for number in range(count):
            add_job(connection, "work", str(number), {}, 0)

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", WORKER, url], stdout=subprocess.PIPE, text=True)

    workers = [start() for _ in range(2)]
    for turn in range(kills):
        at = turn % 2
        output = workers[at].stdout
        assert output is not None
        output.readline()
        time.sleep(chance.random() * 0.05)
        workers[at].kill()
        workers[at].communicate()
        workers[at] = start()
    for each in workers:
        each.communicate(timeout=60)
        assert each.returncode == 0
    with database.reading() as connection:
        done = list(connection.execute(text("SELECT path FROM pull")).scalars())
        fences = list(connection.execute(text("SELECT fence FROM job")).scalars())
    database.close()
    assert sorted(map(int, done)) == list(range(count))
    assert min(fences) == 1
