"""An end at any instant: of the process at each system call, by SIGKILL at random, and of the power, which loses what was not waited for."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.evidence.log.making import KEY, ORIGIN, DyingDisk, Killed, add, all_entries, entries, look, new_log
from tests.evidence.power import Power

from openvet.errors import VerifyError
from openvet.evidence.checkpoint import read_checkpoint
from openvet.evidence.log.disk import Disk
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import create_log, open_writer

#: What was there, and what is appended when the end comes: small, over the end of a tile, over several.
SCENES = [
    ((), (1,)),
    ((3,), (1, 2)),
    ((250,), (6,)),
    ((250,), (5, 2)),
    ((255,), (300,)),
    ((511,), (1, 1)),
    ((600,), (700,)),
]


def run_until(folder: Path, batches: tuple[int, ...], disk: Disk) -> int:
    """Append; gives how many entries were acknowledged before the end."""
    acknowledged = -1
    try:
        with open_writer(str(folder), KEY, disk=disk) as writer:
            acknowledged = writer.checkpoint.size
            for count in batches:
                acknowledged = writer.append(entries(acknowledged, acknowledged + count)).stop
    except Killed:
        pass
    return acknowledged


def hold(folder: Path, acknowledged: int, sizes: set[int], kept: bytes) -> None:
    """Whatever happened: a reader finds a log in order, nothing that was acknowledged is lost, and it goes on from there.

    Args:
        sizes: the sizes that the log may have, at batches as a whole.
        kept: what a reader saw before.
    """
    found = look(folder, kept)
    assert found.checkpoint.size >= acknowledged
    assert found.checkpoint.size in sizes
    assert found.strangers == ()
    assert all_entries(folder) == entries(0, found.checkpoint.size)
    seen = Path(folder, "checkpoint").read_bytes()
    with open_writer(str(folder), KEY) as writer:
        size = writer.checkpoint.size
        assert size in sizes
        assert size >= found.checkpoint.size
        # other entries than those that were interrupted, and another number of them
        writer.append(entries(size, size + 3, "other"))
    again = look(folder, seen)
    assert again.checkpoint.size == size + 3
    assert all_entries(folder) == [*entries(0, size), *entries(size, size + 3, "other")]
    with open_writer(str(folder), KEY) as writer:
        writer.append(entries(0, max(sizes) + 270 - size, "more"))  # over everything that was left behind
    last = look(folder, seen)
    assert (last.leftovers, last.strangers) == ((), ())


def sizes_of(base: tuple[int, ...], batches: tuple[int, ...]) -> set[int]:
    return {sum(base) + sum(batches[:count]) for count in range(len(batches) + 1)}


@pytest.mark.parametrize("torn", [False, True], ids=["before", "torn"])
@pytest.mark.parametrize(("base", "batches"), SCENES)
def test_an_end_at_every_system_call(
    tmp_path: Path, base: tuple[int, ...], batches: tuple[int, ...], torn: bool
) -> None:
    start = tmp_path / "start"
    new_log(start, *base)
    kept = (start / "checkpoint").read_bytes()
    counting = DyingDisk(str(shutil.copytree(start, tmp_path / "all")))
    run_until(tmp_path / "all", batches, counting)
    assert counting.steps >= 15
    folder = tmp_path / "log"
    for last in range(1, counting.steps + 1):
        shutil.copytree(start, folder)
        acknowledged = run_until(folder, batches, DyingDisk(str(folder), last, torn=torn))
        hold(folder, max(acknowledged, sum(base)), sizes_of(base, batches), kept)
        shutil.rmtree(folder)


def test_an_end_while_the_end_before_is_repaired(tmp_path: Path) -> None:
    start = tmp_path / "start"
    new_log(start, 254)
    kept = (start / "checkpoint").read_bytes()
    folder, broken = tmp_path / "log", tmp_path / "broken"
    for first in range(1, 40, 3):
        shutil.copytree(start, broken)
        before = run_until(broken, (5,), DyingDisk(str(broken), first))
        for second in range(1, 12):
            shutil.copytree(broken, folder)
            after = run_until(folder, (5,), DyingDisk(str(folder), second))
            hold(folder, max(before, after, 254), {254, 259, 264}, kept)
            shutil.rmtree(folder)
        shutil.rmtree(broken)


def test_an_end_while_the_log_is_made(tmp_path: Path) -> None:
    for last in range(1, 30):
        folder = tmp_path / f"log{last}"
        disk = DyingDisk(str(folder), last)
        try:
            create_log(str(folder), ORIGIN, KEY, disk)
        except Killed:
            if not (folder / "checkpoint").exists():
                with pytest.raises(VerifyError, match="No such file"):
                    LogReader(str(folder), KEY.public)
                create_log(str(folder), ORIGIN, KEY)
        add(folder, 3)
        assert look(folder).checkpoint.size == 3
    assert disk.steps < 29  # the last ones got through


CHILD = """
import sys
from openvet.evidence.keys import load_private
from openvet.evidence.log.writing import open_writer
from tests.evidence.log.making import entries
key = load_private(open(sys.argv[2], "rb").read())
number = 0
while True:
    with open_writer(sys.argv[1], key) as writer:
        for count in (1, 2, 40, 300, 1):
            begin = writer.checkpoint.size
            print(writer.append(entries(begin, begin + count)).stop, flush=True)
