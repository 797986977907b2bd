"""One request for a page: who asks, what a form sent, and what comes of errors.

A form counts only if it comes from a page of ours. The browser says where it comes from (``Sec-Fetch-Site``, ``Origin``), which other pages cannot
forge; and whoever is logged in has to send along what only the pages of their session know (``form``).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError
from openvet.gate.catalogue import Catalogue
from openvet.gate.company import CompanyLogin
from openvet.gate.identity import Identity, NotAllowedError, NotThereError, People
from openvet.gate.requests import Requests
from openvet.gate.roles import ROOT, Right
from openvet.hubproxy.api.problem import status_of
from openvet.hubproxy.api.who import COOKIE
from openvet.hubproxy.web.pages import page, redirect
from openvet.hubproxy.web.style import STYLE_NAME
from openvet.store.database import Database

__all__ = ["Call", "Desk", "Form", "Handler", "NoPageError", "answer", "number_of"]

_BODY, _FIELDS, _SECONDS = 256 * 1024, 2000, 15.0
_TYPE: Final = "application/x-www-form-urlencoded"
#: The first of each kind of pages: its path, what it is called, and the right in the root that it takes.
MENU: Final[tuple[tuple[str, str, Right | None], ...]] = (
    ("", "Overview", None),
    ("models", "Models", None),
    ("requests", "Requests", None),
    ("uses", "Inventory", None),
    ("policies", "Policies", None),
    ("log", "Log", None),
    ("projects", "Projects", None),
    ("people", "People", Right.ADMINISTER),
)


class NoPageError(Exception):
    """There is no such page, or nobody may know that there is."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages work with; ``secure`` is whether browsers reach us by https alone, ``clock`` gives milliseconds UTC, ``company`` are logins at a
    provider, where there is one.
    """

    database: Database
    people: People
    requests: Requests
    catalogue: Catalogue
    clock: Callable[[], int]
    secure: bool = False
    company: CompanyLogin | None = None


class Form:
    """What was sent: fields by name, each once or several times."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def text(self, name: str, default: str = "") -> str:
        """The first of a name."""
        return next((value for key, value in self._fields if key == name), default)

    def all(self, name: str) -> list[str]:
        """All of a name."""
        return [value for key, value in self._fields if key == name]

    def pairs(self) -> list[tuple[str, str]]:
        """All of it."""
        return list(self._fields)


@dataclass(slots=True)
class Call:
    """One request.

    Attributes:
        desk: what to work with.
        request: as it came.
        path: what stands in its path.
        query: the fields of the query.
        sent: the fields of a form; of the query, where none was sent.
        identity, secret: who is logged in, and what their forms send along; ``None`` and '' where nobody is.
    """

    desk: Desk
    request: Request
    path: Mapping[str, Any]
    query: Form
    sent: Form
    identity: Identity | None = None
    secret: str = ""

    @property
    def who(self) -> Identity:
        """Who is logged in; somebody has to be."""
        if self.identity is None:
            raise NotAllowedError("log in first")
        return self.identity

    @property
    def root(self) -> str:
        """The path below which our pages lie."""
        return str(self.request.scope.get("root_path", ""))

    def url(self, path: str = "", **query: object) -> str:
        """A path of ours."""
        kept = {name: value for name, value in query.items() if value not in (None, "", [], ())}
        return f"{self.root}/{quote(path)}" + (f"?{urlencode(kept, doseq=True)}" if kept else "")

    def go(self, path: str, **query: object) -> Response:
        """What follows a form that was taken."""
        return redirect(self.url(path, **query))

    def show(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, /, **shown: Any
    ) -> Response:
        """A page."""
        rights = self.identity.rights_in(ROOT) if self.identity is not None else frozenset()
        common = {
            "call": self, "url": self.url, "sent": self.sent, "identity": self.identity, "form_secret": self.secret, "style": STYLE_NAME,
            "here": str(self.request.url.path).removeprefix(self.root).strip("/").partition("/")[0], "now": self.desk.clock(),
            "administers": Right.ADMINISTER in rights, "problem": "", "company": self.desk.company, "passwords": self.desk.people.passwords, "secret": self._secret_field,
            "menu": [(path, word, right is None or right in rights) for path, word, right in MENU],
        }  # fmt: skip
        return page(template, status, headers, **{**common, **shown})

    def _secret_field(self) -> Markup:
        """What every form of somebody who is logged in holds."""
        return Markup('<input type="hidden" name="form" value="{}">').format(self.secret)

    @property
    def number(self) -> int:
        """The number in the path (raises :class:`NoPageError`)."""
        found = int(self.path["number"])
        if not 0 < found < 2**53:
            raise NoPageError("There is nothing of that number.")
        return found

    @property
    def secure(self) -> bool:
        """Whether the browser talks to us by https."""
        return self.desk.secure or self.request.url.scheme == "https"


