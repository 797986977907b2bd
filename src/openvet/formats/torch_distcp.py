"""A shard of a distributed checkpoint of PyTorch (``__0_0.distcp``): what ``torch.save`` writes, several times, back to back.

::

    zip of one tensor or object        as torch_zip describes it
    ...                                without anything between them

Where each begins is written in the pickle ``.metadata`` beside the shards. Here it is found from the end: the record at the end of
a zip says how long its directory and its members are, and so where the one before it ends.

Reference: ``torch/distributed/checkpoint/filesystem.py`` of PyTorch.
"""

from __future__ import annotations

from functools import partial

from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="torch-distcp",
    title="PyTorch distributed checkpoint shard",
    extensions=(".distcp",),
    media_types=("application/x-pytorch",),
    can_tell=("every tensor and object of the shard, each with all that is told of a PyTorch zip archive",),
    cannot_tell=("names of tensors: they are in the pickle .metadata beside the shard",),
    refines=("torch-zip", "zip"),
)

_END = b"PK\x05\x06"
_END_SIZE = 22
_LOCATOR = b"PK\x06\x07"
_LOCATOR_SIZE = 20
_WIDE = b"PK\x06\x06"
_WIDE_SIZE = 56
#: What its bytes begin with.
STARTS = (b"PK\x03\x04",)


def probe(head: Head) -> Likeness:
    """A zip with ``data.pkl`` at the start, and at the end one that begins only behind it."""
    if not head.data.startswith(b"PK\x03\x04") or b"/data.pkl" not in head.data[:256]:
        return Likeness.NO
    start = _start_of(head.source, head.size)
    if start is None or start <= 0 or head.source.upto(start, 4) != b"PK\x03\x04":
        return Likeness.NO
    return Likeness.STRONG if head.source.upto(start - _END_SIZE, 4) == _END else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Find the zips from the last to the first and hand them on."""
    parts: list[tuple[int, int]] = []
    end = source.size
    while end > 0:
        start = _start_of(source, end)
        if start is None or start < 0 or source.upto(start, 4) != b"PK\x03\x04":
            facts.unknown("malformed", f"{end} bytes at the start are no sequence of PyTorch zips", 0)
            parts.append((0, end))
            break
        parts.append((start, end))
        facts.budget.check_time()
        if len(parts) > facts.limits.members:
            facts.unknown("limit", "more items than are told apart", start)
            break
        end = start
    facts.note("items", len(parts))
    facts.add_members(
        Member(f"item-{number}.pt", end - start, partial(source.window, start, end - start), start)
        for number, (start, end) in enumerate(reversed(parts))
    )


def _start_of(source: Source, end: int) -> int | None:
    """Where the zip begins that ends at ``end``, as its last record says; ``None`` where there is no such record."""
    at = end - _END_SIZE
    record = source.upto(at, _END_SIZE) if at >= 0 else b""
    if not record.startswith(_END) or record[20:22] != b"\0\0":
        return None
    size, offset = int.from_bytes(record[12:16], "little"), int.from_bytes(record[16:20], "little")
    if source.upto(at - _LOCATOR_SIZE, 4) == _LOCATOR and at >= _LOCATOR_SIZE + _WIDE_SIZE:
        at -= _LOCATOR_SIZE + _WIDE_SIZE
        wide = source.read(at, _WIDE_SIZE)
        if not wide.startswith(_WIDE):
            return None
        size, offset = int.from_bytes(wide[40:48], "little"), int.from_bytes(wide[48:56], "little")
    start = at - size - offset
    return start if 0 <= start < end else None
