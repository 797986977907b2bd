"""Reading a tensor from its first byte to its last: where it lies in a source, or block by block."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.io.source import Source

__all__ = ["Blocks", "Part"]


@dataclass(slots=True)
class Part:
    """Bytes of a source from ``offset`` on, ``left`` of them."""

    source: Source
    offset: int
    left: int

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes.

        Raises:
            MalformedError: there are fewer.
        """
        if size > self.left:
            raise MalformedError(f"a tensor ends {size - self.left} bytes before its shape says", offset=self.offset)
        data = self.source.read(self.offset, size)
        self.offset += size
        self.left -= size
        return data

    def skip(self, size: int) -> None:
        """Leave out ``size`` bytes."""
        self.offset += size
        self.left -= size


class Blocks:
    """Bytes that come in blocks of any length."""

    __slots__ = ("_at", "_blocks", "_held")

    def __init__(self, blocks: Iterator[bytes | memoryview]) -> None:
        self._blocks = blocks
        self._held = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes.

        Raises:
            MalformedError: there are fewer.
        """
        parts = []
        while size:
            if self._at == len(self._held):
                self._held, self._at = bytes(next(self._blocks, b"")), 0
                if not self._held:
                    raise MalformedError(f"a tensor ends {size} bytes before its shape says")
            part = self._held[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def skip(self, size: int) -> None:
        """Leave out ``size`` bytes."""
        while size:
            size -= len(self.take(min(size, 1024 * 1024)))
