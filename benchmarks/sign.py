"""Signing and verifying 1 GiB in four files, beside a bare Python process that hashes them on as many threads, and model-signing.

usage: python benchmarks/sign.py [--runs N] [--gib N] [--folder DIR]

model-signing is measured where ``make interop`` has made its environment. Everything is in the page cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from measure import interleaved, openvet, wall

__all__: list[str] = []

ROOT = Path(__file__).resolve().parents[1]
THEIRS = ROOT / ".cache/interop/model-signing/bin/model_signing"
BEYOND, FACTOR = 0.15, 1.15
FLOOR = """
import hashlib, os, sys, threading
sys.setswitchinterval(0.0002)
paths = sorted(os.scandir(sys.argv[1]), key=lambda each: -each.stat().st_size)
paths = [each.path for each in paths if each.name.endswith(".bin")]
def work():
    view = memoryview(bytearray(4 << 20))
    while True:
        try: path = paths.pop(0)
        except IndexError: return
        digest, file = hashlib.sha256(), open(path, "rb", 0)
        while got := file.readinto(view): digest.update(view[:got])
        digest.hexdigest()
threads = [threading.Thread(target=work) for _ in os.sched_getaffinity(0)]
[each.start() for each in threads]; [each.join() for each in threads]
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--gib", type=int, default=1)
    options.add_argument("--folder", default=None, help="where the model is made; needs room for it")
    asked = options.parse_args()
    place = Path(tempfile.mkdtemp(prefix="sign-", dir=asked.folder))
    try:
        measure(place, asked.gib, asked.runs)
    finally:
        shutil.rmtree(place)


def measure(place: Path, gib: int, runs: int) -> None:
    model = place / "model"
    model.mkdir()
    block = os.urandom(1 << 20)
    for index in range(4):
        with (model / f"shard-{index}.bin").open("wb") as file:
            for _ in range(gib * 256):
                file.write(block)
    for index in range(20):
        (model / f"small-{index}.json").write_text("{}")
    wall(openvet("keys", "new", "--no-passphrase", place / "key"))
    floor = [sys.executable, "-c", FLOOR, str(model)]
    signature = place / "model.sig"
    sign = openvet("sign", "--key", place / "key", "--signature", signature, "--force", "--no-progress", model)
    verify = openvet("verify", "--key", place / "key.pub", "--signature", signature, "--no-progress", model)
    rows = []
    for name, command in (("sign", sign), ("sign --shards", [*sign, "--shards"]), ("verify", verify)):
        if command is verify:
            wall(sign)
        ours, bare = interleaved(command, floor, runs)
        target = bare + BEYOND if gib == 1 else bare * FACTOR
        rows.append(
            (
                name,
                ours,
                bare,
                f"{ours - bare:+.3f} s, {ours / bare:.2f} x",
                "met" if ours <= target else f"missed ({target:.3f} s)",
            )
        )
    if THEIRS.exists():
        theirs = place / "theirs.sig"
        make = [str(THEIRS), "sign", "key", "--private_key", str(place / "key"), "--signature", str(theirs), str(model)]
        look = [
            str(THEIRS),
            "verify",
            "key",
            "--public_key",
            str(place / "key.pub"),
            "--signature",
            str(theirs),
            str(model),
        ]
        for name, command in (("model_signing sign", make), ("model_signing verify", look)):
            taken, bare = interleaved(command, floor, runs)
            rows.append((name, taken, bare, f"{taken - bare:+.3f} s, {taken / bare:.2f} x", ""))
    print(f"{gib} GiB in 4 files and 20 small ones, {len(os.sched_getaffinity(0))} cores, median of {runs}")
    for name, taken, bare, beyond, verdict in rows:
        print(f"  {name:22} {taken:7.3f} s   bare hashing {bare:7.3f} s   {beyond:20} {verdict}")


if __name__ == "__main__":
    main()
