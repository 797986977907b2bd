"""A file that may be had: its headers, and its bytes or some of them. RFC 9110 sections 8.8 (ETag), 13 (conditions), 14 (ranges).

Bytes go out in blocks that are read from the page cache without a thread where they are there (``RWF_NOWAIT``), and by a thread where
they are not, so that a cold disk stops nobody else. A client holds one block and the connection's buffer, however large the file is.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from secrets import token_hex
from typing import Any, Final
from urllib.parse import quote

from starlette.types import Receive, Send

from openvet.core.dataclass import dataclass
from openvet.errors import ChangedError
from openvet.gate.answers import ListedFile, Ready
from openvet.hubproxy.hub.ranges import UnsatisfiableError, read_ranges
from openvet.hubproxy.hub.refusal import Headers, error_answer

__all__ = ["Opened", "Plan", "head_of", "open_ready", "plan", "read_headers", "send_file"]

#: Bytes in one block. Larger ones are no faster over loopback and make a client cost more memory.
BLOCK: Final = 128 * 1024
#: Files of up to so many bytes are read where they are opened.
SMALL: Final = 64 * 1024
#: Seconds in which a client has to take one block.
STALL: Final = 60.0
_NOWAIT: Final = getattr(os, "RWF_NOWAIT", 0)
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+ ")


@dataclass(frozen=True, slots=True)
class Opened:
    """Bytes of a file: all of them, or where to read them from.

    Attributes:
        descriptor: open for reading; -1 where ``whole`` has the bytes.
        whole: the bytes of a small file.
    """

    descriptor: int
    whole: bytes = b""

    def close(self) -> None:
        """Give the descriptor back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent: ``parts`` are bytes as they are, or (start, stop) in the file; ``length`` is how many bytes that makes."""

    status: int
    headers: Headers
    parts: Sequence[bytes | tuple[int, int]]
    length: int


def open_ready(ready: Ready) -> Opened:
    """The bytes of a file that may be served; it is as long as it is listed, or not served.

    Raises:
        ChangedError: what lies there is not what was hashed.
        OSError: it cannot be opened.
    """
    descriptor = os.open(ready.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != ready.file.size:
            raise ChangedError(
                f"{ready.sha256} lies in the store with {status.st_size} bytes, and has {ready.file.size}"
            )
        if status.st_size > SMALL:
            return Opened(descriptor)
        whole = os.pread(descriptor, SMALL + 1, 0)
        if len(whole) != ready.file.size:
            raise ChangedError(f"{ready.sha256} changed while it was read")
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return Opened(-1, whole)


def head_of(file: ListedFile, commit: str) -> Headers:
    """The headers that HEAD and GET share, without ``Content-Length``."""
    etag = f'"{file.etag}"'.encode("ascii")
    headers: Headers = [
        (b"etag", etag),
        (b"x-repo-commit", commit.encode("ascii")),
        (b"accept-ranges", b"bytes"),
        (b"content-type", b"application/octet-stream"),
        (b"content-disposition", _disposition(file.path)),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"cache-control", b"private, no-cache"),
    ]
    if file.lfs:
        headers += [(b"x-linked-etag", etag), (b"x-linked-size", str(file.size).encode())]
    return headers


def plan(asked: dict[bytes, bytes], file: ListedFile, commit: str, *, head: bool) -> Plan:
    """What is sent to somebody who asked with these headers (names in lower case)."""
    headers, etag = head_of(file, commit), f'"{file.etag}"'
    if _is_known(asked.get(b"if-none-match", b"").decode("latin-1"), etag):
        return Plan(304, headers, (), 0)
    wanted = None
    # RFC 9110 14.2: only GET has ranges; 13.1.5: with If-Range only of the same bytes, and a date is never that
    # a file without bytes has no range (14.1.2), and a range may be ignored
    if (
        not head
        and file.size
        and b"range" in asked
        and asked.get(b"if-range", etag.encode()).decode("latin-1").strip() == etag
    ):
        try:
            wanted = read_ranges(asked[b"range"].decode("latin-1"), file.size)
        except UnsatisfiableError as error:
            more: Headers = [(b"content-range", f"bytes */{file.size}".encode()), (b"accept-ranges", b"bytes")]
            status, out, body = error_answer(416, f"the request {error}", commit=commit, more=more)
            return Plan(status, out, (body,), len(body))
    if wanted is None:
        length = (b"content-length", str(file.size).encode())
        if not file.size and b"range" in asked:
            # @huggingface/hub asks for byte 0 of each file, and takes its size from here; 416 would end a whole snapshot
            headers.append((b"content-range", b"bytes */0"))
        return Plan(200, [*headers, length], ((0, file.size),), file.size)
    if len(wanted) == 1:
        start, stop = wanted[0]
        headers += [
            (b"content-range", f"bytes {start}-{stop - 1}/{file.size}".encode()),
            (b"content-length", str(stop - start).encode()),
        ]
        return Plan(206, headers, wanted, stop - start)
    return _multipart(headers, wanted, file.size)


async def send_file(
    plan: Plan,
    opened: Opened,
    receive: Receive,
    send: Send,
    executor: Executor,
    *,
    stall: float = STALL,
    abort: Callable[[], None] | None = None,
) -> int:
    """Send what was planned.

    Args:
        plan: what.
        opened: the file's bytes; whoever opened them closes them.
        receive: tells when the client goes away.
        send: takes the answer.
        executor: reads what is not in the page cache.
        stall: seconds in which the client has to take a block.
        abort: ends the connection at once, without waiting for a client that takes nothing.

    Returns:
        Bytes of the body that were handed to the connection: fewer than planned where the client went away, took none for ``stall``
        seconds, or what lies in the store could not be read; the connection then ends, so that nobody takes it for the whole.
    """
    await send({"type": "http.response.start", "status": plan.status, "headers": plan.headers})
    if opened.descriptor < 0 or plan.length <= SMALL:
        body = b"".join([each if isinstance(each, bytes) else await _read_all(opened, *each, executor) for each in plan.parts])  # fmt: skip
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return len(body)
    gone = asyncio.ensure_future(_gone(receive))
    sent = 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(stall) as patience:
            for part in plan.parts:
                start, stop = (0, len(part)) if isinstance(part, bytes) else part
                while start < stop:
                    block = part[start:stop] if isinstance(part, bytes) else await _read(opened.descriptor, start, min(BLOCK, stop - start), executor)  # fmt: skip
                    if not block or gone.done():
                        return sent
                    start += len(block)
                    sent += len(block)
                    await send({"type": "http.response.body", "body": block, "more_body": sent < plan.length})
                    patience.reschedule(loop.time() + stall)
                    await asyncio.sleep(
                        0
                    )  # a connection that takes everything at once must not keep the others waiting
    except TimeoutError:
        if abort is not None:
            abort()
        return sent
    finally:
        gone.cancel()
    return sent


async def _gone(receive: Receive) -> None:
    """Returns when the client has gone (or has everything)."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_all(opened: Opened, start: int, stop: int, executor: Executor) -> bytes:
    if opened.descriptor < 0:
        return opened.whole[start:stop]
    blocks = []
    while start < stop:
        block = await _read(opened.descriptor, start, min(BLOCK, stop - start), executor)
        if not block:
            raise ChangedError("a file in the store ended before its end")
        blocks.append(block)
        start += len(block)
    return b"".join(blocks)


