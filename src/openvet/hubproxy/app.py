"""The application: every route of the server, from a gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from openvet.gate.answers import Gate
from openvet.hubproxy.hub.door import HOLD, HubDoor
from openvet.hubproxy.seen import Observed, Seen, fault_answer
from openvet.version import VERSION

__all__ = ["make_app"]

#: Threads in which the gate is asked. One of them waits for the database while the others do.
THREADS = 32


def make_app(
    gate: Gate, note: Callable[[Seen], None], *, base: str = "", hold: float = HOLD, threads: int = THREADS
) -> ASGIApp:
    """The application.

    Args:
        gate: gives the answers; whoever opened it closes it after the application has ended.
        note: takes a note of each request.
        base: where clients reach us; '' takes it from each request.
        hold: seconds for which a file is waited for.
        threads: in which the gate is asked.
    """
    executor = ThreadPoolExecutor(threads, "gate")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        executor.shutdown(cancel_futures=True)

    routes = [
        Route("/", _welcome, methods=["GET"]),
        Mount("/", HubDoor(gate, executor, base=base, hold=hold)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _fault})
    app.router.redirect_slashes = False  # no answer of ours leads anywhere else
    return Observed(app, note)


async def _welcome(request: Request) -> PlainTextResponse:
    where = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    text = f"OpenVet {VERSION}: models are pulled through this gate.\n\nexport HF_ENDPOINT={where}\n"
    return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})


def _fault(request: Request, _: Exception) -> Response:
    """What the client sees; the exception goes on to :class:`Observed`, which writes it down."""
    status, headers, body = fault_answer(Seen.of(request.scope))
    response = Response(body, status)
    response.raw_headers = headers
    return response
