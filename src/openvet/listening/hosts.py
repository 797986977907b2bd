"""By which names a server may be called.

What a browser calls this machine by is not ours to choose: a page can make its own name lead here (DNS rebinding), and must not read what we say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from openvet.core.pattern import pattern

__all__ = ["Answer", "KnownHosts", "name_in"]

#: Status, headers and body.
Answer = tuple[int, Iterable[tuple[bytes, bytes]], bytes]
_NAME: Final = pattern(r"(.*?)(?::\d+)?")


def name_in(address: str) -> str | None:
    """The name in ``name:port``, small; ``None`` where it is none."""
    found = _NAME.fullmatch(address)
    return None if found is None else found[1].lower()


class KnownHosts:
    """An application that answers only who calls it by its name.

    Args:
        app: the application.
        hosts: its names, small.
        refusal: what others are told; status 421 says that they are wrong here.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], refusal: Callable[[], Answer]) -> None:
        self._app, self._hosts, self._refusal = app, hosts, refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = name_in(Headers(scope=scope).get("host", ""))
            if named is None or (named and named not in self._hosts):
                status, headers, body = self._refusal()
                await send({"type": "http.response.start", "status": status, "headers": list(headers)})
                await send({"type": "http.response.body", "body": body, "more_body": False})
                return
        await self._app(scope, receive, send)
