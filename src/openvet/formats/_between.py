"""Programs and pickles in what no tensor of a file takes: freed space, padding, pages that nothing refers to, fields that nobody reads.

Formats that manage their space (HDF5, SQLite, OLE) leave holes whose old bytes mean nothing, and readers that follow references never
come there. Nothing runs what lies there by itself; a second file that knows the place does. Such bytes are not told of as they are,
since honest writers leave any in them; a program is, since none leaves that.

Only marks count that do not come by chance: the fields behind the magic have to hold, and a pickle has to be walked to its end and to
call something. The first megabytes are looked through, so that a large file costs no more than a small one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from openvet.core.limits import Budget, MiB
from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.formats._encoded import EncodedPickles, long_runs
from openvet.formats._format import Facts, Member
from openvet.formats._trailing import GAP
from openvet.io.source import BytesSource, Source

__all__ = ["leaves_room", "look_between"]

#: Formats whose readers follow references, or leave something of the file alone.
_LOOSE: Final = frozenset((
    "hdf5", "netcdf", "matlab", "matlab-4", "idl-save", "stata", "fits", "sqlite", "sqlite-wal", "ole", "ds-store", "xgboost-binary",
    "catboost", "ggml", "faiss", "tflite", "executorch", "ort", "truetype", "woff", "glb", "ply", "stl", "zarr-shard", "ocdbt-data",
    "tf-graph", "tf-saved-model", "tf-meta-graph", "tf-checkpoint-index", "paddle-program", "caffe", "coreml", "torch7", "mxnet", "onnx",
    "sentencepiece", "crfsuite",
))  # fmt: skip
_LOOKED_THROUGH: Final = 16 * MiB
_BLOCK: Final = 1 * MiB
#: Heads are read as far over the end of a block.
_OVERLAP: Final = 1024
_MOST: Final = 16
#: Opcodes of all walks together, and what each walk counts at least.
_OPCODES_OF_ALL: Final = 300_000
_EACH: Final = 20
_LONG_RUN: Final = 64 * 1024
#: Members that are compared with what is found, by their first bytes.
_MEMBERS: Final = 1_000
_COMPARED: Final = 64
_RUNS: Final = 5_000
_PICKLE: Final = 64 * 1024
_OPCODES: Final = 4_000
#: Processors of ELF on which kernels of graphics cards run; compiled models are full of them.
_GRAPHICS: Final = frozenset((190, 224))
#: Processors of PE and Mach-O: x86, ARM and 64 bits of both.
_PE_MACHINES: Final = frozenset((0x014C, 0x8664, 0x01C0, 0x01C4, 0xAA64))
_MACHO_PROCESSORS: Final = frozenset((7, 12, 0x01000007, 0x0100000C))
_FRAME: Final = 0x95
#: How base64 and hexadecimal digits of a pickle begin, and of one in zlib or gzip.
_MARKS: Final = pattern(
    rb"gA[A-Z]|Y(?:29z|3Bv|3N1|2J1|19f)|KGNv|e[JN][A-Za-z]|H4sI|(?i:800[2-5][0-9a-f]|789c|78da|1f8b08)"
)
_MARKS_OF_A_RUN: Final = 4
_HEADS: Final = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def leaves_room(formats: tuple[str, ...]) -> bool:
    """Whether one of the formats is looked through."""
    return not _LOOSE.isdisjoint(formats)


def look_between(source: Source, facts: Facts, formats: tuple[str, ...]) -> None:
    """Hand on what runs in a file that was read as ``formats``, where it lies in none of its tensors.

    Raises:
        LimitError: the time is spent.
    """
    if leaves_room(formats):
        _Look(source, facts).all()


class _Look:
    """The look through one file."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.encoded = EncodedPickles(facts, f"{GAP}-")
        self.members = facts.members[:_MEMBERS]
        self.known = [
            (each.offset, each.offset + each.size) for each in self.members if each.offset is not None and each.plain
        ]
        self.found = self.runs = self.opcodes = 0

    def all(self) -> None:
        left = _LOOKED_THROUGH
        for start, end in _free(self.source.size, self.facts):
            done = start
            while done < end and left > 0:
                self.facts.budget.check_time()
                size = min(_BLOCK, end - done, left)
                block = self.source.upto(done, min(size + _OVERLAP, end - done))
                if not self._block(block, size, done, end):
                    message = "too much looks like a program or a pickle; the rest was not looked at"
                    self.facts.unknown("limit", message, done)
                    return
                done += size
                left -= size

    def _block(self, block: bytes, size: int, start: int, end: int) -> bool:
        """Look through the first ``size`` bytes of ``block``, which is ``start`` in the file; whether there is more to spend."""
        for run in _written(block[:size]):
            self.runs += 1
            self.encoded.look(run)
            if self.runs > _RUNS:
                return False
        for at in sorted(_candidates(block)):
            if at >= size or self.found >= _MOST:
                break
            place = start + at
            if _may_run(block, at) and not any(first <= place < last for first, last in self.known):
                self._candidate(block[at : at + _OVERLAP], place, end)
                if self.opcodes > _OPCODES_OF_ALL:
                    return False
        return True

    def _candidate(self, head: bytes, place: int, end: int) -> None:
        window, opcodes = _what_runs(self.source, head, place, end)
        self.opcodes += opcodes + _EACH
        if window is not None and not _is_member(window, self.members):
            self.found += 1
            self.known.append((place, place + window.size))
            self.facts.add_members([Member(f"{GAP}-at-{place}", window.size, partial(_same, window), place)])


