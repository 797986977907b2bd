"""PyTorch's oldest container (before 0.1.10, still read by ``torch.load``): a tar of three streams.

::

    sys_info    pickle of a dictionary
    pickle      the objects; tensors are persistent ids
    storages    pickle of a count; then for each: pickle of (key, location, class), i64 elements, the elements
    tensors     pickle of a count; then for each: pickle of (key, storage key, class), i32 dimensions, 4 bytes,
                i64 sizes, i64 strides, i64 offset

All pickles in it are executed on loading, also by versions that promise ``weights_only`` (CVE-2025-32434).
Reference: ``legacy_load`` in ``torch/serialization.py`` of PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from openvet.core.location import member_place
from openvet.errors import ReadError
from openvet.formats import tar as tar_format
from openvet.formats._format import Facts, Format, Head, Likeness, Member, Tensor
from openvet.formats._listing import put_listing
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats.pickle.machine import Machine
    from openvet.io.archive.tar import TarEntry

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="torch-tar",
    title="PyTorch tar archive",
    extensions=(".pt", ".pth", ".tar"),
    media_types=("application/x-pytorch",),
    can_tell=(
        "every pickle in the four streams and what it would run",
        "dtype, shape and key of every tensor",
        "everything that a tar reader tells",
    ),
    cannot_tell=("names of tensors: only their keys are told",),
    refines=("tar",),
)

_STREAMS = ("storages", "tensors", "pickle", "sys_info")
_COUNT = 100_000


def probe(head: Head) -> Likeness:
    """A tar whose first entry has one of the four names."""
    name = head.data[:100].split(b"\0", 1)[0].removeprefix(b"./")
    return tar_format.probe(head) if name.decode("latin-1") in _STREAMS else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """List the tar, walk the two streams that mix pickles and raw data, and hand the members on."""
    from openvet.io.archive.tar import open_tar_entry, read_tar

    listing = read_tar(source, facts.budget)
    put_listing(facts, listing)
    members = []
    for entry in listing.entries:
        name = entry.name.removeprefix("./")
        role = None
        if name in ("storages", "tensors") and entry.size and _stream(source, facts, entry, name):
            role = "tensor-data"
        if entry.size or entry.kind == "file":
            members.append(Member(entry.name, entry.size, partial(open_tar_entry, source, entry), entry.offset, role))
    facts.add_members(members)


def _stream(source: Source, facts: Facts, entry: TarEntry, name: str) -> bool:
    """Walk one mixed stream; ``False`` where it could not be opened, so that the member itself says why."""
    from openvet.io.archive.tar import open_tar_entry

    try:
        with open_tar_entry(source, entry) as stream:
            reader = _Stream(stream, facts, member_place(facts.place, entry.name))
            if name == "storages":
                reader.storages()
            else:
                reader.tensors()
    except ReadError as error:
        facts.unknown("malformed", f"the stream {name} breaks off: {error.message}", error.offset)
        return error.offset is not None
    return True


@dataclass(slots=True)
class _Stream:
    """One stream of pickles and raw data."""

    source: Source
    facts: Facts
    place: str
    at: int = 0

    def storages(self) -> None:
        from openvet.formats._torch import DTYPES

        for _ in range(self._count()):
            machine = self._pickle()
            width = DTYPES.get(self._class(machine), ("?", 0))[1]
            if not width:
                self._lost("a storage of unknown type")
                return
            numel = int.from_bytes(self.source.read(self.at, 8), "little", signed=True)
            self.at += 8 + max(numel, 0) * width
            if self.at > self.source.size:
                self._lost("a storage goes beyond the end of its stream")
                return
        self._end()

    def tensors(self) -> None:
        from openvet.formats._torch import DTYPES

        for index in range(self._count()):
            machine = self._pickle()
            ndim = int.from_bytes(self.source.read(self.at, 4), "little", signed=True)
            if not 0 <= ndim <= 64:
                self._lost(f"a tensor of {ndim} dimensions")
                return
            raw = self.source.read(self.at + 8, 8 * ndim)
            shape = tuple(int.from_bytes(raw[k : k + 8], "little") for k in range(0, 8 * ndim, 8))
            self.at += 8 + 16 * ndim + 8
            dtype, width = DTYPES.get(self._class(machine).replace("Tensor", "Storage"), ("?", 0))
            tensor = Tensor(f"tensor {index}", dtype, shape)
            self.facts.tensors.append(
                Tensor(tensor.name, dtype, shape, None, tensor.elements * width if width else None)
            )
        self._end()

    def _count(self) -> int:
        """How many records follow, as the first pickle of the stream says."""
        machine = self._pickle()
        count = machine.integer(machine.stack[-1]) if machine.stack else None
        if count is None or not 0 <= count <= _COUNT:
            self._lost("no usable count of records")
            return 0
        return count

    def _pickle(self) -> Machine:
        from openvet.errors import MalformedError
        from openvet.formats.pickle.reading import Reading

        machine = Reading(self.source, self.facts, self.place).one(self.at)
        self.at = machine.end
        if not machine.stopped:
            raise MalformedError("a pickle in it does not end", offset=self.at)
        return machine

    def _class(self, machine: Machine) -> str:
        """The name of the class that a record's pickle refers to."""
        return next((ref.name for ref in machine.refs if ref.kind == "global"), "")

    def _lost(self, why: str) -> None:
        self.facts.unknown("malformed", f"{why}: the rest of the stream was not read", None)
        self.at = self.source.size

    def _end(self) -> None:
        rest = self.source.size - self.at
        if rest > 0:
            self.facts.unknown("no-reader", f"{rest} bytes behind the last record of a stream were not read")
