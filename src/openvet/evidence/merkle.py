"""Merkle trees over a log: hashes of leaves and nodes, proofs that an entry is in a tree and that one tree continues another.

Source: RFC 9162 section 2.1 (RFC 6962 section 2.1 has the same hashes). Everything that proves is written over a function that
gives the hash of a complete subtree, ``node(height, index)``: the leaves ``index << height`` up to ``(index + 1) << height``. A tree
in memory and tiles in a folder differ in nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from openvet.errors import VerifyError

__all__ = [
    "EMPTY_ROOT", "HASH_BYTES", "Node", "Tree", "consistency_proof", "fold", "inclusion_proof", "leaf_hash", "node_hash", "peaks",
    "root_hash", "verify_consistency", "verify_inclusion",
]  # fmt: skip

HASH_BYTES: Final = 32
#: The root of a tree without leaves.
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

#: Gives the hash of a complete subtree by its height and its index among those of that height.
Node = Callable[[int, int], bytes]
_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf, which no node can have."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return _sha256(b"\x01" + left + right).digest()


def fold(hashes: Iterable[bytes], right: bytes | None = None) -> bytes | None:
    """The node above ``hashes``, from left to right, the last two joined first; ``right`` goes behind all of them."""
    for each in reversed(list(hashes)):
        right = each if right is None else node_hash(each, right)
    return right


def peaks(begin: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees, from left to right, that make up the subtree over the leaves ``begin`` up to ``end``.

    It has to be one of a tree: ``begin`` a multiple of the power of two that is at least ``end - begin``.
    """
    found = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        found.append((height, begin >> height))
        begin += 1 << height
    return found


def _subtree(begin: int, end: int, node: Node) -> bytes:
    size = end - begin
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return node(height, begin >> height)
    whole = fold(node(height, index) for height, index in peaks(begin, end))
    if whole is None:
        raise AssertionError("a subtree has leaves")
    return whole


def root_hash(size: int, node: Node) -> bytes:
    """The root of the tree over the first ``size`` leaves."""
    return _subtree(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """What proves that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162 section 2.1.3.1), nearest to the leaf first.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        if index < middle:
            proof.append(_subtree(middle, end, node))
            end = middle
        else:
            proof.append(_subtree(begin, middle, node))
            begin = middle
    proof.reverse()
    return proof


def consistency_proof(old: int, size: int, node: Node) -> list[bytes]:
    """What proves that the tree of ``size`` leaves continues that of ``old`` leaves (RFC 9162 section 2.1.4.1).

    Raises:
        ValueError: ``old`` is more than ``size``.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves continues none of {old}")
    if old in {0, size}:
        return []
    proof = []
    begin, end, known = 0, size, True
    while end != old:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        if old <= middle:
            proof.append(_subtree(middle, end, node))
            end = middle
        else:
            proof.append(_subtree(begin, middle, node))
            begin, known = middle, False
    if not known:  # the verifier has the old root, but not this part of it
        proof.append(_subtree(begin, end, node))
    proof.reverse()
    return proof


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return where ``proof`` shows that the leaf with this hash is number ``index`` of the tree (RFC 9162 section 2.1.3.2).

    Raises:
        VerifyError: ``malformed``: the proof is none for such a tree; ``mismatch``: it is one, but of something else.
    """
    if not 0 <= index < size:
        raise VerifyError("malformed", f"a tree of {size} entries has no entry {index}")
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count() or any(len(each) != HASH_BYTES for each in proof):
        raise VerifyError("malformed", f"the proof is none for entry {index} of {size}")
    found, path = leaf, index
    for each in proof[:inner]:
        found = _sha256(b"\x01" + each + found if path & 1 else b"\x01" + found + each).digest()
        path >>= 1
    for each in proof[inner:]:  # along the right border there are only left neighbours
        found = _sha256(b"\x01" + each + found).digest()
    if found != root:
        raise VerifyError(
            "mismatch", f"this is not entry {index} of the log with {size} entries that the checkpoint names"
        )


def verify_consistency(old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """Return where ``proof`` shows that nothing of the old tree is changed in the new one (RFC 9162 section 2.1.4.2).

    Raises:
        VerifyError: ``rollback``: the new tree is smaller; ``malformed``: the proof is none for such trees; ``fork``: the new tree does
            not continue the old one.
    """
    if size < old:
        raise VerifyError("rollback", f"the log has {size} entries, and had {old} before")
    if old in {0, size}:
        if proof:
            raise VerifyError("malformed", "the proof of consistency has more hashes than it needs")
        if old_root != (root if old == size else EMPTY_ROOT):
            raise _forked(old)
        return
    path = list(proof)
    if any(len(each) != HASH_BYTES for each in path):
        raise VerifyError("malformed", "the proof of consistency holds something else than hashes")
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    shift = ((old - 1) ^ old).bit_length() - 1  # RFC 9162: while LSB(fn) is set
    left, right = (old - 1) >> shift, (size - 1) >> shift
    if not path:
        raise VerifyError("malformed", "the proof of consistency is empty")
    before = after = path[0]
    for each in path[1:]:
        if right == 0:
            raise VerifyError("malformed", "the proof of consistency has more hashes than it needs")
        if left & 1 or left == right:
            before, after = node_hash(each, before), node_hash(each, after)
            while left and not left & 1:
                left, right = left >> 1, right >> 1
        else:
            after = node_hash(after, each)
        left, right = left >> 1, right >> 1
    if right:
        raise VerifyError("malformed", "the proof of consistency has fewer hashes than it needs")
    if before != old_root or after != root:
        raise _forked(old)


def _forked(old: int) -> VerifyError:
    return VerifyError(
        "fork", f"the log does not continue what it showed before: its first {old} entries are others now"
    )


class Tree:
    """A growing tree in memory that keeps every complete subtree: 64 bytes for each leaf, and what Python adds."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add the hash of a leaf; gives its index."""
        levels = self._levels
        index = place = len(levels[0])
        levels[0].append(leaf)
        height = 0
        while place & 1:
            leaf = _sha256(b"\x01" + levels[height][place - 1] + leaf).digest()
            height += 1
            place >>= 1
            if height == len(levels):
                levels.append([])
            levels[height].append(leaf)
        return index

    def node(self, height: int, index: int) -> bytes:
        """The hash of a complete subtree."""
        return self._levels[height][index]

    def root(self, size: int | None = None) -> bytes:
        """The root over the first ``size`` leaves, by default over all."""
        return root_hash(self.size if size is None else size, self.node)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """As :func:`inclusion_proof`."""
        return inclusion_proof(index, self.size if size is None else size, self.node)

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """As :func:`consistency_proof`."""
        return consistency_proof(old, self.size if size is None else size, self.node)
