"""Appending to a log, so that what was acknowledged stays, wherever the process or the power ends.

An append goes in this order; each step is on the disk before the next begins:

1. tiles and bundles of the new size, under their own names: nobody looks at them before a checkpoint names that size;
2. ``checkpoint.pending``, the new checkpoint: from here on the entries are in the log, since the next writer finishes the step below;
3. ``checkpoint`` itself, which is the pending one renamed. Only now the append is acknowledged.

So a checkpoint that anybody has read is never taken back: what replaces it was on the disk before it could be seen. One writer at a
time holds the lock of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from openvet.evidence.keys import PrivateKey
from openvet.evidence.log.disk import Disk, StorageError, told
from openvet.evidence.log.edge import Edge
from openvet.evidence.log.layout import CHECKPOINT, ENTRIES, PENDING, STAGING, WIDTH, Place, pack
from openvet.evidence.log.reading import Tiles, read_checkpoint_file
from openvet.evidence.merkle import EMPTY_ROOT, leaf_hash
from openvet.evidence.note import check_name

__all__ = ["LogWriter", "create_log", "open_writer"]

#: Seconds to wait for another writer.
_WAIT = 60.0
_STAGED = f"{STAGING}/{CHECKPOINT}"


def create_log(folder: str, origin: str, key: PrivateKey, disk: Disk | None = None) -> None:
    """Make an empty log in a folder that is new or empty.

    Args:
        folder: where; its parent has to exist.
        origin: the name of the log for ever, such as ``example.com/log``.
        key: of Ed25519; its public half is what everybody verifies the log with.
        disk: stands between the log and its folder.

    Raises:
        UsageError: something is there already, or name or key are none of a log.
        StorageError: it cannot be written.
    """
    check_name(origin)
    signed = sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), key)
    disk = disk or Disk(folder)
    with told(folder, "the log was not made"):
        disk.make_new()
        with disk.locked(_WAIT):
            # what an interrupted attempt left was never a log
            if set(disk.names("")) - {STAGING, PENDING}:
                raise UsageError(f"{printable(folder)} is not empty; a log begins in a folder of its own")
            _tidy(disk)
            disk.remove(PENDING)
            disk.write_new(_STAGED, signed)
            _publish(disk)


@contextmanager
def open_writer(folder: str, key: PrivateKey, *, wait: float = _WAIT, disk: Disk | None = None) -> Iterator[LogWriter]:
    """The log, for appending, and nobody else's until the context is left. What an interrupted append left is finished or removed.

    Args:
        folder: the log.
        key: the private key of the log.
        wait: seconds to wait for another writer.
        disk: stands between the log and its folder.

    Raises:
        VerifyError: the log is not one of this key, or is damaged where the next entries would go.
        StorageError: another writer is at work, or the folder cannot be written.
    """
    disk = disk or Disk(folder)
    with told(folder, "nothing was added"), disk.locked(wait):
        yield LogWriter(disk, key)


class LogWriter:
    """Appends to a log. Made by :func:`open_writer`, which holds the lock."""

    def __init__(self, disk: Disk, key: PrivateKey) -> None:
        self._disk = disk
        self._key = key
        self._broken = False
        _tidy(disk)
        self.checkpoint = self._recover()
        self._edge = self._look(self.checkpoint)
        tiles = Tiles(disk.folder, self.checkpoint.size)
        self._bundle = tiles.bundle(self.checkpoint.size // WIDTH) if self.checkpoint.size % WIDTH else []
        if [leaf_hash(each) for each in self._bundle] != (self._edge.levels[0] if self._edge.levels else []):
            raise VerifyError(
                "tampered", "the last entries of the log are not those in its tree; nothing is added to it"
            )

    def _recover(self) -> Checkpoint:
        """The checkpoint that counts, after a pending one took effect where there is one."""
        path, pending = self._disk.path(CHECKPOINT), self._disk.path(PENDING)
        found = read_checkpoint(read_checkpoint_file(path), self._key.public)
        if not os.path.lexists(pending):
            return found
        try:
            later = read_checkpoint(read_checkpoint_file(pending), self._key.public, found.origin)
            self._look(later)
        except VerifyError:
            later = found  # it never got as far as the disk, so nobody was told
        if later.size > found.size:
            self._disk.rename(PENDING, CHECKPOINT)
        else:
            self._disk.remove(PENDING)
            later = found
        self._disk.sync_folder("")
        return later

    def _look(self, checkpoint: Checkpoint) -> Edge:
        edge = Tiles(self._disk.folder, checkpoint.size).edge()
        if edge.root() != checkpoint.root:
            raise VerifyError(
                "tampered", "the tiles are not what the checkpoint was signed for; nothing is added to the log"
            )
        return edge

    def append(self, entries: Sequence[bytes]) -> range:
        """Add entries, all or none of them. When this returns they are on the disk and stay there.

        Returns:
            Their numbers.

        Raises:
            UsageError: an entry is longer than 65,535 bytes.
            StorageError: the disk is full, for instance. Nothing was acknowledged; as long as the new checkpoint was not written
                nothing was added either, and the message says which.
        """
        if self._broken:
            raise StorageError("an append failed before; open the log again to go on")
        if not entries:
            return range(self.checkpoint.size, self.checkpoint.size)
        edge, bundle, files = self._grow(entries)
        later = Checkpoint(self.checkpoint.origin, edge.size, edge.root(), self.checkpoint.extensions)
        signed = sign_checkpoint(later, self._key)
        self._broken = True
        with told(self._disk.folder, "nothing was added"):
            try:
                self._put(files)
                self._disk.write_new(_STAGED, signed)
            except OSError:
                self._give_room()
                raise
        with told(self._disk.folder, "nothing was acknowledged, but the entries may be in the log"):
            _publish(self._disk)
        self._broken = False
        added = range(self.checkpoint.size, later.size)
        self.checkpoint, self._edge, self._bundle = later, edge, bundle
        self._forget_partial(place for place in files if place.width == WIDTH)
        return added

    def _grow(self, entries: Sequence[bytes]) -> tuple[Edge, list[bytes], dict[Place, bytes]]:
        """The edge, the last bundle and all files of the log with these entries in addition."""
        before = {place for place, _ in self._edge.partial()}
        edge, bundle = self._edge.copy(), list(self._bundle)
        files: dict[Place, bytes] = {}
        for each in entries:
            bundle.append(each)
            for place, hashes in edge.add(leaf_hash(each)):
                files[place] = b"".join(hashes)
            if len(bundle) == WIDTH:
                files[Place(ENTRIES, edge.size // WIDTH - 1, WIDTH)] = pack(bundle)
                bundle = []
        if bundle:
            files[Place(ENTRIES, edge.size // WIDTH, len(bundle))] = pack(bundle)
        for place, hashes in edge.partial():
            if place not in before:
                files[place] = b"".join(hashes)
        return edge, bundle, files

    def _put(self, files: dict[Place, bytes]) -> None:
        """Put the files in their places, all of them on the disk when this returns."""
        disk, changed = self._disk, set[str]()
        for number, data in enumerate(files.values()):
            disk.write_new(f"{STAGING}/{number}", data)
        for number, place in enumerate(files):
            self._clear(place, changed)
            folder = os.path.dirname(place.path)
            changed |= disk.make_folders(folder)
            disk.rename(f"{STAGING}/{number}", place.path)
            changed.add(folder)
        for folder in sorted(changed):
            disk.sync_folder(folder)

    def _clear(self, place: Place, changed: set[str]) -> None:
        """Remove what an interrupted append left under other widths of a tile, before a later size makes it look like ours."""
        known = place.expected(self.checkpoint.size)
        for name in self._disk.names(f"{place.stem}.p"):
            if not name.isdecimal() or int(name) > known:
                self._disk.remove(f"{place.stem}.p/{name}")
                changed.add(f"{place.stem}.p")
        if known < WIDTH and os.path.lexists(self._disk.path(place.stem)):
            self._disk.remove(place.stem)
            changed.add(os.path.dirname(place.stem))

    def _give_room(self) -> None:
        """Leave a full disk no fuller than it was; what cannot be removed now is removed by the next writer."""
        try:
            _tidy(self._disk)
        except OSError:
            pass

    def _forget_partial(self, full: Iterator[Place]) -> None:
        """Remove the partial tiles of full ones. That need not succeed: they are right, and only in the way."""
        for place in full:
            folder = f"{place.stem}.p"
            try:
                for name in self._disk.names(folder):
                    self._disk.remove(f"{folder}/{name}")
                self._disk.remove(folder)
            except OSError:
                return


def _tidy(disk: Disk) -> None:
    """Remove files that never got their names."""
    disk.make_folder(STAGING)
    for name in disk.names(STAGING):
        disk.remove(f"{STAGING}/{name}")


def _publish(disk: Disk) -> None:
    """Make the staged checkpoint the one that counts."""
    disk.rename(_STAGED, PENDING)
    disk.sync_folder("")
    disk.rename(PENDING, CHECKPOINT)
    disk.sync_folder("")
