"""Where a report goes: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from openvet.core.text import printable
from openvet.errors import OpenVetError

__all__ = ["FileOutput", "Output", "OutputError", "StandardOutput", "open_output", "write_text"]


class OutputError(OpenVetError):
    """The report cannot be written where it should go."""


class Output(Protocol):
    """What a command writes its report to. Leaving it without :meth:`commit` throws away what it can."""

    def write(self, text: str) -> None: ...

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_output(path: str | None, inputs: Sequence[str] = (), *, utf8: bool = True) -> Output:
    """Standard output, or the file at ``path``.

    Raises:
        OutputError: ``path`` cannot be written, or is one of ``inputs`` or a file in one that is no report of ours; said
            before the long work and not after it.
    """
    if path is not None and path != "-":
        _spare(path, inputs)
    return StandardOutput(utf8=utf8) if path is None or path == "-" else FileOutput(path)


def _spare(path: str, inputs: Sequence[str]) -> None:
    """Never replace what is being examined by a report about it."""
    real = os.path.realpath(path)
    if not os.path.isfile(real):
        return
    for each in inputs:
        examined = os.path.realpath(each)
        if real == examined or (real.startswith(os.path.join(examined, "")) and not _is_report(real)):
            raise OutputError(
                f"cannot write {printable(path)}: it is part of what is examined, and would be lost; choose another place"
            )


def _is_report(path: str) -> bool:
    """Whether a file may be replaced since it is an older report: ours name the program near the top."""
    try:
        with open(path, "rb") as file:
            return b"openvet" in file.read(4096).lower()
    except OSError:
        return False


def write_text(text: str) -> None:
    """Text for a person on standard output."""
    StandardOutput(utf8=False).write(text)


class StandardOutput:
    """Standard output, flushed after every piece.

    Args:
        utf8: machine formats are UTF-8 whatever the terminal's encoding; text for a person is in that encoding, with
            escapes for what it cannot carry.
    """

    def __init__(self, *, utf8: bool) -> None:
        self._utf8 = utf8

    def write(self, text: str) -> None:
        """Write and flush.

        Raises:
            BrokenPipeError: nobody reads any more.
            OutputError: standard output is closed or full.
        """
        stream = sys.stdout
        if stream is None:
            raise OutputError("standard output is closed; use --output FILE")
        try:
            encoding = "utf-8" if self._utf8 else (stream.encoding or "ascii")
            data = text.encode(encoding, "backslashreplace")
            raw: BinaryIO | None = getattr(stream, "buffer", None)
            if raw is None:  # a stand-in without bytes below it
                stream.write(data.decode(encoding))
            else:
                stream.flush()
                raw.write(data)
            stream.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            raise OutputError(f"cannot write to standard output: {_why(error)}") from error

    def commit(self) -> None:
        """Everything is written already."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class FileOutput:
    """A file that appears when it is complete: written beside its place under another name, then renamed.

    A device or a fifo cannot be renamed over and is written to directly; a link stays a link, its target is replaced.
    """

    def __init__(self, path: str) -> None:
        self._shown = printable(path)
        self._path = os.path.realpath(path)
        self._file: BinaryIO | None = None
        self._temporary: str | None = None
        try:
            mode: int | None = os.stat(self._path).st_mode
        except FileNotFoundError:
            mode = None
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self._direct = mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
        self._mode = None if mode is None else stat.S_IMODE(mode)
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError(f"cannot write {self._shown}: it is a folder; name a file in it")
        folder = os.path.dirname(self._path)
        if not self._direct and not os.path.isdir(folder):
            raise OutputError(f"cannot write {self._shown}: its folder does not exist; make it first")
        if not os.access(self._path if self._direct else folder, os.W_OK):
            raise OutputError(f"cannot write {self._shown}: permission denied; choose another place")

    def _failed(self, error: Exception) -> OutputError:
        left = "nothing was left there" if self._temporary is not None else "choose another place"
        return OutputError(f"cannot write {self._shown}: {_why(error)}; {left}")

    def write(self, text: str) -> None:
        """Add to the file that is being made.

        Raises:
            OutputError: the disk is full, for instance. What stood there before stands there still.
        """
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(text.encode("utf-8", "backslashreplace"))
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def _open(self) -> BinaryIO:
        if self._direct:
            return open(self._path, "wb")
        import tempfile  # it costs a start more than all that we use of it

        folder, name = os.path.split(self._path)
        descriptor, self._temporary = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".part", dir=folder)
        os.fchmod(descriptor, 0o666 & ~_umask() if self._mode is None else self._mode)
        return os.fdopen(descriptor, "wb")

    def commit(self) -> None:
        """Put the complete file in its place (raises like :meth:`write`)."""
        self.write("")
        if self._file is None:
            raise AssertionError("write opens the file")
        try:
            if self._temporary is not None:
                os.fsync(self._file.fileno())  # some file systems say only now that they are full
            self._file.close()
            if self._temporary is not None:
                os.replace(self._temporary, self._path)
                self._temporary = None
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            pass  # the error that counts was raised when it was written
        if self._temporary is not None:
            try:
                os.unlink(self._temporary)
            except OSError:
                pass
            self._temporary = None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
