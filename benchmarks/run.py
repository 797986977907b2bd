"""The figures of the README, measured in one run: ``make bench``.

Whole processes, page cache warm, medians of interleaved runs. A target that is missed is printed as missed; the exit
code says only whether the measuring itself worked, so that no test depends on the clock of a busy machine.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from big_files import MB, checkpoint, opcodes, safetensors, small_tensors
from measure import Row, interleaved, openvet, peak_mb, table

PYTHON = sys.executable
NOTHING = [PYTHON, "-c", "pass"]
# the least that any tool must do with a model: read every byte of it once and hash it, on one thread for one file
HASH = """
import hashlib, sys
digest, block = hashlib.sha256(), memoryview(bytearray(1 << 20))
with open(sys.argv[1], "rb", buffering=0) as file:
    while size := file.readinto(block):
        digest.update(block[:size])
print(digest.hexdigest())
"""


def disarmed(folder: Path, runs: int) -> Iterator[Row]:
    """Disarm against a copy that is on the disk when it ends."""
    model = checkpoint(folder / "checkpoint-400MB.pt", 400 * MB)
    target, copy = folder / "disarmed.safetensors", folder / "copy.pt"
    command = openvet("disarm", "--force", "--quiet", model, target)
    copying = ["sh", "-c", f"cp '{model}' '{copy}' && sync '{copy}'"]
    yield seconds("disarm, 400 MB checkpoint, against cp and sync", command, copying, runs, ratio=5)
    yield memory("peak memory, disarm 400 MB", command, 150)
    target.unlink()
    copy.unlink()


def speed(what: str, command: list[str], path: Path, runs: int, least: float) -> Row:
    """Megabytes of ``path`` per second of a whole process, against bare hashing."""
    ours, base = interleaved(command, [PYTHON, "-c", HASH, str(path)], runs)
    size = path.stat().st_size / MB
    figures = f"{size / ours:.0f} MB/s", f"{size / base:.0f} MB/s", f"{ours - base:+.3f} s", f"{ours / base:.2f}"
    return Row(what, *figures, f">= {least:g} MB/s", size / ours >= least)


def small_folder(path: Path) -> Path:
    """What the smallest real model folder holds."""
    safetensors(path / "model.safetensors", 100_000, sparse=False)
    (path / "config.json").write_text('{"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 32}\n')
    (path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "model_max_length": 512}\n')
    (path / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A small model\n")
    return path


def seconds(what: str, command: list[str], against: list[str], runs: int, *, more: float = 0, ratio: float = 0) -> Row:
    """Time ``command`` against a baseline, with a target in seconds more or in ratio."""
    ours, base = interleaved(command, against, runs)
    target = f"<= +{more:g} s" if more else f"<= {ratio:g} x"
    met = ours - base <= more if more else ours / base <= ratio
    return Row(what, f"{ours:.3f} s", f"{base:.3f} s", f"{ours - base:+.3f} s", f"{ours / base:.2f}", target, met)


def memory(what: str, command: list[str], more: float) -> Row:
    """Peak memory of ``command`` against that of an interpreter that does nothing."""
    ours, base = peak_mb(command), peak_mb(NOTHING)
    row = f"{ours:.0f} MB", f"{base:.0f} MB", f"{ours - base:+.0f} MB", f"{ours / base:.1f}"
    return Row(what, *row, f"<= +{more:g} MB", ours - base <= more)


def rows(folder: Path, runs: int, *, quick: bool) -> Iterator[Row]:
    small = small_folder(folder / "small")
    dense = safetensors(folder / "dense-400MB.safetensors", 400 * MB, sparse=False)
    yield seconds("start: --version", openvet("--version"), NOTHING, runs * 4, more=0.1)
    yield seconds("start: check a small folder", openvet("check", small), NOTHING, runs * 4, more=0.3)
    # the profile is part of it
    yield seconds(
        "bill of materials of a small folder, against digests",
        openvet("bom", small),
        openvet("digest", small),
        runs * 4,
        more=0.3,
    )
    hashing = [PYTHON, "-c", HASH]
    yield seconds("check, 400 MB dense", openvet("check", dense), [*hashing, str(dense)], runs, more=0.15)
    yield memory("peak memory, 400 MB dense", openvet("check", dense), 150)
    heavy = opcodes(folder / "dictionary-2M.pkl")
    yield speed("check, pickle of 6 M opcodes", openvet("check", heavy), heavy, runs, 200)
    yield memory("peak memory, 6 M opcodes", openvet("check", heavy), 150)
    many = small_tensors(folder / "tensors-5000.pt")
    yield seconds(
        "check, 206 MB torch zip, 5000 tensors", openvet("check", many), [*hashing, str(many)], runs, more=0.2
    )
    yield memory("peak memory, 5000 tensors", openvet("check", many), 150)
    yield from disarmed(folder, runs)
    if quick:
        return
    sparse = safetensors(folder / "sparse-4GB.safetensors", 4000 * MB, sparse=True)
    yield seconds("check, 4 GB sparse", openvet("check", sparse), [*hashing, str(sparse)], max(runs - 2, 1), ratio=1.15)
    yield memory("peak memory, 4 GB sparse", openvet("check", sparse), 150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of each pair (default 5)")
    parser.add_argument("--quick", action="store_true", help="leave out the 4 GB file")
    parser.add_argument("--folder", type=Path, default=Path(".cache/bench"), help="where the models are made")
    options = parser.parse_args()
    try:
        results = list(rows(options.folder, options.runs, quick=options.quick))
    except (RuntimeError, FileNotFoundError) as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of interleaved runs, page cache warm\n")
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
