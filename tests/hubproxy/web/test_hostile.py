"""What models and people write is shown as text: whatever it is, a page is made of the same elements."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvet.store import requests as rows
from openvet.store.caches import CachedRow, add_cached, begin_report, end_report
from openvet.store.people import change_person
from openvet.store.pulls import add_pull
from openvet.store.revisions import FileRow, add_revision
from tests.browser.models import EVIL
from tests.hubproxy.web.browser import Browser, Page
from tests.hubproxy.web.conftest import Site

#: Whoever writes this wants to be more than text.
MARKUP = (
    "<",
    ">",
    '"',
    "'",
    "&",
    "&lt;",
    "<script>",
    "</textarea>",
    "{{ 7*7 }}",
    "{% raw %}",
    "-->",
    "<!--",
    "\u202e",
    "\x7f",
    "javascript:",
    " onload=",
    "`",
    "\\",
)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(MARKUP), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
    ),
    max_size=9,
)
FORBIDDEN = {"script", "style", "img", "iframe", "object", "embed", "base", "svg", "math", "template", "video", "audio"}


def skeleton(page: Page) -> list[tuple[str, tuple[str, ...], str | None]]:
    """Elements with the names of their attributes, and their class."""
    return [(tag, tuple(values), values.get("class")) for tag, values in page.read.elements]


def written(site: Site, text: str, at: int) -> list[str]:
    """Everything that somebody may write, written so; the pages that show it."""
    live = site.live
    with live.database.writing() as connection:
        person = site.person("submitter").id
        about = '{"tags": ["x"]}'
        files = [FileRow(f"a{text}", 1, "0" * 40)]
        revision = add_revision(connection, "model", f"{at}/{text}", f"{at:040x}", f"up {text}", about, files, at)
        number = rows.add_request(
            connection, revision, "/vision", person, "asked", at, purpose=text, environment=text, agent=text
        )
        rows.say(connection, number, person, "comment", text, at, conditions=text, until=at + 1)
        decision = live.decide(connection, revision, "policy", "reject", reason=text, by=text)
        add_pull(connection, revision, "a", "0" * 64, person, text, "address", 1, at)
        report = begin_report(connection, person, f"{at} {text}", "0" * 32, at)
        refs = tuple(each for each in (text, "main") if each and "\n" not in each)
        add_cached(connection, report, [CachedRow("model", f"{at}/{text}", f"{at:040x}", 1, 2, refs, at)])
        end_report(connection, report, at)
        change_person(connection, person, title=text)
    return [
        f"/openvet/requests/{number}",
        f"/openvet/revisions/{revision}",
        f"/openvet/log/{decision}",
        f"/openvet/people/{person}",
    ]


def looked(site: Site, browser: Browser, text: str, at: int) -> list[Page]:
    pages = [browser.get(each) for each in written(site, text, at)]
    asked = {
        "search": f"{at}/{text}",
        "by": text,
        "license": text,
        "rule": text,
        "advisory": text,
        "name": text,
        "next": text,
    }
    pages += [browser.get(f"/openvet/{each}?{urlencode(asked)}") for each in ("models", "requests", "log", "login")]
    pages += [browser.post("/openvet/login", {"name": text, "password": text, "next": text})]
    return pages


@pytest.mark.parametrize(
    "text", [EVIL, "</title></textarea><script>alert(1)</script>", "{{ config }}{% for x in () %}"]
)
def test_known_ways_in(site: Site, text: str) -> None:
    browser = site.browser("root")
    plain = looked(site, browser, "x", 1)
    for before, page in zip(plain, looked(site, browser, text, 2), strict=True):
        assert page.status == before.status
        assert skeleton(page) == skeleton(before), page.text[:300]
        assert "\u202e" not in page.html
    for path in ("", "models", "caches", "requests?state=all", "log", "people", "projects", "account"):
        page = browser.get(f"/openvet/{path}")
        assert page.status == 200
        assert FORBIDDEN.isdisjoint({tag for tag, _ in page.read.elements} - {"svg"})
        assert not any(name.startswith("on") or name == "style" for _, values in page.read.elements for name in values)
        assert "<script" not in page.html


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=TEXTS)
def test_any_text_is_text(site: Site, parts: list[str]) -> None:
    text = "a" + "".join(parts) + "z"
    browser = Browser(site.port)
    browser.jar = dict(_jar(site))
    counted = _COUNT.setdefault(id(site), [0])
    counted[0] += 1
    if counted[0] == 1:
        _PLAIN[id(site)] = [skeleton(each) for each in looked(site, browser, "x", 10_000)]
    pages = looked(site, browser, text, 10_000 + counted[0])
    # failures of a name are slowed down: that page says so, in the same elements
    assert [skeleton(each) for each in pages] == _PLAIN[id(site)]


_COUNT: dict[int, list[int]] = {}
_PLAIN: dict[int, list[object]] = {}
_JARS: dict[int, dict[str, str]] = {}


def _jar(site: Site) -> dict[str, str]:
    if id(site) not in _JARS:
        _JARS[id(site)] = site.browser("root").jar
    return _JARS[id(site)]
