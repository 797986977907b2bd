"""A model that was read once and is held open: its files as leaves, and their bytes for whoever compares them.

What is read now is what was hashed before: each file is opened again by its path, and has to be the one that was opened then.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from openvet.core.limits import Budget
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry, EntryKind, Snapshot
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, UnsupportedError
from openvet.io.hashing import HashPool, Pending
from openvet.io.source import BytesSource, FileSource, Source
from openvet.workflows.check import Begun, Options, begin, finish, open_origin

if TYPE_CHECKING:
    from openvet.formats._format import Member
    from openvet.inventory.compare.files import Leaf
    from openvet.inventory.compare.numbers import Stored
    from openvet.inventory.component import Component

__all__ = ["Opened"]

#: Archives that stand for a folder; what is inside of other containers belongs to one model file.
_FOLDERS: Final = frozenset({"zip", "tar", "sevenzip", "gzip", "bzip2", "xz", "zstd", "lz4"})
_STREAMS: Final = frozenset({"gzip", "bzip2", "xz", "zstd", "lz4"})
_PLAIN: Final = frozenset({"safetensors", "gguf", "onnx", "ctranslate2"})
_OPEN: Final = 400
_SHORT: Final = 256


class _Remembering:
    """An origin that remembers which file each entry was."""

    def __init__(self, origin: Any) -> None:
        self._origin = origin
        self.identities: dict[str, object] = {}

    @property
    def remote(self) -> bool:
        return bool(self._origin.remote)

    @property
    def snapshot(self) -> Snapshot:
        found: Snapshot = self._origin.snapshot
        return found

    def open(self, entry: Entry) -> Any:
        source = self._origin.open(entry)
        if (
            isinstance(source, FileSource)
            and self.identities.setdefault(entry.name, source.identity) != source.identity
        ):
            source.close()
            raise ChangedError("is not the file that was hashed any more")
        return source

    def close(self) -> None:
        self._origin.close()


class _Shared(Source):
    """A source that several threads read, until it is stopped."""

    __slots__ = ("_free", "_lock", "_source", "_stop")

    def __init__(self, source: Source, stop: threading.Event) -> None:
        self.size = source.size
        self._source = source
        self._stop = stop
        self._lock = threading.Lock()
        self._free = isinstance(source, FileSource | BytesSource)

    def _read(self, offset: int, size: int) -> bytes:
        if self._stop.is_set():
            raise ReadError("stopped")
        if self._free and size > _SHORT:  # short reads share what was read ahead
            return self._source.read(offset, size)
        with self._lock:
            return self._source.read(offset, size)

    def close(self) -> None:
        self._source.close()


class Opened:
    """One of the two models: it is listed at once, :meth:`begin` has its large files hashed, and :meth:`read` parses it.

    Args:
        path: what the user named.
        options: how to read; digests have to be among what it asks for.

    Raises:
        SubjectError: there is nothing that could be read.
    """

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.stop = threading.Event()
        self.limits = options.in_force
        self._stack = ExitStack()
        self._options = options
        self._origin = _Remembering(open_origin(path, options))
        self._stack.callback(self._origin.close)
        self._begun: Begun | None = None
        self.remote = self._origin.remote
        self.snapshot = self._origin.snapshot
        self._sources: dict[str, Source] = {}
        self._members: dict[str, dict[str, Member]] = {}

    def begin(self, pool: HashPool, submit: Callable[[Entry, FileSource], Pending] | None = None) -> None:
        """Have the large files hashed.

        Args:
            pool: hashes; both models share it.
            submit: hands a file to it.
        """
        self._begun = begin(self._origin, self._options, pool, submit)

    def open_again(self, entry: Entry) -> FileSource:
        """A local file once more, for whoever closes it (raises like :meth:`source`)."""
        opened: FileSource = self._origin.open(entry)
        return opened

    def read(self, progress: Progress) -> None:
        """Parse everything and wait until it is hashed."""
        if self._begun is None:
            raise AssertionError("it was not begun")
        self.taken = finish(self._begun, self._options, progress, lambda _: None)
        self._entries = {each.place: each for each in self._origin.snapshot.entries if each.kind is EntryKind.FILE}
        self._parents = {child.place: parent for parent in self.taken.inventory.walk() for child in parent.children}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        if self._begun is not None:
            self._begun.pool.stop()  # no thread may be left with a descriptor that is closed here
            self._begun.ahead.close()
        self._stack.close()

    def leaves(self) -> dict[str, Leaf]:
        """The model's files by their names below it; an archive that is the whole model counts as the folder that it holds."""
        from openvet.inventory.compare.files import Leaf

        files = list(self.taken.inventory.files)
        single = self.taken.snapshot.single
        out: dict[str, Leaf] = {}
        for component in files:
            for name, each in self._unfolded(component, "" if single else component.place):
                out.setdefault(name, Leaf(name, each, self._digest(each)))
        if single and len(out) > 1:
            tops = {name.partition("/")[0] for name in out}
            if len(tops) == 1 and all("/" in name for name in out):
                return {
                    name.partition("/")[2]: Leaf(name.partition("/")[2], leaf.component, leaf.sha256)
                    for name, leaf in out.items()
                }
        return out

    def _unfolded(self, component: Component, name: str) -> Iterator[tuple[str, Component]]:
        if component.format in _FOLDERS and component.children and component.role is None:
            for child in component.children:
                inner = name if component.format in _STREAMS else f"{name}/{child.name}".lstrip("/")
                yield from self._unfolded(child, inner)
        else:
            # a model that is one file has no name that another one would share
            yield name or "", component

    def _digest(self, component: Component) -> str | None:
        known = component.digests.get("sha256")
        if known is not None or component.place not in self._parents or self.remote:
            return known
        try:
            total = hashlib.sha256()
            for chunk in self.source(component).chunks():
                total.update(chunk)
        except ReadError:
            return None
        return total.hexdigest()

    # --- bytes ---

    def source(self, component: Component) -> Source:
        """The bytes of a file or member; open until this model is closed.

        Raises:
            ReadError: they cannot be read, or are not those that were hashed.
        """
        known = self._sources.get(component.place)
        if known is not None:
            return known
        if self.remote:
            raise UnsupportedError("it is on a server; fetch the model to a folder first")
        if len(self._sources) >= _OPEN:
            raise UnsupportedError(f"more than {_OPEN} files would have to be open at once")
        parent = self._parents.get(component.place)
        if parent is None:
            entry = self._entries.get(component.place)
            if entry is None:
                raise UnsupportedError("it is no file")
            opened: Source = self._origin.open(entry)
        else:
            member = self._members_of(parent).get(component.name)
            if member is None:
                raise UnsupportedError("it is not found in its archive again")
            opened = member.open()
        self._stack.callback(opened.close)
        shared = self._sources[component.place] = _Shared(opened, self.stop)
        return shared

    def _members_of(self, parent: Component) -> dict[str, Member]:
        known = self._members.get(parent.place)
        if known is None:
            from openvet.formats._format import Facts, Head
            from openvet.inventory.identify import identify

            source = self.source(parent)
            facts = Facts(parent.place, parent.name, self.budget())
            for module in identify(Head(parent.name, source)).readers:
                if module.FORMAT.id == parent.format:
                    module.read(source, facts)
            known = self._members[parent.place] = {each.name: each for each in reversed(facts.members)}
        return known

    def budget(self) -> Budget:
        """A budget of its own for reading one file once more."""
        budget = Budget(self.limits)
        budget.start_file()
        return budget

    def text(self, component: Component) -> str:
        """A text whole.

        Raises:
            ReadError: it cannot be read, is too long, or is no UTF-8.
        """
        source = self.source(component)
        if source.size > self.limits.text:
            raise UnsupportedError(f"it is longer than {self.limits.text} bytes")
        try:
            return source.read(0, source.size).decode("utf-8")
        except UnicodeDecodeError:
            raise UnsupportedError("it is no UTF-8") from None

    # --- tensors ---

    def tensors(self, component: Component) -> Iterator[Stored]:
        """The tensors of a file with what begins to read each; where one cannot be read, it says why."""
        from openvet.disarm.checkpoint import KINDS
        from openvet.inventory.compare.numbers import Stored
        from openvet.inventory.compare.runs import Part

        ggml = component.format == "gguf"
        if component.format not in KINDS and component.format not in _PLAIN:
            yield from self._described(component, f"numbers in files of the format {component.format} are not read")
            return
        try:
            source = self.source(component)
            if component.format in KINDS:
                yield from self._checkpoint(component, source)
                return
        except ReadError as error:
            yield from self._described(component, error.message)
            return
        swapped = component.metadata.get("byte_order") == "big"
        beside = self._beside(component, source)
        for each in component.tensors:
            why = "its numbers are big-endian" if swapped else _misfit(each.dtype, each.elements, each.nbytes)
            holder, data, offset = component, source, each.offset
            if not why and offset is None:
                named, offset = beside.get(each.name, ("", None))
                if offset is None:
                    why = "its numbers are not beside each other"
                else:
                    found = self._sibling(component, named)
                    if found is None:
                        why = f"its numbers are in {printable(named)[:100]}, which is not here"
                    else:
                        try:
                            holder, data = found, self.source(found)
                        except ReadError as error:
                            why = error.message
            if not why and (offset is None or offset + (each.nbytes or 0) > data.size):
                why = "its bytes are not there"
            at, nbytes = offset or 0, each.nbytes or 0
            run = None if why else (lambda data=data, at=at, nbytes=nbytes: Part(data, at, nbytes))
            digest = holder.digests.get("sha256", "")
            key = f"{digest} {at}" if digest and not why else ""
            yield Stored(each.name, each.dtype, each.shape, component.place, ggml, run, why, key)

    def _beside(self, component: Component, source: Source) -> dict[str, tuple[str, int]]:
        """Where an ONNX model says that tensors lie in other files: tensor -> (relative name, offset)."""
        if component.format != "onnx" or not component.claims:
            return {}
        from openvet.formats._format import Facts
        from openvet.formats._onnx_graph import places_beside

        try:
            return places_beside(source, Facts(component.place, component.name, self.budget()))
        except ReadError:
            return {}

    def _sibling(self, component: Component, named: str) -> Component | None:
        """The file beside ``component`` that it calls ``named``."""
        parent = self._parents.get(component.place)
        files = self.taken.inventory.files if parent is None else parent.children
        wanted = component.name[: len(component.name) - len(component.basename)] + named
        return next((each for each in files if each.name == wanted), None)

    def _described(self, component: Component, why: str) -> Iterator[Stored]:
        from openvet.inventory.compare.numbers import Stored

        digest = component.digests.get("sha256", "")
        for number, each in enumerate(component.tensors):
            key = f"{digest} {number}" if digest else ""
            yield Stored(each.name, each.dtype, each.shape, component.place, component.format == "gguf", None, why, key)

    def _checkpoint(self, component: Component, source: Source) -> Iterator[Stored]:
        """What a pickle describes, read without running it."""
        from openvet.disarm.checkpoint import open_checkpoint
        from openvet.inventory.compare.numbers import Stored
        from openvet.inventory.compare.runs import Blocks

        checkpoint = open_checkpoint(source, component.name, component.place, self.budget())
        self._stack.enter_context(checkpoint)
        digest = component.digests.get("sha256", "")
        for each in checkpoint.tree.tensors:
            view = each.view
            run = lambda view=view: Blocks(view.blocks())  # noqa: E731 - one for each tensor
            key = f"{digest} {each.name}" if digest else ""
            yield Stored(each.name, view.dtype, view.shape, component.place, run=run, key=key)
        for left in checkpoint.tree.left:
            if left.kind == "tensor":
                yield Stored(left.name, "?", (), component.place, why=left.what)


def _misfit(dtype: str, elements: int, nbytes: int | None) -> str:
    from openvet.inventory.compare.dtypes import WIDTHS
    from openvet.inventory.compare.ggml import BLOCKS

    if dtype in WIDTHS:
        expected = elements * WIDTHS[dtype]
    elif dtype in BLOCKS:
        expected = (elements + BLOCKS[dtype][0] - 1) // BLOCKS[dtype][0] * BLOCKS[dtype][1]
    else:
        return f"numbers of the type {dtype} are not known"
    return "" if expected == nbytes else "its bytes do not fit its shape"
