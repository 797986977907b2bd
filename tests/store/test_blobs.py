"""Files by their digest: all of one or nothing, whatever happens on the way."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from openvet.errors import ChangedError, UsageError
from openvet.evidence.log.disk import StorageError
from openvet.store.blobs import BlobStore, Stored

DATA = bytes(range(256)) * 5000
SHA = hashlib.sha256(DATA).hexdigest()
OID = hashlib.sha1(b"blob %d\0" % len(DATA) + DATA).hexdigest()


@pytest.fixture(params=["unnamed", "named"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    if request.param == "named":
        monkeypatch.setattr("openvet.store.blobs._UNNAMED", 0)
    return BlobStore(str(tmp_path / "store"))


def put(store: BlobStore, data: bytes = DATA, size: int | None = None, sha256: str = "", oid: str = "") -> Stored:
    with store.new(len(data) if size is None else size) as new:
        for start in range(0, len(data), 100_000):
            new.write(data[start : start + 100_000])
        return new.commit(sha256=sha256, oid=oid)


def files(store: BlobStore) -> list[str]:
    return [name for _, _, names in os.walk(store.folder) for name in names]


def test_what_was_put_in_is_there(store: BlobStore) -> None:
    assert put(store, sha256=SHA, oid=OID) == Stored(SHA, OID, len(DATA))
    assert Path(store.path(SHA)).read_bytes() == DATA
    assert store.path(SHA).endswith(f"blobs/sha256/{SHA[:2]}/{SHA[2:]}")
    assert oct(Path(store.path(SHA)).stat().st_mode & 0o777) == "0o444"
    assert (store.size(SHA), store.size("0" * 64), list(store.names())) == (len(DATA), None, [SHA])
    assert put(store) == Stored(SHA, OID, len(DATA)), "a second time"
    assert files(store) == [SHA[2:]]
    assert put(store, b"").sha256 == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("size", "sha256", "oid", "said"),
    [
        (len(DATA), "0" * 64, "", f"sha256 {'0' * 64} was listed, and bytes with {SHA} came"),
        (len(DATA), SHA, "0" * 40, f"the bytes of {OID} came"),
        (len(DATA) + 1, "", "", "were listed"),
        (len(DATA) - 1, "", "", "more than the"),
    ],
)
def test_other_bytes_leave_nothing(store: BlobStore, size: int, sha256: str, oid: str, said: str) -> None:
    with pytest.raises(ChangedError, match=said):
        put(store, size=size, sha256=sha256, oid=oid)
    assert files(store) == []


def test_nothing_is_seen_before_it_is_complete(store: BlobStore) -> None:
    with store.new(len(DATA)) as new:
        new.write(DATA)
        assert (store.size(SHA), list(store.names())) == (None, [])
    assert files(store) == []


def test_a_full_disk_is_told(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StorageError, match="no room for a file of 1280000 bytes"):
            put(store)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="no room"):
            put(store)
    assert files(store) == []
    with pytest.raises(StorageError, match="no room for a file of"):
        store.new(2**60)
    put(store)


def test_what_nobody_writes_any_more_is_swept(store: BlobStore, tmp_path: Path) -> None:
    left = Path(store.folder) / "staging" / "abc"
    left.write_bytes(b"half")
    with store.new(10) as new:
        new.write(b"12345")
        again = BlobStore(store.folder)
        assert not left.exists()
        new.write(b"67890")
        stored = new.commit()
    assert again.size(stored.sha256) == 10


def test_a_file_that_rots_is_found(store: BlobStore) -> None:
    put(store)
    other = put(store, b"other")
    assert list(store.verify()) == []
    path = store.path(other.sha256)
    Path(path).chmod(0o644)
    Path(path).write_bytes(b"otter")
    (damage,) = store.verify()
    assert (damage.sha256, damage.path, damage.found) == (other.sha256, path, hashlib.sha256(b"otter").hexdigest())
    assert (store.remove(other.sha256), store.remove(other.sha256), list(store.names())) == (5, 0, [SHA])


def test_no_name_leads_elsewhere(store: BlobStore) -> None:
    for name in ("../../x", "", SHA[:-1], SHA.upper(), SHA + "\n"):
        with pytest.raises(UsageError):
            store.path(name)


def test_many_at_once(store: BlobStore) -> None:
    done: list[Stored] = []
    threads = [threading.Thread(target=lambda: done.append(put(store))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert done == [Stored(SHA, OID, len(DATA))] * 8
    assert files(store) == [SHA[2:]]


WRITER = """
import hashlib, sys
import openvet.store.blobs as blobs
if sys.argv[2] == "named":
    blobs._UNNAMED = 0
store = blobs.BlobStore(sys.argv[1])
number = int(sys.argv[3])
while True:
    data = hashlib.sha256(str(number).encode()).digest() * 20_000
    number += 1
    with store.new(len(data)) as new:
        for start in range(0, len(data), 50_000):
            new.write(data[start:start + 50_000])
        print(new.commit().sha256, flush=True)
"""


@pytest.mark.parametrize("way", ["unnamed", "named"])
def test_killed_while_writing_leaves_no_half_file(tmp_path: Path, way: str) -> None:
    chance = random.Random(0)
    store = BlobStore(str(tmp_path / "store"))
    told: set[str] = set()
    for turn in range(int(os.environ.get("OPENVET_TEST_KILLS", "3"))):
        command = [sys.executable, "-c", WRITER, store.folder, way, str(turn * 10_000)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        time.sleep(chance.random() * 0.1)
        process.kill()
        rest = process.stdout.read().split("\n")[:-1]
        process.stdout.close()
        process.wait()
        told |= {first, *rest}
        assert list(BlobStore(store.folder).verify()) == []
        assert list((Path(store.folder) / "staging").iterdir()) == []
    assert told <= set(store.names())
