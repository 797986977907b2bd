"""A small HTTP client: pooled connections, redirects that are looked at, retries, and ranges that are checked.

Nothing that a server says is believed without bounds: a redirect may lead neither to a file nor from https to http nor from
another host to this machine nor from a public host into a private network; credentials stay with the host that they belong to; a range has to be the range that was asked for.
RFC 9110 sections 14 (ranges), 13.1.5 (If-Range) and 10.2.3 (Retry-After).
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ChangedError, UnreachableError
from openvet.version import VERSION

__all__ = ["Client", "Reply", "StatusError", "is_this_machine", "origin_of"]

_REDIRECTS = (301, 302, 303, 307, 308)
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
#: Doing it twice is doing it once (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
_MOST_REDIRECTS = 8
_TRIES = 5
#: Parts of one body, when connections are cut in its middle: a server that gives a byte at a time is not waited for.
_PARTS = 64
_LONGEST_WAIT = 60.0
_CHUNK = 256 * 1024
#: Bytes before the wanted ones that are read and thrown away where a server ignores ranges.
_DISCARD = 16 * 1024 * 1024
_CONTENT_RANGE = pattern(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_FAILURES = (OSError, http.client.HTTPException, ssl.SSLError)

_T = TypeVar("_T")


class StatusError(UnreachableError):
    """The server refused: ``status`` says how, ``reason`` is what it added."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of ``url``; raises for anything but http and https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnreachableError("the address makes no sense") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnreachableError(f"an address of the kind {printable(parts.scheme)[:20] or 'nothing'}: is not followed")
    return parts.scheme, parts.hostname.lower(), port or (443 if parts.scheme == "https" else 80)


@dataclass(slots=True)
class Reply:
    """An answer whose body is still on its way."""

    status: int
    headers: dict[str, str]
    url: str
    body: http.client.HTTPResponse
    connection: http.client.HTTPConnection
    hops: tuple[dict[str, str], ...] = ()
    key: tuple[str, str, int] = field(default=("", "", 0))

    @property
    def length(self) -> int | None:
        text = self.headers.get("content-length", "")
        return int(text) if text.isdigit() and len(text) < 19 else None


