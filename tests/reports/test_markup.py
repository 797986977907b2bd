"""The vocabulary of pages: what is no markup of ours is text, and what would run, load or lead away has no word in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.reports._style import _DARK, _LIGHT
from openvet.reports._text import visible
from openvet.reports.markup import Html, details, document, join, listed, pairs, spoken, table, tag


class Reader(HTMLParser):
    """What a page holds: elements in order, their attributes, and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "wbr"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"instruction {data}")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"declaration {data}")


def undressed(text: str) -> str:
    """A page without its style sheet and the digest of that: what is compared whole is what it says."""
    text = re.sub(r"<style>.*?</style>", "<style>(style)</style>", text, flags=re.DOTALL)
    return re.sub(r"'sha256-[A-Za-z0-9+/=]*'", "'sha256-(digest)'", text)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.wrong == []
    assert reader.open == []
    return reader


@pytest.mark.parametrize(
    "name",
    [
        "script",
        "iframe",
        "img",
        "object",
        "embed",
        "form",
        "input",
        "base",
        "link",
        "foreignObject",
        "use",
        "image",
        "a b",
    ],
)
def test_elements_that_run_or_load_have_no_word(name: str) -> None:
    with pytest.raises(ValueError, match="no element"):
        tag(name)


@pytest.mark.parametrize(
    "name",
    [
        "onclick",
        "onload",
        "style",
        "src",
        "srcset",
        "srcdoc",
        "action",
        "formaction",
        "xlink:href",
        "data_x",
        "target",
        "fill",
        "ping",
    ],
)
def test_attributes_that_run_load_or_dress_have_no_word(name: str) -> None:
    with pytest.raises(ValueError, match="no attribute"):
        tag("p", **{name: "x"})


@pytest.mark.parametrize("value", ["https://example.org", "javascript:alert(1)", "", "#", '#a"b', "# a", "//x", "#a\n"])
def test_links_lead_to_anchors_of_the_page(value: str) -> None:
    with pytest.raises(ValueError, match="href"):
        tag("a", "x", href=value)
    assert tag("a", "x", href="#m0-why") == '<a href="#m0-why">x</a>'


@pytest.mark.parametrize("value", ['a" onload="x', "", " ", "a  b", "a<b", "ä", "a\n", "a}b{"])
def test_styles_and_anchors_are_words_of_ours(value: str) -> None:
    for name in ("class_", "id", "aria_labelledby"):
        with pytest.raises(ValueError, match="word"):
            tag("p", **{name: value})


def test_markup_that_was_formatted_into_text_is_text_again() -> None:
    made = tag("code", "a<b")
    assert join(f"{made}") == "&lt;code&gt;a&amp;lt;b&lt;/code&gt;"
    assert join(made + "<i>") == "&lt;code&gt;a&amp;lt;b&lt;/code&gt;&lt;i&gt;"
    assert join(made, " & ", [made, None, ["x"]]) == "<code>a&lt;b</code> &amp; <code>a&lt;b</code>x"
    assert isinstance(made, Html)


def test_nothing_of_nothing() -> None:
    assert table(("a", "b"), []) is None
    assert pairs([]) is None
    assert listed([]) is None
    assert tag("p", None, class_=None, open=False) == "<p></p>"
    assert tag("details", open=True) == '<details open=""></details>'


def test_what_stands_between_backticks_is_code() -> None:
    assert spoken("run ``a<b`` or `c`\nnow") == "run <code>a&lt;b</code> or <code>c</code> now"


@given(st.text())
def test_any_text_stays_text_wherever_it_goes(text: str) -> None:
    page = document(
        text,
        tag("p", text, title=text, aria_label=text),
        tag("svg", tag("title", text), tag("text", text), role="img"),
        table(("a", "b"), [(text, tag("code", text))], caption=text),
        pairs([(text, text)]),
        listed([text, [text]]),
        details(text, text),
    )
    plain = read(document("x", tag("p", "x", title="x", aria_label="x"), tag("svg", tag("title", "x"), tag("text", "x"), role="img"),
                          table(("a", "b"), [("x", tag("code", "x"))], caption="x"), pairs([("x", "x")]), listed(["x", ["x"]]), details("x", "x")))  # fmt: skip
    found = read(page)
    assert [(name, list(attributes)) for name, attributes in found.elements] == [
        (name, list(attributes)) for name, attributes in plain.elements
    ]
    paragraph = next(attributes for name, attributes in found.elements if name == "p")
    assert paragraph["title"] == visible(text)
    assert "".join(found.text).count(visible(text)) >= 10 or not text


def test_a_page_allows_its_one_style_sheet_and_nothing_else() -> None:
    page = document("x", tag("main", "x"), style=".a { color: red; }")
    sheet = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert sheet is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"url\(|@import|expression\(|https?:|</style.*</style", sheet[1])
    assert b"openvet" in page.encode()[:4096]  # an older page may be replaced, and is known by that


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [_LIGHT, _DARK], ids=["light", "dark"])
def test_every_colour_can_be_read(theme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text, and 1.4.11: 3 to 1 for what a drawing means."""
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", theme))

    def ratio(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for text, behind in product(("text", "soft", "link", "good", "open", "bad"), ("back", "panel")):
        assert ratio(text, behind) >= 4.5, (text, behind)
    for kind in ("good", "open", "bad"):
        assert ratio(kind, f"{kind}-back") >= 4.5, kind
        assert ratio("text", f"{kind}-back") >= 4.5, kind
    for drawn in ("line", "edge", "good", "open", "bad"):
        assert ratio(drawn, "back") >= 3, drawn
