"""The application: OpenAI's routes, answered at a desk (:mod:`openvet.gateway.asked`)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.gateway.answers import (
    DONE,
    Written,
    chat_answer,
    chunk,
    completion_answer,
    embedding_answer,
    last_chunk,
    rated_choice,
    written_choice,
)
from openvet.gateway.asked import Chat, Complete, Desk, Ended, Part, Rate, Read, Transcribe, Vectors
from openvet.gateway.audio import check_wav
from openvet.gateway.desk import Limits
from openvet.gateway.forms import form_of, speech_request
from openvet.gateway.guarding import Guarded, Note, Observed, refusal_answer, send_refusal
from openvet.gateway.keeper import Keeper
from openvet.gateway.metrics import Metrics
from openvet.gateway.parsing import chat_request, completion_request, embedding_request, model_of
from openvet.gateway.refusal import RefusalError
from openvet.listening.hosts import Answer, KnownHosts
from openvet.listening.prometheus import FORMAT

__all__ = ["Shown", "make_app"]

#: Seconds in which a body has to be there, and in which a client has to take what it was sent.
_BODY_SECONDS: Final = 60.0
_SEND_SECONDS: Final = 60.0
_PLAIN: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

Respond = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Shown:
    """How the model is shown to clients.

    Attributes:
        name: that it is asked for by.
        facts: what was vetted of it: digest, decision, runtime, level.
        created: seconds since 1970 at which it was loaded.
    """

    name: str
    facts: Mapping[str, Any]
    created: int

    def to_json(self) -> dict[str, Any]:
        """As ``/v1/models`` lists it."""
        return {"id": self.name, "object": "model", "created": self.created, "owned_by": "openvet", "openvet": dict(self.facts)}  # fmt: skip


def make_app(
    desk: Desk,
    keeper: Keeper,
    shown: Shown,
    limits: Limits,
    metrics: Metrics,
    note: Callable[[Note], None],
    *,
    key: str = "",
    hosts: frozenset[str] = frozenset(),
    origins: frozenset[str] = frozenset(),
) -> ASGIApp:
    """The application.

    Args:
        desk: answers; what judges prompts and answers stands before it.
        keeper: whose state is told.
        note: takes a note of each request.
        key: a bearer token that every route but ``/health`` asks for; '' for none.
        hosts: names by which a request may call the server; empty for any.
        origins: of pages of other sites that may ask.
    """

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [shown.to_json()]}, headers=_PLAIN)

    async def model(request: Request) -> Response:
        _known(request.path_params["name"], shown.name)
        return JSONResponse(shown.to_json(), headers=_PLAIN)

    async def health(_: Request) -> Response:
        ready = keeper.state == "ready"
        return JSONResponse(
            {"status": "ok" if ready else keeper.state, "waiting": keeper.waiting}, 200 if ready else 503, headers=_PLAIN
        )  # fmt: skip

    async def figures(_: Request) -> Response:
        return Response(metrics.text(), headers={**_PLAIN, "Content-Type": FORMAT})

    async def welcome(_: Request) -> Response:
        return PlainTextResponse(
            f"{shown.name}, vetted and run by OpenVet. OpenAI's interface is at /v1.\n", headers=_PLAIN
        )

    routes = [
        Route("/", welcome, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route("/metrics", figures, methods=["GET"]),
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/models/{name:path}", model, methods=["GET"]),
    ]
    doors = _Doors(desk, shown.name, limits)
    for path, answer in doors.by_path.items():
        routes.append(Route(path, _Post(answer, limits.body), methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route, RefusalError: _refused})
    app.router.redirect_slashes = False
    guarded: ASGIApp = Guarded(app, key, origins)
    return Observed(KnownHosts(guarded, hosts, _wrong_name) if hosts else guarded, metrics, note)


def _wrong_name() -> Answer:
    return refusal_answer(RefusalError(421, "wrong_host", "this server is not called that; it is reached by its address on this machine"))  # fmt: skip


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    what = "no such method here" if status == 405 else "no such route; those of OpenAI's interface that are there: /v1/models, /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/audio/transcriptions"  # fmt: skip
    return await _refused(request, RefusalError(status, "unknown_url", what))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)  # noqa: S101 - registered for it alone
    Note.of(request.scope).code = error.code
    status, headers, body = refusal_answer(error)
    response = Response(body, status)
    response.raw_headers = headers
    return response


def _known(name: str, ours: str) -> None:
    if name != ours:
        raise RefusalError(404, "model_not_found", f"the model {printable(name)[:100]!r} is not here; {ours!r} is", param="model")  # fmt: skip


class _Post:
    """A route that takes a body, and whose answer ends where its client goes away."""

    def __init__(self, answer: Callable[[Scope, bytes, Respond], Awaitable[None]], largest: int) -> None:
        self._answer, self._largest = answer, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def patient(message: Message) -> None:
            nonlocal begun
            begun = True
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await send(message)
            except TimeoutError:
                Note.of(scope).gone = True
                scope["state"]["abort"]()  # it takes nothing: what it was sent is in memory
                raise _GoneError from None

        try:
            body = await self._body(scope, receive)
            await self._until_gone(self._answer(scope, body, patient), receive)
        except _GoneError:
            Note.of(scope).gone = True
        except RefusalError as refusal:
            if begun:  # it is told in the stream
                raise
            await send_refusal(refusal, scope, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        too_large = RefusalError(413, "body_too_large", f"the body has more than {self._largest} bytes")
        if announced.isdigit() and int(announced[:20]) > self._largest:
            raise too_large
        parts, taken = [], 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _GoneError
                    taken += len(message.get("body", b""))
                    if taken > self._largest:
                        raise too_large
                    parts.append(message.get("body", b""))
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise RefusalError(
                408, "body_too_slow", f"the body did not come within {_BODY_SECONDS:g} seconds"
            ) from None

    @staticmethod
    async def _until_gone(answer: Awaitable[None], receive: Receive) -> None:
        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(gone())
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise _GoneError
            answering.result()
        finally:
            for each in (answering, leaving):
                each.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


class _GoneError(Exception):
    """The client went away."""


class _Doors:
    """What answers each route."""

    def __init__(self, desk: Desk, name: str, limits: Limits) -> None:
        self._desk, self._name, self._limits = desk, name, limits
        self.by_path = {
            "/v1/chat/completions": self.chat, "/v1/completions": self.completion, "/v1/embeddings": self.embeddings,
            "/v1/audio/transcriptions": self.transcription,
        }  # fmt: skip

    async def chat(self, scope: Scope, body: bytes, send: Respond) -> None:
        """``/v1/chat/completions``."""
        self._json(scope, body)
        request = chat_request(body)
        written = Written("chat", self._name)
        if request.stream:
            await self._stream(scope, request.asked, written, send, usage=request.usage)
            return
        text, ended = await self._whole(scope, request.asked)
        await _send_json(send, chat_answer(written, text, ended))

    async def completion(self, scope: Scope, body: bytes, send: Respond) -> None:
        """``/v1/completions``."""
        self._json(scope, body)
        request = completion_request(body)
        written = Written("completion", self._name)
        if request.stream:
            await self._stream(scope, request.asked[0], written, send, usage=request.usage)
            return
        choices, prompt, completion = [], 0, 0
        for index, asked in enumerate(request.asked):
            if isinstance(asked, Rate):
                read = await self._one(asked, Read)
                choices.append(rated_choice(index, read, request.logprobs or 0))
                prompt, completion = prompt + len(read.tokens) - asked.following, completion + asked.following
            else:
                text, ended = await self._whole(None, asked)
                choices.append(written_choice(index, text, ended))
                prompt, completion = prompt + ended.prompt_tokens, completion + ended.completion_tokens
        note = Note.of(scope)
        note.prompt, note.completion = prompt, completion
        await _send_json(send, completion_answer(written, choices, prompt, completion))

    async def embeddings(self, scope: Scope, body: bytes, send: Respond) -> None:
        """``/v1/embeddings``."""
        self._json(scope, body)
        request = embedding_request(body)
        found = await self._one(request.asked, Vectors)
        Note.of(scope).prompt = found.tokens
        size = len(found.vectors[0])
        if request.dimensions not in (None, size):
            raise RefusalError(400, "unsupported_parameter", f"dimensions: this model's vectors have {size}", param="dimensions")  # fmt: skip
        await _send_json(send, embedding_answer(self._name, found, request.form))

    async def transcription(self, scope: Scope, body: bytes, send: Respond) -> None:
        """``/v1/audio/transcriptions``."""
        content_type = _header(scope, b"content-type")
        form = await form_of(content_type, body)
        if "model" not in form.fields:
            raise RefusalError(400, "invalid_value", "model: the name of the model is needed", param="model")
        _known(form.fields["model"], self._name)
        request = speech_request(form)
        if "transcribe" not in self._desk.can:
            raise RefusalError(400, "model_cannot", "this model transcribes no speech")
        check_wav(request.file, self._limits.audio_seconds)
        found = await self._one(Transcribe(request.file, request.language), Read)
        if request.form == "text":
            await _send(send, f"{found.text}\n".encode(), b"text/plain; charset=utf-8")
        else:
            await _send_json(send, {"text": found.text, "usage": {"type": "duration", "seconds": found.seconds}})

    def _json(self, scope: Scope, body: bytes) -> None:
        """Refuse what is not called JSON, or means another model."""
        if _header(scope, b"content-type").partition(";")[0].strip().lower() != "application/json":
            raise RefusalError(415, "unsupported_media_type", "the body has to be application/json, and called that")
        _known(model_of(body), self._name)

    async def _one(self, asked: Any, kind: type[Any]) -> Any:
        found = None
        async with contextlib.aclosing(self._desk.ask(asked)) as parts:
            async for part in parts:
                found = part
        if not isinstance(found, kind):
            raise RefusalError(500, "fault", "the desk gave another answer than was asked for")
        return found

    async def _whole(self, scope: Scope | None, asked: Chat | Complete) -> tuple[str, Ended]:
        texts: list[str] = []
        ended = None
        async with contextlib.aclosing(self._desk.ask(asked)) as parts:
            async for part in parts:
                if isinstance(part, Part):
                    texts.append(part.text)
                elif isinstance(part, Ended):
                    ended = part
        if ended is None:
            raise RefusalError(500, "fault", "the desk gave another answer than was asked for")
        if scope is not None:
            note = Note.of(scope)
            note.prompt, note.completion = ended.prompt_tokens, ended.completion_tokens
        return "".join(texts), ended

    async def _stream(self, scope: Scope, asked: Any, written: Written, send: Respond, *, usage: bool) -> None:
        """Events: their first is sent when the first part is there, so that what is refused has a status of its own."""
        note, started, begun = Note.of(scope), time.monotonic(), False

        async def emit(data: bytes) -> None:
            nonlocal begun
            if not begun:
                begun = True
                note.first = time.monotonic() - started
                headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"x-accel-buffering", b"no")]  # fmt: skip
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                if written.chat:
                    data = chunk(written, "", None, first=True, usage=usage) + data
            await send({"type": "http.response.body", "body": data, "more_body": True})

        try:
            async with contextlib.aclosing(self._desk.ask(asked)) as parts:
                async for part in parts:
                    if isinstance(part, Part):
                        await emit(chunk(written, part.text, None, usage=usage))
                    elif isinstance(part, Ended):
                        note.prompt, note.completion = part.prompt_tokens, part.completion_tokens
                        last = chunk(written, None, part.why, usage=usage)
                        await emit(last + (last_chunk(written, part) if usage else b"") + DONE)
        except RefusalError as refusal:
            if not begun:
                raise
            note.code = refusal.code
            await emit(b"data: " + refusal.body + b"\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for each, value in scope["headers"] if each == name), "")


async def _send_json(send: Respond, value: Mapping[str, Any]) -> None:
    await _send(send, JSONResponse(value).body, b"application/json")


async def _send(send: Respond, body: bytes | memoryview[int], kind: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(body), "more_body": False})
