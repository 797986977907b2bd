"""For whoever runs the server: that it lives, that it can work, and how much it does, without a name of anybody or any model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from openvet.gate.gate import OpenGate
from openvet.gate.opening import Place, open_gate
from openvet.gate.settings import Settings
from openvet.hubproxy import operating
from openvet.hubproxy.operating import Metrics, operating_routes
from openvet.testing.forge import Call, Name, dump
from tests.gate.samples import model
from tests.hubproxy.running import Running


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[OpenGate]:
    for name, files in {
        "org/good": model(),
        "org/secret-bad": {"m.pkl": dump(Call(Name("os", "system"), ("x",)))},
    }.items():
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)
    made = open_gate(str(tmp_path / "data"), [Place(folder=str(tmp_path / "models"))], Settings(packs=()))
    yield made
    made.close()


def running(gate: OpenGate, folder: Path, *readers: str) -> Running:
    metrics = Metrics()
    return Running(gate, hold=8.0, more=operating_routes(gate, str(folder / "data"), metrics, readers), metrics=metrics)


SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)*)\})? (\S+)')


def parsed(text: str) -> dict[str, float]:
    """Each sample, by its name and labels; every line has to be one of a family that was announced before it."""
    assert text.endswith("\n")
    types: dict[str, str] = {}
    out: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types
            types[name] = kind
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        name = found[1]
        family = re.sub("_(bucket|sum|count)$", "", name)
        assert name in types or types.get(family) == "histogram", line
        assert (types.get(name) == "counter") == name.endswith("_total"), line
        key = line.rpartition(" ")[0]
        assert key not in out
        out[key] = float(found[3])
    return out


def test_what_was_asked_is_counted_and_named_by_nobody(gate: OpenGate, tmp_path: Path) -> None:
    with running(gate, tmp_path, "127.0.0.0/8") as server:
        assert server.ask("GET", "/org/good/resolve/main/config.json")[0] == 200
        assert server.ask("GET", "/org/secret-bad/resolve/main/m.pkl")[0] == 403
        server.noted(2)
        status, headers, body = server.ask("GET", "/metrics")
        assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        found = parsed(body.decode())
        assert found['openvet_requests_total{route="files",method="GET",status="200"}'] == 1
        assert found['openvet_requests_total{route="files",method="GET",status="403"}'] == 1
        assert found['openvet_pulls_total{outcome="ready"}'] == 1
        assert found['openvet_decisions{kind="policy",outcome="admit"}'] == 1
        assert found['openvet_decisions{kind="policy",outcome="reject"}'] == 1
        assert found['openvet_request_seconds_bucket{route="files",le="+Inf"}'] == 2
        assert found['openvet_request_seconds_count{route="files"}'] == 2
        assert found['openvet_vettings{stage="bytes",state="done"}'] == 2
        assert found['openvet_upstream_errors_total{asked="listing"}'] == 0
        assert found["openvet_stored_files"] == 4
        assert found["openvet_stored_bytes"] > 5000
        assert found['openvet_sent_bytes_total{route="files"}'] > 60
        assert b"secret" not in body
        assert b"org" not in body


def test_nobody_reads_metrics_unless_they_may(gate: OpenGate, tmp_path: Path) -> None:
    for readers in ((), ("10.0.0.0/8", "::/0")):
        with running(gate, tmp_path, *readers) as server:
            status, _, body = server.ask("GET", "/metrics")
            assert status == 403
            assert b"[server] metrics" in body
            assert b"openvet_" not in body


def test_it_lives_and_is_ready(gate: OpenGate, tmp_path: Path) -> None:
    with running(gate, tmp_path) as server:
        assert json.loads(server.ask("GET", "/healthz")[2]) == {"status": "ok"}
        status, _, body = server.ask("GET", "/readyz")
        assert (status, json.loads(body)) == (200, {"status": "ready", "problems": {}})


def test_what_is_wrong_is_said(gate: OpenGate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(gate, tmp_path) as server:
        monkeypatch.setattr(operating, "LEAST_FREE", 1 << 62)
        gate._worker.stop()
        held = (tmp_path / "data" / "openvet.db").rename(tmp_path / "gone")
        (tmp_path / "data" / "openvet.db").mkdir()
        gate.database.engine.dispose()
        status, _, body = server.ask("GET", "/readyz")
        assert status == 503
        assert set(json.loads(body)["problems"]) == {"database", "disk", "worker"}
        assert str(tmp_path).encode() not in body
        assert server.ask("GET", "/healthz")[0] == 200
        (tmp_path / "data" / "openvet.db").rmdir()
        held.rename(tmp_path / "data" / "openvet.db")
