"""A list of revocations from a gate to a machine that reaches none: fetched, carried, believed or not, and what it leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.hubproxy.api.conftest import COMMIT, Live, running
from tests.hubproxy.api.test_models import decide
from tests.origins.cached import SECOND, SMALL, blob_name, loads, put

from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.evidence.predicates.revocations_v1 import RevocationsV1, Revoked
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.signing import sign_statement, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement

DAY = 24 * 3_600_000


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENVET_SERVER", "OPENVET_TOKEN", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "NO_COLOR", "FORCE_COLOR"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def live(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    (place / "gate").mkdir()
    with running(place / "gate") as server:
        (place / "gate.pub").write_bytes(server.key.public.pem)
        monkeypatch.setenv("OPENVET_TOKEN", server.tokens["viewer"])
        yield server


@pytest.fixture
def hub(place: Path) -> Path:
    where = place / "home" / ".cache" / "huggingface" / "hub"
    where.mkdir(parents=True)
    return where


def run(*arguments: str, code: int = 0, at: int = 1_795_867_200_000) -> Result:
    env = {"COLUMNS": "200", "SOURCE_DATE_EPOCH": str(at // 1000)}
    found = CliRunner().invoke(main, arguments, env=env)
    assert found.exit_code == code, (arguments, found.output, found.exception)
    return found


def fetch(live: Live, *more: str, code: int = 0, name: str = "r.json") -> Result:
    return run("hub", "revocations", "--server", f"http://127.0.0.1:{live.port}", "--output", name, *more, code=code)


def verify(*more: str, code: int = 0, at: int = 1_795_867_200_000) -> Result:
    return run("cache", "verify", "--revocations", "r.json", "--key", "gate.pub", *more, code=code, at=at)


def test_from_a_gate_to_a_machine_that_reaches_none(live: Live, hub: Path) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    put(hub, "org/other", SECOND)
    said = fetch(live, "--key", "gate.pub").stdout
    assert said == "r.json: list 1 of example.com/gate for /vision: 0 revoked, made 2026-11-28T12:00:00Z, to be relied on until 2026-12-05T12:00:00Z\n"  # fmt: skip
    clear = verify()
    assert "not revoked  2 fine  org/tiny@cccccccc" in clear.stdout
    assert "not asked: whether what is not revoked was ever approved" in clear.stdout
    assert "an older list cannot be told from the newest one: none was kept (--seen FILE)" in clear.stdout

    decide(live, 1, "revocation", "reject")
    fetch(live, "--key", "gate.pub")
    live.stop()
    found = verify("--seen", "seen.json", code=1)
    assert "revoked      2 fine  org/tiny@cccccccc   somebody on 2026-11-28 12:00: because" in found.stdout
    assert "not revoked  2 fine  org/other@dddddddd" in found.stdout
    assert "--seen FILE" not in found.stdout
    assert "next: openvet cache evict --revocations FILE --key FILE removes what is revoked" in found.stdout
    value = json.loads(verify("--format", "json", code=1).stdout)["verified"]
    assert value["server"] is value["refused"] is value["project"] is None
    assert {name: value["revocations"][name] for name in ("gate", "number", "count", "expired", "kept", "key")} == {
        "gate": "example.com/gate", "number": 2, "count": 1, "expired": False, "kept": False, "key": live.key.public.hint,
    }  # fmt: skip

    asked = ("cache", "evict", "--revocations", "r.json", "--key", "gate.pub", "--seen", "seen.json")
    assert "was revoked by somebody: because" in run(*asked, "--dry-run").stdout
    run(*asked, "--yes")
    assert loads(repository, COMMIT) is None
    assert "org/other" in verify().stdout


def test_no_list_is_believed_that_is_not_the_gates(live: Live, hub: Path) -> None:
    put(hub, "org/tiny", COMMIT)
    fetch(live)
    (Path("other.pub")).write_bytes(generate("ed25519").public.pem)
    found = run("cache", "verify", "--revocations", "r.json", "--key", "other.pub", code=2)
    assert "the list of revocations is not believed: wrong-key: r.json: " in found.stderr
    assert "not asked  2 fine  org/tiny@cccccccc" in found.stdout  # its bytes were compared all the same
    whole = Path("r.json").read_text()
    bundle = json.loads(whole)
    signature = bundle["dsseEnvelope"]["signatures"][0]
    signature["sig"] = ("B" if signature["sig"][0] != "B" else "C") + signature["sig"][1:]
    Path("r.json").write_text(json.dumps(bundle))
    assert "tampered" in verify(code=2).stderr
    assert "tampered" in run("cache", "evict", "--revocations", "r.json", "--key", "gate.pub", code=2).stderr
    for text in ("", "{}", whole[:-20], "[" * 5000):
        Path("r.json").write_text(text)
        assert "malformed" in verify(code=2).stderr
    # another statement of the gate is no list
    number = decide(live, 1, "revocation", "reject")
    Path("r.json").write_text(live.ask("GET", f"/decisions/{number}", as_="viewer").json["statement"])
    assert "is a statement, and no list of revocations" in verify(code=2).stderr
    # and what is corrupt is worse than a list that is none
    (hub / "models--org--tiny" / "blobs" / blob_name("", SMALL)).write_bytes(b"[]")
    assert "CORRUPT" in verify(code=1).stdout
    assert "r.json" in verify("--no-hash", code=2).stderr


def test_an_old_list_says_nothing_of_what_is_not_on_it(live: Live, hub: Path) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    put(hub, "org/other", SECOND)
    fetch(live)
    week = live.now + 7 * DAY
    assert verify(at=week - 1000).exit_code == 0
    found = verify(at=week, code=2)
    assert "the list of revocations is too old: expired: it may be relied on until 2026-12-05T12:00:00Z" in found.stderr
    assert "not asked  2 fine  org/tiny@cccccccc" in found.stdout
    value = json.loads(verify("--format", "json", at=week, code=2).stdout)["verified"]
    assert (value["refused"]["reason"], value["revocations"]["expired"]) == ("expired", True)
    assert [each["gate"] for cache in value["caches"] for one in cache["repositories"] for each in one["revisions"]] == [None, None]  # fmt: skip
    # what is on it was revoked all the same
    decide(live, 1, "revocation", "reject")
    fetch(live)
    late = verify(at=week, code=1)
    assert "revoked    2 fine  org/tiny@cccccccc" in late.stdout
    assert "not asked  2 fine  org/other@dddddddd" in late.stdout
    gone = run("cache", "evict", "--revocations", "r.json", "--key", "gate.pub", "--yes", at=week)
    assert "too old" in gone.stderr
    assert loads(repository, COMMIT) is None
    # a clock that goes wrong makes old lists young
    assert "not-yet-valid" in verify(at=live.now - 3_600_000, code=2).stderr
    assert verify(at=live.now - 60_000).exit_code == 0


def test_a_list_that_is_older_than_one_that_was_seen_is_refused(live: Live, hub: Path) -> None:
    put(hub, "org/tiny", COMMIT)
    fetch(live)
    first = Path("r.json").read_bytes()
    verify("--seen", "seen.json")
    assert Path("seen.json").read_bytes() == first
    decide(live, 1, "revocation", "reject")
    fetch(live)
    verify("--seen", "seen.json", code=1)
    second = Path("r.json").read_bytes()
    assert Path("seen.json").read_bytes() == second
    Path("r.json").write_bytes(first)
    found = verify("--seen", "seen.json", code=2)
    assert "not believed: rollback: it is number 1, made at 2026-11-28T12:00:00Z, and number 2 of" in found.stderr
    assert Path("seen.json").read_bytes() == second
    assert verify().exit_code == 0  # nobody can tell without
    # the same list in another layout is the same list; another one of that number is not
    Path("r.json").write_bytes(second + b"\n")
    verify("--seen", "seen.json", code=1)
    forged = RevocationsV1(Tool("t", "1", "0" * 64), "/vision", 2, "2026-11-28T12:00:00Z", "2026-12-05T12:00:00Z")
    gate = ResourceDescriptor("example.com/gate", {"sha256": live.key.public.hint})
    Path("r.json").write_bytes(to_line(sign_statement(Statement(gate, forged), live.key)))
    assert "fork: another list of number 2 was seen" in verify("--seen", "seen.json", code=2).stderr
    # what was kept is held to the key, too, and is not replaced
    Path("seen.json").write_text("")
    assert "malformed: seen.json" in verify("--seen", "seen.json", code=2).stderr
    assert Path("seen.json").read_bytes() == b""


def test_a_list_is_for_its_project_and_names_each_commit_once(live: Live, hub: Path) -> None:
    put(hub, "org/tiny", COMMIT)
    fetch(live)
    verify("--project", "/vision")
    assert "mismatch: it is for the project /vision, and not for /text" in verify("--project", "/text", code=2).stderr
    row = Revoked("model", "org/tiny", COMMIT, "/", "a", "2026-11-28T12:00:00Z", "r", "0" * 64, "2026-11-30T00:00:00Z")
    gate = ResourceDescriptor("g", {"sha256": live.key.public.hint})

    def write(*rows: Revoked) -> None:
        said = RevocationsV1(Tool("t", "1", "0" * 64), "/", 1, "2026-11-28T12:00:00Z", "2026-12-05T12:00:00Z", rows)
        Path("r.json").write_bytes(to_line(sign_statement(Statement(gate, said), live.key)))

    write(row, row)
    assert "names a commit twice" in verify(code=2).stderr
    write(row)
    assert verify().exit_code == 0  # an approval stands in its way for two days
    assert "revoked" in verify(at=live.now + 2 * DAY, code=1).stdout


def test_an_earlier_list_is_replaced_and_nothing_else(live: Live, place: Path) -> None:
    fetch(live)
    decide(live, 1, "revocation", "reject")
    said = fetch(live, "--proof", "r.proof", code=1).stdout
    assert "it was not verified who signed it" in said
    assert "not in the log of the gate yet" in said
    assert not Path("r.proof").exists()
    live.publish_lists("/vision")
    fetch(live, "--proof", "r.proof", "--key", "gate.pub")
    assert "verified: r.json: entry 1 of example.com/gate" in run("log", "verify", "r.json", "--proof", "r.proof", "--key", "gate.pub").stdout  # fmt: skip
    kept = Path("r.json").read_bytes()
    with live.database.writing() as connection:  # the gate was restored from a backup
        from openvet.store.revocations import KeptList, keep_list

        keep_list(connection, "/vision", KeptList())
    value = json.loads(fetch(live, "--format", "json", code=1).stdout)
    assert value["unverified"]["reason"] == "rollback"
    assert Path("r.json").read_bytes() == kept
    Path("notes.txt").write_text("mine")
    assert "exists; --force replaces it" in fetch(live, name="notes.txt", code=2).stderr
    assert Path("notes.txt").read_text() == "mine"
    fetch(live, "--force")
    assert Path("r.json").read_bytes() != kept
    Path("other.pub").write_bytes(generate("ed25519").public.pem)
    assert "not verified: wrong-key" in fetch(live, "--key", "other.pub", name="new.json", code=1).stdout
    assert not Path("new.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "--key", "k"), "--key and --seen belong to --revocations"),
        (("evict", "--seen", "k"), "--key and --seen belong to --revocations"),
        (("verify", "--revocations", "r"), "--revocations needs --key"),
        (("verify", "--revocations", "r", "--key", "k", "--server", "http://127.0.0.1:1"), "exclude each other"),
        (("evict", "org/a", "--revocations", "r", "--key", "k"), "and not both"),
    ],
)
def test_what_makes_no_sense(arguments: tuple[str, ...], said: str, hub: Path) -> None:
    assert said in run("cache", *arguments, code=2).stderr


def test_a_gate_that_gives_models_to_anybody_tells_them_how_they_stand(
    place: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    (place / "gate").mkdir()
    with running(place / "gate", anonymous=True) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.port}")
        run("cache", "verify", code=3)
        monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)  # of another hub: it is not sent
        run("cache", "verify", code=3)
        decide(server, 1, "revocation", "reject")
        assert "somebody on 2026-11-28 12:00: because" in run("cache", "verify", code=1).stdout
        assert "without a token" in run("cache", "verify", "--project", "/vision", code=2).stderr
        assert "list 1 of" in run("hub", "revocations", "--output", "r.json").stdout
        run("cache", "evict", "--yes")
        assert loads(repository, COMMIT) is None
        assert "token of another hub" in run("cache", "report", "--send", code=2).stderr


def test_a_gate_that_has_to_know_says_so(live: Live, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(hub, "org/tiny", COMMIT)
    monkeypatch.delenv("OPENVET_TOKEN")
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{live.port}")
    said: Any = run("cache", "verify", code=2)
    assert "the gate has to know who you are: set HF_TOKEN" in said.stderr
