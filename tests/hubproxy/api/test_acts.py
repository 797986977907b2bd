"""What people did, over the API: for auditors of everything, one's own for everybody, as JSON and CSV."""

from __future__ import annotations

import csv
import io

from openvet.gate.roles import ROOT, Role
from tests.hubproxy.api.conftest import Live


def test_every_change_over_the_api_names_who_made_it(live: Live) -> None:
    before = live.ask("GET", "/acts?limit=1", as_="root").json["items"][0]["id"]
    live.ask("POST", "/people", {"name": "zoe", "title": "Zoe"}, as_="root")
    live.ask("POST", "/people/zoe/invitation", as_="root")
    live.ask("PUT", "/people/zoe/identity", {"subject": "s-9"}, as_="root")
    live.ask("DELETE", "/people/zoe/identity", as_="root")
    live.ask("POST", "/people/zoe/disabled", as_="root")
    live.ask("DELETE", "/people/zoe/disabled", as_="root")
    live.ask("POST", "/projects", {"path": "/vision/new"}, as_="admin")
    live.ask("PUT", "/roles", {"name": "zoe", "project": "/vision/new", "role": "viewer"}, as_="admin")
    live.ask("POST", "/roles/taken", {"name": "zoe", "project": "/vision/new", "role": "viewer"}, as_="admin")
    own = live.ask("GET", "/tokens", as_="viewer").json["items"][0]["id"]
    assert live.ask("DELETE", f"/tokens/{own}", as_="viewer").status == 204
    found = [each for each in live.ask("GET", "/acts", as_="root").json["items"] if each["id"] > before][::-1]
    assert [(each["by"], each["what"], each["person"], each["project"]) for each in found] == [
        ("root", "person.added", "zoe", ""),
        ("root", "invitation.made", "zoe", ""),
        ("root", "invitation.made", "zoe", ""),
        ("root", "person.connected", "zoe", ""),
        ("root", "person.parted", "zoe", ""),
        ("root", "person.disabled", "zoe", ""),
        ("root", "person.enabled", "zoe", ""),
        ("admin", "project.added", "", "/vision/new"),
        ("admin", "role.given", "zoe", "/vision/new"),
        ("admin", "role.taken", "zoe", "/vision/new"),
        ("viewer", "token.revoked", "viewer", "/"),
    ]
    assert {each["at"] for each in found} == {live.now}
    only = live.ask("GET", "/acts?person=zoe&what=role.taken", as_="root").json["items"]
    assert [(each["by"], each["details"]) for each in only] == [("admin", "viewer")]
    mine = live.ask("GET", "/me/acts", as_="admin").json["items"]
    assert mine[0]["what"] == "role.taken"
    assert {"admin"} <= {name for each in mine for name in (each["by"], each["person"])}
    assert [each for each in mine if "admin" not in {each["by"], each["person"]}] == []


def test_auditors_of_everything_read_them(live: Live) -> None:
    live.add("eve", (Role.AUDITOR, ROOT))
    assert live.ask("GET", "/acts", as_="eve").status == 200
    assert live.ask("GET", "/acts", as_="auditor").status == 403, "of one project alone"
    pages, path = [], "/acts?limit=7"
    while path:
        page = live.ask("GET", path, as_="eve")
        pages += [each["id"] for each in page.json["items"]]
        path = page.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert pages == sorted(set(pages), reverse=True)
    found = live.ask("GET", "/acts?limit=1000", as_="eve", headers={"Accept": "text/csv"})
    head, *rows = csv.reader(io.StringIO(found.body.decode()))
    assert head == ["id", "at", "by", "what", "person", "project", "details"]
    assert [int(each[0]) for each in rows] == pages
