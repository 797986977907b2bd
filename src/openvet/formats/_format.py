"""The contract of a format.

A format is one module (or package) in this folder with three names::

    FORMAT = Format(id="npy", ...)
    def probe(head: Head) -> Likeness: ...
    def read(source: Source, facts: Facts) -> None: ...

``probe`` looks at bytes and says how much they look like this format; a file name never decides. ``read``
puts what it learns into ``facts`` as it goes, so that what was read before a break is kept. It raises only
:class:`~openvet.errors.ReadError` and its children, never executes, never writes, never opens a path.

A module may also define ``STARTS``, a tuple of what its bytes can begin with: where they begin with none of these, ``probe`` is
not asked, and the module not imported. It must be true of every bytes that ``probe`` says anything but NO of; a test compares the two.
What has to be known before that is in the index of this folder (:class:`Sign`), which ``make index`` makes.

The module's docstring describes the byte layout and links the specification. Import heavy parts inside
``read``: whatever has no ``STARTS`` is imported to identify one file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from enum import IntEnum
from types import ModuleType
from typing import Any, Protocol, TypeVar

from openvet.core.coverage import Coverage, Unknown
from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget, Limits
from openvet.core.location import Location
from openvet.core.text import printable
from openvet.io.source import Source

__all__ = [
    "Anomaly", "Coverage", "Facts", "Format", "Head", "Heading", "Likeness", "Link", "Member", "Outline", "Program", "Sign", "Tensor",
    "Unknown", "sign_of",
]  # fmt: skip

HEAD_BYTES = 64 * 1024
T = TypeVar("T")
_NOTHING: Any = object()


class Likeness(IntEnum):
    """How much the first (and last) bytes look like a format."""

    NO = 0
    #: Could be: read it so if nothing better claims it (plain text, raw pickle protocol 0 ...).
    WEAK = 1
    #: The format's magic or an unmistakable structure is there. More than one STRONG format makes a polyglot.
    STRONG = 2


@dataclass(frozen=True, slots=True)
class Format:
    """What a format is, as data.

    Attributes:
        id: one word or ``torch-zip``; stable.
        title: what people call it.
        extensions: the endings under which it is usually published (``.safetensors``). A hint: a file whose name has
            an extension that belongs to other formats only is a finding. Empty where any name is usual.
        media_types: IANA or common media types.
        can_tell: what a reading establishes, as short sentences.
        cannot_tell: what it does not, as short sentences.
        refines: ids of formats that this one is a special case of (torch-zip refines zip); where both match, only
            this one reads.
        reader: whether contents are read at all; a format that is only recognised says ``False`` and its files are
            ``unread`` with this format's name.
    """

    id: str
    title: str
    extensions: tuple[str, ...]
    media_types: tuple[str, ...]
    can_tell: tuple[str, ...]
    cannot_tell: tuple[str, ...]
    refines: tuple[str, ...] = ()
    reader: bool = True


@dataclass(frozen=True, slots=True)
class Sign:
    """What has to be known of a format before its module is imported; the index of this folder holds one for each.

    Attributes:
        id, extensions, refines: as in :class:`Format`.
        starts: the module's ``STARTS``; ``None`` where it has none and is always asked.
    """

    id: str
    extensions: tuple[str, ...] = ()
    refines: tuple[str, ...] = ()
    starts: tuple[bytes, ...] | None = None

    def may_be(self, first: bytes) -> bool:
        """Whether bytes that begin with ``first``, which is one byte or none, may be of this format."""
        return self.starts is None or first in {start[:1] for start in self.starts if start}


def sign_of(module: ModuleType) -> Sign:
    """What a format's module says of itself."""
    said: Format = module.FORMAT
    return Sign(said.id, said.extensions, said.refines, getattr(module, "STARTS", None))


