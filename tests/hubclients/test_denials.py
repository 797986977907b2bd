"""The denial matrix, measured: each refusal, with a cold cache and a warm one, and where the person at the client reads the reason.

``said``: in the exception's own message. ``cause``: only in the causes that the traceback shows. ``cached``: nothing was refused, the client
took what it had. Since 1.x a client also logs the reason from ``X-HF-Warning``, whatever it makes of the refusal: the second table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hubclients.clients import HUBS, Client, is_made
from tests.hubclients.conftest import bytes_in
from tests.hubproxy.running import Running
from tests.hubproxy.shelf import Shelf

from openvet.gate.answers import Refusal, RefusedError, Repository

REASON = "org/denied was refused: pickle/unsafe-import in model.bin; ask your reviewers ({})"
DENIED = Repository("model", "org/denied")
SNAPSHOT, FILE, MODEL, TOKENIZER = "snapshot", "download", "pretrained", "tokenizer"

#: (refusal, act) -> cold, warm. Clients agree but where OLD says otherwise.
TABLE = {
    (Refusal.NOT_APPROVED, SNAPSHOT): ("said", "cached"),
    (Refusal.NOT_APPROVED, FILE): ("said", "cached"),
    (Refusal.NOT_APPROVED, MODEL): ("said", "cached"),
    (Refusal.NOT_APPROVED, TOKENIZER): ("said", "said"),
    (Refusal.REVOKED, SNAPSHOT): ("said", "said"),
    (Refusal.REVOKED, FILE): ("said", "said"),
    (Refusal.REVOKED, MODEL): ("cause", "cause"),
    (Refusal.REVOKED, TOKENIZER): ("cause", "cause"),
    (Refusal.NO_REPOSITORY, SNAPSHOT): ("said", "cached"),
    (Refusal.NO_REPOSITORY, FILE): ("said", "cached"),
    (Refusal.NO_REVISION, SNAPSHOT): ("said", "said"),
    (Refusal.NO_REVISION, FILE): ("said", "said"),
    (Refusal.NO_FILE, FILE): ("said", "said"),
    (Refusal.NOT_ALLOWED, SNAPSHOT): ("said", "cached"),
    (Refusal.NOT_ALLOWED, FILE): ("said", "cached"),
    (Refusal.NOT_ALLOWED, MODEL): ("said", "cached"),
    (Refusal.UPSTREAM, SNAPSHOT): ("said", "cached"),
    (Refusal.UPSTREAM, FILE): ("cause", "cached"),
    (Refusal.STORAGE, SNAPSHOT): ("said", "cached"),
    (Refusal.STORAGE, FILE): ("cause", "cached"),
}
OLD = {
    (Refusal.UPSTREAM, SNAPSHOT): ("cause", "cached"),
    (Refusal.UPSTREAM, FILE): ("nothing", "cached"),
    (Refusal.STORAGE, SNAPSHOT): ("cause", "cached"),
}


def seen(told: dict[str, Any], reason: str) -> str:
    if "value" in told:
        return "cached"
    return "said" if reason in told["said"] else "cause" if reason in told["shown"] else "nothing"


@pytest.fixture
def denied(shelf: Shelf, tmp_path: Path) -> Iterator[Shelf]:
    shelf.put("org/denied", {"config.json": b"{}", "model.bin": b"x" * 5000})
    yield shelf
    shelf.refused.pop(DENIED, None)
    shelf.waiting.pop(DENIED, None)


def act_of(client: Client, act: str) -> Callable[[Path], dict[str, Any]]:
    more = {"filename": "config.json"} if act == FILE else {}
    return lambda cache: client.ask(act, repo_id="org/denied", cache_dir=str(cache), **more)


def measured(
    client: Client, act: str, why: Refusal, shelf: Shelf, tmp_path: Path
) -> tuple[tuple[str, str], tuple[bool, bool]]:
    """What is seen of the reason, and whether it is logged, with a cold cache and with a warm one."""
    do, reason = act_of(client, act), REASON.format(f"{why} {act}")
    assert "value" in do(tmp_path / "warm")
    shelf.refused[DENIED] = RefusedError(why, reason, commit=shelf.names[DENIED, "main"])
    cold, warm = do(tmp_path / "cold"), do(tmp_path / "warm")
    return (seen(cold, reason), seen(warm, reason)), (reason in cold["logged"], reason in warm["logged"])


@pytest.mark.parametrize(("why", "act"), [each for each in TABLE if each[1] in {SNAPSHOT, FILE}])
def test_clients_of_the_hub(why: Refusal, act: str, client: Client, denied: Shelf, tmp_path: Path) -> None:
    old = client.name == "hub-0"
    found, logged = measured(client, act, why, denied, tmp_path)
    assert found == (OLD.get((why, act), TABLE[why, act]) if old else TABLE[why, act])
    assert logged == ((False, False) if old else (True, False)), "a client shows each reason once"


@pytest.fixture(scope="module")
def transformers(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    if not is_made("transformers"):
        pytest.skip("Transformers and PyTorch are not there; make clients installs them where they can be had")
    with Client("transformers", server.url, tmp_path_factory.mktemp("home"), DRIVER_NEVER_SLEEPS="1") as client:
        yield client


@pytest.mark.parametrize(("why", "act"), [each for each in TABLE if each[1] in {MODEL, TOKENIZER}])
def test_from_pretrained(why: Refusal, act: str, transformers: Client, denied: Shelf, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    assert "value" in transformers.ask("make_model", folder=str(tmp_path / "made"))
    denied.put("org/denied", bytes_in(tmp_path / "made"))
    assert measured(transformers, act, why, denied, tmp_path)[0] == TABLE[why, act]


@pytest.mark.parametrize("name", [each for each in HUBS if each != "hub-0"])
def test_who_takes_it_from_the_cache_is_told_all_the_same(
    name: str, server: Running, denied: Shelf, tmp_path: Path
) -> None:
    if not is_made(name):
        pytest.skip(f"the environment {name} is not there; make clients makes it")
    (tmp_path / "home").mkdir()
    for why in (Refusal.NOT_APPROVED, Refusal.UPSTREAM):
        denied.refused.clear()
        with Client(name, server.url, tmp_path / "home", DRIVER_NEVER_SLEEPS="1") as client:
            do = act_of(client, SNAPSHOT)
            assert "value" in do(tmp_path / "cache")
            denied.refused[DENIED] = RefusedError(why, REASON)
            told = do(tmp_path / "cache")
            assert seen(told, REASON) == "cached"
            assert REASON in told["logged"]


def test_a_pinned_commit_in_the_cache_is_never_asked_for(client: Client, denied: Shelf, tmp_path: Path) -> None:
    """No server can take it back: `openvet cache` has to."""
    asked = {"repo_id": "org/denied", "revision": denied.names[DENIED, "main"], "filename": "config.json"}
    assert "value" in client.ask("download", cache_dir=str(tmp_path), **asked)
    denied.refused[DENIED] = RefusedError(Refusal.REVOKED, REASON)
    assert "value" in client.ask("download", cache_dir=str(tmp_path), **asked)


# --- not yet ---


def test_a_client_waits_as_long_as_it_is_told(client: Client, denied: Shelf, tmp_path: Path) -> None:
    denied.seconds = 7
    denied.waiting[DENIED] = 8
    told = client.ask("download", repo_id="org/denied", filename="config.json", cache_dir=str(tmp_path))
    assert "value" in told, told
    assert told["slept"]
    # the oldest does not know Retry-After
    assert set(told["slept"]) <= ({1, 2, 4, 8} if client.name == "hub-0" else {8.0})


def test_a_client_gives_up_after_its_tries(client: Client, denied: Shelf, tmp_path: Path) -> None:
    denied.seconds = 7
    denied.waiting[DENIED] = 1_000_000
    told = client.ask("download", repo_id="org/denied", filename="config.json", cache_dir=str(tmp_path))
    assert len(told["slept"]) == 5
    assert ("being vetted" in told["shown"]) == (client.name != "hub-0"), "the oldest keeps the reason to itself"


def test_a_snapshot_whose_files_are_waited_for(client: Client, denied: Shelf, tmp_path: Path) -> None:
    denied.waiting[DENIED] = 6
    told = client.ask("snapshot", repo_id="org/denied", cache_dir=str(tmp_path))
    assert set(told["value"]) == {"config.json", "model.bin"}
