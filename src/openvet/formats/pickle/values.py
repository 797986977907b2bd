"""Abstract values: what the machine keeps of a value on the stack or in the memo.

A value is one integer of 63 bits, so that millions of them fit into an ``array('q')`` and a compiled walk needs no
objects::

    bits 0-3    tag
    bits 4-23   a: opcode of a literal, index of a reference, or index of a bag of references
    bits 24-62  offset of the opcode that made the value, which is its identity as well

A literal is never kept: its opcode and offset are, and the few that are looked at are read again from the source.
Containers keep a few items only (:class:`openvet.formats.pickle.held.Held`), but never lose which references are inside (bags).
"""

from __future__ import annotations

from typing import Final

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
#: The same in a value.
ENCODED_BIT: Final = ENCODED << A_SHIFT
OPCODE: Final = 0xFF

#: Offsets that fit; nothing longer is read as one pickle.
MAX_OFFSET: Final = (1 << 39) - 1
#: References and bags that fit into ``a``.
MAX_INDEX: Final = A_MASK

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
