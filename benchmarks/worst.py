"""What ``openvet check`` costs on inputs that are made to cost: seconds and memory of a whole process, and its verdict.

usage: ``python benchmarks/worst.py [--only TEXT] [--json FILE] [--stretched]``

Every input is built from text by code below a temporary folder and removed afterwards. A run is stopped at the ceiling.
Seconds are those that the process computed (user and system), so that a busy machine does not mislead.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from measure import environment, openvet
from worst_archives import INPUTS as ARCHIVES
from worst_models import INPUTS as MODELS
from worst_models import stretched
from worst_more import INPUTS as MORE
from worst_programs import INPUTS as PROGRAMS
from worst_texts import INPUTS as TEXTS

CEILING = (30.0, 400.0)
SLOW = (10.0, 300.0)


@dataclass(frozen=True)
class Run:
    """What one check cost and said; ``said`` counts the reasons for what was not read."""

    name: str
    size: int
    seconds: float
    peak_mb: float
    verdict: str
    said: dict[str, int]


def main() -> int:
    arguments = _arguments()
    inputs = {**ARCHIVES, **PROGRAMS, **TEXTS, **MODELS, **MORE} if not arguments.stretched else stretched()
    start = _start_up()
    runs = []
    for name, make in inputs.items():
        if arguments.only.lower() in name.lower():
            runs.append(_run(name, make, start))
            print(_line(runs[-1]), flush=True)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([asdict(run) for run in runs], indent=1))
    over = [
        run for run in runs if run.seconds > CEILING[0] or run.peak_mb > CEILING[1] or run.verdict.startswith("exit")
    ]
    slow = [run for run in runs if run.seconds > SLOW[0] or run.peak_mb > SLOW[1]]
    print(f"{len(runs)} inputs, {len(slow)} above 10 s or 300 MB, {len(over)} above the ceiling of 30 s and 400 MB")
    return 1 if over else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="what openvet check costs on inputs that are made to cost")
    parser.add_argument("--only", default="", metavar="TEXT", help="inputs whose name holds TEXT")
    parser.add_argument("--json", metavar="FILE", help="write every run to FILE")
    parser.add_argument(
        "--stretched", action="store_true", help="a sample of each format, its second half again and again"
    )
    return parser.parse_args()


def _start_up() -> float:
    """Peak memory of a check of next to nothing."""
    return _run("start", lambda: b"hello\n", 0.0).peak_mb


def _line(run: Run) -> str:
    mark = "OVER" if run.seconds > CEILING[0] or run.peak_mb > CEILING[1] else ""
    mark = mark or ("slow" if run.seconds > SLOW[0] or run.peak_mb > SLOW[1] else "")
    said = ", ".join(f"{reason} {count}" for reason, count in run.said.items())
    return f"{run.name:45} {run.size / 1e6:7.1f} MB {run.seconds:6.1f} s {run.peak_mb:6.0f} MB {run.verdict:7} {mark:5} {said}"


def _run(name: str, make: Callable[[], bytes | dict[str, bytes]], start: float) -> Run:
    with tempfile.TemporaryDirectory(prefix="openvet-worst-") as place:
        folder = Path(place) / "model"
        folder.mkdir()
        size = _write(make, folder)
        report = Path(place) / "report.json"
        seconds, peak, code = _measured(openvet("check", folder, "--format", "json", "--output", report))
        verdict = f"exit {code}"
        said: dict[str, int] = {}
        if code in {0, 1, 3} and report.exists():
            verdict, said = _answer(report)
    return Run(name, size, round(seconds, 2), round(peak - start, 1), verdict, said)


def _write(make: Callable[[], bytes | dict[str, bytes]], folder: Path) -> int:
    made = make()
    files = made if isinstance(made, dict) else {"model.bin": made}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return sum(map(len, files.values()))


def _measured(command: list[str]) -> tuple[float, float, int]:
    """Seconds of computing, peak megabytes, exit code (-9 where the ceiling was hit)."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    )
    peak, status = 0, Path(f"/proc/{process.pid}/status")
    ticks = os.sysconf("SC_CLK_TCK")
    while True:
        done, code, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            process.returncode = os.waitstatus_to_exitcode(code)
            return usage.ru_utime + usage.ru_stime, peak / 1e6, process.returncode
        try:
            marks = [
                int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM:")
            ]
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        peak = max([peak, *marks])
        if (int(fields[11]) + int(fields[12])) / ticks > CEILING[0] * 2 or peak > 4e9:
            os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.005)


def _answer(report: Path) -> tuple[str, dict[str, int]]:
    # the report of a worst case can be long: only what is counted is kept
    models = json.loads(report.read_text())["models"]
    files = [file for model in models for file in model["statements"][0]["predicate"]["files"]]
    said = Counter(each["reason"] for file in files for each in file["unknowns"])
    return models[0]["decision"]["verdict"], dict(said.most_common(4))


if __name__ == "__main__":
    sys.exit(main())