"""


def test_a_process_that_is_killed_at_random(tmp_path: Path) -> None:
    """What it printed was acknowledged; SIGKILL comes whenever it comes, again and again to the same log."""
    folder = new_log(tmp_path / "log")
    (tmp_path / "key").write_bytes(KEY.pem())
    dice = random.Random(7)
    told = 0
    for _ in range(12):
        kept = Path(folder, "checkpoint").read_bytes()
        command = [sys.executable, "-c", CHILD, folder, str(tmp_path / "key")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline()]  # it is at work
            time.sleep(dice.random() * 0.2)
            os.kill(child.pid, signal.SIGKILL)
            lines += child.stdout.readlines()
        told = int([line for line in lines if line.endswith("\n")][-1])
        found = look(folder, kept)
        assert found.checkpoint.size >= told
        assert found.strangers == ()
        assert all_entries(folder) == entries(0, found.checkpoint.size)
    assert told > 12


Names = dict[str, bytes | None]
Change = Callable[[Names], None]


def after_power_loss(start: Names, log: list[tuple[str, str, str, bytes]], dice: random.Random) -> Names:
    """Names and contents (``None`` for a folder) that a disk may have where the power fails after these steps."""
    disk = dict(start)
    now: Names = dict(start)
    waiting: list[tuple[str, Change]] = []

    def put(name: str, data: bytes | None) -> tuple[str, Change]:
        return name.rpartition("/")[0], lambda names: names.__setitem__(name, data)

    def drop(name: str) -> tuple[str, Change]:
        def change(names: Names) -> None:
            names.pop(name, None)

        return name.rpartition("/")[0], change

    for step, name, target, data in log:
        if step == "unsafe":
            garbage = dice.choice([b"", data[: len(data) // 2], bytes(len(data)), data])
            now[name] = data
            waiting.append(put(name, garbage))
        elif step == "safe":
            waiting.append(put(name, data))
        elif step == "mkdir":
            now[name] = None
            waiting.append(put(name, None))
        elif step == "remove":
            now.pop(name, None)
            waiting.append(drop(name))
        elif step == "rename":
            moved = now.pop(name)
            now[target] = moved
            folder, set_it = put(target, moved)
            away, forget = drop(name)
            if folder == away:
                waiting.append((folder, lambda names, a=set_it, b=forget: (a(names), b(names))[0]))  # type: ignore[misc]
            else:
                waiting += [(folder, set_it), (away, forget)]
        else:
            for _, change in [each for each in waiting if each[0] == name]:
                change(disk)
            waiting = [each for each in waiting if each[0] != name]
    chance = dice.choice([0.0, 0.3, 0.7, 1.0])
    for _, change in waiting:
        if dice.random() < chance:
            change(disk)
    return disk


def read_all(folder: Path) -> Names:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def write_all(folder: Path, names: Names) -> None:
    folder.mkdir()
    for name in sorted(names):
        data = names[name]
        parents = [each.as_posix() for each in Path(name).parents][:-1]
        if any(each not in names for each in parents):
            continue  # the folder itself never got to the disk
        if data is None:
            (folder / name).mkdir(exist_ok=True)
        else:
            (folder / name).write_bytes(data)


@pytest.mark.parametrize(("base", "batches"), SCENES)
def test_an_end_of_the_power_after_every_step(tmp_path: Path, base: tuple[int, ...], batches: tuple[int, ...]) -> None:
    dice = random.Random(f"{base}{batches}")
    begun = tmp_path / "begun"
    new_log(begun, *base)
    start = read_all(begun)
    kept = (begun / "checkpoint").read_bytes()
    disk = Power(str(begun))
    marks = [(0, sum(base))]
    with open_writer(str(begun), KEY, disk=disk) as writer:
        for count in batches:
            size = writer.checkpoint.size
            writer.append(entries(size, size + count))
            # it returned after the last sync of the folder; what it tidied up behind that promises nothing
            marks.append((max(at for at, step in enumerate(disk.log) if step[:2] == ("sync", "")) + 1, size + count))
    for length in range(len(disk.log) + 1):
        acknowledged = max(size for at, size in marks if at <= length)
        seen = kept
        for step, _, target, _ in disk.log[:length]:
            if (step, target) == ("rename", "checkpoint"):
                seen = b""
        for turn in range(3):
            folder = tmp_path / f"log-{length}-{turn}"
            write_all(folder, after_power_loss(start, disk.log[:length], dice))
            hold(folder, acknowledged, sizes_of(base, batches), seen or kept)
            shutil.rmtree(folder)


def test_a_checkpoint_that_was_seen_is_not_taken_back(tmp_path: Path) -> None:
    """A reader keeps what it reads at any moment. The power fails, somebody appends something else: no fork."""
    dice = random.Random(3)
    begun = tmp_path / "begun"
    new_log(begun, 3)
    start = read_all(begun)
    disk = Power(str(begun))
    with open_writer(str(begun), KEY, disk=disk) as writer:
        writer.append(entries(3, 5))
    final = (begun / "checkpoint").read_bytes()
    visible = next(at for at, step in enumerate(disk.log) if step[:1] == ("rename",) and step[2] == "checkpoint") + 1
    for turn in range(40):
        folder = tmp_path / f"log-{turn}"
        write_all(folder, after_power_loss(start, disk.log[:visible], dice))
        with open_writer(str(folder), KEY) as writer:
            writer.append(entries(5, 9, "other"))
        assert look(folder, final).checkpoint.size == 9
    assert read_checkpoint(final, KEY.public).size == 5