#: What makes an answer; one that is shown again after a form was refused gets ``problem``.
Handler = Callable[..., Response]


async def answer(
    desk: Desk, request: Request, handler: Handler, path: Mapping[str, Any], *, public: bool, again: Handler | None
) -> Response:
    """Answer one request.

    Args:
        public: whether nobody has to be logged in.
        again: what shows the form again where it was refused; ``None`` for a page.
    """
    try:
        query = Form(_fields(request.scope["query_string"].decode("ascii")))
    except ValueError:
        return _wrong(
            Call(desk, request, path, Form([]), Form([])), 400, "What stands behind the question mark cannot be read."
        )
    call = Call(desk, request, path, query, query)
    posted = request.method == "POST"
    if posted:
        sent = await _form(request)
        if isinstance(sent, str):
            return _wrong(call, 400, sent)
        call.sent = sent
    return await run_in_threadpool(_answer, call, handler, posted, public, again)


def _answer(call: Call, handler: Handler, posted: bool, public: bool, again: Handler | None) -> Response:
    try:
        found = call.desk.people.by_session(call.request.cookies.get(COOKIE, "")[:200])
        if found is not None:
            call.identity, call.secret = found
        if posted and not _is_ours(call, public):
            return _wrong(call, 403, "This did not come from a page of ours, or from one that is too old. Load the page again, and send it from there.")  # fmt: skip
        if call.identity is None and not public:
            if posted:
                return _wrong(call, 403, "You are not logged in any more, and nothing was done. Log in, and try again.")
            where = str(call.request.url.path).removeprefix(call.root).lstrip("/")
            query = str(call.request.url.query)
            return redirect(call.url("login", next=f"{where}?{query}" if query else where))
        return _handled(call, handler, again)
    except StorageError as error:
        return _wrong(call, 503, _sentence(error), {"Retry-After": "5"})


def _handled(call: Call, handler: Handler, again: Handler | None) -> Response:
    try:
        return handler(call)
    except (NoPageError, NotThereError) as error:
        return _wrong(call, 404, _sentence(error))
    except (NotAllowedError, UsageError) as error:
        status = status_of(error)
        if again is None:
            return _wrong(call, status, _sentence(error))
        try:
            shown = again(call, problem=_sentence(error))
        except (NoPageError, NotAllowedError, UsageError):
            return _wrong(call, status, _sentence(error))
        shown.status_code = status
        return shown


def _wrong(call: Call, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    titles = {
        400: "That was no form",
        403: "Not allowed",
        404: "There is no such page",
        405: "Not like that",
        409: "Something stands against it",
        503: "Not now",
    }
    return call.show("wrong.html", status, headers, title=titles.get(status, "That did not work"), text=text)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _is_ours(call: Call, public: bool) -> bool:
    headers = call.request.headers
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    if site is None and origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return False
    if call.identity is None or public:
        return True
    return hmac.compare_digest(call.sent.text("form").encode(), call.secret.encode())


async def _form(request: Request) -> Form | str:
    """The fields of a form, or what is wrong with it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        return f"A form is sent as {_TYPE}."
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _BODY:
                    return f"A form has at most {_BODY // 1024} KiB."
        return Form(_fields(bytes(body).decode("ascii")))
    except (TimeoutError, ClientDisconnect):
        return f"The form did not come within {_SECONDS:g} seconds."
    except ValueError:
        return "The form cannot be read."


def _fields(text: str) -> list[tuple[str, str]]:
    """Fields of a form or of a query; what is no UTF-8 is shown as what it is not."""
    if text.count("&") >= _FIELDS:
        raise ValueError("too many fields")
    found = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS)
    return [(name, value.replace("\r\n", "\n")) for name, value in found]


def number_of(text: str, least: int = 1) -> int | None:
    """A whole number from a form or a query, or ``None``."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 and int(text) >= least else None
