"""Strangers: pages of other sites, names that lead here, wrong keys, and bytes that are no request."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable

import pytest

from openvet.errors import UsageError
from openvet.gateway.serve import Serving
from tests.gateway.conftest import Client

CHAT = {"model": "stand-in", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8471", "127.0.0.1.evil.example", "[::2]", "localhost.", "a b"]
)
def test_a_name_that_is_not_ours(client: Client, host: str) -> None:
    """DNS rebinding: a page whose name leads here must not read anything."""
    status, found = client.get("/v1/models", {"Host": host})
    assert (status, found["error"]["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:8471"])
def test_a_name_that_is_ours(client: Client, host: str) -> None:
    assert client.get("/v1/models", {"Host": host})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_pages_of_other_sites(client: Client, headers: dict[str, str]) -> None:
    for path, body in (("/v1/models", None), ("/v1/chat/completions", CHAT)):
        status, found = client.ask("GET" if body is None else "POST", path, body, headers)
        assert (status, found["error"]["code"]) == (403, "origin_refused")


def test_nothing_is_shared_with_other_origins(client: Client) -> None:
    connection, response = client.open(
        "OPTIONS",
        "/v1/chat/completions",
        None,
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert response.status == 403
    assert not [name for name, _ in response.getheaders() if name.lower().startswith("access-control")]
    connection.close()


def test_a_page_that_was_named(start: Callable[..., Client]) -> None:
    server = start(origins=["https://app.example"])
    connection, response = server.open("OPTIONS", "/v1/chat/completions", None, {"Origin": "https://app.example"})
    assert (response.status, response.getheader("access-control-allow-origin")) == (204, "https://app.example")
    connection.close()
    connection, response = server.open(
        "POST", "/v1/chat/completions", CHAT, {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    )
    assert (response.status, response.getheader("access-control-allow-origin")) == (200, "https://app.example")
    connection.close()
    assert server.post("/v1/chat/completions", CHAT, {"Origin": "https://app.example.evil.example"})[0] == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx"]
)
def test_json_is_called_that(client: Client, kind: str) -> None:
    """A page can send those without asking first."""
    status, found = client.post("/v1/chat/completions", CHAT, {"Content-Type": kind})
    assert (status, found["error"]["code"]) == (415, "unsupported_media_type")


def test_a_key(start: Callable[..., Client]) -> None:
    server = start(key="sesame-and-more")
    for headers in (
        {},
        {"Authorization": "Bearer no"},
        {"Authorization": "Basic sesame-and-more"},
        {"Authorization": "sesame-and-more"},
        {"Authorization": "Bearer \xe9"},
    ):
        for path in ("/v1/models", "/metrics", "/", "/v1/nothing"):
            status, found = server.get(path, headers)
            assert (status, found["error"]["code"]) == (401, "invalid_api_key")
    good = {"Authorization": "Bearer sesame-and-more"}
    assert server.get("/v1/models", good)[0] == 200
    assert server.post("/v1/chat/completions", CHAT, good)[0] == 200
    assert server.get("/health")[0] == 200
    assert "sesame" not in server.log.read_text()


def test_other_machines_need_a_key() -> None:
    with pytest.raises(UsageError, match="--key-env"):
        Serving(host="0.0.0.0").check()
    Serving(host="0.0.0.0", key="k").check()
    for origin in ("*", "app.example", "https://app.example/x"):
        with pytest.raises(UsageError, match="an origin is"):
            Serving(origins=(origin,)).check()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"model":"stand-in","messages":NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model": "stand-in", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_bodies_that_are_none(client: Client, body: bytes) -> None:
    status, found = client.post("/v1/chat/completions", body)
    assert status == 400
    assert found["error"]["type"] == "invalid_request_error"


def test_numbers_that_are_too_long(client: Client) -> None:
    for value in ("1" * 5000, "1e999", "-1e999"):
        body = (
            b'{"model": "stand-in", "messages": [{"role": "user", "content": "x"}], "temperature": '
            + value.encode()
            + b"}"
        )
        assert client.post("/v1/chat/completions", body)[0] == 400


def test_a_body_that_is_announced_too_large_is_not_read(client: Client) -> None:
    with socket.create_connection((client.host, client.port), timeout=10) as raw:
        raw.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert b" 413 " in raw.recv(65536)


def test_a_body_without_end_is_cut(start: Callable[..., Client]) -> None:
    server = start(limits={"body": 100_000})
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    connection.request(
        "POST",
        "/v1/completions",
        (b"x" * 10_000 for _ in range(30)),
        {"Content-Type": "application/json"},
        encode_chunked=True,
    )
    assert connection.getresponse().status == 413
    connection.close()
    assert server.chat("a")[0] == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"GET /" + b"a" * 200_000,
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500 + b"\r\n",
    ],
)
def test_what_is_no_request(client: Client, raw: bytes) -> None:
    with socket.create_connection((client.host, client.port), timeout=10) as connection:
        try:
            connection.sendall(raw)
            data = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            data = b""
        assert not data or data.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert client.get("/health")[0] == 200


def test_who_takes_nothing_holds_nobody_up(client: Client) -> None:
    """A client that asks for a stream and reads none of it: the next one is answered."""
    body = json.dumps({"model": "stand-in", "prompt": "a " * 40, "stream": True, "max_tokens": 20}).encode()
    with socket.create_connection((client.host, client.port)) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        raw.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        started = time.monotonic()
        assert client.chat("next")[0] == 200
        assert time.monotonic() - started < 3


def test_faults_tell_nothing(client: Client) -> None:
    """Paths with odd bytes are answered like every other."""
    for path in ("/v1/models/%00", "/v1/models/..%2f..%2fetc/passwd", "/v1/models/%ff%fe", "/%2e%2e/metrics"):
        status, found = client.get(path)
        assert status == 404
        assert "Traceback" not in json.dumps(found)
