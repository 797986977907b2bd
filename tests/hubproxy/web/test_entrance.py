"""The ways in and out: invitation, login, logout, and what a session is held to."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from openvet.gate.roles import Right
from tests.hubproxy.api.conftest import SENTENCE
from tests.hubproxy.web.browser import Browser
from tests.hubproxy.web.conftest import Site

LONG = "another sentence about the sea"
TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_link_a_password_and_in(site: Site) -> None:
    _, secret = site.live.people.add("new.one", "New <One>")
    browser = site.browser()
    page = browser.get(f"/openvet/welcome?invitation={secret}")
    assert page.status == 200
    assert "Welcome, new.one" in page.text
    page = browser.submit("/welcome", password=LONG, again=LONG)
    assert (page.status, browser.at) == (200, "/openvet/account")
    assert "New <One>" in page.text
    assert "none yet" in page.text
    again = site.browser().get(f"/openvet/welcome?invitation={secret}")
    assert again.status == 404
    assert "used, or is too old" in again.text


def test_a_password_that_is_refused_leaves_the_link(site: Site) -> None:
    _, secret = site.live.people.add("new.one", "")
    browser = site.browser()
    browser.get(f"/openvet/welcome?invitation={secret}")
    page = browser.submit("/welcome", password=LONG, again=LONG + "s")
    assert (page.status, "not the same" in page.text) == (422, True)
    page = browser.submit("/welcome", password="short", again="short")
    assert (page.status, "at least 12 characters" in page.text) == (422, True)
    assert LONG not in page.html
    assert browser.submit("/welcome", password=LONG, again=LONG).status == 200
    site.browser("viewer").get("/openvet/account")
    assert site.browser().log_in("new.one", LONG).get("/openvet/account").status == 200


def test_a_link_that_was_never_made(site: Site) -> None:
    for secret in ("", "x" * 43, "é", "a" * 5000):
        page = site.browser().get("/openvet/welcome?" + urlencode({"invitation": secret}))
        assert page.status == 404
    page = site.browser().post("/openvet/welcome", {"invitation": "x" * 43, "password": LONG, "again": LONG})
    assert page.status == 403
    assert page.cookies == []


def test_who_is_not_logged_in_comes_back_after_the_login(site: Site) -> None:
    browser = site.browser()
    page = browser.get("/openvet/account?done=revoked")
    assert "Log in" in page.text
    page = browser.submit("/login", name="viewer", password=SENTENCE)
    assert (page.status, browser.at) == (200, "/openvet/account?done=revoked")
    assert "The token counts no more." in page.text


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "\\evil",
        "a//b",
        "account\r\nX: y",
        "logout",
        "javascript:alert(1)",
        "/account",
        "@evil",
    ],
)
def test_a_login_leads_nowhere_else(site: Site, wanted: str) -> None:
    fields = {"name": "viewer", "password": SENTENCE, "next": wanted}
    page = site.browser().post("/openvet/login", fields, follow=False)
    assert (page.status, page.goes) == (303, "/openvet/")


def test_a_wrong_password_tells_nothing_and_is_slowed_down(site: Site) -> None:
    browser = site.browser()
    browser.get("/openvet/login")
    told = set()
    for name in ("viewer", "who-is-not-there"):
        page = browser.submit("/login", name=name, password=LONG)
        assert page.status == 403
        told.add(page.text)
    assert len(told) == 1
    for _ in range(5):
        page = browser.submit("/login", name="viewer", password=LONG)
    page = browser.submit("/login", name="viewer", password=SENTENCE)
    assert page.status == 429
    assert page.headers["retry-after"] in {"1", "2"}
    assert (
        f"Try again in {'a second' if page.headers['retry-after'] == '1' else page.headers['retry-after'] + ' seconds'}."
        in page.text
    )
    assert "openvet_session" not in browser.jar
    site.live.now += 2000
    assert browser.submit("/login", name="viewer", password=SENTENCE).status == 200


def test_the_cookie(site: Site) -> None:
    page = site.browser().post("/openvet/login", {"name": "viewer", "password": SENTENCE}, follow=False)
    (cookie,) = page.cookies
    assert {each.strip().lower() for each in cookie.split(";")[1:]} == {"httponly", "samesite=strict", "path=/openvet"}


def test_the_cookie_behind_https(site: Site) -> None:
    behind = Site(site.live, secure=True)
    try:
        page = behind.browser().post("/openvet/login", {"name": "viewer", "password": SENTENCE}, follow=False)
        assert "; secure" in page.cookies[0].lower()
    finally:
        behind.stop()


def test_a_session_that_somebody_set_before_is_none_afterwards(site: Site) -> None:
    """Session fixation: the login makes a new secret, and the old one counts no more."""
    browser = site.browser("viewer")
    before = browser.jar["openvet_session"]
    browser.get("/openvet/login")
    browser.submit("/login", name="submitter", password=SENTENCE)
    assert browser.jar["openvet_session"] != before
    other = site.browser()
    other.jar["openvet_session"] = before
    assert "Log in" in other.get("/openvet/account").text
    other.jar["openvet_session"] = "chosen by somebody else"
    other.get("/openvet/login")
    other.submit("/login", name="viewer", password=SENTENCE)
    assert other.jar["openvet_session"] != "chosen by somebody else"


def test_logging_out_ends_the_session_here_too(site: Site) -> None:
    browser = site.browser("viewer")
    kept = browser.jar["openvet_session"]
    browser.get("/openvet/account")
    page = browser.submit("/logout")
    assert "You are logged out." in page.text
    assert browser.jar == {}
    browser.jar["openvet_session"] = kept
    assert "Log in" in browser.get("/openvet/account").text


def test_a_session_ends_by_itself(site: Site) -> None:
    browser = site.browser("viewer")
    site.live.now += 2 * 3_600_000 + 1
    assert "Log in" in browser.get("/openvet/account").text
    browser = site.browser("viewer")
    site.live.people.disable(site.person("viewer"))
    assert "Log in" in browser.get("/openvet/account").text


def test_another_page_cannot_send_our_forms(site: Site) -> None:
    browser = site.browser("submitter")
    good: dict[str, object] = {**browser.get("/openvet/account").form("/tokens"), "title": "x"}
    here = f"http://127.0.0.1:{site.port}"
    refused: list[tuple[dict[str, object], dict[str, str]]] = [
        (dict(good, form="wrong"), {}),
        ({name: value for name, value in good.items() if name != "form"}, {}),
        (good, {"Origin": "https://evil.example"}),
        (good, {"Origin": "null"}),
        (good, {"Sec-Fetch-Site": "cross-site"}),
        (good, {"Sec-Fetch-Site": "same-site", "Origin": here}),
        (dict(good, form=site.browser("viewer").get("/openvet/account").form("/tokens")["form"]), {}),
    ]
    for fields, headers in refused:
        page = browser.post("/openvet/account/tokens", fields, headers)
        assert page.status == 403, headers
        assert "did not come from a page of ours" in page.text
    for path in ("login", "welcome"):  # nobody is made to log in as somebody else, either
        page = site.browser().post(
            f"/openvet/{path}", {"name": "viewer", "password": SENTENCE}, {"Origin": "https://evil.example"}
        )
        assert (page.status, page.cookies) == (403, [])
    with site.live.database.reading() as connection:
        from openvet.store.people import list_tokens

        assert [each.title for each in list_tokens(connection)].count("x") == 0
    assert browser.post("/openvet/account/tokens", good, {"Sec-Fetch-Site": "same-origin"}).status == 200


@pytest.mark.parametrize("number", ["9" * 17, "9" * 5000, "0", "-1", "\u0661"])
def test_an_address_with_no_number_of_ours_is_no_page(site: Site, number: str) -> None:
    browser = site.browser("viewer")
    for each in (f"/openvet/requests/{quote(number)}", f"/openvet/log/{quote(number)}/statement.json"):
        page = browser.get(each)
        assert (
            page.status,
            "is not here" in page.text
            or "of that number" in page.text
            or "no request" in page.text
            or "no decision" in page.text,
        ) == (404, True)


def test_bodies_that_are_no_forms(site: Site) -> None:
    browser = site.browser("viewer")
    for body, headers in (
        (b"{}", {"Content-Type": "application/json"}),
        (b"a=b", {}),
        (b"a=" + b"b" * 300_000, TYPE),
        (b"&".join([b"a=b"] * 3000), TYPE),
        (b"a=\xff\xfe", TYPE),
    ):
        page = browser.send("POST", "/openvet/account/tokens", body, headers)
        assert page.status == 400, body[:20]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_every_answer_has_its_headers(site: Site) -> None:
    browser = site.browser("viewer")
    pages = [
        browser.get("/openvet/account"),
        browser.get("/openvet/login"),
        browser.get("/openvet/nothing/here"),
        browser.get("/openvet/", follow=False),
        browser.send("PUT", "/openvet/login"),
        browser.send("POST", "/openvet/login"),
        browser.get("/openvet/account?" + "&".join(["a=b"] * 3000)),
        site.browser().get("/openvet/account", follow=False),
    ]
    assert [each.status for each in pages] == [200, 200, 404, 200, 405, 400, 400, 303]
    for each in pages:
        policy = each.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert each.headers["x-content-type-options"] == "nosniff"
        assert each.headers["referrer-policy"] == "same-origin"
        assert each.headers["cache-control"] == "no-store"
        assert {tag for tag, _ in each.read.elements}.isdisjoint({"script", "style", "iframe", "object", "base"})
        assert all(not name.startswith("on") and name != "style" for _, values in each.read.elements for name in values)
    assert pages[4].headers["allow"] == "GET, HEAD, POST"


def test_the_style_sheet_is_kept_by_its_name(site: Site) -> None:
    browser = site.browser()
    page = browser.get("/openvet/login")
    (href,) = [values["href"] for tag, values in page.read.elements if tag == "link"]
    sheet = browser.get(str(href))
    assert sheet.status == 200
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet.headers["cache-control"]
    assert b":focus-visible" in sheet.body
    assert b"url(" not in sheet.body
    assert b"@import" not in sheet.body
    assert browser.get("/openvet/style-0000000000000000.css").status == 404


def test_the_api_takes_the_same_session(site: Site) -> None:
    browser = site.browser("viewer")
    answer = browser.send("GET", "/openvet/v1/me")
    assert answer.status == 200
    assert b'"name":"viewer"' in answer.body
    assert browser.send("POST", "/openvet/v1/tokens", b"{}", {"Content-Type": "application/json"}).status == 403


def _tokens(browser: Browser) -> list[str]:
    page = browser.get("/openvet/account")
    return [action for action in page.read.actions if action.endswith("/revocation")]


def test_a_token_is_shown_once_and_works(site: Site) -> None:
    browser = site.browser("submitter")
    mine = _tokens(browser)
    page = browser.submit("/tokens", title="laptop <b>", days="30", project="/vision")
    assert page.status == 200
    (text,) = {each for each in page.read.text.split() if each.startswith("ovt_") and len(each) == 44}
    assert f"HF_TOKEN={text}" in page.text
    assert f"HF_ENDPOINT=http://127.0.0.1:{site.port}" in page.text
    found = site.live.people.by_token(text)
    assert found.person.name == "submitter"
    assert found.rights_in("/vision") == {Right.SEE, Right.PULL, Right.ASK}
    assert text not in browser.get("/openvet/account").html
    assert "laptop <b>" in browser.get("/openvet/account").text
    new = next(each for each in _tokens(browser) if each not in mine)
    page = browser.submit(new)
    assert "The token counts no more." in page.text
    assert _tokens(browser) == mine
    assert browser.post(new, {"form": page.form("/tokens")["form"]}).status == 409
    with pytest.raises(Exception, match="revoked"):
        site.live.people.by_token(text)


def test_tokens_that_are_refused(site: Site) -> None:
    browser = site.browser("viewer")
    for changed, told in (
        ({"right": []}, "say what the token is for"),
        ({"days": "400"}, "1 to 366 days"),
        ({"days": "many"}, "for how many days"),
        ({"right": ["everything"]}, "cannot be for that"),
        ({"project": "/none"}, "no project /none"),
        ({"project": "../x"}, "a project is a path"),
    ):
        browser.get("/openvet/account")
        page = browser.submit("/tokens", **changed)
        assert page.status == 422
        assert told.lower() in page.text.lower()
        assert page.form("/tokens")


def test_nobody_ends_the_tokens_of_others(site: Site) -> None:
    other = _tokens(site.browser("submitter"))[0]
    browser = site.browser("viewer")
    form = browser.get("/openvet/account").form("/tokens")["form"]
    assert browser.post(other, {"form": form}).status == 404
    assert _tokens(site.browser("submitter")) == [other]
    assert browser.post("/openvet/account/tokens/99999999999999999999/revocation", {"form": form}).status == 404
