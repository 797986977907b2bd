"""The index of a long log: it finds what a walk over all entries finds, and whatever happens to it changes no answer that counts."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.evidence.log.making import KEY, OTHER, add, look, new_log

from openvet.evidence.keys import PrivateKey
from openvet.evidence.log import index as module
from openvet.evidence.log.index import find, known
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import create_log, open_writer

SIZE = 700


@pytest.fixture(autouse=True)
def worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH", 10)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log whose index was made, and which has grown since."""
    folder = tmp_path / "log"
    create_log(str(folder), "example.com/log", KEY)
    put(folder, range(SIZE - 50))
    ask(folder, [b"entry 1"])
    put(folder, range(SIZE - 50, SIZE))
    return folder


def put(folder: Path, numbers: range, key: PrivateKey = KEY) -> None:
    with open_writer(str(folder), key) as writer:
        writer.append([b"entry %d" % each for each in numbers])


def ask(folder: Path, wanted: list[bytes], key: PrivateKey = KEY) -> dict[bytes, int]:
    with open_writer(str(folder), key):
        return known(LogReader(str(folder), key.public), wanted)


ALL = {b"entry %d" % each: each for each in range(SIZE)}


def test_it_finds_what_is_there(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(log, [*ALL, b"entry 700", b""]) == ALL
    assert (log / ".index.sqlite").stat().st_mode & 0o777 == 0o600
    reader = LogReader(str(log), KEY.public)
    assert [find(reader, each) for each in (b"entry 0", b"entry 699", b"entry 700")] == [0, 699, None]
    assert look(str(log)).strangers == look(str(log)).leftovers == ()
    # what it covers is not read again
    monkeypatch.setattr(
        LogReader, "entries", lambda _, begin=0: iter([]) if begin == SIZE else pytest.fail("all are read")
    )
    assert ask(log, [b"entry 5"]) == {b"entry 5": 5}


def test_a_short_log_has_none(tmp_path: Path) -> None:
    folder = Path(new_log(tmp_path / "log", 5))
    assert ask(folder, [b"none"]) == {}
    assert not (folder / ".index.sqlite").exists()


def test_entries_that_come_twice_have_a_number_each_of_them_is_true(tmp_path: Path) -> None:
    folder = Path(new_log(tmp_path / "log"))
    with open_writer(str(folder), KEY) as writer:
        writer.append([b"a", b"b"] * 20)
    assert ask(folder, [b"a", b"b", b"c"]) == {b"a": 0, b"b": 1}


def rows(log: Path, *commands: str) -> None:
    with closing(sqlite3.connect(log / ".index.sqlite")) as base, base:
        for each in commands:
            base.execute(each)


def cut(log: Path) -> None:
    data = (log / ".index.sqlite").read_bytes()
    (log / ".index.sqlite").write_bytes(data[: len(data) // 2])


def blot(log: Path) -> None:
    """Every page but the first one is other bytes."""
    data = (log / ".index.sqlite").read_bytes()
    (log / ".index.sqlite").write_bytes(data[:4096] + os.urandom(len(data) - 4096))


def link(log: Path) -> None:
    (log / ".index.sqlite").rename(log.parent / "elsewhere")
    (log / ".index.sqlite").symlink_to(log.parent / "elsewhere")


def folder(log: Path) -> None:
    (log / ".index.sqlite").unlink()
    (log / ".index.sqlite").mkdir()


def pipe(log: Path) -> None:
    (log / ".index.sqlite").unlink()
    os.mkfifo(log / ".index.sqlite")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "removed": lambda log: (log / ".index.sqlite").unlink(),
    "empty": lambda log: (log / ".index.sqlite").write_bytes(b""),
    "garbage": lambda log: (log / ".index.sqlite").write_bytes(b"SQLite format 3\0" + os.urandom(5000)),
    "text": lambda log: (log / ".index.sqlite").write_bytes(b"not a database" * 500),
    "cut": cut,
    "blotted": blot,
    "a link": link,
    "a folder": folder,
    "a pipe": pipe,
    "others may write to it": lambda log: (log / ".index.sqlite").chmod(0o666),
    "another version": lambda log: rows(log, "PRAGMA user_version=9"),
    "no tables": lambda log: rows(log, "DROP TABLE entries"),
    "a view": lambda log: rows(log, "DROP TABLE entries", "CREATE VIEW entries AS SELECT 1 AS key, 2 AS number"),
    "other columns": lambda log: rows(log, "DROP TABLE made", "CREATE TABLE made (x)", "INSERT INTO made VALUES (1)"),
    "a size beyond the log": lambda log: rows(log, "UPDATE made SET size = 100000"),
    "no size": lambda log: rows(log, "UPDATE made SET size = 'x'"),
    "another root": lambda log: rows(log, "UPDATE made SET root = zeroblob(32)"),
    "numbers of others": lambda log: rows(log, "UPDATE entries SET number = number + 1000"),
    "texts for numbers": lambda log: rows(log, "UPDATE entries SET number = 'x' || number"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_changes_no_answer(log: Path, damage: str) -> None:
    DAMAGE[damage](log)
    reader = LogReader(str(log), KEY.public)
    assert [find(reader, each) for each in (b"entry 0", b"entry 699", b"entry 700")] == [0, 699, None]
    found = ask(log, [*ALL, b"entry 700"])
    if damage in {"numbers of others", "texts for numbers"}:
        # whoever bends it makes entries be logged twice; a number that is told is always a true one
        assert found.items() <= ALL.items()
    else:
        assert found == ALL


def test_rows_of_other_entries_are_not_believed(log: Path) -> None:
    """The row says that entry 3 is the one that is looked for; the entry says that it is not."""
    key = module._key(b"entry 700")
    rows(log, f"INSERT INTO entries VALUES ({key}, 3), ({key}, -1), ({key}, 100000)")
    assert ask(log, [b"entry 700"]) == {}
    assert find(LogReader(str(log), KEY.public), b"entry 700") is None


def test_the_index_of_another_log(log: Path, tmp_path: Path) -> None:
    """Of the same size, of the same key, and of a log that was set back and went on otherwise."""
    other = Path(new_log(tmp_path / "other"))
    with open_writer(str(other), KEY) as writer:
        writer.append([b"other %d" % each for each in range(SIZE)])
    shutil.copy(log / ".index.sqlite", other / ".index.sqlite")
    assert ask(other, [b"entry 1", b"other 1"]) == {b"other 1": 1}
    short = tmp_path / "short"
    create_log(str(short), "example.com/log", KEY)
    put(short, range(20))
    shutil.copy(log / ".index.sqlite", short / ".index.sqlite")
    assert ask(short, [b"entry 19", b"entry 20"]) == {b"entry 19": 19}
    with open_writer(str(short), KEY) as writer:
        writer.append([b"x"] * SIZE)
    assert ask(short, [b"entry 19", b"entry 20", b"x"]) == {b"entry 19": 19, b"x": 20}


def test_a_folder_of_another_key(log: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    create_log(str(strange), "example.com/log", OTHER)
    put(strange, range(SIZE - 50), OTHER)
    shutil.copy(log / ".index.sqlite", strange / ".index.sqlite")
    assert ask(strange, [b"entry 0"], OTHER) == {
        b"entry 0": 0
    }  # the same entries in the same places: the index is right


def test_an_interrupted_catching_up_is_done_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = LogReader.entries

    def stops(self: LogReader, begin: int = 0) -> object:
        for count, each in enumerate(real(self, begin)):
            if count == 30:
                raise KeyboardInterrupt
            yield each

    monkeypatch.setattr(LogReader, "entries", stops)
    with pytest.raises(KeyboardInterrupt):
        ask(log, [b"entry 699"])
    monkeypatch.setattr(LogReader, "entries", real)
    assert ask(log, list(ALL)) == ALL


def test_an_index_that_is_in_use_is_done_without(log: Path) -> None:
    with closing(sqlite3.connect(log / ".index.sqlite", isolation_level=None)) as base:
        base.execute("BEGIN EXCLUSIVE")
        assert ask(log, [b"entry 699"]) == {b"entry 699": 699}
        assert find(LogReader(str(log), KEY.public), b"entry 5") == 5


def test_a_log_grows_with_it(tmp_path: Path) -> None:
    folder = Path(new_log(tmp_path / "log"))
    for count in (9, 1, 1, 300, 1, 700):
        add(folder, count)
        entries = list(LogReader(str(folder), KEY.public).entries())
        found = ask(folder, entries)
        assert {entries[number]: number for number in found.values()} == found
        assert set(found) == set(entries)
