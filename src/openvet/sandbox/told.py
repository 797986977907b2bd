"""The parent's side of a confined child's system calls: what it asked the kernel for, as the kernel saw it, and the answer.

Calls that name a file are noted and go on to the kernel, where Landlock and the namespaces decide. Calls that start, watch or signal
processes are noted and fail. Sockets are never made: the child gets one end of a pair whose other end is here, so that what it sends, and where,
is noted, while nothing leaves the machine (:mod:`openvet.sandbox.no_network`).

Arguments are read from the child's memory while it waits. Another thread of it can change them meanwhile: the record may then say something
else than what was asked. No wall depends on what is read here.

Source: seccomp_unotify(2) and ``include/uapi/linux/seccomp.h`` of Linux.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.sandbox.calls import ATTRIBUTES, FILES, NETWORK, name_of
from openvet.sandbox.no_network import NoNetwork

__all__ = ["Asked", "Listener"]

_RECEIVE: Final = 0xC0502100
_SEND: Final = 0xC0182101
_ADD_DESCRIPTOR: Final = 0x40182103
_CONTINUE: Final = 1
_ADD_AND_SEND: Final = 2
#: struct seccomp_notif: id, pid, flags, and struct seccomp_data: number, architecture, instruction pointer, six arguments
_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")
_ANSWER: Final = struct.Struct("=QqiI")
_DESCRIPTOR: Final = struct.Struct("=QIIII")
_AT_CURRENT: Final = 0xFFFFFF9C
_LONGEST: Final = 4096
_SOCK_CLOEXEC: Final = 0o2000000
#: Where the path and the flags are among the arguments, and the folder that a relative path begins at.
_PATHS: Final = {"open": (None, 0, 1), "creat": (None, 0, None), "openat": (0, 1, 2), "openat2": (0, 1, None)}
_AT_CALLS: Final = {"mkdirat", "mknodat", "unlinkat", "fchmodat", "fchownat", "utimensat"}
_NO_PATH: Final = {"fchmod", "fchown", "fsetxattr"}
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class Asked:
    """One call.

    Attributes:
        call: its name.
        about: what it names: a path, an address, a program with its arguments; '' where it names nothing or that cannot be read.
        writes: whether it would make or change a file.
        answer: ``let on`` to the kernel, ``refused``, or ``feigned``.
    """

    call: str
    about: str
    writes: bool
    answer: str


class Listener:
    """What a child's filter tells, answered one call at a time.

    Args:
        descriptor: as the child handed it over; closed by :meth:`close`.
        machine: the column of :mod:`openvet.sandbox.calls`.
        note: is told of each call.
        network: answers in the network's place.
    """

    def __init__(self, descriptor: int, machine: int, note: Callable[[Asked], None], network: NoNetwork) -> None:
        self.descriptor = descriptor
        self._machine = machine
        self._note = note
        self._network = network

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def answer(self) -> bool:
        """Answer the call that waits. ``False`` once nobody is left who could call."""
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.descriptor, _RECEIVE, buffer)
        except OSError as error:
            return error.errno in (
                errno.EINTR,
                errno.EAGAIN,
                errno.ENOENT,
            )  # ENOENT: a signal or its end took the call back
        serial, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        name = name_of(number, self._machine)
        try:
            if name in ATTRIBUTES:  # no wall of Landlock's is there: done in appearance only
                self._note(Asked(name, _file(pid, name, arguments)[0], True, "feigned"))
                self._send(serial)
            elif name in FILES:
                about, writes = _file(pid, name, arguments)
                self._note(Asked(name, about, writes, "let on"))
                self._send(serial, flags=_CONTINUE)
            elif name in NETWORK:
                self._answer_network(serial, pid, name, arguments)
            else:
                self._note(Asked(name, _process(pid, name, arguments), False, "refused"))
                self._send(serial, error=errno.EPERM)
        except OSError as error:
            if error.errno != errno.ENOENT:  # the caller is gone: nobody waits for an answer
                raise
        return True

    def _send(self, serial: int, value: int = 0, error: int = 0, flags: int = 0) -> None:
        fcntl.ioctl(self.descriptor, _SEND, _ANSWER.pack(serial, value, -error, flags))

    def _answer_network(self, serial: int, pid: int, name: str, arguments: list[int]) -> None:
        network = self._network
        if name == "setsockopt":  # what it would set has no meaning for what is there in its place
            self._send(serial)
        elif name == "socket":
            theirs, about = network.open(arguments[0], arguments[1])
            self._note(Asked(name, about, False, "feigned" if theirs is not None else "refused"))
            if theirs is None:
                self._send(serial, error=errno.EPERM)
                return
            with theirs:
                flags = os.O_CLOEXEC if arguments[1] & _SOCK_CLOEXEC else 0
                # only of what can be written to does the call give its number
                added = bytearray(_DESCRIPTOR.pack(serial, _ADD_AND_SEND, theirs.fileno(), 0, flags))
                try:
                    network.opened(fcntl.ioctl(self.descriptor, _ADD_DESCRIPTOR, added))
                except OSError as error:
                    if error.errno != errno.EMFILE:
                        raise
                    self._send(serial, error=errno.EMFILE)  # the child has as many as it may
        else:
            size, about = network.sent(name, arguments, lambda at, most: _memory(pid, at, most))
            self._note(Asked(name, about, False, "feigned" if size is not None else "refused"))
            self._send(serial, value=size or 0, error=errno.EPERM if size is None else 0)


def _file(pid: int, name: str, arguments: list[int]) -> tuple[str, bool]:
    """The path that a call names, and whether it would change something."""
    if name in _NO_PATH:
        return _link(pid, f"fd/{arguments[0] & 0xFFFFFFFF}"), True
    if name in _PATHS:
        base, path, flags_at = _PATHS[name]
        if name == "openat2":
            how = _memory(pid, arguments[2], 8)
            flags = struct.unpack("=Q", how)[0] if len(how) == 8 else _WRITES
        else:
            flags = arguments[flags_at] if flags_at is not None else _WRITES
        return _path(pid, arguments[path], None if base is None else arguments[base]), bool(flags & _WRITES)
    if name in ("symlinkat", "symlink", "link", "linkat", "rename", "renameat", "renameat2"):
        ats = {"symlink": (None, 1), "symlinkat": (1, 2), "link": (None, 1), "linkat": (2, 3), "rename": (None, 1)}
        to_base, to = ats.get(name, (2, 3))
        source = {"linkat": 1, "renameat": 1, "renameat2": 1}.get(name, 0)
        target = _path(pid, arguments[to], None if to_base is None else arguments[to_base])
        return f"{_text(pid, arguments[source])} -> {target}", True
    if name in _AT_CALLS:
        return _path(pid, arguments[1], arguments[0]), True
    return _path(pid, arguments[0], None), True


def _process(pid: int, name: str, arguments: list[int]) -> str:
    """What a call that is refused was about, where that can be said."""
    if name in ("execve", "execveat"):
        program, words = (0, 1) if name == "execve" else (1, 2)
        listed = []
        for at in range(16):
            pointer = _memory(pid, arguments[words] + 8 * at, 8)
            if len(pointer) != 8 or not any(pointer):
                break
            listed.append(_text(pid, struct.unpack("=Q", pointer)[0]))
        return " ".join([_text(pid, arguments[program]), *listed[1:]])
    if name in ("kill", "tkill", "tgkill", "pidfd_open"):
        return f"process {_signed(arguments[0])}"
    if name == "ptrace":
        return f"process {_signed(arguments[1])}"
    return ""


def _signed(word: int) -> int:
    return int(struct.unpack("=i", struct.pack("=I", word & 0xFFFFFFFF))[0])


def _path(pid: int, at: int, base: int | None) -> str:
    text = _text(pid, at)
    if text.startswith("/"):
        return os.path.normpath(text)
    if not text:
        return text
    folder = "cwd" if base is None or base & 0xFFFFFFFF == _AT_CURRENT else f"fd/{base & 0xFFFFFFFF}"
    begin = _link(pid, folder)
    return os.path.normpath(f"{begin}/{text}") if begin else text


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""


def _text(pid: int, at: int) -> str:
    return _memory(pid, at, _LONGEST).split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _memory(pid: int, at: int, most: int) -> bytes:
    """The child's memory from ``at``, at most so much; what can be read of it."""
    if not 0 < at < 1 << 62 or most <= 0:
        return b""
    try:
        opened = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        out = b""
        while most:
            # page by page: the next one may not be there
            part = os.pread(opened, min(most, 4096 - at % 4096), at)
            out += part
            at, most = at + len(part), most - len(part)
            if not part:
                break
        return out
    except OSError:
        return out
    finally:
        os.close(opened)
