"""Speed and memory of peers on three big files, as whole processes of their own, one at a time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from big_files import MB, opcodes, safetensors, small_tensors
from peer_tools import Tool

__all__ = ["speed_rows"]

SECONDS = 240
#: A run that takes longer than this is not repeated.
SLOW = 20.0
FLOORS = {
    "floor: SHA-256 (hashlib)": """
import hashlib, sys
digest, block = hashlib.sha256(), memoryview(bytearray(1 << 20))
with open(sys.argv[1], "rb", buffering=0) as file:
    while size := file.readinto(block):
        digest.update(block[:size])
""",
    "floor: C unpickler, inert globals": """
import io, pickle, sys, zipfile
class Inert:
    def __init__(self, *args, **kwargs): pass
    def __setstate__(self, state): pass
    def __call__(self, *args, **kwargs): return Inert()
class Unpickler(pickle.Unpickler):
    def find_class(self, module, name): return Inert
    def persistent_load(self, identifier): return Inert()
if zipfile.is_zipfile(sys.argv[1]):
    archive = zipfile.ZipFile(sys.argv[1])
    (name,) = [each for each in archive.namelist() if each.endswith("data.pkl")]
    Unpickler(io.BytesIO(archive.read(name))).load()
elif sys.argv[1].endswith(".pkl"):
    Unpickler(open(sys.argv[1], "rb")).load()
else:
    sys.exit(9)
""",
    "floor: pickletools.genops": """
import pickletools, sys, zipfile
if zipfile.is_zipfile(sys.argv[1]):
    archive = zipfile.ZipFile(sys.argv[1])
    (name,) = [each for each in archive.namelist() if each.endswith("data.pkl")]
    data = archive.read(name)
elif sys.argv[1].endswith(".pkl"):
    data = open(sys.argv[1], "rb")
else:
    sys.exit(9)
for opcode in pickletools.genops(data):
    pass
""",
}
NOT_MEANT = 9


def measured(command: Sequence[str], environment: Mapping[str, str], home: str) -> tuple[float, float, int, str]:
    """Seconds, peak MB of the process itself (the kernel's mark), exit code (-1: out of time) and output of one run."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(environment), cwd=home
        )
        status = Path(f"/proc/{process.pid}/status")
        peak, code = 0, None
        while (code := process.poll()) is None:
            try:
                marks = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
            except OSError:
                marks = []
            peak = max([peak, *(int(line.split()[1]) * 1024 for line in marks)])
            if time.perf_counter() - start > SECONDS:
                process.kill()
                process.wait()
                code = -1
                break
            time.sleep(0.003)
        seconds = time.perf_counter() - start
        output.seek(0)
        return seconds, peak / 1e6, code, output.read(4_000_000).decode("utf-8", "replace")


def one(command: Sequence[str], path: Path, runs: int, environment: Mapping[str, str], home: str) -> dict[str, Any]:
    """Median seconds and highest memory on one file; a slow run is the only one."""
    times, peaks = [], []
    code, text = 0, ""
    for _ in range(runs):
        seconds, peak, code, text = measured(command, environment, home)
        times.append(seconds)
        peaks.append(peak)
        if seconds > SLOW:
            break
    middle = statistics.median(times)
    return {
        "seconds": round(middle, 3), "mb_per_second": round(path.stat().st_size / MB / middle, 1),
        "peak_mb": round(max(peaks)), "runs": len(times), "code": code, "text": text,
    }  # fmt: skip


def shown(result: Mapping[str, Any], answer: str) -> str:
    once = "" if result["runs"] > 1 else ", 1 run"
    return f"{result['seconds']:.2f} ({result['mb_per_second']:.0f}, {result['peak_mb']}{once}) {answer}".rstrip()


def speed_rows(
    tools: Sequence[tuple[Tool, Path]], folder: Path, runs: int, environment: Mapping[str, str]
) -> tuple[list[str], list[dict[str, Any]]]:
    """One row for each floor and tool; every file is in the page cache."""
    made = folder / "speed"
    files = {
        "safetensors 419 MB": safetensors(made / "dense-419MB.safetensors", 419 * MB, sparse=False),
        "pickle 97 MB, 6 M opcodes": opcodes(made / "dictionary-2M.pkl"),
        "torch zip 206 MB, 5000 tensors": small_tensors(made / "tensors-5000.pt"),
    }
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="peers-") as home:
        outer = {
            "PATH": os.environ.get("PATH", ""), "HOME": home, "TMPDIR": home,
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"), **environment,
        }  # fmt: skip
        for name, code in FLOORS.items():
            row: dict[str, Any] = {"tool": name, "files": {}}
            for label, path in files.items():
                result = one([sys.executable, "-c", code, str(path)], path, runs, outer, home)
                result.pop("text")
                result["shown"] = "-" if result["code"] == NOT_MEANT else shown(result, "")
                row["files"][label] = result
            rows.append(row)
        for tool, script in tools:
            print(f"timing {tool.name}", file=sys.stderr, flush=True)
            row = {"tool": tool.name, "files": {}}
            for label, path in files.items():
                result = one([str(script), *tool.ask(path)], path, runs, outer, home)
                result["answer"] = "timeout" if result["code"] == -1 else tool.mean(result["code"], result.pop("text"))
                result.pop("text", None)
                result["shown"] = shown(result, result["answer"])
                row["files"][label] = result
            rows.append(row)
    return list(files), rows
