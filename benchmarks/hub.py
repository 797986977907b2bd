"""What the gate adds to a pull: ``openvet serve`` beside Starlette's FileResponse (and nginx, where it is) with the same file, in one run.

usage: ``python benchmarks/hub.py [FOLDER]`` (default ``.cache/bench/hub``). One process each, the page cache warm, medians of interleaved runs;
the ratios count, not the figures. Targets: at least 0.8 of FileResponse's throughput, at most 3 ms added to HEAD and to a small GET, and memory
that 200 clients at once do not make grow with the file.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIG, MIDDLE = 512 << 20, 32 << 20
RUNS, ASKS, CLIENTS = 7, 400, 200
PLAIN = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route
async def file(request):
    return FileResponse(sys.argv[1] + "/" + request.path_params["path"], media_type="application/octet-stream")
app = Starlette(routes=[Route("/{path:path}", file, methods=["GET", "HEAD"])])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), http="httptools", loop="uvloop", ws="none", log_level="error", access_log=False)
"""
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; keepalive_requests 100000; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {root}; }} }}
"""


def model(folder: Path, size: int) -> None:
    """One tensor of so many bytes, and the files that every model has."""
    folder.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        block = bytes(range(256)) * 4096
        for _ in range(size // len(block)):
            file.write(block)
    (folder / "config.json").write_text('{"model_type": "x"}')
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def process(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


class Link:
    """One connection that is kept."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._path = path
        self._buffer = bytearray(1 << 20)

    def ask(self, method: str = "GET") -> int:
        """Bytes of the body."""
        self._socket.sendall(
            f"{method} {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: x; hf_hub/2.4.0\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._socket.recv(1 << 16)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{method} {self._path}: {head[:200]!r}")
        found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        size = int(found[1]) if found else 0
        left = size - (len(head) - head.index(b"\r\n\r\n") - 4) if method == "GET" else 0
        while left > 0:
            got = self._socket.recv_into(self._buffer, min(left, len(self._buffer)))
            if not got:
                raise SystemExit("the connection ended")
            left -= got
        return size

    def close(self) -> None:
        self._socket.close()


def wait_for(port: int, path: str) -> None:
    """Pull until the vetting is over."""
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", port), timeout=120) as client:
            client.sendall(
                f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: hf_hub/2.4.0\r\nConnection: close\r\n\r\n".encode()
            )
            answer = client.recv(1 << 16)
        if answer.startswith(b"HTTP/1.1 200"):
            return
        if not answer.startswith((b"HTTP/1.1 503", b"HTTP/1.1 403")) or (
            b"403" in answer[:20] and b"being vetted" not in answer
        ):
            raise SystemExit(f"refused: {answer!r}")
        time.sleep(1)


def resident(pid: int) -> float:
    """Megabytes of its own (no pages of files)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) / 1024


def rates(ports: dict[str, tuple[int, str]]) -> dict[str, float]:
    """Megabytes a second of the big file, the servers in turn."""
    links = {name: Link(port, path) for name, (port, path) in ports.items()}
    found: dict[str, list[float]] = {name: [] for name in ports}
    for turn in range(RUNS + 1):
        for name, link in links.items():
            start = time.perf_counter()
            size = link.ask()
            if turn:  # the first warms everything
                found[name].append(size / (time.perf_counter() - start) / (1 << 20))
    for link in links.values():
        link.close()
    return {name: statistics.median(values) for name, values in found.items()}


def delays(ports: dict[str, tuple[int, str]], method: str) -> dict[str, float]:
    """Milliseconds of one small request at the median, the servers in turn."""
    links = {name: Link(port, path) for name, (port, path) in ports.items()}
    found: dict[str, list[float]] = {name: [] for name in ports}
    for turn in range(ASKS + 50):
        for name, link in links.items():
            start = time.perf_counter()
            link.ask(method)
            if turn >= 50:
                found[name].append((time.perf_counter() - start) * 1000)
    for link in links.values():
        link.close()
    return {name: statistics.median(values) for name, values in found.items()}


def crowd(port: int, path: str, pid: int) -> tuple[float, float, float]:
    """200 clients at once: seconds, megabytes of memory before, and the most while they pull."""
    before, most = resident(pid), 0.0
    links = [Link(port, path) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=each.ask) for each in links]
    start = time.perf_counter()
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        most = max(most, resident(pid))
        time.sleep(0.05)
    took = time.perf_counter() - start
    for link in links:
        link.close()
    return took, before, most


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/bench/hub").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    models = folder / "models"
    model(models / "org" / "big", BIG)
    model(models / "org" / "middle", MIDDLE)
    gate, plain, front = free_port(), free_port(), free_port()
    serve = [
        sys.executable,
        "-m",
        "openvet",
        "serve",
        "--port",
        str(gate),
        "--data",
        str(folder / "data"),
        "--upstream",
        str(models),
    ]
    nginx = shutil.which("nginx")
    settings = folder / "nginx.conf"
    settings.write_text(NGINX.format(folder=folder, port=front, root=models))
    base = [sys.executable, "-c", PLAIN, str(models), str(plain)]
    with process(serve, gate) as ours, process(base, plain) as theirs:
        for name in ("big", "middle"):
            wait_for(gate, f"/org/{name}/resolve/main/model.safetensors")
        beside = process([nginx or "", "-c", str(settings)], front) if nginx else None
        if beside is not None:
            beside.__enter__()
        try:
            measure(gate, plain, front if nginx else 0, ours.pid, theirs.pid)
        finally:
            if beside is not None:
                beside.__exit__(None, None, None)
    shutil.rmtree(folder, ignore_errors=True)


def measure(gate: int, plain: int, front: int, ours: int, theirs: int) -> None:
    def ports(ours: str, theirs: str) -> dict[str, tuple[int, str]]:
        found = {"openvet serve": (gate, ours), "FileResponse": (plain, theirs)}
        return {**found, "nginx": (front, theirs)} if front else found

    speed = rates(ports("/org/big/resolve/main/model.safetensors", "/org/big/model.safetensors"))
    for name, rate in speed.items():
        print(f"{name:<16} {rate:>8,.0f} MB/s   {BIG >> 20} MB, one connection")
    ratio = speed["openvet serve"] / speed["FileResponse"]
    print(f"of FileResponse  {ratio:>8.2f}        target >= 0.8: {'met' if ratio >= 0.8 else 'NOT MET'}")
    for method in ("HEAD", "GET"):
        took = delays(ports("/org/big/resolve/main/config.json", "/org/big/config.json"), method)
        for name, delay in took.items():
            print(f"{name:<16} {delay:>8.2f} ms     {method} of a small file, median")
        added = took["openvet serve"] - took["FileResponse"]
        print(f"added            {added:>8.2f} ms     target <= 3: {'met' if added <= 3 else 'NOT MET'}")
    for name, path, pid, port in (
        ("openvet serve", "/org/middle/resolve/main/model.safetensors", ours, gate),
        ("FileResponse", "/org/middle/model.safetensors", theirs, plain),
    ):
        for turn in ("once", "again"):
            took_all, before, most = crowd(port, path, pid)
            print(
                f"{name:<16} {CLIENTS} clients x {MIDDLE >> 20} MB, {turn}: {took_all:.1f} s, memory {before:.0f} -> {most:.0f} MB"
            )


if __name__ == "__main__":
    main()
