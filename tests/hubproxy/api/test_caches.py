"""Caches of clients over the API: a report counts as a whole and in place of the one before, and standings are asked for many at once."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from openvet.gate import caches
from openvet.gate.roles import Right, Role
from tests.hubproxy.api.conftest import COMMIT, Live
from tests.hubproxy.api.test_models import decide

OTHER = "d" * 40


def row(name: str = "org/tiny", commit: str = COMMIT, **more: Any) -> dict[str, Any]:
    return {"kind": "model", "name": name, "commit": commit, "files": 2, "bytes": 30, **more}


def tell(live: Live, *rows: dict[str, Any], who: str = "submitter", machine: str = "laptop", number: int = 1, more: bool = False) -> Any:  # fmt: skip
    body = {"machine": machine, "report": f"{number:032x}", "more": more, "found": list(rows)}
    return live.ask("POST", "/caches", body, as_=who)


def cached(live: Live, query: str = "", who: str = "viewer") -> list[tuple[str, str, str]]:
    found = live.ask("GET", f"/cached{query}", as_=who)
    assert found.status == 200, found.body
    return [(each["machine"], each["name"], each["standing"]) for each in found.json["items"]]


def test_what_lies_in_caches_and_how_it_stands_now(live: Live) -> None:
    told = tell(live, row(refs=["main", "v1"], last_used=5), row("org/gone", OTHER))
    assert (told.status, told.json) == (200, {"machine": "laptop", "revisions": 2, "complete": True})
    assert cached(live) == [("laptop", "org/gone", "unknown"), ("laptop", "org/tiny", "open")]
    decide(live, 1, "policy", "admit")
    decide(live, 1, "revocation", "reject", "/vision")
    assert cached(live, "?standing=revoked") == [("laptop", "org/tiny", "revoked")]
    assert cached(live, "?standing=unknown&standing=revoked&search=TINY") == [("laptop", "org/tiny", "revoked")]
    assert cached(live, "?standing=unknown") == [("laptop", "org/gone", "unknown")]
    assert cached(live, "?standing=admitted&project=/text", "root") == [("laptop", "org/tiny", "admitted")]
    assert cached(live, "?machine=other") == cached(live, "?person=viewer") == []
    found = next(
        each for each in live.ask("GET", "/cached", as_="viewer").json["items"] if each["revision"] is not None
    )
    assert (found["person"], found["refs"], found["last_used"], found["at"]) == ("submitter", ["main", "v1"], 5, live.now)  # fmt: skip
    shown = live.ask("GET", "/revisions/1", as_="viewer").json["caches"]
    assert shown == [found]
    table = live.ask("GET", "/cached", as_="viewer", headers={"Accept": "text/csv"}).body.decode()
    assert [each["name"] for each in csv.DictReader(io.StringIO(table))] == ["org/gone", "org/tiny"]
    machines = live.ask("GET", "/caches", as_="viewer").json["items"]
    assert [(each["person"], each["machine"], each["revisions"], each["bytes"]) for each in machines] == [("submitter", "laptop", 2, 60)]  # fmt: skip


def test_a_new_report_takes_the_place_of_the_old_one_once_it_is_whole(live: Live) -> None:
    tell(live, row("org/a"), row("org/b"))
    tell(live, row("org/c"), machine="server", number=9)
    assert tell(live, row("org/x"), number=2, more=True).json["complete"] is False
    assert [each[1] for each in cached(live)] == ["org/c", "org/b", "org/a"]
    # begun anew, since the sender was stopped: the part that was told counts never
    tell(live, row("org/b"), number=3, more=True)
    tell(live, row("org/b", files=5), number=3, more=True)
    assert tell(live, row("org/d"), number=3).json == {"machine": "laptop", "revisions": 2, "complete": True}
    assert sorted(cached(live)) == [("laptop", "org/b", "unknown"), ("laptop", "org/d", "unknown"), ("server", "org/c", "unknown")]  # fmt: skip
    # the same machine of somebody else is another one
    tell(live, row("org/e"), who="reviewer")
    assert len(cached(live)) == 4
    tell(live, number=4)
    assert sorted({each[:2] for each in cached(live)}) == [("laptop", "org/e"), ("server", "org/c")]


def test_each_sees_the_machines_of_those_they_may_see(live: Live) -> None:
    live.add("other", (Role.SUBMITTER, "/text"))
    tell(live, row(), who="other")
    tell(live, row(), who="submitter", machine="desk")
    assert cached(live) == [("desk", "org/tiny", "open")]
    assert len(cached(live, who="root")) == 2
    assert [each["person"] for each in live.ask("GET", "/caches?limit=1", as_="root").json["items"]] == ["submitter"]
    hidden = live.ask("GET", "/caches", as_="other").json["items"][0]["id"]
    assert live.ask("DELETE", f"/caches/{hidden}", as_="submitter").status == 404
    seen = live.ask("GET", "/caches", as_="viewer").json["items"][0]["id"]
    assert live.ask("DELETE", f"/caches/{seen}", as_="viewer").status == 403
    assert live.ask("DELETE", f"/caches/{seen}", as_="submitter").status == 204
    assert cached(live) == []
    person = live.people.by_token(live.tokens["submitter"]).person
    live.tokens["narrow"] = live.people.add_token(person, "", "/vision", [Right.SEE], 1)[0].text
    assert tell(live, row(), who="narrow").status == 403


def test_standings_of_many_at_once(live: Live) -> None:
    decide(live, 1, "policy", "review")
    asked = [{"name": "org/tiny", "commit": COMMIT}, {"kind": "dataset", "name": "org/tiny", "commit": COMMIT}, {"name": "org/tiny", "commit": OTHER}]  # fmt: skip
    found = live.ask("POST", "/standings", {"revisions": asked}, as_="viewer").json
    assert found["project"] == "/vision"
    assert [each["standing"] for each in found["standings"]] == ["refused", "unknown", "unknown"]
    first = found["standings"][0]
    assert (first["of"], first["outcome"], first["by"], first["reason"], first["revision"]) == ("policy", "review", "somebody", "because", 1)  # fmt: skip
    assert found["standings"][1]["outcome"] is None
    decide(live, 1, "approval", "admit", "/vision/ocr")
    for project, standing in (("/vision", "refused"), ("/vision/ocr", "admitted")):
        said = live.ask("POST", "/standings", {"revisions": asked[:1], "project": project}, as_="viewer").json
        assert said["standings"][0]["standing"] == standing
    assert live.ask("POST", "/standings", {"revisions": asked[:1], "project": "/text"}, as_="viewer").status == 403
    full = [{"name": f"org/m{at}", "commit": COMMIT} for at in range(500)]
    assert len(live.ask("POST", "/standings", {"revisions": full}, as_="viewer").json["standings"]) == 500
    assert live.ask("POST", "/standings", {"revisions": [*full, asked[0]]}, as_="viewer").status == 422


@pytest.mark.parametrize(
    "wrong",
    [
        row("a/b/c"), row("-x"), row("org/\u0000"), row("x" * 201), row(commit="main"), row(commit="C" * 40), row(bytes=-1), row(files=2**54),
        row(kind="space"), row(refs=["a\nb"]), row(refs=[""]), row(refs=["a"] * 51), row(more=1),
    ],
)  # fmt: skip
def test_what_no_cache_holds_is_refused_whole(live: Live, wrong: dict[str, Any]) -> None:
    assert tell(live, row(), wrong).status == 422
    assert cached(live) == []


def test_nobody_tells_of_more_than_a_gate_can_hold(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "MOST_MACHINES", 2)
    monkeypatch.setattr(caches, "MOST_REVISIONS", 3)
    assert [tell(live, machine=each, number=1).status for each in ("a", "b", "c", "a")] == [200, 200, 409, 200]
    assert tell(live, row("a"), row("b"), machine="a", number=2, more=True).status == 200
    refused = tell(live, row("c"), row("d"), machine="a", number=2)
    assert (refused.status, "3 revisions" in refused.json["detail"]) == (422, True)
    assert cached(live) == []
    assert tell(live, *(row(f"m{at}") for at in range(1001))).status == 422
