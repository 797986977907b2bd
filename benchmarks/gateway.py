"""What the server and the child cost: one runtime, asked in its own process, in the confined child, and by HTTP through ``openvet run``.

usage: ``python benchmarks/gateway.py [MODEL --python FILE] [--rounds N] [--tokens N] [--threads N]`` (a model that writes; FILE is the interpreter that
has its runtime). Without a model the runtime is one that computes nothing, so that what is around it is all that is measured.

The three are asked in turn with the same texts, each of which begins otherwise, so that nothing is kept from the one before. In the same process it is
the engine's own code without sandbox, socket or JSON. Printed are medians and the least of all rounds, which a machine that is busy otherwise disturbs least.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from openvet.engines.model import Model, Sampling
from openvet.workflows.opening import Asked, opened

ROOT = Path(__file__).parents[1]
SRC = str(ROOT / "src")
ADDRESS = re.compile(r"http://([\w.:\[\]]+)")
#: Run by the interpreter that has the runtime: a line with a prompt in, a line with times out.
IN_PROCESS = """
import importlib, json, sys, time
engine, path, threads, tokens = sys.argv[1:]
model = importlib.import_module("openvet.engines." + engine).ENGINE.open(path, {"threads": int(threads), "context": 2048})
for line in sys.stdin:
    times, began = [], time.perf_counter()
    def piece(text):
        if text:
            times.append(time.perf_counter() - began)
        return True
    asked = {"prompt": json.loads(line), "max_tokens": int(tokens), "stop": [], "temperature": 0.0, "top_p": 1.0, "seed": 0}
    model.generate(asked, piece)
    print(json.dumps([times[0], time.perf_counter() - began, len(times)]), flush=True)
