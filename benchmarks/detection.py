"""Detection of licence texts: milliseconds for each text in each form, how many are found, and what loading the index costs.

    .venv/bin/python benchmarks/detection.py [--runs 3] [--load 15]

The texts are those that come with the package, in the forms of ``tests/licenses/test_detect.py``. Each text is timed some times, and the middle one
counts; of all texts the middle, the nineteenth of twenty, and the worst are told. Times are those of the processor (``process_time``), which other
work on the machine disturbs least; those by the clock stand beside them. Texts are looked at in a process that holds what OpenVet holds and nothing
else: a collector of garbage that also walks through a test runner takes 20 ms for it. The index is loaded in fresh processes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

#: Milliseconds: of a text, and of the index.
TARGET, TARGET_OF_INDEX = 30.0, 50.0
_LOAD = """
import time
import openvet.licenses.detect
from openvet.licenses.index import index
clock, processor = time.perf_counter(), time.process_time()
index()
print(1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor))
"""
_LOOK = """
import json
import sys
import time
from openvet.licenses.detect import detect
detect("Permission is hereby granted")  # what is imported and read once is no part of a text's time
for line in sys.stdin:
    text, runs = json.loads(line)
    once = []
    for _ in range(runs):
        clock, processor = time.perf_counter(), time.process_time()
        found = detect(text)
        once.append((1000 * (time.process_time() - processor), 1000 * (time.perf_counter() - clock)))
    print(json.dumps([once, [list(each.texts) for each in found if each.extent != "near"]]), flush=True)
"""
Times = list[tuple[float, float]]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3, help="times that each text is looked at")
    parser.add_argument("--load", type=int, default=15, help="processes that load the index")
    asked = parser.parse_args()
    loads = [load() for _ in range(asked.load)]
    from tests.licenses.test_detect import FORMS, TEXTS

    print(f"{len(TEXTS)} texts; milliseconds of the processor (by the clock)\n")
    print(f"{'form':20s} {'found':>11s} {'middle':>15s} {'19 of 20':>15s} {'worst':>15s}  the worst is")
    missed = 0
    every: Times = []
    for form, change in FORMS.items():
        texts = {name: change(published) for name, published in TEXTS.items()}
        times, right, worst = look(texts, asked.runs, strict=not form.startswith("first"))
        every += times
        missed += sum(each > TARGET for each, _ in times)
        print(
            f"{form:20s} {right:4d} of {len(TEXTS)} {shown(times, 0.5)} {shown(times, 0.95)} {shown(times, 1)}  {worst}"
        )
    print(f"{'all of them':20s} {'':11s} {shown(every, 0.5)} {shown(every, 0.95)} {shown(every, 1)}")
    print(f"\nabove the target of {TARGET:.0f} ms: {missed} of {len(every)}")
    print(
        f"loading the index: {shown(loads, 0.5).strip()} in the middle of {len(loads)} processes, target {TARGET_OF_INDEX:.0f}"
    )
    return 0


def load() -> tuple[float, float]:
    """Milliseconds of the processor, and by the clock, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    clock, processor = map(float, done.stdout.split())
    return processor, clock


def look(texts: Mapping[str, str], runs: int, *, strict: bool) -> tuple[Times, int, str]:
    """The middle time of each text, how many are found, and the slowest one."""
    times: dict[str, tuple[float, float]] = {}
    right = 0
    questions = "\n".join(json.dumps([text, runs]) for text in texts.values())
    done = subprocess.run([sys.executable, "-c", _LOOK], input=questions, capture_output=True, text=True, check=True)
    for name, line in zip(texts, done.stdout.splitlines(), strict=True):
        once, known = json.loads(line)
        right += len(known) == 1 and name in known[0] and (len(known[0]) == 1 or not strict)
        times[name] = (statistics.median(each for each, _ in once), statistics.median(each for _, each in once))
    slowest = max(times, key=lambda name: times[name])
    return list(times.values()), right, slowest


def shown(times: Times, share: float) -> str:
    """That of ``share`` of them, of the processor and by the clock."""
    at = max(0, min(len(times) - 1, round(share * len(times)) - 1))
    return f"{sorted(each for each, _ in times)[at]:6.1f} {f'({sorted(each for _, each in times)[at]:.1f})':>8s}"


if __name__ == "__main__":
    sys.exit(main())
