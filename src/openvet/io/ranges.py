"""A file on a server as a :class:`~openvet.io.source.Source`: only the blocks that are read are fetched.

Reading goes block by block. A block that was fetched is kept while there is room, and its digest for ever: one that has to be
fetched again must be the same bytes, and a later reading of the whole is compared block by block. So what is hashed is what was
parsed (design law 12), whatever the server does between two answers.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.errors import ChangedError
from openvet.io.hashing import digest_chunks
from openvet.io.source import Source

__all__ = ["CACHED", "RANGE_BLOCK", "SMALL", "Claim", "RangeSource"]

#: Small enough that an index scattered over a large file stays cheap.
RANGE_BLOCK = 64 * 1024
#: Files up to this size are fetched whole and hashed, since asking for their parts would cost as much.
SMALL = 4 * 1024 * 1024
#: Blocks kept in memory for one file (16 MiB).
CACHED = 256
#: Blocks fetched with one request when reading goes straight on.
_AHEAD = 64

Fetch = Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Claim:
    """The digest that a server names for a file: ``sha256``, or ``git`` for the SHA-1 of a git blob."""

    algorithm: str
    value: str
    host: str

    def holds(self, size: int, chunks: Iterator[bytes]) -> bool:
        """Whether the bytes ``chunks`` have this digest."""
        if self.algorithm == "git":
            state = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        else:
            state = hashlib.new(self.algorithm, usedforsecurity=False)
        for chunk in chunks:
            state.update(chunk)
        return state.hexdigest() == self.value


class RangeSource(Source):
    """``size`` bytes on a server. Not shared between threads.

    Args:
        size: as the server lists it.
        fetch: gives the bytes from one offset to another; raises :class:`ReadError` where it cannot.
        claim: the digest that the server names, if it names one.
        whole: whether every byte is to be fetched and hashed, too.
    """

    __slots__ = ("_blocks", "_fetch", "_next", "_run", "_seen", "claim", "whole")

    def __init__(self, size: int, fetch: Fetch, claim: Claim | None = None, *, whole: bool = False) -> None:
        self.size = size
        self.claim = claim
        self.whole = whole
        self._fetch = fetch
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._seen: dict[int, bytes] = {}
        self._next = -1
        self._run = 1

    def _read(self, offset: int, size: int) -> bytes:
        first, last = offset // RANGE_BLOCK, (offset + size - 1) // RANGE_BLOCK
        out = bytearray()
        at = first
        while at <= last:
            block = self._blocks.get(at)
            if block is None:
                self._load(at, last)
                block = self._blocks[at]
            else:
                self._blocks.move_to_end(at)
            out += block
            at += 1
        skip = offset - first * RANGE_BLOCK
        return bytes(out[skip : skip + size])

    def _load(self, first: int, last: int) -> None:
        """Fetch block ``first`` and those after it that are wanted or, when reading goes straight on, will be."""
        self._run = min(self._run * 2, _AHEAD) if first == self._next else 1
        stop = first + 1
        while stop < first + _AHEAD and stop not in self._blocks and (stop <= last or stop < first + self._run):
            stop += 1
        stop = min(stop, -(-self.size // RANGE_BLOCK))
        self._next = stop
        number = first
        for block in self._cut(self._fetch(first * RANGE_BLOCK, min(stop * RANGE_BLOCK, self.size))):
            self._remember(number, block)
            self._blocks[number] = block
            number += 1
        if number != stop:
            raise ChangedError("the server gives fewer bytes than it lists", offset=number * RANGE_BLOCK)
        while len(self._blocks) > CACHED:
            self._blocks.popitem(last=False)

    def _cut(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        rest = bytearray()
        for piece in pieces:
            rest += piece
            while len(rest) >= RANGE_BLOCK:
                yield bytes(rest[:RANGE_BLOCK])
                del rest[:RANGE_BLOCK]
        if rest:
            yield bytes(rest)

    def _remember(self, number: int, block: bytes) -> None:
        digest = hashlib.sha256(block).digest()
        if self._seen.setdefault(number, digest) != digest:
            raise ChangedError("the server gives other bytes than a moment ago", offset=number * RANGE_BLOCK)

    @property
    def complete(self) -> bool:
        """Whether every byte was fetched, at one time or another."""
        return len(self._seen) * RANGE_BLOCK >= self.size

    def check_unchanged(self) -> None:
        """Every block was compared when it came; there is nothing left to ask."""

    def digest(self, algorithms: tuple[str, ...], progress: Progress) -> tuple[dict[str, str], bool]:
        """Fetch every byte, in order; their digests, and whether they agree with what the server claims.

        Raises:
            ReadError: not every byte came, or one is not what it was when it was parsed.
        """
        agree: list[bool] = []
        digests: dict[str, str] = {}

        def blocks() -> Iterator[bytes]:
            total = 0
            for number, block in enumerate(self._cut(self._fetch(0, self.size))):
                if number in self._seen:
                    self._remember(number, block)
                total += len(block)
                progress.bytes_done += len(block)
                yield block
            if total != self.size:
                raise ChangedError("the server gives fewer bytes than it lists", offset=total)

        claim = self.claim
        if claim is not None and claim.algorithm == "sha256" and "sha256" in algorithms:
            digests = digest_chunks(blocks(), algorithms)
            agree.append(digests["sha256"] == claim.value)
        elif claim is not None:
            digests = digest_chunks(
                blocks(), algorithms
            )  # a git blob of this size is rare: its second digest costs a second pass
            agree.append(claim.holds(self.size, blocks()))
        else:
            digests = digest_chunks(blocks(), algorithms)
        return digests, all(agree)

    def close(self) -> None:
        self._blocks.clear()
