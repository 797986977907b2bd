"""Requests in a browser: from a blocked pull to the decision, one by one and many at once."""

from __future__ import annotations

from openvet.gate.roles import Role
from openvet.store import requests as rows
from openvet.store.revisions import FileRow, add_revision
from tests.hubproxy.web.conftest import Site

DAY = 24 * 3_600_000


def blocked(site: Site, name: str | None = "submitter", project: str = "/vision") -> int:
    """A pull of somebody was stopped; the number of what became of it."""
    with site.live.database.writing() as connection:
        person = None if name is None else site.person(name).id
        return rows.count_block(connection, 1, project, person, "hf_hub/2.4.0", site.live.now)[0]


def policy(site: Site, outcome: str, reason: str = "os.system runs on load") -> None:
    with site.live.database.writing() as connection:
        site.live.decide(connection, 1, "policy", outcome, reason=reason, by="policy")


def state(site: Site, number: int) -> str:
    with site.live.database.reading() as connection:
        found = rows.find_request(connection, number)
    assert found is not None
    return found.state


def asked(site: Site, purpose: str = "read receipts") -> int:
    number = blocked(site)
    browser = site.browser("submitter")
    browser.get(f"/openvet/requests/{number}")
    assert browser.submit("/purpose", purpose=purpose).status == 200
    return number


def test_from_a_blocked_pull_to_an_approval(site: Site) -> None:
    policy(site, "review")
    number = blocked(site)
    asker = site.browser("submitter")
    page = asker.get(f"/openvet/requests/{number}")
    assert "Blocked" in page.text
    assert "os.system runs on load" in page.text
    assert "hf_hub/2.4.0" in page.text
    assert not any(each.endswith("/approval") for each in page.read.actions)
    page = asker.submit("/purpose", purpose="read receipts\nof one shop", environment="a laptop", until="2026-12-24")
    assert "Whoever may decide sees it now." in page.text
    assert "read receipts of one shop" in page.text
    assert "2026-12-24" in page.text

    reviewer = site.browser("reviewer")
    reviewer.get(f"/openvet/requests/{number}")
    page = reviewer.submit("/comments", text="looks <i>fine</i> to me", says="for")
    assert "reviewer recommends it" in page.text
    assert "looks <i>fine</i> to me" in page.text
    assert not any(each.endswith("/approval") for each in page.read.actions)

    approver = site.browser("approver")
    page = approver.get("/openvet/requests")
    assert "org/tiny" in page.text
    approver.get(f"/openvet/requests/{number}")
    page = approver.submit("/approval", reason="", until="")
    assert (page.status, "reason is missing" in page.text) == (422, True)
    page = approver.submit("/approval", reason="it only counts", conditions="no customer data", until="2027-01-31")
    assert page.status == 200, page.text
    assert "Approved: it may be pulled in this project" in page.text
    assert "approver approves" in page.text
    assert "On condition: no customer data" in page.text
    assert "Until 2027-01-31" in page.text
    assert "Admitted in /vision." in page.text
    assert state(site, number) == "approved"
    assert not any(each.endswith(("/approval", "/decline")) for each in page.read.actions)


def test_an_approval_that_ends_soon_is_shown_before_it_does(site: Site) -> None:
    policy(site, "review")
    approver = site.browser("approver")
    numbers = []
    for until, shown in (("2027-01-31", False), ("2026-12-20", True)):
        numbers.append(asked(site))
        approver.get(f"/openvet/requests/{numbers[-1]}")
        assert approver.submit("/approval", reason="for a while", until=until).status == 200
        assert ("org/tiny" in approver.get("/openvet/requests?state=ending").text) == shown
        assert ("Approved, and ends soon" in approver.get("/openvet/").text) == shown
    found = site.live.ask("GET", "/requests?ending=30", as_="approver").json["items"]
    assert [each["id"] for each in found] == numbers[1:]
    assert site.live.ask("GET", "/requests?ending=10", as_="approver").json["items"] == []


def test_an_exception_takes_a_day_and_two_people(site: Site) -> None:
    policy(site, "reject")
    number = asked(site)
    site.live.add("approver2", (Role.APPROVER, "/vision"))
    first = site.browser("approver")
    page = first.get(f"/openvet/requests/{number}")
    assert "which takes 2 people and ends on a day" in page.text
    page = first.submit("/approval", reason="we need it", until="")
    assert (page.status, "say until which day" in page.text) == (422, True)
    assert page.form("/approval")["reason"] == ["we need it"]
    page = first.submit("/approval", reason="we need it", until="2026-12-24")
    assert "It takes more people" in page.text
    assert "1 more has to approve" in page.text
    assert state(site, number) == "asked"
    assert "Refused in /vision." in page.text
    second = site.browser("approver2")
    second.get(f"/openvet/requests/{number}")
    page = second.submit("/approval", reason="I agree", until="2026-12-20")
    assert "Approved" in page.text
    assert state(site, number) == "approved"


def test_nobody_approves_what_they_asked_for(site: Site) -> None:
    number = asked(site)
    with site.live.database.writing() as connection:
        from openvet.store.people import give_role

        give_role(connection, site.person("submitter").id, "/vision", Role.APPROVER, "test", 1)
    browser = site.browser("submitter")
    page = browser.get(f"/openvet/requests/{number}")
    assert not any(each.endswith("/approval") for each in page.read.actions)
    assert "Somebody else has to approve" in page.text
    form = page.form("/comments")["form"]
    page = browser.post(f"/openvet/requests/{number}/approval", {"form": form, "reason": "mine"})
    assert (page.status, "somebody else has to approve it" in page.text) == (403, True)
    assert state(site, number) == "asked"


