"""The digest cache: what it believes, what it does not, and that nothing wrong with it ever comes out as a digest."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from openvet.io.digest_cache import DigestCache, FileIdentity, cache_folder

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
OLD = NOW - 100 * SECOND
FILE: FileIdentity = (1, 2**64 - 1, 10, OLD, OLD)
WHOLE = (0, None)
NAME = "digests-v1.sqlite"


def cache(folder: Path, now: int = NOW, most: int = 1000) -> DigestCache:
    return DigestCache(str(folder / "openvet"), lambda: now, most=most)


def filled(folder: Path, file: FileIdentity = FILE, digest: str = "aa") -> Path:
    made = cache(folder)
    made.remember(file, "sha256", {WHOLE: digest}, NOW)
    made.save()
    made.close()
    assert made.messages == []
    return folder / "openvet" / NAME


def test_remembers_with_modes_that_others_cannot_open(tmp_path: Path) -> None:
    path = filled(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    again = cache(tmp_path)
    assert again.find(FILE, "sha256", [WHOLE]) == ["aa"]
    assert again.find(FILE, "blake2b", [WHOLE]) is None
    assert again.find(FILE, "sha256", [(0, 10)]) is None
    assert again.find(FILE, "sha256", [WHOLE, (0, 10)]) is None
    assert again.find(FILE, "sha256", []) is None
    assert again.messages == []


@pytest.mark.parametrize("at", range(5))
def test_a_file_that_differs_in_anything_is_another_one(tmp_path: Path, at: int) -> None:
    filled(tmp_path)
    other = list(FILE)
    other[at] -= 1
    assert cache(tmp_path).find(tuple(other), "sha256", [WHOLE]) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("which", [3, 4])
@pytest.mark.parametrize(
    ("age", "kept"), [(2 * SECOND, True), (2 * SECOND - 1, False), (0, False), (-100 * SECOND, False)]
)
def test_young_files_are_not_remembered(tmp_path: Path, which: int, age: int, kept: bool) -> None:
    file = list(FILE)
    file[which] = NOW - age
    young: FileIdentity = tuple(file)  # type: ignore[assignment]
    filled(tmp_path, young)
    assert cache(tmp_path, NOW + 1000 * SECOND).find(young, "sha256", [WHOLE]) == (["aa"] if kept else None)


def test_a_clock_that_was_set_back_makes_files_young(tmp_path: Path) -> None:
    filled(tmp_path)
    assert cache(tmp_path, OLD + SECOND).find(FILE, "sha256", [WHOLE]) is None
    assert cache(tmp_path, OLD + 2 * SECOND).find(FILE, "sha256", [WHOLE]) == ["aa"]


def test_older_states_of_a_file_go(tmp_path: Path) -> None:
    path = filled(tmp_path)
    filled(tmp_path, (*FILE[:3], OLD + 1, OLD + 1), "bb")
    assert sqlite3.connect(path).execute("SELECT digest FROM digests").fetchall() == [("bb",)]


def test_bounded_and_the_least_used_go_first(tmp_path: Path) -> None:
    for at in range(4):
        made = cache(tmp_path, NOW + at, most=3)
        if at:
            assert made.find(FILE, "sha256", [WHOLE]) == ["0"]
        made.remember((1, at or FILE[1], 10, OLD, OLD), "sha256", {WHOLE: str(at)}, NOW)
        made.save()
    rows = sqlite3.connect(tmp_path / "openvet" / NAME).execute("SELECT digest FROM digests ORDER BY digest")
    assert [row[0] for row in rows] == ["0", "2", "3"]


def refused(folder: Path, words: str) -> None:
    made = cache(folder)
    assert made.find(FILE, "sha256", [WHOLE]) is None
    made.remember(FILE, "sha256", {WHOLE: "cc"}, NOW)
    made.save()
    made.save()
    assert len(made.messages) == 1
    assert made.messages[0].startswith("the digest cache is not used: ")
    assert words in made.messages[0]


def test_a_digest_that_was_changed_in_the_file_is_not_believed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as base:
        base.execute("UPDATE digests SET digest = 'bb'")
    refused(tmp_path, "does not match its checksum")


@pytest.mark.parametrize("value", [b"aa", None, 7])
def test_a_digest_of_another_kind_is_not_believed(tmp_path: Path, value: object) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as base:
        base.execute("DROP TABLE digests")
        base.execute("CREATE TABLE digests (device, inode, state, span, digest, seal, used)")
        state = f"10:{OLD}:{OLD}"
        base.execute("INSERT INTO digests VALUES ('1', ?, ?, 'sha256:0:', ?, x'00', 0)", (str(FILE[1]), state, value))
    refused(tmp_path, "does not match its checksum")


def test_every_byte_changed_gives_the_digest_or_none(tmp_path: Path) -> None:
    path = filled(tmp_path)
    whole = path.read_bytes()
    for at in [*range(0, len(whole), 97), *range(100)]:
        data = bytearray(whole)
        data[at] ^= 0xFF
        path.write_bytes(data)
        made = cache(tmp_path)
        assert made.find(FILE, "sha256", [WHOLE]) in (["aa"], None)
        made.close()


@pytest.mark.parametrize(
    "data", [b"no database, and long enough to be none" * 99, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_what_is_no_database_is_left_alone(tmp_path: Path, data: bytes) -> None:
    path = filled(tmp_path)
    path.write_bytes(data)
    refused(tmp_path, "is damaged")
    assert path.read_bytes() == data


def test_a_cut_database_is_not_believed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    whole = path.read_bytes()
    for length in (50, 1000, 4096, 5000, len(whole) - 1):
        path.write_bytes(whole[:length])
        made = cache(tmp_path)
        assert made.find(FILE, "sha256", [WHOLE]) in (["aa"], None)
        made.close()


@pytest.mark.parametrize("change", ["PRAGMA user_version = 2", "CREATE VIEW more AS SELECT 1", "DROP TABLE digests"])
def test_another_version_is_left_alone(tmp_path: Path, change: str) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as base:
        base.execute(change)
    refused(tmp_path, "is none of this version")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o640, 0o604])
def test_a_cache_open_to_others_is_not_believed(tmp_path: Path, mode: int) -> None:
    filled(tmp_path).chmod(mode)
    refused(tmp_path, "is open to other users")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o755])
def test_a_folder_open_to_others_is_not_believed(tmp_path: Path, mode: int) -> None:
    filled(tmp_path).parent.chmod(mode)
    refused(tmp_path, "is open to other users")


def test_a_cache_of_somebody_else_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    refused(tmp_path, "belongs to another user")


def test_links_are_not_followed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    refused(tmp_path, "is a link")
    path.unlink()
    os.link(path.with_name("elsewhere"), path)
    refused(tmp_path, "is a link")
    path.parent.rename(tmp_path / "moved")
    path.parent.symlink_to("moved")
    refused(tmp_path, "is no folder")


def test_no_folder_for_it(tmp_path: Path) -> None:
    made = DigestCache(None, lambda: NOW)
    assert made.find(FILE, "sha256", [WHOLE]) is None
    assert "neither XDG_CACHE_HOME nor HOME" in made.messages[0]
    (tmp_path / "openvet").write_text("a file")
    refused(tmp_path, "is no folder")
    (tmp_path / "file").write_text("a file")
    refused(tmp_path / "file", "file")


def test_where_it_is() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == "/c/openvet"
    assert cache_folder({"XDG_CACHE_HOME": "c", "HOME": "/h"}) == "/h/.cache/openvet"
    assert cache_folder({"HOME": "h"}) is None


def test_a_lock_that_is_not_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path)
    monkeypatch.setattr("openvet.io.digest_cache._WAIT", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    refused(tmp_path, "locked")
    holder.execute("ROLLBACK")
    assert cache(tmp_path).find(FILE, "sha256", [WHOLE]) == ["aa"]


PROGRAM = """
import sys
from openvet.io.digest_cache import DigestCache
folder, first, now = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for at in range(first, first + 40):
    cache = DigestCache(folder, lambda: now)
    cache.remember((1, at, 10, 5, 5), "sha256", {(0, None): str(at)}, now)
    cache.save()
    assert cache.find((1, at, 10, 5, 5), "sha256", [(0, None)]) == [str(at)]
    assert not cache.messages, cache.messages
    cache.close()
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Both make the file, too: nothing is there when they start."""
    folder = str(tmp_path / "openvet")
    running = [subprocess.Popen([sys.executable, "-c", PROGRAM, folder, str(first), str(NOW)]) for first in (100, 200)]
    assert [each.wait(60) for each in running] == [0, 0]
    made = cache(tmp_path)
    for at in [*range(100, 140), *range(200, 240)]:
        assert made.find((1, at, 10, 5, 5), "sha256", [WHOLE]) == [str(at)]