"""
#: Seconds to the first part, seconds to the end, parts.
Times = tuple[float, float, int]


class InProcess:
    """The runtime in a process of its own, with nothing around it."""

    def __init__(self, python: str, engine: str, path: str, threads: int, tokens: int) -> None:
        counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        self._process = subprocess.Popen(
            [python, "-c", IN_PROCESS, engine, path, str(threads), str(tokens)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **counts, "PYTHONPATH": SRC},
        )  # fmt: skip

    def ask(self, prompt: str) -> Times:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(prompt) + "\n")
        self._process.stdin.flush()
        first, whole, parts = json.loads(self._process.stdout.readline())
        return first, whole, parts

    def close(self) -> None:
        self._process.communicate("")


class Served:
    """A server, asked as a client asks it, with one connection."""

    def __init__(self, command: Sequence[str], name: str, log: Path) -> None:
        self._name = name
        with open(log, "w") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        found = next(filter(None, map(ADDRESS.search, self._process.stdout)), None)
        if found is None:
            sys.exit(log.read_text())
        self._connection = http.client.HTTPConnection(found[1])

    def ask(self, prompt: str, tokens: int) -> Times:
        body = json.dumps(
            {"model": self._name, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "stream": True}
        )
        times: list[float] = []
        began = time.perf_counter()
        self._connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        for line in response:
            if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["text"]:
                times.append(time.perf_counter() - began)  # noqa: PERF401 - as it comes
        if not times:
            sys.exit(f"the server gave no text: status {response.status}")
        return times[0], time.perf_counter() - began, len(times)

    def close(self) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.communicate()


def in_child(model: Model, prompt: str, tokens: int) -> Times:
    times: list[float] = []
    began = time.perf_counter()

    def piece(text: str) -> bool:
        if text:
            times.append(time.perf_counter() - began)
        return True

    model.generate(prompt, Sampling(tokens), piece)
    return times[0], time.perf_counter() - began, len(times)


def prompts(count: int) -> Sequence[str]:
    """About 60 tokens each, with another beginning."""
    rest = "The committee met on a cold morning to decide which of the models would be admitted, and by what evidence. "
    return [
        f"{number} {'abcdefghijklmnopqrstuvwxyz'[number % 26]}: {rest * 2}The chairman said" for number in range(count)
    ]


def show(found: dict[str, list[Times]]) -> None:
    print(f"{'':<26}{'first part, ms':>22}{'parts a second':>22}{'whole, ms':>22}")
    print(f"{'':<26}{'median':>11}{'best':>11}{'median':>11}{'best':>11}{'median':>11}{'best':>11}")
    rows: dict[str, tuple[float, ...]] = {}
    for name, times in found.items():
        first = [each[0] * 1000 for each in times]
        speed = [(each[2] - 1) / (each[1] - each[0]) for each in times if each[2] > 1]
        whole = [each[1] * 1000 for each in times]
        rows[name] = (
            statistics.median(first),
            min(first),
            statistics.median(speed),
            max(speed),
            statistics.median(whole),
            min(whole),
        )
        print(f"{name:<26}" + "".join(f"{each:>11.1f}" for each in rows[name]))
    base = next(iter(rows.values()))
    for name, row in list(rows.items())[1:]:
        print(f"{name + ', ratio':<26}" + "".join(f"{each / one:>11.2f}" for each, one in zip(row, base, strict=True)))


def rounds(ways: dict[str, Callable[[str], Times]], count: int) -> dict[str, list[Times]]:
    """Ask them in turn; the first round warms everything."""
    found: dict[str, list[Times]] = {name: [] for name in ways}
    for number, prompt in enumerate(prompts(count + 1)):
        for name, ask in ways.items():
            times = ask(prompt)
            if number:
                found[name].append(times)
    return found


def nothing(count: int) -> None:
    """A runtime that says the words of its prompt again: what is left is the child, its JSON, the line, HTTP and events."""
    sys.path.insert(0, str(ROOT))
    from tests.gateway.stand_in import interpreter, opener

    with tempfile.TemporaryDirectory() as folder:
        python = str(interpreter(Path(folder) / "env"))
        model = opener(python, Path(folder))()
        asked = json.dumps({"python": python, "folder": folder})
        served = Served([sys.executable, "-m", "tests.gateway.driver", asked], "stand-in", Path(folder) / "log")
        text = " ".join(["word"] * 30)
        ways: dict[str, Callable[[str], Times]] = {
            "in the confined child": lambda _: in_child(model, text, 30),
            "by HTTP": lambda _: served.ask(text, 30),
        }
        found = rounds(ways, count)
        served.close()
        model.close()
    print(f"{'':<26}{'a request, ms':>22}{'a part, ms':>22}")
    print(f"{'':<26}" + f"{'median':>11}{'best':>11}" * 2)
    for name, times in found.items():
        first = [each[0] * 1000 for each in times]
        part = [(each[1] - each[0]) * 1000 / (each[2] - 1) for each in times]
        print(
            f"{name:<26}{statistics.median(first):>11.2f}{min(first):>11.2f}{statistics.median(part):>11.3f}{min(part):>11.3f}"
        )


def real(asked: argparse.Namespace) -> None:
    path = os.path.realpath(asked.model)
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(path, Asked(python=asked.python, threads=asked.threads, context=2048)) as running,
    ):
        plain = InProcess(asked.python, running.model.engine, path, asked.threads, asked.tokens)
        more = [
            "--python",
            asked.python,
            "--port",
            "0",
            "--name",
            "m",
            "--threads",
            str(asked.threads),
            "--context",
            "2048",
            "--no-config",
        ]
        served = Served([sys.executable, "-m", "openvet", "run", path, *more], "m", Path(folder) / "log")
        ways: dict[str, Callable[[str], Times]] = {
            "in its own process": plain.ask,
            "in the confined child": lambda text: in_child(running.model, text, asked.tokens),
            "by HTTP": lambda text: served.ask(text, asked.tokens),
        }
        found = rounds(ways, asked.rounds)
        served.close()
        plain.close()
    show(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if asked.model is None:
        print(f"{asked.rounds} rounds of 30 parts, of a runtime that computes nothing")
        nothing(asked.rounds)
    else:
        print(f"{asked.rounds} rounds of {asked.tokens} tokens, threads: {asked.threads}")
        real(asked)


if __name__ == "__main__":
    main()
