"""An audit: everything of a log computed anew from its entries and held against what lies in the folder.

No lock is needed. What a writer is just putting there, or an interrupted one left, lies beyond the size of the checkpoint; it is
named, and it is no part of the log.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import VerifyError
from openvet.evidence.checkpoint import Checkpoint, read_checkpoint
from openvet.evidence.keys import PublicKey
from openvet.evidence.log.disk import read_file
from openvet.evidence.log.edge import Edge
from openvet.evidence.log.layout import BUNDLE_BYTES, CHECKPOINT, ENTRIES, INDEX, PENDING, STAGING, WIDTH, Place, places
from openvet.evidence.log.reading import LogReader, Tiles
from openvet.evidence.merkle import HASH_BYTES, leaf_hash

__all__ = ["Audit", "audit"]


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found in order.

    ``kept`` is the checkpoint that the log was held against. Without one nothing in the folder can tell that the log once had more
    entries: a copy of yesterday is a good log of yesterday.
    ``earlier`` counts partial tiles of earlier sizes, which were compared as well; ``leftovers`` are files that belong to no size that
    counts (an interrupted append, or a log that was cut behind its last checkpoint); ``strangers`` are files that are none of a log's.
    """

    checkpoint: Checkpoint
    tiles: int
    earlier: int
    kept: Checkpoint | None
    leftovers: tuple[str, ...]
    strangers: tuple[str, ...]

    @property
    def rollback_excluded(self) -> bool:
        return self.kept is not None


def audit(folder: str, key: PublicKey, origin: str | None = None, kept: bytes | None = None) -> Audit:
    """Compute a log anew.

    Args:
        folder: the log.
        key: the public key of the log, of Ed25519.
        origin: which log it has to be; without it, every log of that key.
        kept: a checkpoint of this log that was kept from an earlier day.

    Raises:
        VerifyError: ``missing``: a file that the log needs; ``tampered``: a file is not what it was; ``rollback``, ``fork``: the log is
            not one that continues ``kept``; ``malformed``, ``wrong-key``, ``mismatch``: a checkpoint is none of this log.
    """
    reader = LogReader(folder, key, origin)
    before = None if kept is None else read_checkpoint(kept, key, origin)
    if before is not None:
        reader.check_continues(before)
    size = reader.checkpoint.size
    edge = _recompute(reader.tiles)
    if edge.root() != reader.checkpoint.root:
        raise VerifyError("tampered", f"the {size} entries are not those that the checkpoint was signed for")
    names = _names(folder)
    earlier, leftovers, strangers = 0, [], []
    for name in names:
        place = Place.parse(name)
        if name in {CHECKPOINT, STAGING, INDEX, f"{INDEX}-journal"}:
            continue
        if place is not None and place.width <= place.expected(size):
            earlier += _compare_earlier(reader.tiles, place)
        elif place is not None or name == PENDING or name.startswith(f"{STAGING}/"):
            leftovers.append(name)
        else:
            strangers.append(name)
    return Audit(
        reader.checkpoint, sum(1 for _ in places(size)), earlier, before, tuple(leftovers), tuple(strangers)
    )  # fmt: skip


def _recompute(tiles: Tiles) -> Edge:
    """The edge over all entries; every tile on the way is held against what lies there."""
    edge = Edge()
    for number in range(-(-tiles.size // WIDTH)):
        for entry in tiles.bundle(number):
            for place, hashes in edge.add(leaf_hash(entry)):
                _same(tiles, place, hashes)
    for place, hashes in edge.partial():
        _same(tiles, place, hashes)
    return edge


def _same(tiles: Tiles, place: Place, hashes: list[bytes]) -> None:
    if list(tiles.hashes(place.level, place.number)) != hashes:
        raise VerifyError("tampered", f"{place.path} does not hold the hashes of the entries below it")


def _compare_earlier(tiles: Tiles, place: Place) -> bool:
    """Whether it is a partial tile of an earlier size, which has to begin as the later one does.

    Raises:
        VerifyError: ``tampered``.
    """
    if place.width == place.expected(tiles.size):
        return False
    most = BUNDLE_BYTES if place.level == ENTRIES else WIDTH * HASH_BYTES
    try:
        data = read_file(os.path.join(tiles.folder, place.path), most)
    except OSError as error:
        if not os.path.lexists(os.path.join(tiles.folder, place.path)):
            return False  # a writer has just put the full one in its place
        raise VerifyError("missing", f"{place.path} cannot be read: {error.strerror or error}") from None
    if place.level == ENTRIES:
        wanted = b"".join(len(each).to_bytes(2, "big") + each for each in tiles.bundle(place.number)[: place.width])
    else:
        wanted = b"".join(tiles.hashes(place.level, place.number)[: place.width])
    if data != wanted:
        raise VerifyError("tampered", f"{place.path} is not what the log held at that size")
    return True


def _names(folder: str) -> Iterator[str]:
    """Everything in the folder but the folders of tiles, in order, by names that are safe to print."""
    pending = [""]
    while pending:
        part = pending.pop()
        try:
            with os.scandir(os.path.join(folder, part) if part else folder) as found:
                entries = sorted(found, key=lambda each: each.name)
        except FileNotFoundError:
            continue  # a writer has just removed it
        except OSError as error:
            raise VerifyError(
                "missing", f"cannot list {printable(part or folder)}: {error.strerror or error}"
            ) from None
        for each in entries:
            name = f"{part}/{each.name}" if part else each.name
            if each.is_dir(follow_symlinks=False):
                pending.append(name)
            else:
                yield printable(name)
