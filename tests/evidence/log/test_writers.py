"""Two writers at once, readers meanwhile, and disks that are full."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.evidence.log.making import KEY, add, all_entries, entries, look, new_log

from openvet.evidence.log.disk import Disk, StorageError
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import open_writer

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from openvet.evidence.keys import load_private
from openvet.evidence.log.writing import open_writer
key = load_private(open(sys.argv[2], "rb").read())
for number in range(15):
    with open_writer(sys.argv[1], key) as writer:
        print(*writer.append([f"{sys.argv[3]} {number} {part}".encode() for part in range(7)]))
"""


def test_writers_never_interleave(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 230)
    (tmp_path / "key").write_bytes(KEY.pem())
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, str(tmp_path / "key"), name],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for name in ("one", "two", "three")
    ]
    while any(
        child.poll() is None for child in children
    ):  # a reader without a lock sees a log in order at every moment
        reader = LogReader(folder, KEY.public)
        size = reader.checkpoint.size
        assert (size - 230) % 7 == 0
        reader.prove(size - 1)
        look(folder)
    told: dict[int, bytes] = {}
    for child, name in zip(children, ("one", "two", "three"), strict=True):
        output, _ = child.communicate()
        assert child.returncode == 0
        for number, line in enumerate(output.splitlines()):
            for part, index in enumerate(map(int, line.split())):
                assert told.setdefault(index, f"{name} {number} {part}".encode()) == f"{name} {number} {part}".encode()
    assert sorted(told) == list(range(230, 230 + 3 * 15 * 7))
    assert all_entries(folder)[230:] == [told[index] for index in sorted(told)]
    assert look(folder).leftovers == ()


def test_a_writer_waits_for_as_long_as_it_is_told(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log")
    with open_writer(folder, KEY) as writer:
        with pytest.raises(StorageError, match="another process"), open_writer(folder, KEY, wait=0.05):
            pass
        waiting = threading.Thread(target=add, args=(Path(folder), 2))
        waiting.start()
        writer.append(entries(0, 3))
    waiting.join()
    assert look(folder).checkpoint.size == 5
    assert LogReader(folder, KEY.public).checkpoint.size == 5  # and reading needs no lock


class FullDisk(Disk):
    """Has room for so many more bytes, and then for none; or fails with another error at one step."""

    def __init__(self, folder: str, room: int = 1 << 60, fail: tuple[str, int, int] = ("", 0, 0)) -> None:
        super().__init__(folder)
        self._room = room
        self._fail = fail
        self._count = 0

    def before(self, step: str, name: str) -> None:
        if step == self._fail[0]:
            self._count += 1
            if self._count == self._fail[1]:
                raise OSError(self._fail[2], os.strerror(self._fail[2]), name)

    def write(self, descriptor: int, data: memoryview) -> int:
        if self._room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = os.write(descriptor, data[: self._room])
        self._room -= done
        return done


@pytest.mark.parametrize("batch", [1, 6, 300])
def test_a_full_disk_loses_nothing(tmp_path: Path, batch: int) -> None:
    folder = new_log(tmp_path / "log", 250)
    kept = Path(folder, "checkpoint").read_bytes()
    failed = 0
    while True:
        try:
            with open_writer(folder, KEY, disk=FullDisk(folder, failed * 997)) as writer:
                writer.append(entries(250, 250 + batch))
            break
        except StorageError as error:
            why = str(error)
        failed += 1
        assert "No space left on device; nothing was added" in why
        assert look(folder, kept).checkpoint.size == 250
        assert not any(Path(folder, ".staging").iterdir())  # it leaves the disk no fuller than it was
    assert failed >= 1
    assert look(folder, kept).checkpoint.size == 250 + batch
    assert look(folder).leftovers == ()


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("open", errno.EROFS),
        ("write", errno.ENOSPC),
        ("fsync", errno.EIO),
        ("rename", errno.EIO),
        ("mkdir", errno.EDQUOT),
    ],
)
def test_every_call_may_fail(tmp_path: Path, step: str, code: int) -> None:
    folder = Path(new_log(tmp_path / "log", 250))
    for count in range(1, 24):
        size = look(folder).checkpoint.size
        kept = (folder / "checkpoint").read_bytes()
        acknowledged = size
        try:
            with open_writer(str(folder), KEY, disk=FullDisk(str(folder), fail=(step, count, code))) as writer:
                acknowledged = writer.checkpoint.size  # with what an earlier failure left, which is finished now
                acknowledged = writer.append(entries(acknowledged, acknowledged + 5)).stop
                acknowledged = writer.append(entries(acknowledged, acknowledged + 1)).stop
            why = ""
        except StorageError as error:
            why = str(error)
        assert not why or os.strerror(code) in why
        if "nothing was added" in why and acknowledged > size:
            assert look(folder).checkpoint.size == acknowledged
        found = look(folder, kept)
        assert found.checkpoint.size >= acknowledged
        assert all_entries(folder) == entries(0, found.checkpoint.size)
    add(folder, 1)
    assert look(folder).strangers == ()


def test_a_writer_that_failed_is_of_no_more_use(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 3)
    with open_writer(folder, KEY, disk=FullDisk(folder, 0)) as writer:
        for words in ("No space left", "open the log again"):
            with pytest.raises(StorageError, match=words):
                writer.append([b"x"])


def test_a_limit_of_the_kernel(tmp_path: Path) -> None:
    """A real refusal and not one of ours: files of this process may not grow beyond 9,000 bytes."""
    folder = new_log(tmp_path / "log", 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, hard))
    try:
        with open_writer(folder, KEY) as writer, pytest.raises(StorageError, match="File too large; nothing was added"):
            writer.append([b"x" * 1000] * 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert look(folder).checkpoint.size == 3
    add(Path(folder), 5)
    assert look(folder).checkpoint.size == 8
