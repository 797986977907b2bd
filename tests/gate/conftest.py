"""A gate in a folder, in front of a hub in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openvet.gate.answers import Asking, Ready, Repository, Waiting
from openvet.gate.gate import OpenGate
from openvet.gate.opening import open_gate
from openvet.gate.settings import Settings
from openvet.gate.upstreams import HubUpstream, Upstream
from openvet.testing.hub import Hub
from tests.gate.samples import HandClock
from tests.store.conftest import database, url  # noqa: F401 - a database for each test, of each kind

MODEL = Repository("model", "org/model")
HF = Asking(agent="unknown/None; hf_hub/2.4.0; python/3.11.7")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.io.http._wait", lambda *_: 0.0)
    for name in [each for each in os.environ if each.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


Opening = Callable[..., OpenGate]


@pytest.fixture
def opening(tmp_path: Path, clock: HandClock) -> Iterator[Opening]:
    """Opens gates on one folder, and closes them at the end."""
    with ExitStack() as stack:

        def make(*places: Hub | Upstream, folder: str = "gate", workers: int = 1, **settings: Any) -> OpenGate:
            upstreams = [
                HubUpstream(each.url, sleep=lambda _: None) if isinstance(each, Hub) else each for each in places
            ]
            gate = open_gate(str(tmp_path / folder), upstreams, Settings(**settings), workers=workers, clock=clock)
            stack.callback(gate.close)
            return gate

        yield make


def get(
    gate: OpenGate,
    path: str,
    revision: str = "main",
    repository: Repository = MODEL,
    seconds: float = 60,
    asking: Asking = HF,
) -> Ready:
    """A file, waited for as a client does; raises what it is refused with."""
    until = time.monotonic() + seconds
    while True:
        found = gate.file(repository, revision, path, asking)
        if isinstance(found, Ready):
            return found
        assert isinstance(found, Waiting)
        assert time.monotonic() < until, "it never ends"
        time.sleep(0.05)
