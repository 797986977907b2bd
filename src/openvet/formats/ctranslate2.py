"""CTranslate2 models (``model.bin``): named arrays, then names that stand for others.

::

    version u32, name of the specification, revision u32, variables u32
    name, rank u8, extents u32 ..., kind u8, bytes u32, data          once per variable; until version 3: bytes of an element u8, elements
    aliases u32, then alias and name for each
    text: length with its NUL u16, text, NUL

Specification: ``python/ctranslate2/specs/model_spec.py`` of https://github.com/OpenNMT/CTranslate2
"""

from __future__ import annotations

import re

from openvet.core.text import printable
from openvet.errors import LimitError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ctranslate2",
    title="CTranslate2 model",
    extensions=(".bin",),
    media_types=(),
    can_tell=("Every array with its name, shape and place, to the last byte.",),
    cannot_tell=("What the numbers mean.",),
)

_VERSION = 6
_RULE = "file/outside-memory"
_INT64 = 2**63
_KINDS = {0: ("F32", 4), 1: ("I8", 1), 2: ("I16", 2), 3: ("I32", 4), 4: ("F16", 2), 5: ("BF16", 2)}
#: What its bytes begin with.
STARTS = tuple(bytes([version, 0, 0, 0]) for version in range(1, 101))


def probe(head: Head) -> Likeness:
    """A version, then the name of a specification, which ends in Spec and a NUL."""
    data = head.data
    length = int.from_bytes(data[4:6], "little")
    named = length <= 100 and re.fullmatch(rb"[A-Z][A-Za-z0-9]*Spec\0", data[6 : 6 + length]) is not None
    return Likeness.STRONG if named and 1 <= int.from_bytes(data[:4], "little") <= 100 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every variable and alias."""
    from openvet.formats._trailing import account_for_rest

    cursor = source.cursor()
    version = _number(cursor, 4)
    if not 2 <= version <= _VERSION:
        raise UnsupportedError(f"is of version {version}, which this reader does not know", offset=0)
    facts.note("version", version)
    facts.note("specification", _text(cursor))
    facts.note("revision", _number(cursor, 4))
    count = _number(cursor, 4)
    if count > facts.limits.tensors:
        raise LimitError("tensors", facts.limits.tensors, f"describes {count} arrays", offset=cursor.position)
    for _ in range(count):
        facts.tensors.append(_variable(cursor, facts, version))
    if version >= 3 and cursor.left:
        aliases = _number(cursor, 4)
        if aliases > facts.limits.tensors:
            raise LimitError("tensors", facts.limits.tensors, f"has {aliases} aliases", offset=cursor.position)
        for _ in range(aliases):
            _text(cursor)
            _text(cursor)
        facts.note("aliases", aliases)
    account_for_rest(source, facts, cursor.position, "the CTranslate2 model")


def _variable(cursor: Cursor, facts: Facts, version: int) -> Tensor:
    name = _text(cursor)
    shape = tuple(_number(cursor, 4) for _ in range(_number(cursor, 1)))
    kind, count = _number(cursor, 1), _number(cursor, 4)
    word, width = _KINDS.get(kind, (f"KIND{kind}", 0)) if version >= 4 else (f"BYTES{kind}", kind)
    nbytes = count if version >= 4 else count * kind
    tensor = Tensor(name, word, shape, cursor.position, nbytes)
    needed = tensor.elements * width
    if needed >= _INT64 or (not width and tensor.elements >= _INT64):
        message = f"the size of the array {name} ({' x '.join(map(str, shape))}) overflows 64 bits"
        facts.anomaly(_RULE, message, cursor.position, lie="overflow")
    elif width and needed < nbytes:  # what has fewer is short, and nothing is written behind it
        message = f"the array {name} has room for {needed} bytes by its shape, and {nbytes} are read into it"
        facts.anomaly(_RULE, message, cursor.position, lie="bytes")
    if width and needed != nbytes:
        facts.unknown("malformed", f"the array {name} has {nbytes} bytes, which do not fit its shape", cursor.position)
    cursor.skip(nbytes)
    return tensor


def _number(cursor: Cursor, width: int) -> int:
    return int.from_bytes(cursor.read(width), "little")


def _text(cursor: Cursor) -> str:
    return printable(cursor.read(_number(cursor, 2)).rstrip(b"\0").decode("utf-8", "backslashreplace"))
