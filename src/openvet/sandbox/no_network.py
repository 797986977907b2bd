"""What a confined child has in place of a network: sockets that lead to its parent, which notes where they should have led and what was sent.

A connection is always accepted. A question for a name (DNS, over TCP as ``RES_OPTIONS=use-vc`` asks for) is answered with an address of the
block that is kept for documentation (RFC 5737), so that what wants to call home goes on and says what it wanted to say; a request of HTTP gets an
empty answer; everything else gets the end of the stream. Nothing that is sent reaches any network, of this machine or another.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["Connection", "NoNetwork"]

_KINDS: Final = {1: "tcp", 2: "udp"}
_FAMILIES: Final = {1: "unix", 2: "ipv4", 10: "ipv6"}
_CONNECTIONS: Final = 256
_KEPT: Final = 16 * 1024
_DNS_PORT: Final = 53
_ADDRESS: Final = bytes([192, 0, 2, 1])
_HTTP: Final = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"PATCH ", b"OPTIONS ")
_NOTHING: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class Connection:
    """One socket that the child thinks it has.

    Attributes:
        ours: the other end.
        kind: ``tcp`` or ``udp``.
        address: where it should lead, as ``host port``; '' before it is said.
        sent: the first bytes that were sent.
    """

    ours: socket.socket
    kind: str
    address: str = ""
    sent: bytes = b""


class NoNetwork:
    """The sockets of one child.

    Args:
        note: is told of each name that is looked up, and of what a connection sent once it is over.
    """

    def __init__(self, note: Callable[[str, str, bytes], None]) -> None:
        self._note = note
        self._by_child: dict[int, Connection] = {}
        self._all: list[Connection] = []
        self._fresh: Connection | None = None

    @property
    def descriptors(self) -> dict[int, Connection]:
        """Those on which the child may have sent something."""
        return {each.ours.fileno(): each for each in self._all if each.ours.fileno() >= 0}

    def open(self, family: int, kind: int) -> tuple[socket.socket | None, str]:
        """A socket for the child, and what it asked for; ``None`` for a kind that is not feigned."""
        what = _KINDS.get(kind & 0xF)
        about = f"{_FAMILIES.get(family & 0xFFFFFFFF, f'family {family & 0xFFFFFFFF}')} {what or f'type {kind & 0xF}'}"
        if family & 0xFFFFFFFF not in _FAMILIES or what is None or len(self._all) >= _CONNECTIONS:
            return None, about
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind & 0xF)
        ours.setblocking(False)
        if kind & os.O_NONBLOCK:  # SOCK_NONBLOCK
            theirs.setblocking(False)
        self._fresh = Connection(ours, what)
        self._all.append(self._fresh)
        return theirs, about

    def opened(self, number: int) -> None:
        """The child has the last socket under this number."""
        if self._fresh is not None:
            self._by_child[number] = self._fresh
            self._fresh = None

    def sent(self, call: str, arguments: list[int], memory: Callable[[int, int], bytes]) -> tuple[int | None, str]:
        """Answer a call that names an address or brings data.

        Returns:
            What the call gives, ``None`` where it fails; and what it was about.
        """
        connection = self._by_child.get(arguments[0] & 0xFFFFFFFF)
        if call in ("connect", "bind"):
            about = _address(memory(arguments[1], min(arguments[2] & 0xFFFFFFFF, 128)))
            if connection is None or about.startswith(
                "unix"
            ):  # what a path leads to is of this machine: it is not there
                return None, about
            if call == "connect":
                connection.address = about
            return 0, about
        if call == "sendto":
            about = _address(memory(arguments[4], min(arguments[5] & 0xFFFFFFFF, 128)))
            data, size = memory(arguments[1], min(arguments[2], _KEPT)), arguments[2]
        elif call == "sendmsg":
            about, data, size = _message(memory, arguments[1])
        else:
            return None, ""
        if connection is None:
            return None, about
        connection.address = about or connection.address
        self._keep(connection, data)
        return min(size, 1 << 30), about

    def receive(self, connection: Connection) -> None:
        """Take what the child sent, and answer as something that wants nothing would."""
        try:
            data = connection.ours.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close(connection)
            return
        self._keep(connection, data)
        try:
            if connection.address.endswith(f" {_DNS_PORT}"):
                self._answer_name(connection)
            elif connection.kind == "tcp" and connection.sent.startswith(_HTTP):
                if b"\r\n\r\n" in connection.sent:
                    connection.ours.send(_NOTHING)
                    connection.ours.shutdown(socket.SHUT_WR)
            elif connection.kind == "tcp":
                connection.ours.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it does not wait for the answer

    def close(self, connection: Connection) -> None:
        """It is over: say what was sent."""
        if connection.ours.fileno() < 0:
            return
        connection.ours.close()
        if connection.sent:  # of questions for names, what is none is left
            self._note("sent", f"{connection.kind} {connection.address}".strip(), connection.sent)

    def end(self) -> None:
        """Everything is over."""
        for each in self._all:
            if each.ours.fileno() >= 0:
                self.receive(each)
            self.close(each)

    @staticmethod
    def _keep(connection: Connection, data: bytes) -> None:
        connection.sent = (connection.sent + data)[:_KEPT]

    def _answer_name(self, connection: Connection) -> None:
        """DNS (RFC 1035): the name in the question is noted; an address of documentation is the answer."""
        prefix = 2 if connection.kind == "tcp" else 0
        while len(connection.sent) > prefix + 12:
            size = int.from_bytes(connection.sent[:2], "big") if prefix else len(connection.sent)
            query, connection.sent = connection.sent[prefix : prefix + size], connection.sent[prefix + size :]
            if len(query) < size or len(query) < 17:
                connection.sent = query + connection.sent
                connection.ours.shutdown(socket.SHUT_WR)
                return
            at, labels = 12, []
            while at < len(query) and query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]])
                at += 1 + query[at]
            question = query[12 : at + 5]
            self._note("looked up", b".".join(labels).decode("ascii", "backslashreplace"), b"")
            wants_ipv4 = question[-4:-2] == b"\0\1"
            header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(wants_ipv4), 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + _ADDRESS if wants_ipv4 else b""
            answer = header + question + record
            connection.ours.send((struct.pack(">H", len(answer)) if prefix else b"") + answer)


def _message(memory: Callable[[int, int], bytes], at: int) -> tuple[str, bytes, int]:
    """Address, first bytes and size of a ``struct msghdr``."""
    header = memory(at, 56)
    if len(header) < 32:
        return "", b"", 0
    name, length, _, vectors, count = struct.unpack("=QIIQQ", header[:32])
    about = _address(memory(name, min(length, 128))) if name else ""
    data, size = b"", 0
    for number in range(min(count, 64)):
        vector = memory(vectors + 16 * number, 16)
        if len(vector) < 16:
            break
        base, part = struct.unpack("=QQ", vector)
        data += memory(base, min(part, _KEPT - len(data)))
        size += part
    return about, data, size


def _address(data: bytes) -> str:
    """A ``struct sockaddr``, as ``host port``."""
    if len(data) < 3:
        return ""
    family = struct.unpack("=H", data[:2])[0]
    if family == socket.AF_INET and len(data) >= 8:
        return f"{socket.inet_ntop(socket.AF_INET, data[4:8])} {int.from_bytes(data[2:4], 'big')}"
    if family == socket.AF_INET6 and len(data) >= 24:
        return f"{socket.inet_ntop(socket.AF_INET6, data[8:24])} {int.from_bytes(data[2:4], 'big')}"
    if family == socket.AF_UNIX:
        path = data[2:]
        named = b"@" + path[1:] if path[:1] == b"\0" else path.split(b"\0", 1)[0]
        return f"unix {named.rstrip(bytes(1)).decode('utf-8', 'backslashreplace')}"
    return f"family {family}"
