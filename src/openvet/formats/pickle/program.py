"""What a pickle program would do, as frozen words: the result of one walk of the machine."""

from __future__ import annotations

from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.text import printable, shorten

__all__ = [
    "BUILDS",
    "UNBOUND",
    "Call",
    "Carried",
    "CodeObject",
    "Computed",
    "Mutation",
    "PickleProgram",
    "Reference",
    "Step",
]

_JSON_RECORDS = 200

#: The variant of a reference that puts code or a class together from what dill or cloudpickle wrote, and runs nothing.
BUILDS = "builds code"
#: In the place of an opcode: a method that ``operator.methodcaller`` names, of an object that it gets later.
UNBOUND = "operator.methodcaller"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a loader makes.

    Attributes:
        offset: of the opcode that makes it.
        opcode: its name (``REDUCE``), or the linker that makes it on behalf of one (``functools.partial``).
        arguments: printable and bounded, one text each.
    """

    offset: int
    opcode: str
    arguments: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"offset": self.offset, "opcode": self.opcode, "arguments": list(self.arguments)}


@dataclass(frozen=True, slots=True)
class Step:
    """One call in the order in which a loader makes them.

    Attributes:
        offset, opcode, arguments: as in :class:`Call`.
        module, name: what is called; ``Class().__setstate__`` for BUILD.
    """

    offset: int
    opcode: str
    module: str
    name: str
    arguments: tuple[str, ...]

    @property
    def qualified(self) -> str:
        return ".".join(filter(None, (self.module, self.name)))

    def to_json(self) -> dict[str, Any]:
        return {
            "offset": self.offset,
            "opcode": self.opcode,
            "callable": self.qualified,
            "module": self.module,
            "name": self.name,
            "arguments": list(self.arguments),
        }


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that the program resolves by name, with every use of it added up.

    Attributes:
        module, name: after Python 2 names were mapped as a loader maps them; ``name`` may be dotted and is empty for a
            module itself. A method of an instance shows as ``Class().method``.
        written: how the stream spells it, where that differs (``__builtin__.eval``).
        offset, opcode: where and how it is resolved first.
        via: the linkers that led to it (``builtins.getattr``).
        variant: what makes this use differ from the ordinary one (an unusual codec, a class made at run time).
        count: how often it is resolved.
        calls: how often it is called; ``first_calls`` are the first of these.
        builds: how often BUILD sets the state of what it gave.
        passes: other references among the arguments of its calls, which it may call in turn.
        passes_more: whether there are more of them than are named.
        armed: what a partial that is kept would call it with, as people read it.
    """

    module: str
    name: str
    written: str
    offset: int
    opcode: str
    via: tuple[str, ...] = ()
    variant: str = ""
    count: int = 1
    calls: int = 0
    first_calls: tuple[Call, ...] = ()
    builds: int = 0
    passes: tuple[tuple[str, str], ...] = ()
    passes_more: bool = False
    armed: str = ""

    @property
    def qualified(self) -> str:
        return ".".join(filter(None, (self.module, self.name)))

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "module": self.module,
            "name": self.name,
            "offset": self.offset,
            "opcode": self.opcode,
            "count": self.count,
            "calls": self.calls,
        }
        if self.written:
            out["written"] = self.written
        if self.via:
            out["via"] = list(self.via)
        if self.variant:
            out["variant"] = self.variant
        if self.armed:
            out["armed"] = self.armed
        if self.first_calls:
            out["first_calls"] = [call.to_json() for call in self.first_calls]
        return out


@dataclass(frozen=True, slots=True)
class Mutation:
    """Something that changes an object which exists outside of the pickle, or hides a callable in an instance.

    ``how`` is ``state`` (BUILD), ``item`` (SETITEM, APPEND ...) or ``hijack`` (an attribute that the machinery calls).
    ``target`` and ``callable`` are module and name.
    """

    offset: int
    opcode: str
    how: str
    target: tuple[str, str]
    key: str = ""
    callable: tuple[str, str] | None = None
    arguments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "offset": self.offset,
            "opcode": self.opcode,
            "how": self.how,
            "target": list(self.target),
        }
        if self.key:
            out["key"] = self.key
        if self.callable is not None:
            out["callable"] = list(self.callable)
        return out


