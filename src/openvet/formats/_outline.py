"""The headings of a Markdown text, each with the beginning of what stands below it, and the addresses in it.

Headings are those of CommonMark (``## Uses``, and a line underlined with ``===`` or ``---``) and HTML's ``<h1>`` to ``<h6>`` on one
line, which many model cards use. Code blocks between fences and HTML comments hold none.

Specification: https://spec.commonmark.org/0.31.2/#atx-headings
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Heading, Link, Outline

__all__ = ["outline_of"]

_MOST = 500
_FIRST = 12
_LONGEST = 200
_ATX = pattern(r" {0,3}(#{1,6})(?=[ \t]|\Z)")
_HTML = pattern(r"\s*<h([1-6])\b[^<>]*>(.*?)</h[1-6]>\s*\Z")
_UNDERLINE = pattern(r" {0,3}(?:=+|-+)[ \t]*\Z")
_FENCE = pattern(r" {0,3}(`{3,}|~{3,})")
_TAG = pattern(r"<[^<>]*>")
#: Addresses that are kept, those of one line, and how much of a line is looked at for them.
_LINKS = 300
_LINKS_OF_LINE = 20
_LOOKED = 4000
#: Characters of the line around an address that are kept with it.
_BEFORE = 100
_AFTER = 50
_NEXT = pattern(r"https?:|\[")
_URL = pattern(r"https?://[^\s<>()\[\]{}\"'`|\\]{1,500}")


def outline_of(text: str, first_line: int, check_time: Callable[[], None]) -> Outline:
    """The outline of the prose in ``text``, which begins on ``first_line`` of its file."""
    headings: list[Heading] = []
    body: list[str] = []
    counted = 0
    links: list[Link] = []
    prose = False
    for line, kind, found in _walk(text, first_line, check_time):
        if kind:
            if headings:
                headings[-1] = replace(headings[-1], first=tuple(body), lines=counted)
            if len(headings) >= _MOST:
                break
            headings.append(Heading(kind, _short(found), line, (), 0))
            body, counted = [], 0
            continue
        prose = True
        counted += 1
        if "://" in found and len(links) < _LINKS:
            links.extend(_links(found, line))
        if len(body) < _FIRST and headings:
            body.append(_short(found))
    else:
        if headings:
            headings[-1] = replace(headings[-1], first=tuple(body), lines=counted)
    return Outline(headings=tuple(headings), prose=prose, links=tuple(links[:_LINKS]))


def _links(text: str, line: int) -> Iterator[Link]:
    """The addresses on one line, each with what stands before it since the last one, and a little of what follows."""
    last = 0
    row = text.startswith("|") or text.count(" | ") > 1
    for found in islice(_URL.finditer(text[:_LOOKED]), _LINKS_OF_LINE):
        after = _NEXT.split(text[found.end() : found.end() + _AFTER], maxsplit=1)[0]
        said = text[max(last, found.start() - _BEFORE) : found.end()] + after
        yield Link(_short(found[0].rstrip(".,;:!?*_")), _short(said.strip()), line, row)
        last = found.end()


def _short(text: str) -> str:
    """The beginning of a line, which may be as long as the file."""
    return shorten(printable(text[: 2 * _LONGEST]), _LONGEST)


def _walk(text: str, first_line: int, check_time: Callable[[], None]) -> Iterator[tuple[int, int, str]]:
    """(line, level, text) of each heading, and (line, 0, text) of each other line that says something."""
    fence = ""
    comment = False
    waiting: tuple[int, str] | None = None  # a line that the next one may underline
    for at, raw in enumerate(text.split("\n"), first_line):
        if at % 4096 == 0:
            check_time()
        if fence:
            opened = _FENCE.match(raw)
            if opened and opened[1].startswith(fence) and not raw.strip().strip(fence[0]):
                fence = ""
            elif raw.strip():
                yield at, 0, raw.strip()
            continue
        line, comment = _without_comments(raw, comment=comment)
        stripped = line.strip()
        if waiting is not None:
            if stripped and _UNDERLINE.match(line):
                yield waiting[0], 1 if stripped[0] == "=" else 2, waiting[1]
                waiting = None
                continue
            yield waiting[0], 0, waiting[1]
            waiting = None
        if not stripped:
            continue
        if opened := _FENCE.match(line):
            fence = opened[1]
        elif heading := _ATX.match(line.rstrip()):
            yield at, len(heading[1]), _closed(line[heading.end() :])
        elif heading := _HTML.match(line[:2000]):
            yield at, int(heading[1]), _TAG.sub("", heading[2]).strip()
        else:
            waiting = (at, stripped)
    if waiting is not None:
        yield waiting[0], 0, waiting[1]


def _closed(text: str) -> str:
    """A heading without the marks that may close it: ``## Uses ##``."""
    text = text.strip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare != text and (not bare or bare[-1] in " \t") else text


def _without_comments(line: str, *, comment: bool) -> tuple[str, bool]:
    """``line`` without what lies in ``<!-- -->``, and whether one is still open at its end."""
    if not comment and "<!--" not in line:
        return line, False
    out = []
    at = 0
    while at < len(line):
        mark = "-->" if comment else "<!--"
        end = line.find(mark, at)
        if not comment:
            out.append(line[at:] if end < 0 else line[at:end])
        if end < 0:
            break
        at = end + len(mark)
        comment = not comment
    return "".join(out), comment
