"""HTML and SVG in one vocabulary: elements are built by functions, and text becomes markup here and nowhere else.

Whatever is no :class:`Html` is text, and is escaped: a name, a template or a licence of a model can put no element, no attribute
and no style into a page. Names of elements and attributes are those of two lists, which have none that runs, loads or leads away from the
page; words for styles and anchors have one form. A page carries its own Content-Security-Policy, which allows its one style sheet
by digest and nothing else.

Source: HTML Living Standard, sections 13.1 (writing) and 13.3 (escaping); Content Security Policy Level 3.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from openvet.core.pattern import pattern
from openvet.reports._style import BASE
from openvet.reports._text import visible
from openvet.version import VERSION

__all__ = [
    "Content",
    "Html",
    "Value",
    "details",
    "document",
    "figure",
    "join",
    "lines",
    "listed",
    "pairs",
    "table",
    "tag",
]


class Html(str):
    """Markup that was built here."""

    __slots__ = ()


#: What stands in an element: markup, text, nothing, or several of them.
Content: TypeAlias = "str | Iterable[Content] | None"
#: What an attribute says; ``None`` and ``False`` leave it out.
Value: TypeAlias = "str | int | bool | None"

_VOID: Final = frozenset(["meta", "br", "wbr"])
_DRAWN: Final = frozenset(["path", "line", "rect", "polyline", "polygon", "circle"])
_ELEMENTS: Final = _VOID | _DRAWN | frozenset([
    "html", "head", "title", "style", "body", "header", "main", "nav", "footer", "section", "article", "div", "p", "span", "strong", "em", "a",
    "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "code", "pre", "ins", "del", "details", "summary", "figure",
    "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "g", "desc", "text",
])  # fmt: skip
_ATTRIBUTES: Final = frozenset([
    "id", "class", "lang", "dir", "charset", "http-equiv", "content", "name", "href", "scope", "colspan", "role", "open", "tabindex", "title",
    "aria-label", "aria-labelledby", "aria-describedby", "aria-hidden", "data-label", "translate",
    "viewBox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "dy", "cx", "cy", "r", "rx", "d", "points", "text-anchor",
])  # fmt: skip
#: Words that no text of a model can be: what styles and anchors are told by.
_WORD: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9_-]*(?: [A-Za-z0-9][A-Za-z0-9_-]*)*", re.ASCII)
_TICKS: Final = pattern(r"`+")
_WORDS: Final = frozenset(["id", "class", "aria-labelledby", "aria-describedby"])


def _escape(text: str) -> str:
    """The one place where text becomes markup; what does not show as itself (controls, overrides) is written out before.

    Attributes stand in double quotes, so that the other kind may stay as it is.
    """
    return html.escape(visible(text), quote=False).replace('"', "&quot;")


def _attribute(name: str, value: Value) -> str:
    name = name.rstrip("_").replace("_", "-")
    if name not in _ATTRIBUTES:
        raise ValueError(f"{name!r} is no attribute of this vocabulary")
    if value is None or value is False:
        return ""
    text = "" if value is True else str(value)
    word = text.removeprefix("#") if name == "href" else text
    if (name in _WORDS and not _WORD.fullmatch(text)) or (
        name == "href" and not (text[:1] == "#" and _WORD.fullmatch(word))
    ):
        raise ValueError(f"{name} has to be a word of ours, not {text[:40]!r}")
    return f' {name}="{_escape(text)}"'


def _put(content: Content, out: list[str]) -> None:
    if content is None:
        return
    if isinstance(content, str):
        out.append(content if isinstance(content, Html) else _escape(content))
        return
    for each in content:
        _put(each, out)


def join(*content: Content) -> Html:
    """Several things one after the other."""
    out: list[str] = []
    _put(content, out)
    return Html("".join(out))


def lines(*content: Content) -> Html:
    """Several things, each on a line of its own, so that a page can be read and compared."""
    out: list[Html] = [join(each) for each in content]
    return Html("\n".join(filter(None, out)))


def tag(name: str, /, *content: Content, **attributes: Value) -> Html:
    """One element; ``class_`` is the attribute ``class``, ``aria_label`` is ``aria-label``.

    Raises:
        ValueError: the vocabulary has no such element or attribute, or a word for a style or an anchor is none.
    """
    if name not in _ELEMENTS:
        raise ValueError(f"{name!r} is no element of this vocabulary")
    start = name + "".join(_attribute(each, value) for each, value in attributes.items())
    if name in _VOID:
        return Html(f"<{start}>")
    if name in _DRAWN and not content:
        return Html(f"<{start}/>")
    return Html(f"<{start}>{join(*content)}</{name}>")


def spoken(text: str) -> Html:
    """A sentence in which what stands between backticks is code, as documentation and remedies write it."""
    parts = _TICKS.split(" ".join(text.split()))
    return join(tag("code", part) if at % 2 and part else part for at, part in enumerate(parts))


def listed(items: Iterable[Content], **attributes: Value) -> Html | None:
    """A list; nothing of nothing."""
    found = [tag("li", each) for each in items]
    return tag("ul", Html("\n"), lines(*found), Html("\n"), **attributes) if found else None


def pairs(found: Iterable[tuple[str, Content]]) -> Html | None:
    """Labels and what they say."""
    rows = [tag("div", tag("dt", label), tag("dd", text)) for label, text in found]
    return tag("dl", Html("\n"), lines(*rows), Html("\n"), class_="pairs") if rows else None


def details(summary: Content, *content: Content, **attributes: Value) -> Html:
    """What is folded until somebody opens it, or prints the page."""
    return tag("details", tag("summary", summary), Html("\n"), lines(*content), Html("\n"), **attributes)


def figure(drawing: Html, caption: Content = None, *, wide: str = "") -> Html:
    """A drawing with what stands below it.

    Args:
        wide: what it is called, where it may be wider than the page: it is moved in a frame of its own then, also with keys.
    """
    framed = tag("div", drawing, class_="wide", tabindex=0, role="group", aria_label=wide) if wide else drawing
    return tag("figure", framed, None if caption is None else tag("figcaption", caption))


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Content]],
    *,
    caption: Content = None,
    class_: str = "",
    marks: Sequence[str] = (),
) -> Html | None:
    """A table whose first cells name their rows; nothing of nothing. On a narrow screen each row becomes a card of its own.

    The roles stand there since some browsers take a table that is laid out otherwise for none.

    Args:
        head: titles of the columns, of ours.
        marks: a style for each row, '' for none.
    """
    body = []
    for at, row in enumerate(rows):
        cells = [
            tag("td" if number else "th", cell, role="cell" if number else "rowheader", scope=None if number else "row", data_label=title)
            for number, (title, cell) in enumerate(zip(head, row, strict=True))
        ]  # fmt: skip
        body.append(tag("tr", *cells, role="row", class_=(marks[at] or None) if at < len(marks) else None))
    if not body:
        return None
    heads = [tag("th", title, scope="col", role="columnheader") for title in head]
    return tag(
        "table",
        None if caption is None else tag("caption", caption),
        Html("\n"),
        tag("thead", tag("tr", *heads, role="row"), role="rowgroup"),
        Html("\n"),
        tag("tbody", Html("\n"), lines(*body), Html("\n"), role="rowgroup"),
        role="table",
        class_=class_ or None,
    )


def document(title: str, *body: Content, style: str = "") -> str:
    """A whole page: one file, which loads nothing and runs nothing.

    Args:
        style: of ours, beside what all pages share.
    """
    sheet = f"\n{BASE.strip()}\n{style.strip()}".rstrip() + "\n"
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = lines(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="generator", content=f"openvet {VERSION}"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(sheet)),
    )
    page = tag(
        "html",
        Html("\n"),
        tag("head", Html("\n"), head, Html("\n")),
        Html("\n"),
        tag("body", Html("\n"), lines(*body), Html("\n")),
        Html("\n"),
        lang="en",
    )
    return f"<!doctype html>\n{page}\n"
