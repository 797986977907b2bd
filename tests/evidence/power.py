"""A disk of which the power can fail afterwards at any step, with files and folders as inodes.

The model: bytes of a file are safe after its fsync, before that they are anything. A change of names is safe after the fsync of its
folder; before that each may have got to the disk or not, later ones without earlier ones. A rename is one change, also from one folder
to another and of a whole folder, as file systems with a journal have it; the fsync of either folder makes it safe.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from openvet.evidence.log.disk import Disk

__all__ = ["Power", "after_power_loss"]

#: An inode: what a folder has by name, or the bytes of a file.
Inode = dict[str, int] | bytes
Step = tuple[str, str, str, bytes]
ROOT: Final = 0


class Power(Disk):
    """Keeps account of what was done in which order."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.log: list[Step] = []

    def write_new(self, name: str, data: bytes) -> None:
        self.log.append(("unsafe", name, "", data))
        super().write_new(name, data)
        self.log.append(("safe", name, "", data))

    def rename(self, source: str, target: str) -> None:
        super().rename(source, target)
        self.log.append(("rename", source, target, b""))

    def make_folder(self, name: str) -> bool:
        made = super().make_folder(name)
        if made:
            self.log.append(("mkdir", name, "", b""))
        return made

    def remove(self, name: str) -> None:
        super().remove(name)
        self.log.append(("remove", name, "", b""))

    def sync_folder(self, name: str) -> None:
        super().sync_folder(name)
        self.log.append(("sync", name, "", b""))


class _Disk:
    """What is in memory (``now``) and what is on the disk (``safe``), by the numbers of inodes."""

    def __init__(self, start: Path, dice: random.Random) -> None:
        self.dice = dice
        self.now: dict[int, Inode] = {}
        self._read(start)
        self.safe: dict[int, Inode] = {
            at: dict(each) if isinstance(each, dict) else each for at, each in self.now.items()
        }
        #: Folders of which one fsync makes the change safe, and the change.
        self.waiting: list[tuple[set[int], Callable[[], None]]] = []

    def _read(self, path: Path) -> int:
        at = len(self.now)
        self.now[at] = b""
        self.now[at] = (
            {each.name: self._read(each) for each in sorted(path.iterdir())} if path.is_dir() else path.read_bytes()
        )
        return at

    def _new(self, inode: Inode, safe: Inode) -> int:
        at = len(self.now)
        self.now[at], self.safe[at] = inode, safe
        return at

    def folder(self, name: str) -> tuple[int, dict[str, int]]:
        at = ROOT
        for part in name.split("/") if name else ():
            at = self._names(self.now, at)[part]
        return at, self._names(self.now, at)

    def place(self, name: str) -> tuple[int, dict[str, int], str]:
        above, _, last = name.rpartition("/")
        return *self.folder(above), last

    @staticmethod
    def _names(table: dict[int, Inode], at: int) -> dict[str, int]:
        found = table[at]
        assert isinstance(found, dict)
        return found

    def put(self, folder: int, name: str, at: int) -> Callable[[], None]:
        return lambda: self._names(self.safe, folder).__setitem__(name, at)

    def drop(self, folder: int, name: str) -> Callable[[], None]:
        def change() -> None:
            self._names(self.safe, folder).pop(name, None)

        return change

    def do(self, step: Step) -> None:
        kind, name, target, data = step
        if kind == "sync":
            at, _ = self.folder(name)
            for folders, change in self.waiting:
                if at in folders:
                    change()
            self.waiting = [each for each in self.waiting if at not in each[0]]
            return
        folder, names, last = self.place(name)
        if kind == "safe":
            self.safe[names[last]] = data
        elif kind in {"unsafe", "mkdir"}:
            garbage: Inode = self.dice.choice([b"", data[: len(data) // 2], bytes(len(data)), data])
            names[last] = self._new({}, {}) if kind == "mkdir" else self._new(data, garbage)
            self.waiting.append(({folder}, self.put(folder, last, names[last])))
        elif kind == "remove":
            if names.pop(last, None) is not None:
                self.waiting.append(({folder}, self.drop(folder, last)))
        else:
            other, there, new = self.place(target)
            there[new] = moved = names.pop(last)
            away, set_it = self.drop(folder, last), self.put(other, new, moved)
            self.waiting.append(({folder, other}, lambda: (away(), set_it())[0]))

    def fail(self) -> None:
        chance = self.dice.choice([0.0, 0.3, 0.7, 1.0])
        for _, change in self.waiting:
            if self.dice.random() < chance:
                change()

    def write(self, place: Path, at: int = ROOT) -> None:
        found = self.safe[at]
        if isinstance(found, dict):
            place.mkdir()
            for name, inner in found.items():
                self.write(place / name, inner)
        else:
            place.write_bytes(found)


def after_power_loss(start: Path, log: list[Step], dice: random.Random, place: Path) -> None:
    """Write to ``place`` what a disk may have where the power fails after these steps on the folder ``start``."""
    disk = _Disk(start, dice)
    for step in log:
        disk.do(step)
    disk.fail()
    disk.write(place)
