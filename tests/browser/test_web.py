"""The server's pages in a real browser, end to end: a password by a link, a blocked pull, a request, four eyes, the pull, a revocation, the log.

Needs what ``make browser`` installs, like the tests of the reports beside it; the server is ``openvet serve`` as people start it.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy")

from tests.browser.models import tuned
from tests.browser.test_pages import CHROMIUM, MODULES
from tests.gate.samples import model

pytestmark = pytest.mark.skipif(
    not ((MODULES / ".made").exists() and CHROMIUM), reason="there is no browser; make browser says what it needs"
)
WORDS = "five small models went to sea"
BAD = "/org/bad/resolve/main/state-0.pkl"
LOOKS = (
    "welcome", "account", "token", "login", "people", "person", "projects", "request-blocked", "request-asked", "request-approver", "requests", "models",
    "revision", "timeline", "overview", "vettings", "log", "decision", "policies", "policy", "inventory", "lineage", "lineage-base", "wrong",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server in front of a folder: where it is, and the link of its first admin."""
    folder = tmp_path_factory.mktemp("served")
    good = folder / "models" / "org" / "good"
    good.mkdir(parents=True)
    for name, data in model().items():
        (good / name).write_bytes(data)
    tuned(folder / "models" / "org", "bad")
    command = [
        sys.executable,
        "-m",
        "openvet",
        "serve",
        "--port",
        "0",
        "--data",
        str(folder / "data"),
        "--upstream",
        str(folder / "models"),
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, stdin=subprocess.DEVNULL)
    greeting = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            greeting += line
            if "Ctrl-C" in line:
                break
        base, link = re.search(r"HF_ENDPOINT=(\S+)", greeting), re.search(r"\S+/welcome\?\S+", greeting)
        assert base, (folder / "log").read_text()
        assert link, greeting
        yield base[1], link[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
        shutil.copyfile(folder / "log", MODULES / "seen" / "web-server.log")


def step(do: str, **more: Any) -> dict[str, Any]:
    return {"do": do, **more}


def joined(who: str, link: str) -> list[dict[str, Any]]:
    """Somebody chooses a password by a link."""
    return [
        step("as", who=who),
        step("open", kept=link) if not link.startswith("http") else step("open", path=link.partition("/openvet")[1] + link.partition("/openvet")[2]),
        *([step("look", name="welcome")] if who == "first" else []),
        step("fill", label="Password", text=WORDS),
        step("fill", label="The same once more", text=WORDS),
        step("press", name="Choose it and log in"),
    ]  # fmt: skip


def added(name: str, role: str) -> list[dict[str, Any]]:
    """The admin adds somebody, and gives a role."""
    return [
        step("open", path="/openvet/people"),
        step("fill", label="Name to log in by", text=name),
        step("press", name="Add"),
        step("keep", name=name),
        step("choose", label="Role", text=role),
        step("press", name="Give the role"),
    ]


def approved(who: str, until: str) -> list[dict[str, Any]]:
    return [
        *joined(who, who),
        step("open", path="/openvet/requests"),
        step("follow", name="org/bad"),
        *([step("look", name="request-approver")] if who == "ann" else []),
        step("fill", form="Approve", label="Reason", text="We need it for a while."),
        step("fill", form="Approve", label="It holds until", text=until),
        step("press", name="Approve"),
        step("read", name=f"approved-{who}"),
    ]


@pytest.fixture(scope="module")
def seen(served: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    base, link = served
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    steps = [
        *joined("first", link),
        step("look", name="account"),
        step("keys", count=12),
        *added("sam", "submitter"),
        step("look", name="person"),
        *added("ann", "approver"),
        *added("ben", "approver"),
        step("open", path="/openvet/people"),
        step("look", name="people"),
        step("open", path="/openvet/projects"),
        step("look", name="projects"),
        *joined("sam", "sam"),
        step("fill", label="What you call it", text="laptop"),
        step("press", name="Make the token"),
        step("keep", name="token"),
        step("look", name="token"),
        step("fetch", name="good", path="/org/good/resolve/main/config.json", token="token"),
        step("fetch", name="refused", path=BAD, token="token"),
        step("open", path="/openvet/requests"),
        step("follow", name="org/bad"),
        step("look", name="request-blocked"),
        step("fill", form="Ask for it", label="What you need it for", text="To read receipts."),
        step("press", name="Ask for it"),
        step("look", name="request-asked"),
        *approved("ann", until),
        *approved("ben", until),
        step("fetch", name="approved", path=BAD, token="token", **{"not": 403}),
        step("as", who="first"),
        step("open", path="/openvet/models"),
        step("look", name="models"),
        step("follow", name="org/bad"),
        step("look", name="revision"),
        step("print", name="revision"),
        step("reach", name="Exception", key="Space"),
        step("reach", name="Show", key="Enter"),
        step("look", name="timeline"),
        step("read", name="timeline"),
        step("open", path="/openvet/models"),
        step("follow", name="org/bad"),
        step("follow", name="The report"),
        step("read", name="report"),
        step("open", path="/openvet/requests?state=all"),
        step("look", name="requests"),
        step("print", name="requests"),
        step("follow", name="org/bad"),
        step("print", name="request"),
        step("open", path="/openvet/models?search=bad"),
        step("follow", name="org/bad"),
        step("fill", form="Revoke", label="Reason", text="It was enough."),
        step("press", name="Revoke"),
        step("read", name="revoked"),
        step("fetch", name="revoked", path=BAD, token="token", **{"not": 200}),
        step("open", path="/openvet/vettings"),
        step("look", name="vettings"),
        step("open", path="/openvet/"),
        step("look", name="overview"),
        step("open", path="/openvet/log"),
        step("look", name="log"),
        step("print", name="log"),
        step("open", path="/openvet/log/1"),
        step("look", name="decision"),
        step("read", name="decision"),
        step("open", path="/openvet/policies"),
        step("look", name="policies"),
        step("follow", name="baseline"),
        step("look", name="policy"),
        step("open", path="/openvet/uses"),
        step("look", name="inventory"),
        step("read", name="inventory"),
        step("open", path="/openvet/lineage"),
        step("look", name="lineage"),
        step("follow", name="All that is built on meta-llama/Llama-3.1-8B-Instruct"),
        step("look", name="lineage-base"),
        step("read", name="lineage"),
        step("open", path="/openvet/models"),
        step("reach", name="Choose org/good", key="Space"),
        step("reach", name="Have it vetted again", key="Enter"),
        step("read", name="many"),
        step("open", path="/openvet/nothing"),
        step("look", name="wrong"),
        step("open", path="/openvet/account"),
        step("press", name="Log out"),
        step("look", name="login"),
        step("open", path="/openvet/models"),
        step("read", name="out"),
    ]
    plan = tmp_path_factory.mktemp("plan") / "plan.json"
    plan.write_text(json.dumps({"base": base, "steps": steps}))
    (MODULES / "seen").mkdir(exist_ok=True)
    script = Path(__file__).with_name("web.mjs")
    found = subprocess.run(
        ["node", str(script), str(CHROMIUM), str(MODULES), str(MODULES / "seen"), str(plan)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    assert "failed" not in told, told["failed"]
    return told


def test_from_a_blocked_pull_to_a_revocation(seen: dict[str, Any]) -> None:
    fetched = seen["fetched"]
    assert (fetched["good"]["status"], fetched["refused"]["status"]) == (200, 403)
    assert "/openvet/requests/" in fetched["refused"]["message"]
    assert "It takes more people" in seen["texts"]["approved-ann"]["text"]
    assert "Approved: it may be pulled" in seen["texts"]["approved-ben"]["text"]
    assert fetched["approved"]["status"] == 200
    assert fetched["approved"]["size"] > 0
    assert "Revoked: it may not be pulled any more" in seen["texts"]["revoked"]["text"]
    assert (fetched["revoked"]["status"], fetched["revoked"]["size"] > 0) == (404, True)
    assert "It is entry" in seen["texts"]["decision"]["text"]
    assert "Reject" in seen["texts"]["report"]["text"]
    assert seen["texts"]["out"]["url"].endswith("/openvet/login?next=models")


@pytest.mark.parametrize("name", LOOKS)
def test_nothing_that_axe_objects_to(seen: dict[str, Any], name: str) -> None:
    assert [each for found in seen["looks"][name].values() for each in found["violations"]] == []


@pytest.mark.parametrize("name", LOOKS)
def test_nothing_is_wider_than_the_window(seen: dict[str, Any], name: str) -> None:
    for view, found in seen["looks"][name].items():
        assert found["past"] == [], view
        assert found["wide"] <= found["window"], view
        assert found["styled"] == "960px"


@pytest.mark.parametrize("name", LOOKS)
def test_headings_step_by_one(seen: dict[str, Any], name: str) -> None:
    levels = seen["looks"][name]["light"]["levels"]
    assert levels[0] == 1
    assert all(later - before <= 1 for before, later in pairwise(levels))


def test_the_browser_has_nothing_to_say_and_asks_nobody_else(seen: dict[str, Any]) -> None:
    assert seen["elsewhere"] == []
    # the browser itself tells of every answer that is an error, and the page for what is not there is one
    assert [each for each in seen["console"] if "404 (Not Found)" not in each] == []


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("revision", ("org/bad", "Where it comes from", "Licences and duties", "What it needs", "What the last check signed", "Who has it")),
        ("requests", ("org/bad", "To read receipts.")),
        ("request", ("org/bad", "To read receipts.", "ann", "ben", "approves")),
        ("log", ("org/bad", "Approval", "Checkpoint")),
    ],
)  # fmt: skip
def test_it_prints_what_it_says_and_nothing_to_press(seen: dict[str, Any], name: str, holds: tuple[str, ...]) -> None:
    found = seen["printed"][name]
    assert [each for each in holds if each not in found["text"]] == []
    assert found["acting"] == []
    assert found["back"] in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    assert found["bytes"] > 10_000
    assert found["pages"] >= 1


def test_the_timeline_is_filtered_by_keyboard(seen: dict[str, Any]) -> None:
    text, printed = seen["texts"]["timeline"]["text"], seen["printed"]["revision"]["text"]
    assert seen["texts"]["timeline"]["url"].endswith("kind=exception&by=#timeline")
    assert "by ann, ben" in text
    assert "Signed statement of decision" in text
    assert "came to reject" in printed
    assert "came to reject" not in text
    # all of it is on paper, in one order
    places = [
        printed.index(each)
        for each in (
            "by ann, ben",
            "ann approves",
            "sam was stopped, and asks for it",
            "came to reject",
            "seen here first",
        )
    ]
    assert places == sorted(places)


def test_the_inventory_and_many_at_once_by_keyboard(seen: dict[str, Any]) -> None:
    assert "org/good" in seen["texts"]["inventory"]["text"]
    assert "sam" in seen["texts"]["inventory"]["text"]
    assert "Built on meta-llama/Llama-3.1-8B-Instruct" in seen["texts"]["lineage"]["text"]
    assert "org/bad" in seen["texts"]["lineage"]["text"]
    assert "Vettings are asked for" in seen["texts"]["many"]["text"]


def test_the_keyboard_comes_to_the_page_first_and_is_seen(seen: dict[str, Any]) -> None:
    assert seen["keys"][0]["name"] == "Skip to the page"
    assert all(each["ring"] for each in seen["keys"]), seen["keys"]
    assert [each["name"] for each in seen["keys"][1:4]] == ["OpenVet", "Overview", "Models"]
