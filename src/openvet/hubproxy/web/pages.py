"""Pages are made here and nowhere else: text becomes markup by Jinja's escaping, after what does not show as itself was written out.

A page may load one style sheet of ours and send forms to us, and nothing else (Content Security Policy Level 3): whatever a model or a person
writes can neither run, nor load, nor send anything, and no other page may show ours in a frame. Our forms need ``Origin``, which browsers
leave out (as ``null``) under ``no-referrer``; so it is ``same-origin``.
"""

from __future__ import annotations

import functools
import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from openvet.core.pattern import pattern
from openvet.reports._text import bytes_for_people, visible
from openvet.version import VERSION

__all__ = ["HEADERS", "day", "moment", "page", "redirect", "report_page"]

_POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'none'; script-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
#: What every answer says.
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_STYLE_OF: Final = pattern(r"<style>([^<]*)</style>")


def moment(at: int | None) -> str:
    """Milliseconds UTC for people, '' for none."""
    if at is None:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(at: int | None) -> str:
    """The day of milliseconds UTC, '' for none."""
    return "" if at is None else datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def _shown(value: Any) -> Any:
    """What an expression of a template gives, before it is escaped."""
    if isinstance(value, Markup):
        return value
    return visible(str(value), keep="\n\t")


@functools.cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("openvet.hubproxy.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=moment, day=day, size=bytes_for_people)
    made.globals.update(version=VERSION)
    return made


def page(template: str, status: int = 200, headers: dict[str, str] | None = None, /, **shown: Any) -> Response:
    """A page.

    Args:
        template: its file.
        headers: beside those that every answer has.
        shown: what it shows.
    """
    text = _templates().get_template(template).render(**shown)
    return Response(text, status, {**HEADERS, **(headers or {})}, "text/html; charset=utf-8")


def report_page(text: str) -> Response:
    """A page of :mod:`openvet.reports.page`, which carries its own style sheet: that one is allowed, by its digest."""
    found = _STYLE_OF.search(text)
    digest = b64encode(hashlib.sha256((found[1] if found else "").encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Response(text, 200, {**HEADERS, "Content-Security-Policy": policy}, "text/html; charset=utf-8")


def redirect(path: str) -> Response:
    """Have the browser load a path of ours, which begins with one slash: what comes after a form is a page that may be loaded again."""
    if (
        not path.startswith("/")
        or path.startswith("//")
        or not path.isascii()
        or not path.isprintable()
        or "\\" in path
    ):
        raise ValueError(f"{path[:100]!r} is no path of ours")
    return Response(None, 303, {**HEADERS, "Location": path})
