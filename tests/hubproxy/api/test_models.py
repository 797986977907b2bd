"""Models, revisions, decisions, vettings, pulls and the log over the API; each is seen as far as somebody may see."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from openvet.evidence.log.proof import Proof, entry_for
from openvet.gate.roles import Right, Role
from openvet.store.database import Connection
from openvet.store.decisions import add_decision
from openvet.store.jobs import add_job
from openvet.store.models import Summary, note_summary
from openvet.store.pulls import add_pull
from openvet.store.revisions import FileRow, add_revision, note_ref
from openvet.store.tables import PERSON, REVISION
from openvet.store.vettings import end_vetting, note_progress, start_vetting
from openvet.workflows.bom import bill_of, document_of
from openvet.workflows.dossier import verify
from tests.gate.samples import model
from tests.hubproxy.api.conftest import COMMIT, Live, evidence

AGENT = "transformers/5.5.0; python/3.11.7; session_id/abc; torch/2.5.1; file_type/config; hf_hub/2.4.0"


def models(live: Live, query: str = "", who: str = "viewer") -> list[tuple[str, str]]:
    found = live.ask("GET", f"/models{query}", as_=who)
    assert found.status == 200, found.body
    return [(each["name"], each["standing"]) for each in found.json["items"]]


def more(live: Live, *names: str, kind: str = "model") -> list[int]:
    """More repositories, each with one commit."""
    with live.database.writing() as connection:
        return [
            add_revision(connection, kind, name, f"{at:040x}", "up", "{}", [FileRow("a", 1, "0" * 40)], at)
            for at, name in enumerate(names, 1)
        ]


def decide(live: Live, revision: int, kind: str, outcome: str, project: str = "/") -> int:
    with live.database.writing() as connection:
        return live.decide(connection, revision, kind, outcome, reason="because", by="somebody", project=project)


def test_what_people_decide_for_a_project_counts_there_and_below(live: Live) -> None:
    assert models(live) == [("org/tiny", "open")]
    decide(live, 1, "policy", "reject")
    assert models(live) == [("org/tiny", "refused")]
    decide(live, 1, "approval", "admit", "/vision/ocr")
    assert models(live) == [("org/tiny", "refused")]
    assert models(live, "?project=/vision/ocr") == [("org/tiny", "admitted")]
    assert models(live, "?project=/text", "root") == [("org/tiny", "refused")]
    assert live.ask("GET", "/models?project=/text", as_="viewer").status == 403
    decide(live, 1, "revocation", "reject", "/vision")
    assert models(live, "?project=/vision/ocr") == [("org/tiny", "revoked")]
    assert models(live, "?standing=revoked") == [("org/tiny", "revoked")]
    assert models(live, "?standing=revoked&project=/", "root") == []
    # who may not see the project does not see what was decided for it
    live.add("reader", (Role.VIEWER, "/text"))
    said = live.ask("GET", "/decisions", as_="reader").json["items"]
    assert [each["of"] for each in said] == ["policy"]
    assert [each["of"] for each in live.ask("GET", "/decisions", as_="viewer").json["items"]] == [
        "revocation",
        "approval",
        "policy",
    ]
    assert live.ask("GET", f"/decisions/{said[0]['id'] + 1}", as_="reader").status == 404
    assert live.ask("GET", "/revisions/1", as_="reader").json["timeline"] == said


def test_decisions_end(live: Live) -> None:
    with live.database.writing() as connection:
        add_decision(connection, 1, "all", "policy", "reject", "", "policy", 1, b"{}")
        add_decision(connection, 1, "all", "approval", "admit", "", "x", 2, b"{}", until=live.now + 10)
    assert models(live) == [("org/tiny", "admitted")]
    live.now += 10
    assert models(live) == [("org/tiny", "refused")]


def test_lists_are_searched_filtered_ordered_and_paged(live: Live) -> None:
    names = ["b/one", "a/one", "a/One%", "c/two"]
    first, *_ = numbers = more(live, *names)
    more(live, "a/one", kind="dataset")
    with live.database.writing() as connection:
        add_revision(connection, "model", "b/one", "f" * 40, "up", "{}", [], 5)
        note_summary_for(connection, numbers[1], "Apache-2.0", ("pickle/x",), ("CVE-2026-1",))
        note_summary_for(connection, numbers[3], "MIT", ("pickle/xy",), ())
    assert [name for name, _ in models(live)] == ["a/One%", "a/one", "a/one", "b/one", "c/two", "org/tiny"]
    assert [name for name, _ in models(live, "?search=ONE%25")] == ["a/One%"]
    assert [name for name, _ in models(live, "?kind=dataset")] == ["a/one"]
    assert [name for name, _ in models(live, "?license=apache")] == ["a/one"]
    assert [name for name, _ in models(live, "?rule=pickle/x")] == ["a/one"]
    assert [name for name, _ in models(live, "?advisory=CVE-2026-1")] == ["a/one"]
    assert [name for name, _ in models(live, "?order=newest")][:2] == ["b/one", "a/one"]
    for order in ("name", "newest"):
        seen, path = [], f"/models?limit=2&order={order}"
        while path:
            found = live.ask("GET", path, as_="viewer")
            seen += [(each["name"], each["kind"]) for each in found.json["items"]]
            path = found.headers.get("link", "").partition("<")[2].partition(">")[0]
        assert len(seen) == len(set(seen)) == 6
    assert live.ask("GET", "/models?order=newest&after=x", as_="viewer").status == 422
    rows = live.ask("GET", "/revisions?name=b/one", as_="viewer").json["items"]
    assert [each["commit"] for each in rows] == ["f" * 40, f"{1:040x}"]
    assert first == rows[1]["id"]
    with live.database.writing() as connection:
        note_ref(connection, first, "main", 5)
    for ref, commit in {"main": 1, "ffff": int("f" * 40, 16)}.items():
        found = live.ask("GET", f"/revisions?name=b/one&ref={ref}", as_="viewer").json["items"]
        assert [each["commit"] for each in found] == [f"{commit:040x}"]
    assert live.ask("GET", "/revisions?name=b/one&ref=%25", as_="viewer").json["items"] == []
    table = live.ask("GET", "/models", as_="viewer", headers={"Accept": "text/csv"}).body.decode()
    assert [each["name"] for each in csv.DictReader(io.StringIO(table))][-1] == "org/tiny"


def note_summary_for(
    connection: Connection, revision: int, license_: str, rules: tuple[str, ...], advisories: tuple[str, ...]
) -> None:
    job = add_job(connection, "vet", f"vet:{revision}:all", {"revision": revision}, 1)
    number = start_vetting(connection, revision, job, "all", "bytes", 1, 1)
    note_summary(connection, revision, Summary(number, "review", license_, 1, 2, 3, 4, rules, advisories))


def test_one_revision_its_files_and_its_report(live: Live) -> None:
    (number,) = more(live, "a/b")
    with live.database.writing() as connection:
        job = add_job(connection, "vet", f"vet:{number}:all", {"revision": number, "scope": "all"}, 1)
        vetting = start_vetting(connection, number, job, "all", "bytes", 100, 1)
        note_progress(connection, vetting, 40)
    queue = live.ask("GET", "/vettings", as_="viewer").json["items"]
    assert [(each["name"], each["state"], each["bytes_done"], each["bytes_total"]) for each in queue] == [("a/b", "ready", 40, 100)]  # fmt: skip
    assert live.ask("GET", f"/revisions/{number}/report", as_="viewer").status == 404
    with live.database.writing() as connection:
        end_vetting(connection, vetting, "done", "review", "why", zlib.compress(b'{"a": 1}'), None, 9)
        note_summary(connection, number, Summary(vetting, "review", "MIT", 0, 1, 0, 0, ("x/y",)))
    assert live.ask("GET", f"/revisions/{number}/report", as_="viewer").json == {"a": 1}
    found = live.ask("GET", f"/revisions/{number}", as_="viewer").json
    assert (found["revision"]["license"], found["revision"]["high"], found["rules"]) == ("MIT", 1, ["x/y"])
    assert [(each["state"], each["verdict"]) for each in found["vettings"]] == [("done", "review")]
    files = live.ask("GET", f"/revisions/{number}/files", as_="viewer").json
    assert files == {"items": [{"path": "a", "size": 1, "oid": "0" * 40, "lfs": "", "sha256": None}], "next": None}
    for path in ("/revisions/99", "/revisions/99/files", "/revisions/99/report", "/revisions/99/dossier"):
        assert live.ask("GET", path, as_="viewer").status == 404


def test_vetted_again_and_revoked_in_bulk(live: Live) -> None:
    numbers = more(live, "a/b", "a/c")
    body = {"revisions": [*numbers, numbers[0], 999]}
    found = live.ask("POST", "/vettings", body, as_="submitter")
    assert found.status == 202
    assert [each["revision"] for each in found.json["done"]] == numbers
    assert [each["revision"] for each in found.json["refused"]] == [999]
    assert [each["name"] for each in live.ask("GET", "/vettings", as_="viewer").json["items"]] == ["a/c", "a/b"]
    said = live.ask("POST", "/revocations", {**body, "reason": "a leak"}, as_="approver").json
    assert [each["revision"] for each in said["done"]] == numbers
    assert models(live, "?search=a/") == [("a/b", "revoked"), ("a/c", "revoked")]
    assert models(live, "?search=a/&project=/text", "root") == [("a/b", "open"), ("a/c", "open")]
    assert live.ask("POST", "/revocations", {**body, "reason": " "}, as_="approver").json["done"] == []
    assert live.ask("POST", "/revocations", {**body, "reason": "x", "project": "/text"}, as_="approver").status == 403
    found = live.ask("GET", "/decisions?of=revocation&by=APPROVER&search=a/b", as_="viewer").json["items"]
    assert [(each["reason"], each["project"]) for each in found] == [("a leak", "/vision")]
    assert live.ask("GET", f"/decisions?since={live.now + 1}", as_="viewer").json["items"] == []


def test_who_pulled_what_and_with_which_loaders(live: Live) -> None:
    live.add("other", (Role.SUBMITTER, "/text"))
    with live.database.reading() as connection:
        who = dict(connection.execute(PERSON.select().with_only_columns(PERSON.c.name, PERSON.c.id)).all())
    with live.database.writing() as connection:
        for at, (name, agent) in enumerate(
            [("submitter", "torch/2.10.0"), ("submitter", AGENT), ("other", AGENT), ("", "curl/8")]
        ):
            add_pull(connection, 1, "a", "0" * 64, who.get(name), agent, "", 10, live.now + at)
    found = live.ask("GET", "/uses", as_="viewer").json["items"]
    assert [(each["person"], each["files"], each["bytes"]) for each in found] == [("submitter", 2, 20)]
    assert found[0]["clients"] == {"transformers": "5.5.0", "torch": "2.5.1", "huggingface-hub": "2.4.0"}
    assert any(each.startswith("torch 2.5.1: GHSA-53q9-r3pm-6pq6") for each in found[0]["vulnerable"])
    everybody = live.ask("GET", "/uses", as_="root").json["items"]
    assert [each["person"] for each in everybody] == ["", "other", "submitter"]
    assert [each["person"] for each in live.ask("GET", "/uses?client=torch/2.5", as_="root").json["items"]] == ["other", "submitter"]  # fmt: skip
    assert len(live.ask("GET", "/uses?person=other", as_="root").json["items"]) == 1
    assert live.ask("GET", "/uses?person=other", as_="viewer").json["items"] == []
    clients = live.ask("GET", f"/clients?since={live.now}", as_="root").json["items"]
    said = {(each["package"], each["version"]): each for each in clients}
    assert (said["torch", "2.5.1"]["files"], said["torch", "2.5.1"]["people"]) == (2, 2)
    hit = next(each for each in said["torch", "2.5.1"]["advisories"] if each["id"] == "GHSA-53q9-r3pm-6pq6")
    assert (hit["severity"], hit["fixed"]) == ("critical", ["2.6.0"])
    assert all(each["advisories"] for each in live.ask("GET", f"/clients?affected=true&since={live.now}", as_="root").json["items"])  # fmt: skip
    assert {each["people"] for each in live.ask("GET", "/clients?since=0", as_="viewer").json["items"]} == {1}


def test_for_which_project_it_was_pulled(live: Live) -> None:
    live.add("text", (Role.SUBMITTER, "/text"))
    live.add("above", (Role.SUBMITTER, "/"))
    with live.database.reading() as connection:
        who = dict(connection.execute(PERSON.select().with_only_columns(PERSON.c.name, PERSON.c.id)).all())
    with live.database.writing() as connection:
        pulls = [("submitter", "/vision/ocr"), ("submitter", "/text"), ("submitter", None), ("text", "/text"), ("above", "/vision"), ("above", "/")]  # fmt: skip
        for at, (name, project) in enumerate(pulls):
            add_pull(connection, 1, "a", "0" * 64, who[name], AGENT, "", 10, live.now + at, project)

    def told(as_: str, query: str = "") -> list[tuple[str, str | None]]:
        return [(each["person"], each["project"]) for each in live.ask("GET", f"/uses{query}", as_=as_).json["items"]]

    # of people in what one sees, and for what one sees; of a project that one may not see not even the name
    assert told("viewer") == [("above", "/vision"), ("submitter", None), ("submitter", ""), ("submitter", "/vision/ocr")]  # fmt: skip
    assert told("viewer", "?project=/vision") == [("above", "/vision"), ("submitter", "/vision/ocr")]
    assert told("viewer", "?project=/vision/ocr") == [("submitter", "/vision/ocr")]
    assert len(told("root")) == 6
    assert len(told("root", "?project=/")) == 5
    for path in ("/uses", "/uses/projects", "/clients"):
        assert live.ask("GET", f"{path}?project=/text", as_="viewer").status == 403
        assert live.ask("GET", f"{path}?project=/Text", as_="viewer").status == 422
    shown = live.ask("GET", "/revisions/1", as_="viewer").json["uses"]
    assert [each["project"] for each in shown] == ["/vision", None, "", "/vision/ocr"]
    counted = live.ask("GET", "/uses/projects", as_="viewer").json["items"]
    assert [(each["project"], each["people"], each["models"], each["files"]) for each in counted] == [("/vision", 2, 1, 2), ("/vision/ocr", 1, 1, 1), (None, 1, 1, 1)]  # fmt: skip
    counted = live.ask("GET", "/uses/projects", as_="root").json["items"]
    assert [(each["project"], each["people"]) for each in counted] == [("/", 3), ("/text", 2), ("/vision", 2), ("/vision/ocr", 1), (None, 1)]  # fmt: skip
    first = live.ask("GET", "/uses/projects?limit=2", as_="root").json
    assert (len(first["items"]), first["next"]) == (2, "2")
    table = live.ask("GET", "/uses/projects", as_="root", headers={"Accept": "text/csv"}).body.decode()
    assert [each["project"] for each in csv.DictReader(io.StringIO(table))] == ["/", "/text", "/vision", "/vision/ocr", ""]  # fmt: skip
    torch = [each for each in live.ask("GET", "/clients?since=0&project=/vision", as_="viewer").json["items"] if each["package"] == "torch"]  # fmt: skip
    assert [(each["files"], each["people"]) for each in torch] == [(2, 2)]
    assert live.ask("GET", "/overview", as_="viewer").json["new"]["pulls"] == 4


def test_what_is_new(live: Live) -> None:
    before = live.ask("GET", "/overview", as_="viewer").json
    assert before["standings"] == {"open": 1, "admitted": 0, "refused": 0, "revoked": 0}
    decide(live, 1, "policy", "admit")
    decide(live, 1, "approval", "admit", "/text")
    with live.database.writing() as connection:
        add_pull(connection, 1, "a", "0" * 64, None, "", "", 10, live.now)
    found = live.ask("GET", f"/overview?since={live.now}", as_="viewer").json
    assert (found["standings"]["admitted"], found["new"]["admitted"], found["new"]["approvals"]) == (1, 1, 0)
    assert (found["new"]["pulls"], found["project"]) == (0, "/vision")
    everything = live.ask("GET", f"/overview?since={live.now}", as_="root").json
    assert (everything["new"]["approvals"], everything["new"]["pulls"], everything["new"]["bytes"]) == (1, 1, 10)
    assert (len(everything["days"]), everything["days"][-1]["files"]) == (30, 1)


def test_what_is_decided_can_be_proven_without_this_server(live: Live, tmp_path: Path) -> None:
    number = decide(live, 1, "policy", "reject")
    assert live.ask("GET", f"/decisions/{number}", as_="viewer").json["log"] is None
    assert live.ask("GET", "/revisions/1/dossier", as_="viewer").status == 404
    live.publish(1)
    found = live.ask("GET", f"/decisions/{number}", as_="viewer").json
    line = found["statement"].encode()
    checkpoint = Proof.parse(found["log"]["proof"].encode()).verify(entry_for(line), live.key.public)
    log = live.ask("GET", "/log", as_="root").json
    assert (log["size"], log["origin"]) == (checkpoint.size, "example.com/gate")
    assert {each["entry"] for each in log["items"]} >= {entry_for(line).decode()}
    one = live.ask("GET", f"/log/{found['log']['index']}", as_="root").json["items"]
    assert one == [found["log"]]
    assert live.ask("GET", "/log/77", as_="root").status == 404
    packed = live.ask("GET", "/revisions/1/dossier", as_="viewer")
    assert packed.headers["content-type"] == "application/zip"
    (tmp_path / "d.zip").write_bytes(packed.body)
    zipfile.ZipFile(tmp_path / "d.zip").extractall(tmp_path / "d")
    assert line in [each.line for each in verify(str(tmp_path / "d"), live.key.public).dossier.claims]


def test_a_damaged_log_is_told_and_nothing_is_proven(live: Live) -> None:
    number = decide(live, 1, "policy", "reject")
    live.publish(1)
    tile = next((Path(live.folder) / "log").rglob("entries/*"))
    bundle = next(each for each in [tile, *tile.rglob("*")] if each.is_file())
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.chmod(0o600)
    bundle.write_bytes(data)
    found = live.ask("GET", f"/decisions/{number}", as_="viewer")
    assert (found.status, found.headers["content-type"]) == (500, "application/problem+json")


@pytest.mark.parametrize("path", ["/models", "/decisions", "/uses", "/clients", "/vettings", "/overview"])
def test_whoever_has_no_role_sees_nothing(live: Live, path: str) -> None:
    found = live.ask("GET", path, as_="nobody")
    assert (found.status, json.loads(found.body)["title"]) == (403, "Forbidden")


def test_a_token_of_a_project_sees_no_more_than_the_project(live: Live) -> None:
    person = live.people.by_token(live.tokens["root"]).person
    live.tokens["narrow"] = live.people.add_token(person, "", "/text", [Right.SEE], 1)[0].text
    decide(live, 1, "policy", "reject")
    decide(live, 1, "approval", "admit", "/vision")
    assert models(live, who="narrow") == [("org/tiny", "refused")]
    assert live.ask("GET", "/models?project=/", as_="narrow").status == 403
    assert len(live.ask("GET", "/decisions", as_="narrow").json["items"]) == 1
    assert live.ask("GET", "/log", as_="narrow").status == 403
    assert live.ask("POST", "/revocations", {"revisions": [1], "reason": "x"}, as_="narrow").status == 403


def test_where_a_folder_lies_is_told_to_those_who_look_after_the_server(live: Live) -> None:
    for upstream, told in (("/srv/models", "a folder of the server"), ("https://hub.example", "https://hub.example")):
        with live.database.writing() as connection:
            connection.execute(update(REVISION).values(upstream=upstream))
        for who, shown in (("viewer", told), ("approver", told), ("root", upstream)):
            for path in ("/models", "/revisions?name=org/tiny"):
                assert live.ask("GET", path, as_=who).json["items"][0]["upstream"] == shown
            assert live.ask("GET", "/revisions/1", as_=who).json["revision"]["upstream"] == shown


@pytest.mark.parametrize(
    ("upstream", "purl"), [("https://huggingface.co", f"pkg:huggingface/org/tiny@{COMMIT}"), ("/srv/models", "")]
)
def test_a_bill_is_that_of_openvet_bom(live: Live, tmp_path: Path, upstream: str, purl: str) -> None:
    """The statements that a vetting keeps give the same as the model itself does."""
    with live.database.writing() as connection:
        connection.execute(update(REVISION).values(upstream=upstream))
        job = add_job(connection, "vet", "vet:1:all", {"revision": 1, "scope": "all"}, live.now)
        vetting = start_vetting(connection, 1, job, "all", "bytes", 10, live.now)
        end_vetting(connection, vetting, "done", "admit", "", zlib.compress(b"{}"), evidence(), live.now)
    (tmp_path / "model").mkdir()
    for name, data in model().items():
        (tmp_path / "model" / name).write_bytes(data)
    for form in ("cyclonedx", "spdx"):
        found = live.ask("GET", f"/revisions/1/bom?form={form}", as_="viewer")
        assert found.status == 200
        made = document_of(bill_of(str(tmp_path / "model"), purl=purl), form).to_json()
        assert unnumbered(found.json) == unnumbered(made)
    assert live.ask("GET", "/revisions/1/bom?form=csv", as_="viewer").status == 422


def unnumbered(value: Any) -> Any:
    """Without the number of the document, which is made of the name under which the model was read as well."""
    return json.loads(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", json.dumps(value)))


def test_there_is_no_bill_where_nobody_could_name_the_bytes(live: Live) -> None:
    assert live.ask("GET", "/revisions/1/bom", as_="viewer").status == 404
    with live.database.writing() as connection:
        job = add_job(connection, "vet", "vet:1:all", {"revision": 1, "scope": "all"}, live.now)
        vetting = start_vetting(connection, 1, job, "all", "bytes", 10, live.now)
        end_vetting(connection, vetting, "done", "admit", "", zlib.compress(b"{}"), zlib.compress(b""), live.now)
    found = live.ask("GET", "/revisions/1/bom", as_="viewer")
    assert (found.status, "could not name its bytes" in found.json["detail"]) == (404, True)
