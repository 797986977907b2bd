"""The same answers from SQLite and from PostgreSQL (where OPENVET_TEST_POSTGRES names a server), with several processes' worth of workers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from openvet.gate.answers import Ready, Refusal, RefusedError, Repository
from openvet.gate.opening import open_gate
from openvet.gate.settings import Settings
from openvet.gate.upstreams import HubUpstream
from openvet.testing.hub import Hub
from tests.gate.conftest import HF, MODEL, get
from tests.gate.samples import CARD, HOSTILE, model
from tests.gate.test_publishing import admissions, dossier, settled
from tests.store.conftest import url  # noqa: F401 - a fixture

BAD = Repository("model", "org/bad")


def test_two_gates_on_one_database_behave_as_one(url: str, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "gate"
    with Hub(model(200_000), large=1000) as good, Hub({"README.md": CARD, "a.bin": HOSTILE}, "org/bad") as bad:
        places = [HubUpstream(good.url), HubUpstream(bad.url)]
        gates = [open_gate(str(folder), places, Settings(), database=url, workers=2) for _ in range(2)]
        try:
            found: list[Ready] = []
            threads = [
                threading.Thread(target=lambda at=at: found.append(get(gates[at % 2], "model.safetensors")))
                for at in range(8)
            ]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert len(found) == 8
            assert len(set(found)) == 1
            assert len([each for each in good.store.asked if each.method == "GET"]) == 1
            with pytest.raises(RefusedError, match="runs-process"):
                get(gates[0], "a.bin", repository=BAD)
            gates[1].approve(BAD, bad.commit, by="Ada", reason="a sample", project="/lab")
            gates[0].revoke(MODEL, good.commit, by="Ada", reason="gone")
            with pytest.raises(RefusedError) as caught:
                gates[1].file(MODEL, "main", "config.json", HF)
            assert caught.value.why is Refusal.REVOKED
            assert [each.repository for each in gates[0].admitted("model", "", "", 10, HF)] == []
            gates[0].approve(MODEL, good.commit, by="Bob", reason="back")
            assert [each.repository for each in gates[1].admitted("model", "MOD", "", 10, HF)] == [MODEL]
            settled(gates[0])
            assert [each.kind for each in admissions(dossier(folder, good.commit))] == [
                "policy",
                "revocation",
                "approval",
            ]
        finally:
            for gate in gates:
                gate.close()
