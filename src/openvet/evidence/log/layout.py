"""Where a log keeps what: paths of tiles, what has to be there at a size, and how entries lie in a bundle.

::

    checkpoint                        the signed size and root that count
    tile/0/x001/234                   a full tile: 256 hashes of leaves; tile/1/... those of full tiles below, and so on
    tile/0/x001/235.p/17              a partial tile of 17 hashes, as it was when the log ended there
    tile/entries/x001/235.p/17        the entries themselves, each behind its length in two bytes, big-endian
    .index.sqlite                     where which entry is (openvet.evidence.log.index); it can be removed at any time
    checkpoint.pending, .staging/     what an append leaves that was interrupted; the next one tidies up

Source: C2SP ``tlog-tiles``; such a folder can be served as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError, VerifyError
from openvet.evidence.merkle import HASH_BYTES

__all__ = [
    "BUNDLE_BYTES", "CHECKPOINT", "ENTRIES", "INDEX", "MOST_ENTRY", "PENDING", "STAGING", "WIDTH", "Place", "pack", "places", "unpack",
]  # fmt: skip

WIDTH: Final = 256
CHECKPOINT: Final = "checkpoint"
PENDING: Final = "checkpoint.pending"
STAGING: Final = ".staging"
INDEX: Final = ".index.sqlite"
#: Stands where a level would, for bundles of entries.
ENTRIES: Final = -1
#: Bytes of one entry.
MOST_ENTRY: Final = 0xFFFF
#: Bytes of the biggest bundle.
BUNDLE_BYTES: Final = WIDTH * (MOST_ENTRY + 2)
_LEVELS: Final = 64
_PLACE: Final = pattern(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A tile, or a bundle of entries where ``level`` is :data:`ENTRIES`. ``width`` is :data:`WIDTH` for a full one."""

    level: int
    number: int
    width: int

    @property
    def stem(self) -> str:
        """The path of the full tile, relative to the folder of the log."""
        parts = [f"{self.number % 1000:03}"]
        rest = self.number // 1000
        while rest:
            parts.append(f"x{rest % 1000:03}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        return "/".join(["tile", level, *reversed(parts)])

    @property
    def path(self) -> str:
        """The path, relative to the folder of the log."""
        return self.stem if self.width == WIDTH else f"{self.stem}.p/{self.width}"

    @property
    def full(self) -> Place:
        return Place(self.level, self.number, WIDTH)

    @classmethod
    def parse(cls, path: str) -> Place | None:
        """The place that a path names; ``None`` for every other path."""
        found = _PLACE.fullmatch(path)
        if found is None:
            return None
        number = int(found[2].replace("x", "").replace("/", "") + found[3])
        width = int(found[4]) if found[4] else WIDTH
        place = cls(ENTRIES if found[1] == "entries" else int(found[1]), number, width)
        return place if width <= WIDTH and place.path == path else None

    def expected(self, size: int) -> int:
        """How wide this tile is when the log has ``size`` entries; 0 where it is not there yet."""
        return max(0, min(WIDTH, (size >> 8 * max(self.level, 0)) - self.number * WIDTH))


def places(size: int) -> Iterator[Place]:
    """Every tile and bundle that a log of ``size`` entries needs, the bundles first."""
    for level in range(ENTRIES, _LEVELS):
        count = size >> 8 * max(level, 0)
        for number in range(count // WIDTH):
            yield Place(level, number, WIDTH)
        if count % WIDTH:
            yield Place(level, count // WIDTH, count % WIDTH)
        if not count:
            return


def pack(entries: Iterable[bytes]) -> bytes:
    """A bundle of entries.

    Raises:
        UsageError: an entry is too long for the format.
    """
    parts = []
    for each in entries:
        if len(each) > MOST_ENTRY:
            raise UsageError(
                f"an entry of a log has at most {MOST_ENTRY} bytes, and this one has {len(each)}; log its digest"
            )
        parts += [len(each).to_bytes(2, "big"), each]
    return b"".join(parts)


def unpack(data: bytes, what: str, whole: int, wanted: int) -> list[bytes]:
    """The first ``wanted`` entries of a bundle that holds ``whole`` of them, and nothing else.

    Raises:
        VerifyError: ``tampered``: it holds something else.
    """
    found: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or len(found) == whole:
            break
        found.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(found) != whole:
        raise VerifyError("tampered", f"{what} does not hold {whole} entries")
    return found[:wanted]


def cut(data: bytes, what: str, whole: int, wanted: int) -> Sequence[bytes]:
    """The first ``wanted`` hashes of a tile of ``whole`` hashes.

    Raises:
        VerifyError: ``tampered``: it has another length.
    """
    if len(data) != whole * HASH_BYTES:
        raise VerifyError("tampered", f"{what} does not hold {whole} hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, wanted * HASH_BYTES, HASH_BYTES)]
