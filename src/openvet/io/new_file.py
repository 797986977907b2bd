"""A new file on this machine: there when it is complete, or not at all."""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import Self

from openvet.core.text import printable
from openvet.errors import OpenVetError

__all__ = ["NewFile", "WriteError"]


class WriteError(OpenVetError):
    """The output cannot be written where it should go. What stood there before stands there still."""


class NewFile:
    """A file that appears when it is complete, or not at all.

    Args:
        path: where it will be.
        replace: whether a file that is there may be replaced.
        mode: its permissions; ``None`` means those that any new file gets.

    Raises:
        WriteError: the folder is not there, or may not be written to.
    """

    def __init__(self, path: str, *, replace: bool, mode: int | None = None) -> None:
        self.path = path
        import tempfile  # it costs a start more than all that we use of it

        self._replace = replace
        folder, name = os.path.split(os.path.abspath(path))
        try:
            self.descriptor, self._temporary = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".part", dir=folder)
            if mode is None:
                umask = os.umask(0)
                os.umask(umask)
                mode = 0o666 & ~umask
            os.fchmod(self.descriptor, mode)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> WriteError:
        return WriteError(f"cannot write {printable(self.path)}: {error.strerror or error}; nothing was left there")

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[os.write(self.descriptor, view) :]
        except OSError as error:
            raise self._failed(error) from error

    def sync(self) -> None:
        """Wait until everything is on the disk; some file systems say only now that they are full."""
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            raise self._failed(error) from error

    def commit(self) -> None:
        """Put the complete file in its place."""
        self.sync()
        try:
            if self._replace:
                os.replace(self._temporary, self.path)
            else:
                self._put_new()
        except FileExistsError:
            raise WriteError(f"{printable(self.path)} exists; --force replaces it") from None
        except OSError as error:
            raise self._failed(error) from error
        self._temporary = ""

    def _put_new(self) -> None:
        """Give the file its name, where nothing has it."""
        try:
            os.link(self._temporary, self.path)  # fails where a file came up meanwhile
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(self.path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self.path) from None
            os.rename(self._temporary, self.path)
        else:
            os.unlink(self._temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)
        if self._temporary:
            try:
                os.unlink(self._temporary)
            except OSError:
                pass
