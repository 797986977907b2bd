"""The digests of a model's tensors: every file that holds some is read for them, archives and layers of images too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import field
from types import ModuleType
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.core.location import member_place
from openvet.core.progress import Progress
from openvet.core.snapshot import EntryKind
from openvet.core.tensor_digest import TensorDigests, TensorLine, tensor_digests
from openvet.core.text import printable
from openvet.disarm.checkpoint import KINDS, open_checkpoint
from openvet.errors import ReadError, UnsupportedError
from openvet.formats._format import Facts, Head
from openvet.inventory.identify import identify
from openvet.io.source import Source
from openvet.origins.local import LocalOrigin

__all__ = ["NotRead", "TensorReport", "digest_tensors"]

#: Formats whose tensors lie in the file as they are, one after the other.
_PLAIN: Final = frozenset(("safetensors", "gguf"))
#: Bytes of the widest number of a tensor.
_WIDEST: Final = 8


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something that holds tensors, or may hold some, and that the digests do not cover."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class TensorReport:
    """What the tensors of one model are.

    Attributes:
        name: of the model, printable.
        digests: ``None`` where a tensor could not be read, or one name has two values (half a digest is none), or there is no tensor.
        lines: every tensor, in order of files and then as they lie.
        not_read: what is missing, if anything is.
    """

    name: str
    digests: TensorDigests | None
    lines: tuple[TensorLine, ...]
    not_read: tuple[NotRead, ...]

    def to_json(self) -> dict[str, Any]:
        digests = self.digests
        return {
            "model": self.name,
            "tensors": len({each.name for each in self.lines}),
            "digest": None if digests is None else {"named": digests.named, "nameless": digests.nameless},
            "not_read": [{"place": each.place, "reason": each.reason} for each in self.not_read],
        }


def digest_tensors(
    path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS, progress: Progress | None = None
) -> TensorReport:
    """Read every tensor of a local model once.

    Raises:
        SubjectError: there is no such model, or it may not be opened.
    """
    origin = LocalOrigin(os.fspath(path), limits=limits)
    collecting = _Collecting(Budget(limits), progress or Progress())
    try:
        snapshot = origin.snapshot
        collecting.progress.bytes_total += snapshot.total_bytes
        if snapshot.cut:
            collecting.not_read.append(NotRead(printable(snapshot.name), snapshot.cut))
        for entry in snapshot.entries:
            if entry.kind is not EntryKind.FILE:
                if entry.kind is not EntryKind.FOLDER_LINK:
                    collecting.not_read.append(NotRead(entry.place, entry.detail))
                continue
            collecting.budget.start_file()
            try:
                with origin.open(entry) as source:
                    collecting.file(source, entry.name, entry.place, 0)
                    source.check_unchanged()
            except ReadError as error:
                collecting.not_read.append(NotRead(entry.place, error.message))
            collecting.progress.bytes_done += entry.size
    finally:
        origin.close()
    return collecting.report(printable(snapshot.name))


class _Data:
    """The data of one tensor as it is read: its digest, its bytes, and whether it is one number over and over."""

    __slots__ = ("_number", "constant", "nbytes", "total")

    def __init__(self) -> None:
        self.total = hashlib.sha256()
        self.nbytes = 0
        self.constant = True
        self._number = b""

    def update(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes; all but the last piece are multiples of eight long."""
        self.total.update(chunk)
        if self.constant:
            if not self.nbytes:
                self._number = bytes(chunk[:_WIDEST])
            # the beginning tells of nearly every tensor that it is none, at no cost
            head = bytes(chunk[: 8 * _WIDEST])
            self.constant = _repeats(head, self._number) and _repeats(bytes(chunk), self._number)
        self.nbytes += len(chunk)


