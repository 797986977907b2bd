"""A backup of a gate at work, and the gate that comes of it: the same decisions, the same log, the same bytes; or a refusal that says what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from openvet.errors import UsageError, VerifyError
from openvet.evidence.log.audit import audit
from openvet.evidence.log.disk import StorageError
from openvet.evidence.log.reading import LogReader
from openvet.gate.answers import Ready, RefusedError, Repository
from openvet.gate.backup import Backup, back_up, finished
from openvet.gate.folder import MARK, PUBLISHING, UPKEEP, turn
from openvet.gate.gate import OpenGate
from openvet.gate.opening import open_gate, open_key
from openvet.gate.restoring import restore
from openvet.gate.settings import Settings
from openvet.gate.upstreams import HubUpstream
from openvet.hubproxy.serve import claimed
from openvet.store.database import open_database
from openvet.store.decisions import unpublished_revisions
from openvet.store.tables import METADATA
from openvet.testing.hub import Hub
from tests.gate.conftest import HF, MODEL, get
from tests.gate.samples import CARD, HOSTILE, model
from tests.gate.test_publishing import admissions, dossier, settled
from tests.store.conftest import KINDS, url  # noqa: F401 - a fixture

BAD = Repository("model", "org/bad")
NOW = 1_795_948_500_123


def opened(folder: Path, url: str, *hubs: Hub, workers: int = 1) -> OpenGate:  # noqa: F811
    places = [HubUpstream(each, sleep=lambda _: None) for each in [each.url for each in hubs] or ["http://127.0.0.1:9"]]
    gate = open_gate(str(folder), places, Settings(), database=url, workers=workers)
    (folder / MARK).touch()
    return gate


def rows(gate: OpenGate, *without: str) -> dict[str, list[tuple[object, ...]]]:
    with gate.database.reading() as connection:
        return {
            each.name: sorted((tuple(row) for row in connection.execute(select(each))), key=repr)
            for each in METADATA.sorted_tables
            if each.name not in without
        }


def head(folder: Path) -> tuple[int, bytes]:
    found = LogReader(str(folder / "log"), open_key(str(folder)).public).checkpoint
    return found.size, found.root


@pytest.fixture
def other_url(url: str, tmp_path: Path) -> str:  # noqa: F811
    """An empty database of the same kind."""
    if url.startswith("sqlite"):
        return ""
    from sqlalchemy import create_engine, make_url

    place = make_url(url).set(drivername="postgresql+psycopg")
    name = f"{place.database}_again"
    engine = create_engine(place, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def test_a_gate_is_what_it_was(url: str, other_url: str, tmp_path: Path) -> None:  # noqa: F811
    """Pulled from, backed up while pulls go on, lost, restored: without an upstream it answers as before."""
    url = "" if url.startswith("sqlite") else url
    folder, target, again = tmp_path / "gate", tmp_path / "backups", tmp_path / "again"
    files = model(400_000)
    with (
        Hub(files) as good,
        Hub({"README.md": CARD, "a.bin": HOSTILE}, "org/bad") as bad,
        Hub(model(50_000, 3), "org/more") as more,
    ):
        gate = opened(folder, url, good, bad, more, workers=2)
        get(gate, "model.safetensors")
        with pytest.raises(RefusedError, match="runs-process"):
            get(gate, "a.bin", repository=BAD)
        gate.approve(BAD, bad.commit, by="Ada", reason="a sample", project="/lab")
        settled(gate)
        stop = threading.Event()
        decided: list[int] = []

        def decide() -> None:
            while not stop.is_set():
                gate.pulled(get(gate, "config.json"), HF, 10)
                decided.append(
                    gate.approve(MODEL, good.commit, by="Bob", reason=f"number {len(decided)}", project="/x")
                )

        def pull() -> None:
            get(gate, "model.safetensors", repository=Repository("model", "org/more"))

        threads = [threading.Thread(target=each) for each in (decide, pull)]
        for each in threads:
            each.start()
        time.sleep(0.3)
        before = len(decided)
        try:
            made = back_up(str(folder), str(target), NOW, url)
        finally:
            stop.set()
            for each in threads:
                each.join()
        assert before
        gate.close()
    assert finished(str(target)) == [Path(made.path).name] == ["20261129T103500.123Z"]
    assert (made.absent, made.damaged) == ((), ())
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made.path, check=False).returncode == 0
    assert (Path(made.path) / "key.pem").stat().st_mode & 0o777 == 0o600
    shutil.rmtree(folder)
    assert restore(made.path, "", NOW, dry=True).files == made.files
    found = restore(made.path, str(again), NOW, other_url)
    assert (found.files, found.bytes, found.log) == (made.files, made.bytes, made.log)
    assert head(again)[0] == made.log
    gate = opened(again, other_url, workers=0)
    try:
        kept = rows(gate)
        for path, data in files.items():
            ready = gate.file(MODEL, good.commit, path, HF)
            assert isinstance(ready, Ready)
            assert Path(ready.path).read_bytes() == data
            assert str(again) in ready.path
        with pytest.raises(RefusedError, match="runs-process"):
            gate.file(BAD, bad.commit, "a.bin", HF)
        by_bob = [each for each in kept["decision"] if "Bob" in each]
        assert before <= len(by_bob) <= len(decided)
        # every entry of the log is of a decision that the database has, and the other way round once the rest is published
        told = admissions(dossier(again, good.commit))
        assert {each.reason for each in told if each.by == "Bob"} <= {each[6] for each in by_bob}
    finally:
        gate.close()
    gate = opened(again, other_url)
    try:
        settled(gate)
        assert len([each for each in admissions(dossier(again, good.commit)) if each.by == "Bob"]) == len(by_bob)
        # new rows get new numbers
        assert gate.revoke(MODEL, good.commit, by="Ada", reason="gone") > max(int(str(each[0])) for each in by_bob)
        settled(gate)
    finally:
        gate.close()
    assert audit(str(again / "log"), open_key(str(again)).public).checkpoint.size > made.log


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub(model()) as made:
        yield made


@pytest.fixture
def folder(hub: Hub, tmp_path: Path) -> Path:
    """Of a gate that has served one model, at rest."""
    gate = opened(tmp_path / "gate", "", hub)
    get(gate, "model.safetensors")
    settled(gate)
    gate.close()
    return tmp_path / "gate"


def there(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def names(path: str | Path) -> dict[str, os.stat_result]:
    return {str(each.relative_to(path)): each.stat() for each in sorted(Path(path).rglob("*")) if each.is_file()}


def test_the_next_one_takes_the_room_of_what_is_new(hub: Hub, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    first = back_up(str(folder), str(target), NOW)
    second = back_up(str(folder), str(target), NOW + 1000)
    (one, two) = (names(first.path), names(second.path))
    new = {each for each in two if two[each].st_ino != one[each].st_ino}
    assert new == {"openvet.db", "SHA256SUMS", "backup.json"}
    assert first.written == first.bytes
    assert second.written == two["openvet.db"].st_size
    # what is in both and changes here changes in neither
    gate = opened(folder, "", hub)
    gate.revoke(MODEL, hub.commit, by="Ada", reason="gone")
    settled(gate)
    gate.close()
    third = back_up(str(folder), str(target), NOW + 2000)
    assert third.log == second.log + 1
    shutil.rmtree(first.path)
    for each in (second, third):
        assert restore(each.path, "", NOW, dry=True).log == each.log
    with pytest.raises(StorageError, match="is there already"):
        back_up(str(folder), str(target), NOW + 2000)


def test_no_decision_is_published_while_the_state_is_copied(hub: Hub, folder: Path, tmp_path: Path) -> None:
    gate = opened(folder, "", hub)
    with turn(str(folder), PUBLISHING, wait=0):
        gate.revoke(MODEL, hub.commit, by="Ada", reason="gone")
        time.sleep(1)
        with gate.database.reading() as connection:
            assert unpublished_revisions(connection)
        with pytest.raises(RefusedError):
            get(gate, "config.json")
    settled(gate)
    gate.close()


def test_database_log_and_dossiers_are_of_one_moment(folder: Path, tmp_path: Path) -> None:
    tried: list[str] = []

    def publish(name: str) -> None:
        if name.startswith(("log/", "dossiers/", "key")):
            with pytest.raises(StorageError), turn(str(folder), PUBLISHING, wait=0):
                pass
            tried.append(name)

    back_up(str(folder), str(tmp_path / "backups"), NOW, each=publish)
    assert {each.split("/")[0] for each in tried} == {"log", "dossiers", "key.pem"}


def test_one_at_a_time(folder: Path, tmp_path: Path) -> None:
    with turn(str(folder), UPKEEP, wait=0), pytest.raises(StorageError, match="another process is at"):
        back_up(str(folder), str(tmp_path / "backups"), NOW)
    assert not (tmp_path / "backups").exists()


def test_what_is_no_place_for_backups(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder of a server"):
        back_up(str(tmp_path / "no"), str(tmp_path / "backups"), NOW)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters.txt").touch()
    with pytest.raises(UsageError, match=r"holds letters\.txt"):
        back_up(str(folder), str(tmp_path / "home"), NOW)
    made = back_up(str(folder), str(tmp_path / "backups"), NOW)
    other = tmp_path / "other"
    opened(other, "").close()
    with pytest.raises(UsageError, match="of another server"):
        back_up(str(other), str(tmp_path / "backups"), NOW + 1)
    assert finished(str(tmp_path / "backups")) == [Path(made.path).name]


def test_a_damaged_file_is_named_and_left_out(hub: Hub, folder: Path, tmp_path: Path) -> None:
    blobs = sorted((folder / "blobs").rglob("*/*/*"))
    blobs[0].chmod(0o644)
    blobs[0].write_bytes(b"x" * blobs[0].stat().st_size)
    blobs[1].unlink()
    made = back_up(str(folder), str(tmp_path / "backups"), NOW)
    digests = [each.parent.name + each.name for each in blobs[:2]]
    assert ([*made.damaged], [*made.absent]) == (digests[:1], digests[1:])
    restore(made.path, str(tmp_path / "again"), NOW)
    gate = opened(tmp_path / "again", "", hub)
    for path, data in model().items():  # and it is fetched again
        assert Path(get(gate, path, hub.commit).path).read_bytes() == data
    gate.close()


def _truncated(made: Path) -> None:
    (each,) = [each for each in (made / "blobs").rglob("*/*/*") if each.stat().st_size > 4000]
    each.chmod(0o644)
    os.truncate(each, 1000)


def _changed(made: Path) -> None:
    with (made / "openvet.db").open("r+b") as file:
        file.seek(5000)
        file.write(b"forged")


def _summed(made: Path) -> None:
    """Somebody changed a line of the log, and the digests with it."""
    (bundle,) = (made / "log" / "tile" / "entries").rglob("*.p/*")
    data = bundle.read_bytes()
    bundle.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    sums = made / "SHA256SUMS"
    old, new = (f"{hashlib.sha256(each).hexdigest()}  log/" for each in (data, bundle.read_bytes()))
    lines = sums.read_text().replace(old, new)
    sums.write_text(lines)
    told = json.loads((made / "backup.json").read_text())
    (made / "backup.json").write_text(json.dumps({**told, "sums": hashlib.sha256(lines.encode()).hexdigest()}))


def _outside(made: Path) -> None:
    sums = made / "SHA256SUMS"
    text = sums.read_text() + f"{'0' * 64}  ../../evil\n"
    sums.write_text(text)
    told = json.loads((made / "backup.json").read_text())
    (made / "backup.json").write_text(json.dumps({**told, "sums": hashlib.sha256(text.encode()).hexdigest()}))


def _linked(made: Path) -> None:
    (made / "key.pem").rename(made.parent.parent / "elsewhere.pem")
    (made / "key.pem").symlink_to(made.parent.parent / "elsewhere.pem")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_truncated, "blobs/sha256/.* is not what it was"),
        (_changed, "openvet.db is not what it was"),
        (lambda made: (made / "key.pem").unlink(), "key.pem is missing"),
        (lambda made: (made / "dossiers" / "more").write_text("x"), "dossiers/more was not in it"),
        (lambda made: os.truncate(made / "SHA256SUMS", 100), "SHA256SUMS of the backup is not the one"),
        (lambda made: (made / "SHA256SUMS").unlink(), "no SHA256SUMS"),
        (lambda made: (made / "backup.json").write_text("{}"), "not as a backup has it"),
        (_summed, "does not hold the hashes of the entries"),
        (_outside, "a line that none has"),
        (_linked, "key.pem cannot be read"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_stays(folder: Path, harm: object, said: str, tmp_path: Path) -> None:
    made = back_up(str(folder), str(tmp_path / "backups"), NOW)
    harm(Path(made.path))  # type: ignore[operator]
    for dry in (True, False):
        with pytest.raises(VerifyError, match=said):
            restore(made.path, str(tmp_path / "again"), NOW, dry=dry)
    assert not (tmp_path / "again").exists() or there(tmp_path / "again") == []
    assert not (tmp_path / "evil").exists()


def test_what_is_restored_replaces_nothing(folder: Path, tmp_path: Path) -> None:
    made = back_up(str(folder), str(tmp_path / "backups"), NOW)
    before = names(folder)
    with pytest.raises(UsageError, match="is not empty"):
        restore(made.path, str(folder), NOW)
    assert names(folder) == before
    with pytest.raises(UsageError, match=f"name one, such as .*{Path(made.path).name}"):
        restore(str(tmp_path / "backups"), str(tmp_path / "again"), NOW)
    (Path(made.path) / "backup.json").rename(tmp_path / "x")
    with pytest.raises(UsageError, match="one that was cut off is none"):
        restore(made.path, str(tmp_path / "again"), NOW)
    assert not (tmp_path / "again").exists()


@pytest.mark.skipif("postgresql" not in KINDS, reason="needs OPENVET_TEST_POSTGRES")
def test_a_database_with_something_in_it_is_not_filled(folder: Path, url: str, tmp_path: Path) -> None:  # noqa: F811
    if url.startswith("sqlite"):
        pytest.skip("is in the folder")
    made = back_up(str(folder), str(tmp_path / "backups"), NOW)
    database = open_database(url)
    with database.writing() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
    with pytest.raises(UsageError, match="is not empty"):
        restore(made.path, str(tmp_path / "again"), NOW, url)
    assert there(tmp_path / "again") == []
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM repository")).scalar() == 0
    # a server that has grown goes from SQLite to PostgreSQL like this
    with database.writing() as connection:
        connection.execute(text("DELETE FROM meta"))
    restore(made.path, str(tmp_path / "again"), NOW, url)
    assert not (tmp_path / "again" / "openvet.db").exists()
    gate, before = opened(tmp_path / "again", url, workers=0), opened(folder, "", workers=0)
    assert rows(gate, "act") == rows(before, "act")
    gate.close()
    before.close()
    database.close()


def test_a_backup_of_an_older_version_is_refused_while_it_may_run(folder: Path, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{folder}/openvet.db")
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    database.close()
    with pytest.raises(UsageError, match="has the schema 0003"):
        back_up(str(folder), str(tmp_path / "backups"), NOW)
    assert there(tmp_path / "backups") == []


KILLED = """
import os, signal, sys
from openvet.gate import backup, restoring
count = int(sys.argv[4])
def each(name):
    global count
    count -= 1
    if count < 0:
        os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "backup":
    backup.back_up(sys.argv[2], sys.argv[3], 1_795_948_500_123, each=each)
else:
    restoring.restore(sys.argv[2], sys.argv[3], 1, each=each)
"""


def killed(what: str, source: str, target: Path, count: int) -> bool:
    """Do it in a process that is killed at the file of this number; whether it was."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, what, source, str(target), str(count)], check=False, timeout=60
    )
    assert done.returncode in {0, -9}
    return done.returncode == -9


def test_killed_at_any_file_nothing_looks_finished(folder: Path, tmp_path: Path) -> None:
    made: Backup = back_up(str(folder), str(tmp_path / "first"), NOW)
    target, again = tmp_path / "backups", tmp_path / "again"
    for count in (0, 1, 2, made.files // 2, made.files - 2):
        assert killed("backup", str(folder), target, count)
        assert finished(str(target)) == []
        assert killed("restore", made.path, again, count)
        assert not (again / MARK).exists()
        with pytest.raises(UsageError, match="not empty, and no folder of a server"), claimed(str(again)):
            pass
    assert not killed("backup", str(folder), target, 10_000)
    assert there(target) == finished(str(target))
    assert not killed("restore", made.path, again, 10_000)
    assert (again / MARK).exists()
    assert head(again) == head(folder)
