"""Audits: forks, cuts and rollbacks, what is missing or bent in the folder, and what does not belong there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.evidence.log.making import KEY, ORIGIN, OTHER, add, entries, look, new_log

from openvet.errors import VerifyError
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import open_writer


def reason(folder: str | Path, kept: bytes | None = None) -> str:
    with pytest.raises(VerifyError) as caught:
        look(folder, kept)
    return caught.value.reason


LONG = "OPENVET_FUZZ_EXAMPLES" in os.environ


def checkpoint(folder: str | Path) -> bytes:
    return Path(folder, "checkpoint").read_bytes()


@pytest.mark.parametrize("batches", [(1,), (3, 4), (250, 4), (250, 6), (256, 1), (600,)])
def test_every_flipped_bit_and_every_cut_shows(tmp_path: Path, batches: tuple[int, ...]) -> None:
    """Not every bit of big files, but one in every byte of the small ones and thousands of places in all (``make fuzz``: more)."""
    places = 200 if LONG or sum(batches) < 10 else 60
    folder = new_log(tmp_path / "log", *batches)
    look(folder)
    for path in [each for each in Path(folder).rglob("*") if each.is_file()]:
        good = path.read_bytes()
        for at in range(0, len(good), 1 + len(good) // places):
            for bit in (1, 0x80) if at % 7 else (1, 2, 4, 8, 16, 32, 64, 128):
                path.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
                assert reason(folder) in {"tampered", "malformed", "wrong-key", "mismatch"}, (path, at, bit)
        for length in {0, 1, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:length])
            assert reason(folder) in {"tampered", "malformed", "wrong-key"}, (path, length)
        path.write_bytes(good + b"\0")
        assert reason(folder) in {"tampered", "malformed"}
        path.write_bytes(good)
    look(folder)


def test_every_missing_file_shows(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 600)
    for path in [each for each in Path(folder).rglob("*") if each.is_file()]:
        good = path.read_bytes()
        path.unlink()
        assert reason(folder) == "missing"
        path.mkdir()
        assert reason(folder) == "missing"
        path.rmdir()
        path.symlink_to(os.devnull)
        assert reason(folder) == "missing"
        path.unlink()
        os.mkfifo(path)
        assert reason(folder) == "missing"
        path.unlink()
        path.write_bytes(good)
    look(folder)


def test_entries_that_changed_places_show(tmp_path: Path) -> None:
    folder = Path(new_log(tmp_path / "log", 600))
    for one, other in (("tile/entries/000", "tile/entries/001"), ("tile/0/000", "tile/0/001")):
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)
        assert reason(folder) == "tampered"
        (folder / one).write_bytes(first)
        (folder / other).write_bytes(second)
    look(folder)


def test_a_rollback_shows_against_a_kept_checkpoint_alone(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    new_log(folder, 300)
    shutil.copytree(folder, tmp_path / "yesterday")
    add(folder, 5)
    kept = checkpoint(folder)
    found = look(tmp_path / "yesterday")
    assert (found.checkpoint.size, found.rollback_excluded) == (300, False)
    assert reason(tmp_path / "yesterday", kept) == "rollback"
    again = look(folder, kept)
    assert again.rollback_excluded
    assert again.kept is not None
    assert again.kept.size == 305


def test_a_log_that_was_cut_shows(tmp_path: Path) -> None:
    """The old checkpoint back in its place, the entries behind it still there: without a kept checkpoint only a hint is left."""
    folder = tmp_path / "log"
    new_log(folder, 300)
    old = checkpoint(folder)
    add(folder, 5)
    kept = checkpoint(folder)
    (folder / "checkpoint").write_bytes(old)
    assert reason(folder, kept) == "rollback"
    assert set(look(folder).leftovers) == {"tile/0/001.p/49", "tile/entries/001.p/49"}
    (folder / "checkpoint").write_bytes(kept)
    (folder / "tile/entries/001.p/49").unlink()
    assert reason(folder, kept) == "missing"


@pytest.mark.parametrize("sizes", [(3, 3), (3, 5), (256, 256), (256, 300), (300, 700)])
def test_a_fork_shows_against_a_kept_checkpoint(tmp_path: Path, sizes: tuple[int, int]) -> None:
    """The owner of the key tells two stories; each is a log in order."""
    folder = tmp_path / "log"
    new_log(folder, 2)
    shutil.copytree(folder, tmp_path / "fork")
    add(folder, sizes[0] - 2)
    with open_writer(str(tmp_path / "fork"), KEY) as writer:
        writer.append(entries(2, sizes[1], "other"))
    look(folder)
    look(tmp_path / "fork")
    assert reason(tmp_path / "fork", checkpoint(folder)) == "fork"
    if sizes[0] == sizes[1]:
        assert reason(folder, checkpoint(tmp_path / "fork")) == "fork"


def test_a_kept_checkpoint_has_to_be_one_of_this_log(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 3)
    good = checkpoint(folder)
    assert look(folder, good).rollback_excluded
    assert reason(folder, good.replace(b"\n3\n", b"\n2\n")) == "tampered"
    assert reason(folder, b"") == "malformed"
    from openvet.evidence.checkpoint import Checkpoint, sign_checkpoint
    from openvet.evidence.merkle import EMPTY_ROOT

    assert reason(folder, sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), OTHER)) == "wrong-key"
    assert reason(folder, sign_checkpoint(Checkpoint("example.com/b", 0, EMPTY_ROOT), KEY)) == "mismatch"
    assert look(folder, sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY)).rollback_excluded


def test_a_checkpoint_whose_root_is_another_shows(tmp_path: Path) -> None:
    """Signed by the right key, over a tree that is not there."""
    from openvet.evidence.checkpoint import Checkpoint, sign_checkpoint

    folder = new_log(tmp_path / "log", 3)
    Path(folder, "checkpoint").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), KEY))
    assert reason(folder) == "tampered"
    with pytest.raises(VerifyError, match="not what the checkpoint was signed for"):
        LogReader(folder, KEY.public).prove(1)
    with pytest.raises(VerifyError, match="nothing is added"), open_writer(folder, KEY):
        pass


def test_nothing_is_added_to_a_damaged_end(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 300)
    for name in ("tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"):
        path = Path(folder, name)
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(VerifyError) as caught, open_writer(folder, KEY):
            pass
        assert caught.value.reason == "tampered"
        path.write_bytes(good)


def test_what_does_not_belong_there_is_named(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 3)
    for name in (
        "notes\x1b.txt",
        "tile/0/000.p/9",
        "tile/0/000.p/09",
        "checkpoint.pending",
        ".staging/7",
        "tile/5/x001/000",
    ):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = look(folder)
    assert set(found.leftovers) == {"tile/0/000.p/9", "checkpoint.pending", ".staging/7", "tile/5/x001/000"}
    assert len(found.strangers) == 2
    assert not any("\x1b" in each for each in found.strangers)
