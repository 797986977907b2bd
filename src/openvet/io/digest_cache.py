"""Digests that were computed before, kept in the user's cache folder, so that an unchanged file need not be read again.

A digest is remembered under the file's identity: device, inode, size, time of the last write and of the last change of the inode,
in nanoseconds. Whoever asks has opened the file and looked at it, so a file that was replaced, written to, or moved back in time is
another one. What that cannot see, and why nobody gets this cache without asking for it:

* who sets the machine's clock back, or writes to the disk below the file system, can change bytes and keep the identity;
* a program that has mapped the file and keeps writing to a page that is dirty already moves no time, until the page is written back;
* file systems that keep no such times, or reuse inodes with them (some network and overlay file systems).

Rules:

* A file whose times are less than two seconds before the clock is not remembered, and not believed: a second write could fall into
  the same tick of the file system's clock (racy-git rule; two seconds is what FAT has). Times in the future are never believed.
* The folder has mode 0700 and the file 0600. A cache that belongs to somebody else, that others may write to, that is a link, or that
  SQLite cannot read is not used; a row that does not match its own checksum is not, either. A message says so.
* Two processes may use it at once: SQLite locks it. A process that does not get the lock goes on without.
* It has at most :data:`MOST` digests; those that were not used for the longest time go first.

Source of the rule: git's Documentation/technical/racy-git.txt.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from openvet.core.text import printable

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MOST", "DigestCache", "FileIdentity", "Span", "cache_folder"]

_T = TypeVar("_T")

#: Device, inode, size in bytes, and two times in nanoseconds: last write, last change of the inode.
FileIdentity = tuple[int, int, int, int, int]
#: From the first byte to before the last; ``None`` is the file's end.
Span = tuple[int, int | None]

#: Digests in one cache: about 50 MB.
MOST: Final = 200_000
_NAME: Final = "digests-v1.sqlite"
_RACY: Final = 2_000_000_000
_WAIT: Final = 5.0
_VERSION: Final = 1
_TABLE: Final = """
CREATE TABLE digests (
    device TEXT NOT NULL, inode TEXT NOT NULL, state TEXT NOT NULL, span TEXT NOT NULL,
    digest TEXT NOT NULL, seal BLOB NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (device, inode, span)
) WITHOUT ROWID
"""


def cache_folder(environment: Mapping[str, str]) -> str | None:
    """The user's folder for what can be computed again: ``XDG_CACHE_HOME/openvet``, or ``~/.cache/openvet``.

    ``None`` where neither is known. A relative ``XDG_CACHE_HOME`` does not count (XDG Base Directory Specification).
    """
    base = environment.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = environment.get("HOME", "")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "openvet")


class DigestCache:
    """The cache in one folder. It never raises: what is wrong with it stands in ``messages``, and then it knows nothing.

    Args:
        folder: made with mode 0700 where it is not there; ``None`` means that there is none.
        now: the clock, in nanoseconds since 1970.
        most: digests that are kept.
    """

    def __init__(self, folder: str | None, now: Callable[[], int], *, most: int = MOST) -> None:
        self.messages: list[str] = []
        self._now = now
        self._most = most
        self._used: list[tuple[str, str, str]] = []
        self._fresh: list[tuple[str, str, str, str, str]] = []
        self._base: sqlite3.Connection | None = None
        if folder is None:
            self._refuse("there is no folder for it: neither XDG_CACHE_HOME nor HOME is an absolute path")
            return
        self._shown = printable(os.path.join(folder, _NAME))
        try:
            why = _prepare(folder)
        except OSError as error:
            why = f"{printable(folder)}: {error.strerror}"
        if why:
            self._refuse(why)
            return
        self._try(lambda: self._open(os.path.join(folder, _NAME)))

    def clock(self) -> int:
        """What to hand to :meth:`remember`: the time before the first byte was read."""
        return self._now()

    def find(self, file: FileIdentity, algorithm: str, spans: Sequence[Span]) -> list[str] | None:
        """The digests of ``spans`` of a file that is open and has this identity; ``None`` unless all are known.

        Args:
            algorithm: the name of the hash; digests are lower-case hex.
        """
        base = self._base
        if base is None or not spans or self._is_racy(file, self._now()):
            return None
        return self._try(lambda: self._find(base, file, algorithm, spans))

    def remember(self, file: FileIdentity, algorithm: str, spans: Mapping[Span, str], opened: int) -> None:
        """Remember digests of a file that had this identity before and after it was read; :meth:`save` writes them.

        Args:
            opened: the clock before the first byte was read. A write after that is seen where the clock of the file system has
                moved on, which is why a file that was younger than two seconds then is left out.
        """
        if self._base is None or self._is_racy(file, opened):
            return
        device, inode, state = _state(file)
        self._fresh += [(device, inode, state, _span(algorithm, each), digest) for each, digest in spans.items()]

    def save(self) -> None:
        """Write what was remembered, all or nothing."""
        base = self._base
        if base is not None and (self._fresh or self._used):
            self._try(lambda: self._save(base))
        self._fresh, self._used = [], []

    def close(self) -> None:
        """Give the file back. What was not saved is lost."""
        if self._base is not None:
            self._base.close()
            self._base = None

    @staticmethod
    def _is_racy(file: FileIdentity, now: int) -> bool:
        return max(file[3], file[4]) > now - _RACY

    def _open(self, path: str) -> None:
        import sqlite3

        base = self._base = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
        base.execute("PRAGMA trusted_schema = OFF")
        base.execute("BEGIN IMMEDIATE")
        version = base.execute("PRAGMA user_version").fetchone()[0]
        tables = base.execute("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        if version == 0 and not tables:
            base.execute(_TABLE)
            base.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION or tables != [("table", "digests")]:
            base.execute("ROLLBACK")
            self._refuse(f"{self._shown} is none of this version")
            return
        base.execute("COMMIT")

    def _find(
        self, base: sqlite3.Connection, file: FileIdentity, algorithm: str, spans: Sequence[Span]
    ) -> list[str] | None:
        device, inode, state = _state(file)
        out = []
        for span in spans:
            name = _span(algorithm, span)
            row = base.execute(
                "SELECT state, digest, seal FROM digests WHERE device = ? AND inode = ? AND span = ?",
                (device, inode, name),
            ).fetchone()
            if row is None or row[0] != state:
                return None
            if not isinstance(row[1], str) or row[2] != _seal(device, inode, state, name, row[1]):
                self._refuse(f"{self._shown} is damaged: a digest does not match its checksum; delete the file")
                return None
            out.append(row[1])
        self._used += [(device, inode, _span(algorithm, span)) for span in spans]
        return out

    def _save(self, base: sqlite3.Connection) -> None:
        now = self._now()
        base.execute("BEGIN IMMEDIATE")
        # what is remembered of other states of the same file is of no use any more
        base.executemany(
            "DELETE FROM digests WHERE device = ? AND inode = ? AND state <> ?",
            {(device, inode, state) for device, inode, state, _, _ in self._fresh},
        )
        base.executemany(
            "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*row, _seal(*row), now) for row in self._fresh],
        )
        base.executemany(
            "UPDATE digests SET used = ? WHERE device = ? AND inode = ? AND span = ?",
            [(now, *key) for key in self._used],
        )
        (count,) = base.execute("SELECT count(*) FROM digests").fetchone()
        if count > self._most:
            base.execute(
                "DELETE FROM digests WHERE (device, inode, span) IN "
                "(SELECT device, inode, span FROM digests ORDER BY used, device, inode, span LIMIT ?)",
                (count - self._most,),
            )
        base.execute("COMMIT")

    def _try(self, work: Callable[[], _T]) -> _T | None:
        import sqlite3

        try:
            return work()
        except (
            sqlite3.OperationalError
        ) as error:  # locked for too long, a full disk, a folder that may not be written to
            self._refuse(f"{self._shown} cannot be used: {printable(str(error))}")
        except (sqlite3.Error, ValueError, OverflowError) as error:
            self._refuse(f"{self._shown} is damaged: {printable(str(error))}; delete the file")
        return None

    def _refuse(self, why: str) -> None:
        self.messages.append(f"the digest cache is not used: {why}")
        self.close()


def _state(file: FileIdentity) -> tuple[str, str, str]:
    # as text: inodes have 64 bits without a sign, which SQLite's integers do not hold
    return str(file[0]), str(file[1]), ":".join(map(str, file[2:]))


def _span(algorithm: str, span: Span) -> str:
    return f"{algorithm}:{span[0]}:{'' if span[1] is None else span[1]}"


def _seal(*row: Any) -> bytes:
    return hashlib.sha256("\n".join(row).encode("utf-8", "surrogatepass")).digest()


def _prepare(folder: str) -> str:
    """Make the folder and an empty file where they are not there; why they cannot be believed, or ''."""
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    path = os.path.join(folder, _NAME)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        return f"{printable(folder)} is no folder"
    if why := _foreign(status):
        return f"{printable(folder)} {why}"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        return f"{printable(path)} is a link, or no regular file"
    if why := _foreign(status):
        return f"{printable(path)} {why}"
    return ""


def _foreign(status: os.stat_result) -> str:
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & 0o077:
        return "is open to other users; it is to have mode 0700, and the file in it 0600"
    return ""
