"""The whole way with a certified provider, ``oidc-provider`` of npm, driven over HTTP: ``make clients`` sets it up."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

from openvet.gate.company import CompanyLogin
from openvet.gate.provider import GroupRole, ProviderSettings
from openvet.gate.roles import Role
from openvet.store.people import roles_of
from tests.hubproxy.api.conftest import Live, running
from tests.hubproxy.web.browser import Browser
from tests.hubproxy.web.conftest import Site

PLACE = Path(__file__).resolve().parents[2] / ".cache" / "login"
SECRET = "a secret: with + and %"


class _Form(HTMLParser):
    """The first form of a page: where it goes, and what it holds; a button that has a value counts where it is the only one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.fields = "", dict[str, str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and not self.action:
            self.action = values.get("action") or ""
        if tag in {"input", "button"} and values.get("name") and values["name"] != "abort":
            self.fields.setdefault(str(values["name"]), values.get("value") or "")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where it stays at the provider."""

    def redirect_request(self, request: Any, file: Any, code: int, text: str, headers: Any, url: str) -> Any:
        if urlsplit(url).netloc != urlsplit(request.full_url).netloc:
            return None
        return super().redirect_request(request, file, code, text, headers, url)


class Person:
    """Somebody at the provider, whose browser keeps the provider's cookies."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), _Stay)

    def _open(self, url: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        """The address that an answer leads away to, or its page."""
        try:
            with self._opener.open(
                url, urlencode(fields).encode() if fields is not None else None, timeout=20
            ) as answer:
                return "", answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in {302, 303}:
                    raise AssertionError(error.read()) from None
                return error.headers["Location"], ""

    def through(self, url: str) -> str:
        """Go there, log in and agree where one is asked to; where it leads back to."""
        away, page = self._open(url)
        for _ in range(4):
            if away:
                break
            form = _Form(page)
            fields = dict(form.fields)
            if "login" in fields:
                fields.update(login=self.name, password="any that is not empty")
            away, page = self._open(urljoin(url, form.action), fields)
        return away


class Company:
    """The server and the provider, which know each other."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self._process: subprocess.Popen[str] | None = None
        self.site = Site(live, company=self._joined)

    def _joined(self, base: str) -> CompanyLogin:
        shutil.copy(Path(__file__).with_name("provider.mjs"), PLACE / "provider.mjs")
        command = ["node", "provider.mjs", f"{base}/openvet/login/oidc/callback", f"{base}/openvet/login"]
        self._process = subprocess.Popen(
            command, cwd=PLACE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        roles = (GroupRole("ml-approvers", Role.APPROVER, "/vision"), GroupRole("ml-admins", Role.ADMIN))
        self.settings = ProviderSettings(
            self._line("http://"), "openvet", SECRET, scopes=("openid", "profile", "groups"), name="Acme", groups_claim="groups", roles=roles
        )  # fmt: skip
        self.live.people.company = self.settings
        return CompanyLogin(self.settings, self.live.people, self.live.database, lambda: self.live.now, base)

    def _line(self, begins: str) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(begins):
                return line.strip()
        raise AssertionError("the provider ended")

    def groups(self, name: str, *groups: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({name: groups}) + "\n")
        self._process.stdin.flush()
        self._line("taken")

    def stop(self) -> None:
        self.site.stop()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            for each in (self._process.stdin, self._process.stdout):
                assert each is not None
                each.close()


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    if not (PLACE / ".made").exists():
        pytest.skip("the provider is not there; make clients sets it up where Node is")
    import time

    with running(tmp_path) as live:
        live.now = int(time.time() * 1000)  # the provider has no other clock
        made = Company(live)
        try:
            yield made
        finally:
            made.stop()


def comes(browser: Browser, person: Person) -> str:
    """Log in at the provider; the page of ours that it ends on."""
    there = browser.get("/openvet/login/oidc?next=account", follow=False)
    assert there.status == 303, there.text
    back = urlsplit(person.through(there.goes))
    page = browser.get(f"{back.path}?{back.query}", follow=False)
    assert page.status == 200, page.text
    return browser.get("/openvet/account").text


def held(company: Company, name: str) -> set[tuple[str, str, str]]:
    with company.live.database.reading() as connection:
        return {(each.role, each.project, each.by) for each in roles_of(connection, company.site.person(name).id)}


def test_in_with_roles_out_and_in_without(company: Company) -> None:
    company.groups("zoe", "ml-approvers", "ml-admins", "unrelated")
    zoe, browser = Person("zoe"), company.site.browser()
    text = comes(browser, zoe)
    assert "zoe by name" in text
    assert "Logs in atAcme" in text
    assert held(company, "zoe") == {("approver", "/vision", "group ml-approvers"), ("admin", "/", "group ml-admins")}
    assert browser.get("/openvet/people").status == 200
    told = json.loads(browser.get("/openvet/v1/me").body)
    assert (told["name"], told["issuer"]) == ("zoe", company.settings.issuer)
    # out here, and there
    browser.get("/openvet/account")
    page = browser.submit("/logout")
    (onward,) = [values["content"] for tag, values in page.read.elements if values.get("http-equiv") == "refresh"]
    assert zoe.through(str(onward).removeprefix("0; url=")) == f"http://127.0.0.1:{company.site.port}/openvet/login"
    assert "Log in with Acme" in browser.get("/openvet/account").text
    # out of one group
    company.groups("zoe", "ml-approvers")
    comes(browser, zoe)
    assert held(company, "zoe") == {("approver", "/vision", "group ml-approvers")}
    assert browser.get("/openvet/people").status == 403


def test_a_code_counts_once_and_in_one_browser(company: Company) -> None:
    one, two = company.site.browser(), company.site.browser()
    back = urlsplit(Person("zoe").through(one.get("/openvet/login/oidc", follow=False).goes))
    assert back.path == "/openvet/login/oidc/callback"
    assert parse_qs(back.query)["iss"] == [company.settings.issuer]  # this provider says who answers
    assert two.get(f"{back.path}?{back.query}", follow=False).status == 403
    jar = dict(one.jar)
    assert one.get(f"{back.path}?{back.query}", follow=False).status == 200
    one.jar = jar
    assert one.get(f"{back.path}?{back.query}", follow=False).status == 403
    # the code of somebody else, in an answer to one's own question
    mine = two.get("/openvet/login/oidc", follow=False).goes
    other = urlsplit(Person("max").through(one.get("/openvet/login/oidc", follow=False).goes))
    state = parse_qs(urlsplit(mine).query)["state"][0]
    query = {**{name: values[0] for name, values in parse_qs(other.query).items()}, "state": state}
    page = two.get(f"{other.path}?{urlencode(query)}", follow=False)
    assert (page.status, "invalid_grant" in page.text) == (502, True)
    assert "openvet_session" not in two.jar


def test_somebody_who_does_not_want_to(company: Company) -> None:
    browser = company.site.browser()
    there = browser.get("/openvet/login/oidc", follow=False).goes
    back = urlsplit(there.replace("scope=openid", "scope=wrong"))
    assert back.query != urlsplit(there).query
    away = urlsplit(Person("zoe").through(back.geturl()))
    page = browser.get(f"{away.path}?{away.query}", follow=False)
    assert (page.status, "Acme did not let you in" in page.text) == (403, True)
