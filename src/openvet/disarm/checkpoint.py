"""The kinds of files that can be disarmed, each read to a tree of named tensors and of what is left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import field
from types import TracebackType
from typing import Final, Self

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.core.location import member_place
from openvet.core.text import printable, shorten
from openvet.disarm.graph import PLAIN_CALLS, Graph, NotPlainError
from openvet.disarm.oldest import read_storages, read_tensors
from openvet.disarm.tensors import Bytes, Tensors, c_strides, f_strides, word_of
from openvet.disarm.tree import Left, Named, Tree, walk
from openvet.disarm.view import Storage, View
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Head
from openvet.formats.pickle.values import PERSISTENT, tag_of
from openvet.inventory.identify import identify
from openvet.io.archive.zip import ZipEntry, open_zip_entry, read_zip
from openvet.io.source import Source

__all__ = ["KINDS", "Call", "Checkpoint", "kind_of", "must_begin_as_one", "open_checkpoint"]

#: Kinds that are rewritten, and streams around one of them.
KINDS: Final = frozenset({"torch-zip", "torch-legacy", "torch-tar", "pickle", "npy", "npz"})
_STREAMS: Final = frozenset({"gzip", "zlib", "bzip2", "xz", "lzma", "lzma-alone"})
_CONTRADICTIONS: Final = frozenset(
    {"archive/header-mismatch", "archive/duplicate-member", "archive/overlapping-members"}
)
_DATA: Final = PLAIN_CALLS | {("collections", "OrderedDict"), ("collections", "defaultdict"), ("_codecs", "encode"), ("builtins", "bytes"),
                             ("torch.storage", "_load_from_bytes")}  # fmt: skip
_DATA_MODULES: Final = frozenset(
    {"torch._utils", "torch._tensor", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric",
     "numpy._core.numeric", "joblib.numpy_pickle"}
)  # fmt: skip
_CALLS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """A callable that loading the input would call, beside those that only build tensors and dictionaries."""

    module: str
    name: str
    calls: int
    place: str
    offset: int
    arguments: tuple[str, ...]

    @property
    def qualified(self) -> str:
        return ".".join(filter(None, (self.module, self.name)))


@dataclass(slots=True)
class Checkpoint:
    """One file, read. Its views are good while it is open.

    Attributes:
        kind: the format, one of :data:`KINDS`.
        place: where it is, printable.
        calls: what was not made of it.
    """

    kind: str
    place: str
    tree: Tree = field(default_factory=Tree)
    calls: list[Call] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def keep(self, source: Source) -> Source:
        """Keep a source open as long as the checkpoint is."""
        return self._stack.enter_context(source)

    def tensors(self, place: str, locate: Callable[[str], Bytes] | None = None, *, swapped: bool = False) -> Tensors:  # fmt: skip
        made = Tensors(place, locate, swapped=swapped)
        made.nested = self._nested
        self._stack.callback(made.close)
        return made

    def graph(self, source: Source, budget: Budget, place: str, start: int = 0) -> Graph:
        """Walk one pickle, and note what it calls."""
        graph = Graph(source, budget, start=start)
        graph.run()
        for ref in graph.refs:
            known = (ref.module, ref.name) in _DATA or (ref.module in _DATA_MODULES and _builds_data(ref.name))
            if ref.calls and ref.kind != "partial" and not known and len(self.calls) < _CALLS:
                first = ref.first_calls[0] if ref.first_calls else None
                self.calls.append(
                    Call(
                        printable(shorten(ref.module, 200)),
                        printable(shorten(ref.name, 200)),
                        ref.calls,
                        place,
                        first.offset if first else ref.offset,
                        first.arguments if first else (),
                    )
                )
        for each in graph.mutations[:_CALLS]:
            what = f"{each.target[1]} ({each.how} set by {each.opcode})"
            self.calls.append(Call(printable(each.target[0]), printable(what), 1, place, each.offset, each.arguments))
        graph.check()
        return graph

    def _nested(self, source: Source, place: str) -> tuple[str, Storage]:
        """The storage in a torch file inside of a literal, as tensors are pickled without ``torch.save``."""
        graph, tensors = _legacy_graph(self, source, Budget(), place)
        if tag_of(graph.result) != PERSISTENT:
            raise UnsupportedError("a torch file inside a literal that holds more than a storage")
        return tensors.storage_of(graph, graph.result)


def _builds_data(name: str) -> bool:
    return name.startswith("_rebuild") or name in ("_reconstruct", "scalar", "_frombuffer", "NumpyArrayWrapper")


def kind_of(source: Source, name: str) -> str | None:
    """Which of :data:`KINDS` a file is, ``safetensors``, or ``None`` where it is something else.

    Raises:
        UnsupportedError: it is more than one thing at once.
    """
    identity = identify(Head(name, source))
    if identity.polyglot:
        words = " and ".join(module.FORMAT.id for module in identity.readers)
        raise UnsupportedError(f"it is {words} at once, and which of them a loader takes is not known")
    for module in identity.readers:
        found: str = module.FORMAT.id
        if found == "zip" and name.lower().endswith(".npz"):
            return "npz"
        if found in KINDS or found in _STREAMS or found == "safetensors":
            return found
    return None


def must_begin_as_one(source: Source, name: str) -> None:
    """Refuse what can be seen to be no checkpoint without being read.

    Raises:
        UnsupportedError: :func:`open_checkpoint` would say the same.
    """
    found = kind_of(source, name)
    if found not in KINDS and found not in _STREAMS:
        raise UnsupportedError(_not_a_checkpoint(found))


def open_checkpoint(source: Source, name: str, place: str, budget: Budget) -> Checkpoint:
    """Read a file; it stays open with what is given.

    Raises:
        ReadError: it cannot be read to its end without doubt, or is of no kind that can be disarmed.
    """
    found = kind_of(source, name)
    checkpoint = Checkpoint(found or "", place)
    try:
        if found in _STREAMS:
            source = _inner(checkpoint, source, name, budget, found or "")
            found = checkpoint.kind = kind_of(source, name) or ""
        if found not in KINDS:
            raise UnsupportedError(_not_a_checkpoint(found))
        _READERS[found](checkpoint, source, budget)
    except BaseException:
        checkpoint._stack.close()
        raise
    return checkpoint


def _not_a_checkpoint(found: str | None) -> str:
    if found == "safetensors":
        return "it is safetensors already, which has nothing to run"
    return "it is no checkpoint of PyTorch, pickle, joblib or NumPy"


def _inner(checkpoint: Checkpoint, source: Source, name: str, budget: Budget, found: str) -> Source:
    """What a compressed stream holds: joblib compresses whole pickles."""
    facts = Facts(checkpoint.place, name, budget)
    module = next(module for module in identify(Head(name, source)).readers if found == module.FORMAT.id)
    module.read(source, facts)
    if facts.unknowns or len(facts.members) != 1:
        raise MalformedError("the compressed stream is not sound to its end")
    return checkpoint.keep(facts.members[0].open())


# --- PyTorch ---


def _torch_zip(checkpoint: Checkpoint, source: Source, budget: Budget) -> None:
    listing = read_zip(source, budget)
    for anomaly in listing.anomalies:
        if anomaly.rule in _CONTRADICTIONS:
            raise MalformedError(f"readers of zip files differ about it: {anomaly.message}", offset=anomaly.offset)
    for problem in listing.problems:
        raise problem
    by_name: dict[str, ZipEntry] = {}
    for entry in listing.entries:
        if by_name.setdefault(entry.name.lower(), entry) is not entry:  # PyTorch does not tell upper from lower case
            raise MalformedError(f"two members have the name {printable(entry.name)}", offset=entry.header_offset)
    pickles = [name for name in by_name if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise UnsupportedError(f"it has {len(pickles)} pickles of a model, and which one a loader takes is not known")
    folder = pickles[0].partition("/")[0]

    def locate(key: str) -> Bytes:
        entry = by_name.get(f"{folder}/data/{key.lower()}")
        if entry is None:
            raise MalformedError(f"its storage {shorten(printable(key), 80)} is not in the archive")
        data = checkpoint.keep(open_zip_entry(source, entry, budget))
        return Bytes(data, 0, data.size, member_place(checkpoint.place, entry.name))

    entry = by_name[pickles[0]]
    place = member_place(checkpoint.place, entry.name)
    order = _byteorder(source, by_name.get(f"{folder}/byteorder"), budget)
    graph = checkpoint.graph(checkpoint.keep(open_zip_entry(source, entry, budget)), budget, place)
    walk(graph, checkpoint.tree, checkpoint.tensors(place, locate, swapped=order == "big"))
    for name, entry in by_name.items():
        inside = name.partition("/")[2]
        if inside == "constants.pkl" or (inside.startswith("code/") and inside.count("/") == 1):
            checkpoint.tree.leave(Left("value", "", f"TorchScript: {printable(entry.name)}", entry.header_offset))


def _byteorder(source: Source, entry: ZipEntry | None, budget: Budget) -> str:
    if entry is None:
        return "little"
    with open_zip_entry(source, entry, budget) as member:
        order = member.upto(0, 64).decode("utf-8", "replace").strip()
    if order not in ("little", "big"):
        raise UnsupportedError(f"its byte order is {printable(order)!r}")
    return order


def _torch_legacy(checkpoint: Checkpoint, source: Source, budget: Budget) -> None:
    graph, tensors = _legacy_graph(checkpoint, source, budget, checkpoint.place)
    walk(graph, checkpoint.tree, tensors)


def _legacy_graph(checkpoint: Checkpoint, source: Source, budget: Budget, place: str) -> tuple[Graph, Tensors]:
    """The pickle of the objects, and who knows the storages behind it.

    Whatever the machine that wrote it, elements are little-endian: PyTorch turns them (``THPStorage_writeFileRaw``).
    """
    at = 0
    graphs = []
    for _ in ("magic number", "version", "system", "objects", "keys"):
        graphs.append(checkpoint.graph(source, budget, place, at))
        at = graphs[-1].end
    objects, keys = graphs[3], graphs[4]
    try:
        order = [keys.text(each) for each in keys.children(keys.result)]
    except NotPlainError as error:
        raise MalformedError(f"the list of its storages is no plain list: {error}", offset=graphs[3].end) from error
    claims = _claims(objects)
    places: dict[str, Bytes] = {}
    for key in order:
        if key is None or key not in claims:
            raise MalformedError(
                "a storage that no tensor is a view of, so that what follows cannot be told", offset=at
            )
        width = claims[key]
        numel = int.from_bytes(source.read(at, 8), "little", signed=True)
        if numel < 0 or at + 8 + numel * width > source.size:
            raise MalformedError("a storage goes beyond the end of the file", offset=at)
        if key in places:
            raise MalformedError("a storage is there twice", offset=at)
        places[key] = Bytes(source, at + 8, numel * width, place)
        at += 8 + numel * width
    if at < source.size:
        checkpoint.tree.leave(Left("value", "", f"{source.size - at} bytes behind the last storage", at))

    def locate(key: str) -> Bytes:
        if key not in places:
            raise MalformedError(f"its storage {shorten(printable(key), 80)} is not in the file")
        return places[key]

    return objects, checkpoint.tensors(place, locate)


def _claims(graph: Graph) -> dict[str, int]:
    """Bytes of one element of each storage, as the pickle says; a second claim is compared where it is used."""
    from openvet.formats._torch import DTYPES
    from openvet.formats.pickle.values import REF, TUPLE, a_of

    out: dict[str, int] = {}
    for identifier in graph.persistents.values():
        items = graph.children(identifier) if tag_of(identifier) == TUPLE else []
        if len(items) >= 5 and graph.text(items[0]) == "storage" and tag_of(items[1]) == REF:
            key = graph.text(items[2])
            width = DTYPES.get(graph.refs[a_of(items[1])].name.rpartition(".")[2], ("?", 0))[1]
            if key is not None and width and out.setdefault(key, width) != width:
                raise MalformedError(f"storage {shorten(printable(key), 80)} is described in two ways")
    return out


def _torch_tar(checkpoint: Checkpoint, source: Source, budget: Budget) -> None:
    from openvet.io.archive.tar import open_tar_entry, read_tar

    listing = read_tar(source, budget)
    for problem in listing.problems:
        raise problem
    streams: dict[str, tuple[Source, str]] = {}
    for entry in listing.entries:
        name = entry.name.removeprefix("./")
        if name in streams or entry.kind != "file":
            raise MalformedError(f"two members have the name {printable(name)}, or one is no file", offset=entry.offset)
        place = member_place(checkpoint.place, entry.name)
        streams[name] = (checkpoint.keep(open_tar_entry(source, entry)), place)
    missing = {"storages", "tensors", "pickle"} - streams.keys()
    if missing:
        raise MalformedError(f"the stream {min(missing)} is not in the archive")

    def step(stream: Source, at: int) -> Graph:
        return checkpoint.graph(stream, budget, checkpoint.place, at)

    tensors = checkpoint.tensors(streams["pickle"][1])
    try:
        storages = read_storages(*streams["storages"], step)
        tensors.numbered = read_tensors(streams["tensors"][0], storages, step)
        if "sys_info" in streams:
            step(streams["sys_info"][0], 0)
    except NotPlainError as error:
        raise MalformedError(f"a record is no plain data: {error}") from error
    objects, place = streams["pickle"]
    walk(checkpoint.graph(objects, budget, place), checkpoint.tree, tensors)


# --- pickles and arrays ---


def _pickle(checkpoint: Checkpoint, source: Source, budget: Budget) -> None:
    graph = checkpoint.graph(source, budget, checkpoint.place)
    walk(graph, checkpoint.tree, checkpoint.tensors(checkpoint.place))
    _behind(checkpoint, source, graph.end, "the end of the pickle")


def _behind(checkpoint: Checkpoint, source: Source, end: int, what: str) -> None:
    if any(block.strip(b"\0") for block in source.chunks(end)):
        checkpoint.tree.leave(Left("value", "", f"{source.size - end} bytes behind {what}", end))


def _npy(checkpoint: Checkpoint, source: Source, budget: Budget) -> None:
    tree = checkpoint.tree
    tree.tensors.append(_array(source, "array", checkpoint.place, budget, tree))


def _npz(checkpoint: Checkpoint, source: Source, budget: Budget) -> None:
    listing = read_zip(source, budget)
    for anomaly in listing.anomalies:
        if anomaly.rule in _CONTRADICTIONS:
            raise MalformedError(f"readers of zip files differ about it: {anomaly.message}", offset=anomaly.offset)
    for problem in listing.problems:
        raise problem
    tree = checkpoint.tree
    for entry in listing.entries:
        place = member_place(checkpoint.place, entry.name)
        if not entry.name.endswith(".npy"):
            tree.leave(Left("value", printable(entry.name), "a member that is no array", entry.header_offset))
            continue
        member = checkpoint.keep(open_zip_entry(source, entry, budget))
        name = entry.name.removesuffix(".npy")
        try:
            tree.tensors.append(_array(member, name, place, budget, tree))
        except LimitError:
            raise
        except (MalformedError, UnsupportedError) as error:
            tree.leave(Left("tensor", printable(name), error.message, entry.header_offset))


def _array(source: Source, name: str, place: str, budget: Budget, tree: Tree) -> Named:
    """The array in a npy file."""
    from openvet.formats import npy

    facts = Facts(place, name, budget)
    npy.read(source, facts)
    array = facts.tensors[0]
    if array.dtype == "OBJECT":
        raise UnsupportedError("an array of Python objects")
    if array.offset is None or array.nbytes is None or array.offset + array.nbytes > source.size:
        raise MalformedError("an array that is not there to its end")
    descr = str(facts.metadata["descr"])
    if array.dtype == "STRUCT" or not descr.isascii() or "(" in descr:
        raise UnsupportedError(f"a structured array: {shorten(descr, 120)}")
    word, swapped = word_of(descr)
    strides = f_strides(array.shape) if facts.metadata["fortran_order"] else c_strides(array.shape)
    end = array.offset + array.nbytes
    if end < source.size:
        tree.leave(Left("value", printable(name), f"{source.size - end} bytes behind the array", end))
    return Named(name, View(Storage(source, array.offset, array.nbytes, swapped, place), word, array.shape, strides), 0)


_READERS: Final[dict[str, Callable[[Checkpoint, Source, Budget], None]]] = {
    "torch-zip": _torch_zip,
    "torch-legacy": _torch_legacy,
    "torch-tar": _torch_tar,
    "pickle": _pickle,
    "npy": _npy,
    "npz": _npz,
}
