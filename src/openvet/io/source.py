"""Sources: bounded, random-access, read-only bytes.

A reader of a format sees only a :class:`Source`. Whether the bytes come from a file, a member of an archive or
memory makes no difference to it, and it can never read outside its window or learn a path that it could open.

Files are read with ``pread`` and not mapped: a file that is cut while it is mapped kills the process with
SIGBUS, one that is cut while it is read gives a short read and so a :class:`~openvet.errors.ChangedError`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from openvet.core.limits import Budget
from openvet.errors import ChangedError, MalformedError

__all__ = ["BLOCK", "BytesSource", "Cursor", "FileSource", "Source", "Spool", "Window"]

BLOCK = 1024 * 1024
#: A read of at most so many bytes is a header's, and the next header is often near: walks of millions of small parts cost one
#: system call for some hundred of them.
_SHORT = 256
_NEAR = 4096
#: Bytes that are asked for in one call.
_AT_ONCE = 64 * BLOCK


class Source(ABC):
    """``size`` bytes that can be read at any offset.

    ``cut`` says that there are more, which a limit of ours kept from being decoded.
    """

    __slots__ = ("size",)
    size: int
    cut = False

    @abstractmethod
    def _read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes at ``offset``; the range was checked to lie inside."""

    def read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes at ``offset``.

        Raises:
            MalformedError: the range does not lie inside the source (the file is shorter than it says).
            ChangedError: the file gives fewer bytes than it had when it was opened.
        """
        if offset < 0 or size < 0 or offset + size > self.size:
            raise MalformedError(
                f"needs bytes {offset} to {offset + size}, but there are only {self.size}",
                offset=min(offset, self.size),
            )
        return self._read(offset, size) if size else b""

    def upto(self, offset: int, size: int) -> bytes:
        """At most ``size`` bytes at ``offset``: fewer only where the source ends."""
        if not 0 <= offset <= offset + size <= self.size:
            offset = min(max(offset, 0), self.size)
            size = min(size, self.size - offset)
        return self._read(offset, size) if size > 0 else self.read(offset, size)

    def chunks(self, offset: int = 0, size: int | None = None) -> Iterator[bytes]:
        """The bytes from ``offset`` on (``size`` of them, or all), in blocks."""
        end = self.size if size is None else offset + size
        while offset < end:
            block = self.read(offset, min(BLOCK, end - offset))
            yield block
            offset += len(block)

    def window(self, offset: int, size: int) -> Source:
        """``size`` bytes from ``offset`` on as a source of their own (raises like :meth:`read`)."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise MalformedError(
                f"needs bytes {offset} to {offset + size}, but there are only {self.size}",
                offset=min(offset, self.size),
            )
        return Window(self, offset, size)

    def cursor(self, offset: int = 0) -> Cursor:
        """A buffered forward reader that starts at ``offset``."""
        return Cursor(self, offset)

    def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Give back what the source holds. Windows hold nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BytesSource(Source):
    """Bytes in memory."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def _read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


class Window(Source):
    """A part of another source."""

    __slots__ = ("_base", "_start")

    def __init__(self, base: Source, start: int, size: int) -> None:
        self._base: Source = base
        self._start: int = start
        if isinstance(base, Window):  # windows of windows stay one step deep
            self._base = base._base
            self._start += base._start
        self.size = size

    def _read(self, offset: int, size: int) -> bytes:
        return self._base.read(self._start + offset, size)


class FileSource(Source):
    """An open file. It owns ``descriptor`` and closes it.

    Raises:
        OSError: from ``fstat``, when the descriptor is not open.
    """

    __slots__ = ("_near", "_near_at", "descriptor", "identity")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._near = b""  # what the last short read found and what lies behind it, where the next one mostly looks
        self._near_at = 0
        status = os.fstat(descriptor)
        self.size = status.st_size
        self.identity = _identity(status)

    def _read(self, offset: int, size: int) -> bytes:
        if size > _SHORT:
            return self._read_long(offset, size)
        at = offset - self._near_at
        known = len(self._near)
        if 0 <= at <= known - size:
            return self._near[at : at + size]
        # headers that lie far from each other have nothing to read ahead for
        wanted = min(max(size, _NEAR), self.size - offset) if 0 <= at <= known + _NEAR else size
        self._near = self._read_long(offset, wanted)
        self._near_at = offset
        return self._near[:size]

    def _read_long(self, offset: int, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            try:
                part = os.pread(self.descriptor, min(size, _AT_ONCE), offset)
            except OSError as error:
                raise ChangedError(f"cannot be read: {error.strerror}", offset=offset) from error
            if len(part) == size and not parts:
                return part
            if not part:
                raise ChangedError("became shorter while it was read", offset=offset)
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return b"".join(parts)

    def check_unchanged(self) -> None:
        """Raise :class:`ChangedError` when the file is not the one that was opened, as far as its inode tells."""
        if _identity(os.fstat(self.descriptor)) != self.identity:
            raise ChangedError("changed while it was read")

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _identity(status: os.stat_result) -> tuple[int, int, int, int, int]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Spool(Source):
    """Decoded bytes: in memory while they are few, in an unnamed temporary file after that.

    The file has no name in any directory, so nothing is left behind however the process ends. It is closed with the last
    reference to the spool, if nobody did before: members that share one do not know which of them is the last.
    """

    __slots__ = ("__weakref__", "_close", "_file", "cut")

    def __init__(self, chunks: Iterator[bytes], budget: Budget) -> None:
        import tempfile  # only the few that need one pay for it
        import weakref

        self.size = 0
        self.cut = False
        # SpooledTemporaryFile's own file is unlinked at once (or O_TMPFILE) on every POSIX system
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=budget.limits.spool_memory)  # noqa: SIM115
        self._close = weakref.finalize(self, self._file.close)
        try:
            for chunk in chunks:
                self._file.write(chunk)
                self.size += len(chunk)
        except BaseException:
            self._close()
            raise

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(size)
        if len(data) != size:
            raise ChangedError("the temporary copy became shorter while it was read", offset=offset)
        return data

    def close(self) -> None:
        self._close()


class Cursor:
    """A buffered forward reader over a source. ``position`` is the offset of the next byte."""

    __slots__ = ("_buffer", "_start", "position", "source")

    def __init__(self, source: Source, position: int = 0) -> None:
        self.source = source
        self.position = position
        self._buffer = b""
        self._start = position

    @property
    def left(self) -> int:
        return self.source.size - self.position

    def peek(self, size: int) -> bytes:
        """The next bytes without moving: at most ``size``, fewer only at the end."""
        at = self.position - self._start
        if at < 0 or at + size > len(self._buffer):
            self._start = self.position
            self._buffer = self.source.upto(self.position, max(size, 64 * 1024))
            at = 0
        return self._buffer[at : at + size]

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; raises :class:`MalformedError` where there are fewer."""
        if size > 64 * 1024:
            data = self.source.read(self.position, size)
        else:
            data = self.peek(size)
            if len(data) < size:
                raise MalformedError(f"ends in the middle of a field of {size} bytes", offset=self.position)
        self.position += size
        return data

    def skip(self, size: int) -> None:
        """Move on by ``size`` bytes; raises :class:`MalformedError` where there are fewer."""
        if size > self.left:
            raise MalformedError(f"ends in the middle of a field of {size} bytes", offset=self.position)
        self.position += size

    def readline(self, limit: int) -> bytes:
        """Up to and with the next newline, or to the end.

        Raises:
            MalformedError: no newline within ``limit`` bytes.
        """
        size = 256
        while True:
            data = self.peek(min(size, limit))
            end = data.find(b"\n")
            if end >= 0:
                self.position += end + 1
                return data[: end + 1]
            if len(data) < min(size, limit):
                self.position += len(data)
                return data
            if size >= limit:
                raise MalformedError(f"a line is longer than {limit} bytes", offset=self.position)
            size *= 4
