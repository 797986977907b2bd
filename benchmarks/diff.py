"""Comparing two models of 1 GB each, beside a bare Python process that hashes both on as many threads.

usage: python benchmarks/diff.py [--runs N] [--gb G] [--folder DIR]

Each pair is measured in turn with the bare process, so that a busy machine is as busy for both; the shortest runs are told, by the clock and of all processors together, which a busy machine disturbs less. The models
are written once and are in the page cache; DIR needs room for three of them. NumPy has to be installed beside OpenVet.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measure import hashing, openvet, peak_mb

__all__: list[str] = []

TARGET = 1.5
LAYERS = 24


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--gb", type=float, default=1.0, help="size of the first model of each pair")
    options.add_argument("--folder", default=None, help="where the models are made")
    asked = options.parse_args()
    print(
        f"{len(os.sched_getaffinity(0))} cores, the shortest of {asked.runs} runs, {asked.gb} GB each; target {TARGET} x"
    )
    for name, make in PAIRS.items():
        place = Path(tempfile.mkdtemp(prefix="diff-", dir=asked.folder))
        try:
            a, b = place / "a", place / "b"
            make(a, b, int(asked.gb * 1e9))
            bare = hashing(a, b)
            ours = openvet("diff", "--no-progress", a, b)
            runs: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
            for _ in range(asked.runs + 1):
                for taken, command in zip(runs, (bare, ours), strict=True):
                    taken.append(seconds(command))
            (floor, floor_cpu), (wall, cpu) = (tuple(map(min, zip(*taken, strict=True))) for taken in runs)
            memory = peak_mb(ours, codes=(0, 1))
            print(
                f"  {name:34} {wall:7.3f} s, hashing {floor:7.3f} s: {wall / floor:5.2f} x; of processors {cpu / floor_cpu:5.2f} x"
                f"  {memory:5.0f} MB   {'met' if wall / floor <= TARGET else 'missed'}",
                flush=True,
            )
        finally:
            shutil.rmtree(place)


def seconds(command: list[str]) -> tuple[float, float]:
    """Of one process, which may say that the models differ: by the clock, and of all processors together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    code = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
    taken = time.perf_counter() - start
    if code not in {0, 1}:
        raise RuntimeError(f"{' '.join(command)} exited with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tensors(nbytes: int) -> Iterator[tuple[str, int]]:
    """Names and numbers of elements of a model whose numbers take two bytes."""
    each = nbytes // 2 // (LAYERS * 2) // 8192 * 8192
    for layer in range(LAYERS):
        yield f"model.layers.{layer}.self_attn.q_proj.weight", each
        yield f"model.layers.{layer}.mlp.up_proj.weight", each


def write(folder: Path, model: dict[str, tuple[str, bytes]], width: int) -> None:
    """Two shards of safetensors; the shape is rows of 8192 elements."""
    folder.mkdir()
    names = list(model)
    for number, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :])):
        header: dict[str, Any] = {}
        at = 0
        for name in part:
            kind, data = model[name]
            header[name] = {
                "dtype": kind,
                "shape": [len(data) // width // 8192, 8192],
                "data_offsets": [at, at + len(data)],
            }
            at += len(data)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with (folder / f"model-0000{number + 1}-of-00002.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for name in part:
                file.write(model[name][1])


def random(nbytes: int, kind: str) -> dict[str, tuple[str, bytes]]:
    """A model of numbers around zero."""
    import numpy as np

    out = {}
    for number, (name, count) in enumerate(tensors(nbytes)):
        values = np.random.default_rng(number).standard_normal(count, np.float32) * np.float32(0.02)
        out[name] = (kind, values.astype("<f2").tobytes() if kind == "F16" else bf16(values))
    return out


def bf16(values: Any) -> bytes:
    import numpy as np

    bits = values.view(np.uint32)
    made: bytes = ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype("<u2").tobytes()
    return made


def some(every: int, kind: str) -> Callable[[Path, Path, int], None]:
    """Of every so many tensors one is tuned: all of its numbers change a little."""

    def make(a: Path, b: Path, nbytes: int) -> None:
        import numpy as np

        model = random(nbytes, kind)
        write(a, model, 2)
        for number, (name, (_, data)) in enumerate(list(model.items())):
            if number % every == 0:
                bits = np.frombuffer(data, "<u2") ^ 3
                model[name] = (kind, bits.tobytes())
        write(b, model, 2)

    return make


def packaged(a: Path, b: Path, nbytes: int) -> None:
    """The same tensors, in other files."""
    model = random(nbytes, "BF16")
    write(a, model, 2)
    write(b, dict(reversed(model.items())), 2)


def copied(a: Path, b: Path, nbytes: int) -> None:
    """The same files."""
    write(a, random(nbytes, "BF16"), 2)
    shutil.copytree(a, b)


def cast(a: Path, b: Path, nbytes: int) -> None:
    """32 bits, and the same rounded to 16."""
    model = random(nbytes, "BF16")
    wide = {}
    import numpy as np

    for number, (name, _) in enumerate(model.items()):
        count = len(model[name][1]) // 2
        values = np.random.default_rng(number).standard_normal(count // 2 // 8192 * 8192, np.float32)
        wide[name] = ("F32", values.tobytes())
        model[name] = ("BF16", bf16(values))
    write(a, wide, 4)
    write(b, model, 2)


PAIRS = {
    "the same files": copied,
    "the same tensors in other files": packaged,
    "BF16, one tensor of ten tuned": some(10, "BF16"),
    "BF16, every tensor tuned": some(1, "BF16"),
    "F16, every tensor tuned": some(1, "F16"),
    "F32 and the same as BF16": cast,
}

if __name__ == "__main__":
    main()
