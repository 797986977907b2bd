"""A process that ends is started again, as often as it may; and a server that is told to end leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.conftest import Client, alive, children


def waits_until(is_so: Callable[[], bool], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not become so"
        time.sleep(0.05)


def test_a_crash_costs_one_answer(start: Callable[..., Client]) -> None:
    server = start(restarts=2)
    status, found = server.chat("a !crash")
    assert (status, found["error"]["code"]) == (503, "model_ended")
    waits_until(lambda: server.get("/health")[0] == 200)
    assert server.chat("b")[0] == 200
    assert server.metric("openvet_run_restarts_total") == 1
    *_, last = server.events("/v1/completions", {"model": "stand-in", "prompt": "a !crash", "stream": True})
    assert last["error"]["code"] == "model_ended"
    waits_until(lambda: server.get("/health")[0] == 200)
    # a process that is ended while nobody asks is seen, too
    for each in children(server.process.pid):
        os.kill(each, signal.SIGKILL)
    assert server.process.wait(timeout=20) == 0
    assert server.process.stdout is not None
    ended = json.loads(server.process.stdout.read())
    assert ended[0] == 0
    assert "ended 3 times in 600 seconds" in ended[1]


def test_who_asks_meanwhile_is_told(start: Callable[..., Client], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    server = start(options={"broken": str(broken)}, restarts=30)
    for each in children(server.process.pid):
        os.kill(each, signal.SIGKILL)
    waits_until(lambda: server.metric("openvet_run_restarts_total") == 1)
    assert server.get("/health")[0] == 200


def test_a_lie_ends_the_process(start: Callable[..., Client]) -> None:
    server = start()
    status, found = server.chat("!lie")
    assert (status, found["error"]["code"]) == (503, "model_restarting")
    waits_until(lambda: server.chat("b")[0] == 200)


def test_what_hangs_is_ended_and_does_not_count(start: Callable[..., Client]) -> None:
    server = start(limits={"seconds": 0.5}, restarts=0)
    status, found = server.post("/v1/embeddings", {"model": "stand-in", "input": "!hang"})
    assert (status, found["error"]["code"]) == (504, "time_limit")
    waits_until(lambda: server.chat("b")[0] == 200)
    assert server.metric("openvet_run_restarts_total") == 1


@pytest.mark.parametrize(("how", "number"), [(signal.SIGTERM, 15), (signal.SIGINT, 2)])
def test_it_ends_and_leaves_nothing(start: Callable[..., Client], how: signal.Signals, number: int) -> None:
    server = start()
    assert server.chat("a")[0] == 200
    below = children(server.process.pid)
    assert below
    started = time.monotonic()
    code, said = server.end(how)
    assert (code, json.loads(said[-1])) == (0, [number, ""])
    assert time.monotonic() - started < 5
    assert not alive(below)


def test_running_answers_are_finished(start: Callable[..., Client]) -> None:
    server = start(grace=10)
    found: list[tuple[int, Any]] = []
    asking = threading.Thread(target=lambda: found.append(server.chat("!wait1 !wait1 done")))
    asking.start()
    time.sleep(0.5)
    assert server.end()[0] == 0
    asking.join()
    assert found[0][0] == 200
    assert found[0][1]["choices"][0]["message"]["content"].endswith("done ")


def test_or_cut_when_the_grace_is_over(start: Callable[..., Client]) -> None:
    server = start(grace=0.5)
    words = " ".join(["!wait0.3"] * 30)
    found: list[Any] = []

    def listen() -> None:
        found.extend(
            server.events("/v1/completions", {"model": "stand-in", "prompt": words, "max_tokens": 30, "stream": True})
        )

    asking = threading.Thread(target=listen)
    asking.start()
    time.sleep(1.0)
    started = time.monotonic()
    code, _ = server.end()
    asking.join()
    assert code == 0
    assert time.monotonic() - started < 5
    assert found[-1]["error"]["code"] == "server_ending"


def test_what_writes_nothing_is_cut_too(start: Callable[..., Client]) -> None:
    server = start(grace=0.5)
    found: list[tuple[int, Any]] = []
    asking = threading.Thread(
        target=lambda: found.append(server.post("/v1/embeddings", {"model": "stand-in", "input": "!hang"}))
    )
    asking.start()
    time.sleep(0.7)
    below = children(server.process.pid)
    started = time.monotonic()
    assert server.end(signal.SIGINT)[0] == 0
    asking.join()
    assert time.monotonic() - started < 8
    assert found[0][0] == 503
    assert not alive(below)
