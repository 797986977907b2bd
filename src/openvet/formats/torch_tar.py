"""PyTorch's oldest container (before 0.1.10, still read by ``torch.load``): a tar of three streams.

::

    sys_info    pickle of a dictionary
    pickle      the objects; tensors are persistent ids
    storages    pickle of a count; then for each: pickle of (key, location, class), i64 elements, the elements;
                then pickle of a list of views: (key, storage key, offset, elements)
    tensors     pickle of a count; then for each: pickle of (key, storage key, class), i32 dimensions, 4 bytes,
                i64 sizes, i64 strides, i64 offset

All pickles in it are executed on loading, also by versions that promise ``weights_only`` (CVE-2025-32434).
Reference: ``legacy_load`` in ``torch/serialization.py`` of PyTorch.
"""

from __future__ import annotations

from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openvet.core.dataclass import dataclass
from openvet.core.location import member_place
from openvet.core.text import printable, shorten
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
    put_listing(source, facts, listing)
    members = []
    records = _Records(facts)
    for entry in listing.entries:
        name = entry.name.removeprefix("./")
        role = None
        if name in ("storages", "tensors") and entry.size and _stream(source, records, entry, name):
            role = "tensor-data"
        if entry.size or entry.kind == "file":
            members.append(Member(entry.name, entry.size, partial(open_tar_entry, source, entry), entry.offset, role))
    records.compare()
    facts.add_members(members)


def _stream(source: Source, records: _Records, entry: TarEntry, name: str) -> bool:
    """Walk one mixed stream; ``False`` where it could not be opened, so that the member itself says why."""
    from openvet.io.archive.tar import open_tar_entry

    facts = records.facts
    try:
        with open_tar_entry(source, entry) as stream:
            reader = _Stream(stream, records, member_place(facts.place, entry.name))
            if name == "storages":
                reader.storages()
            else:
                reader.tensors()
    except ReadError as error:
        facts.unknown("malformed", f"the stream {name} breaks off: {error.message}", error.offset)
        return error.offset is not None
    return True


class _Storage(NamedTuple):
    """A storage, or a view of one, as long as its record says."""

    dtype: str
    width: int
    numel: int


class _Reach(NamedTuple):
    """How far a tensor goes into its storage, for the comparison when both streams are read."""

    name: str
    storage: str
    elements: int
    place: str
    offset: int


@dataclass(slots=True)
class _Records:
    """What the two streams say, in whichever order they come."""

    facts: Facts
    storages: dict[str, _Storage] = field(default_factory=dict)
    reaches: list[_Reach] = field(default_factory=list)
    whole: bool = False

    def compare(self) -> None:
        """Every tensor stays inside of a storage that there is."""
        for each in self.reaches if self.whole else ():
            storage = self.storages.get(each.storage)
            if storage is None:
                if each.elements:
                    self.mismatch(f"{each.name} has a storage that is not in the archive", each)
            elif each.elements > storage.numel:
                self.mismatch(
                    f"{each.name} reaches {each.elements * storage.width} bytes into a storage of "
                    f"{storage.numel * storage.width}",
                    each,
                    beyond=True,
                )

    def mismatch(self, message: str, each: _Reach, *, beyond: bool = False) -> None:
        facts = self.facts
        outer, facts.place = facts.place, each.place
        try:
            facts.anomaly("torch/storage-mismatch", message, each.offset, tensor=each.name, beyond=beyond)
        finally:
            facts.place = outer


