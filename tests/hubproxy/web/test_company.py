"""Logins at a provider that lies: what counts, what does not, and what is left behind."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from openvet.gate import provider as provider_module
from openvet.gate.company import CompanyLogin
from openvet.gate.provider import GroupRole, ProviderSettings
from openvet.gate.roles import Role
from openvet.store import people as rows
from tests.hubproxy.api.conftest import PROVIDER, SENTENCE, Live
from tests.hubproxy.web.browser import Browser, Page
from tests.hubproxy.web.conftest import Site
from tests.hubproxy.web.liar import SECRET, Liar

BACK = "/openvet/login/oidc/callback"


class Joined:
    """The pages with a provider."""

    def __init__(self, live: Live, **changed: Any) -> None:
        self.liar = Liar(lambda: live.now)
        usual = ProviderSettings(
            self.liar.issuer, "openvet", SECRET, name="Acme", groups_claim="groups", roles=(GroupRole("ml", Role.APPROVER, "/vision"), GroupRole("ops", Role.ADMIN)),
        )  # fmt: skip
        self.settings = replace(usual, **changed)
        self.live = live
        live.people.company = self.settings
        self.site = Site(
            live, company=lambda at: CompanyLogin(self.settings, live.people, live.database, lambda: live.now, at)
        )

    def stop(self) -> None:
        self.site.stop()
        self.liar.stop()

    def come(self, browser: Browser | None = None, **changed: str) -> Page:
        """Somebody goes to the provider and comes back."""
        browser = browser or self.site.browser()
        there = browser.get("/openvet/login/oidc", follow=False)
        if there.status != 303:
            return there
        return browser.get(self.liar.consent(there.goes, **changed), follow=False)

    def roles(self, name: str = "zoe") -> dict[tuple[str, str], str]:
        with self.live.database.reading() as connection:
            found = rows.find_person(connection, name)
            return (
                {}
                if found is None
                else {(each.role, each.project): each.by for each in rows.roles_of(connection, found.id)}
            )


@pytest.fixture
def joined(live: Live) -> Iterator[Joined]:
    made = Joined(live)
    yield made
    made.stop()


def refused(page: Page, *words: str) -> None:
    assert page.status in {403, 502}, page.text
    assert not any("openvet_session" in each for each in page.cookies)
    for each in words:
        assert each in page.text


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_there_and_back(joined: Joined, algorithm: str) -> None:
    joined.liar.algorithm = joined.liar.kid = algorithm
    browser = joined.site.browser()
    page = browser.get("/openvet/account?done=revoked")
    (link,) = [
        values["href"] for tag, values in page.read.elements if tag == "a" and "login/oidc" in str(values.get("href"))
    ]
    there = browser.get(str(link), follow=False)
    (cookie,) = there.cookies
    assert {each.strip().lower() for each in cookie.split(";")[1:]} == {
        "httponly",
        "samesite=lax",
        "path=/openvet/login/oidc",
        "max-age=600",
    }
    asked = parse_qs(urlsplit(there.goes).query)
    assert asked["redirect_uri"] == [f"http://127.0.0.1:{joined.site.port}{BACK}"]
    assert asked["scope"] == ["openid profile email"]
    page = browser.get(joined.liar.consent(there.goes), follow=False)
    assert page.status == 200
    (onward,) = [values["content"] for tag, values in page.read.elements if values.get("http-equiv") == "refresh"]
    assert onward == "0; url=/openvet/account?done=revoked"
    assert "openvet_oidc" not in browser.jar
    page = browser.get("/openvet/account")
    assert "Zoe Adams" in page.text
    assert "Logs in atAcme" in page.text
    form = page.form("/logout")["form"][0]
    assert browser.get("/openvet/v1/me").status == 200
    assert json.loads(browser.get("/openvet/v1/me").body)["issuer"] == joined.liar.issuer
    page = browser.post("/openvet/logout", {"form": form})
    assert "You are logged out." in page.text  # this provider has no way to log out there


FALSE: dict[str, dict[str, Any]] = {
    "iss": {"iss": "https://another.example"},
    "aud": {"aud": "somebody-else"},
    "no-aud": {"aud": None},
    "azp": {"azp": "somebody-else"},
    "more-aud": {"aud": ["openvet", "somebody-else"]},
    "aud-kind": {"aud": ["openvet", 7], "azp": "openvet"},
    "exp": {"exp": 1_795_867_200 - 61},
    "no-exp": {"exp": None},
    "exp-kind": {"exp": "9999999999"},
    "iat": {"iat": 1_795_867_200 + 61},
    "old": {"iat": 1_795_867_200 - 601},
    "nbf": {"nbf": 1_795_867_200 + 61},
    "nonce": {"nonce": "of another login"},
    "no-nonce": {"nonce": None},
    "no-sub": {"sub": None},
    "sub": {"sub": "a\nb"},
    "long-sub": {"sub": "a" * 256},
}


#: Why, where the name of a case does not say it.
WHY = {"no-aud": "aud", "more-aud": "azp", "aud-kind": "aud", "no-exp": "exp", "exp-kind": "exp", "old": "iat", "no-nonce": "nonce", "no-sub": "sub", "long-sub": "sub"}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_a_token_that_says_something_else(joined: Joined, name: str, caplog: pytest.LogCaptureFixture) -> None:
    joined.liar.claims.update(FALSE[name])
    refused(joined.come(), "Acme cannot be used to log in")
    assert f"nobody was let in by Acme ({WHY.get(name, name)})" in caplog.text
    assert joined.roles() == {}
    with joined.live.database.reading() as connection:
        assert rows.find_person(connection, "zoe") is None


def _other_rsa(liar: Liar) -> None:
    liar.private["RS256"] = rsa.generate_private_key(65537, 2048)


def _set(**values: Any) -> Any:
    return lambda liar: liar.__dict__.update(values)


def _body(liar: Liar) -> None:
    def forge(token: str) -> str:
        head, body, end = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        return ".".join(
            [head, base64.urlsafe_b64encode(json.dumps({**claims, "sub": "admin"}).encode()).decode().rstrip("="), end]
        )

    liar.forge = forge


def _weak(liar: Liar) -> None:
    liar.private["RS256"] = rsa.generate_private_key(65537, 1024)
    liar.keys = [liar.published("RS256")]


LIES: dict[str, Any] = {
    "none": _set(algorithm="none", kid=None),
    "HS256 with the public key": _set(algorithm="HS256"),
    "another key": _other_rsa,
    "an unknown kid": _set(kid="x"),
    "the kid of another kind": _set(kid="ES256"),
    "a key for encryption": lambda liar: liar.keys[0].update(use="enc"),
    "a key of another algorithm": lambda liar: liar.keys[0].update(alg="RS512"),
    "a weak key": _weak,
    "crit": _set(header={"crit": ["b64"]}),
    "a changed body": _body,
    "no signature": _set(forge=lambda token: token.rpartition(".")[0] + "."),
    "no token": _set(forge=lambda token: "a.b"),
    "a huge token": _set(forge=lambda token: token + "a" * 70_000),
    "no list of keys": _set(pages={"/keys": (200, {}, b"[]")}),
    "huge keys": _set(pages={"/keys": (200, {}, b'{"keys": [' + b" " * 300_000 + b"]}")}),
    "many keys": _set(keys=[{}] * 101),
    "keys elsewhere": _set(pages={"/keys": (302, {"Location": "/elsewhere"}, b"")}),
    "a token elsewhere": _set(pages={"/token": (307, {"Location": "/elsewhere"}, b"")}),
    "a fault": _set(pages={"/token": (500, {}, b"<h1>no</h1>")}),
    "a token twice": _set(pages={"/token": (200, {}, b'{"id_token": "a", "id_token": "b"}')}),
    "another's userinfo": lambda liar: [liar.claims.update(sub="s-2"), liar.__dict__.update(userinfo={"sub": "s-1", "groups": ["ops"]})],
    "groups elsewhere": lambda liar: [liar.__dict__.update(userinfo={"sub": "s-1"}), liar.claims.update(_claim_names={"groups": "src1"})],
}  # fmt: skip


#: Why each is refused.
LIE_WHY = ["alg", "alg", "signature", "kid", "kid", "kid", "kid", "kid", "token", "signature", "signature", "token", "token", "json", "unreachable", "keys",
           "refused", "refused", "refused", "json", "userinfo", "groups"]  # fmt: skip


@pytest.mark.parametrize(("name", "why"), list(zip(LIES, LIE_WHY, strict=True)))
def test_a_token_that_does_not_count(joined: Joined, name: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    joined.liar.claims["groups"] = ["ops"]
    if "elsewhere" in name or "userinfo" in name:
        del joined.liar.claims["groups"]
    LIES[name](joined.liar)
    refused(joined.come(), "Acme cannot be used to log in")
    assert f"nobody was let in by Acme ({why})" in caplog.text
    assert joined.roles() == {}
    assert "/elsewhere" not in joined.liar.asked


def test_keys_that_change_are_fetched_once_more_and_not_more(joined: Joined) -> None:
    assert joined.come().status == 200
    joined.live.now += 60_000
    _other_rsa(joined.liar)
    joined.liar.keys = [{**joined.liar.published("RS256"), "kid": "new"}]
    joined.liar.kid = "new"
    assert joined.come().status == 200
    assert joined.liar.asked["/keys"] == 2
    joined.liar.kid = "never"
    for _ in range(3):
        refused(joined.come(), "a key that it does not publish")
    assert joined.liar.asked["/keys"] == 2
    joined.live.now += 60_000
    refused(joined.come())
    assert joined.liar.asked["/keys"] == 3


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": "http://login.example/token"},
        {"token_endpoint": "https://login.example/a b"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "https://u:p@login.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_description_that_does_not_count(joined: Joined, lie: dict[str, Any]) -> None:
    joined.liar.document = lie
    page = joined.site.browser().get("/openvet/login/oidc", follow=False)
    refused(page, "Acme cannot be used to log in")
    assert page.goes == ""


def test_another_browser_another_login_and_twice(joined: Joined) -> None:
    one, two = joined.site.browser(), joined.site.browser()
    back = joined.liar.consent(one.get("/openvet/login/oidc", follow=False).goes)
    refused(two.get(back, follow=False), "did not begin a login here")
    two.get("/openvet/login/oidc", follow=False)
    refused(two.get(back, follow=False), "belongs to another login")
    kept = dict(one.jar)
    assert one.get(back, follow=False).status == 200
    one.jar = dict(kept)
    refused(one.get(back, follow=False), "used already")
    again = joined.liar.consent(one.get("/openvet/login/oidc", follow=False).goes)
    joined.live.now += 10 * 60_000 + 1
    refused(one.get(again, follow=False), "longer than 10 minutes")
    # a code of another login, put into one's own
    three = joined.site.browser()
    there = three.get("/openvet/login/oidc", follow=False).goes
    mine, other = joined.liar.consent(there), joined.liar.consent(two.get("/openvet/login/oidc", follow=False).goes)
    stolen = parse_qs(urlsplit(other).query)["code"][0]
    refused(three.get(mine.replace(parse_qs(urlsplit(mine).query)["code"][0], stolen), follow=False), "invalid_grant")
    for cookie in ("", "x", "9" * 13 + "." + "a" * 32 + ".", "\xe9" * 9, "a" * 5000):
        three.jar = {"openvet_oidc": cookie}
        refused(three.get(f"{BACK}?state=&code=x", follow=False))
    three.get("/openvet/login/oidc", follow=False)
    refused(three.get(f"{BACK}?state=a&state=b&code=x", follow=False), "says a thing twice")


def test_an_answer_of_another_provider(joined: Joined) -> None:
    refused(joined.come(iss="https://another.example"), "not one of Acme")
    assert "/token" not in joined.liar.asked
    assert joined.come(iss=joined.liar.issuer).status == 200
    joined.live.now += 3_600_001
    joined.liar.document = {"authorization_response_iss_parameter_supported": True}
    refused(joined.come(), "not one of Acme")
    refused(joined.come(error="access_denied", code="", iss=joined.liar.issuer), "did not let you in: access_denied")
    page = joined.come(error="<script>", error_description="call 555", code="", iss=joined.liar.issuer)
    refused(page, "no reason that can be read")
    assert "555" not in page.html
    assert "<script" not in page.html


def test_a_provider_that_is_away(joined: Joined) -> None:
    joined.liar.stop()
    page = joined.site.browser().get("/openvet/login/oidc", follow=False)
    refused(page, "Try again in a minute", "Or by a password of this server")
    assert page.status == 502
    assert joined.site.browser("viewer").get("/openvet/account").status == 200


def test_a_provider_that_gives_a_byte_now_and_then(joined: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "_WHOLE", 0.5)
    joined.liar.drip = True
    refused(joined.site.browser().get("/openvet/login/oidc", follow=False), "no answer in 0.5 s")


def test_who_somebody_is(joined: Joined) -> None:
    joined.liar.claims["preferred_username"] = "viewer"  # the name of somebody who has a password here
    refused(joined.come(), "The name viewer is another account's here", "You are s-1 at Acme")
    assert joined.roles("viewer") == {("viewer", "/vision"): "test"}
    joined.live.people.connect(joined.site.person("viewer"), "s-1")
    assert joined.come().status == 200
    joined.liar.claims["preferred_username"] = "another-name"
    browser = joined.site.browser()
    assert joined.come(browser).status == 200
    assert "viewer" in browser.get("/openvet/account").text
    joined.liar.claims.update(sub="s-2", preferred_username="viewer", email="viewer@example.com")
    refused(joined.come(), "another account's")
    joined.liar.claims.update(preferred_username="<B> \u00c9mile/..")
    assert joined.come().status == 200
    assert joined.site.person("b---mile").subject == f"{joined.liar.issuer} s-2"
    joined.live.people.disable(joined.site.person("viewer"))
    joined.liar.claims.update(sub="s-1")
    refused(joined.come(), "lets you in no more")


def test_a_new_session_each_time(joined: Joined) -> None:
    browser = joined.site.browser()
    browser.jar["openvet_session"] = "chosen by somebody else"
    assert joined.come(browser).status == 200
    first = browser.jar["openvet_session"]
    assert first != "chosen by somebody else"
    assert joined.come(browser).status == 200
    other = joined.site.browser()
    other.jar["openvet_session"] = first
    assert "Log in" in other.get("/openvet/account").text


def test_roles_come_and_go_with_groups(joined: Joined) -> None:
    joined.liar.userinfo = {"sub": "s-1", "groups": ["ml", "ops", "unknown"]}  # a provider may tell groups there alone
    joined.come()
    assert joined.roles() == {("approver", "/vision"): "group ml", ("admin", "/"): "group ops"}
    admin = joined.site.browser("root")
    page = admin.get(f"/openvet/people/{joined.site.person('zoe').id}")
    assert "by the group ml" in page.text
    listed = joined.live.ask("GET", "/roles?project=/vision", as_="root").json["items"]
    assert {each["role"]: each["group"] for each in listed if each["name"] == "zoe"} == {
        "admin": "ops",
        "approver": "ml",
    }
    # what an admin gives by hand stays, also where a group had given it
    for role in ("approver", "auditor"):
        assert (
            joined.live.ask("PUT", "/roles", {"name": "zoe", "project": "/vision", "role": role}, as_="root").status
            == 204
        )
    joined.liar.userinfo["groups"] = []
    joined.come()
    assert joined.roles() == {("approver", "/vision"): "root", ("auditor", "/vision"): "root"}
    joined.liar.userinfo["groups"] = ["ml"]
    joined.come()
    assert joined.roles()[("approver", "/vision")] == "root"
    joined.liar.claims["groups"] = "ops"  # one alone may be a text; what the token says counts before the rest
    joined.come()
    assert joined.roles()[("admin", "/")] == "group ops"
    assert joined.live.ask("DELETE", "/people/zoe/identity", as_="root").status == 204
    assert ("admin", "/") not in joined.roles()


def test_nobody_is_made_where_nobody_shall_be(live: Live) -> None:
    joined = Joined(live, create=False)
    try:
        refused(joined.come(), "nobody here is connected with that", "You are s-1 at Acme")
        admin = joined.site.browser("root")
        admin.get(f"/openvet/people/{joined.site.person('nobody').id}")
        assert "They are who the provider says" in admin.submit("/identity", subject="s-1").text
        browser = joined.site.browser()
        assert joined.come(browser).status == 200
        assert "nobody" in browser.get("/openvet/account").text
        assert joined.live.ask("PUT", "/people/viewer/identity", {"subject": "s-1"}, as_="root").status == 409
    finally:
        joined.stop()


def test_passwords_that_count_no_more(live: Live) -> None:
    live.people.company = None
    before = live.people.invite(live.add("late"))
    joined = Joined(live, only=True)
    try:
        page = joined.site.browser().get("/openvet/login")
        assert 'type="password"' not in page.html
        page = joined.site.browser().post("/openvet/login", {"name": "root", "password": SENTENCE}, follow=False)
        refused(page, "log in by Acme")
        assert joined.site.browser().get(f"/openvet/welcome?invitation={before}").status == 404
        refused(
            joined.site.browser().post(
                "/openvet/welcome", {"invitation": before, "password": SENTENCE, "again": SENTENCE}
            )
        )
        assert live.ask("POST", "/people", {"name": "new"}, as_="root").json["link"] is None
        assert live.ask("POST", "/people/new/invitation", as_="root").status == 409
        assert joined.come().status == 200
        browser = joined.site.browser()
        browser.get(f"/openvet/welcome?invitation={live.people.recover('root')}")
        assert browser.submit("/welcome", password=SENTENCE, again=SENTENCE).status == 200
        assert browser.get("/openvet/people").status == 200
        for name in ("viewer", "admin", "who"):
            with pytest.raises(Exception, match="no admin of the root project"):
                live.people.recover(name)
    finally:
        joined.stop()


def test_where_passwords_count_no_more_those_who_came_by_one_are_out(live: Live) -> None:
    live.people.company = None
    by_password = live.people.log_in("viewer", SENTENCE, "127.0.0.1").secret
    joined = Joined(live, only=True)
    try:
        browser = joined.site.browser()
        assert joined.come(browser).status == 200
        by_provider = browser.jar["openvet_session"]
        live.people.begin()  # as every start does
        assert live.people.by_session(by_password) is None
        assert live.people.by_session(by_provider) is not None
    finally:
        joined.stop()
    live.people.company = PROVIDER
    by_password = live.people.log_in("viewer", SENTENCE, "127.0.0.1").secret
    live.people.begin()
    assert live.people.by_session(by_password) is not None  # where both ways lead in, a start ends nothing


def test_out_here_and_there(live: Live) -> None:
    joined = Joined(live)
    joined.liar.document = {"end_session_endpoint": f"{joined.liar.issuer}/out?a=b"}
    try:
        browser = joined.site.browser()
        joined.come(browser)
        kept = browser.jar["openvet_session"]
        browser.get("/openvet/account")
        page = browser.submit("/logout")
        assert page.status == 200
        (onward,) = [values["content"] for tag, values in page.read.elements if values.get("http-equiv") == "refresh"]
        url = str(onward).removeprefix("0; url=")
        assert url.startswith(f"{joined.liar.issuer}/out?a=b&")
        assert parse_qs(urlsplit(url).query)["post_logout_redirect_uri"] == [
            f"http://127.0.0.1:{joined.site.port}/openvet/login"
        ]
        browser.jar["openvet_session"] = kept
        assert "Log in" in browser.get("/openvet/account").text
        browser = joined.site.browser("viewer")  # by a password: the provider is not asked
        browser.get("/openvet/account")
        assert "You are logged out." in browser.submit("/logout").text
    finally:
        joined.stop()


def test_what_is_written_down(joined: Joined, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    joined.liar.claims["groups"] = ["ml"]
    joined.come()
    joined.liar.claims["nonce"] = "false"
    page = joined.come()
    text = caplog.text + page.html
    assert "zoe logged in by Acme; roles given: approver in /vision; taken: none" in text
    assert "nobody was let in by Acme (nonce)" in text
    assert len(joined.liar.sent) > 8
    for each in (*joined.liar.sent, "access-token", SECRET):
        assert each not in text
