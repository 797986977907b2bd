"""Abstract values: what the machine keeps of a value on the stack or in the memo.

A value is one integer of 63 bits, so that millions of them fit into an ``array('q')`` and a compiled walk needs no
objects::

    bits 0-3    tag
    bits 4-23   a: opcode of a literal, index of a reference, or index of a bag of references
    bits 24-62  offset of the opcode that made the value, which is its identity as well

A literal is never kept: its opcode and offset are, and the few that are looked at are read again from the source.
Containers keep a few items only (:class:`Held`), but never lose which references are inside (bags).
"""

from __future__ import annotations

from typing import Final

__all__ = ["Held"]

LIT: Final = 1
TUPLE: Final = 2  # a = bag
LIST: Final = 3
DICT: Final = 4
SET: Final = 5
FROZENSET: Final = 6  # a = bag
REF: Final = 7  # a = reference: a global, an attribute of one, or something callable that a linker made of it
RESULT: Final = 8  # a = the reference whose call gave this value
PERSISTENT: Final = 9
UNKNOWN: Final = 10

TAG: Final = 0xF
A_SHIFT: Final = 4
A_MASK: Final = 0xFFFFF
OFFSET_SHIFT: Final = 24
LOW: Final = 0xFFFFFF  # tag and a

#: Bit of a literal's ``a``: text that was turned into bytes on the way (``_codecs.encode``), so that it names nothing.
ENCODED: Final = 0x100
OPCODE: Final = 0xFF

#: Offsets that fit; nothing longer is read as one pickle.
MAX_OFFSET: Final = (1 << 39) - 1
#: References and bags that fit into ``a``.
MAX_INDEX: Final = A_MASK

_GENERATION: Final = 16_384
KEPT_ITEMS: Final = 64


def make(tag: int, a: int, offset: int) -> int:
    return (offset << OFFSET_SHIFT) | (a << A_SHIFT) | tag


def tag_of(value: int) -> int:
    return value & TAG


def a_of(value: int) -> int:
    return (value >> A_SHIFT) & A_MASK


def offset_of(value: int) -> int:
    return value >> OFFSET_SHIFT


def is_plain(value: int) -> bool:
    """Whether nothing in ``value`` can ever be more than data: a literal, or a tuple or frozenset of such."""
    tag = value & TAG
    return tag == LIT or ((tag in (TUPLE, FROZENSET)) and not value & (A_MASK << A_SHIFT))


class Held:
    """The first items of recently made or recently used containers, in two generations of bounded size.

    What is forgotten shows as ``…`` and makes a linker's arguments unknown, which is reported; it never hides a call.
    An entry is ``[count, item, item ...]``; a dict's items are key, value, key, value.
    """

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[int, list[int]] = {}
        self._old: dict[int, list[int]] = {}

    def put(self, identity: int, items: list[int]) -> None:
        if len(self._young) >= _GENERATION:
            self._old = self._young
            self._young = {}
        self._young[identity] = items

    def get(self, identity: int) -> list[int] | None:
        items = self._young.get(identity)
        if items is None:
            items = self._old.get(identity)
            if items is not None:
                self.put(identity, items)
        return items

    def forget(self, identity: int) -> None:
        """The items are not known any more: they were set in a way that is not followed."""
        self._young.pop(identity, None)
        self._old.pop(identity, None)

    def extend(self, identity: int, items: list[int]) -> None:
        """Add items to a container, keeping the first few and the count of all."""
        held = self.get(identity)
        if held is None:
            return
        room = KEPT_ITEMS + 1 - len(held)
        if room > 0:
            held.extend(items[:room])
        held[0] += len(items)
