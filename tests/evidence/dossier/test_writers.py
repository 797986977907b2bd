"""Two writers at once, and readers meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.evidence.dossier.making import OWNER, make, statement

from openvet.evidence.dossier.reading import verify_dossier
from openvet.evidence.dossier.writing import add_to_dossier
from openvet.evidence.log.disk import Disk


def test_writers_wait_for_each_other_and_readers_for_nobody(tmp_path: Path) -> None:
    folder = str(make(tmp_path / "dossier"))
    seen, failed = [], []
    done = threading.Event()

    def write(first: int) -> None:
        try:
            for number in range(first, first + 3):
                add_to_dossier(folder, OWNER, [statement(number)])
        except Exception as error:  # noqa: BLE001 - a thread's error has to be seen
            failed.append(error)

    def look() -> None:
        try:
            while not done.is_set():
                seen.append(len(verify_dossier(folder, OWNER.public).claims))
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in (100, 200)]
    reader = threading.Thread(target=look)
    for each in (*writers, reader):
        each.start()
    for each in writers:
        each.join()
    done.set()
    reader.join()
    assert failed == []
    assert len(verify_dossier(folder, OWNER.public).claims) == 9
    assert seen == sorted(seen)


class ReadingDisk(Disk):
    """Verifies the dossier before every step of a writer."""

    seen: list[int]

    def before(self, step: str, name: str) -> None:
        self.seen.append(len(verify_dossier(self.folder, OWNER.public).claims))


def test_a_reader_at_every_step_sees_the_old_or_the_new(tmp_path: Path) -> None:
    disk = ReadingDisk(str(make(tmp_path / "dossier")))
    disk.seen = []
    add_to_dossier(disk.folder, OWNER, [statement(7)], disk=disk)
    assert set(disk.seen) == {3, 4}
    assert disk.seen == sorted(disk.seen)