@dataclass(frozen=True, slots=True)
class Computed:
    """A name or a callable that the program computes at run time, so that no reader can say what it is.

    ``kind`` is ``name`` (a name that is no literal), ``argument`` (one that is not known, of what evaluates text), ``extension`` (a
    copyreg extension code), ``memo`` (an entry of the memo far beyond those that were put), ``claim`` (a length far beyond the file), ``resource`` (memory or time
    without bounds) or ``address`` (an instance that stands for memory at an address).
    """

    offset: int
    opcode: str
    kind: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {"offset": self.offset, "opcode": self.opcode, "kind": self.kind, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Carried:
    """A literal that itself holds a program.

    Attributes:
        start, size: where its bytes are in the file.
        kind: ``pickle``, ``marshal`` (a code object), or how the pickle is wrapped (``zlib``, ``base64`` ...).
        loaded: the callable that gets it and loads it, if the program itself does so.
    """

    start: int
    size: int
    kind: str
    loaded: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start, "size": self.size, "kind": self.kind, "loaded": self.loaded}


@dataclass(frozen=True, slots=True)
class CodeObject:
    """A code object that the program puts together, as dill and cloudpickle carry functions.

    Attributes:
        offset: of the opcode that makes it.
        texts: among its constants.
        names: of globals, attributes and modules that its code uses.
        loaded: those of them that are taken from the globals or the built-ins, perhaps among others.
        whole: whether these are all.
        compiled: numba compiles it without falling back to the interpreter, which never runs it.
        scope: the module whose names its function uses, where it has none of its own.
    """

    offset: int
    texts: tuple[str, ...]
    names: tuple[str, ...]
    loaded: tuple[str, ...]
    whole: bool
    compiled: bool = False
    scope: str = ""

    def to_json(self) -> dict[str, Any]:
        names = [shorten(printable(name), 200) for name in self.names[:_JSON_RECORDS]]
        return {"offset": self.offset, "names": names, "whole": self.whole}


@dataclass(frozen=True, slots=True)
class PickleProgram:
    """One pickle stream, from its first opcode to STOP or to where it breaks.

    Attributes:
        location: of its first byte.
        start, end: offsets in the file or member; ``end`` is after the last opcode that was read.
        protocol: the highest that a PROTO opcode names, 0 without one.
        opcodes: how many there are.
        stopped: whether STOP was reached.
        broken: why a loader would fail in it, or ``None``; ``broken_at`` is where. Everything before it still runs.
        references: in the order in which they are resolved first.
        persistent: how many persistent ids; ``persistent_first`` shows the first few.
        base: where the literal begins that holds this program; 0 for a program of its own.
        decoded: the literal was decoded, so that offsets of records are not offsets in the file.
        steps: every call in order where that was asked for, else ``None``; ``steps_dropped`` counts those left out.
        container: the place of the literal that holds this program and when it is loaded: ``""`` for a program of
            its own, ``carried`` for one that nothing in the file loads, ``loaded`` for one that the outer program loads,
            ``reread`` for what another loader makes of the same bytes: the unpickler in C where frames contradict opcodes,
            ``shifted`` and ``raw`` for what ``pickle`` makes of those of an array that joblib put between them: of a pickle of
            objects, which it reads with the wrong memo, and of numbers.
    """

    location: Location
    start: int
    end: int
    protocol: int
    opcodes: int
    stopped: bool
    broken: str | None = None
    broken_at: int | None = None
    references: tuple[Reference, ...] = ()
    mutations: tuple[Mutation, ...] = ()
    computed: tuple[Computed, ...] = ()
    carried: tuple[Carried, ...] = ()
    codes: tuple[CodeObject, ...] = ()
    persistent: int = 0
    persistent_first: tuple[str, ...] = ()
    container: str = ""
    base: int = 0
    decoded: bool = False
    dropped: int = 0
    steps: tuple[Step, ...] | None = None
    steps_dropped: int = 0

    @property
    def kind(self) -> str:
        return "pickle"

    def at(self, offset: int) -> Location:
        """Where a record of this program is in the file."""
        return Location(self.location.place, self.base if self.decoded else self.base + offset)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "kind": self.kind,
            "location": self.location.to_json(),
            "start": self.start,
            "end": self.end,
            "protocol": self.protocol,
            "opcodes": self.opcodes,
            "stopped": self.stopped,
            "references": [each.to_json() for each in self.references[:_JSON_RECORDS]],
            "references_total": len(self.references),
        }
        if self.broken is not None:
            out["broken"] = {"reason": self.broken, "offset": self.broken_at}
        for key in ("mutations", "computed", "carried", "codes"):
            records = getattr(self, key)
            if records:
                out[key] = [each.to_json() for each in records[:_JSON_RECORDS]]
        if self.persistent:
            out["persistent"] = {"count": self.persistent, "first": list(self.persistent_first)}
        if self.container:
            out["container"] = self.container
        if self.dropped:
            out["dropped"] = self.dropped
        if self.steps is not None:
            out["steps"] = [each.to_json() for each in self.steps]
            out["steps_dropped"] = self.steps_dropped
        return out
