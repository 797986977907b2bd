"""Which entries a log has: found in its entries, or in a long log through an index that lies beside them and that nobody believes.

The index is one SQLite file in the folder of the log, made for logs of :data:`WORTH` entries or more by whoever appends, while he
holds the lock. It has the first eight bytes of the SHA-256 of each entry with its number, and the size and root of the log that it was
made for. A log that does not continue that one, and a file that is damaged or somebody else's, are no matter: the index is made anew,
or done without.

* What it finds is held against the entry itself.
* What it does not find may be there all the same, where somebody bent it. Then an entry is logged twice, which a log may have; who asks
  whether something is in the log at all (:func:`find`) is answered from the entries.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.errors import UsageError
from openvet.evidence.log.layout import INDEX
from openvet.evidence.log.reading import LogReader
from openvet.evidence.merkle import EMPTY_ROOT, root_hash

if TYPE_CHECKING:
    import sqlite3

__all__ = ["WORTH", "find", "known"]

#: Entries from which on an index is kept; to read fewer takes milliseconds.
WORTH: Final = 10_000
_VERSION: Final = 1
_AT_ONCE: Final = 500_000
_TABLES: Final = """
DROP TABLE IF EXISTS entries;
DROP TABLE IF EXISTS made;
CREATE TABLE entries (key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)) WITHOUT ROWID;
CREATE TABLE made (size INTEGER NOT NULL, root BLOB NOT NULL);
"""


def known(reader: LogReader, wanted: Collection[bytes]) -> dict[bytes, int]:
    """Those of ``wanted`` that the log has, with the number of one entry each. Call it while the log is locked for writing.

    Raises:
        VerifyError: entries or tiles are missing or damaged.
    """
    if reader.checkpoint.size >= WORTH:
        with _opened(reader, writes=True) as base:
            if base is not None:
                return _ask(reader, base, wanted)
    found: dict[bytes, int] = {}
    for number, entry in enumerate(reader.entries()):
        if entry in wanted:
            found.setdefault(entry, number)
    return found


def find(reader: LogReader, entry: bytes) -> int | None:
    """The number of an entry with these bytes, or ``None``; that it has none is said only after all of them were read.

    Raises:
        VerifyError: entries are missing or damaged.
    """
    if reader.checkpoint.size >= WORTH:
        with _opened(reader, writes=False) as base:
            number = None if base is None else _ask(reader, base, [entry]).get(entry)
        if number is not None:
            return number
    return reader.find(entry)


@contextmanager
def _opened(reader: LogReader, *, writes: bool) -> Iterator[sqlite3.Connection | None]:
    """The index, which is up to date where one ``writes``; ``None`` where there is none that can be used."""
    base = _connect(os.path.join(reader.folder, INDEX), writes=writes)
    if base is None:
        yield None
        return
    with closing(base):
        yield base if not writes or _catch_up(reader, base) else None


def _connect(path: str, *, writes: bool) -> sqlite3.Connection | None:
    """An own regular file, or nothing: SQLite is not given what somebody else left there."""
    try:
        import sqlite3

        flags = os.O_RDWR | os.O_CREAT if writes else os.O_RDONLY
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return None
        base = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    except (OSError, ImportError):
        return None
    try:
        for line in ("trusted_schema=OFF", "cell_size_check=ON", "synchronous=OFF", "temp_store=MEMORY"):
            base.execute(f"PRAGMA {line}")
    except sqlite3.Error:
        base.close()
        return None
    return base


def _catch_up(reader: LogReader, base: sqlite3.Connection) -> bool:
    """Bring the index to the size of the log; made anew where it is not one of this log. Whether it can be used."""
    import sqlite3

    now = reader.checkpoint
    for again in (False, True):
        try:
            size = 0 if again else _covered(reader, base)
            if size == now.size:
                return True
            base.execute("BEGIN EXCLUSIVE")
            if size == 0:
                base.execute("COMMIT")
                base.executescript(_TABLES)
                base.execute("BEGIN EXCLUSIVE")
            rows = ((_key(entry), number) for number, entry in enumerate(reader.entries(size), size))
            while some := sorted(islice(rows, _AT_ONCE)):  # in the order of the keys this takes a third of the time
                base.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?)", some)
            base.execute("DELETE FROM made")
            base.execute("INSERT INTO made VALUES (?, ?)", (now.size, now.root))
            base.execute(f"PRAGMA user_version={_VERSION}")
            base.execute("COMMIT")
        except sqlite3.Error as error:
            if "locked" in str(error):
                return False
            _forget(base)
            continue
        return True
    return False


def _covered(reader: LogReader, base: sqlite3.Connection) -> int:
    """How many entries of this log the index has; 0 where it is one of another log, or none."""
    if base.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        return 0
    rows = base.execute("SELECT size, root FROM made").fetchall()
    if len(rows) != 1:
        return 0
    size, root = rows[0]
    if not isinstance(size, int) or not 0 < size <= reader.checkpoint.size:
        return 0
    return size if root == (root_hash(size, reader.tiles.node) if size else EMPTY_ROOT) else 0


def _ask(reader: LogReader, base: sqlite3.Connection, wanted: Collection[bytes]) -> dict[bytes, int]:
    import sqlite3

    found: dict[bytes, int] = {}
    for entry in wanted:
        try:
            rows = base.execute("SELECT number FROM entries WHERE key = ? ORDER BY number", (_key(entry),)).fetchall()
        except sqlite3.Error:
            break
        for (number,) in rows:
            if _holds(reader, number, entry):
                found[entry] = number
                break
    return found


def _holds(reader: LogReader, number: object, entry: bytes) -> bool:
    try:
        return isinstance(number, int) and reader.entry(number) == entry
    except UsageError:
        return False


def _forget(base: sqlite3.Connection) -> None:
    """Make an empty file of one that SQLite cannot read, so that the next attempt begins anew."""
    import sqlite3

    try:
        if base.in_transaction:
            base.execute("ROLLBACK")
        path = base.execute("PRAGMA database_list").fetchone()[2]
    except sqlite3.Error:
        return
    try:
        os.truncate(path, 0)
    except OSError:
        return


def _key(entry: bytes) -> int:
    return int.from_bytes(hashlib.sha256(entry).digest()[:8], "big", signed=True)
