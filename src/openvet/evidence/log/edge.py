"""The right edge of a tree in tiles: the hashes of the tiles that are not full yet. It is all that an append has to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from openvet.evidence.log.layout import WIDTH, Place
from openvet.evidence.merkle import EMPTY_ROOT, Tree, fold, node_hash, peaks

__all__ = ["Edge"]


class Edge:
    """Grows leaf by leaf and hands out each tile as it becomes full. ``levels`` are the hashes of the partial tile at each level."""

    def __init__(self, size: int = 0, levels: list[list[bytes]] | None = None) -> None:
        self.size = size
        self.levels = levels or []

    def copy(self) -> Self:
        """Another edge that grows on its own."""
        return type(self)(self.size, [list(each) for each in self.levels])

    def add(self, leaf: bytes) -> list[tuple[Place, list[bytes]]]:
        """Add the hash of a leaf; gives the tiles that became full by it."""
        full: list[tuple[Place, list[bytes]]] = []
        level, found = 0, leaf
        self.size += 1
        while True:
            if level == len(self.levels):
                self.levels.append([])
            hashes = self.levels[level]
            hashes.append(found)
            if len(hashes) < WIDTH:
                return full
            full.append((Place(level, (self.size >> 8 * (level + 1)) - 1, WIDTH), hashes))
            self.levels[level] = []
            found = _tile_hash(hashes)
            level += 1

    def partial(self) -> Iterator[tuple[Place, list[bytes]]]:
        """The tiles that are not full yet."""
        for level, hashes in enumerate(self.levels):
            if hashes:
                yield Place(level, self.size >> 8 * (level + 1), len(hashes)), hashes

    def root(self) -> bytes:
        """The root over all leaves."""
        right: bytes | None = None
        for hashes in self.levels:
            tree = Tree(hashes)
            right = fold((tree.node(height, index) for height, index in peaks(0, tree.size)), right)
        return EMPTY_ROOT if right is None else right


def _tile_hash(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]
