"""``openvet hub`` against a server: what people type, what they read, how it ends; and no token anywhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.hubproxy.api.conftest import COMMIT, Live, running

from openvet.cli import main
from openvet.gate.roles import Role
from openvet.store.bases import Base, note_bases
from openvet.store.pulls import add_pull
from openvet.store.revisions import add_revision, note_ref

LISTED: list[str] = []


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    for name in ("OPENVET_SERVER", "OPENVET_TOKEN", "HF_ENDPOINT", "HF_TOKEN", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    LISTED.clear()

    def listed(request: Request) -> Response:
        """As the door for clients of a hub does: the gate learns the commit, and refuses it."""
        LISTED.append(request.url.path)
        name = request.path_params["name"]
        if name == "org/absent":
            return Response(status_code=404, headers={"X-Error-Message": "org/absent is not there"})
        with server.database.writing() as connection:
            add_revision(connection, "model", name, "d" * 40, "up", "{}", [], 1)
        return Response(status_code=403)

    with running(tmp_path, [Route("/api/models/{name:path}/revision/{revision}", listed)]) as server:
        with server.database.writing() as connection:
            note_ref(connection, 1, "main", 1)
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.port}/")
        yield server


def run(live: Live, who: str, *arguments: str, code: int = 0) -> Result:
    found = CliRunner().invoke(main, ["hub", *arguments], env={"HF_TOKEN": live.tokens[who], "COLUMNS": "100"})
    assert found.exit_code == code, (arguments, found.output)
    assert live.tokens[who] not in found.output
    assert live.tokens[who][4:20] not in found.output
    return found


def value(live: Live, who: str, *arguments: str, code: int = 0) -> Any:
    return json.loads(run(live, who, *arguments, "--format", "json", code=code).stdout)


def policy(live: Live, outcome: str) -> None:
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", outcome, reason="It runs a program", by="policy")


def test_from_a_refusal_to_an_approval(live: Live) -> None:
    policy(live, "review")
    refused = run(live, "submitter", "status", "org/tiny", code=1).stdout
    assert "standing    refused in /vision" in refused
    assert "why         It runs a program" in refused
    assert f'next        take another revision, or ask: openvet hub request org/tiny@{COMMIT[:8]} --purpose "..."' in refused  # fmt: skip
    made = run(live, "submitter", "request", f"org/tiny@{COMMIT[:8]}", "--purpose", "Reads invoices", "--project", "/vision", "--until", "2026-12-31")  # fmt: skip
    number = re.match(r"request (\d+): org/tiny@cccccccc for /vision", made.stdout)
    assert number is not None
    listed = run(live, "approver", "requests", "--state", "asked").stdout
    assert listed.splitlines()[1].split()[:5] == [number[1], "asked", "org/tiny@cccccccc", "/vision", "submitter"]
    assert "says for" in run(live, "reviewer", "comment", number[1], "Looks right", "--for").stdout
    page = run(live, "submitter", "show", number[1]).stdout
    assert "for         reviewer on" in page
    assert "Looks right" in page
    assert "wanted      until 2026-12-31" in page
    assert f"1 more to approve: openvet hub approve {number[1]}" in page
    said = run(live, "approver", "approve", number[1], "--reason", "Read it", "--until", "2027-01-31").stdout
    assert said == f"request {number[1]}: approved\n"
    admitted = run(live, "submitter", "status", "org/tiny").stdout
    assert "decided by  approver (approval" in admitted
    assert f"hf download org/tiny --revision {COMMIT}" in admitted
    again = run(live, "approver", "approve", number[1], "999", "--reason", "x", code=1).stdout
    assert [line.partition(": ")[2].partition(":")[0] for line in again.splitlines()] == ["not done", "not done"]
    said = run(live, "approver", "revoke", f"org/tiny@{COMMIT[:9]}", "--reason", "A backdoor").stdout
    assert said == "org/tiny@cccccccc: revoked\n"
    assert "take another revision; openvet cache evict" in run(live, "submitter", "status", "org/tiny", code=1).stdout


def test_an_exception_takes_two_and_a_day(live: Live) -> None:
    policy(live, "reject")
    live.add("second", (Role.APPROVER, "/vision"))
    number = str(value(live, "submitter", "request", "org/tiny", "--purpose", "x", "--project", "/vision")["request"]["id"])  # fmt: skip
    assert "say until which day" in run(live, "approver", "approve", number, "--reason", "x", code=1).stdout
    first = run(live, "approver", "approve", number, "--reason", "x", "--until", "2026-12-31").stdout
    assert first == f"request {number}: heard; 1 more to approve\n"
    assert "exception   policy rejects it: 2 people have to approve" in run(live, "second", "show", number).stdout
    found = value(live, "second", "approve", number, "--reason", "y", "--until", "2026-12-24")
    assert (found["done"][0]["state"], found["refused"]) == ("approved", [])


def test_what_the_gate_does_not_know_it_asks_for(live: Live) -> None:
    assert value(live, "submitter", "request", "org/new", "--purpose", "x", "--project", "/vision")["request"]["commit"] == "d" * 40  # fmt: skip
    assert LISTED == ["/api/models/org/new/revision/main"]
    run(live, "submitter", "status", "org/new@dddddddd", code=3)
    assert len(LISTED) == 1
    assert "org/absent is not there" in run(live, "submitter", "status", "org/absent", code=2).stderr


def test_declined_withdrawn_and_vetted(live: Live) -> None:
    numbers = []
    for _ in range(2):
        made = value(live, "submitter", "request", "org/tiny", "--purpose", "x", "--project", "/vision")
        numbers.append(str(made["request"]["id"]))
        if len(numbers) == 1:
            assert run(live, "submitter", "withdraw", numbers[0]).stdout == f"request {numbers[0]}: withdrawn\n"
    assert run(live, "approver", "decline", numbers[1], "--reason", "no").stdout == f"request {numbers[1]}: declined\n"
    assert "org/tiny@cccccccc: is vetted" in run(live, "submitter", "vet", "org/tiny").stdout
    assert "write the commit" in run(live, "approver", "revoke", "org/tiny@main", "--reason", "x", code=2).stderr


def test_what_lies_in_caches(live: Live) -> None:
    row = {
        "kind": "model",
        "name": "org/tiny",
        "commit": COMMIT,
        "files": 1,
        "bytes": 2,
        "refs": ["main"],
        "last_used": 0,
    }
    sent = {"machine": "desk\u202e", "report": "0" * 32, "found": [row, {**row, "name": "org/other"}]}
    assert live.ask("POST", "/openvet/v1/caches", sent, as_="submitter").status == 200
    head, *lines = run(live, "viewer", "caches").stdout.splitlines()
    assert head.split() == ["standing", "model", "person", "machine", "told", "last", "used"]
    assert [each.split()[:4] for each in lines] == [
        ["unknown", "org/other@cccccccc", "submitter", "desk\\u202e"],
        ["open", "org/tiny@cccccccc", "submitter", "desk\\u202e"],
    ]
    assert [each["name"] for each in value(live, "viewer", "caches", "--standing", "unknown")["caches"]] == [
        "org/other"
    ]
    assert run(live, "viewer", "caches", "--standing", "revoked").stdout == "there is none\n"
    assert value(live, "viewer", "status", "org/tiny", code=3)["status"]["caches"][0]["person"] == "submitter"


def test_models_and_who_had_them(live: Live) -> None:
    policy(live, "admit")
    with live.database.writing() as connection:
        add_revision(connection, "dataset", "org/data", "e" * 40, "up", "{}", [], 1)
        add_pull(connection, 1, "a", "0" * 64, None, "torch/2.5.1; hf_hub/2.4.0", "", 10, live.now)
    lines = run(live, "root", "models").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["open", "datasets/org/data@eeeeeeee"], ["admitted", "org/tiny@cccccccc"]]  # fmt: skip
    assert len(value(live, "root", "models", "--standing", "admitted", "--search", "TINY")["models"]) == 1
    assert len(value(live, "root", "models", "--limit", "1")["models"]) == 1
    assert run(live, "root", "models", "--search", "zzz").stdout == "there is no such model\n"
    (row,) = run(live, "root", "uses", "--client", "torch/2.5").stdout.splitlines()[1:]
    assert row.split()[0:4] == ["unknown", "unknown", "org/tiny@cccccccc", "1"]
    assert "torch 2.5.1" in row
    with live.database.writing() as connection:
        add_pull(connection, 1, "a", "0" * 64, None, "hf_hub/2.4.0", "", 10, live.now, "/vision/ocr")
    (row,) = run(live, "root", "uses", "--project", "/vision").stdout.splitlines()[1:]
    assert row.split()[0:3] == ["unknown", "/vision/ocr", "org/tiny@cccccccc"]
    rows = [line.split()[:4] for line in run(live, "root", "uses", "--by-project").stdout.splitlines()[1:]]
    assert rows == [
        ["/", "1", "0", "1"],
        ["/vision", "1", "0", "1"],
        ["/vision/ocr", "1", "0", "1"],
        ["unknown", "1", "0", "1"],
    ]
    assert run(live, "root", "uses", "--by-project", "--project", "/text").stdout == "nothing was pulled\n"


def test_what_is_built_on_what(live: Live) -> None:
    with live.database.writing() as connection:
        base = add_revision(connection, "model", "org/base", "b" * 40, "up", "{}", [], 1)
        tuned = add_revision(connection, "model", "org/tuned\u202e", "d" * 40, "up", "{}", [], 1)
        note_bases(connection, 1, [Base("model", "Org/Base", "", ("finetune",), "consistent"), Base("model", "\x1b[31m/home/x", "", ("loaded-from",))])  # fmt: skip
        note_bases(connection, tuned, [Base("model", "org/tiny", "", ("quantized",))])
    policy(live, "admit")
    head, *lines = run(live, "viewer", "lineage").stdout.splitlines()
    assert head.split() == ["standing", "base", "models", "admitted", "licence", "revoked", "advisories"]
    assert [each.split()[:4] for each in lines] == [
        ["unknown", "\\x1b[31m/home/x", "1", "1"], ["open", "org/base", "1", "1"], ["admitted", "org/tiny", "1", "0"],
    ]  # fmt: skip
    assert run(live, "viewer", "lineage", "--troubled").stdout == "there is no such base\n"
    page = run(live, "viewer", "lineage", "org/BASE").stdout
    assert "\u202e" not in page
    built, _, made = page.partition("\n\n")
    assert [each.split()[:2] for each in built.splitlines()[2:]] == [["admitted", "org/tiny@cccccccc"], ["open", "org/tuned\\u202e@dddddddd"]]  # fmt: skip
    assert "weights: consistent" in built
    assert "quantized of org/tiny" in built
    assert made.splitlines()[1] == "nothing that is known"
    found = value(live, "viewer", "lineage", "org/tiny")
    assert [each["base"] for each in found["made"]] == ["Org/Base", "\\x1b[31m/home/x"]
    assert found["made"][0]["base_revision"] == base
    assert "leave MODEL out" in run(live, "viewer", "lineage", "org/tiny", "--troubled", code=2).stderr
    said = run(live, "approver", "revoke", "org/base@bbbbbbbb", "--reason", "A backdoor").stdout.splitlines()
    assert said == [
        "org/base@bbbbbbbb: revoked",
        "org/tiny@cccccccc: rests on it by Org/Base (tested), and stays admitted",
        "org/tuned\\u202e@dddddddd: rests on it by org/tiny (declared), and stays open",
    ]
    (row,) = run(live, "viewer", "lineage", "--troubled").stdout.splitlines()[1:]
    assert row.split() == ["revoked", "org/base", "1", "1", "1"]


def test_people_projects_roles_and_tokens(live: Live) -> None:
    made = run(live, "root", "people", "add", "zoe", "--title", "Zoe").stdout
    link = re.search(r"http://127\.0\.0\.1:\d+/openvet/welcome\?invitation=([\w-]+)", made)
    assert link is not None
    assert live.people.invited(link[1]) is not None
    assert "/openvet/welcome?invitation=" in run(live, "root", "people", "invite", "zoe").stdout
    run(live, "root", "projects", "add", "/audio", "--title", "Sound")
    run(live, "root", "roles", "give", "zoe", "reviewer", "--project", "/audio")
    assert [row["name"] for row in value(live, "root", "roles", "list", "--project", "/audio")["roles"] if row["project"] == "/audio"] == ["zoe"]  # fmt: skip
    run(live, "root", "roles", "take", "zoe", "reviewer", "--project", "/audio")
    run(live, "root", "people", "disable", "zoe")
    assert any(each["name"] == "zoe" and each["disabled"] for each in value(live, "root", "people", "list")["people"])
    run(live, "root", "people", "enable", "zoe")
    assert "/audio" in run(live, "root", "projects", "list").stdout
    (token,) = value(live, "viewer", "tokens", "list")["tokens"]
    assert run(live, "viewer", "tokens", "revoke", str(token["id"])).stdout == f"token {token['id']} is revoked\n"
    assert "was revoked" in run(live, "viewer", "tokens", "list", code=2).stderr
    assert "may not administer" in run(live, "approver", "people", "list", code=2).stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HF_ENDPOINT": ""}, "which gate?"),
        ({"HF_ENDPOINT": "ftp://x"}, "no address of a gate"),
        ({"HF_TOKEN": ""}, "who you are"),
        ({"HF_TOKEN": "hf_" + "a" * 34}, "a token of another hub, and is not sent"),
        ({"HF_TOKEN": "ovt_a\r\nX: y"}, "no token of a gate"),
        ({"OPENVET_TOKEN": "ovt_" + "a" * 40}, "no token of this server"),
        ({"OPENVET_SERVER": "http://127.0.0.1:1"}, "no answer in"),
    ],
)
def test_where_and_who(live: Live, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: str) -> None:
    monkeypatch.setattr("openvet.io.http._wait", lambda *_: 0.0)
    found = CliRunner().invoke(main, ["hub", "requests"], env={"HF_TOKEN": live.tokens["viewer"], **environment})
    assert found.exit_code == 2
    assert said in found.stderr
    assert "a" * 30 not in found.output


def test_what_the_gate_says_does_not_steer_a_terminal(live: Live) -> None:
    with live.database.writing() as connection:
        number = add_revision(connection, "model", "org/x", "f" * 40, "up", "{}", [], 1)
        live.decide(connection, number, "policy", "reject", reason="\x1b]0;owned\x07\u202eevil", by="policy")
    text = run(live, "viewer", "status", "org/x@ffffffff", code=1).stdout
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_examples_of_the_help_make_sense(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    policy(live, "review")
    with live.database.writing() as connection:
        add_revision(connection, "model", "org/model", "3f2a9c1d" + "0" * 32, "up", "{}", [], 1)
    block = re.search(r"Examples:\n((?:    .*\n)+)", CliRunner().invoke(main, ["hub", "--help"]).stdout)
    assert block is not None
    codes = {}
    for line in block[1].splitlines():
        words = shlex.split(line)[2:]
        found = CliRunner().invoke(main, ["hub", *words], env={"HF_TOKEN": live.tokens["root"]})
        assert "Usage" not in found.output
        assert "see `openvet" not in found.output
        codes[words[0]] = found.exit_code
    # there is no request of these numbers, which each of them is told
    expected = {"status": 3, "request": 0, "requests": 0, "show": 2, "approve": 1, "decline": 1, "revoke": 0, "models": 0, "timeline": 0, "caches": 0, "revocations": 0, "lineage": 0, "people": 0, "roles": 0}  # fmt: skip
    assert codes == expected


def test_what_happened_to_a_model(live: Live) -> None:
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", "review", reason="needs\na review", by="policy")
        live.decide(
            connection, 1, "approval", "admit", reason="read it", by="zoe", project="/vision", conditions="only offline"
        )
    lines = run(live, "viewer", "timeline", "org/tiny").stdout.splitlines()
    assert lines[0].split() == ["when", "kind", "what", "by", "project", "decision", "text"]
    assert re.search(
        r"^2026-11-28 12:00 +approval +admit +zoe +/vision +2 +read it \[on condition: only offline\]$", lines[1]
    )
    assert [each.split()[2] for each in lines[2:]] == ["policy", "listed", "listed"]
    found = value(live, "viewer", "timeline", "org/tiny", "--kind", "approval", "--by", "zo", "--since", "2026-11-28")
    assert [(each["kind"], each["conditions"]) for each in found["timeline"]] == [("approval", "only offline")]
    assert run(live, "viewer", "timeline", "org/tiny", "--since", "2026-11-29").stdout == "nothing like that happened\n"
    assert "is no day" in run(live, "viewer", "timeline", "org/tiny", "--since", "today", code=2).stderr