class Head:
    """What a probe may look at: the name (a hint), the size, the first and the last 64 KiB, and the source."""

    __slots__ = ("_budget", "_found", "_tail", "data", "name", "size", "source", "suffix", "walked")

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self.size = source.size
        self.data = source.upto(0, HEAD_BYTES)
        base = name.rsplit("/", 1)[-1]
        dot = base.rfind(".")
        #: the name's extension in lower case with its dot, or ''
        self.suffix = base[dot:].lower() if dot > 0 else ""
        self._tail: bytes | None = None
        self._budget: Budget | None = None
        #: what a probe has made of all the bytes already, as :attr:`Member.walked`
        self.walked: tuple[str, Any] | None = None
        self._found: dict[Callable[[Head], Any], Any] = {}

    def once(self, find: Callable[[Head], T]) -> T:
        """What ``find`` sees in this head, looked up once for all probes that ask."""
        found: T = self._found.get(find, _NOTHING)
        if found is _NOTHING:
            found = self._found[find] = find(self)
        return found

    @property
    def budget(self) -> Budget:
        """What all probes of this head may spend."""
        if self._budget is None:
            self._budget = Budget()
        return self._budget

    @property
    def tail(self) -> bytes:
        if self._tail is None:
            self._tail = self.data if self.size <= HEAD_BYTES else self.source.upto(self.size - HEAD_BYTES, HEAD_BYTES)
        return self._tail


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor as the file describes it.

    Attributes:
        name: as in the file, printable.
        dtype: upper-case word of the safetensors vocabulary where one fits (``F32 BF16 I64 BOOL``), else the
            format's own (``Q4_K``).
        shape: row-major, outermost first (GGUF's order is reversed on reading).
        offset: of its first byte in the file or member that holds the data; ``None`` where unknown.
        nbytes: bytes of its data as the header says; ``None`` where the header does not.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int | None = None
    nbytes: int | None = None

    @property
    def elements(self) -> int:
        product = 1
        for extent in self.shape:
            product *= extent
        return product


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A structural lie or oddity that a reader saw. ``rule`` is the id of the rule that reports it."""

    rule: str
    message: str
    location: Location
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of a text and the beginning of what stands below it, down to the next heading.

    Attributes:
        level: 1 to 6.
        text: as it is written, printable, without its marks.
        line: from 1.
        first: the first lines below it that are neither empty nor a comment, printable and shortened.
        lines: how many such lines there are.
    """

    level: int
    text: str
    line: int
    first: tuple[str, ...]
    lines: int


@dataclass(frozen=True, slots=True)
class Link:
    """An address in a text.

    Attributes:
        url: printable and shortened.
        said: what stands around it on its line, printable and shortened.
        line: from 1.
        row: whether the line is the row of a table.
    """

    url: str
    said: str
    line: int
    row: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """Where things stand in a text that people read as well as programs.

    Attributes:
        lines: JSON Pointer into ``document`` -> line, of the first keys.
        headings: of the prose.
        prose: whether there is any beside the headings.
        front_matter: whether there is front matter, readable or not.
        links: the first addresses of the web in the prose.
    """

    lines: Mapping[str, int] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    prose: bool = False
    front_matter: bool = False
    links: tuple[Link, ...] = ()


class Program(Protocol):
    """Something that a loader would execute or interpret: a pickle stream, a template, Python source."""

    @property
    def kind(self) -> str: ...

    @property
    def location(self) -> Location: ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a file. ``open`` may be called once or more and may raise :class:`ReadError`.

    Attributes:
        name: as the archive says, raw; a hint only and never a path to write to.
        size: decoded bytes as the archive says; a hint only.
        open: gives the member's bytes; the caller closes them.
        offset: where its record starts in the archive.
        role: ``tensor-data`` for raw storage that the container's own program refers to: it is not identified
            further, since the only thing that reads it is a tensor. ``None`` for everything else.
        plain: its bytes lie in the container as they are, so that raw storage need not be opened at all.
        walked: the id of a format, and what the container's reader has made of the member already by that format's means,
            so that the reader of the format need not do it again.
    """

    name: str
    size: int
    open: Callable[[], Source]
    offset: int | None = None
    role: str | None = None
    plain: bool = False
    walked: tuple[str, Any] | None = None


class Facts:
    """What one reading of one file or member has found so far. A reader fills it; the inventory freezes it.

    Attributes:
        place: where this file is, printable, for locations.
        name: its raw name (a hint).
        budget, limits: what may be spent.
        metadata: small facts by the format's own key: JSON values, text printable, bounded by the reader.
        document: the parsed value of a JSON or YAML text, for checks that walk it; ``None`` elsewhere.
        outline: where keys and headings stand, of texts that are model cards and the like; ``None`` elsewhere.
        text: what is kept of a text that may say a licence; the inventory fills it.
        claims: bytes of other files of the same folder that this file describes as raw tensors: relative name -> (offset,
            size) of each. Such a file needs no reader of its own; what no claim covers stays unread.
        coverage: set by the reader when it is not ``READ``.
        every_call: whether programs are to list every call that they make, and not only the first ones.
        walked: what :attr:`Member.walked` holds for the format that reads.
    """

    __slots__ = (
        "anomalies",
        "budget",
        "claims",
        "coverage",
        "document",
        "dropped",
        "every_call",
        "members",
        "metadata",
        "name",
        "outline",
        "place",
        "programs",
        "tensors",
        "text",
        "unknowns",
        "walked",
    )

    def __init__(self, place: str, name: str, budget: Budget) -> None:
        self.place = place
        self.name = name
        self.budget = budget
        self.coverage = Coverage.READ
        self.metadata: dict[str, Any] = {}
        self.document: Any = None
        self.outline: Outline | None = None
        self.text: str | None = None
        self.claims: dict[str, list[tuple[int, int]]] = {}
        self.tensors: list[Tensor] = []
        self.programs: list[Program] = []
        self.members: list[Member] = []
        self.anomalies: list[Anomaly] = []
        self.unknowns: list[Unknown] = []
        self.dropped = 0
        self.every_call = False
        self.walked: Any = None

    @property
    def limits(self) -> Limits:
        return self.budget.limits

    def at(self, offset: int | None = None, *, line: int | None = None, pointer: str | None = None) -> Location:
        """A location in this file."""
        return Location(self.place, offset, line, pointer)

    def anomaly(
        self,
        rule: str,
        message: str,
        offset: int | None = None,
        *,
        line: int | None = None,
        pointer: str | None = None,
        **evidence: Any,
    ) -> None:
        """Record a structural oddity for the rule with id ``rule``. Text of the subject must be printable already."""
        if len(self.anomalies) < self.limits.records:
            self.anomalies.append(Anomaly(rule, message, self.at(offset, line=line, pointer=pointer), evidence))
        else:
            self.dropped += 1

    def unknown(
        self,
        reason: str,
        message: str,
        offset: int | None = None,
        *,
        pointer: str | None = None,
        coverage: Coverage = Coverage.PARTIAL,
    ) -> None:
        """Record that something was not read; lowers the coverage."""
        if coverage is Coverage.UNREAD or self.coverage is not Coverage.UNREAD:
            self.coverage = coverage
        if len(self.unknowns) < self.limits.records:
            self.unknowns.append(Unknown(reason, message, self.at(offset, pointer=pointer)))
        else:
            self.dropped += 1

    def add_members(self, members: Iterable[Member]) -> None:
        """Add members for the inventory to open; counts them against the budget."""
        for member in members:
            self.budget.add_members()
            self.members.append(member)

    def note(self, key: str, value: Any) -> None:
        """Record a small fact; text is made printable."""
        self.metadata[key] = printable(value) if isinstance(value, str) else value