def test_withdrawing_and_declining(site: Site) -> None:
    number = asked(site)
    approver = site.browser("approver")
    approver.get(f"/openvet/requests/{number}")
    page = approver.submit("/decline", reason="use the other one")
    assert "approver declines" in page.text
    assert state(site, number) == "declined"
    page = approver.post(
        f"/openvet/requests/{number}/decline", {"form": page.form("/comments")["form"], "reason": "again"}
    )
    assert (page.status, "declined already" in page.text) == (409, True)
    number = asked(site)
    asker = site.browser("submitter")
    asker.get(f"/openvet/requests/{number}")
    assert "Withdrawn." in asker.submit("/withdrawal").text
    assert state(site, number) == "withdrawn"


def test_a_pull_of_nobody_known_is_asked_for_by_somebody(site: Site) -> None:
    number = blocked(site, None)
    browser = site.browser("submitter")
    page = browser.get(f"/openvet/requests/{number}")
    assert "nobody known" in page.text
    page = browser.submit("/purpose", purpose="it was me")
    assert browser.at != f"/openvet/requests/{number}?done=asked"
    assert "it was me" in page.text
    assert "submitter" in page.text


def test_who_may_not_see_a_request_is_told_that_there_is_none(site: Site) -> None:
    number = blocked(site, "submitter", "/vision")
    for who in ("nobody",):
        browser = site.browser(who)
        page = browser.get(f"/openvet/requests/{number}")
        assert page.status == 404
        assert "org/tiny" not in page.html
        missing = browser.get("/openvet/requests/999999")
        assert missing.status == 404
        assert missing.text.replace("999999", str(number)) == page.text
        form = browser.get("/openvet/account").form("/logout")["form"]
        for end in ("purpose", "approval", "decline", "withdrawal", "comments"):
            page = browser.post(
                f"/openvet/requests/{number}/{end}", {"form": form, "reason": "x", "text": "x", "purpose": "x"}
            )
            assert page.status in {403, 404}
            assert "org/tiny" not in page.html
    assert state(site, number) == "blocked"


def test_the_list_is_filtered_and_turned(site: Site) -> None:
    with site.live.database.writing() as connection:
        for at in range(120):
            number = add_revision(
                connection, "model", f"org/m{at:03d}", f"{at + 1:040x}", "up", "{}", [FileRow("a", 1, "0" * 40)], at
            )
            rows.add_request(
                connection, number, "/vision", None, "asked" if at % 2 else "blocked", at, purpose=f"for {at}"
            )
    browser = site.browser("viewer")
    page = browser.get("/openvet/requests")
    assert page.text.count("org/m") == 50
    assert "org/m119" in page.text
    older = next(
        str(values["href"]) for tag, values in page.read.elements if tag == "a" and "before=" in str(values.get("href"))
    )
    page = browser.get(older)
    assert "org/m069" in page.text
    assert "org/m119" not in page.text
    assert "The newest" in page.text
    page = browser.get("/openvet/requests?state=asked&search=M01")
    assert [each for each in page.text.split() if each.startswith("org/")] == [
        f"org/m0{at}" for at in (19, 17, 15, 13, 11)
    ]
    assert "There is none like that." in browser.get("/openvet/requests?state=approved").text
    assert browser.get("/openvet/requests?state=nonsense&before=x&search=%00").status == 200


def test_many_at_once(site: Site) -> None:
    with site.live.database.writing() as connection:
        numbers = []
        for at in range(4):
            revision = add_revision(
                connection, "model", f"org/m{at}", f"{at + 1:040x}", "up", "{}", [FileRow("a", 1, "0" * 40)], at
            )
            project = "/text" if at == 3 else "/vision"
            numbers.append(rows.add_request(connection, revision, project, None, "asked", at, purpose="x"))
            if at == 2:
                site.live.decide(connection, revision, "policy", "reject", reason="no", by="policy")
    browser = site.browser("approver")
    page = browser.get("/openvet/requests?state=asked&search=org")
    offered = [values["value"] for tag, values in page.read.elements if values.get("name") == "request"]
    assert offered == [str(each) for each in reversed(numbers[:3])]
    assert browser.submit("search=org", decision="approve", reason="fine").status == 422  # nothing chosen
    page = browser.submit("search=org", decision="approve", reason="fine", request=numbers)
    assert page.status == 422
    assert "Not all of it was done." in page.text
    assert f"Request {numbers[2]}: policy rejects this" in page.text
    assert f"Request {numbers[3]}: there is no request" in page.text
    assert [state(site, each) for each in numbers] == ["approved", "approved", "asked", "asked"]
    browser.get("/openvet/requests?state=asked&search=org")
    page = browser.submit("search=org", decision="decline", reason="no", request=[numbers[2]])
    assert "Done." in page.text
    assert state(site, numbers[2]) == "declined"
    assert browser.at.startswith("/openvet/requests?")
    assert "search=org" in browser.at


def test_days_that_are_none(site: Site) -> None:
    number = asked(site)
    browser = site.browser("approver")
    browser.get(f"/openvet/requests/{number}")
    for day in ("tomorrow", "2026-13-01", "9999-12-31", "2020-01-01", "2028-01-01"):
        page = browser.submit("/approval", reason="fine", until=day)
        assert page.status == 422, day
        assert state(site, number) == "asked"