class Client:
    """Fetches over HTTP. May be used by several threads.

    Args:
        authorize: gives the Authorization header for a URL, or ``None``; it is asked again for every redirect.
        timeout: seconds without a byte after which a connection counts as lost.
        sleep: waits; passed in so that a test does not.
        tries: attempts before an answer, or a body that stands still, is given up.
        home: the host that whoever runs this has named. Every other one is named by a server, and may not turn out to be this machine, by
            whatever name, nor in a private network where home is not in one; '' trusts all. What a proxy resolves is the proxy's to refuse.
    """

    def __init__(
        self,
        authorize: Callable[[str], str | None] = lambda _: None,
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        tries: int = _TRIES,
        home: str = "",
    ) -> None:
        self.authorize = authorize
        self.home = home
        self._tries = tries
        self._timeout = timeout
        self._sleep = sleep
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str, int], list[http.client.HTTPConnection]] = {}
        self._tls: ssl.SSLContext | None = None
        self._closed = False
        #: Whether home was found to have a public address.
        self._public = False
        self.fetched = 0

    # --- whole answers ---

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> tuple[bytes, Reply]:
        """The whole body of ``url``, at most ``limit`` bytes, and the answer it came with.

        Raises:
            StatusError: any status but 200.
            UnreachableError: no answer, or a longer one.
        """

        def attempt() -> tuple[bytes, Reply]:
            reply = self._open("GET", url, headers or {})
            try:
                self._expect(reply, (200,))
                if (reply.length or 0) > limit:
                    raise UnreachableError(f"the answer is longer than {limit} bytes")
                data = b"".join(self._body(reply, limit + 1))
                if len(data) > limit:
                    raise UnreachableError(f"the answer is longer than {limit} bytes")
                if reply.length is not None and len(data) < reply.length:
                    raise http.client.IncompleteRead(data)
            finally:
                self._done(reply)
            return data, reply

        return self._retry(attempt)

    def head(self, url: str, headers: Mapping[str, str] | None = None, *, redirects: bool = True) -> Reply:
        """The headers of ``url``; a status of 400 and above raises :class:`StatusError`."""

        def attempt() -> Reply:
            reply = self._open("HEAD", url, headers or {}, redirects=redirects)
            try:
                self._expect(reply, (200, 204, 206, *_REDIRECTS))
            finally:
                self._done(reply)
            return reply

        return self._retry(attempt)

    # --- sending ---

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        limit: int,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> tuple[bytes, Reply]:
        """Send ``body`` and give the whole answer, whatever its status; no redirect is followed.

        What must not be done twice (POST) is sent once, on a connection of its own. Of the others an answer that asks to come again is asked anew.

        Args:
            limit: bytes of the answer at most.
            repeatable: whoever calls knows that doing this twice does no harm, whatever the method.

        Raises:
            StatusError: the server went on asking to come again.
            UnreachableError: no answer, or a longer one. After a POST nobody knows then whether it was done.
        """
        again = repeatable or method in _IDEMPOTENT

        def attempt() -> tuple[bytes, Reply]:
            reply = self._ask(method, url, headers or {}, body, fresh=not again)
            try:
                if again and reply.status in _AGAIN:
                    self._expect(reply, ())
                data = b"".join(self._body(reply, limit + 1))
                if len(data) > limit:
                    raise UnreachableError(f"the answer is longer than {limit} bytes")
                if reply.length is not None and len(data) < reply.length:
                    raise http.client.IncompleteRead(data)
            finally:
                self._done(reply)
            return data, reply

        if again:
            return self._retry(attempt)
        try:
            return attempt()
        except _FAILURES as error:
            raise UnreachableError(
                f"no answer ({_why(error)}); look whether it was done before you do it again"
            ) from error

    # --- ranges ---

    def ranged(
        self,
        url: str,
        start: int,
        stop: int,
        size: int,
        *,
        etag: str = "",
        on_reply: Callable[[Reply], None] = lambda _: None,
    ) -> Iterator[bytes]:
        """The bytes ``start`` to ``stop`` of a file of ``size`` bytes, in pieces; a body that is cut is gone on with.

        ``on_reply`` sees each answer before its bytes count, and raises where it is not the file that was meant.

        Raises:
            ChangedError: the file is another one than before, or has another size.
            UnreachableError: the server gives other bytes than were asked for, or none.
        """
        position, failed, parts = start, 0, 0
        while position < stop:
            headers = {"Range": f"bytes={position}-{stop - 1}"}
            if etag and not etag.startswith("W/"):
                headers["If-Range"] = etag
            reply = None
            before = position
            try:
                reply = self._open("GET", url, headers)
                self._expect(reply, (200, 206))
                on_reply(reply)
                etag = _same_file(reply, etag, size)
                skip = _skip(reply, position, stop, size)
                for piece in self._body(reply, skip + stop - position):
                    piece, skip = piece[skip:], max(skip - len(piece), 0)
                    position += len(piece)
                    if piece:
                        yield piece
                if position < stop:
                    raise http.client.IncompleteRead(b"")
            except (StatusError, *_FAILURES) as error:
                if isinstance(error, StatusError) and error.status not in _AGAIN:
                    raise
                parts += 1
                failed = 0 if position > before else failed + 1
                if failed >= self._tries or parts >= _PARTS:
                    raise UnreachableError(
                        f"the server broke off {parts} times: {_why(error)}", offset=position
                    ) from error
                self._sleep(_wait(failed, error))
            finally:
                if reply is not None:
                    self._done(reply)

    # --- inside ---

    def _retry(self, attempt: Callable[[], _T]) -> _T:
        failed = 0
        while True:
            try:
                return attempt()
            except (StatusError, *_FAILURES) as error:
                if isinstance(error, StatusError) and error.status not in _AGAIN:
                    raise
                failed += 1
                if failed >= self._tries:
                    if isinstance(error, StatusError):
                        raise
                    raise UnreachableError(
                        f"no answer in {failed} {'attempt' if failed == 1 else 'attempts'}: {_why(error)}"
                    ) from error
                self._sleep(_wait(failed, error))

    def _expect(self, reply: Reply, wanted: tuple[int, ...]) -> None:
        if reply.status in wanted:
            return
        host = printable(origin_of(reply.url)[1])
        raise StatusError(reply.status, f"{host} answers with status {reply.status}", reply.headers)

    def _open(self, method: str, url: str, headers: Mapping[str, str], *, redirects: bool = True) -> Reply:
        hops: list[dict[str, str]] = []
        first = origin_of(url)
        while True:
            reply = self._ask(method, url, headers)
            if reply.status not in _REDIRECTS or "location" not in reply.headers or not redirects:
                reply.hops = tuple(hops)
                return reply
            self._done(reply)
            hops.append(reply.headers)
            if len(hops) > _MOST_REDIRECTS:
                raise UnreachableError(f"more than {_MOST_REDIRECTS} redirects, one after another")
            target = urljoin(url, reply.headers["location"])
            _check_redirect(first, origin_of(url), origin_of(target))
            url = target

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None, *, fresh: bool = False
    ) -> Reply:
        """One request on a connection that is open, and on a new one where that was closed meanwhile, or at once where it has to be ``fresh``."""
        key = origin_of(url)
        parts = urlsplit(url)
        sent = {"User-Agent": f"openvet/{VERSION}", "Accept-Encoding": "identity", "Accept": "*/*", **headers}
        # asked for each hop, so that a token never travels to a host that it does not belong to
        sent.pop("Authorization", None)
        credential = self.authorize(url)
        if credential is not None:
            sent["Authorization"] = credential
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if re.search(r"[\x00-\x20\x7f-\U0010ffff]", path):
            raise UnreachableError("the address holds characters that no address may hold")
        while True:
            with self._lock:
                idle = None if fresh else self._idle.get(key)
                connection = idle.pop() if idle else None
            new = connection is None
            if connection is None:
                connection = self._connect(key)
            try:
                connection.request(method, connection.openvet_prefix + path, content, sent)  # type: ignore[attr-defined]
                body = connection.getresponse()
            except _FAILURES:
                connection.close()
                if new:
                    raise
                continue  # it was closed while it waited in the pool
            except BaseException:
                connection.close()
                raise
            answered = {name.lower(): value for name, value in body.getheaders()}
            return Reply(body.status, answered, url, body, connection, key=key)

    def _connect(self, key: tuple[str, str, int]) -> http.client.HTTPConnection:
        scheme, host, port = key
        proxy = _proxy(scheme, host)
        prefix = ""
        to_host, to_port = proxy or (host, port)
        connection: http.client.HTTPConnection
        if scheme == "https":
            if self._tls is None:
                self._tls = ssl.create_default_context()
            connection = http.client.HTTPSConnection(to_host, to_port, timeout=self._timeout, context=self._tls)
            if proxy:
                connection.set_tunnel(host, port)
        else:
            connection = http.client.HTTPConnection(to_host, to_port, timeout=self._timeout)
            if proxy:
                prefix = f"http://{host}:{port}"
        connection.openvet_prefix = prefix  # type: ignore[attr-defined]
        if not proxy and self.home and not is_this_machine(self.home):
            # a name means what it means to the connection: looked up before that, it could mean something else by then
            connection.connect()
            peer = _peer(connection)
            if host == self.home:
                self._public = _is_public(peer)
            elif is_this_machine(peer) or (self._public and not _is_public(peer)):
                connection.close()
                where = "a name for this machine" if is_this_machine(peer) else "in a private network"
                raise UnreachableError(f"{printable(host)} is {where}, and {printable(self.home)} may not lead there")
        return connection

    def _body(self, reply: Reply, most: int) -> Iterator[bytes]:
        # a byte now and then keeps any timeout away: the whole has to come at a rate that ends some day
        deadline = time.monotonic() + 4 * self._timeout + most / 4096
        while most > 0:
            piece = reply.body.read1(min(_CHUNK, most))
            if not piece:
                return
            most -= len(piece)
            self.fetched += len(piece)
            yield piece
            if time.monotonic() > deadline:
                raise TimeoutError("too slow")

    def _done(self, reply: Reply) -> None:
        """Keep the connection where its answer was read to the end, else close it."""
        if reply.body.isclosed() or reply.status in _REDIRECTS or reply.status >= 400:
            try:
                small = reply.body.isclosed() or (reply.length or 0) <= _CHUNK
                if small and not reply.body.isclosed():
                    reply.body.read(_CHUNK)
                if reply.body.isclosed() and reply.connection.sock is not None:
                    with self._lock:
                        idle = self._idle.setdefault(reply.key, [])
                        if len(idle) < 8 and not self._closed:
                            idle.append(reply.connection)
                            return
            except _FAILURES:
                pass
        reply.body.close()
        reply.connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for idle in self._idle.values():
                for connection in idle:
                    connection.close()
            self._idle.clear()


