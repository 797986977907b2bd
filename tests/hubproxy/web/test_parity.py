"""Whatever the pages show and do, the API does: a table that a new page has to be written into, held against every form that a walk through the pages
finds; and every list comes in pages, as JSON and as CSV.
"""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import urljoin, urlsplit

from openvet.gate.roles import Right
from openvet.hubproxy.web.app import PAGES
from openvet.store import requests as request_rows
from tests.hubproxy.api.conftest import Live
from tests.hubproxy.web.conftest import Site

#: Pages that are of a browser alone: programs have tokens, and neither log in nor out.
BROWSER = {
    "GET /welcome", "POST /welcome", "GET /login", "POST /login", "POST /logout", "GET /login/oidc", "GET /login/oidc/callback",
}  # fmt: skip
#: What a page shows or does -> the routes of the API that do.
TABLE: dict[str, tuple[str, ...]] = {
    "GET /": ("GET /overview", "GET /portfolio/licenses", "GET /portfolio/advisories", "GET /portfolio/weeks", "GET /requests", "GET /vettings"),
    "GET /account": ("GET /me", "GET /tokens", "GET /me/acts"),
    "POST /account/tokens": ("POST /tokens",),
    "POST /account/tokens/{number}/revocation": ("DELETE /tokens/{number}",),
    "GET /requests": ("GET /requests",),
    "POST /requests": ("POST /requests/decisions",),
    "GET /requests/{number}": ("GET /requests/{number}", "GET /revisions/{number}"),
    "POST /requests/{number}/purpose": ("POST /requests",),
    "POST /requests/{number}/approval": ("POST /requests/{number}/approvals",),
    "POST /requests/{number}/decline": ("POST /requests/{number}/declines",),
    "POST /requests/{number}/withdrawal": ("POST /requests/{number}/withdrawal",),
    "POST /requests/{number}/comments": ("POST /requests/{number}/comments",),
    "GET /models": ("GET /models",),
    "POST /models": ("POST /vettings", "POST /revocations"),
    "GET /policies": ("GET /policies", "GET /decisions"),
    "GET /policies/{name}": ("GET /policies/{name}/requirements",),
    "GET /uses": ("GET /uses", "GET /uses/projects", "GET /clients"),
    "GET /caches": ("GET /caches",),
    "GET /caches/revocations.json": ("GET /revocations",),
    "POST /caches/{number}/removal": ("DELETE /caches/{number}",),
    "GET /revisions/{number}": (
        "GET /revisions/{number}", "GET /revisions/{number}/files", "GET /revisions/{number}/statements", "GET /revisions", "GET /revisions/{number}/report",
        "GET /lineage", "GET /revisions/{number}/timeline",
    ),
    "GET /lineage": ("GET /lineage/bases", "GET /lineage"),
    "GET /revisions/{number}/report": ("GET /revisions/{number}/report",),
    "GET /revisions/{number}/report.json": ("GET /revisions/{number}/report",),
    "GET /revisions/{number}/bom.cdx.json": ("GET /revisions/{number}/bom",),
    "GET /revisions/{number}/bom.spdx.json": ("GET /revisions/{number}/bom",),
    "GET /revisions/{number}/dossier.zip": ("GET /revisions/{number}/dossier",),
    "POST /revisions/{number}/vetting": ("POST /vettings",),
    "POST /revisions/{number}/revocation": ("POST /revocations",),
    "POST /revisions/{number}/request": ("POST /requests",),
    "GET /vettings": ("GET /vettings",),
    "GET /acts": ("GET /acts",),
    "GET /log": ("GET /decisions", "GET /log"),
    "GET /log/{number}": ("GET /decisions/{number}", "GET /log/{index}"),
    "GET /log/{number}/statement.json": ("GET /decisions/{number}",),
    "GET /people": ("GET /people", "GET /people/{name}/roles"),
    "POST /people": ("POST /people",),
    "GET /people/{number}": ("GET /people", "GET /people/{name}/roles", "GET /tokens", "GET /acts"),
    "POST /people/{number}/identity": ("PUT /people/{name}/identity", "DELETE /people/{name}/identity"),
    "POST /people/{number}/invitation": ("POST /people/{name}/invitation",),
    "POST /people/{number}/disabling": ("POST /people/{name}/disabled",),
    "POST /people/{number}/enabling": ("DELETE /people/{name}/disabled",),
    "POST /people/{number}/tokens": ("POST /tokens",),
    "POST /people/{number}/tokens/revocation": ("DELETE /tokens/{number}",),
    "GET /projects": ("GET /projects", "GET /roles"),
    "POST /projects": ("POST /projects",),
    "POST /roles": ("PUT /roles",),
    "POST /roles/taken": ("POST /roles/taken",),
}  # fmt: skip
_PATHS = [(each, re.compile(re.sub(r"\{(\w+)(?::\w+)?\}", "[^/]+", each.path))) for each in PAGES]


