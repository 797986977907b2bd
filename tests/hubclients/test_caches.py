"""What a real client has in its cache: a revocation does not reach it, and ``openvet cache`` does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.hubclients.clients import HUBS, PLACE, Client, is_made
from tests.hubproxy.test_joined import House

from openvet.cli import main
from openvet.gate import credentials
from openvet.gate.opening import Place, open_gate
from openvet.gate.roles import Role
from openvet.gate.settings import Settings
from openvet.workflows import caches_evict


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name in ("org/good", "org/other"):
        (tmp_path / "models" / name / "sub").mkdir(parents=True)
        (tmp_path / "models" / name / "config.json").write_text("{}")
        (tmp_path / "models" / name / "sub" / "README.md").write_text(name)
    monkeypatch.setattr(credentials, "_MEMORY", 64)
    gate = open_gate(str(tmp_path / "data"), [Place(folder=str(tmp_path / "models"))], Settings(packs=()))
    made = House(tmp_path, gate, anonymous=False)
    for name, role in (("ann", Role.SUBMITTER), ("zoe", Role.APPROVER)):
        made.add(name, role, "/vision")
    with made.server:
        yield made
    gate.close()


def client_of(name: str, house: House, home: Path, **more: str) -> Client:
    if not is_made(name):
        pytest.skip(f"the environment {name} is not there; make clients makes it")
    return Client(name, house.server.url, home, HF_TOKEN=house.tokens["ann"], DRIVER_NEVER_SLEEPS="1", **more)


def openvet(house: House, hub: Path, name: str, *more: str, code: int = 0) -> Any:
    environ = {"HF_ENDPOINT": house.server.url, "HF_TOKEN": house.tokens["ann"]}
    found = CliRunner().invoke(main, ["cache", name, "--cache", str(hub), "--format", "json", *more], env=environ)
    assert found.exit_code == code, found.output
    return json.loads(found.stdout)


@pytest.mark.parametrize("name", HUBS)
def test_a_revocation_reaches_pinned_commits_and_who_is_offline(name: str, house: House, tmp_path: Path) -> None:
    home, hub = tmp_path / "home", tmp_path / "home" / "hf" / "hub"
    home.mkdir()
    with client_of(name, house, home) as client:
        for each in ("org/good", "org/other"):
            assert len(client.value("snapshot", repo_id=each)) == 2
        openvet(house, hub, "verify")
        told = openvet(house, hub, "report", "--send", "--machine", "desk")
        commits = {each["name"]: each["revisions"][0]["commit"] for each in told["report"]["caches"][0]["repositories"]}
        pinned = {"repo_id": "org/good", "revision": commits["org/good"]}
        status, found = house.api("GET", f"/revisions?name=org/good&ref={commits['org/good']}", "zoe")
        number = found["items"][0]["id"]
        body = {"revisions": [number], "reason": "A backdoor was published"}
        assert house.api("POST", "/revocations", "zoe", body)[1]["refused"] == []
        status, found = house.api("GET", "/cached?standing=revoked", "zoe")
        assert (status, [(each["name"], each["person"], each["machine"]) for each in found["items"]]) == (200, [("org/good", "ann", "desk")])  # fmt: skip
        # no server reaches these two
        assert "value" in client.ask("download", filename="config.json", **pinned)
        assert "value" in client.ask("snapshot", local_files_only=True, **pinned)

        assert openvet(house, hub, "verify", code=1)["verified"]["caches"][0]["repositories"][0]["revisions"][0]["gate"]["reason"] == "A backdoor was published"  # fmt: skip
        (done,) = openvet(house, hub, "evict", "--yes")["evicted"]["done"]
        assert (done["name"], done["gone"], done["problem"]) == ("org/good", True, None)

        for asked in (pinned, {"repo_id": "org/good"}, {"repo_id": "org/good", "revision": "main"}):
            assert "error" in client.ask("snapshot", local_files_only=True, **asked)
            assert "error" in client.ask("download", filename="config.json", local_files_only=True, **asked)
            refused = client.ask("download", filename="config.json", **asked)
            assert "A backdoor was published" in refused["said"]
        assert len(client.value("snapshot", repo_id="org/other", local_files_only=True)) == 2
        scanned = client.value("scan")
        assert (scanned["warnings"], [each["repo"] for each in scanned["repos"]]) == ([], ["org/other"])
    with client_of(name, house, home, HF_HUB_OFFLINE="1") as client:
        assert "error" in client.ask("snapshot", **pinned)
        assert "value" in client.ask("snapshot", repo_id="org/other")
    openvet(house, hub, "verify")


@pytest.mark.parametrize("name", HUBS)
def test_what_we_take_for_a_lock_is_one(name: str, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    home, hub = tmp_path / "home", tmp_path / "home" / "hf" / "hub"
    home.mkdir()
    with client_of(name, house, home) as client:
        client.value("snapshot", repo_id="org/good")
    repository = hub / "models--org--good"
    blob = min(each.name for each in (repository / "blobs").iterdir())
    holding = "import sys; from huggingface_hub.utils import WeakFileLock\nwith WeakFileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"  # fmt: skip
    python, lock = PLACE / name / "bin" / "python", hub / ".locks" / repository.name / f"{blob}.lock"
    monkeypatch.setattr(caches_evict, "_WAIT", 0.3)
    with subprocess.Popen([python, "-c", holding, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}) as held:  # fmt: skip
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        (done,) = openvet(house, hub, "evict", "--yes", "org/good", code=1)["evicted"]["done"]
        assert (done["gone"], "just now" in done["problem"]) == (True, True)
        assert [each.name for each in (repository / "blobs").iterdir()] == [blob]
        held.communicate("")
    assert openvet(house, hub, "evict", "--yes")["evicted"]["done"][0]["begun"]
    assert not repository.exists()
