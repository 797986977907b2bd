import hashlib
import os
from pathlib import Path

import pytest

from openvet.core.progress import Progress
from openvet.errors import ChangedError, UsageError
from openvet.io.hashing import HashPool, digest_chunks
from openvet.io.source import FileSource


def _open(path: Path) -> FileSource:
    return FileSource(os.open(path, os.O_RDONLY))


@pytest.mark.parametrize("jobs", [1, 3])
def test_digests_of_many_files(tmp_path: Path, jobs: int) -> None:
    contents = [os.urandom(size) for size in (0, 1, 4096, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 9_000_000)]
    for index, data in enumerate(contents):
        (tmp_path / str(index)).write_bytes(data)
    progress = Progress()
    pool = HashPool(jobs, ("sha256",), progress)
    sources = [_open(tmp_path / str(index)) for index in range(len(contents))]
    pending = [pool.submit(source) for source in sources]
    digests = [each.wait() for each in pending]
    pool.stop()
    for source in sources:
        source.close()
    assert digests == [{"sha256": hashlib.sha256(data).hexdigest()} for data in contents]
    assert digests == [digest_chunks([data], ("sha256",)) for data in contents]
    assert progress.bytes_done == sum(map(len, contents))


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    with _open(tmp_path / "f") as source:
        os.truncate(tmp_path / "f", 0)
        pool = HashPool(1, ("sha256",), Progress())
        pending = pool.submit(source)
        with pytest.raises(ChangedError, match="shorter"):
            pending.wait()
        pool.stop()


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(UsageError, match="known are sha256, blake2b, blake3"):
        HashPool(1, ("md5",), Progress())


def test_blake3_is_an_extra() -> None:
    try:
        import blake3
    except ImportError:
        with pytest.raises(UsageError, match=r"openvet\[blake3\]"):
            digest_chunks([], ("blake3",))
    else:
        assert digest_chunks([b"a", b"bc"], ("blake3",)) == {"blake3": blake3.blake3(b"abc").hexdigest()}
