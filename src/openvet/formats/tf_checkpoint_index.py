"""TensorFlow checkpoints: the ``.index`` file, which says which bytes of the ``.data-?????-of-?????`` files are which tensor.

A sorted table, as LevelDB has them::

    blocks        entries: varint shared, varint rest, varint value length, rest of the key, value; restarts u32[], count u32
                  then one byte of compression (0 none, 1 snappy) and a checksum u32
    footer        48 bytes at the end: offset and size of the meta index block and of the index block (varints), padding,
                  magic 57 fb 80 8b 24 75 47 db

The key "" has a BundleHeaderProto (number of shards, byte order), every other key is the name of a tensor with a
BundleEntryProto (type, shape, shard, offset, size, checksum, slices). All tensors of the shards are described here, so that
the shards hold nothing else.

Reference: ``tensorflow/core/util/tensor_bundle`` and ``tensorflow/core/lib/io/format.cc``;
https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._trailing import all_zero
from openvet.io.source import BytesSource, Source

if TYPE_CHECKING:
    from openvet.formats._protobuf import Walker

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tf-checkpoint-index",
    title="TensorFlow checkpoint index",
    extensions=(".index",),
    media_types=(),
    can_tell=(
        "every variable's name, type, shape, and its place in which shard",
        "that the shards hold nothing that is no variable",
    ),
    cannot_tell=("what the numbers do", "whether the checksums are right"),
)

_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_FOOTER = 48
_RULE = "tensorflow/index-mismatch"
_SHARDS = 100_000


def probe(head: Head) -> Likeness:
    """The magic number at the very end."""
    return Likeness.STRONG if head.size >= _FOOTER and head.tail[-8:] == _MAGIC else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the index block, then every block that it points at.

    Raises:
        MalformedError: a block breaks its own form.
        LimitError: a block or the number of tensors is larger than is read.
        UnsupportedError: a compression that is not known.
    """
    table = _Table(source, facts)
    bundle = _Bundle(source, facts)
    for key, value in table.entries():
        bundle.entry(key, value)
    bundle.finish()
    table.account()


