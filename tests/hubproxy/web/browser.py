"""A browser without a screen: it keeps cookies, sends forms as they stand on the page, and says where it comes from."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlencode, urljoin

__all__ = ["Browser", "Page", "Reader"]

_VOID = {"meta", "link", "input", "br", "img", "hr", "wbr"}


class Reader(HTMLParser):
    """What a page is made of: elements with their attributes in order, balanced, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[dict[str, list[str]]] = []
        self.actions: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._area = ""
        self._select = ""
        self.feed(text)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert len(values) == len(attrs), attrs
        self.elements.append((tag, values))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self.forms.append({})
            self.actions.append(values.get("action") or "")
        name = values.get("name")
        if tag == "input" and name and "form" in self._open:
            kind = values.get("type")
            if kind not in {"checkbox", "radio"} or "checked" in values:
                self.forms[-1].setdefault(name, []).append(values.get("value") or "")
        if tag == "textarea" and name:
            self._area = name
            self.forms[-1][name] = [""]
        if tag == "select" and name:
            self._select = name
        if tag == "option" and self._select and ("selected" in values or self._select not in self.forms[-1]):
            self.forms[-1][self._select] = [values.get("value") or "\0"]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self._area = "" if tag == "textarea" else self._area
        self._select = "" if tag == "select" else self._select

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._area:
            self.forms[-1][self._area][0] += data
        if self._select and self.forms[-1].get(self._select) == ["\0"]:
            self.forms[-1][self._select] = [data.strip()]


class Page:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.cookies = [value for name, value in headers if name.lower() == "set-cookie"]
        self.body = body
        self.html = body.decode("utf-8") if "charset=utf-8" in self.headers.get("content-type", "") else ""
        self.read = Reader(self.html if self.headers.get("content-type", "").startswith("text/html") else "")
        self.text = " ".join(self.read.text.split())

    @property
    def goes(self) -> str:
        return self.headers.get("location", "")

    def form(self, end: str) -> dict[str, list[str]]:
        """What the form holds that goes to a path which ends so."""
        found = [form for form, action in zip(self.read.forms, self.read.actions, strict=True) if action.endswith(end)]
        assert found, f"no form to {end} in: {self.text}"
        return found[0]


class Browser:
    """One browser."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.jar: dict[str, str] = {}
        self.at = "/openvet/"
        self.page: Page | None = None

    def send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Page:
        """One request, followed nowhere."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            answer = connection.getresponse()
            page = Page(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()
        for line in page.cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or morsel.value == "":
                    self.jar.pop(name, None)
                else:
                    self.jar[name] = morsel.value
        return page

    def get(self, path: str, *, follow: bool = True) -> Page:
        """A page, and what it leads to."""
        page = self.send("GET", path)
        for _ in range(5):
            if not (follow and page.status == 303):
                break
            path = urljoin(path, page.goes)
            page = self.send("GET", path)
        self.at, self.page = path, page
        return page

    def post(
        self, path: str, fields: Mapping[str, object], headers: Mapping[str, str] | None = None, *, follow: bool = True
    ) -> Page:
        """Send fields as they are."""
        body = urlencode(dict(fields), doseq=True).encode()
        named = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        page = self.send("POST", path, body, {**named, **(headers or {})})
        if follow and page.status == 303:
            return self.get(urljoin(path, page.goes))
        self.page = page
        return page

    def submit(self, end: str, *, follow: bool = True, **changed: object) -> Page:
        """Send the form of the page that goes to a path which ends so, filled in."""
        assert self.page is not None
        fields: dict[str, object] = {**self.page.form(end), **changed}
        action = next(each for each in self.page.read.actions if each.endswith(end))
        return self.post(urljoin(self.at, action), fields, follow=follow)

    def log_in(self, name: str, password: str) -> Self:
        self.get("/openvet/login")
        page = self.submit("/login", name=name, password=password)
        assert page.status == 200, page.text
        assert "openvet_session" in self.jar, page.text
        return self