def page_of(method: str, path: str) -> str:
    """The page that a form or a link goes to, as the table has it."""
    below = path.removeprefix("/openvet") or "/"
    found = [each for each, shape in _PATHS if shape.fullmatch(below)]
    assert found, path
    return f"{method} {re.sub(':[a-z]+', '', found[0].path)}"


def routes(live: Live) -> set[str]:
    return {f"{method.upper()} {path}" for path, each in live.app.openapi()["paths"].items() for method in each}


def test_the_table_holds_every_page_and_only_routes_that_are_there(live: Live) -> None:
    pages = {
        f"{method} {re.sub(':[a-z]+', '', each.path)}"
        for each in PAGES
        for method, has in (("GET", each.get), ("POST", each.post))
        if has
    }
    assert pages == set(TABLE) | BROWSER
    assert set().union(*TABLE.values()) - routes(live) == set()


def test_the_api_can_do_all_that_the_forms_of_the_pages_can(site: Site) -> None:
    """A walk over every link, as somebody who may do everything, and as somebody who asked for something."""
    live = site.live
    site.report("org/reported")
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", "review", reason="why", by="policy")
        for person in ("root", "submitter", "reviewer"):
            request_rows.add_request(connection, 1, "/vision", site.person(person).id, "asked", live.now, purpose="x")
    robot, _ = live.people.add("robot", "", service=True)
    live.people.add_token(robot, "t", "/", [Right.PULL], 9)
    seen: set[str] = set()
    for who in ("root", "submitter", "approver"):
        browser, waiting, walked = site.browser(who), ["/openvet/"], set[str]()
        while waiting:
            path = waiting.pop()
            if path in walked or len(walked) > 150:
                continue
            walked.add(path)
            page = browser.get(path)
            seen.add(page_of("GET", urlsplit(path).path.rstrip("/") or "/openvet"))
            methods = [values.get("method", "get") for tag, values in page.read.elements if tag == "form"]
            for method, action in zip(methods, page.read.actions, strict=True):
                seen.add(page_of(str(method).upper(), urlsplit(urljoin(path, action)).path.rstrip("/") or "/openvet"))
            for tag, values in page.read.elements:
                to = urlsplit(urljoin(path, values.get("href") or "")) if tag == "a" else None
                if to is not None and to.path.startswith("/openvet") and not to.netloc and to.path not in walked:
                    waiting.append(to.path)
    assert {
        "POST /requests/{number}/approval",
        "POST /models",
        "POST /revisions/{number}/revocation",
        "POST /people/{number}/disabling",
    } <= seen
    assert len(seen) > 35
    assert seen - set(TABLE) - BROWSER == set()


def test_every_list_comes_in_pages_as_json_and_as_csv(live: Live) -> None:
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", "review", reason="=1+1", by="policy")
    live.publish(1)
    paths = {
        "/revisions": "/revisions?name=org/tiny", "/people/{name}/roles": "/people/root/roles", "/revisions/{number}/files": "/revisions/1/files",
        "/revisions/{number}/statements": "/revisions/1/statements", "/revisions/{number}/timeline": "/revisions/1/timeline", "/policies/{name}/requirements": "/policies/baseline/requirements",
    }  # fmt: skip
    lists = []
    document = live.app.openapi()
    for path, each in document["paths"].items():
        schema = (
            each.get("get", {})
            .get("responses", {})
            .get("200", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
        )
        name = schema.get("$ref", "").rpartition("/")[2]
        properties = document["components"]["schemas"].get(name, {}).get("properties", {})
        if not {"items", "next"} <= set(properties) or path == "/log/{index}":  # that is one entry
            continue
        lists.append(path)
        named = {parameter["name"] for parameter in each["get"]["parameters"]}
        assert {"limit", "after"} <= named or path == "/portfolio/weeks", path
        assert "text/csv" in each["get"]["responses"]["200"]["content"], path
        at = paths.get(path, path)
        whole = live.ask("GET", at, as_="root")
        assert whole.status == 200, (path, whole.body)
        flat = live.ask("GET", at, as_="root", headers={"Accept": "text/csv"})
        assert (flat.status, flat.headers["content-type"]) == (200, "text/csv; charset=utf-8"), path
        table = list(csv.DictReader(io.StringIO(flat.body.decode())))
        assert len(table) == len(whole.json["items"]), path
        for row, item in zip(table, whole.json["items"], strict=True):
            assert set(row) == set(item), path
        if len(table) > 1 and "limit" in named:
            first = live.ask("GET", f"{at}{'&' if '?' in at else '?'}limit=1", as_="root")
            assert len(first.json["items"]) == 1
            assert first.json["next"] is not None, path
            assert 'rel="next"' in first.headers.get("link", ""), path
    assert len(lists) >= 19, lists