class _Table:
    """The sorted table: keys and values in order."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.read_ranges: list[tuple[int, int]] = [(source.size - _FOOTER, source.size)]

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        footer = self.source.read(self.source.size - _FOOTER, _FOOTER)
        meta_at, at = _varint(footer, 0)
        meta_size, at = _varint(footer, at)
        index_at, at = _varint(footer, at)
        index_size, at = _varint(footer, at)
        for _ in self.block(meta_at, meta_size):
            self.facts.unknown("unsupported", "the table has a filter, which was not read", meta_at)
        previous = -1
        for _, value in self.block(index_at, index_size):
            block_at, end = _varint(value, 0)
            size, _ = _varint(value, end)
            if block_at <= previous:  # a table is written in order; a block that is shown twice could cost without end
                raise MalformedError("the blocks of the table are not in order", offset=block_at)
            previous = block_at
            self.facts.budget.check_time()
            yield from self.block(block_at, size)

    def block(self, at: int, size: int) -> Iterator[tuple[bytes, bytes]]:
        """The entries of one block."""
        limit = self.facts.limits.header
        if size > limit:
            raise LimitError("header", limit, f"a block of {size} bytes is not read", offset=at)
        data = self.source.read(at, size + 5)
        self.read_ranges.append((at, at + size + 5))
        data = self.decoded(data[:size], data[size], at)
        if len(data) < 4:
            raise MalformedError("a block has no room for its restarts", offset=at)
        restarts = int.from_bytes(data[-4:], "little")
        end = len(data) - 4 - 4 * restarts
        if end < 0:
            raise MalformedError("a block has more restarts than room", offset=at)
        key = b""
        position = 0
        while position < end:
            shared, position = _varint(data, position)
            rest, position = _varint(data, position)
            length, position = _varint(data, position)
            if shared > len(key) or rest > end - position or length > end - position - rest:
                raise MalformedError("an entry of a block goes beyond its end", offset=at)
            key = key[:shared] + data[position : position + rest]
            if len(key) > self.facts.limits.member_name:
                raise LimitError(
                    "member_name", self.facts.limits.member_name, "a key is longer than is read", offset=at
                )
            position += rest
            yield key, data[position : position + length]
            position += length

    def decoded(self, data: bytes, compression: int, at: int) -> bytes:
        if compression == 0:
            return data
        if compression != 1:
            raise UnsupportedError(f"a block has the unknown compression {compression}", offset=at)
        from openvet.formats._snappy import unsnap

        return unsnap(data, self.facts, at)

    def account(self) -> None:
        """Say what lies between the blocks."""
        at = 0
        for start, end in sorted(self.read_ranges):
            if start > at and not all_zero(self.source, at, start):
                self.facts.unknown("unsupported", f"{start - at} bytes between the blocks were not read", at)
            at = max(at, end)


class _Bundle:
    """What the keys and values mean."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.facts = facts
        self.source = source
        self.shards = 0
        self.seen: set[bytes] = set()
        self.places: dict[int, list[tuple[int, int]]] = {}
        self.big_endian = False

    def lie(self, message: str) -> None:
        self.facts.anomaly(_RULE, message)

    def entry(self, key: bytes, value: bytes) -> None:
        from openvet.formats._protobuf import Walker, schema

        name = printable(shorten(key.decode("utf-8", "surrogateescape"), 500))
        if key in self.seen:
            self.lie(f"the tensor {name} stands in the index twice")
        self.seen.add(key)
        walker = Walker(BytesSource(value), self.facts, schema("tensorflow"))
        if not key:
            self.header(walker, len(value))
            return
        if len(self.facts.tensors) >= self.facts.limits.tensors:
            raise LimitError("tensors", self.facts.limits.tensors, "the index describes more tensors")
        self.tensor(walker, name, len(value))
        walker.report(_RULE, "a checkpoint")

    def header(self, walker: Walker, size: int) -> None:
        for part in walker.message("BundleHeaderProto", 0, size):
            if part.name == "num_shards":
                self.shards = part.value
            elif part.name == "endianness":
                self.big_endian = part.value == 1
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)
        walker.report(_RULE, "a checkpoint")

    def tensor(self, walker: Walker, name: str, size: int) -> None:
        from openvet.formats._tf_graph import DTYPES, read_shape

        dtype = shard = at = nbytes = 0
        shape: tuple[int, ...] | None = ()
        sliced = False
        for part in walker.message("BundleEntryProto", 0, size):
            if part.name == "dtype":
                dtype = part.value
            elif part.name == "shape":
                shape = read_shape(walker, part)
            elif part.name == "shard_id":
                shard = part.value
            elif part.name == "offset":
                at = part.value
            elif part.name == "size":
                nbytes = part.value
            elif part.name == "slices":
                sliced = True
                walker.sweep(part.spec.type, part.at, part.end)
        word, bits = DTYPES.get(dtype, (f"type {dtype}", 0))
        if at >= 1 << 63 or nbytes >= 1 << 63:
            raise MalformedError(f"the tensor {name} has a negative place or size")
        if sliced:  # the whole of a tensor in slices has no bytes of its own
            nbytes = 0
        elif bits and shape is not None:
            elements = 1
            for extent in shape:
                elements *= extent
            if elements * bits != nbytes * 8:
                self.lie(f"the tensor {name} has {nbytes} bytes for {min(elements, 1 << 64)} elements of {word}")
        if nbytes:
            self.places.setdefault(shard, []).append((at, nbytes))
        self.facts.tensors.append(Tensor(name, word, shape or (), at, nbytes))

    def finish(self) -> None:
        """Note the shards, and claim their bytes."""
        facts = self.facts
        if b"" not in self.seen or not 1 <= self.shards <= _SHARDS:
            facts.unknown("malformed", "the index has no header that says how many shards there are")
            return
        facts.note("shards", self.shards)
        if self.big_endian:
            facts.note("byte_order", "big")
        stray = sorted(shard for shard in self.places if shard >= self.shards)
        if stray:
            self.lie(f"tensors lie in shard {stray[0]}, and there are only {self.shards}")
        base = facts.name.rsplit("/", 1)[-1]
        stem = base[: -len(".index")] if base.lower().endswith(".index") else base
        for shard in range(min(self.shards, 10_000)):
            facts.claims[f"{stem}.data-{shard:05d}-of-{self.shards:05d}"] = self.places.get(shard, [])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise MalformedError("a number in the table is cut off or too long")
