"""``openvet cache`` beside a gate: what people type, what they read, how it ends."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.hubproxy.api.conftest import COMMIT, Live, running
from tests.origins.cached import LARGE, SECOND, SMALL, blob_name, loads, put

from openvet.cli import cache as command
from openvet.cli import main


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    for name in ("OPENVET_SERVER", "OPENVET_TOKEN", "HF_TOKEN", "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "NO_COLOR", "FORCE_COLOR"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "gate").mkdir()
    with running(tmp_path / "gate") as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("HF_TOKEN", server.tokens["submitter"])
        yield server


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The cache that a client has where nothing is said."""
    place = tmp_path / "home" / ".cache" / "huggingface" / "hub"
    place.mkdir(parents=True)
    return place


def run(*arguments: str, code: int = 0, **more: Any) -> Result:
    found = CliRunner().invoke(main, ["cache", *arguments], env={"COLUMNS": "120"}, **more)
    assert found.exit_code == code, (arguments, found.output)
    return found


def decide(live: Live, kind: str, outcome: str) -> None:
    with live.database.writing() as connection:
        live.decide(connection, 1, kind, outcome, reason="A backdoor", by="zoe", project="/vision")


def test_from_a_report_to_an_eviction(live: Live, hub: Path) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    put(hub, "org/tiny", SECOND, {"config.json": SMALL, "b.safetensors": b"b"}, refs=["v2"])
    listed = run("report").stdout
    assert f"{hub}: 2 revisions, " in listed
    assert [line.split()[:2] for line in listed.splitlines()[2:]] == [["org/tiny@cccccccc", "2"], ["org/tiny@dddddddd", "2"]]  # fmt: skip
    assert live.ask("GET", "/cached", as_="viewer").json["items"] == []
    assert "knows 2 revisions on desk" in run("report", "--send", "--machine", "desk").stdout
    told = live.ask("GET", "/cached", as_="viewer").json["items"]
    assert sorted((each["machine"], each["commit"][0], each["files"], each["refs"][0]) for each in told) == [("desk", "c", 2, "main"), ("desk", "d", 2, "v2")]  # fmt: skip

    assert "never vetted" in run("verify", code=3).stdout
    decide(live, "approval", "admit")
    rows = [line.split()[:5] for line in run("verify", code=3).stdout.splitlines()[1:]]
    assert rows == [
        ["unknown", "2", "fine", "org/tiny@dddddddd", "never"],
        ["admitted", "2", "fine", "org/tiny@cccccccc"],
    ]
    assert run("evict", "--yes").stdout == "there is nothing to remove\n"

    decide(live, "revocation", "reject")
    said = run("verify", "--no-hash", code=1).stdout
    assert re.search(
        r"^revoked +2 +org/tiny@cccccccc  zoe on \d{4}-\d\d-\d\d \d\d:\d\d: A backdoor$", said, re.MULTILINE
    )
    assert "next: openvet cache evict removes" in said
    assert "was revoked by zoe: A backdoor" in run("evict", "--dry-run").stdout
    assert "there is no terminal to ask at" in run("evict", code=2).stderr
    assert loads(repository, COMMIT) is not None
    done = run("evict", "--yes").stdout
    assert done == f"org/tiny@cccccccc: removed, {len(LARGE)} bytes freed; 1 blob kept for other revisions\n"
    assert loads(repository, COMMIT) is None
    assert loads(repository, SECOND) is not None
    run("report", "--send", "--machine", "desk")
    assert [each["commit"] for each in live.ask("GET", "/cached", as_="viewer").json["items"]] == [SECOND]


def test_all_fine_is_zero(live: Live, hub: Path) -> None:
    put(hub, "org/tiny", COMMIT)
    decide(live, "policy", "admit")
    run("verify")
    run("verify", "--project", "/vision", "--jobs", "1")
    assert "may not see" in run("verify", "--project", "/text", code=2).stderr


