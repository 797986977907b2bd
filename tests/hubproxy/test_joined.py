"""The whole server: a pull is stopped, becomes a request, is approved for a project, passes there and nowhere else, and is revoked."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openvet.cli import main
from openvet.evidence.log.proof import Proof, entry_for
from openvet.gate import credentials
from openvet.gate.answers import Repository
from openvet.gate.catalogue import Catalogue
from openvet.gate.gate import OpenGate
from openvet.gate.identity import People
from openvet.gate.opening import Place, open_gate, open_key
from openvet.gate.peopled import PeopledGate
from openvet.gate.requests import Requests
from openvet.gate.roles import Right, Role
from openvet.gate.settings import Settings
from openvet.hubproxy.api.app import make_api
from openvet.hubproxy.web.app import make_web
from openvet.store import people as rows
from openvet.store.uses import list_uses
from openvet.testing.forge import Call, Name, dump
from tests.hubproxy.running import Running

DAY = 24 * 3_600_000
#: Has the form of a token of ours, and is nobody's.
OTHER = "ovt_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb47fd49d4"
BAD = dump(Call(Name("os", "system"), ("echo forged",)))


class House:
    """A server with people in front of a folder."""

    def __init__(self, folder: Path, gate: OpenGate, *, anonymous: bool) -> None:
        self.gate = gate
        self.people = People(gate.database, gate.clock)
        self.people.begin()
        self.tokens: dict[str, str] = {}
        with gate.database.writing() as connection:
            for path in ("/vision", "/text"):
                rows.add_project(connection, path, path, 1)
        requests = Requests(gate.database, gate, gate.clock)
        catalogue = Catalogue(gate.database, str(folder / "data"), gate, gate.clock)
        self.server = Running(
            PeopledGate(gate, self.people, gate.database, gate.clock, anonymous=anonymous),
            hold=8.0,
            mounts={
                "/openvet/v1": make_api(
                    gate.database, self.people, requests, catalogue, gate.clock, anonymous=anonymous
                ),
                "/openvet": make_web(gate.database, self.people, requests, catalogue, gate.clock),
            },
        )

    def add(self, name: str, role: Role, project: str) -> None:
        made, _ = self.people.add(name, name)
        with self.gate.database.writing() as connection:
            rows.give_role(connection, made.id, project, role, "test", 1)
        rights = [Right.SEE, Right.PULL, Right.ASK, Right.VET, Right.DECIDE]
        self.tokens[name] = self.people.add_token(made, "t", project, rights, 9)[0].text

    def api(self, method: str, path: str, who: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        status, _, found = self.server.ask(method, f"/openvet/v1{path}", headers, data)
        return status, json.loads(found) if found else None

    def pull(self, name: str, file: str, who: str = "", revision: str = "main") -> tuple[int, dict[str, str], bytes]:
        headers = {"User-Agent": "unknown/None; hf_hub/2.4.0; python/3.11.7"}
        if who:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        return self.server.ask("GET", f"/{name}/resolve/{revision}/{file}", headers)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(credentials, "_MEMORY", 64)
    for name, data in {"org/good": dump({"weights": [1.0]}), "org/bad": BAD}.items():
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.pkl").write_bytes(data)
    gate = open_gate(str(tmp_path / "data"), [Place(folder=str(tmp_path / "models"))], Settings(packs=()))
    made = House(tmp_path, gate, anonymous=False)
    with made.server:
        yield made
    gate.close()


def test_whoever_writes_the_address_by_hand_arrives(house: House) -> None:
    status, headers, _ = house.server.ask("GET", "/openvet")
    assert (status, headers["location"]) == (303, "/openvet/")
    assert f"{house.server.url}/openvet/\n" in house.server.ask("GET", "/")[2].decode()


def test_a_refusal_names_the_request_and_no_folder_of_the_server(house: House, tmp_path: Path) -> None:
    house.add("sam", Role.SUBMITTER, "/vision")
    status, headers, _ = house.pull("org/bad", "model.pkl", "sam")
    assert status == 403
    assert headers["x-error-message"].endswith(f". See {house.server.url}/openvet/requests/1")
    status, headers, body = house.pull("org/none", "model.pkl", "sam")
    assert (status, headers["x-error-message"]) == (404, "org/none is not among the models of this gate")
    assert str(tmp_path).encode() not in body


def test_from_a_stopped_pull_to_a_pull_and_a_revocation(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    house.add("tom", Role.SUBMITTER, "/text")
    house.add("abe", Role.APPROVER, "/vision")
    house.add("bea", Role.APPROVER, "/")
    assert house.pull("org/good", "model.pkl", "ann")[0] == 200
    status, headers, _ = house.pull("org/bad", "model.pkl", "ann")
    assert (status, headers["x-error-code"]) == (403, "GatedRepo")
    assert "pickle/" in headers["x-error-message"]
    commit = headers["x-repo-commit"]
    number = int(headers["x-error-message"].rpartition("/openvet/requests/")[2])
    for _ in range(3):
        assert house.pull("org/bad", "config.json", "ann")[0] == 403  # counted once: it is one attempt
    status, found = house.api("GET", f"/requests/{number}", "ann")
    assert (status, found["request"]["state"], found["request"]["blocks"], found["exception"]) == (
        200,
        "blocked",
        1,
        True,
    )
    assert (found["request"]["name"], found["request"]["asker"], found["request"]["project"]) == (
        "org/bad",
        "ann",
        "/vision",
    )
    assert "hf_hub/2.4.0" in found["request"]["agent"]
    asked = {"name": "org/bad", "commit": commit, "purpose": "to study it"}
    assert house.api("POST", "/requests", "ann", asked)[1]["id"] == number
    until = house.gate.clock() + DAY
    approval = {"reason": "in isolation", "until": until}
    assert house.api("POST", f"/requests/{number}/approvals", "abe", approval)[1]["missing"] == 1
    assert house.pull("org/bad", "model.pkl", "ann")[0] == 403
    assert house.api("POST", f"/requests/{number}/approvals", "bea", approval)[1]["state"] == "approved"
    status, _, body = house.pull("org/bad", "model.pkl", "ann")
    assert (status, body) == (200, BAD)
    assert house.pull("org/bad", "model.pkl", "tom")[0] == 403  # approved for another project
    house.gate.revoke(Repository("model", "org/bad"), commit, by="bea", reason="the study is over", project="/")
    status, headers, _ = house.pull("org/bad", "model.pkl", "ann")
    assert (status, headers["x-error-code"]) == (404, "RevisionNotFound")
    assert "the study is over" in headers["x-error-message"]


def test_by_command_from_a_model_that_nobody_pulled(house: House, tmp_path: Path) -> None:
    """``openvet hub`` through the door: the gate learns the model when it is asked for, and everything that is decided can be proven."""
    house.add("ann", Role.SUBMITTER, "/vision")
    house.add("abe", Role.APPROVER, "/vision")
    house.add("bea", Role.APPROVER, "/")

    def hub(who: str, *arguments: str, code: int = 0) -> Any:
        environment = {"HF_ENDPOINT": house.server.url, "HF_TOKEN": house.tokens[who]}
        found = CliRunner().invoke(main, ["hub", *arguments, "--format", "json"], env=environment)
        assert found.exit_code == code, found.output
        return json.loads(found.stdout)

    asked = hub("ann", "request", "org/bad", "--purpose", "to study it")["request"]
    number, name = str(asked["id"]), f"org/bad@{asked['commit'][:9]}"
    assert (asked["project"], asked["state"]) == ("/vision", "asked")
    until = time.monotonic() + 60
    while True:
        shown = CliRunner().invoke(
            main,
            ["hub", "status", name, "--format", "json"],
            env={"HF_ENDPOINT": house.server.url, "HF_TOKEN": house.tokens["ann"]},
        )
        if shown.exit_code == 1:
            break
        assert (shown.exit_code, time.monotonic() < until) == (3, True)
        time.sleep(0.1)
    status = json.loads(shown.stdout)["status"]
    assert status["revision"]["verdict"] == "reject"
    assert any(each.startswith("pickle/") for each in status["rules"])
    assert status["revision"]["critical"] + status["revision"]["high"] > 0
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    for who, missing in (("abe", 1), ("bea", 0)):
        found = hub(who, "approve", number, "--reason", "in isolation", "--until", tomorrow)
        assert found["done"][0]["missing"] == missing
    assert house.pull("org/bad", "model.pkl", "ann")[2] == BAD
    assert hub("ann", "status", name)["status"]["revision"]["standing"] == "admitted"
    assert [each["person"] for each in hub("bea", "uses", "--search", "bad")["uses"]] == ["ann"]
    assert hub("abe", "revoke", name, "--reason", "over")["refused"] == []
    assert house.pull("org/bad", "model.pkl", "ann")[0] == 404
    # every decision is in the log, by a proof that needs nobody here to be believed
    until = time.monotonic() + 60
    while True:
        status_, rows_ = house.api("GET", "/decisions?search=bad", "ann")
        if all(each["published"] for each in rows_["items"]):
            break
        assert (status_, time.monotonic() < until) == (200, True)
        time.sleep(0.1)
    assert [(each["of"], each["project"]) for each in rows_["items"]] == [
        ("revocation", "/vision"),
        ("approval", "/vision"),
        ("policy", "/"),
    ]
    key = open_key(str(tmp_path / "data")).public
    for each in rows_["items"]:
        shown_ = house.api("GET", f"/decisions/{each['id']}", "ann")[1]
        Proof.parse(shown_["log"]["proof"].encode()).verify(entry_for(shown_["statement"].encode()), key)
    status_, report = house.api("GET", f"/revisions/{status['revision']['id']}/report", "ann")
    assert (status_, report["models"][0]["decision"]["verdict"]) == (200, "reject")


def test_without_a_token_nobody_pulls(house: House) -> None:
    for headers in ({}, {"Authorization": "Bearer hf_" + "a" * 34}, {"Authorization": "Bearer ovt_" + "a" * 40}):
        status, found, _ = house.server.ask("GET", "/org/good/resolve/main/config.json", headers)
        assert status == 401
        assert "HF_TOKEN" in found["x-error-message"] or "token" in found["x-error-message"]
        assert "a" * 20 not in found["x-error-message"]
    house.add("viv", Role.VIEWER, "/text")
    status, found, _ = house.pull("org/good", "config.json", "viv")
    assert (status, "viv may not pull in the project /text" in found["x-error-message"]) == (401, True)


def test_who_is_asked_and_answered(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    headers = {"Authorization": f"Bearer {house.tokens['ann']}"}
    status, _, body = house.server.ask("GET", "/api/whoami-v2", headers)
    assert (status, json.loads(body)["name"]) == (200, "ann")
    assert house.server.ask("GET", "/api/whoami-v2")[0] == 401


def test_a_token_that_was_revoked_counts_a_second_longer_at_most(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    assert house.pull("org/good", "config.json", "ann")[0] == 200
    with house.gate.database.writing() as connection:
        token = rows.list_tokens(connection)[0]
        assert rows.revoke_token(connection, token.id, house.gate.clock())
    until = time.monotonic() + 10
    while house.pull("org/good", "config.json", "ann")[0] == 200:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_revocation_is_on_the_list_which_is_in_the_log(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    house.add("bea", Role.APPROVER, "/")
    _, headers, _ = house.pull("org/good", "model.pkl", "ann")
    assert house.api("GET", "/revocations", "ann")[1]["count"] == 0
    (row,) = house.api("GET", "/revisions?name=org/good", "ann")[1]["items"]
    assert house.api("POST", "/revocations", "bea", {"revisions": [row["id"]], "reason": "a backdoor"})[0] == 200
    for _ in range(200):
        status, found = house.api("GET", "/revocations", "ann")
        if found["log"] is not None:
            break
        time.sleep(0.05)
    assert (status, found["count"], found["number"]) == (200, 1, 2)
    (said,) = json.loads(base64.b64decode(json.loads(found["statement"])["dsseEnvelope"]["payload"]))["predicate"][
        "revoked"
    ]
    assert (said["commit"], said["reason"], said["project"]) == (headers["x-repo-commit"], "a backdoor", "/")


def test_a_pull_is_somebodys(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    house.pull("org/good", "config.json", "ann")
    time.sleep(0.2)
    from sqlalchemy import select

    from openvet.store.tables import PULL

    with house.gate.database.reading() as connection:
        found = connection.execute(select(PULL.c.path, PULL.c.person, PULL.c.project)).all()
        ann = rows.find_person(connection, "ann")
    assert ann is not None
    assert [tuple(each) for each in found] == [("config.json", ann.id, "/vision")]


def test_bodies_of_more_than_a_megabyte_are_refused(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    headers = {"Authorization": f"Bearer {house.tokens['ann']}", "Content-Type": "application/json"}
    assert house.server.ask("POST", "/openvet/v1/requests", headers, b" " * (1 << 21))[0] == 413


def test_no_token_is_in_the_notes(house: House) -> None:
    house.add("ann", Role.SUBMITTER, "/vision")
    house.pull("org/good", "config.json", "ann")
    from openvet.hubproxy.seen import as_json, as_text

    note = house.server.noted()
    assert house.tokens["ann"] not in as_json(note) + as_text(note) + repr(note)


def test_a_token_of_another_hub_is_no_obstacle_where_nobody_has_to_be_known(house: House) -> None:
    people = house.people
    open_to_all = PeopledGate(house.gate, people, house.gate.database, house.gate.clock, anonymous=True)
    with Running(open_to_all, hold=8.0) as server:
        for headers, status in (
            ({}, 200),
            ({"Authorization": "Bearer hf_" + "a" * 34}, 200),
            ({"Authorization": "Bearer " + OTHER}, 401),
        ):
            assert server.ask("GET", "/org/good/resolve/main/config.json", headers)[0] == status
    time.sleep(0.2)
    with house.gate.database.reading() as connection:  # nobody that is known, in the root
        assert [(each.person, each.project) for each in list_uses(connection)] == [("", "/")]
