"""Walking through the objects of an HDF5 file: groups, attributes, datasets, and what they carry or lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.limits import GiB
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Head, Likeness, Member, Tensor
from openvet.formats._listing import put_problem
from openvet.formats.hdf5 import _groups as groups
from openvet.formats.hdf5 import _types as types
from openvet.formats.hdf5._bytes import Block, HdfBytes
from openvet.formats.hdf5._dense import FractalHeap, records
from openvet.formats.hdf5._headers import Message, messages, shared
from openvet.formats.hdf5._heap import GlobalHeaps
from openvet.formats.hdf5._layout import (
    CONTIGUOUS,
    VIRTUAL,
    Filter,
    Layout,
    content,
    external_files,
    read_filters,
    read_layout,
)
from openvet.io.source import BytesSource

__all__ = ["Walk"]

_SPACE, _LINK_INFO, _TYPE, _LINK, _EXTERNAL, _LAYOUT, _FILTERS, _ATTRIBUTE = 1, 2, 3, 6, 7, 8, 11, 12
_SYMBOLS, _ATTRIBUTE_INFO = 17, 21
_BEARING = frozenset({types.STRING, types.OPAQUE, types.VLEN})
#: Bytes that are packed or in chunks are looked at up to here.
_FEW_BYTES = 1024 * 1024
_MOST_ELEMENTS = 200_000
_DEEPEST = 200
_BOMB = 4 * GiB
_NOTED = 100
_CONFIGS = ("model_config", "training_config")


@dataclass(slots=True)
class _Object:
    """The messages of one object that matter here."""

    type: types.Datatype | None = None
    shape: types.Shape | None = None
    layout: Layout | None = None
    filters: tuple[Filter, ...] = ()
    external: list[bytes] = field(default_factory=list)


class Walk:
    """One walk from the root; every object is visited once, whatever number of links lead to it."""

    def __init__(self, file: HdfBytes, facts: Facts) -> None:
        self.file = file
        self.facts = facts
        self.heaps = GlobalHeaps(file, facts.limits.text)
        self.nodes: set[int] = set()
        self.visited: set[int] = set()
        self.waiting: list[tuple[int, str, int]] = []
        self.counts = {"groups": 0, "datasets": 0, "attributes": 0}
        self.filters: set[int] = set()
        self.encoded = EncodedPickles(facts)
        self.linked = 0

    def run(self, root: int) -> None:
        """Visit every object that can be reached from ``root``; what cannot be read is said, and the rest goes on."""
        self.waiting.append((root, "", 0))
        while self.waiting:
            address, path, depth = self.waiting.pop()
            if address in self.visited:
                continue
            self.visited.add(address)
            if len(self.visited) > self.facts.limits.tensors:
                raise LimitError("tensors", self.facts.limits.tensors, "more objects than are read")
            try:
                self._object(address, path, depth)
            except LimitError:
                raise
            except ReadError as error:
                put_problem(self.facts, error)
        for key, value in self.counts.items():
            self.facts.note(key, value)

    def _object(self, address: int, path: str, depth: int) -> None:
        found = _Object()
        links: list[groups.Link] = []
        group = False
        for message in messages(self.file, address):
            try:
                if message.kind in (_SYMBOLS, _LINK_INFO):
                    group = True
                    source = self._symbols(message) if message.kind == _SYMBOLS else self._dense_links(message)
                    for link in source:
                        links.append(link)
                        self._count()
                elif message.kind == _LINK:
                    links.append(groups.read_link(shared(self.file, message)))
                    self._count()
                elif message.kind == _ATTRIBUTE:
                    self._attribute(shared(self.file, message), path)
                elif message.kind == _ATTRIBUTE_INFO:
                    for body in self._dense_attributes(message):
                        self._one(body, path)
                else:
                    self._part(found, message)
            except LimitError:
                raise
            except ReadError as error:
                put_problem(self.facts, error)
        if group:
            self.counts["groups"] += 1
        for link in reversed(links):
            self._link(link, path, depth)
        if found.layout is not None:
            self._dataset(found, path)

    def _count(self) -> None:
        """A link, of all groups together: they may share what lists their links."""
        self.linked += 1
        if self.linked > 2 * self.facts.limits.tensors:
            raise LimitError("tensors", self.facts.limits.tensors, "more links than are read")

    def _part(self, found: _Object, message: Message) -> None:
        if message.kind == _SPACE:
            found.shape = types.read_dataspace(shared(self.file, message))
        elif message.kind == _TYPE:
            found.type = types.read_datatype(shared(self.file, message))
        elif message.kind == _LAYOUT:
            found.layout = read_layout(shared(self.file, message))
        elif message.kind == _FILTERS:
            found.filters = read_filters(shared(self.file, message))
        elif message.kind == _EXTERNAL:
            found.external = list(external_files(self.file, shared(self.file, message)))

    def _symbols(self, message: Message) -> Iterator[groups.Link]:
        return groups.symbol_table(self.file, message.body, self.nodes)

    def _dense_links(self, message: Message) -> Iterator[groups.Link]:
        body = message.body
        body.take(1)
        body.take(8 if body.number(1) & 1 else 0)
        heap, index = body.address(), body.address()
        if heap is not None and index is not None:
            objects = FractalHeap(self.file, heap)
            for record in records(self.file, index):
                record.take(4)
                yield groups.read_link(objects.get(record.take(objects.id_size)))

    def _dense_attributes(self, message: Message) -> Iterator[Block]:
        body = message.body
        body.take(1)
        body.take(2 if body.number(1) & 1 else 0)
        heap, index = body.address(), body.address()
        if heap is not None and index is not None:
            objects = FractalHeap(self.file, heap)
            for record in records(self.file, index):
                identifier = record.take(objects.id_size)
                try:
                    if record.number(1) & 2:
                        raise UnsupportedError("a shared attribute was not read")
                    found = objects.get(identifier)
                except ReadError as error:
                    put_problem(self.facts, error)
                    continue
                yield found

    def _link(self, link: groups.Link, path: str, depth: int) -> None:
        name = f"{path}/{link.name.decode('utf-8', 'surrogateescape')}"
        if link.kind == groups.EXTERNAL:
            shown, inner = _shown(link.file), _shown(link.path)
            message = f"the name {_named(name)} leads to {inner} in the file {shown}"
            self.facts.anomaly("hdf5/external-file", message, pointer=_named(name), file=shown, what="link")
        elif link.kind == groups.HARD and link.address is not None:
            if depth >= _DEEPEST:
                raise LimitError("nesting", _DEEPEST, "groups are nested too deeply")
            self.file.pay(2 * len(name))
            self.waiting.append((link.address, name[-4096:], depth + 1))
        elif link.kind == groups.OTHER:
            self.facts.unknown("unsupported", f"the name {_named(name)} is a link of a program's own kind")

    def _one(self, body: Block, path: str) -> None:
        """An attribute beside others, which are read whatever is wrong with this one."""
        try:
            self._attribute(body, path)
        except LimitError:
            raise
        except ReadError as error:
            put_problem(self.facts, error)

    def _attribute(self, body: Block, path: str) -> None:
        self.counts["attributes"] += 1
        start = body.start
        version, flags = body.number(1), body.number(1)
        if version not in (1, 2, 3):
            raise UnsupportedError(f"an attribute of version {version}", offset=start)
        sizes = [body.number(2) for _ in range(3)]
        if version == 3:
            body.take(1)
        pad = 8 if version == 1 else 1
        name, kind, space = (body.part(size + -size % pad) for size in sizes)
        text = name.data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        if version == 1:
            flags = 0
        if flags & 2:
            raise UnsupportedError("an attribute with a shared dataspace was not read", offset=start)
        datatype = types.read_datatype(shared(self.file, Message(_TYPE, bool(flags & 1), kind)))
        shape = types.read_dataspace(space)
        size = datatype.size * shape.elements
        self._note(text, path, datatype, shape, body)
        if datatype.holds(_BEARING):
            for index, value in enumerate(self._values(body.take(size), datatype)):
                self._value(value, f"attributes{path}/{text}" + (f".{index}" if index else ""), start, text)

    def _note(self, name: str, path: str, datatype: types.Datatype, shape: types.Shape, body: Block) -> None:
        """Small text attributes of the root, such as ``keras_version``."""
        if path or datatype.kind not in (types.STRING, types.VLEN) or shape.elements != 1 or name in _CONFIGS:
            return
        if len(self.facts.metadata) < _NOTED:
            for value in self._values(body.data[body.at : body.at + datatype.size], datatype):
                if len(value) <= 200:
                    self.facts.note(shorten(printable(name), 80), value.rstrip(b"\0").decode("utf-8", "replace"))

    def _values(self, data: bytes, datatype: types.Datatype) -> Iterator[bytes]:
        """Every text, opaque value and sequence of bytes in ``data``."""
        width = datatype.size
        if not width:
            return
        count = len(data) // width
        if count > _MOST_ELEMENTS:
            self.facts.unknown("limit", f"{count} texts in one dataset; those after {_MOST_ELEMENTS} were not read")
        for at in range(0, min(count, _MOST_ELEMENTS) * width, width):
            yield from self._element(data[at : at + width], datatype)

    def _element(self, data: bytes, datatype: types.Datatype) -> Iterator[bytes]:
        self.file.pay(0, 32)
        if datatype.kind in (types.STRING, types.OPAQUE):
            yield data
        elif datatype.kind == types.VLEN:
            block = Block(data, 0, self.file.wide)
            count, address = block.number(4), block.address()
            index = block.number(4)
            if count and address:
                value = self.heaps.get(address, index)
                base = datatype.base
                if datatype.text or base is None or base.size == 1:
                    yield value
                elif base.holds(_BEARING):
                    yield from self._values(value, base)
        elif datatype.kind == types.ARRAY and datatype.base is not None:
            if datatype.base.holds(_BEARING):
                yield from self._values(data, datatype.base)
        elif datatype.kind == types.COMPOUND:
            for _, offset, inner in datatype.members:
                if inner.holds(_BEARING):
                    yield from self._element(data[offset : offset + inner.size], inner)

    def _value(self, value: bytes, where: str, offset: int | None, name: str = "") -> None:
        """Hand a value on where another reader has something to say about it."""
        if name not in _CONFIGS and not _worth(value):
            self.encoded.field(BytesSource(value), where, offset or 0)
            return
        value = value.rstrip(b"\0") if value.lstrip()[:1] in (b"{", b"[") else value
        ending = ".json" if value.lstrip()[:1] in (b"{", b"[") else ""
        self.facts.add_members([Member(where + ending, len(value), lambda: BytesSource(value), offset)])

    def _dataset(self, found: _Object, path: str) -> None:
        self.counts["datasets"] += 1
        name = path.removeprefix("/")
        for file in found.external:
            message = f"the data of {_named(name)} are in the file {_shown(file)}"
            self.facts.anomaly("hdf5/external-file", message, pointer=_named(name), file=_shown(file), what="data")
        for each in found.filters:
            self._filter(each, name)
        datatype, shape, layout = found.type, found.shape, found.layout
        if datatype is None or shape is None or layout is None:
            raise MalformedError(f"the dataset {_named(name)} lacks its type or its shape")
        size = datatype.size * shape.elements
        if layout.kind == VIRTUAL:
            self._virtual(layout, name)
        offset = None
        if layout.kind == CONTIGUOUS and layout.address is not None:
            offset = self.file.base + layout.address
            if offset + size > self.file.source.size:
                message = f"the data of {_named(name)} lie beyond the end of the file"
                self.facts.anomaly("hdf5/header-lies", message, pointer=_named(name), lie="out-of-file")
            elif layout.size is not None and layout.size < size:
                message = f"{_named(name)} has {layout.size} bytes, and its shape needs {size}"
                self.facts.anomaly("hdf5/header-lies", message, pointer=_named(name), lie="size")
        if size > _BOMB and size > 1000 * self.file.source.size:
            message = f"{_named(name)} claims {size} bytes, in a file of {self.file.source.size}"
            self.facts.anomaly("hdf5/header-lies", message, pointer=_named(name), lie="shape-bomb")
        if shape.extents is not None:
            extents = shape.extents
            self.facts.tensors.append(Tensor(_named(name), datatype.word, extents, offset, min(size, 2**63)))
        if datatype.holds(_BEARING) and not found.external and shape.elements:
            data = content(self.file, layout, found.filters, size, self.facts.limits.text)
            for index, value in enumerate(self._values(data, datatype)):
                self._value(value, f"datasets/{name}" + (f".{index}" if index else ""), offset)
        elif (
            datatype.size == 1
            and offset is None
            and layout.kind != VIRTUAL
            and not found.external
            and size <= _FEW_BYTES
        ):
            data = content(self.file, layout, found.filters, size, self.facts.limits.text)
            self.encoded.field(BytesSource(data), f"datasets/{name}", 0)

    def _filter(self, each: Filter, name: str) -> None:
        if each.number in self.filters or each.number < 256 or each.number == 32000:
            return
        self.filters.add(each.number)
        shown = f"{each.number} ({_shown(each.name)})" if each.name else str(each.number)
        message = f"{_named(name)} needs the filter {shown}, for which HDF5 loads a library"
        self.facts.anomaly("hdf5/filter-plugin", message, pointer=_named(name), filter=each.number)

    def _virtual(self, layout: Layout, name: str) -> None:
        """A virtual dataset: its heap object lists (file, dataset, selections); the files are the texts before a zero."""
        files: list[str] = []
        if layout.address is not None:
            body = Block(self.heaps.get(layout.address, layout.index), 0, self.file.wide)
            body.take(1)
            count = body.length()
            if count:
                files.append(_shown(body.text()))
        message = f"the data of {_named(name)} are datasets of other files: {', '.join(files) or 'none is named'}"
        self.facts.anomaly("hdf5/external-file", message, pointer=_named(name), file=", ".join(files), what="virtual")


def _worth(value: bytes) -> bool:
    """Whether a value is JSON, a pickle or a file of another kind; names and plain words are not."""
    bare = value.lstrip()
    if len(bare) < 2:
        return False
    if bare[:1] in (b"{", b"[") and b'"' in value:
        return True
    if value[:1] == b"\x80" or value.startswith((b"PK\x03\x04", b"\x7fELF", b"MZ\x90", b"\x1f\x8b\x08", b"\x89HDF")):
        return True
    if b"." not in value or value[:1] not in b"(]}NIFLSVUTXKGJcd\x8c\x95":
        return False
    from openvet.formats import pickle as pickle_format

    return pickle_format.probe(Head("value", BytesSource(value))) is not Likeness.NO


def _shown(text: bytes) -> str:
    return shorten(printable(text.decode("utf-8", "surrogateescape")), 200)


def _named(name: str) -> str:
    return shorten(printable(name), 500)