def _same_file(reply: Reply, etag: str, size: int) -> str:
    """The answer's ETag, after it was compared with the one seen before; and the size with the one that was listed."""
    if reply.headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
        raise UnreachableError("the server encodes the file, so that ranges mean nothing")
    seen = reply.headers.get("etag", "")
    if etag and seen and seen != etag:
        raise ChangedError("the server has another file at this address than a moment ago (its ETag changed)")
    if reply.status == 200 and reply.length is not None and reply.length != size:
        raise ChangedError(f"the server gives {reply.length} bytes for a file of {size}")
    return etag or seen


def _skip(reply: Reply, position: int, stop: int, size: int) -> int:
    """How many bytes of the body come before ``position``."""
    if reply.status == 200:
        if position > _DISCARD:
            raise UnreachableError(
                "the server ignores ranges, so that the file can only be fetched whole", offset=position
            )
        return position
    found = _CONTENT_RANGE.fullmatch(reply.headers.get("content-range", ""))
    if found is None:
        raise UnreachableError("the server gives a part of the file and does not say which", offset=position)
    first, last = int(found[1]), int(found[2])
    if found[3] != "*" and int(found[3]) != size:
        raise ChangedError(f"the server says that a file of {size} bytes has {found[3]}", offset=position)
    length = reply.length
    if first != position or last > stop - 1 or last < first or (length is not None and length != last - first + 1):
        raise UnreachableError(
            f"the server gives bytes {first} to {last} where {position} to {stop - 1} were asked for", offset=position
        )
    return 0


