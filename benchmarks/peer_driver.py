"""Runs a peer's own command line over many samples, in the peer's own environment: started by ``peers.py``, not by hand.

Importing most peers takes longer than scanning a sample. So this process imports a peer once, and then every sample gets a
forked child in which the peer's console script runs as it stands, with the arguments of a user: exit code and output are
those of ``peer arguments...``. Standard library only. Reads one JSON object from standard input, prints one JSON line a sample.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import tempfile
import time

KEPT = 4_000_000


def preload(names: list[str]) -> None:
    """Import what the peer would import itself; what is not there would not be there for a user either."""
    for name in names:
        package, dot, _ = name.partition(".*")
        try:
            module = importlib.import_module(package)
        except Exception:  # noqa: BLE001
            continue
        if dot:
            for each in pkgutil.iter_modules(module.__path__, module.__name__ + "."):
                try:
                    importlib.import_module(each.name)
                except Exception:  # noqa: BLE001
                    continue


def child(script: str, arguments: list[str], output: int) -> None:
    """Become the peer."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", closefd=False, errors="replace")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="replace")  # noqa: SIM115
    sys.argv = [script, *arguments]
    code = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    except BaseException as error:  # noqa: BLE001 - an uncaught exception is exit code 1 in a process of its own: say which
        print(f"Traceback: {type(error).__name__}: {error}")
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(script: str, arguments: list[str], seconds: float) -> tuple[int, str, float]:
    """One sample: exit code (-1 where time ran out), what was printed, seconds."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            child(script, arguments, output.fileno())
        code = None
        while code is None:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
            elif time.perf_counter() - start > seconds:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                code = -1
            else:
                time.sleep(0.002)
        output.seek(0)
        return code, output.read(KEPT).decode("utf-8", "replace"), time.perf_counter() - start


def main() -> None:
    job = json.load(sys.stdin)
    preload(job["preload"])
    for key, arguments in job["runs"]:
        code, text, seconds = run(job["script"], arguments, job["seconds"])
        print(json.dumps([key, code, text, seconds]), flush=True)


if __name__ == "__main__":
    main()
