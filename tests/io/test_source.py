import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget, Limits
from openvet.errors import ChangedError, MalformedError
from openvet.io.source import BytesSource, Cursor, FileSource, Source, Spool

DATA = bytes(range(256)) * 600


def _file(path: Path) -> FileSource:
    path.write_bytes(DATA)
    return FileSource(os.open(path, os.O_RDONLY))


@pytest.fixture(params=["bytes", "file", "window", "spool", "spool-on-disk"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    made: Source
    if request.param == "bytes":
        made = BytesSource(DATA)
    elif request.param == "file":
        made = _file(tmp_path / "f")
    elif request.param == "window":
        made = BytesSource(b"xx" + DATA + b"yy").window(1, len(DATA) + 2).window(1, len(DATA))
    else:
        limits = Limits() if request.param == "spool" else Limits(spool_memory=10)
        made = Spool(iter([DATA[:1000], DATA[1000:]]), Budget(limits))
    with made:
        yield made


def test_every_source_gives_the_same_bytes(source: Source) -> None:
    assert source.size == len(DATA)
    assert source.read(0, 10) == DATA[:10]
    assert source.read(999, 5) == DATA[999:1004]
    assert source.read(len(DATA), 0) == b""
    assert source.upto(len(DATA) - 3, 100) == DATA[-3:]
    assert source.upto(len(DATA) + 5, 100) == b""
    assert b"".join(source.chunks()) == DATA
    assert b"".join(source.chunks(5, 70)) == DATA[5:75]


@pytest.mark.parametrize(
    ("offset", "size"), [(-1, 2), (0, -1), (0, len(DATA) + 1), (len(DATA), 1), (2**70, 1), (1, 2**70)]
)
def test_nothing_outside_is_read(source: Source, offset: int, size: int) -> None:
    with pytest.raises(MalformedError):
        source.read(offset, size)
    with pytest.raises(MalformedError):
        source.window(offset, size)


def test_a_file_that_becomes_shorter_is_a_changed_file(tmp_path: Path) -> None:
    with _file(tmp_path / "f") as source:
        source.check_unchanged()
        os.truncate(tmp_path / "f", 10)
        with pytest.raises(ChangedError, match="shorter"):
            source.read(0, 20)
        with pytest.raises(ChangedError, match="changed"):
            source.check_unchanged()


def test_a_spool_leaves_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with Spool(iter([DATA]), Budget(Limits(spool_memory=10))) as spool:
        assert list(tmp_path.iterdir()) == []
        assert spool.read(0, 4) == DATA[:4]


def test_a_spool_closes_its_file_when_decoding_fails() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * 100
        raise MalformedError("broken")

    with pytest.raises(MalformedError):  # an unclosed file would be a ResourceWarning, which fails the run
        Spool(chunks(), Budget(Limits(spool_memory=10)))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["read", "peek", "skip", "line"]), st.integers(0, 70_000)), max_size=12))
def test_a_cursor_reads_what_slicing_gives(steps: list[tuple[str, int]]) -> None:
    data = (b"line %d\n" * 12_000) % tuple(range(12_000))
    cursor = BytesSource(data).cursor()
    at = 0
    for step, size in steps:
        if step == "peek":
            assert cursor.peek(size) == data[at : at + size]
        elif step == "line":
            end = data.find(b"\n", at) + 1 or len(data)
            assert cursor.readline(1000) == data[at:end]
            at = end
        elif at + size > len(data):
            with pytest.raises(MalformedError):
                cursor.read(size) if step == "read" else cursor.skip(size)
        else:
            if step == "read":
                assert cursor.read(size) == data[at : at + size]
            else:
                cursor.skip(size)
            at += size
        assert cursor.position == at
        assert cursor.left == len(data) - at


def test_a_line_without_end_is_refused() -> None:
    cursor = Cursor(BytesSource(b"x" * 5000))
    with pytest.raises(MalformedError, match="longer than 1000"):
        cursor.readline(1000)
    assert Cursor(BytesSource(b"no newline")).readline(100) == b"no newline"


def test_a_walk_of_small_parts_costs_few_system_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(number * 7 % 251 for number in range(20_000))
    path = tmp_path / "a"
    path.write_bytes(data)
    calls = 0
    real = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal calls
        calls += 1
        return real(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    with FileSource(os.open(path, os.O_RDONLY)) as source:
        for at in range(0, 19_990, 4):
            assert source.read(at, 8) == data[at : at + 8]
        assert calls < 20
        for at in (0, 19_999, 5, 4_095, 4_096, 12_345, 5):  # back and forth, over the edges of what was read ahead
            assert source.upto(at, 200) == data[at : at + 200]
            assert source.upto(at, 5_000) == data[at : at + 5_000]


def test_a_spool_that_nobody_closed_is_closed_with_its_last_holder() -> None:
    """Also where only the collector of cycles finds it, which asks finalizers in no order."""

    class Holder:
        def __init__(self) -> None:
            self.me = self
            self.spool = Spool(iter([DATA]), Budget(Limits(spool_memory=10)))

    holder = Holder()
    file = holder.spool._file
    del holder
    gc.collect()
    assert file.closed
