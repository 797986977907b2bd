"""Logs that we write are read by aics-tlog, another implementation of C2SP's specifications, and its logs by us.

``make interop-log`` makes the environment that these need, with a Python of 3.12 or later.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.log.making import KEY, ORIGIN, add, all_entries, look, new_log

from openvet.evidence.checkpoint import Checkpoint, sign_checkpoint
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import open_writer
from openvet.evidence.merkle import Tree, leaf_hash
from openvet.evidence.note import Verifier

PLACE = Path(__file__).resolve().parents[2] / ".cache/interop/tlog"
pytestmark = pytest.mark.skipif(
    not (PLACE / ".made").exists(),
    reason="aics-tlog is not installed; make interop-log does that, with Python 3.12 or later",
)


class Theirs:
    """aics-tlog, asked case by case."""

    def __init__(self) -> None:
        command = [PLACE / "bin/python", Path(__file__).with_name("tlog_driver.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, do: str, **case: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **case}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "it ended"
        return json.loads(line)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Theirs]:
    found = Theirs()
    yield found
    found.process.stdin.close()  # type: ignore[union-attr]
    found.process.stdout.close()  # type: ignore[union-attr]
    found.process.wait()


def test_our_logs_are_read_by_it(tmp_path: Path, theirs: Theirs) -> None:
    folder = new_log(tmp_path / "log")
    earlier: list[int] = []
    for batch in (1, 2, 252, 1, 1, 300, 90, 66_000):
        add(tmp_path / "log", batch)
        reader = LogReader(folder, KEY.public)
        size = reader.checkpoint.size
        found = theirs("look", folder=folder, vkey=str(Verifier(ORIGIN, KEY.public)), earlier=earlier)
        assert (found["ok"], found["size"], found["root"]) == (True, size, reader.checkpoint.root.hex())
        for index, proof in found["proofs"].items():
            assert [each.hex() for each in reader.prove(int(index)).path] == proof
        for old, proof in found["consistency"].items():
            assert [each.hex() for each in reader.consistency(int(old))] == proof
        earlier.append(size)


def test_our_proofs_are_taken_by_it_and_bent_ones_are_not(theirs: Theirs) -> None:
    entries = [f"entry {number}".encode() for number in range(140)]
    tree = Tree(map(leaf_hash, entries))
    for size in (1, 2, 3, 8, 100, 128, 129, 140):
        for index in {0, size // 3, size - 1}:
            case = {
                "kind": "inclusion", "entry": entries[index].hex(), "index": index, "size": size, "root": tree.root(size).hex(),
                "proof": [each.hex() for each in tree.inclusion(index, size)],
            }  # fmt: skip
            assert theirs("hold", **case) is True
            assert theirs("hold", **case | {"entry": "00"}) is False
        for old in {1, size // 2 or 1, size}:
            case = {
                "kind": "consistency", "old": old, "size": size, "old_root": tree.root(old).hex(), "root": tree.root(size).hex(),
                "proof": [each.hex() for each in tree.consistency(old, size)],
            }  # fmt: skip
            assert theirs("hold", **case) is True
            assert theirs("hold", **case | {"old_root": "00" * 32}) is False


@pytest.mark.parametrize("count", [1, 255, 256, 700])
def test_its_logs_are_read_and_continued_by_us(tmp_path: Path, theirs: Theirs, count: int) -> None:
    folder = tmp_path / "log"
    theirs("write", folder=str(folder), count=count)
    entries = [f"theirs {number}".encode() for number in range(count)]
    root = Tree(map(leaf_hash, entries)).root()
    (folder / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, count, root), KEY))
    assert look(folder).strangers == look(folder).leftovers == ()
    assert all_entries(folder) == entries
    with open_writer(str(folder), KEY) as writer:
        writer.append([b"ours"] * 300)
    assert theirs("look", folder=str(folder), vkey=str(Verifier(ORIGIN, KEY.public)), earlier=[count])["ok"] is True