@dataclass(slots=True)
class _Stream:
    """One stream of pickles and raw data."""

    source: Source
    records: _Records
    place: str
    at: int = 0

    def storages(self) -> None:
        from openvet.formats._torch import DTYPES

        count = self._count()
        if count is None:
            return
        for _ in range(count):
            machine = self._pickle()
            key = self._keys(machine, 1)[0]
            dtype, width = DTYPES.get(self._class(machine), ("?", 0))
            if not width:
                self._lost("a storage of unknown type")
                return
            numel = max(int.from_bytes(self.source.read(self.at, 8), "little", signed=True), 0)
            self.at += 8 + numel * width
            if self.at > self.source.size:
                self._lost("a storage goes beyond the end of its stream")
                return
            self.records.storages[key] = _Storage(dtype, width, numel)
        self._views()
        self._end()

    def _views(self) -> None:
        """The list behind the storages. A view is as long as it says, if what it views is long enough."""
        machine = self._pickle()
        self.records.whole = True
        for view in (machine.items(machine.result) or []) if machine.result else []:
            fields = machine.items(view) or []
            if len(fields) != 4:
                self.records.whole = False
                continue
            root = self.records.storages.get(_key(machine, fields[1]))
            start, numel = machine.integer(fields[2]), machine.integer(fields[3])
            if root is None or start is None or numel is None:
                self.records.whole = False
                continue
            present = max(min(start + numel, root.numel) - max(start, 0), 0)
            self.records.storages[_key(machine, fields[0])] = _Storage(root.dtype, root.width, present)

    def tensors(self) -> None:
        from openvet.formats._torch import DTYPES

        facts = self.records.facts
        for index in range(self._count() or 0):
            begin = self.at
            machine = self._pickle()
            key, storage = self._keys(machine, 2)
            name = f"tensor {key or index}"
            ndim = int.from_bytes(self.source.read(self.at, 4), "little", signed=True)
            if not 0 <= ndim <= 64:
                self._lost(f"a tensor of {ndim} dimensions")
                return
            raw = self.source.read(self.at + 8, 16 * ndim + 8)
            numbers = [int.from_bytes(raw[k : k + 8], "little", signed=True) for k in range(0, len(raw), 8)]
            shape, strides, start = tuple(numbers[:ndim]), numbers[ndim:-1], numbers[-1]
            self.at += 8 + 16 * ndim + 8
            if any(number < 0 for number in numbers):
                self._lost("a tensor with a negative size or place")
                return
            dtype, width = DTYPES.get(self._class(machine).replace("Tensor", "Storage"), ("?", 0))
            elements = Tensor("", dtype, shape).elements
            facts.tensors.append(Tensor(name, dtype, shape, None, elements * width if width else None))
            reach = start + sum((e - 1) * s for e, s in zip(shape, strides, strict=True)) + 1 if elements else 0
            self.records.reaches.append(_Reach(name, storage, reach, self.place, begin))
        self._end()

    def _count(self) -> int | None:
        """How many records follow, as the first pickle of the stream says."""
        machine = self._pickle()
        count = machine.integer(machine.result) if machine.result else None
        if count is None or not 0 <= count <= _COUNT:
            self._lost("no usable count of records")
            return None
        return count

    def _pickle(self) -> Machine:
        from openvet.errors import MalformedError
        from openvet.formats.pickle.reading import Reading

        machine = Reading(self.source, self.records.facts, self.place).one(self.at)
        self.at = machine.end
        if not machine.stopped:
            raise MalformedError("a pickle in it does not end", offset=self.at)
        return machine

    def _keys(self, machine: Machine, count: int) -> list[str]:
        """The first fields of a record."""
        fields = (machine.items(machine.result) or []) if machine.result else []
        return [_key(machine, each) for each in fields[:count]] + [""] * (count - len(fields))

    def _class(self, machine: Machine) -> str:
        """The name of the class that a record's pickle refers to."""
        return next((ref.name for ref in machine.refs if ref.kind == "global"), "")

    def _lost(self, why: str) -> None:
        self.records.facts.unknown("malformed", f"{why}: the rest of the stream was not read", None)
        self.at = self.source.size

    def _end(self) -> None:
        rest = self.source.size - self.at
        if rest > 0:
            self.records.facts.unknown("no-reader", f"{rest} bytes behind the last record of a stream were not read")


def _key(machine: Machine, value: int) -> str:
    """A key, whichever type it has; the loader compares them as they are."""
    number = machine.integer(value)
    return shorten(printable(machine.text(value) or ""), 100) if number is None else str(number)
