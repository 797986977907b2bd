"""PyTorch's legacy file (``torch.save`` before 1.6): five pickles, then the storages one behind the other.

::

    pickle   0x1950a86a20f9469cfc6c     the magic number
    pickle   1001                       the version of this layout
    pickle   {protocol_version, little_endian, type_sizes}
    pickle   the objects; storages are persistent ids ('storage', class, key, location, elements, view)
    pickle   [key, key ...]
    for each key: i64 number of elements, then the elements

Reference: ``_legacy_save`` and ``_legacy_load`` in ``torch/serialization.py`` of PyTorch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._torch import Storage, Tensors
    from openvet.formats.pickle.machine import Machine
    from openvet.formats.pickle.reading import Reading

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="torch-legacy",
    title="PyTorch legacy file",
    extensions=(".pt", ".pth", ".bin", ".ckpt", ".model", ".pkl"),
    media_types=("application/x-pytorch",),
    can_tell=(
        "every tensor's name, dtype, shape and place as its pickle says",
        "whether the storages are as large as the pickle claims, to the last byte of the file",
        "everything that a pickle reader tells of the five pickles",
    ),
    cannot_tell=(
        "storages of files written on big-endian machines beyond their sizes",
        "names of tensors that are only held by sets or by objects with their own state",
    ),
    refines=("pickle",),
)

_KEYS_OPCODES = 2_000_000
_MAGIC = 0x1950A86A20F9469CFC6C
#: The magic number as picklers of each protocol write it, and in the longer forms that a loader takes as well.
_BEGIN = pattern(
    rb"(?:\x80[\x00-\x05])?(?:\x95.{8})?(?:(?:\x8a\x0a|\x8b\x0a\0\0\0)"
    + re.escape(_MAGIC.to_bytes(10, "little"))
    + rb"|[LI]%dL?\r?\n)" % _MAGIC,
    re.DOTALL,
)
#: What its bytes begin with.
STARTS = (b"\x80", b"\x95", b"\x8a", b"\x8b", b"L", b"I")


def probe(head: Head) -> Likeness:
    """The pickle of the magic number."""
    return Likeness.STRONG if _BEGIN.match(head.data) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the five pickles and account for every byte of the storages."""
    from openvet.formats._torch import Tensors
    from openvet.formats.pickle.reading import Reading

    reading = Reading(source, facts, facts.place)
    tensors = Tensors(facts, facts.place)
    main: Machine | None = None
    at = 0
    for part in ("magic number", "version", "system", "objects"):
        machine = reading.one(at, tensors if part == "objects" else None)
        at = machine.end
        main = machine
        if not machine.stopped:
            facts.unknown("malformed", f"the pickle of the {part} does not end, so that what follows was not read", at)
            return
    keys, at = _keys(source, facts, reading, at)
    places = _storages(source, facts, reading, tensors, keys, at) if keys is not None else {}
    if main is not None:
        tensors.finish(main, lambda storage: places.get(storage.key))


def _keys(source: Source, facts: Facts, reading: Reading, at: int) -> tuple[list[str] | None, int]:
    """The order of the storages: a list of text."""
    from openvet.formats.pickle.literals import is_text, text_of

    machine = reading.one(at)
    if not machine.stopped:
        facts.unknown("malformed", "the list of storages does not end, so that they were not read", machine.end)
        return None, machine.end
    if machine.opcodes > _KEYS_OPCODES:
        facts.unknown("limit", "the list of storages is too long", at)
        return None, machine.end
    keys = []
    for offset, opcode in machine.trace_again():
        if is_text(opcode):
            keys.append(text_of(source.upto, offset, opcode, 256) or "")
    return keys, machine.end


def _storages(
    source: Source, facts: Facts, reading: Reading, tensors: Tensors, keys: list[str], at: int
) -> dict[str, int]:
    """Where the bytes of each storage begin."""
    places: dict[str, int] = {}
    for key in keys:
        storage: Storage | None = tensors.storages.get(key)
        shown = printable(key)[:80]
        if storage is None or not storage.width:
            facts.unknown("malformed", f"storage {shown} has no known type, so that the rest was not read", at)
            return places
        if at + 8 > source.size:
            tensors.mismatch(f"storage {shown} and those behind it are not in the file", at, storage=shown)
            facts.unknown("malformed", "the file ends before its storages do", at)
            return places
        numel = int.from_bytes(source.read(at, 8), "little", signed=True)
        if numel != storage.numel:
            tensors.mismatch(
                f"storage {shown} has {numel} elements, but the pickle claims {storage.numel}",
                at,
                storage=shown,
                claimed=str(storage.numel),
                present=str(numel),
            )
        size = max(numel, 0) * storage.width
        if at + 8 + size > source.size:
            facts.unknown("malformed", f"storage {shown} goes beyond the end of the file", at)
            return places
        places[key] = at + 8
        at += 8 + size
    if at < source.size:
        rest = source.size - at
        reading.anomaly(
            "pickle/trailing-data", f"{rest} bytes behind the last storage belong to nothing", at, size=rest
        )
        facts.unknown("no-reader", f"{rest} bytes behind the last storage were not read", at)
    return places
