"""Rates of the log: hashing, proving and checking on one core, and appends that are on the disk when they are acknowledged.

usage: ``python benchmarks/log.py [FOLDER]`` (default ``.cache/bench/log``; the disk under it is what is measured)
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from openvet.evidence.keys import generate
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import create_log, open_writer
from openvet.evidence.merkle import Tree, leaf_hash, verify_inclusion

COUNT = 20_000
TARGET = 10_000
SECONDS = 3.0


def rate(what: str, count: int, run: Callable[[], object]) -> bool:
    """Time the best of three runs and print it beside the target."""
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        run()
        best = max(best, count / (time.perf_counter() - start))
    print(f"{what:<44} {best:>12,.0f} a second   target {TARGET:,}: {'met' if best >= TARGET else 'NOT MET'}")
    return best >= TARGET


def in_memory() -> bool:
    entries = [os.urandom(71) for _ in range(COUNT)]
    leaves = [leaf_hash(each) for each in entries]
    tree = Tree(leaves)
    root = tree.root()
    proofs = [tree.inclusion(index) for index in range(COUNT)]

    def check() -> None:
        for index in range(COUNT):
            verify_inclusion(leaves[index], index, COUNT, proofs[index], root)

    def everything() -> None:
        grown = Tree()
        for entry in entries:
            leaf = leaf_hash(entry)
            index = grown.append(leaf)
            verify_inclusion(leaf, index, grown.size, grown.inclusion(index), grown.root())

    return all(
        [
            rate("leaf", COUNT, lambda: [leaf_hash(each) for each in entries]),
            rate("append", COUNT, lambda: Tree(leaves)),
            rate(f"inclusion proof among {COUNT:,}", COUNT, lambda: [tree.inclusion(each) for each in range(COUNT)]),
            rate("check of such a proof", COUNT, check),
            rate("leaf, append, root, proof and check", COUNT, everything),
        ]
    )


def on_disk(folder: Path) -> None:
    key = generate("ed25519")
    for batch in (1, 16, 64):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        create_log(str(folder), "example.com/bench", key)
        taken = durable(folder, key, batch)
        print(f"durable appends in batches of {batch:<2}                {batch * len(taken) / sum(taken):>12,.0f} a second"
              f"   {sorted(taken)[len(taken) // 2] * 1000:.1f} ms a batch")  # fmt: skip
    reader = LogReader(str(folder), key.public)
    size = reader.checkpoint.size
    start = time.perf_counter()
    for index in range(size):
        reader.prove(index)
    print(
        f"proofs out of tiles, entry read and checked  {size / (time.perf_counter() - start):>12,.0f} a second   of {size:,}"
    )
    shutil.rmtree(folder)


def durable(folder: Path, key: object, batch: int) -> Sequence[float]:
    taken = []
    with open_writer(str(folder), key) as writer:  # type: ignore[arg-type]
        until = time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            entries = [os.urandom(71) for _ in range(batch)]
            start = time.perf_counter()
            writer.append(entries)
            taken.append(time.perf_counter() - start)
    return taken


def main() -> int:
    met = in_memory()
    on_disk(Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/bench/log"))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
