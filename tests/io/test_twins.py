"""Two files hashed beside each other: the digests are those of each, and what is looked at is what was hashed."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openvet.core.progress import Progress
from openvet.errors import ChangedError
from openvet.io.hashing import HashPool, StoppedError
from openvet.io.source import FileSource
from openvet.io.twins import Spans, Twins

SIZE = 1000


def opened(path: Path, data: bytes) -> FileSource:
    path.write_bytes(data)
    return FileSource(os.open(path, os.O_RDONLY))


def made(
    tmp_path: Path, count: int, look: Callable[[Any, memoryview, memoryview], object], cut: int = 0
) -> tuple[Twins, tuple[bytes, bytes]]:
    """Twins of so many spans; every third has nothing to be seen. The second file has spans of half the size."""
    data = (os.urandom(SIZE * count), os.urandom(SIZE // 2 * count))
    sources = (opened(tmp_path / "a", data[0]), opened(tmp_path / "b", data[1]))
    if cut:
        os.truncate(tmp_path / "ab"[cut - 1], SIZE)
    spans = [
        Spans((at * SIZE, at * SIZE // 2), ((at + 1) * SIZE, (at + 1) * SIZE // 2), None if at % 3 == 2 else (at,))
        for at in range(count)
    ]
    return Twins(sources, spans, look), data


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_both_are_hashed_and_everything_is_seen_once(tmp_path: Path, jobs: int) -> None:
    seen: dict[int, tuple[bytes, bytes]] = {}
    lock = threading.Lock()

    def look(what: Any, left: memoryview, right: memoryview) -> None:
        with lock:
            assert what[0] not in seen
            seen[what[0]] = bytes(left), bytes(right)

    progress = Progress()
    pool = HashPool(jobs, ("sha256", "blake2b"), progress)
    twins, data = made(tmp_path, 40, look)
    pool.submit_twins(twins)
    for pending, each in zip(twins.pending, data, strict=True):
        assert pending.wait() == {
            "sha256": hashlib.sha256(each).hexdigest(), "blake2b": hashlib.blake2b(each).hexdigest(),
        }  # fmt: skip
    pool.stop()
    assert twins.complete
    assert progress.bytes_done == sum(map(len, data))
    assert set(seen) == {each for each in range(40) if each % 3 != 2}
    for at, (left, right) in seen.items():
        assert (left, right) == (data[0][at * SIZE :][:SIZE], data[1][at * SIZE // 2 :][: SIZE // 2])


@pytest.mark.parametrize("cut", [1, 2])
def test_the_other_file_is_hashed_where_one_becomes_shorter(tmp_path: Path, cut: int) -> None:
    pool = HashPool(2, ("sha256",), Progress())
    twins, data = made(tmp_path, 40, lambda *_: None, cut)
    pool.submit_twins(twins)
    with pytest.raises(ChangedError, match="shorter"):
        twins.pending[cut - 1].wait()
    assert twins.pending[2 - cut].wait() == {"sha256": hashlib.sha256(data[2 - cut]).hexdigest()}
    assert not twins.complete
    pool.stop()


def test_a_failure_of_whoever_looks_costs_no_digest(tmp_path: Path) -> None:
    def look(what: Any, *_: memoryview) -> None:
        if what[0] == 10:
            raise ZeroDivisionError

    pool = HashPool(2, ("sha256",), Progress())
    twins, data = made(tmp_path, 40, look)
    pool.submit_twins(twins)
    assert [each.wait()["sha256"] for each in twins.pending] == [hashlib.sha256(each).hexdigest() for each in data]
    assert not twins.complete
    pool.stop()


def test_a_pool_that_is_stopped_leaves_nobody_waiting(tmp_path: Path) -> None:
    held, going = threading.Event(), threading.Event()

    def look(*_: Any) -> None:
        held.set()
        assert going.wait(30)

    pool = HashPool(2, ("sha256",), Progress())
    twins, _ = made(tmp_path, 40, look)
    pool.submit_twins(twins)
    assert held.wait(30)
    stopping = threading.Thread(target=pool.stop)
    stopping.start()
    going.set()
    stopping.join(30)
    assert not stopping.is_alive()
    late, _ = made(tmp_path, 4, look)
    pool.submit_twins(late)
    for each in (*twins.pending, *late.pending):
        with pytest.raises(StoppedError):
            each.wait()
