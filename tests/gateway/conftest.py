"""Servers of a stand-in, and a client that is as plain as one can be."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openvet.sandbox import levels
from tests.gateway.stand_in import interpreter, level


class Client:
    """Asks one server."""

    def __init__(self, address: str, process: subprocess.Popen[str], log: Path) -> None:
        self.address, self.process, self.log = address, process, log
        self.host, _, port = address.removeprefix("http://").rpartition(":")
        self.port = int(port)

    def open(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data is not None else {}
        connection.request(method, path, data, {**sent, **(headers or {})})
        return connection, connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        connection, response = self.open(method, path, body, headers)
        with contextlib.closing(connection):
            data = response.read()
        kind = response.getheader("content-type", "")
        return response.status, json.loads(data) if kind.startswith("application/json") else data.decode()

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return self.ask("POST", path, body, headers)

    def chat(self, text: str, **more: Any) -> tuple[int, Any]:
        return self.post(
            "/v1/chat/completions", {"model": "stand-in", "messages": [{"role": "user", "content": text}], **more}
        )

    def events(self, path: str, body: Any) -> Iterator[Any]:
        """What a stream says, event by event; the last is ``[DONE]`` where it is complete."""
        connection, response = self.open("POST", path, body)
        with contextlib.closing(connection):
            assert response.status == 200, response.read()
            assert response.getheader("content-type", "").startswith("text/event-stream")
            for line in response:
                if line.startswith(b"data: "):
                    text = line[6:].strip().decode()
                    yield text if text == "[DONE]" else json.loads(text)

    def metric(self, name: str) -> float:
        _, text = self.get("/metrics")
        return float(next(line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{name} ")))

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, list[str]]:
        """Its exit code and what it printed at last."""
        self.process.send_signal(how)
        out, _ = self.process.communicate(timeout=40)
        return self.process.returncode, out.splitlines()


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    if levels.missing(level()):
        pytest.skip(f"level 3 cannot be had here: {levels.missing(level())}")
    return str(interpreter(tmp_path_factory.mktemp("interpreter") / "env"))


@pytest.fixture(scope="session")
def start(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Client]]:
    """Starts a server and gives its client; all end with the session."""
    running: list[subprocess.Popen[str]] = []

    def begin(**asked: Any) -> Client:
        folder = tmp_path_factory.mktemp("served")
        log = folder.with_suffix(".log")
        request = {"python": python, "folder": str(folder), **asked}
        with open(log, "w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.gateway.driver", json.dumps(request)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        running.append(process)
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), (address, log.read_text())
        return Client(address, process, log)

    yield begin
    for each in running:
        if each.poll() is None:
            each.terminate()
    for each in running:
        each.communicate(timeout=40)


@pytest.fixture(scope="session")
def client(start: Callable[..., Client]) -> Client:
    """One server for all tests that leave it as it was."""
    return start(restarts=50)


def children(process: int) -> list[int]:
    """The processes that it has started, with all below them."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            with contextlib.suppress(OSError):
                if int((each / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                    found += [int(each.name), *children(int(each.name))]
    return found


def alive(processes: list[int]) -> list[int]:
    """Those that run; one that nobody has buried yet does not."""
    found = []
    for each in processes:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(each)
    return found
