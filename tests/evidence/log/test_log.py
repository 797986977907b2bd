"""A log that nothing happens to: what lies in the folder, proofs, and numbers of every size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.log.making import KEY, ORIGIN, OTHER, add, all_entries, entries, look, new_log

from openvet.errors import UsageError, VerifyError
from openvet.evidence.log.disk import StorageError
from openvet.evidence.log.edge import Edge
from openvet.evidence.log.layout import ENTRIES, Place, pack, places, unpack
from openvet.evidence.log.proof import Proof, entry_for
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import create_log, open_writer
from openvet.evidence.merkle import Tree, leaf_hash, verify_consistency


def reason(what: Any, *arguments: Any) -> str:
    with pytest.raises(VerifyError) as caught:
        what(*arguments)
    return caught.value.reason


def files(folder: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (Place(0, 0, 256), "tile/0/000"), (Place(3, 999, 1), "tile/3/999.p/1"), (Place(63, 1000, 256), "tile/63/x001/000"),
        (Place(ENTRIES, 1234067, 255), "tile/entries/x001/x234/067.p/255"),
    ],
)  # fmt: skip
def test_paths_of_tiles(place: Place, path: str) -> None:
    assert place.path == path
    assert Place.parse(path) == place


@given(st.integers(-1, 63), st.integers(0, 2**40), st.integers(1, 256))
def test_a_path_names_one_tile(level: int, number: int, width: int) -> None:
    assert Place.parse(Place(level, number, width).path) == Place(level, number, width)


@pytest.mark.parametrize("path", ["tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/00/000", "tile/64/000", "tile/0/0", "tile/0/x000/001", "tile/0/x001", "tile/0/001/000", "tile/entries", "checkpoint", "tile/0/000.p/١"])  # fmt: skip
def test_other_paths_name_none(path: str) -> None:
    assert Place.parse(path) is None


def test_the_example_of_the_specification() -> None:
    """70,000 entries: 273 full tiles and one of 112; one full and one of 17; one of 1."""
    tiles = [place for place in places(70_000) if place.level != ENTRIES]
    assert len(tiles) == 273 + 1 + 2 + 1
    assert [place for place in tiles if place.width < 256] == [Place(0, 273, 112), Place(1, 1, 17), Place(2, 0, 1)]
    assert [place.path for place in places(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(places(0)) == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537])
def test_the_edge_is_the_tree(size: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    edge, full = Edge(), set()
    for leaf in leaves:
        full |= {place for place, _ in edge.add(leaf)}
    assert edge.root() == Tree(leaves).root()
    assert full | {place for place, _ in edge.partial()} == {place for place in places(size) if place.level != ENTRIES}


@given(st.lists(st.binary(max_size=20), max_size=20), st.data())
def test_bundles_are_read_as_they_were_written(found: list[bytes], data: st.DataObject) -> None:
    packed = pack(found)
    assert unpack(packed, "it", len(found), len(found)) == found
    wanted = data.draw(st.integers(0, len(found)))
    assert unpack(packed, "it", len(found), wanted) == found[:wanted]
    for other in (packed + b"\0", packed + b"\0\0", packed[:-1] if packed else b"\0"):
        assert reason(unpack, other, "it", len(found), len(found)) == "tampered"


def test_a_new_log_is_empty(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log")
    assert files(folder) == ["checkpoint"]
    found = look(folder)
    assert (found.checkpoint.size, found.tiles, found.rollback_excluded) == (0, 0, False)
    assert b"".join(Path(folder, "checkpoint").read_bytes().splitlines(True)[:2]) == b"example.com/log\n0\n"
    with pytest.raises(UsageError, match="none of number 0"):
        LogReader(folder, KEY.public).prove(0)


def test_a_folder_is_as_the_specification_has_it(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 254, 1)
    assert files(folder) == [
        "checkpoint", "tile/0/000.p/254", "tile/0/000.p/255", "tile/entries/000.p/254", "tile/entries/000.p/255",
    ]  # fmt: skip
    assert look(folder).earlier == 2
    add(tmp_path / "log", 1)  # the full tiles take over
    assert files(folder) == ["checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
    add(tmp_path / "log", 500)
    assert files(folder) == [
        "checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/244", "tile/1/000.p/1", "tile/1/000.p/2", "tile/entries/000",
        "tile/entries/001", "tile/entries/002.p/244",
    ]  # fmt: skip
    assert all_entries(folder) == entries(0, 756)
    assert look(folder).leftovers == look(folder).strangers == ()


def test_every_entry_has_a_proof_at_every_size(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log")
    checkpoints = []
    for batch in (1, 2, 252, 1, 1, 300, 90):
        add(tmp_path / "log", batch)
        reader = LogReader(folder, KEY.public, ORIGIN)
        checkpoints.append(reader.checkpoint)
        size = reader.checkpoint.size
        tree = Tree(map(leaf_hash, entries(0, size)))
        assert reader.checkpoint.root == tree.root()
        for index in (*range(0, size, 37), size - 1):
            proof = Proof.parse(reader.prove(index).to_bytes())
            assert list(proof.path) == tree.inclusion(index)
            assert proof.verify(entries(index, index + 1)[0], KEY.public, ORIGIN).size == size
            assert reader.entry(index) == entries(index, index + 1)[0]
        for old in checkpoints:
            reader.check_continues(old)
            verify_consistency(old.size, size, reader.consistency(old.size), old.root, tree.root())


def test_a_log_with_three_levels(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 65_000, 1_000)
    assert {"tile/1/000", "tile/2/000.p/1", "tile/1/001.p/1"} <= set(files(folder))
    reader = LogReader(folder, KEY.public)
    tree = Tree(map(leaf_hash, entries(0, 66_000)))
    for index in (0, 65_535, 65_536, 65_999):
        assert list(reader.prove(index).path) == tree.inclusion(index)
    assert reader.consistency(65_000) == tree.consistency(65_000)
    assert look(folder).checkpoint.root == tree.root()
    assert reader.find(entries(65_999, 66_000)[0]) == 65_999
    assert reader.find(b"not there") is None


def test_what_cannot_be_logged(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 3)
    with open_writer(folder, KEY) as writer:
        assert writer.append([]) == range(3, 3)
        with pytest.raises(UsageError, match="65535 bytes"):
            writer.append([b"good", b"x" * 65536])
        assert writer.append([b"x" * 65535, b""]) == range(3, 5)
    assert look(folder).checkpoint.size == 5
    assert len(entry_for(b"x" * 10**6)) == 71


def test_where_no_log_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, words in (("full", "not empty"), ("file", "Not a directory"), ("none/log", "No such file")):
        with pytest.raises((UsageError, StorageError), match=words):
            create_log(str(tmp_path / name), ORIGIN, KEY)
    create_log(str(tmp_path / "empty"), ORIGIN, KEY)
    with pytest.raises(UsageError, match="not empty"):
        create_log(str(tmp_path / "empty"), ORIGIN, KEY)
    with pytest.raises(UsageError, match="names no log"):
        create_log(str(tmp_path / "new"), "a b", KEY)
    assert not (tmp_path / "new").exists()
    assert reason(LogReader, str(tmp_path / "full"), KEY.public) == "missing"


def test_only_the_key_of_the_log_appends_and_is_believed(tmp_path: Path) -> None:
    folder = new_log(tmp_path / "log", 3)

    def append() -> None:
        with open_writer(folder, OTHER) as writer:
            writer.append([b"forged"])

    assert reason(append) == "wrong-key"
    assert reason(LogReader, folder, OTHER.public) == "wrong-key"
    assert reason(LogReader, folder, KEY.public, "example.com/other") == "mismatch"
    proof = LogReader(folder, KEY.public).prove(1)
    good = entries(1, 2)[0]
    assert reason(proof.verify, good, OTHER.public) == "wrong-key"
    assert reason(proof.verify, b"another", KEY.public) == "mismatch"
    assert reason(Proof(2, proof.path, proof.checkpoint).verify, good, KEY.public) in {"mismatch", "malformed"}


def test_a_proof_with_extra_data(tmp_path: Path) -> None:
    proof = LogReader(new_log(tmp_path / "log", 7), KEY.public).prove(6)
    for extra in (None, b"", b"\0more"):
        again = Proof(proof.index, proof.path, proof.checkpoint, extra)
        assert Proof.parse(again.to_bytes()) == again
    lines = proof.to_bytes().decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 6"]
    assert lines[4:7] == ["", ORIGIN, "7"]


@given(st.data())
def test_every_flipped_bit_of_a_proof_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    good = PROOFS.get(5) or PROOFS.setdefault(5, _proof(tmp_path_factory))
    at = data.draw(st.integers(0, len(good) * 8 - 1))
    bent = bytearray(good)
    bent[at // 8] ^= 1 << at % 8

    def verify() -> None:
        Proof.parse(bytes(bent)).verify(entries(5, 6)[0], KEY.public, ORIGIN)

    assert reason(verify) in {"malformed", "tampered", "wrong-key", "mismatch"}


PROOFS: dict[int, bytes] = {}


def _proof(factory: pytest.TempPathFactory) -> bytes:
    return LogReader(new_log(factory.mktemp("proof") / "log", 9), KEY.public).prove(5).to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        (b"@v1", b"@v2"), (b"index 1\n", b""), (b"index 1", b"index 01"), (b"index 1", b"index -1"), (b"index", b"Index"), (b"=\n\nex", b"=\nex"),
        (b"\nindex", b"\nextra =\nindex"), (b"\nindex", b"\nextra eA==\nextra eA==\nindex"), (b"=\n\nex", b"=\n\n\nex"), (b"=\n\nex", b"=\neA==\n\nex"),
        (b"=\n\nex", b"\xff\n\nex"), (b"\n", b"\r\n"),
    ],
)  # fmt: skip
def test_what_is_no_proof(tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    good = LogReader(new_log(tmp_path / "log", 3), KEY.public).prove(1).to_bytes()
    assert good.count(change[0]) >= 1
    assert reason(Proof.parse, good.replace(*change, 1 if change[0] != b"\n" else -1)) == "malformed"
