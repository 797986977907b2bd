"""Making a change of a dossier count, so that wherever the process or the power ends there is the old dossier or the new one.

A change goes in this order; each step is on the disk before the next begins:

1. everything that is new in ``.staging``: the claims, the log, the index, and keys and documents that were not there;
2. ``.staging`` becomes ``.pending``: from here on the change is not lost, since the next writer finishes the steps below;
3. ``.pending`` becomes ``.next``: from here on the change counts, since readers look there first;
4. what is in ``.next`` goes to its place, one file after another, and ``.next`` goes away.

So what a reader has seen was on the disk before: where the power fails between 3 and its fsync, the next writer brings it back. One
writer at a time holds the lock of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from openvet.evidence.dossier.layout import (
    BLOBS,
    CLAIMS,
    IN_THE_WAY,
    INDEX,
    LOG,
    NEXT,
    OLD,
    PENDING,
    STAGING,
    TRUST,
    names_of,
)
from openvet.evidence.log.disk import Disk

__all__ = ["each_folder", "publish", "remove_tree", "settle", "tidy"]


def publish(disk: Disk) -> None:
    """Make the staged change the one that counts, and put it in place."""
    names_of(disk.path(STAGING))
    disk.rename(STAGING, PENDING)
    disk.sync_folder("")
    settle(disk)


def settle(disk: Disk) -> None:
    """Finish the change that is under way, or was left so."""
    _put_in_place(disk)
    if os.path.isdir(disk.path(PENDING)):
        disk.rename(PENDING, NEXT)
        disk.sync_folder("")
        _put_in_place(disk)


def _put_in_place(disk: Disk) -> None:
    """Put everything in ``.next`` in its place; at any step the rest may be left to the next writer."""
    if not os.path.isdir(disk.path(NEXT)):
        return
    for folder in (BLOBS, TRUST):
        names = disk.names(f"{NEXT}/{folder}")
        if names:
            disk.make_folders(folder)
            for name in names:
                disk.rename(f"{NEXT}/{folder}/{name}", f"{folder}/{name}")
            each_folder(disk, folder.split("/")[0], disk.sync_folder)
    if os.path.isdir(disk.path(f"{NEXT}/{LOG}")):
        if os.path.isdir(disk.path(LOG)):
            remove_tree(disk, OLD)
            disk.rename(LOG, OLD)
        disk.rename(f"{NEXT}/{LOG}", LOG)
    for name in (CLAIMS, INDEX):
        if os.path.lexists(disk.path(f"{NEXT}/{name}")):
            disk.rename(f"{NEXT}/{name}", name)
    disk.sync_folder("")
    remove_tree(disk, NEXT)
    remove_tree(disk, OLD)
    disk.sync_folder("")


def tidy(disk: Disk) -> None:
    """Remove what never counted, and make room for the next change."""
    for name in IN_THE_WAY:
        remove_tree(disk, name)
    disk.make_folder(STAGING)


def each_folder(disk: Disk, name: str, act: Callable[[str], None]) -> None:
    """Do something with every folder in a folder and then with itself."""
    for each in disk.names(name):
        inner = f"{name}/{each}"
        if os.path.isdir(disk.path(inner)) and not os.path.islink(disk.path(inner)):
            each_folder(disk, inner, act)
    act(name)


def remove_tree(disk: Disk, name: str) -> None:
    """Remove a file, or a folder with all that is in it."""
    if not os.path.isdir(disk.path(name)) or os.path.islink(disk.path(name)):
        disk.remove(name)
        return
    for each in disk.names(name):
        remove_tree(disk, f"{name}/{each}")
    disk.remove(name)
