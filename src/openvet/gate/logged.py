"""The log of a gate, read: its checkpoint, its entries, and the proof of one."""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.evidence.log.index import find
from openvet.evidence.log.proof import entry_for
from openvet.evidence.log.reading import LogReader
from openvet.evidence.strict import encode_base64
from openvet.gate.identity import NotThereError
from openvet.gate.opening import open_key
from openvet.gate.publishing import log_folder

__all__ = ["LogPage", "Logged", "find_logged", "log_name", "read_entry", "read_log"]


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the log: its number, its bytes as text, and its proof in the form of C2SP, '' where it was not asked for."""

    index: int
    entry: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class LogPage:
    """A log as its checkpoint (a signed note) says it is, and some of its entries, the latest first."""

    origin: str
    size: int
    root: str
    checkpoint: str
    entries: tuple[Logged, ...]


def read_log(folder: str, *, before: int | None = None, limit: int = 100) -> LogPage:
    """The log of the gate in ``folder``, and entries of it, the latest first. They are not compared with the tree; a proof is.

    Raises:
        VerifyError: the log is damaged.
    """
    reader = _reader(folder)
    end = reader.checkpoint.size if before is None else min(before, reader.checkpoint.size)
    found = range(end - 1, max(-1, end - 1 - limit), -1)
    return _page(reader, tuple(Logged(at, _text(reader, at)) for at in found))


def read_entry(folder: str, index: int) -> LogPage:
    """The log, and one entry of it with its proof, which was checked (raises like :func:`read_log`, and :class:`NotThereError`)."""
    reader = _reader(folder)
    if index >= reader.checkpoint.size:
        raise NotThereError(f"the log has {reader.checkpoint.size} entries, and none of number {index}")
    return _page(reader, (_logged(reader, index),))


def find_logged(folder: str, line: bytes) -> Logged | None:
    """The entry of a signed statement with its proof; ``None`` where it is not there (raises like :func:`read_log`)."""
    reader = _reader(folder)
    index = find(reader, entry_for(line))
    return None if index is None else _logged(reader, index)


def log_name(folder: str) -> str:
    """What the log is called for ever (raises like :func:`read_log`)."""
    return _reader(folder).checkpoint.origin


def _reader(folder: str) -> LogReader:
    return LogReader(log_folder(folder), open_key(folder).public)


def _page(reader: LogReader, entries: tuple[Logged, ...]) -> LogPage:
    said = reader.checkpoint
    return LogPage(said.origin, said.size, encode_base64(said.root), reader.signed.decode("utf-8"), entries)


def _logged(reader: LogReader, index: int) -> Logged:
    return Logged(index, _text(reader, index), reader.prove(index).to_bytes().decode("utf-8"))


def _text(reader: LogReader, index: int) -> str:
    return printable(reader.entry(index).decode("utf-8", "backslashreplace"))
