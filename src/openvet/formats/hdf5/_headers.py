"""Object headers, versions 1 and 2: the messages of one object, whatever number of blocks they stand in.

Specification: section IV.A.1 of the HDF5 file format.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats.hdf5._bytes import Block, HdfBytes

__all__ = ["Message", "messages", "shared"]

CONTINUATION = 0x10
_MOST_BLOCKS = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its type, whether its body stands elsewhere, and the body."""

    kind: int
    shared: bool
    body: Block


def messages(file: HdfBytes, address: int) -> Iterator[Message]:
    """The messages of the object whose header stands at ``address``.

    Raises:
        MalformedError: no header stands there, a block of it ends early, or its blocks lead back to each other.
        UnsupportedError: a version that no specification describes.
    """
    head = file.upto(address, 64)
    if head.data.startswith(b"OHDR"):
        head.take(4)
        version, flags = head.number(1), head.number(1)
        if version != 2:
            raise UnsupportedError(f"an object header of version {version}", offset=head.start)
        head.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
        size = head.number(1 << (flags & 3))
        yield from _blocks(file, address + head.at, size, 2, flags)
        return
    version = head.number(1)
    if version != 1:
        raise MalformedError("no object header stands where one should", offset=head.start)
    head.take(7)
    yield from _blocks(file, address + 16, head.number(4), 1, 0)


def _blocks(file: HdfBytes, address: int, size: int, version: int, flags: int) -> Iterator[Message]:
    seen: set[int] = set()
    waiting = [(address, size, False)]
    while waiting:
        address, size, continued = waiting.pop()
        if address in seen:
            raise MalformedError("blocks of an object header lead back to each other", offset=file.base + address)
        seen.add(address)
        if len(seen) > _MOST_BLOCKS:
            raise LimitError("records", _MOST_BLOCKS, "an object header has too many blocks")
        file.budget.check_time()
        block = file.block(address, size)
        if continued and version == 2:
            if block.take(4) != b"OCHK" or size < 8:
                raise MalformedError("no continuation stands where an object header has one", offset=block.start)
            block.data = block.data[:-4]
        found = []
        for message in _messages(file, block, version, flags):
            if message.kind == CONTINUATION:
                where, length = message.body.address(), message.body.length()
                if where is not None:
                    found.append((where, length, True))
            else:
                yield message
        waiting.extend(reversed(found))


def _messages(file: HdfBytes, block: Block, version: int, flags: int) -> Iterator[Message]:
    head = 8 if version == 1 else 6 if flags & 4 else 4
    while block.left >= head:
        kind = block.number(2 if version == 1 else 1)
        size, bits = block.number(2), block.number(1)
        block.take(head - (5 if version == 1 else 4))
        file.pay(0, 32)
        yield Message(kind, bool(bits & 2), block.part(size))


def shared(file: HdfBytes, message: Message) -> Block:
    """The body of a message, also where it only refers to a message of the same type in another object.

    Raises:
        UnsupportedError: the body stands in the file's table of shared messages.
        MalformedError: the other object has no such message.
    """
    if not message.shared:
        return message.body
    body = message.body
    version, kind = body.number(1), body.number(1)
    if version == 1:
        body.take(6)
    if not 1 <= version <= 3 or (version == 3 and kind == 1):
        raise UnsupportedError("a message stands in the table of shared messages, which is not read", offset=body.start)
    address = body.address()
    if address is not None:
        for each in messages(file, address):
            if each.kind == message.kind and not each.shared:
                return each.body
    raise MalformedError("a message refers to an object that has none of its type", offset=body.start)
