"""Vettings in processes beside the server: killed at any moment, each is done by somebody, and what comes of it is there once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from openvet.errors import UsageError
from openvet.evidence.dossier.reading import verify_dossier
from openvet.evidence.log.reading import LogReader
from openvet.gate.answers import Ready, RefusedError, Repository, Waiting
from openvet.gate.folder import MARK
from openvet.gate.gate import OpenGate
from openvet.gate.opening import open_gate, open_key, open_worker
from openvet.gate.settings import Settings
from openvet.gate.upstreams import HubUpstream
from openvet.hubproxy.operating import problems
from openvet.store.database import Database, open_database
from openvet.store.decisions import decisions_of
from openvet.store.measures import measure
from openvet.store.workers import LIVES, add_worker, keep_worker, living_workers
from openvet.testing.hub import Fault, Hub
from tests.gate.conftest import HF, MODEL, get
from tests.gate.samples import CARD, HOSTILE, HandClock, model
from tests.gate.test_publishing import admissions, dossier, settled
from tests.store.conftest import url  # noqa: F401 - a fixture

BAD = Repository("model", "org/bad")

WORKER = """
import signal, sys, threading
from openvet.gate.opening import Place, open_worker
from openvet.gate.settings import Settings
from openvet.gate import worker
worker._SIGN = 0.2
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
lost = []
end = open_worker(sys.argv[1], [Place(url=each) for each in sys.argv[3:]], Settings(), database=sys.argv[2], lease=500, lost=lambda why: (lost.append(why), ended.set()))
print("at work", flush=True)
ended.wait()
end()
print(*lost, flush=True)
"""


@contextmanager
def worker(folder: Path, url: str, *hubs: Hub) -> Iterator[subprocess.Popen[str]]:  # noqa: F811
    """A process that vets, from when it is at work."""
    command = [sys.executable, "-c", WORKER, str(folder), url, *[each.url for each in hubs]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "at work\n"
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


@contextmanager
def gate_on(folder: Path, url: str, *hubs: Hub, workers: int = 0) -> Iterator[OpenGate]:  # noqa: F811
    places = [HubUpstream(each.url, sleep=lambda _: None) for each in hubs]
    gate = open_gate(str(folder), places, Settings(), database=url, workers=workers, lease=500)
    (folder / MARK).touch()
    try:
        yield gate
    finally:
        gate.close()


def test_two_workers_do_what_one_would(url: str, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "gate"
    with (
        Hub(model(200_000), large=1000) as good,
        Hub({"README.md": CARD, "a.bin": HOSTILE}, "org/bad") as bad,
        gate_on(folder, url, good, bad) as gate,
        ExitStack() as stack,
    ):
        assert isinstance(gate.file(MODEL, "main", "config.json", HF), Waiting)
        assert "workers" in problems(gate, str(folder))
        for _ in range(2):
            stack.enter_context(worker(folder, url, good, bad))
        assert "workers" not in problems(gate, str(folder))
        assert Path(get(gate, "model.safetensors").path).read_bytes() == good.files["model.safetensors"]
        assert len([each for each in good.store.asked if each.method == "GET"]) == 1
        with pytest.raises(RefusedError, match="runs-process"):
            get(gate, "a.bin", repository=BAD)
        settled(gate)
        assert [each.kind for each in admissions(dossier(folder, good.commit))] == ["policy"]
        with gate.database.reading() as connection:
            found = measure(connection, gate.clock())
            assert (found.workers, found.threads) == (2, 2)


def test_killed_again_and_again_every_model_is_decided_once(url: str, tmp_path: Path) -> None:  # noqa: F811
    """Two workers, of which one is killed at some moment and started anew: nothing is lost, nothing is there twice."""
    folder, chance = tmp_path / "gate", random.Random(7)
    names = [f"org/model-{number}" for number in range(6)]
    with ExitStack() as stack:
        hubs = [stack.enter_context(Hub(model(400_000 + at, at), name, large=1000)) for at, name in enumerate(names)]
        for each in hubs:
            each.store.faults.append(Fault("slow", value=300))
        gate = stack.enter_context(gate_on(folder, url, *hubs))
        for name in names:
            gate.listed(Repository("model", name), "main", HF)
        left, said = dict(zip(names, hubs, strict=True)), []
        for _ in range(int(os.environ.get("OPENVET_TEST_KILLS", "6"))):
            with worker(folder, url, *hubs) as one, worker(folder, url, *hubs):
                for name in list(left):
                    try:
                        if isinstance(gate.file(Repository("model", name), "main", "model.safetensors", HF), Ready):
                            del left[name]
                    except RefusedError as error:
                        said.append(error.reason)
                time.sleep(chance.uniform(0.05, 0.7))
                one.kill()
        with worker(folder, url, *hubs), worker(folder, url, *hubs):
            for name, hub in zip(names, hubs, strict=True):
                ready = get(gate, "model.safetensors", repository=Repository("model", name))
                assert Path(ready.path).read_bytes() == hub.files["model.safetensors"]
        settled(gate)
        assert [each for each in said if "being vetted" not in each] == []
        assert list(gate._blobs.verify()) == []
        with gate.database.reading() as connection:
            for number in range(1, len(names) + 1):
                assert [each.kind for each in decisions_of(connection, number)] == ["policy"]
            running = connection.execute(text("SELECT count(*) FROM job WHERE state IN ('ready', 'running')"))
            assert running.scalar() == 0
            tries = connection.execute(text("SELECT max(attempts), min(attempts) FROM job WHERE kind = 'vet'")).one()
            assert tries[0] > 1, "nobody was killed at work"
        claims = 0
        for name, hub in zip(names, hubs, strict=True):
            place = folder / "dossiers" / "models" / name.replace("/", "--") / hub.commit
            found = verify_dossier(str(place), open_key(str(folder)).public)
            assert [each.kind for each in admissions(found)] == ["policy"]
            claims += len(found.claims)
        entries = list(LogReader(str(folder / "log"), open_key(str(folder)).public).entries())
        assert len(entries) == len(set(entries)) == claims


def test_a_vetting_that_ends_while_somebody_asks_is_not_begun_again(
    url: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Hub(model()) as hub, gate_on(tmp_path / "gate", url, hub) as gate:
        assert isinstance(gate.file(MODEL, "main", "config.json", HF), Waiting)
        real = gate._ask

        def ask(*arguments: Any) -> None:
            """Between the look at the decisions and the one at the job."""
            end = open_worker(str(tmp_path / "gate"), [HubUpstream(hub.url)], Settings(), database=url)
            _until(gate, "done")
            end()
            real(*arguments)

        monkeypatch.setattr(gate, "_ask", ask)
        assert isinstance(gate.file(MODEL, "main", "config.json", HF), Waiting)
        assert isinstance(gate.file(MODEL, "main", "config.json", HF), Ready)
        with gate.database.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM job WHERE kind = 'vet'")).scalar() == 1


def test_the_server_alone_publishes(url: str, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "gate"
    with Hub(model()) as hub:
        with gate_on(folder, url, hub) as gate:
            gate.file(MODEL, "main", "config.json", HF)
            before = LogReader(str(folder / "log"), open_key(str(folder)).public).signed
        with worker(folder, url, hub) as process:  # while no server runs
            process_database = open_database(url)
            until = time.monotonic() + 30
            while not _decided(process_database) and time.monotonic() < until:
                time.sleep(0.05)
            assert _decided(process_database)
            process_database.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert LogReader(str(folder / "log"), open_key(str(folder)).public).signed == before
        assert not (folder / "dossiers").exists()
        with gate_on(folder, url, hub) as gate:
            settled(gate)
            assert [each.kind for each in admissions(dossier(folder, hub.commit))] == ["policy"]
            assert isinstance(gate.file(MODEL, "main", "config.json", HF), Ready)


def _decided(database: Database) -> bool:
    with database.reading() as connection:
        return bool(decisions_of(connection, 1))


def test_who_is_stopped_puts_back_what_it_was_at(url: str, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "gate"
    with Hub(model(2_000_000), large=1000) as hub, gate_on(folder, url, hub) as gate:
        hub.store.faults.append(Fault("slow", value=2000))
        gate.file(MODEL, "main", "model.safetensors", HF)
        with worker(folder, url, hub) as process:
            _until(gate, "running")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        with gate.database.reading() as connection:
            row = connection.execute(text("SELECT state, error FROM job WHERE kind = 'vet'")).one()
            assert tuple(row) == ("ready", "")
            assert living_workers(connection, gate.clock()) == (0, 0)
        hub.store.faults.clear()
        with worker(folder, url, hub):
            get(gate, "model.safetensors")


def test_who_was_frozen_and_wakes_writes_nothing(url: str, tmp_path: Path) -> None:  # noqa: F811
    """Thought to be dead, and taken over from: what it goes on with counts no more."""
    folder = tmp_path / "gate"
    with Hub(model(1_500_000), large=1000) as hub, gate_on(folder, url, hub) as gate:
        hub.store.faults.append(Fault("slow", value=1000))
        gate.file(MODEL, "main", "model.safetensors", HF)
        with worker(folder, url, hub) as one:
            _until(gate, "running")
            one.send_signal(signal.SIGSTOP)
            hub.store.faults.clear()
            with worker(folder, url, hub):
                get(gate, "model.safetensors")
                one.send_signal(signal.SIGCONT)
                time.sleep(3)
        settled(gate)
        with gate.database.reading() as connection:
            assert [each.kind for each in decisions_of(connection, 1)] == ["policy"]
            row = connection.execute(text("SELECT attempts, state, error FROM job WHERE kind = 'vet'")).one()
            assert tuple(row) == (2, "done", "")
        assert [each.kind for each in admissions(dossier(folder, hub.commit))] == ["policy"]


def _until(gate: OpenGate, state: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with gate.database.reading() as connection:
            if connection.execute(text("SELECT state FROM job WHERE kind = 'vet'")).scalar() == state:
                return
        time.sleep(0.02)
    raise AssertionError(state)


def test_whoever_gives_no_sign_is_dead(database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        add_worker(connection, "a", "here, process 1", "1.0", 3, 1000)
        add_worker(connection, "b", "there, process 2", "1.0", 2, 1000)
        assert living_workers(connection, 1000) == (2, 5)
        assert keep_worker(connection, "a", 1000 + LIVES)
        assert living_workers(connection, 1000 + LIVES) == (1, 3)
        assert living_workers(connection, 1000 + 2 * LIVES) == (0, 0)
        add_worker(connection, "c", "here, process 3", "1.0", 1, 1000 + 25 * 3_600_000)
        assert not keep_worker(connection, "b", 0), "forgotten after a day"


def test_ready_only_while_somebody_vets(tmp_path: Path) -> None:
    clock = HandClock()
    with Hub(model()) as hub:
        gate = open_gate(str(tmp_path / "gate"), [HubUpstream(hub.url)], Settings(), workers=0, clock=clock)
        (tmp_path / "gate" / MARK).touch()
        assert "openvet server worker" in problems(gate, str(tmp_path / "gate"))["workers"]
        end = open_worker(str(tmp_path / "gate"), [HubUpstream(hub.url)], Settings(), clock=clock)
        assert "workers" not in problems(gate, str(tmp_path / "gate"))
        clock.move(LIVES + 1)  # as after a kill
        assert "workers" in problems(gate, str(tmp_path / "gate"))
        end()
        gate.close()
        # a server that vets itself needs nobody else
        with gate_on(tmp_path / "gate", "", hub, workers=1) as gate:
            assert "workers" not in problems(gate, str(tmp_path / "gate"))


def test_an_upgrade_ends_old_workers(url: str, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "gate"
    with Hub(model()) as hub, gate_on(folder, url, hub) as gate, worker(folder, url, hub) as process:
        assert process.stdout is not None
        with gate.database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert "has the schema 9999 by now" in process.stdout.readline()
        assert process.wait(20) == 0
        with pytest.raises(UsageError, match="has the schema 9999"):
            open_worker(str(folder), [HubUpstream(hub.url)], Settings(), database=url)


def test_a_worker_needs_a_server(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder of a server"):
        open_worker(str(tmp_path), [HubUpstream("http://127.0.0.1:9")], Settings())
    assert list(tmp_path.iterdir()) == []
