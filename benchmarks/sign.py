"""Signing and verifying models in four files, beside a bare Python process that hashes them on as many threads, and model-signing.

usage: python benchmarks/sign.py [--runs N] [--gib N,N] [--folder DIR] [--least]

Everything of a size is run in turn, so that a busy machine is as busy for all of it, and is told in seconds, as a difference to the bare
process and as a ratio; the medians, or with --least the shortest runs, which a busy machine disturbs less. Then an unchanged model is
verified with the digest cache, beside ``python -c pass``. model-signing is measured where ``make interop`` has made its environment.
The models are written once and are in the page cache; DIR needs room for the largest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from measure import hashing, openvet, wall, with_environment

__all__: list[str] = []

ROOT = Path(__file__).resolve().parents[1]
THEIRS = ROOT / ".cache/interop/model-signing/bin/model_signing"
BEYOND, FACTOR = 0.15, 1.15


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--gib", default="1", help="sizes, as 1,8")
    options.add_argument("--folder", default=None, help="where the models are made")
    options.add_argument("--least", action="store_true", help="the shortest runs in place of the medians")
    asked = options.parse_args()
    of = min if asked.least else statistics.median
    print(f"{len(os.sched_getaffinity(0))} cores, {'the shortest' if asked.least else 'median'} of {asked.runs} runs")
    for gib in map(int, asked.gib.split(",")):
        place = Path(tempfile.mkdtemp(prefix="sign-", dir=asked.folder))
        try:
            with_environment("XDG_CACHE_HOME", str(place / "cache"))
            measure(place, gib, asked.runs, of)
        finally:
            shutil.rmtree(place)


def make(model: Path, gib: int) -> None:
    model.mkdir()
    block = os.urandom(1 << 20)
    for index in range(4):
        with (model / f"shard-{index}.bin").open("wb") as file:
            for _ in range(gib * 256):
                file.write(block)
    for index in range(20):
        (model / f"small-{index}.json").write_text("{}")


def measure(place: Path, gib: int, runs: int, of: Callable[[Sequence[float]], float]) -> None:
    model, signature = place / "model", place / "model.sig"
    make(model, gib)
    wall(openvet("keys", "new", "--no-passphrase", place / "key"))
    sign = openvet("sign", "--key", place / "key", "--signature", signature, "--force", "--no-progress", model)
    verify = openvet("verify", "--key", place / "key.pub", "--signature", signature, "--no-progress", model)
    by_shards = openvet(
        "sign",
        "--key",
        place / "key",
        "--signature",
        place / "shards.sig",
        "--force",
        "--no-progress",
        "--shards",
        model,
    )
    commands = {
        "bare hashing": hashing(model), "sign": sign, "sign --shards": by_shards, "verify": verify,
    }  # fmt: skip
    if THEIRS.exists():
        theirs = ["--signature", str(place / "theirs.sig"), str(model)]
        commands["model_signing sign"] = [str(THEIRS), "sign", "key", "--private_key", str(place / "key"), *theirs]
        commands["model_signing verify"] = [
            str(THEIRS),
            "verify",
            "key",
            "--public_key",
            str(place / "key.pub"),
            *theirs,
        ]
    found = in_turn(commands, runs, of)
    bare = found["bare hashing"]
    target = bare + BEYOND if gib == 1 else bare * FACTOR
    print(f"{gib} GiB in 4 files and 20 small ones; target {target:.3f} s")
    for name, taken in found.items():
        judged = f"   {'met' if taken <= target else 'missed'}" if name in {"sign", "sign --shards", "verify"} else ""
        print(f"  {name:22} {taken:8.3f} s  {taken - bare:+8.3f} s  {taken / bare:6.2f} x{judged}")
    time.sleep(2.1)  # files that are younger than this are read again
    cached = {"python -c pass": [sys.executable, "-c", "pass"], "verify --digest-cache": [*verify, "--digest-cache"]}
    found = in_turn(cached, 2 * runs, of)
    bare, taken = found.values()
    verdict = "met" if taken <= bare + BEYOND else f"missed ({bare + BEYOND:.3f} s)"
    print(
        f"  verify an unchanged model with the cache {taken:.3f} s, python -c pass {bare:.3f} s: {taken - bare:+.3f} s   {verdict}"
    )


def in_turn(
    commands: Mapping[str, Sequence[str]], runs: int, of: Callable[[Sequence[float]], float]
) -> dict[str, float]:
    """Seconds of each command; all are run once to warm the caches and then in turn."""
    for command in commands.values():
        wall(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(wall(command))
    return {name: of(taken) for name, taken in times.items()}


if __name__ == "__main__":
    main()