def test_what_is_corrupt_is_named(live: Live, hub: Path) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    (repository / "blobs" / blob_name("", SMALL)).write_bytes(b"[]")
    said = run("verify", "--no-gate", code=1).stdout
    assert "not asked  1 CORRUPT  org/tiny@cccccccc" in said
    assert "  config.json: is called " in said
    assert "openvet cache evict MODEL@COMMIT" in said
    found = json.loads(run("verify", "--no-gate", "--format", "json", code=1).stdout)["verified"]
    assert (found["server"], found["caches"][0]["repositories"][0]["revisions"][0]["gate"]) == (None, None)


def test_a_gate_that_is_away_leaves_everything(live: Live, hub: Path) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    live.stop()
    found = run("verify", code=2)
    assert "not asked  2 fine  org/tiny@cccccccc" in found.stdout
    assert "the gate was not asked" in found.stderr
    run("evict", "--yes", code=2)
    run("report", "--send", code=2)
    assert loads(repository, COMMIT) is not None
    # what is named needs no gate
    run("evict", "--yes", "org/tiny@main")
    assert loads(repository, COMMIT) is None


def test_whoever_sits_there_is_asked(live: Live, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "is_terminal", lambda _: True)
    repository = put(hub, "org/tiny", COMMIT)
    found = run("evict", "org/tiny", code=2, input="n\n")
    assert "nothing was removed" in found.stderr
    assert "Remove 1 of them for good? [y/N]" in found.stderr
    assert loads(repository, COMMIT) is not None
    run("evict", "org/tiny", input="y\n")
    assert not repository.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report",), "there is no cache at"),
        (("report", "--cache", "/nothing/here"), "--cache DIR names another"),
        (("verify", "--no-hash", "--no-gate"), "leave nothing to check"),
        (("evict", "a/b/c"), "is no name of a model"),
        (("report", "--machine", ""), "--machine has to be"),
    ],
)
def test_what_makes_no_sense(arguments: tuple[str, ...], said: str, live: Live) -> None:
    assert said in run(*arguments, code=2).stderr


@pytest.mark.parametrize("name", ["report", "verify"])
def test_which_gate_is_said_as_for_hub(name: str, hub: Path, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    put(hub, "org/tiny", COMMIT)
    assert "the gate has to know who you are" in run(*([name, "--send"] if name == "report" else [name]), code=2).stderr


def test_names_of_strangers_steer_no_terminal(hub: Path, live: Live) -> None:
    repository = put(hub, "org/tiny", COMMIT)
    (repository / "snapshots" / COMMIT / "\x1b[2J\u202e").symlink_to("/etc/\x1b[31mhosts")
    (hub / "models--\x1b]0;x\x07").mkdir()
    (repository / "refs" / "a\x1bb").write_text(COMMIT)
    for arguments, code in ((("report",), 0), (("verify", "--no-gate"), 3), (("report", "--format", "json"), 0), (("evict", "org/tiny", "--dry-run"), 0)):  # fmt: skip
        found = run(*arguments, code=code)
        assert "\x1b" not in found.output
        assert "\u202e" not in found.output


def test_examples_of_the_help_make_sense(hub: Path, live: Live) -> None:
    put(hub, "org/model", "3f2a9c1d" + "0" * 32)
    text = CliRunner().invoke(main, ["cache", "--help"], env={"COLUMNS": "100"}).stdout
    block = re.search(r"Examples:\n((?:    .*\n)+)", text)
    assert block is not None
    codes = {}
    for line in block[1].splitlines():
        words = shlex.split(line)[2:]
        found = CliRunner().invoke(main, ["cache", *words])
        assert "Usage" not in found.output
        codes[" ".join(words)] = found.exit_code
    assert codes == {
        "report": 0, "report --cache /srv/models --format json": 2, "report --send": 0, "verify": 3, "verify --no-gate": 0,
        "verify --revocations revocations.json --key gate.key.pub --seen seen.json": 2, "evict --dry-run": 0,
        "evict --yes": 0, "evict org/model@3f2a9c1d": 2,
    }  # fmt: skip
