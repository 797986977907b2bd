"""The whole way: a real client, our door, the real gate, a hub or another OpenVet behind it."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.hubclients.clients import HUBS, Client, is_made
from tests.hubclients.conftest import sha256
from tests.hubproxy.running import Running

from openvet.gate.answers import Asking, Repository
from openvet.gate.gate import OpenGate
from openvet.gate.opening import Place, open_gate
from openvet.testing.hub import Fault, Hub

NEW = pytest.mark.skipif(not is_made("hub-2"), reason="the environment hub-2 is not there; make clients makes it")
MODEL = Repository("model", "org/model")


class Shout:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo hi",)


def tensors(size: int) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + os.urandom(size)


@pytest.fixture
def good() -> dict[str, bytes]:
    return {
        "README.md": b"---\nlicense: apache-2.0\n---\n# A model\n",
        "config.json": b'{"model_type": "bert"}',
        "model.safetensors": tensors(2_000_000),
        "sub/more.safetensors": tensors(10_000),
    }


@contextmanager
def gated(folder: Path, url: str) -> Iterator[tuple[OpenGate, Running]]:
    with closing(open_gate(str(folder), [Place(url=url)])) as gate, Running(gate, hold=8.0) as running:
        yield gate, running


@pytest.mark.parametrize("name", HUBS)
def test_pulled_refused_and_taken_back(name: str, good: dict[str, bytes], tmp_path: Path) -> None:
    if not is_made(name):
        pytest.skip(f"the environment {name} is not there; make clients makes it")
    (tmp_path / "home").mkdir()
    cache = str(tmp_path / "cache")
    with Hub(good) as hub, gated(tmp_path / "gate", hub.url) as (gate, running), Client(name, running.url, tmp_path / "home") as client:  # fmt: skip
        found = client.value("snapshot", repo_id="org/model", cache_dir=cache)
        assert found == {path: sha256(data) for path, data in good.items()}
        reason = "a new advisory hits it; take org/other"
        gate.revoke(MODEL, hub.commit, by="ann", reason=reason)
        for do, more in (("snapshot", {}), ("download", {"filename": "config.json"})):
            told = client.ask(do, repo_id="org/model", cache_dir=cache, **more)
            assert reason in told["said"], told
        gate.approve(MODEL, hub.commit, by="bob", reason="looked at")
        assert client.value("snapshot", repo_id="org/model", cache_dir=cache) == found


@NEW
def test_what_runs_code_is_refused_and_says_so(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    bad = {**good, "pytorch_model.bin": pickle.dumps(Shout())}
    with Hub(bad) as hub, gated(tmp_path / "gate", hub.url) as (_, running), Client("hub-2", running.url, tmp_path / "home") as client:  # fmt: skip
        told = client.ask("snapshot", repo_id="org/model")
        assert told["error"] == "GatedRepoError"
        assert "runs-process in pytorch_model.bin" in told["said"]
        assert not [each for each in running.notes if "resolve" in each.path and each.status == 200]


@NEW
def test_an_upstream_that_changes_bytes_gets_none_through(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with Hub(good) as hub, gated(tmp_path / "gate", hub.url) as (_, running), Client("hub-2", running.url, tmp_path / "home", DRIVER_NEVER_SLEEPS="1") as client:  # fmt: skip
        hub.store.faults.append(Fault("flip", sha256(good["model.safetensors"])))
        told = client.ask("download", repo_id="org/model", filename="model.safetensors")
        assert "error" in told
        sent = [each for each in running.notes if each.method == "GET" and "model.safetensors" in each.path]
        assert [each.status for each in sent if each.status < 400] == []


@NEW
def test_one_gate_behind_another(good: dict[str, bytes], tmp_path: Path) -> None:
    """A chain, as an office has it in front of a company's."""
    (tmp_path / "home").mkdir()
    with (
        Hub(good) as hub,
        gated(tmp_path / "first", hub.url) as (first, outer),
        gated(tmp_path / "second", outer.url) as (_, inner),
        Client("hub-2", inner.url, tmp_path / "home") as client,
    ):
        found = client.value("snapshot", repo_id="org/model")
        assert found == {path: sha256(data) for path, data in good.items()}
        assert [each.commit for each in first.admitted("model", "", "", 10, Asking())] == [hub.commit]


@NEW
def test_what_was_carried_into_a_network_without_a_way_out(good: dict[str, bytes], tmp_path: Path) -> None:
    """A cache is filled through the gate outside, carried in, and is the upstream of the gate inside, which vets for itself."""
    for each in ("home", "other"):
        (tmp_path / each).mkdir()
    cache = tmp_path / "carried"
    with Hub(good) as hub, gated(tmp_path / "outside", hub.url) as (_, running), Client("hub-2", running.url, tmp_path / "home") as client:  # fmt: skip
        found = client.value("snapshot", repo_id="org/model", cache_dir=str(cache))
        commit = hub.commit
    assert found == {path: sha256(data) for path, data in good.items()}
    with (
        closing(open_gate(str(tmp_path / "inside"), [Place(folder=str(cache))])) as gate,
        Running(gate, hold=8.0) as running,
        Client("hub-2", running.url, tmp_path / "other") as client,
    ):
        for more in ({}, {"revision": commit}):
            assert client.value("snapshot", repo_id="org/model", cache_dir=str(tmp_path / "there"), **more) == found
        assert [each.commit for each in gate.admitted("model", "", "", 10, Asking())] == [commit]


def test_many_at_once_for_one_cold_file_fetch_it_once(good: dict[str, bytes], tmp_path: Path) -> None:
    with Hub(good) as hub, gated(tmp_path / "gate", hub.url) as (_, running):
        answers: list[tuple[int, str]] = []

        def pull() -> None:
            for _ in range(5):
                status, _, body = running.ask(
                    "GET", "/org/model/resolve/main/model.safetensors", {"User-Agent": "hf_hub/2.4.0"}
                )
                if status != 503:
                    break
            answers.append((status, sha256(body)))

        threads = [threading.Thread(target=pull) for _ in range(16)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert answers == [(200, sha256(good["model.safetensors"]))] * 16
        data = good["model.safetensors"]
        asked = [each.headers.get("range") for each in hub.store.asked if sha256(data) in each.path]
        assert asked == [f"bytes=0-{len(data) - 1}"]
