"""Who asks, with real clients: ``HF_TOKEN`` names the person, and a client without one reads what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hubclients.clients import HUBS, Client, command, environment, is_made
from tests.hubclients.conftest import sha256
from tests.hubproxy.test_joined import BAD, House

from openvet.gate import credentials
from openvet.gate.opening import Place, open_gate
from openvet.gate.roles import Role
from openvet.gate.settings import Settings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    for name, data in {"org/good": b"{}", "org/bad": BAD}.items():
        (folder / "models" / name).mkdir(parents=True)
        (folder / "models" / name / ("model.pkl" if data == BAD else "config.json")).write_bytes(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(credentials, "_MEMORY", 64)
        gate = open_gate(str(folder / "data"), [Place(folder=str(folder / "models"))], Settings(packs=()))
        made = House(folder, gate, anonymous=False)
        made.add("ann", Role.SUBMITTER, "/vision")
        with made.server:
            yield made
        gate.close()


@pytest.mark.parametrize("name", HUBS)
def test_a_token_says_who_pulls(name: str, house: House, tmp_path: Path) -> None:
    if not is_made(name):
        pytest.skip(f"the environment {name} is not there; make clients makes it")
    with Client(name, house.server.url, tmp_path, HF_TOKEN=house.tokens["ann"]) as client:
        assert client.value("snapshot", repo_id="org/good") == {"config.json": sha256(b"{}")}
        told = client.ask("snapshot", repo_id="org/bad")
        assert told["error"] == "GatedRepoError"
        assert f"{house.server.url}/openvet/requests/" in told["said"]
    with Client(name, house.server.url, tmp_path) as client:
        told = client.ask("snapshot", repo_id="org/good", cache_dir=str(tmp_path / "cold"))
        assert "set HF_TOKEN to a token of yours" in told["said"]
    with Client(name, house.server.url, tmp_path, HF_TOKEN="hf_" + "a" * 34) as client:
        told = client.ask("snapshot", repo_id="org/good", cache_dir=str(tmp_path / "cold"))
        assert "token of another hub" in told["said"]


@pytest.mark.skipif(not is_made("hub-2"), reason="the environment hub-2 is not there; make clients makes it")
def test_hf_knows_who_somebody_is(house: House, tmp_path: Path) -> None:
    assert "HF_TOKEN" not in environment(house.server.url, tmp_path)
    done = command("hub-2", house.server.url, tmp_path, "auth", "whoami", HF_TOKEN=house.tokens["ann"])
    assert done.returncode == 0, done.stderr
    assert "ann" in done.stdout
    done = command("hub-2", house.server.url, tmp_path, "download", "org/good")
    assert done.returncode == 1
    assert "set HF_TOKEN to a token of yours" in done.stdout + done.stderr
