"""Timing and memory of whole processes, two commands in turn (A B A B), so that both meet the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "BIN",
    "Row",
    "environment",
    "hashing",
    "interleaved",
    "openvet",
    "peak_mb",
    "table",
    "wall",
    "with_environment",
]

BIN = Path(sys.executable).parent
# compiled modules are cached, as they are for whoever runs a command twice, and out of the way of the source tree
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(".cache/bench/compiled").resolve())
_QUIET = {
    "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": _ENVIRONMENT,
}  # fmt: skip


# the least that whoever names folders by their digests has to do, on as many threads as there are cores
_HASHING = """
import hashlib, os, sys, threading
sys.setswitchinterval(0.0002)
paths = sorted((path for each in sys.argv[1:] for path in os.scandir(each)), key=lambda each: -each.stat().st_size)
paths = [each.path for each in paths]
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


def environment() -> dict[str, str]:
    """The environment in which a process is measured."""
    return dict(_ENVIRONMENT)


def with_environment(name: str, value: str) -> None:
    """Set a variable for every process that is measured after this."""
    _ENVIRONMENT[name] = value


def openvet(*arguments: str | Path) -> list[str]:
    """The command line of the installed program."""
    return [str(BIN / "openvet"), *map(str, arguments)]


def hashing(*folders: str | Path) -> list[str]:
    """The command line of a bare Python process that hashes every file in ``folders``."""
    return [sys.executable, "-c", _HASHING, *map(str, folders)]


def wall(command: Sequence[str]) -> float:
    """Seconds from start to exit of one process.

    Raises:
        RuntimeError: it did not exit with 0 (a failed command measures nothing, and the models here are to be admitted).
    """
    start = time.perf_counter()
    code = subprocess.run(command, check=False, **_QUIET).returncode  # type: ignore[call-overload]
    taken = time.perf_counter() - start
    if code:
        raise RuntimeError(f"{' '.join(command)} exited with {code}")
    return taken


def interleaved(a: Sequence[str], b: Sequence[str], runs: int) -> tuple[float, float]:
    """Median seconds of ``a`` and of ``b``, run in turn; one run of each beforehand warms all caches."""
    wall(a)
    wall(b)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        times[0].append(wall(a))
        times[1].append(wall(b))
    return statistics.median(times[0]), statistics.median(times[1])


def peak_mb(command: Sequence[str], codes: Sequence[int] = (0,)) -> float:
    """Peak resident memory of one process in MB (10**6 bytes), mapped pages counted.

    It is the kernel's high-water mark, read every millisecond. ``ru_maxrss`` would not do: Linux lets a child
    inherit the mark of the process that started it.

    Raises:
        RuntimeError: it did not exit with one of ``codes``.
    """
    process = subprocess.Popen(command, **_QUIET)  # type: ignore[call-overload]
    peak = 0
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = status.read_text().splitlines()
        except OSError:
            break
        marks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        peak = max([peak, *marks])
        time.sleep(0.001)
    if process.wait() not in codes:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}")
    return peak / 1e6


@dataclass(frozen=True)
class Row:
    """One line of the table; ``met`` is ``None`` where there is no target."""

    what: str
    ours: str
    against: str
    difference: str
    ratio: str
    target: str
    met: bool | None


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table that also reads well on a terminal."""
    heads = ["measured", "openvet", "baseline", "more", "ratio", "target", ""]
    verdict = {True: "met", False: "NOT MET", None: ""}
    cells = [[r.what, r.ours, r.against, r.difference, r.ratio, r.target, verdict[r.met]] for r in rows]
    widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *cells]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)