def _repeats(data: bytes, number: bytes) -> bool:
    return data == (number * (len(data) // len(number) + 1))[: len(data)] if number else not data


@dataclass(slots=True)
class _Collecting:
    """One model under way."""

    budget: Budget
    progress: Progress
    lines: list[TensorLine] = field(default_factory=list)
    not_read: list[NotRead] = field(default_factory=list)

    def report(self, name: str) -> TensorReport:
        digests = None
        if self.lines and not self.not_read:
            try:
                digests = tensor_digests(self.lines)
            except ValueError as error:
                self.not_read.append(NotRead(name, str(error)))
        return TensorReport(name, digests, tuple(self.lines), tuple(self.not_read))

    def file(self, source: Source, name: str, place: str, depth: int) -> None:
        """The tensors of one file or member, and of what is in it."""
        self.budget.check_depth(depth)
        self.progress.doing = place
        identity = identify(Head(name, source))
        found = [module for module in identity.readers if module.FORMAT.id in _PLAIN]
        kinds = {module.FORMAT.id for module in identity.readers}
        if found:
            self._plain(found[0], source, name, place)
        elif not kinds.isdisjoint(KINDS) or (kinds == {"zip"} and name.lower().endswith(".npz")):
            self._checkpoint(source, name, place)
        elif not identity.readers:
            self.not_read.append(NotRead(place, "it is of a kind that is not read, and may hold tensors"))
        else:
            for module in identity.readers:
                self._members(module, source, name, place, depth)

    def _plain(self, module: ModuleType, source: Source, name: str, place: str) -> None:
        """Tensors whose bytes lie in the file."""
        facts = Facts(place, name, self.budget)
        module.read(source, facts)
        if facts.unknowns:
            raise UnsupportedError(facts.unknowns[0].message)
        for tensor in facts.tensors:
            if tensor.offset is None or tensor.nbytes is None:
                raise UnsupportedError(f"where the tensor {tensor.name} lies is not known")
            data = _Data()
            for chunk in source.chunks(tensor.offset, tensor.nbytes):
                data.update(chunk)
            self._add(tensor.name, tensor.dtype, tensor.shape, data)

    def _checkpoint(self, source: Source, name: str, place: str) -> None:
        """Tensors that a pickle describes, or arrays of NumPy; their elements are put into row-major order."""
        with open_checkpoint(source, name, place, self.budget) as checkpoint:
            for left in checkpoint.tree.left:
                if left.kind == "tensor":
                    self.not_read.append(NotRead(place, f"the tensor {left.name}: {left.what}"))
            for each in checkpoint.tree.tensors:
                data = _Data()
                for block in each.view.blocks():
                    data.update(block)
                self._add(each.name, each.view.dtype, each.view.shape, data)

    def _members(self, module: ModuleType, source: Source, name: str, place: str, depth: int) -> None:
        """What is inside of an archive; a file of another kind that describes tensors is told of."""
        facts = Facts(place, name, self.budget)
        try:
            module.read(source, facts)
        except ReadError as error:
            self.not_read.append(NotRead(place, error.message))
        if facts.tensors:
            count = len(facts.tensors)
            self.not_read.append(NotRead(place, f"the tensors of {module.FORMAT.title} ({count}) are not digested"))
        for member in facts.members:
            inside = member_place(place, member.name)
            try:
                with member.open() as opened:
                    self.file(opened, member.name, inside, depth + 1)
            except ReadError as error:
                self.not_read.append(NotRead(inside, error.message))

    def _add(self, name: str, dtype: str, shape: tuple[int, ...], data: _Data) -> None:
        self.lines.append(TensorLine(name, dtype, shape, data.total.hexdigest(), data.nbytes, data.constant))
        self.budget.check_time()


def lines_of(report: TensorReport) -> Iterator[str]:
    """The tensors of a report as lines of ``sha256  dtype  extents  name``."""
    for each in sorted(report.lines, key=lambda line: line.name):
        yield f"{each.sha256}  {each.dtype}  {','.join(map(str, each.shape))}  {each.name}"
