"""What no client sends: over a raw socket, byte for byte. The answer is an error of the client or none, and never a traceback."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest

from openvet.hubproxy.hub import file as file_module
from openvet.listening import connection
from tests.hubproxy.running import Running
from tests.hubproxy.shelf import Shelf

BIG = 48 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    shelf.put("org/model", {"config.json": b"{}", "model.safetensors": bytes(BIG)})
    (shelf.folder / "outside").write_bytes(b"a secret")
    with Running(shelf) as running:
        yield running


def said(server: Running, data: bytes, *, answers: int = 1) -> bytes:
    """What comes back until the server ends the connection, or there are so many answers, or nothing comes for a while."""
    out = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        try:
            client.sendall(data)
            while block := client.recv(1 << 16):
                out += block
                client.settimeout(0.5 if len(statuses(out)) >= answers else 5)
        except OSError:  # it was cut off while it spoke, or says no more
            pass
    return out


def statuses(answer: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


TARGETS = [
    *(b"/org/model/resolve/main/../../../../etc/passwd", b"/org/model/resolve/main/%2e%2e/%2e%2e/etc/passwd"),
    *(b"/org/model/resolve/main/..%2f..%2foutside", b"/org/model/resolve/main/%2e%2e%5coutside", b"/org/model/resolve/main//etc/passwd"),
    *(b"/org/model/resolve/main/%2fetc%2fpasswd", b"/org/model/resolve/main/a%00b", b"/org/model/resolve/%2e%2e/config.json"),
    *(b"/org/model/resolve/main/config.json%00.txt", b"/org/..%2f/resolve/main/x", b"/../../etc/passwd", b"//etc/passwd"),
    *(b"/datasets/../org/model/resolve/main/config.json", b"/org/model/resolve/main/%c0%ae%c0%ae/x", b"/%", b"/%%%", b"/\xff\xfe"),
    *(b"/api/models/../../etc/passwd", b"/api/models/org/model/tree/main/..%2F..", b"/api/models/%2e%2e/%2e%2e", b"*", b"http://"),
    *(b"/org/model/resolve/main/" + b"a/" * 2000 + b"x", b"/" + b"a" * 20_000, b"/org/model/resolve/main/x%0d%0aX-Evil:%201"),
    b"http://elsewhere.example/org/model/resolve/main/none",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: repr(target[:40]))
def test_paths_that_lead_nowhere(target: bytes, server: Running) -> None:
    for method in (b"GET", b"HEAD"):
        answer = said(server, method + b" " + target + b" HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n")
        assert statuses(answer), answer
        assert all(400 <= each < 500 for each in statuses(answer)), answer
        assert b"secret" not in answer
        assert b"root:" not in answer
        assert b"\nx-evil" not in answer.lower()
        assert b"Traceback" not in answer


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  /  HTTP/1.1\r\nHost: x\r\n\r\n\0\0\0",
    b"\r\n" * 1000 + b"\0",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /api/models/org/model/paths-info/main HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
    b"POST /api/models/org/model/paths-info/main HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\nhello\r\n",
    b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n X: folded\r\n\r\n",
    b"GET /org/model HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(30),
]  # fmt: skip


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:30]))
def test_what_is_no_request(data: bytes, server: Running) -> None:
    answer = said(server, data)
    assert all(400 <= each < 500 for each in statuses(answer)), answer
    assert b"Traceback" not in answer
    assert server.ask("GET", "/org/model/resolve/main/config.json")[2] == b"{}"


@pytest.mark.parametrize("host", [b"", b"a b", b"x\xff", b"evil.example/\x22><", b"a" * 5000, b"[::1", b"x:99999999"])
def test_a_host_that_is_none_gets_into_no_link(host: bytes, server: Running) -> None:
    head = b"GET /api/models/org/model/tree/main?limit=1 HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n"
    answer = said(server, head)
    link = next((each for each in answer.split(b"\r\n") if each.lower().startswith(b"link:")), b"")
    assert not link or f"<http://127.0.0.1:{server.port}/api/".encode() in link


def test_requests_behind_each_other_are_answered_in_order(server: Running) -> None:
    one = b"GET /org/model/resolve/main/config.json HTTP/1.1\r\nHost: x\r\n\r\n"
    none = b"GET /org/model/resolve/main/none HTTP/1.1\r\nHost: x\r\n\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert statuses(said(server, one + none + one + none + last, answers=5)) == [200, 404, 200, 404, 200]
    answer = said(server, one * 3 + b"garbage\r\n\r\n" + one, answers=4)
    assert set(statuses(answer)) <= {200, 400}
    assert server.ask("GET", "/org/model/resolve/main/config.json")[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % each for each in range(5000)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X-%d: %s\r\n" % (each, b"y" * 3000) for each in range(90))
        + b"\r\n",
        b"GET /" + b"a" * 300_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a" * 300_000,
    ],
    ids=["long", "many", "both", "path", "name"],
)
def test_heads_without_end(head: bytes, server: Running) -> None:
    began = time.monotonic()
    answer = said(server, head)
    assert all(each in {400, 431} for each in statuses(answer)), answer[:300]
    assert time.monotonic() - began < 4, "the server did not end it, the client lost patience"
    assert server.ask("GET", "/org/model/resolve/main/config.json")[0] == 200


def test_a_head_that_comes_byte_by_byte(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.5)
    for start in (b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(start)
            began, answer = time.monotonic(), b""
            try:
                while time.monotonic() - began < 8:
                    client.sendall(b"a" if start else b"")
                    client.settimeout(0.1)
                    try:
                        block = client.recv(1000)
                    except TimeoutError:
                        continue
                    answer += block
                    if not block:
                        break
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert time.monotonic() - began < 5
            assert statuses(answer) in ([408], [])


def test_an_idle_client_between_two_requests_is_not_late(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        for _ in range(2):
            client.sendall(b"GET /org/model/resolve/main/config.json HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(10_000).startswith(b"HTTP/1.1 200")
            time.sleep(0.8)


def test_a_client_that_takes_nothing_is_let_go(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_module.send_file, "__kwdefaults__", {"stall": 0.5, "abort": None})
    before = len(server.notes)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /org/model/resolve/main/model.safetensors HTTP/1.1\r\nHost: x\r\n\r\n")
        until = time.monotonic() + 10
        while len(server.notes) == before and time.monotonic() < until:
            time.sleep(0.05)
        note = server.notes[before]
        assert note.sent < BIG
        assert note.milliseconds < 8000


def test_a_body_that_does_not_come(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.hubproxy.hub import door

    monkeypatch.setattr(door, "_BODY_SECONDS", 0.3)
    head = b"POST /api/models/org/model/paths-info/main HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npaths"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head)
        assert client.recv(10_000).startswith(b"HTTP/1.1 400")


def test_an_upload_without_end_is_not_taken(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"PUT /org/model/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        sent = 0
        try:
            while sent < 1 << 30:
                sent += client.send(bytes(1 << 20))
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        assert sent < 1 << 26
