import os
import socket
from pathlib import Path

import pytest

from openvet.core.limits import Limits
from openvet.core.snapshot import EntryKind
from openvet.errors import ChangedError, SubjectError
from openvet.origins.local import DeniedError, LocalOrigin, VanishedError


def _kinds(origin: LocalOrigin) -> dict[str, EntryKind]:
    return {entry.name: entry.kind for entry in origin.snapshot.entries}


def _bytes(origin: LocalOrigin, name: str) -> bytes:
    entry = next(each for each in origin.snapshot.entries if each.name == name)
    with origin.open(entry) as source:
        return source.read(0, source.size)


def test_a_folder_in_byte_order(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a.b", "Z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    origin = LocalOrigin(str(tmp_path))
    assert [entry.name for entry in origin.snapshot.entries] == ["Z", "a.b", "a/z", "b"]
    assert _bytes(origin, "a/z") == b"a/z"
    assert origin.snapshot.total_bytes == sum(map(len, ("b", "a/z", "a.b", "Z")))
    origin.close()


def test_one_file_and_a_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "deadbeef").write_text("data")
    (tmp_path / "model.bin").symlink_to("deadbeef")
    origin = LocalOrigin(str(tmp_path / "model.bin"))
    assert origin.snapshot.single
    assert origin.snapshot.name == "model.bin"
    assert _bytes(origin, "model.bin") == b"data"
    origin.close()


def _cache(root: Path) -> Path:
    repository = root / "models--org--name"
    snapshot = repository / "snapshots" / "0123abcd"
    (repository / "blobs").mkdir(parents=True)
    (snapshot / "sub").mkdir(parents=True)
    (repository / "blobs" / "aa").write_text("weights")
    (root / "secret").write_text("secret")
    (repository / "other").write_text("not a blob")
    (snapshot / "model.safetensors").symlink_to("../../blobs/aa")
    (snapshot / "sub" / "deep").symlink_to("../../../blobs/aa")
    (snapshot / "out").symlink_to(root / "secret")
    (snapshot / "beside").symlink_to("../../other")
    return snapshot


def test_a_hub_cache_snapshot(tmp_path: Path) -> None:
    origin = LocalOrigin(str(_cache(tmp_path)))
    assert _kinds(origin) == {
        "beside": EntryKind.ESCAPING_LINK,
        "model.safetensors": EntryKind.FILE,
        "out": EntryKind.ESCAPING_LINK,
        "sub/deep": EntryKind.FILE,
    }
    assert _bytes(origin, "model.safetensors") == b"weights"
    assert _bytes(origin, "sub/deep") == b"weights"
    assert origin.snapshot.name == "0123abcd"
    origin.close()


def test_links_elsewhere(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "inner").mkdir(parents=True)
    (model / "inner" / "real").write_text("x")
    (tmp_path / "model-2").mkdir()
    (tmp_path / "model-2" / "f").write_text("same prefix, other folder")
    (model / "to-file").symlink_to("inner/real")
    (model / "to-folder").symlink_to("inner")
    (model / "to-self").symlink_to(".")
    (model / "circle").symlink_to("circle")
    (model / "nothing").symlink_to("gone")
    (model / "passwd").symlink_to("/etc/passwd")
    (model / "sibling").symlink_to("../model-2/f")
    (model / "folder-out").symlink_to("../model-2")
    (model / "nothing-outside").symlink_to("../gone")
    origin = LocalOrigin(str(model))
    assert _kinds(origin) == {
        "circle": EntryKind.BROKEN_LINK,
        "folder-out": EntryKind.ESCAPING_LINK,
        "inner/real": EntryKind.FILE,
        "nothing": EntryKind.BROKEN_LINK,
        "nothing-outside": EntryKind.ESCAPING_LINK,
        "passwd": EntryKind.ESCAPING_LINK,
        "sibling": EntryKind.ESCAPING_LINK,
        "to-file": EntryKind.FILE,
        "to-folder": EntryKind.FOLDER_LINK,
        "to-self": EntryKind.FOLDER_LINK,
    }
    assert _bytes(origin, "to-file") == b"x"
    origin.close()


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "sock"))
    listener.close()
    (tmp_path / "fifo-link").symlink_to("fifo")
    origin = LocalOrigin(str(tmp_path))
    assert set(_kinds(origin).values()) == {EntryKind.SPECIAL}
    assert [entry.detail for entry in origin.snapshot.entries] == [
        "is a fifo",
        "links to fifo, which is no regular file",
        "is a socket",
    ]
    origin.close()


def test_a_fifo_as_subject_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SubjectError, match="a fifo"):
        LocalOrigin(str(tmp_path / "fifo"))


@pytest.mark.parametrize("path", ["/does/not/exist", "", "a\0b"])
def test_nothing_there(path: str) -> None:
    with pytest.raises(SubjectError):
        LocalOrigin(path)


def test_swapped_after_listing(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    for name in ("gone", "linked", "fifo", "sub/x"):
        (model / name).write_text("x")
    origin = LocalOrigin(str(model))
    for name in ("gone", "linked", "fifo"):
        (model / name).unlink()
    (model / "linked").symlink_to(tmp_path / "secret")
    os.mkfifo(model / "fifo")
    (model / "sub").rename(model / "moved")
    (model / "sub").symlink_to(tmp_path)
    entries = {entry.name: entry for entry in origin.snapshot.entries}
    with pytest.raises(VanishedError):
        origin.open(entries["gone"])
    for name in ("linked", "fifo", "sub/x"):
        with pytest.raises(ChangedError):
            origin.open(entries[name])
    origin.close()


def test_excluded_names_are_listed(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in (".git/config", "a.bin", "b.txt"):
        (tmp_path / name).write_text("x")
    origin = LocalOrigin(str(tmp_path), exclude=(".git", "*.txt"))
    assert _kinds(origin) == {".git": EntryKind.EXCLUDED, "a.bin": EntryKind.FILE, "b.txt": EntryKind.EXCLUDED}
    origin.close()


def test_names_that_do_not_show(tmp_path: Path) -> None:
    for name in (b"a\x1b[2Jb", b"\xff\xfe", "mod\u202el.bin".encode(), b"new\nline"):
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    origin = LocalOrigin(str(tmp_path))
    assert [entry.place for entry in origin.snapshot.entries] == [
        "a\\x1b[2Jb",
        "mod\\u202el.bin",
        "new\\x0aline",
        "\\xff\\xfe",
    ]
    assert _bytes(origin, "\udcff\udcfe") == b"\xff\xfe"
    origin.close()


def test_more_files_than_allowed(tmp_path: Path) -> None:
    for index in range(5):
        (tmp_path / str(index)).write_text("x")
    origin = LocalOrigin(str(tmp_path), limits=Limits(files=3))
    assert len(origin.snapshot.entries) == 3
    assert "limit files = 3" in origin.snapshot.cut
    origin.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission_denied(tmp_path: Path) -> None:
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "folder").mkdir(mode=0)
    origin = LocalOrigin(str(tmp_path))
    kinds = _kinds(origin)
    assert kinds["folder"] is EntryKind.DENIED
    with pytest.raises(DeniedError):
        origin.open(origin.snapshot.entries[0])
    origin.close()
    (tmp_path / "folder").chmod(0o700)
