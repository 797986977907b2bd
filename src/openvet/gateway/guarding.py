"""What stands in front of every route: who may ask, from where, and how much may be sent; and the line of the log about each.

A browser sends requests in the name of whoever looks at a page: so pages of other sites are refused, unless their origin was named, and JSON has to
be called that, which a page cannot do without asking first. A log line holds no header, no query, no body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.gateway.metrics import Metrics
from openvet.gateway.refusal import RefusalError

__all__ = ["Guarded", "Note", "Observed", "refusal_answer", "send_refusal"]

_KEY: Final = "openvet.note"
_OPEN: Final = frozenset({"/health"})
_ROUTES: Final = frozenset(
    {"/", "/health", "/metrics", "/v1/models", "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/audio/transcriptions"}
)  # fmt: skip
_log = logging.getLogger("openvet.run")


@dataclass(slots=True)
class Note:
    """One request, as the log tells it.

    Attributes:
        route: the path, where it is one of ours; ``/v1/models/`` for one model; ``other``.
        code: why it was refused.
        prompt, completion: tokens.
        first: seconds until the first part of an answer that is streamed.
    """

    id: str = ""
    method: str = ""
    route: str = ""
    address: str = ""
    status: int = 0
    code: str = ""
    prompt: int = 0
    completion: int = 0
    first: float = 0.0
    seconds: float = 0.0
    gone: bool = False

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> Note:
        """The note of this request; of one that nobody observes, a note that nobody reads."""
        found = scope.get(_KEY)
        return found if isinstance(found, cls) else cls()

    def line(self, form: str) -> str:
        """For the log, as ``text`` or ``json``."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if form == "json":
            value = {
                "time": now, "event": "request", "request": self.id, "address": self.address, "method": self.method, "route": self.route,
                "status": self.status, "code": self.code, "prompt_tokens": self.prompt, "completion_tokens": self.completion,
                "first_part_seconds": round(self.first, 4), "seconds": round(self.seconds, 4), "client_gone": self.gone,
            }  # fmt: skip
            return json.dumps(value)
        tokens = f" {self.prompt}+{self.completion} tokens" if self.prompt or self.completion else ""
        more = " ".join(filter(None, (self.code, "client went away" if self.gone else "")))
        return f"{now} {self.id} {self.address} {self.method} {self.route} {self.status or '-'} {self.seconds * 1000:.0f}ms{tokens} {more}".rstrip()  # fmt: skip


def refusal_answer(refusal: RefusalError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body."""
    body = refusal.body
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if refusal.retry:
        headers.append((b"retry-after", str(refusal.retry).encode()))
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.status == 413:
        headers.append((b"connection", b"close"))
    return refusal.status, headers, body


async def send_refusal(refusal: RefusalError, scope: Scope, send: Send) -> None:
    """Answer with a refusal."""
    Note.of(scope).code = refusal.code
    status, headers, body = refusal_answer(refusal)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Observed:
    """An application whose requests are noted and whose faults stay here."""

    def __init__(self, app: ASGIApp, metrics: Metrics, note: Callable[[Note], None]) -> None:
        self._app, self._metrics, self._note = app, metrics, note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, client, path = time.monotonic(), scope.get("client"), scope["path"]
        route = path if path in _ROUTES else "/v1/models/" if path.startswith("/v1/models/") else "other"
        note = scope[_KEY] = Note(token_hex(8), printable(scope["method"])[:20], route, client[0] if client else "")
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                note.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", note.id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:  # noqa: BLE001 - the last line of defence: an answer and never a traceback
            _log.exception("request %s ended in a fault of OpenVet itself", note.id)
            note.code = "fault"
            if not begun:
                text = f"a fault in OpenVet itself; its log has more under request {note.id}"
                await send_refusal(RefusalError(500, "fault", text), scope, watched)
        finally:
            note.seconds = time.monotonic() - started
            self._metrics.request(note.route, note.status, note.seconds, note.code)
            self._metrics.tokens(note.prompt, note.completion)
            if note.first:
                self._metrics.time("first_part", note.route, note.first)
            if note.gone:
                self._metrics.gone()
            self._note(note)


class Guarded:
    """An application for those alone who have the key, where there is one, and for no page of another site.

    Args:
        key: a bearer token; '' asks nobody for one.
        origins: of pages that may ask.
    """

    def __init__(self, app: ASGIApp, key: str, origins: frozenset[str]) -> None:
        self._app, self._origins = app, origins
        self._key = hashlib.sha256(key.encode()).digest() if key else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        shared = [(b"vary", b"origin")] if self._origins else []
        if origin in self._origins:
            shared.append((b"access-control-allow-origin", origin.encode("latin-1")))

        async def shown(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *shared]
            await send(message)

        if scope["method"] == "OPTIONS" and origin in self._origins:
            allowed = [
                (b"access-control-allow-methods", b"GET, POST"),
                (b"access-control-allow-headers", b"authorization, content-type"),
                (b"access-control-max-age", b"600"),
            ]
            await shown({"type": "http.response.start", "status": 204, "headers": allowed})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        refusal = self._why_not(scope, headers, origin)
        if refusal is None:
            await self._app(scope, receive, shown)
        else:
            await send_refusal(refusal, scope, shown)

    def _why_not(self, scope: Scope, headers: Headers, origin: str) -> RefusalError | None:
        if origin and origin not in self._origins and _host_of(origin) != headers.get("host"):
            return RefusalError(403, "origin_refused", "pages of other sites are not answered; --allow-origin names those that are")  # fmt: skip
        if headers.get("sec-fetch-site") == "cross-site" and origin not in self._origins:
            return RefusalError(403, "origin_refused", "pages of other sites are not answered; --allow-origin names those that are")  # fmt: skip
        if not self._key or scope["path"] in _OPEN:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        found = hashlib.sha256(given.strip().encode("latin-1")).digest() if scheme.lower() == "bearer" else b""
        if hmac.compare_digest(found, self._key):
            return None
        return RefusalError(401, "invalid_api_key", "the key of this server is needed, as a bearer token")


def _host_of(origin: str) -> str:
    """The host and port of an origin; '' where it is none, as ``null`` and ``http://[`` are."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
