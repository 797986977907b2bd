"""Room on the disk: what nobody pulled goes, what evidence and work need stays, and what is asked for again is fetched again."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError
from openvet.evidence.log.reading import LogReader
from openvet.gate.answers import Repository
from openvet.gate.folder import UPKEEP, turn
from openvet.gate.gate import OpenGate
from openvet.gate.opening import open_gate, open_key
from openvet.gate.pruning import Pruner, prune
from openvet.gate.settings import Settings
from openvet.gate.upstreams import HubUpstream
from openvet.gate.vetting import ask_for_vetting
from openvet.store.blobs import BlobStore
from openvet.store.database import Database
from openvet.store.revisions import note_blob
from openvet.testing.hub import Hub
from tests.gate.conftest import HF, MODEL, Opening, get
from tests.gate.samples import HandClock, model
from tests.gate.test_publishing import dossier, settled
from tests.store.conftest import url  # noqa: F401 - a fixture

HOUR = 3_600_000
OTHER = Repository("model", "org/other")


def old(gate: OpenGate) -> None:
    """As if every stored file had come years ago, as far as the file system knows."""
    for each in gate._blobs.names():
        os.utime(gate._blobs.path(each), (0, 0))


def left(gate: OpenGate) -> set[str]:
    return set(gate._blobs.names())


@pytest.mark.parametrize("dry", [True, False])
def test_those_that_nobody_pulled_go_first(dry: bool, opening: Opening, clock: HandClock) -> None:
    with Hub(model(30_000)) as one, Hub(model(20_000, 3), "org/other") as two:
        gate = opening(one, two)
        get(gate, "model.safetensors")
        get(gate, "model.safetensors", repository=OTHER)
        settled(gate)
        old(gate)
        big, small = one.digests["model.safetensors"], two.digests["model.safetensors"]
        clock.move(10 * HOUR)
        gate.pulled(get(gate, "model.safetensors"), HF, 1)
        clock.move(HOUR)
        total = sum(gate._blobs.size(each) or 0 for each in left(gate))
        found = gate.prune(keep=31_000, dry=dry)
        assert found.bytes + found.left_bytes == total
        assert found.left_bytes <= 31_000
        assert found.since is not None
        assert small not in left(gate) or dry
        assert big in left(gate)
        assert (len(left(gate)) == 4) is dry
        if not dry:
            found = gate.prune(idle=2 * HOUR)
            assert (found.left_files, left(gate)) == (1, {big})
            assert gate.prune(idle=HOUR // 2).files == 1
            with gate.database.reading() as connection:
                assert connection.execute(text("SELECT count(*) FROM blob")).scalar() == 0
        for repository, hub in ((MODEL, one), (OTHER, two)):
            ready = get(gate, "model.safetensors", repository=repository)
            assert Path(ready.path).read_bytes() == hub.files["model.safetensors"]


def test_evidence_is_whole_after_everything_was_removed(opening: Opening, clock: HandClock, tmp_path: Path) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        settled(gate)
        key = open_key(str(tmp_path / "gate")).public
        before = LogReader(str(tmp_path / "gate" / "log"), key).signed, dossier(tmp_path / "gate", hub.commit)
        decisions = _rows(gate, "decision")
        old(gate)
        clock.move(10 * HOUR)
        assert gate.prune(idle=1).left_files == 0
        assert (LogReader(str(tmp_path / "gate" / "log"), key).signed, dossier(tmp_path / "gate", hub.commit)) == before
        assert _rows(gate, "decision") == decisions


def _rows(gate: OpenGate, table: str) -> list[tuple[object, ...]]:
    with gate.database.reading() as connection:
        return [tuple(each) for each in connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))]


def test_what_has_just_come_or_is_at_work_stays(opening: Opening, clock: HandClock) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        settled(gate)
        clock.move(10 * HOUR)
        assert gate.prune(keep=1).files == 0, "by the clock of the file system they have just come"
        old(gate)
        gate._worker.stop()
        with gate.database.writing() as connection:
            ask_for_vetting(connection, 1, "all", clock())
        assert gate.prune(keep=1).files == 0, "a vetting waits that needs them"
        with gate.database.writing() as connection:
            connection.execute(text("UPDATE job SET state = 'done'"))
        assert gate.prune(keep=1).files == 3


def test_a_vetting_that_begins_meanwhile_keeps_its_files(
    opening: Opening, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        settled(gate)
        gate._worker.stop()
        old(gate)
        clock.move(10 * HOUR)
        real = type(gate._blobs).names

        def names(blobs: object) -> object:
            with gate.database.writing() as connection:
                ask_for_vetting(connection, 1, "all", clock())
            return real(blobs)  # type: ignore[arg-type]

        monkeypatch.setattr(type(gate._blobs), "names", names)
        found = gate.prune(keep=1)
        assert (found.files, found.left_files) == (0, 3)


def test_not_while_a_backup_is_made(opening: Opening, tmp_path: Path) -> None:
    gate = opening(Hub(model()))
    with turn(str(tmp_path / "gate"), UPKEEP, wait=0), pytest.raises(StorageError, match="a backup"):
        gate.prune(keep=1)
    with pytest.raises(UsageError, match="say what is too much"):
        gate.prune()


def test_pulls_go_on_while_room_is_made(
    url: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everybody gets the right bytes, however often they are taken away."""
    # said, not done to the files: who vets one sees that it was touched
    monkeypatch.setattr(BlobStore, "age", lambda *_: 1e9)
    files = model(60_000)
    with Hub(files) as hub:
        gate = open_gate(
            str(tmp_path / "gate"), [HubUpstream(hub.url, sleep=lambda _: None)], Settings(), database=url, workers=2
        )
        try:
            get(gate, "model.safetensors")
            stop = time.monotonic() + 3
            wrong: list[str] = []
            count = 0

            def pull(name: str) -> None:
                while time.monotonic() < stop:
                    ready = get(gate, name)
                    try:
                        data = Path(ready.path).read_bytes()
                    except FileNotFoundError:
                        continue  # the client asks again
                    if data != files[name]:
                        wrong.append(name)

            threads = [threading.Thread(target=pull, args=(each,)) for each in files]
            for each in threads:
                each.start()
            while time.monotonic() < stop:
                count += gate.prune(keep=1).files
            for each in threads:
                each.join()
            assert wrong == []
            assert count
            for name, data in files.items():
                assert Path(get(gate, name).path).read_bytes() == data
        finally:
            gate.close()


def test_once_an_hour_by_itself(opening: Opening, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        settled(gate)
        old(gate)
        clock.move(10 * HOUR)
        with caplog.at_level("INFO", "openvet.upkeep"):
            pruner = Pruner(gate.database, gate._blobs, clock, idle=None, keep=1, every=0.05)
            pruner.start()
            until = time.monotonic() + 10
            while left(gate) and time.monotonic() < until:
                time.sleep(0.02)
            pruner.stop()
        assert left(gate) == set()
        assert "removed 3 stored files that nobody pulled" in caplog.text
        assert "org/model" not in caplog.text


def test_what_the_database_does_not_know_goes_when_it_is_old(
    database: Database, opening: Opening, clock: HandClock
) -> None:
    gate = opening(Hub(model()))
    with gate._blobs.new(3) as new:
        new.write(b"abc")
        sha256 = new.commit().sha256
    assert gate.prune(idle=HOUR).files == 0
    old(gate)
    assert gate.prune(idle=HOUR).files == 1
    with database.writing() as connection:
        note_blob(connection, sha256, "", 3, 0)
    assert prune(database, gate._blobs, clock(), idle=HOUR).left_files == 0
