"""Reading a log: its checkpoint, its entries, and proofs out of its tiles. No lock is needed, whoever writes meanwhile.

A reader looks at the checkpoint once and stays with that size. Tiles of that size never change; a partial one goes only when the
full one is there.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.checkpoint import Checkpoint, read_checkpoint
from openvet.evidence.keys import PublicKey
from openvet.evidence.log.disk import read_file
from openvet.evidence.log.edge import Edge
from openvet.evidence.log.layout import BUNDLE_BYTES, CHECKPOINT, ENTRIES, WIDTH, Place, cut, unpack
from openvet.evidence.log.proof import Proof
from openvet.evidence.merkle import (
    HASH_BYTES,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

__all__ = ["LogReader", "Tiles", "read_checkpoint_file"]

_CHECKPOINT_BYTES: Final = 1024 * 1024
_CACHED: Final = 512


def read_checkpoint_file(path: str) -> bytes:
    """The bytes of a checkpoint in a file.

    Raises:
        VerifyError: ``missing``.
    """
    try:
        return read_file(path, _CHECKPOINT_BYTES)
    except OSError as error:
        raise VerifyError("missing", f"cannot read {printable(path)}: {error.strerror or error}") from None


class Tiles:
    """The tiles of a log at one size. What they hold is believed by nobody before a root was compared."""

    def __init__(self, folder: str, size: int) -> None:
        self.folder = folder
        self.size = size
        self._trees: OrderedDict[tuple[int, int], Tree] = OrderedDict()
        self._bundle: tuple[int, list[bytes]] = (-1, [])

    def load(self, level: int, number: int) -> tuple[bytes, int, int]:
        """The bytes of a tile, how wide they are, and how much of that counts at this size.

        Raises:
            VerifyError: ``missing``.
        """
        wanted = Place(level, number, WIDTH).expected(self.size)
        for width in dict.fromkeys((wanted, WIDTH)):  # the full one takes over from the partial one
            place = Place(level, number, width)
            try:
                data = read_file(
                    os.path.join(self.folder, place.path), BUNDLE_BYTES if level == ENTRIES else WIDTH * HASH_BYTES
                )
            except OSError as error:
                why = error.strerror or str(error)
                continue
            return data, width, wanted
        place = Place(level, number, wanted)
        raise VerifyError("missing", f"the log needs {place.path} and it cannot be read: {why}")

    def hashes(self, level: int, number: int) -> Sequence[bytes]:
        """The hashes of a tile.

        Raises:
            VerifyError: ``missing``, or ``tampered``: it has another length.
        """
        data, width, wanted = self.load(level, number)
        return cut(data, Place(level, number, width).path, width, wanted)

    def bundle(self, number: int) -> list[bytes]:
        """The entries of a bundle (raises like :meth:`hashes`)."""
        if self._bundle[0] != number:
            data, width, wanted = self.load(ENTRIES, number)
            self._bundle = (number, unpack(data, Place(ENTRIES, number, width).path, width, wanted))
        return self._bundle[1]

    def node(self, height: int, index: int) -> bytes:
        """The hash of a complete subtree, as :data:`openvet.evidence.merkle.Node` has it (raises like :meth:`hashes`)."""
        level, inner = divmod(height, 8)
        number, at = divmod(index << inner, WIDTH)
        tree = self._trees.get((level, number))
        if tree is None:
            tree = self._trees[level, number] = Tree(self.hashes(level, number))
            if len(self._trees) > _CACHED:
                self._trees.popitem(last=False)
        return tree.node(inner, at >> inner)

    def edge(self) -> Edge:
        """The right edge at this size (raises like :meth:`hashes`)."""
        levels: list[list[bytes]] = []
        while count := self.size >> 8 * len(levels):
            level = len(levels)
            levels.append(list(self.hashes(level, count // WIDTH)) if count % WIDTH else [])
        return Edge(self.size, levels)


class LogReader:
    """A log at the size of its checkpoint.

    Args:
        folder: the log.
        key: the public key of the log, of Ed25519.
        origin: which log it has to be; without it, every log of that key.

    Raises:
        VerifyError: there is no checkpoint of that key.
    """

    def __init__(self, folder: str, key: PublicKey, origin: str | None = None) -> None:
        self.folder = folder
        self.signed = read_checkpoint_file(os.path.join(folder, CHECKPOINT))
        self.checkpoint = read_checkpoint(self.signed, key, origin)
        self.tiles = Tiles(folder, self.checkpoint.size)

    def entries(self, begin: int = 0) -> Iterator[bytes]:
        """The entries from number ``begin`` on; they are not held against the tree (:meth:`prove` does that, and the audit)."""
        for number in range(begin // WIDTH, -(-self.checkpoint.size // WIDTH)):
            yield from self.tiles.bundle(number)[max(0, begin - number * WIDTH) :]

    def entry(self, index: int) -> bytes:
        """One entry.

        Raises:
            UsageError: the log has none of that number.
            VerifyError: its bundle is missing or damaged.
        """
        if not 0 <= index < self.checkpoint.size:
            raise UsageError(f"the log has {self.checkpoint.size} entries, and none of number {index}")
        return self.tiles.bundle(index // WIDTH)[index % WIDTH]

    def find(self, entry: bytes) -> int | None:
        """The number of the first entry with these bytes, or ``None``; reads all of them up to that one."""
        return next((index for index, each in enumerate(self.entries()) if each == entry), None)

    def prove(self, index: int) -> Proof:
        """The proof that entry ``index`` is in the log, checked before it is handed out.

        Raises:
            UsageError: the log has no such entry.
            VerifyError: the tiles or the entries are damaged.
        """
        leaf = leaf_hash(self.entry(index))
        path = inclusion_proof(index, self.checkpoint.size, self.tiles.node)
        try:
            verify_inclusion(leaf, index, self.checkpoint.size, path, self.checkpoint.root)
        except VerifyError:
            raise VerifyError(
                "tampered", f"the tiles or entry {index} are not what the checkpoint was signed for"
            ) from None
        return Proof(index, tuple(path), self.signed)

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the log continues what it was with ``old`` entries.

        Raises:
            UsageError: it has less than that.
            VerifyError: the tiles are missing or damaged.
        """
        if not 0 <= old <= self.checkpoint.size:
            raise UsageError(f"the log has {self.checkpoint.size} entries, and not {old}")
        return consistency_proof(old, self.checkpoint.size, self.tiles.node)

    def check_continues(self, kept: Checkpoint) -> None:
        """Return where the log continues what a kept checkpoint says, which was verified before.

        Raises:
            VerifyError: ``mismatch``: of another log; ``rollback``: the log has fewer entries than it had; ``fork``: other ones.
        """
        now = self.checkpoint
        if kept.origin != now.origin:
            raise VerifyError(
                "mismatch",
                f"the kept checkpoint is one of {printable(kept.origin)}, the log is {printable(now.origin)}",
            )
        if kept.size > now.size:
            raise VerifyError(
                "rollback", f"the log has {now.size} entries, and had {kept.size} when the checkpoint was kept"
            )
        verify_consistency(kept.size, now.size, self.consistency(kept.size), kept.root, now.root)