async def _read(descriptor: int, start: int, size: int, executor: Executor) -> bytes:
    """Bytes at ``start``: at most ``size``, and none only at the end of the file."""
    if _NOWAIT:
        block = bytearray(size)
        try:
            count = os.preadv(descriptor, [block], start, _NOWAIT)
        except OSError:  # EAGAIN: they are on the disk; EOPNOTSUPP: this file system cannot tell
            count = 0
        if count == size:
            return block  # type: ignore[return-value]  # what is sent once need not be copied to be immutable
        if count:
            return bytes(memoryview(block)[:count])
    return await asyncio.get_running_loop().run_in_executor(executor, os.pread, descriptor, size, start)


def _is_known(header: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names this ETag (compared weakly, 13.1.2)."""
    return header.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in header.split(",")]


def _disposition(path: str) -> bytes:
    """Under which name a browser would keep it, and that it keeps it: RFC 6266."""
    name = path.rpartition("/")[2]
    plain = "".join(each if each in _PLAIN else "_" for each in name)
    if plain == name:
        return f'attachment; filename="{plain}";'.encode("ascii")
    return f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}; filename=\"{plain}\";".encode(
        "ascii"
    )


def _multipart(headers: Headers, wanted: Sequence[tuple[int, int]], size: int) -> Plan:
    boundary = token_hex(13)
    parts: list[bytes | tuple[int, int]] = []
    for start, stop in wanted:
        lead = f"--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {start}-{stop - 1}/{size}\r\n\r\n"
        parts += [(b"\r\n" if parts else b"") + lead.encode("ascii"), (start, stop)]
    parts.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    length = sum(len(each) if isinstance(each, bytes) else each[1] - each[0] for each in parts)
    out: Headers = [each for each in headers if each[0] != b"content-type"]
    out += [
        (b"content-type", f"multipart/byteranges; boundary={boundary}".encode("ascii")),
        (b"content-length", str(length).encode()),
    ]
    return Plan(206, out, parts, length)


def read_headers(raw: Sequence[tuple[Any, Any]]) -> dict[bytes, bytes]:
    """Headers of a request; of a name that comes more than once the values are joined, as RFC 9110 5.3 has it."""
    out: dict[bytes, bytes] = {}
    for name, value in raw:
        out[name] = out[name] + b", " + value if name in out else value
    return out
