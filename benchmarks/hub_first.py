"""What the first pull of a model costs: through a gate that has never seen it, beside fetching it to disk with SHA-256 and then once more over loopback.

usage: ``python benchmarks/hub_first.py [FOLDER] [--gib N]`` (default ``.cache/bench/hub-first``, 1). The upstream is a hub on this machine, a gate of its
own that holds the model, and serves both. In turn: a fresh gate in front of it, pulled through until the last byte came; and a bare Python process that
fetches, hashes, writes and syncs the same file and then fetches it again and drops it. Both ways begin with the same page cache. Target: 1.3 times, at the median.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from hub import free_port, model, process, wait_for

FILE = "/org/model/resolve/main/model.safetensors"
BLOCK = 1 << 20


def gate(port: int, data: Path, upstream: str) -> list[str]:
    where = ["--port", str(port), "--data", str(data), "--upstream", upstream]
    return [sys.executable, "-m", "openvet", "serve", *where]


def drained(port: int, path: str) -> tuple[int, int, str]:
    """The status of a GET, how many bytes came, and why not."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    link.request("GET", path, headers={"User-Agent": "x; hf_hub/2.4.0"})
    answer = link.getresponse()
    buffer, size = bytearray(BLOCK), 0
    while got := answer.readinto(buffer):
        size += got
    link.close()
    return answer.status, size, answer.headers.get("X-Error-Message", "")


def pulled(port: int, size: int) -> float:
    """Seconds until a client has the file; it asks again as the answer says."""
    start = time.perf_counter()
    while True:
        status, got, why = drained(port, FILE)
        if status == 200:
            if got < size:
                raise SystemExit(f"only {got} bytes came")
            return time.perf_counter() - start
        if status != 503:
            raise SystemExit(f"refused with {status}: {why}")
        time.sleep(0.5)


def floor(port: int, path: Path) -> float:
    """Seconds to fetch the file to disk with its digest, and then once more."""
    start = time.perf_counter()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    link.request("GET", FILE, headers={"User-Agent": "x; hf_hub/2.4.0"})
    answer, digest, buffer = link.getresponse(), hashlib.sha256(), memoryview(bytearray(BLOCK))
    with path.open("wb") as file:
        while got := answer.readinto(buffer):
            digest.update(buffer[:got])
            file.write(buffer[:got])
        file.flush()
        os.fsync(file.fileno())
    link.close()
    drained(port, FILE)
    took = time.perf_counter() - start
    path.unlink()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=".cache/bench/hub-first", type=Path)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    folder, size = arguments.folder.resolve(), round(arguments.gib * 1024) << 20
    shutil.rmtree(folder, ignore_errors=True)
    model(folder / "models" / "org" / "model", size)
    upstream = free_port()
    through, bare = [], []
    with process(gate(upstream, folder / "upstream", str(folder / "models")), upstream):
        wait_for(upstream, FILE)
        for turn in range(arguments.runs + 1):
            port, data = free_port(), folder / "gate"
            with process(gate(port, data, f"http://127.0.0.1:{upstream}"), port):
                took = pulled(port, size)
            shutil.rmtree(data)
            os.sync()
            beside = floor(upstream, folder / "fetched")
            os.sync()
            if turn:  # the first warms everything
                through.append(took)
                bare.append(beside)
                print(f"gate {took:.2f} s, floor {beside:.2f} s: {took / beside:.2f}", flush=True)
    ratio = statistics.median(through) / statistics.median(bare)
    print(
        f"{arguments.gib:g} GiB, medians of {arguments.runs}: {statistics.median(through):.2f} s and {statistics.median(bare):.2f} s"
    )
    print(f"first pull       {ratio:>8.2f}        target <= 1.3: {'met' if ratio <= 1.3 else 'NOT MET'}")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
