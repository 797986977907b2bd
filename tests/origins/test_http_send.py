"""Sending: what must not be done twice is sent once, whatever happens to the answer; no redirect is followed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from openvet.errors import UnreachableError
from openvet.io.http import Client, StatusError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each connection with what ``answers`` has next, and keeps what it was sent."""

    def __init__(self, answers: list[bytes]) -> None:
        self.sent: list[bytes] = []
        self.connections = 0
        self._answers = answers
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while True:
                data = b""
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, body = data.partition(b"\r\n\r\n")
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        while len(body) < int(line.split(b":")[1]):
                            body += connection.recv(65536)
                self.sent.append(head.split(b" ")[0] + b" " + body)
                answer = self._answers.pop(0) if self._answers else OK
                if not answer:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        self._socket.close()


Serving = Callable[..., Server]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr("openvet.io.http._wait", lambda *_: 0.0)
    made: list[Server] = []

    def start(*answers: bytes) -> Server:
        made.append(Server(list(answers)))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client(sleep=lambda _: None)
    yield made
    made.close()


def test_a_body_arrives_and_the_answer_comes_back(serving: Serving, client: Client) -> None:
    server = serving(b"HTTP/1.1 422 No\r\nContent-Length: 3\r\n\r\nwhy", OK)
    data, reply = client.send("POST", server.url, b"{}", limit=10)
    assert (data, reply.status) == (b"why", 422)
    assert client.send("DELETE", server.url, limit=10)[0] == b"ok"
    assert server.sent == [b"POST {}", b"DELETE "]


def test_what_must_not_be_done_twice_is_sent_once(serving: Serving, client: Client) -> None:
    server = serving(b"")
    with pytest.raises(UnreachableError, match="look whether it was done"):
        client.send("POST", server.url, b"{}", limit=10)
    busy = serving(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    assert client.send("POST", busy.url, b"{}", limit=10)[1].status == 503
    assert (len(server.sent), len(busy.sent)) == (1, 1)


def test_a_connection_that_waited_carries_no_post(serving: Serving, client: Client) -> None:
    """Its other end may be closed: then nobody could know whether the request arrived."""
    server = serving(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", OK)
    client.send("GET", server.url, limit=10)
    waiting = next(iter(client._idle.values()))[0]
    client.send("POST", server.url, b"{}", limit=10)
    assert next(iter(client._idle.values())) == [waiting]
    assert server.connections == 2


def test_the_rest_is_asked_again(serving: Serving, client: Client) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    server = serving(busy, b"", OK)
    assert client.send("PUT", server.url, b"x", limit=10)[0] == b"ok"
    assert server.sent == [b"PUT x"] * 3
    with pytest.raises(StatusError):
        client.send("GET", serving(*[busy] * 5).url, limit=10)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(serving: Serving, client: Client, method: str) -> None:
    other = serving()
    server = serving(f"HTTP/1.1 307 There\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode())
    assert client.send(method, server.url, b"x", limit=10)[1].status == 307
    assert other.sent == []


@pytest.mark.parametrize("head", [b"Content-Length: 11\r\n\r\n", b"Connection: close\r\n\r\n"])
def test_an_answer_without_end(serving: Serving, client: Client, head: bytes) -> None:
    server = serving(b"HTTP/1.1 200 OK\r\n" + head + b"x" * 11)
    with pytest.raises(UnreachableError, match="longer than 10"):
        client.send("POST", server.url, limit=10)