def _free(size: int, facts: Facts) -> Iterator[tuple[int, int]]:
    """The stretches of the file between its tensors."""
    at = 0
    placed = [each for each in facts.tensors if each.offset is not None and each.offset >= 0]
    for tensor in sorted(placed, key=lambda each: each.offset or 0):
        start = tensor.offset or 0
        if start >= size:
            break
        if start > at:
            yield at, start
        at = max(at, size if tensor.nbytes is None else start + tensor.nbytes)
    if at < size:
        yield at, size


def _candidates(block: bytes) -> Iterator[int]:
    """Where a program or a pickle may begin."""
    for mark in (b"\x7fELF", b"\xcf\xfa\xed\xfe", *_HEADS):
        at = block.find(mark)
        while at >= 0:
            yield at
            at = block.find(mark, at + len(mark))
    at = block.find(b"PE\0\0")
    while at >= 0:
        begin = block.rfind(b"MZ", max(at - _OVERLAP, 0), at)
        if begin >= 0:
            yield begin
        at = block.find(b"PE\0\0", at + 4)


def _written(block: bytes) -> Iterator[bytes]:
    """Letters and digits from where a pickle, or one that is compressed, may begin among them.

    A byte in front that says how long a text is may be a letter itself.
    """
    for start, end in long_runs(block):
        for count, mark in enumerate(_MARKS.finditer(block, start, end)):
            if count >= _MARKS_OF_A_RUN:
                break
            yield block[mark.start() : end]
            if end - mark.start() > _LONG_RUN:
                break


def _may_run(block: bytes, at: int) -> bool:
    """Whether the first bytes behind the mark do not speak against it."""
    if block[at] != 0x80:
        return True
    from openvet.formats.pickle.opcodes import KIND

    return at + 2 < len(block) and bool(KIND[block[at + 2]])


def _what_runs(source: Source, head: bytes, place: int, end: int) -> tuple[Source | None, int]:
    """The program or the pickle that begins with ``head`` at ``place``, up to ``end`` at most, or ``None``; and what it took to tell."""
    if head[0] != 0x80:
        return (source.window(place, end - place) if _is_native(head) else None), 0
    if head[2] == _FRAME and int.from_bytes(head[3:11], "little") > end - place:  # goes beyond the end
        return None, 0
    from openvet.formats.pickle.probing import evidence

    data = source.upto(place, min(_PICKLE, end - place))
    try:
        seen = evidence(BytesSource(data), Budget(), opcodes=_OPCODES)
    except ReadError:
        return None, _OPCODES
    if seen.stopped and (seen.calls or seen.runs):
        return BytesSource(data[: seen.end]), seen.opcodes
    return (source.window(place, end - place) if seen.runs else None), seen.opcodes


def _is_native(head: bytes) -> bool:
    if head.startswith(b"\x7fELF"):
        order = "little" if head[5:6] == b"\1" else "big"
        kind = int.from_bytes(head[16:18], order)  # type: ignore[arg-type]
        machine = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]
        fits = head[4:5] in (b"\1", b"\2") and head[5:6] in (b"\1", b"\2") and head[6:7] == b"\1"
        return fits and kind in (1, 2, 3) and machine not in _GRAPHICS
    if head.startswith(b"MZ"):
        at = int.from_bytes(head[60:64], "little")
        return head[at : at + 4] == b"PE\0\0" and int.from_bytes(head[at + 4 : at + 6], "little") in _PE_MACHINES
    return int.from_bytes(head[4:8], "little") in _MACHO_PROCESSORS and 1 <= int.from_bytes(head[12:16], "little") <= 12


def _is_member(window: Source, members: list[Member]) -> bool:
    """Whether the reader has handed on the same: streams and values are copies, whose place is not told."""
    head = window.upto(0, _COMPARED)
    for member in members:
        try:
            with member.open() as opened:
                if opened.upto(0, _COMPARED) == head:
                    return True
        except ReadError:
            continue
    return False


def _same(window: Source) -> Source:
    return window
