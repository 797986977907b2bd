"""An end at every step of making a dossier and of adding to it: there is the old dossier or the new one, and it can be gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.evidence.dossier.making import ORIGIN, OWNER, DiedError, DyingDisk, make, statement

from openvet.errors import VerifyError
from openvet.evidence.dossier.layout import NEXT
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
            counted = (folder / NEXT).exists()
            now = lines(folder)
            seen.add((now, counted))
            assert now in {3, 5}
            # the next writer finishes or removes what was left
            again = add_to_dossier(str(folder), OWNER, more, blobs=[str(document)])
            assert again == (() if now == 5 else (4, 5))
            assert lines(folder) == 5
            assert sorted(each.name for each in folder.iterdir()) == [
                "blobs",
                "claims.jsonl",
                "index.json",
                "log",
                "trust",
            ]
        shutil.rmtree(folder)
    assert {(3, False), (5, True)} <= seen
    assert last > 30


def test_an_end_while_the_end_before_is_repaired(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole")
    for first in range(20, 70, 3):
        broken = Path(shutil.copytree(whole, tmp_path / f"b{first}"))
        try:
            add_to_dossier(str(broken), OWNER, [statement(7)], disk=DyingDisk(str(broken), first))
        except DiedError:
            before = lines(broken)
            for second in range(1, 12):
                folder = Path(shutil.copytree(broken, tmp_path / f"b{first}-{second}"))
                try:
                    add_to_dossier(str(folder), OWNER, [statement(7)], disk=DyingDisk(str(folder), second))
                except DiedError:
                    assert lines(folder) == before
                shutil.rmtree(folder)


def test_an_end_at_every_step_of_making_one(tmp_path: Path) -> None:
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
