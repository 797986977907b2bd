"""Lists in pages, as JSON and as CSV; and what does not fit the schema."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hubproxy.api.conftest import COMMIT, Live

ASK = {"name": "org/tiny", "commit": COMMIT, "purpose": "x", "project": "/vision"}


def test_pages_follow_each_other(live: Live) -> None:
    numbers = []
    for _ in range(5):
        numbers.append(live.ask("POST", "/requests", ASK, as_="submitter").json["id"])
        live.ask("POST", f"/requests/{numbers[-1]}/withdrawal", as_="submitter")
    assert len(set(numbers)) == 5
    seen, path = [], "/requests?limit=2&state=withdrawn"
    while path:
        found = live.ask("GET", path, as_="viewer")
        seen += [each["id"] for each in found.json["items"]]
        link = found.headers.get("link", "")
        assert bool(link) == (found.json["next"] is not None)
        path = link.partition("<")[2].partition(">")[0]
    assert seen == numbers[::-1]


def test_lists_as_csv_that_no_spreadsheet_runs(live: Live) -> None:
    live.ask("POST", "/requests", {**ASK, "purpose": '=HYPERLINK("x","y"),\nmore'}, as_="submitter")
    found = live.ask("GET", "/requests", as_="viewer", headers={"Accept": "text/csv"})
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    head, row = csv.reader(io.StringIO(found.body.decode()))
    said = dict(zip(head, row, strict=True))
    assert said["purpose"] == '\'=HYPERLINK("x","y"),\nmore'
    assert (said["name"], said["until"], said["blocks"]) == ("org/tiny", "", "0")
    assert head == list(live.ask("GET", "/requests", as_="viewer").json["items"][0])


def test_people_and_tokens_in_pages(live: Live) -> None:
    names: list[str] = []
    after = ""
    for _ in range(20):
        found = live.ask("GET", f"/people?limit=3&after={after}", as_="root").json
        names += [each["name"] for each in found["items"]]
        if found["next"] is None:
            break
        after = found["next"]
    assert names == sorted(
        ["admin", "first", "approver", "auditor", "nobody", "reviewer", "root", "submitter", "viewer"]
    )
    assert [each["owner"] for each in live.ask("GET", "/tokens", as_="viewer").json["items"]] == ["viewer"]
    everybody = live.ask("GET", "/tokens?everybody=true", as_="root").json["items"]
    assert sorted(each["owner"] for each in everybody) == sorted(live.tokens)
    assert all("text" not in each and "digest" not in each for each in everybody)


def test_an_invitation_leads_to_a_password(live: Live) -> None:
    made = live.ask("POST", "/people", {"name": "zoe", "title": "Zoe"}, as_="root").json
    secret = made["link"].partition("invitation=")[2]
    assert live.people.accept(secret, "five small models went to sea").person.name == "zoe"
    again = live.ask("POST", "/people", {"name": "zoe"}, as_="root")
    assert (again.status, "already" in again.json["detail"]) == (409, True)
    assert live.ask("POST", "/people", {"name": "ci", "service": True}, as_="root").json["link"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "at"),
    [
        ("POST", "/people", {"name": "x", "admin": True}, "body.admin"),
        ("POST", "/people", {"name": "x\u0000"}, "body.name"),
        ("POST", "/people", {}, "body.name"),
        ("PUT", "/roles", {"name": "viewer", "role": "king"}, "body.role"),
        ("GET", "/requests?limit=0", None, "query.limit"),
        ("GET", "/requests?limit=1001", None, "query.limit"),
        ("GET", "/requests?after=99999999999999999999999", None, "query.after"),
        ("GET", "/requests?state=lost", None, "query.state.0"),
        ("GET", "/requests/9999999999999999", None, "path.number"),
        ("POST", "/requests/1/approvals", {"reason": "x", "until": 10**30}, "body.until"),
        ("POST", "/requests", {**ASK, "purpose": "x" * 4001}, "body.purpose"),
        ("POST", "/requests/decisions", {"requests": [], "decision": "approve", "reason": "x"}, "body.requests"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(live: Live, method: str, path: str, body: object, at: str) -> None:
    found = live.ask(method, path, body, as_="root")
    assert (found.status, found.headers["content-type"]) == (422, "application/problem+json")
    assert [each["at"] for each in found.json["errors"]] == [at]


@pytest.mark.parametrize(
    ("until", "fits"), [(1795867200001, True), (1.0, True), (False, False), ("5", False), (5.5, False), (-1, False)]
)
def test_nothing_is_guessed(live: Live, until: object, fits: bool) -> None:
    """A number is a number: whole as JSON Schema has it, and no text or truth value."""
    found = live.ask("POST", "/requests/1/approvals", {"reason": "x", "until": until}, as_="root")
    assert (found.status, "errors" in found.json) == ((403, False) if fits else (422, True))


def test_the_methods_of_a_path_are_named_together(live: Live) -> None:
    for path, methods in (("/people", "GET, POST"), ("/people/zoe/identity", "DELETE, PUT"), ("/requests/decisions", "POST"),
                          ("/tokens/1", "DELETE"), ("/me", "GET")):  # fmt: skip
        found = live.ask("PATCH", path, {}, as_="root")
        assert (found.status, found.headers["allow"]) == (405, methods)


@pytest.mark.parametrize("number", ["9" * 17, "9" * 5000, "x", "-1", "1.0", "%31%00"])
def test_a_path_with_no_number_is_none(live: Live, number: str) -> None:
    assert live.ask("GET", f"/requests/{number}", as_="root").status == 404


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"name": "\\ud800"}', b"\xff\xfe", b"[" * 100_000, b'{"name":' * 5000]
)
def test_bodies_that_are_none(live: Live, raw: bytes) -> None:
    found = live.ask("POST", "/people", as_="root", raw=raw, headers={"Content-Type": "application/json"})
    assert found.status in {400, 422}
    assert found.headers["content-type"] == "application/problem+json"


def test_the_schema_names_every_route_and_loads_nothing(live: Live) -> None:
    found = live.ask("GET", "/openapi.json").json
    assert found["openapi"].startswith("3.1")
    assert len(found["paths"]) == 50
    for path in ("/docs", "/redoc", "/nothing"):
        assert live.ask("GET", path, as_="root").status == 404


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_is_sent_no_route_fails(live: Live, data: st.DataObject) -> None:
    """Bodies near the schema, each field anything: nothing but what a client can be told."""
    schema = live.app.openapi()
    path, method = data.draw(
        st.sampled_from([(path, method) for path, each in schema["paths"].items() for method in each])
    )
    body = None
    sent = schema["paths"][path][method].get("requestBody")
    if sent is not None:
        name = sent["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        fields = schema["components"]["schemas"][name]["properties"]
        body = {
            field: data.draw(values | st.sampled_from(["viewer", "/vision", "org/tiny", COMMIT, 1])) for field in fields
        }
    where = path.replace("{name}", data.draw(st.sampled_from(["viewer", "%00", "%ff", "x" * 700, ".."])))
    where = where.replace("{number}", data.draw(st.sampled_from(["1", "0", "-1", "x", "9" * 30])))
    where = where.replace("{index}", data.draw(st.sampled_from(["0", "1", "-1", "x", "9" * 30])))
    text = json.dumps(body)
    found = live.ask(method.upper(), where, as_="root", raw=None if body is None else text.encode("utf-8", "surrogatepass"), headers={"Content-Type": "application/json"})  # fmt: skip
    assert found.status in {200, 201, 202, 204, 401, 403, 404, 405, 409, 422}, (method, where, body, found.body)
