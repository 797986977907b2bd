"""Files of values and trees of OCDBT (``d/`` and 32 hexadecimal digits), in which Orbax keeps the weights of checkpoints of JAX.

::

    values one after the other, as they are     nodes of the trees, the last of which ends the file

A node names its keys, and for each of them the value, or where that lies in this or another file; the layout stands in ``_ocdbt``. Every
value becomes a member under its key (``params.w/.zarray``, ``params.w/0.0``), so that it is read as a file of its own. Values in
other files are claimed there as tensors: what reads them is TensorStore, which knows numbers and nothing else.

A file that holds only values has no mark: its bytes are what the nodes of another file say.

Specification: https://google.github.io/tensorstore/kvstore/ocdbt/index.html#storage-format
"""

from __future__ import annotations

import posixpath
from functools import partial

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._numbers import are_numbers
from openvet.formats._ocdbt import NODE, VERSIONS, Entry, framed, read_node, unpacked
from openvet.formats._trailing import all_zero
from openvet.formats._zarr_shard import shard_parts
from openvet.io.source import BytesSource, Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="ocdbt-data",
    title="OCDBT data (TensorStore, Orbax)",
    extensions=(),
    media_types=(),
    can_tell=("every key, and every value that lies in the file", "that nothing else stands in it"),
    cannot_tell=("what stands in front of a key that a node above states", "whether checksums are right"),
    refines=("zstd", "gzip"),
)

#: How Zarr calls a part of an array: TensorStore makes numbers of it, whatever the description of the array says.
_CHUNK = pattern(r"c|(?:c\.)?[0-9]{1,20}(?:\.[0-9]{1,20}){0,31}")
_NAME = pattern(r"(?:^|/)d/[0-9a-f]{32}$")
#: How far from its end the last node is looked for: under the usual name it is worth a longer look.
_FAR = 4 * 1024 * 1024
_STARTS = (NODE, VERSIONS)


def probe(head: Head) -> Likeness:
    """A node that ends where the file does."""
    return Likeness.NO if _last_node(head.source, head.tail, head.name) is None else Likeness.STRONG


def _last_node(source: Source, tail: bytes, name: str) -> int | None:
    """Where the node begins that ends the file."""
    if source.size > len(tail) and _NAME.search(name):
        tail = source.upto(max(source.size - _FAR, 0), _FAR)
    if b"\x0c\xdb" not in tail:
        return None
    start = source.size - len(tail)
    for magic in _STARTS:
        at = tail.find(magic)
        while at >= 0:
            if framed(source, start + at) == len(tail) - at:
                return start + at
            at = tail.find(magic, at + 1)
    return None


def read(source: Source, facts: Facts) -> None:
    """Read the last node and all that lead on from it in this file; values become members.

    Raises:
        MalformedError: a node breaks its form, or a value goes beyond the end.
        LimitError: a node is larger than is read.
    """
    last = _last_node(source, source.upto(max(source.size - 64 * 1024, 0), 64 * 1024), facts.name)
    walk = _Walk(source, facts)
    waiting = [] if last is None else [last]
    while waiting:
        waiting.extend(walk.node(waiting.pop()))
        if not waiting:  # nodes of other trees, which nothing here leads to, begin where what is known ends
            waiting.extend(walk.strays())
    facts.note("keys", walk.keys)
    account_for_all(source, facts, walk.extents, "the data base")
    walk.unclaimed()
    if facts.coverage is Coverage.INERT:
        facts.coverage = Coverage.READ


class _Walk:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.source, self.facts = source, facts
        self.extents: list[tuple[int, int]] = []
        self.seen: set[int] = set()
        self.taken: set[tuple[bytes, int]] = set()
        self.keys = 0

    def node(self, at: int) -> list[int]:
        """Takes its values; gives where other nodes begin that it leads to in this file."""
        if at in self.seen:
            return []
        self.seen.add(at)
        self.facts.budget.check_time()
        found = []
        for entry in read_node(self.source.read(at, 4), unpacked(self.source, at, self.facts), self.facts):
            self.keys += not entry.node
            if entry.place is None or self.is_own(entry.place.path):
                found += self.here(entry)
            elif not entry.node:
                folder = "" if entry.place.path.startswith("d/") else "../"
                name = folder + entry.place.path.removeprefix("d/")
                self.facts.claims.setdefault(name, []).append((entry.place.offset, entry.place.size))
        self.extents.append((at, framed(self.source, at)))
        return found

    def is_own(self, path: str) -> bool:
        """Whether a path from the root of the data base, which nobody knows here, is that of this file."""
        name = self.facts.name
        return name == path or name.endswith("/" + path) or ("/" not in name and posixpath.basename(path) == name)

    def here(self, entry: Entry) -> list[int]:
        if entry.place is None:
            data: Source = BytesSource(entry.value)
            offset = -1
        else:
            offset = entry.place.offset
            data = self.source.window(offset, entry.place.size)
            if entry.node:
                return [offset]
        if (entry.key, offset) not in self.taken and data.size:
            self.taken.add((entry.key, offset))
            name = entry.key.decode("utf-8", "surrogateescape")
            role = "tensor-data" if _CHUNK.fullmatch(name.rpartition("/")[2]) and self.is_chunk(data) else None
            self.facts.add_members([Member(name, data.size, partial(_same, data), max(offset, 0), role)])
        if entry.place is not None:
            self.extents.append((offset, entry.place.size))
        return []

    def is_chunk(self, data: Source) -> bool:
        """Whether a value is numbers, or parts of numbers with an index behind them."""
        parts = shard_parts(data)
        if parts is None:
            return are_numbers(data, self.facts)
        return all(are_numbers(data.window(start, size), self.facts) for start, size in parts)

    def unclaimed(self) -> None:
        """What no key and no node takes is looked at as files of their own: nothing else would say what stands there."""
        at = 0
        for start, size in [*sorted(self.extents), (self.source.size, 0)]:
            if start > at and not all_zero(self.source, at, start):
                data = self.source.window(at, start - at)
                self.facts.add_members([Member(f"unclaimed-{at}", data.size, partial(_same, data), at)])
            at = max(at, start + size)

    def strays(self) -> list[int]:
        at = 0
        for start, size in [*sorted(self.extents), (self.source.size, 0)]:
            if start > at and at not in self.seen and self.source.read(at, 4) in _STARTS and framed(self.source, at):
                return [at]
            at = max(at, start + size)
        return []


def _same(data: Source) -> Source:
    return data
