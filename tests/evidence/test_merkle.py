"""Merkle trees: against the definition of RFC 9162 written down naively, its vectors, and proofs that prove nothing."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import VerifyError
from openvet.evidence.merkle import EMPTY_ROOT, Tree, leaf_hash, verify_consistency, verify_inclusion

LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]
#: The entries that the implementations of Certificate Transparency test with, and their roots by number of entries.
VECTORS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(begin: int, end: int) -> bytes:
    if begin == end:
        return hashlib.sha256().digest()
    return naive_part(begin, end)


@cache
def naive_part(begin: int, end: int) -> bytes:
    if end - begin == 1:
        return LEAVES[begin]
    half = split(end - begin)
    return hashlib.sha256(b"\x01" + naive_part(begin, begin + half) + naive_part(begin + half, end)).digest()


def split(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def naive_path(index: int, begin: int, end: int) -> list[bytes]:
    if end - begin == 1:
        return []
    middle = begin + split(end - begin)
    if index < middle:
        return [*naive_path(index, begin, middle), naive_part(middle, end)]
    return [*naive_path(index, middle, end), naive_part(begin, middle)]


def naive_proof(old: int, begin: int, end: int, known: bool) -> list[bytes]:
    if old == end:
        return [] if known else [naive_part(begin, end)]
    middle = begin + split(end - begin)
    if old <= middle:
        return [*naive_proof(old, begin, middle, known), naive_part(middle, end)]
    return [*naive_proof(old, middle, end, False), naive_part(begin, middle)]


TREE = Tree(LEAVES)


def reason(what: object, *arguments: object) -> str:
    with pytest.raises(VerifyError) as caught:
        what(*arguments)  # type: ignore[operator]
    return caught.value.reason


def test_the_roots_of_the_vectors() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    for number, (entry, root) in enumerate(zip(VECTORS, ROOTS, strict=True)):
        assert tree.append(leaf_hash(entry)) == number
        assert tree.root().hex() == root
    assert [tree.root(size).hex() for size in range(1, 9)] == ROOTS


def test_the_example_of_the_rfc() -> None:
    """The proofs of RFC 9162 section 2.1.5 for seven leaves, by the names of its drawing (`el` is its l)."""
    tree = Tree(LEAVES[:7])
    a, b, c, d, e, f, j = LEAVES[:7]
    from openvet.evidence.merkle import node_hash

    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, el = node_hash(g, h), node_hash(i, j)
    assert tree.root() == node_hash(k, el)
    assert tree.inclusion(0) == [b, h, el]
    assert tree.inclusion(3) == [c, g, el]
    assert tree.inclusion(4) == [f, j, k]
    assert tree.inclusion(6) == [i, k]
    assert tree.consistency(3) == [c, d, g, el]
    assert tree.consistency(4) == [el]
    assert tree.consistency(6) == [i, j, k]


def test_every_small_tree_is_what_the_definition_says() -> None:
    for size in range(1, 40):
        root = TREE.root(size)
        assert root == naive_root(0, size)
        for index in range(size):
            proof = TREE.inclusion(index, size)
            assert proof == naive_path(index, 0, size)
            verify_inclusion(LEAVES[index], index, size, proof, root)
        for old in range(size + 1):
            shown = TREE.consistency(old, size)
            assert shown == (naive_proof(old, 0, size, True) if old else [])
            verify_consistency(old, size, shown, naive_root(0, old), root)


@given(st.data())
def test_trees_of_any_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = TREE.root(size)
    assert root == naive_root(0, size)
    assert TREE.inclusion(index, size) == naive_path(index, 0, size)
    assert TREE.consistency(old, size) == naive_proof(old, 0, size, True)
    verify_inclusion(LEAVES[index], index, size, TREE.inclusion(index, size), root)
    verify_consistency(old, size, TREE.consistency(old, size), naive_root(0, old), root)


@given(st.data())
def test_another_entry_place_or_proof_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    root, proof = TREE.root(size), TREE.inclusion(index, size)
    other = data.draw(st.integers(0, len(LEAVES) - 1).filter(lambda number: number != index))
    assert reason(verify_inclusion, LEAVES[other], index, size, proof, root) == "mismatch"
    assert reason(verify_inclusion, LEAVES[index], other, size, proof, root) in {"mismatch", "malformed"}
    assert reason(verify_inclusion, LEAVES[index], index, size, [*proof, root], root) == "malformed"
    for at in range(len(proof)):
        changed = [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]]
        assert reason(verify_inclusion, LEAVES[index], index, size, changed, root) == "mismatch"
        assert reason(verify_inclusion, LEAVES[index], index, size, proof[:at] + proof[at + 1 :], root) == "malformed"
    assert reason(verify_inclusion, LEAVES[index], -1, size, proof, root) == "malformed"


def test_a_node_is_no_leaf() -> None:
    """The bytes below a node, logged as an entry, have another hash than the node."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != Tree([left, right]).root()


@given(st.data())
def test_a_tree_that_was_changed_continues_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, len(LEAVES)))
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    forked = Tree([*LEAVES[:changed], leaf_hash(b"forged"), *LEAVES[changed + 1 : size]])
    root = TREE.root(old)
    assert reason(verify_consistency, old, size, forked.consistency(old), root, forked.root()) == "fork"
    proof = TREE.consistency(old, size)
    assert reason(verify_consistency, old, size, [*proof, root], root, TREE.root(size)) == "malformed"
    for at in range(len(proof)):
        bent = [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]]
        assert reason(verify_consistency, old, size, bent, root, TREE.root(size)) == "fork"
        short = proof[:at] + proof[at + 1 :]
        assert reason(verify_consistency, old, size, short, root, TREE.root(size)) in {"malformed", "fork"}
    if old < size:
        assert reason(verify_consistency, size, old, [], TREE.root(size), root) == "rollback"
    assert (
        reason(verify_consistency, 0, size, [], root, TREE.root(size)) == "fork"
    )  # no tree without leaves has this root
    assert reason(verify_consistency, old, size, [b"short", *proof], root, TREE.root(size)) == "malformed"


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 300), (0, 0)])
def test_leaves_that_a_tree_does_not_have(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        TREE.inclusion(index, size)


def test_a_tree_continues_none_that_is_bigger() -> None:
    with pytest.raises(ValueError, match="continues none"):
        TREE.consistency(4, 3)
