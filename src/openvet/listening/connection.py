"""A connection that cannot be held open for nothing: uvicorn's, with bounds on what comes in front of a request's body.

uvicorn's own bounds begin with the first answer: somebody who sends a request byte by byte, or one of endless headers, holds a connection
and memory for ever. Here a head has so many bytes and seconds, and then the connection ends with 431 or 408.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

__all__ = ["HEAD_BYTES", "HEAD_SECONDS", "BoundedProtocol"]

HEAD_BYTES: Final = 64 * 1024
HEAD_LINES: Final = 100
HEAD_SECONDS: Final = 15.0


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._arrived = 0
        self._in_head = False
        self._refusal = 400
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client has connected, and has to say what it wants."""
        super().connection_made(transport)
        self._begin_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; of a head only so many are taken."""
        if self._in_head:
            self._arrived += len(data)
            if self._arrived > HEAD_BYTES:
                self._refuse(431, "The headers are too long.")
                return
        if self._refusal == 400 and not self.transport.is_closing():
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        # a file's sender may have to end a connection whose client takes nothing
        self.scope["state"]["abort"] = self.transport.abort
        self._in_head, self._arrived = True, 0
        if self._late is None:
            self._begin_wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        super().on_header(name, value)
        self._arrived += len(name) + len(value)
        if self._arrived > 2 * HEAD_BYTES or len(self.headers) > HEAD_LINES:
            self._refusal = 431
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        """The head of a request is there."""
        self._in_head = False
        self._end_wait()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What was sent is no request."""
        if self._refusal == 431:
            self._refuse(431, "There are too many headers.")
        else:
            super().send_400_response(msg)

    def _begin_wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._refuse, 408, "The request did not come in time.")

    def _end_wait(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: int, text: str) -> None:
        self._refusal = status
        self._end_wait()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:  # else it would stand in the middle of an answer
            lines = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
            self.transport.write(STATUS_LINE[status] + lines % (len(text), text.encode("ascii")))
        self.transport.close()
