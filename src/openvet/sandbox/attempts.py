"""What a child that only computes must not be able to do: a child that tries, so that the tests can look.

A question is the name of an attempt; the answer is ``done``, or ``refused`` and why.
"""

from __future__ import annotations

import _thread
import os
import signal
import socket
from collections.abc import Callable

from openvet.sandbox.child import serve

__all__ = ["ATTEMPTS", "attempt"]


def _read_a_file() -> None:
    with open("/proc/self/status", "rb") as file:
        file.read(1)


def _write_a_file() -> None:
    with open(os.path.join("/", "tmp", "openvet-was-here"), "wb") as file:
        file.write(b"x")


def _list_a_folder() -> None:
    os.listdir("/")


def _open_a_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _start_a_process() -> None:
    if os.fork() == 0:
        os._exit(0)


def _run_a_program() -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606 - that it is refused is the point


def _start_a_thread() -> None:
    _thread.start_new_thread(int, ())


def _signal_a_process() -> None:
    os.kill(os.getppid(), 0)


def _take_memory() -> None:
    bytearray(1 << 40)


def _wait_for_ever() -> None:
    while True:
        signal.getsignal(signal.SIGINT)


#: Name -> what it does. All but the last are refused at once; the last is ended by the parent.
ATTEMPTS: dict[str, Callable[[], None]] = {
    "read a file": _read_a_file,
    "write a file": _write_a_file,
    "list a folder": _list_a_folder,
    "open a socket": _open_a_socket,
    "start a process": _start_a_process,
    "run a program": _run_a_program,
    "start a thread": _start_a_thread,
    "signal a process": _signal_a_process,
    "take memory": _take_memory,
    "wait for ever": _wait_for_ever,
}


def attempt(question: bytes) -> bytes:
    """Try it."""
    try:
        ATTEMPTS[question.decode()]()
    except (OSError, RuntimeError, MemoryError) as error:
        return f"refused: {error or type(error).__name__}".encode()
    return b"done"


if __name__ == "__main__":
    serve(attempt)
