"""The folder that a server keeps everything in: what marks it, its database, and what only one process may be at in it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError

__all__ = ["DATABASE", "KEY", "MARK", "PUBLISHING", "UPKEEP", "check_folder", "database_url", "turn"]

#: A folder is a server's when this file is in it; it comes first into a new one, and last into one that is restored.
MARK: Final = "server.json"
DATABASE: Final = "openvet.db"
KEY: Final = "key.pem"
#: Whose turn it is to put decisions into dossiers and the log, and to copy or remove what is kept.
PUBLISHING: Final = ".publishing.lock"
UPKEEP: Final = ".upkeep.lock"

_TICK: Final = 0.05


def check_folder(folder: str) -> None:
    """Hold a folder to being one of a server.

    Raises:
        UsageError: it is none.
    """
    if not os.path.isfile(os.path.join(folder, MARK)):
        raise UsageError(f"{printable(folder)[:300]} is no folder of a server; name it with --data or --config")


def database_url(folder: str, url: str = "") -> str:
    """The URL of the database: the one that is configured, or the file in ``folder``."""
    return url or f"sqlite:///{os.path.abspath(os.path.join(folder, DATABASE))}"


@contextmanager
def turn(folder: str, name: str, *, wait: float | None, check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Nobody else is at this in ``folder`` while the block runs; the kernel lets go when the process ends, however it ends.

    Args:
        name: of what, :data:`PUBLISHING` or :data:`UPKEEP`.
        wait: seconds to wait for whoever is at it; ``None`` for as long as it takes.
        check: is asked while waiting, and may raise.

    Raises:
        StorageError: somebody is at it for longer than that, or the file system has no locks.
    """
    shown = printable(folder)[:300]
    try:
        descriptor = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(f"{shown} cannot be written: {error.strerror or error}; nothing was done") from error
    try:
        until = None if wait is None else time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                check()
                if until is not None and time.monotonic() >= until:
                    raise StorageError(
                        f"another process is at {shown} (a backup, or room is made in it); nothing was done, try again when it is over"
                    ) from None
                time.sleep(_TICK)
            except OSError as error:
                raise StorageError(
                    f"{shown} cannot be locked: {error.strerror or error}; a server keeps its folder on a file system with locks"
                ) from error
        yield
    finally:
        os.close(descriptor)
