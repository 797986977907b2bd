"""Large files of two models that are hashed beside each other, and their tensors compared on the way: each byte is read once.

Files belong together that have one name. Where their tensors lie in another order, or are no safetensors, each file is hashed by itself as ever, and
what differs is read a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvet.core.snapshot import Entry, EntryKind
from openvet.errors import ReadError
from openvet.io.hashing import HashPool, Pending
from openvet.io.source import BLOCK, FileSource

if TYPE_CHECKING:
    from openvet.inventory.compare.aligned import Pair
    from openvet.inventory.compare.swept import Sweep
    from openvet.io.twins import Twins
    from openvet.workflows.opened import Opened

__all__ = ["SideBySide"]


class SideBySide:
    """Hands the files of two models to the threads that hash.

    Args:
        a, b: both models, listed.
        pool: the threads.
    """

    def __init__(self, a: Opened, b: Opened, pool: HashPool) -> None:
        self._pool = pool
        self._b = b
        self._names = {} if a.remote or b.remote else {_name(b, each): each for each in _files(b)}
        self._a = a
        self._waiting: dict[str, Pending] = {}
        self._twins: list[tuple[Twins, list[Pair]]] = []

    def submit_a(self, entry: Entry, source: FileSource) -> Pending:
        """Hash a file of A, and with it the one of B that it is compared with."""
        other = self._names.get(_name(self._a, entry))
        twins = None if other is None else self._pair(source, other)
        if twins is None or other is None:
            return self._pool.submit(source)
        self._waiting[other.name] = twins.pending[1]
        self._pool.submit_twins(twins)
        return twins.pending[0]

    def submit_b(self, entry: Entry, source: FileSource) -> Pending:
        """Hash a file of B, unless that is under way."""
        return self._waiting.pop(entry.name, None) or self._pool.submit(source)

    def _pair(self, source: FileSource, entry: Entry) -> Twins | None:
        from openvet.inventory.compare.swept import COMPILED

        if not COMPILED:
            return None
        from openvet.inventory.compare.aligned import look, pair_up, read_table
        from openvet.io.twins import Twins

        table = read_table(source)
        if not table:
            return None
        try:
            other = self._b.open_again(entry)
        except ReadError:
            return None
        pairs, spans = pair_up(table, read_table(other), (source.size, other.size))
        if not pairs:
            other.close()
            return None
        twins = Twins((source, other), spans, look)
        self._twins.append((twins, pairs))
        return twins

    def found(self) -> dict[tuple[str, str], Sweep]:
        """What is known of pairs of tensors, by their keys in both models. Asked when everything is hashed."""
        out = {}
        for twins, pairs in self._twins:
            if not twins.complete:
                continue
            one, other = (each.wait().get("sha256") for each in twins.pending)
            for pair in pairs if one and other else ():
                out[f"{one} {pair.a.start}", f"{other} {pair.b.start}"] = pair.sweep
        return out


def _files(opened: Opened) -> list[Entry]:
    return [each for each in opened.snapshot.entries if each.kind is EntryKind.FILE and each.size > BLOCK]


def _name(opened: Opened, entry: Entry) -> str:
    """What the same file is called in the other model."""
    return "" if opened.snapshot.single else entry.name
