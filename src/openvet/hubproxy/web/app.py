"""The pages as an application, mounted at ``/openvet``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from re import Pattern
from typing import Any, Final

from starlette.convertors import Convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from openvet.core.dataclass import dataclass
from openvet.gate.catalogue import Catalogue
from openvet.gate.company import CompanyLogin
from openvet.gate.identity import People
from openvet.gate.requests import Requests
from openvet.hubproxy.paths import know_rows
from openvet.hubproxy.web import account, caches, entrance, lineage, log, models, policies, uses
from openvet.hubproxy.web import company as company_pages
from openvet.hubproxy.web import people as people_pages
from openvet.hubproxy.web import requests as request_pages
from openvet.hubproxy.web.call import Call, Desk, Form, Handler, NoPageError, answer
from openvet.hubproxy.web.pages import HEADERS
from openvet.hubproxy.web.style import STYLE, STYLE_NAME
from openvet.store.database import Database

__all__ = ["PAGES", "Page", "make_web"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        path: below ``/openvet``.
        get, post: what shows it, and what takes its form.
        public: whether nobody has to be logged in.
        again: what shows the form again where it was refused; that is ``get`` unless another page holds the form.
    """

    path: str
    get: Handler | None = None
    post: Handler | None = None
    public: bool = False
    again: Handler | None = None


#: Every page there is. A test says of each who may have it.
PAGES: Final = (
    Page("/", models.overview),
    Page("/welcome", entrance.show_welcome, entrance.accept, public=True),
    Page("/login", entrance.show_login, entrance.log_in, public=True),
    Page("/login/oidc", company_pages.begin, public=True),
    Page("/login/oidc/callback", company_pages.come_back, public=True),
    Page("/logout", post=entrance.log_out),
    Page("/account", account.show),
    Page("/account/tokens", post=account.add_token, again=account.show),
    Page("/account/tokens/{number:row}/revocation", post=account.revoke_token, again=account.show),
    Page("/requests", request_pages.show_list, request_pages.decide_many),
    Page("/requests/{number:row}", request_pages.show),
    Page("/requests/{number:row}/purpose", post=request_pages.ask, again=request_pages.show),
    Page("/requests/{number:row}/approval", post=request_pages.approve, again=request_pages.show),
    Page("/requests/{number:row}/decline", post=request_pages.decline, again=request_pages.show),
    Page("/requests/{number:row}/withdrawal", post=request_pages.withdraw, again=request_pages.show),
    Page("/requests/{number:row}/comments", post=request_pages.comment, again=request_pages.show),
    Page("/models", models.show_list, models.act_on_many),
    Page("/policies", policies.show_list),
    Page("/policies/{name}", policies.show),
    Page("/uses", uses.show),
    Page("/revisions/{number:row}", models.show),
    Page("/revisions/{number:row}/report", models.report),
    Page("/revisions/{number:row}/report.json", models.report_json),
    Page("/revisions/{number:row}/bom.cdx.json", models.cyclonedx),
    Page("/revisions/{number:row}/bom.spdx.json", models.spdx),
    Page("/revisions/{number:row}/dossier.zip", models.dossier),
    Page("/revisions/{number:row}/vetting", post=models.vet, again=models.show),
    Page("/revisions/{number:row}/revocation", post=models.revoke, again=models.show),
    Page("/revisions/{number:row}/request", post=request_pages.ask_of_revision, again=models.show),
    Page("/vettings", models.progress),
    Page("/caches", caches.show_list),
    Page("/caches/revocations.json", caches.revocations),
    Page("/caches/{number:row}/removal", post=caches.forget, again=caches.show_list),
    Page("/lineage", lineage.show_list),
    Page("/log", log.show_list),
    Page("/acts", log.show_acts),
    Page("/log/{number:row}", log.show),
    Page("/log/{number:row}/statement.json", log.statement),
    Page("/people", people_pages.show_people, people_pages.add_person),
    Page("/people/{number:row}", people_pages.show_person),
    Page("/people/{number:row}/identity", post=people_pages.connect, again=people_pages.show_person),
    Page("/people/{number:row}/invitation", post=people_pages.invite, again=people_pages.show_person),
    Page("/people/{number:row}/disabling", post=people_pages.disable, again=people_pages.show_person),
    Page("/people/{number:row}/enabling", post=people_pages.enable, again=people_pages.show_person),
    Page("/people/{number:row}/tokens", post=people_pages.add_token, again=people_pages.show_person),
    Page("/people/{number:row}/tokens/revocation", post=people_pages.revoke_token, again=people_pages.show_person),
    Page("/projects", people_pages.show_projects, people_pages.add_project),
    Page("/roles", post=people_pages.give_role, again=people_pages.show_projects),
    Page("/roles/taken", post=people_pages.take_role, again=people_pages.show_projects),
)


def make_web(
    database: Database,
    people: People,
    requests: Requests,
    catalogue: Catalogue,
    clock: Callable[[], int],
    *,
    secure: bool = False,
    company: CompanyLogin | None = None,
) -> ASGIApp:
    """The pages.

    Args:
        database: of the server.
        people, requests, catalogue: what the pages show and do.
        clock: milliseconds UTC.
        secure: whether browsers reach us by https alone, so that what they keep is sent no other way.
        company: logins at a provider, where there is one.
    """
    return _Web(Desk(database, people, requests, catalogue, clock, secure, company))


class _Web:
    """The application. Every answer of it is a page, with all the headers that a page has."""

    def __init__(self, desk: Desk) -> None:
        know_rows()
        self._desk = desk
        self._pages: list[tuple[Pattern[str], dict[str, Convertor[Any]], Page]] = []
        for each in PAGES:
            regex, _, convertors = compile_path(each.path)
            self._pages.append((regex, convertors, each))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._response(request)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", "")) or "/"
        method = "GET" if request.method == "HEAD" else request.method
        if path == f"/{STYLE_NAME}" and method == "GET":
            kept = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
            return Response(STYLE, 200, kept, "text/css; charset=utf-8")
        found = self._find(path)
        if found is None:
            return await answer(self._desk, request, _missing, {}, public=True, again=None)
        page, values = found
        handler = {"GET": page.get, "POST": page.post}.get(method)
        if handler is None:
            allowed = [*(["GET", "HEAD"] if page.get else []), *(["POST"] if page.post else [])]
            response = await _show(self._desk, request, 405, "There is a page here, but it is not used like that.")
            response.headers["Allow"] = ", ".join(allowed)
            return response
        again = (page.again or page.get) if method == "POST" else None
        return await answer(self._desk, request, handler, values, public=page.public, again=again)

    def _find(self, path: str) -> tuple[Page, Mapping[str, Any]] | None:
        for regex, convertors, page in self._pages:
            found = regex.match(path)
            if found is not None:
                return page, {name: convertors[name].convert(value) for name, value in found.groupdict().items()}
        return None


def _missing(_: Call) -> Response:
    raise NoPageError("What you look for is not here; a link to it may be from an earlier time.")


async def _show(desk: Desk, request: Request, status: int, text: str) -> Response:
    return Call(desk, request, {}, Form([]), Form([])).show("wrong.html", status, title="Not like that", text=text)
