"""Starting a confined child and talking to it.

Where bubblewrap works, the child has namespaces of its own: no network, no other process, an empty ``/tmp``, and of the file
system only the interpreter and its libraries, read-only. Where it does not, the seccomp filter of ``seal`` alone confines
it. Where there is neither, nothing is started.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import IO, Self

from openvet.errors import SandboxError
from openvet.sandbox.child import FILTERED, LIMITED
from openvet.sandbox.confines import Confines
from openvet.sandbox.levels import bubblewrap, bubblewrap_works
from openvet.sandbox.seal import can_filter

__all__ = ["ChildDiedError", "Worker", "how_confined"]

_START_SECONDS = 60.0


class ChildDiedError(SandboxError):
    """The child ended, or was killed for taking too long, before it answered. Another one can be started."""


class Worker:
    """One confined child that runs a module of ours, as a context manager.

    Args:
        module: run as ``python -I -m module``; it calls :func:`openvet.sandbox.child.serve`.
        confines: what the child may spend.
        wrap: ``False`` leaves bubblewrap out, so that the filter alone confines the child.

    Raises:
        SandboxError: there is no way to confine a child here, or it did not say that it is confined.
    """

    def __init__(self, module: str, confines: Confines | None = None, *, wrap: bool = True) -> None:
        self.confines = confines or Confines()
        wrapped = wrap and bubblewrap_works()
        if not wrapped and not can_filter():
            raise SandboxError(
                "nothing is run here: neither bubblewrap works (apt-get install bubblewrap) nor seccomp filters"
            )
        command = [sys.executable, "-I", "-m", module, self.confines.to_text(), "inside" if wrapped else "alone"]
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours, in a child that confines itself
            [*bubblewrap(nested=True), *command] if wrapped else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        try:
            hello = self._receive(time.monotonic() + _START_SECONDS)
        except BaseException:
            self.close()
            raise
        if hello not in (FILTERED, LIMITED) or (hello == LIMITED and not wrapped):
            self.close()
            raise SandboxError("the child did not confine itself; it was ended")
        self.confined_by = tuple(
            name for name, there in (("bubblewrap", wrapped), ("seccomp", hello == FILTERED)) if there
        )

    def ask(self, question: bytes) -> bytes:
        """One question, one answer.

        Raises:
            ChildDiedError: the child ended, or took longer than ``confines.seconds``; it is gone.
        """
        deadline = time.monotonic() + self.confines.seconds
        if len(question) > self.confines.message:
            raise SandboxError(f"a question of {len(question)} bytes is longer than {self.confines.message}")
        try:
            self._send(question, deadline)
            return self._receive(deadline)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the child, whatever it is doing."""
        process = self._process
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @staticmethod
    def _stream(pipe: IO[bytes] | None) -> int:
        if pipe is None or pipe.closed:
            raise ChildDiedError("the child is gone")
        return pipe.fileno()

    def _send(self, message: bytes, deadline: float) -> None:
        descriptor = self._stream(self._process.stdin)
        os.set_blocking(descriptor, False)
        data = memoryview(len(message).to_bytes(4, "big") + message)
        while data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [descriptor], [], left)[1]:
                raise ChildDiedError("the child does not listen any more")
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise ChildDiedError("the child ended before it was asked") from error

    def _receive(self, deadline: float) -> bytes:
        size = int.from_bytes(self._exactly(4, deadline), "big")
        if size > self.confines.message:
            raise ChildDiedError(f"an answer of {size} bytes is longer than {self.confines.message}")
        return self._exactly(size, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        descriptor = self._stream(self._process.stdout)
        out = bytearray()
        while len(out) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise ChildDiedError("the child took too long and was killed")
            part = os.read(descriptor, min(size - len(out), 1 << 20))
            if not part:
                code = self._process.wait()
                raise ChildDiedError(f"the child ended with {code} before it answered")
            out += part
        return bytes(out)


def how_confined() -> str:
    """What confines children here, in words."""
    names = [name for name, there in (("bubblewrap", bubblewrap_works()), ("seccomp", can_filter())) if there]
    return " and ".join(names) or "nothing: code of models is never run here"
