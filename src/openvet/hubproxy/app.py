"""The application: every route of the server, from a gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openvet.gate.answers import Gate
from openvet.hubproxy.hub.door import HOLD, HubDoor
from openvet.hubproxy.hub.refusal import error_answer
from openvet.hubproxy.seen import Observed, Seen, fault_answer
from openvet.listening.hosts import Answer, KnownHosts
from openvet.version import VERSION

__all__ = ["make_app"]

_LARGEST_BODY: Final = 1 << 20
_PAGES: Final = "/openvet"

#: Threads in which the gate is asked. One of them waits for the database while the others do.
THREADS = 32


def make_app(
    gate: Gate,
    note: Callable[[Seen], None],
    *,
    base: str = "",
    hold: float = HOLD,
    threads: int = THREADS,
    hosts: tuple[str, ...] = (),
    mounts: Mapping[str, ASGIApp] | None = None,
    handed: tuple[str, str] | None = None,
    more: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The application.

    Args:
        gate: gives the answers; whoever opened it closes it after the application has ended.
        note: takes a note of each request.
        base: where clients reach us; '' takes it from each request.
        hold: seconds for which a file is waited for.
        threads: in which the gate is asked.
        hosts: names by which a request may call us; () for any. See
            :mod:`openvet.listening.hosts`.
        mounts: applications by the path below which they answer, the longest first: the API and the pages.
        handed: a folder whose files a reverse proxy sends, and the prefix under which it has them.
        more: routes for whoever runs the server.
    """
    executor = ThreadPoolExecutor(threads, "gate")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        executor.shutdown(cancel_futures=True)

    routes = [
        Route("/", _welcome, methods=["GET"]),
        *more,
        *(Route(path, _page, methods=["GET"]) for path in mounts or {}),
        *(Mount(path, _Bounded(each)) for path, each in (mounts or {}).items()),
        Mount("/", HubDoor(gate, executor, base=base, hold=hold, handed=handed)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _fault})
    app.router.redirect_slashes = False  # what a client of a hub asks for leads nowhere else
    return Observed(KnownHosts(app, frozenset(hosts), _wrong_name) if hosts else app, note)


class _Bounded:
    """An application that takes no body of more than a megabyte: what is sent to it is what people write."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, begun, refused = 0, False, False

        async def bounded() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken <= _LARGEST_BODY:
                return message
            if not begun and not refused:
                refused = True
                text = f"The body has more than {_LARGEST_BODY} bytes."
                status, headers, body = error_answer(413, text, more=[(b"connection", b"close")])
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body, "more_body": False})
            return {"type": "http.disconnect"}

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            if not refused:
                await send(message)

        await self._app(scope, bounded, noted)


def _wrong_name() -> Answer:
    return error_answer(
        421, "This server is not called that; set its url in serve.toml, or let it listen to other machines."
    )


async def _welcome(request: Request) -> PlainTextResponse:
    where = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    text = f"OpenVet {VERSION}: models are pulled through this gate.\n\nexport HF_ENDPOINT={where}\n"
    if any(isinstance(each, Mount) and each.path == _PAGES for each in request.app.routes):
        text += f"\nModels, requests and people: {where}{_PAGES}/\n"
    return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})


async def _page(request: Request) -> RedirectResponse:
    """A page by its address without the last slash, as people write it."""
    return RedirectResponse(f"{request.url.path}/", 303)


def _fault(request: Request, _: Exception) -> Response:
    """What the client sees; the exception goes on to :class:`Observed`, which writes it down."""
    status, headers, body = fault_answer(Seen.of(request.scope))
    response = Response(body, status)
    response.raw_headers = headers
    return response
