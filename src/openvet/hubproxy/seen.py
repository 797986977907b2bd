"""What the server notes of a request, one line each, and the last line of defence around every answer.

A line never holds a header, a query or a body: tokens travel there. The same id stands in the line, in ``X-Request-Id`` and, since
clients print it, on the screen of who was refused.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.hubproxy.hub.refusal import Headers, error_answer

__all__ = ["Observed", "Seen", "as_json", "as_text", "fault_answer"]

_KEY: Final = "openvet.seen"
_LONGEST: Final = 500
_log = logging.getLogger("openvet.server")


@dataclass(slots=True)
class Seen:
    """One request. Whoever answers it adds what it was about.

    Attributes:
        id: of the request, 16 hexadecimal digits, ours.
        method, path, address, agent: as they came, printable and cut; the path without its query.
        status: of the answer; 0 where there was none.
        sent: bytes of the body.
        repository, commit: what it was about, where that was a repository.
        outcome: ``ready``, ``waiting``, ``gone``, ``fault``, or why it was refused; '' otherwise.
        milliseconds: until the answer was complete.
    """

    id: str = ""
    method: str = ""
    path: str = ""
    address: str = ""
    agent: str = ""
    status: int = 0
    sent: int = 0
    repository: str = ""
    commit: str = ""
    outcome: str = ""
    milliseconds: float = 0.0

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> Seen:
        """What is noted of this request; of one that nobody observes, a note that nobody reads."""
        found = scope.get(_KEY)
        return found if isinstance(found, cls) else cls()


class Observed:
    """An application whose requests are noted and whose faults stay here.

    Args:
        app: the application.
        note: takes each line when its request is over.
    """

    def __init__(self, app: ASGIApp, note: Callable[[Seen], None]) -> None:
        self._app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        seen = scope[_KEY] = _begun(scope)
        number = (b"x-request-id", seen.id.encode("ascii"))

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message["headers"] = [*message.get("headers", ()), number]
            else:
                seen.sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:  # noqa: BLE001 - the last line of defence: an answer and never a traceback
            seen.outcome = "fault"
            _log.exception("request %s ended in a fault of OpenVet itself", seen.id)
        finally:
            seen.milliseconds = (time.monotonic() - started) * 1000
            self._note(seen)


def fault_answer(seen: Seen) -> tuple[int, Headers, bytes]:
    """What a client is told of a fault: where to look, and nothing of it."""
    return error_answer(500, f"A fault in OpenVet itself; its log has more under request {seen.id}.")


def as_text(seen: Seen) -> str:
    """A line for people."""
    what = " ".join(each for each in (seen.repository and f"[{seen.repository}]", seen.outcome) if each)
    return f"{_now()} {seen.id} {seen.address} {seen.method} {seen.path} {seen.status or '-'} {seen.sent} {seen.milliseconds:.1f}ms {what}".rstrip()  # fmt: skip


def as_json(seen: Seen) -> str:
    """A line for programs."""
    value = {
        "time": _now(),
        "event": "request",
        "request": seen.id,
        "address": seen.address,
        "agent": seen.agent,
        "method": seen.method,
        "path": seen.path,
        "status": seen.status,
        "bytes": seen.sent,
        "milliseconds": round(seen.milliseconds, 2),
        "repository": seen.repository,
        "commit": seen.commit,
        "outcome": seen.outcome,
    }
    return json.dumps(value)


def _begun(scope: Scope) -> Seen:
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"").decode("latin-1")
    client = scope.get("client")
    path = printable(scope["raw_path"].decode("latin-1"))
    return Seen(
        id=token_hex(8),
        method=scope["method"],
        path=path[:_LONGEST],
        address=client[0] if client else "",
        agent=printable(agent[:_LONGEST])[:_LONGEST],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