def _check_redirect(first: tuple[str, str, int], here: tuple[str, str, int], there: tuple[str, str, int]) -> None:
    if here[0] == "https" and there[0] != "https":
        raise UnreachableError("a redirect from https to http is not followed")
    if is_this_machine(there[1]) and not is_this_machine(first[1]):
        raise UnreachableError("a redirect from another host to an address of this machine or link is not followed")


def is_this_machine(host: str) -> bool:
    """Whether ``host`` is this machine or its own link, where metadata services live."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = _address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or address.is_unspecified


def _is_public(address: str) -> bool:
    try:
        return _address(address).is_global
    except ValueError:
        return True


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """What an address reaches: an IPv4 address that IPv6 only carries (RFC 4291 section 2.5.5.2, RFC 6052) is that one."""
    address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address


def _peer(connection: http.client.HTTPConnection) -> str:
    return str(connection.sock.getpeername()[0])


def _proxy(scheme: str, host: str) -> tuple[str, int] | None:
    """The proxy of the environment for ``host``, as every other tool reads it."""
    if not any(name.lower() in {"http_proxy", "https_proxy", "all_proxy"} for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if not url or is_this_machine(host) or proxy_bypass(host):
        return None
    parts = urlsplit(url if "//" in url else f"http://{url}")
    return (parts.hostname, parts.port or 8080) if parts.hostname else None


def _wait(failed: int, error: BaseException) -> float:
    """Seconds until the next attempt: what the server asks for, else twice as long each time."""
    if isinstance(error, StatusError):
        asked = error.headers.get("retry-after", "").strip()
        if asked.isdigit() and len(asked) < 9:
            return min(float(asked), _LONGEST_WAIT)
        if asked:
            from email.utils import parsedate_to_datetime

            try:
                return min(max(parsedate_to_datetime(asked).timestamp() - time.time(), 0.0), _LONGEST_WAIT)
            except (ValueError, OverflowError):
                pass
    return min(0.5 * float(2 ** max(failed - 1, 0)), _LONGEST_WAIT)


def _why(error: BaseException) -> str:
    if isinstance(error, StatusError):
        return error.message
    if isinstance(error, TimeoutError | socket.timeout):
        return "no byte in time"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer ends early"
    return printable(str(getattr(error, "strerror", None) or error) or type(error).__name__)[:200]
