"""An end at every step of making a dossier and of adding to it: there is the old dossier or the new one, and it can be gone on with."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from tests.evidence.dossier.making import ORIGIN, OWNER, DiedError, DyingDisk, make, statement
from tests.evidence.power import Power, after_power_loss

from openvet.errors import VerifyError
from openvet.evidence.dossier import reading
from openvet.evidence.dossier.layout import NEXT, PENDING
from openvet.evidence.dossier.reading import verify_dossier
from openvet.evidence.dossier.writing import add_to_dossier, create_dossier


def lines(folder: Path) -> int:
    return len(verify_dossier(str(folder), OWNER.public).claims)


@pytest.mark.parametrize("torn", [False, True], ids=["before", "torn"])
def test_an_end_at_every_step_of_an_add(tmp_path: Path, torn: bool) -> None:
    whole = make(tmp_path / "whole")
    document = tmp_path / "document"
    document.write_bytes(b"another document")
    more = [statement(7), statement(8)]
    seen = set()
    last = 0
    while True:
        last += 1
        folder = Path(shutil.copytree(whole, tmp_path / f"d{last}"))
        disk = DyingDisk(str(folder), last, torn=torn)
        try:
            add_to_dossier(str(folder), OWNER, more, blobs=[str(document)], disk=disk)
            break
        except DiedError:
            counted, pending = (folder / NEXT).exists(), (folder / PENDING).exists()
            now = lines(folder)
            seen.add((now, counted, pending))
            assert now in {3, 5}
            # the next writer finishes or removes what was left
            again = add_to_dossier(str(folder), OWNER, more, blobs=[str(document)])
            assert again == (() if now == 5 or pending else (4, 5))
            assert lines(folder) == 5
            assert sorted(each.name for each in folder.iterdir()) == [
                "blobs",
                "claims.jsonl",
                "index.json",
                "log",
                "trust",
            ]
        shutil.rmtree(folder)
    assert {(3, False, False), (3, False, True), (5, True, False)} <= seen
    assert (5, True, True) not in seen
    assert last > 30


def test_an_end_while_the_end_before_is_repaired(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole")
    for first in range(20, 70, 3):
        broken = Path(shutil.copytree(whole, tmp_path / f"b{first}"))
        try:
            add_to_dossier(str(broken), OWNER, [statement(7)], disk=DyingDisk(str(broken), first))
        except DiedError:
            before = {lines(broken), 4 if (broken / PENDING).exists() else lines(broken)}
            for second in range(1, 12):
                folder = Path(shutil.copytree(broken, tmp_path / f"b{first}-{second}"))
                try:
                    add_to_dossier(str(folder), OWNER, [statement(7)], disk=DyingDisk(str(folder), second))
                except DiedError:
                    assert lines(folder) in before
                shutil.rmtree(folder)


def test_an_end_at_every_step_of_making_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_TRIES", 1)  # nobody is at work meanwhile
    last = 0
    while True:
        last += 1
        folder = tmp_path / f"d{last}"
        try:
            create_dossier(str(folder), ORIGIN, OWNER, DyingDisk(str(folder), last))
            break
        except DiedError:
            if not (folder / NEXT).exists() and not (folder / "index.json").exists():
                with pytest.raises(VerifyError, match=r"index\.json|cannot list"):
                    lines(folder)
                create_dossier(str(folder), ORIGIN, OWNER)
            assert lines(folder) == 0
    assert last > 15


@pytest.mark.parametrize("seed", range(2))
def test_an_end_of_the_power_after_every_step_of_an_add(tmp_path: Path, seed: int) -> None:
    """The old dossier or the new one, the new one once it was acknowledged, and the next writer goes on with it."""
    dice = random.Random(seed)
    start = make(tmp_path / "start")
    begun = Path(shutil.copytree(start, tmp_path / "begun"))
    documents = [tmp_path / f"document{number}" for number in range(2)]
    for number, each in enumerate(documents):
        each.write_bytes(b"another document %d" % number)
    disk = Power(str(begun))
    marks = [(0, 3)]
    for count, document in enumerate(documents, 1):
        add_to_dossier(
            str(begun), OWNER, [statement(7 + count), statement(17 + count)], blobs=[str(document)], disk=disk
        )
        marks.append((len(disk.log), 3 + 2 * count))
    seen = set()
    for length in range(seed, len(disk.log) + 1, 2):  # each step by one of the seeds
        acknowledged = max(size for at, size in marks if at <= length)
        folder = tmp_path / f"d{length}"
        after_power_loss(start, disk.log[:length], dice, folder)
        now, pending = lines(folder), (folder / PENDING).exists()
        assert now in {acknowledged, min(7, acknowledged + 2)}, length
        seen.add(now)
        add_to_dossier(str(folder), OWNER, [statement(30)], blobs=list(map(str, documents)))
        assert lines(folder) == (now + 3 if pending else now + 1)
        assert sorted(each.name for each in folder.iterdir()) == ["blobs", "claims.jsonl", "index.json", "log", "trust"]
        shutil.rmtree(folder)
    assert seen == {3, 5, 7}
    assert len(disk.log) > 80


def test_a_change_that_is_on_the_disk_is_not_taken_back_by_the_power(tmp_path: Path) -> None:
    """What could be seen comes back with the next writer; from the first fsync after that it never goes away, long before it is told."""
    dice = random.Random(5)
    start = make(tmp_path / "start")
    begun = Path(shutil.copytree(start, tmp_path / "begun"))
    disk = Power(str(begun))
    add_to_dossier(str(begun), OWNER, [statement(7)], disk=disk)
    named = next(at for at, step in enumerate(disk.log) if step[0] == "rename" and step[2] == NEXT)
    for length in range(named, len(disk.log) + 1):  # whoever has seen it sees it again, once a writer came
        folder = tmp_path / f"s{length}"
        after_power_loss(start, disk.log[:length], dice, folder)
        add_to_dossier(str(folder), OWNER, [statement(8)])
        assert lines(folder) == 5
        shutil.rmtree(folder)
    safe = next(at for at, step in enumerate(disk.log) if at > named and step[:2] == ("sync", ""))
    for length in range(safe + 1, len(disk.log) + 1):
        for turn in range(3):
            folder = tmp_path / f"d{length}-{turn}"
            after_power_loss(start, disk.log[:length], dice, folder)
            assert lines(folder) == 4
            shutil.rmtree(folder)
