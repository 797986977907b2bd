"""Serialized Java objects (``.ser``, Weka's ``.model``, parts of DL4J archives): a stream from which Java rebuilds objects of any class.

::

    AC ED  version[2] = 5
    contents, each with a mark[1]:  70 null   71 reference[4]   72 class   73 object   74 text[2]   75 array   76 class object
                                    77 block[1]  78 end  79 reset  7A block[4]  7B exception  7C text[8]  7D proxy  7E enum

Every class that the stream describes is listed, also those of fields; nothing is rebuilt. Names are decoded as Java does, which
takes letters that are spelled with more bytes than they need.

Specification: https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="java-serialized",
    title="serialized Java objects",
    extensions=(".ser", ".model", ".bin", ".jser"),
    media_types=("application/x-java-serialized-object",),
    can_tell=(
        "every class that Java would look for and rebuild objects of",
        "whether those are of a chain that is known to run commands",
        "whether an address is the key of a table, which makes Java look up its host",
    ),
    cannot_tell=("what the classes of others do when they are rebuilt",),
)

_MAGIC: Final = b"\xac\xed\x00\x05"
_SIZES: Final = {"B": 1, "C": 2, "D": 8, "F": 4, "I": 4, "J": 8, "S": 2, "Z": 1}
_FIRST_HANDLE: Final = 0x7E0000
_MOST_CLASSES: Final = 5_000
_DEEPEST: Final = 5_000
#: Bytes that are swept for classes behind a break, and what describes one: its mark, its length, its name.
_SWEPT: Final = 8 * 1024 * 1024
_DESCRIBED: Final = pattern(rb"r(\x00[\x04-\xff])((?:\[+L)?[A-Za-z_][\w$]{0,60}(?:[./][\w$]{1,100}){1,20};?)")
_WRITES, _SERIAL, _EXTERNAL, _BLOCKS = 1, 2, 4, 8
#: Java asks what it puts into these for its hash while it rebuilds them; tables write a key and its value in turn.
_TABLES: Final = frozenset({"java.util.HashMap", "java.util.Hashtable", "java.util.concurrent.ConcurrentHashMap"})
_SETS: Final = frozenset({"java.util.HashSet"})
#: The hash of an address is that of what the name of its host leads to.
_ADDRESS: Final = "java.net.URL"

#: A step of the walk: it gives the steps inside of it, and takes what those return.
_Step = Generator["_Step", Any, Any]


@dataclass(slots=True)
class _Class:
    """A class that the stream describes."""

    name: str
    flags: int = 0
    fields: tuple[str, ...] = ()
    parent: Any = None


@dataclass(slots=True)
class _Object:
    """An object of the stream: its class, and whether an address is asked for when somebody asks for its hash."""

    kind: _Class
    address: bool = False


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) and head.size > len(_MAGIC) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the contents.

    Raises:
        MalformedError: a mark that there is not, a reference to nothing.
        LimitError: objects are nested too deeply, or more classes than are listed.
        UnsupportedError: a class that writes in a way of its own, without blocks.
    """
    walk = _Walk(source.cursor(len(_MAGIC)), facts)
    try:
        while walk.cursor.left:
            walk.run()
    except ReadError:
        walk.sweep(source)
        raise
    finally:
        walk.finish()


class _Walk:
    def __init__(self, cursor: Cursor, facts: Facts) -> None:
        self.cursor = cursor
        self.facts = facts
        self.handles: list[Any] = []
        self.names: dict[str, int] = {}
        self.steps = 0
        self.hashed: int | None = None

    def run(self) -> None:
        """One of the contents, with all that is in it; what is open stands on a stack of ours."""
        stack: list[_Step] = [self._content()]
        value: Any = None
        while stack:
            self.steps += 1
            if self.steps % 4096 == 0:
                self.facts.budget.check_time()
            try:
                inner = stack[-1].send(value)
            except StopIteration as end:
                stack.pop()
                value = end.value
                continue
            if len(stack) >= _DEEPEST:
                raise LimitError("nesting", _DEEPEST, "objects are nested too deeply", offset=self.cursor.position)
            stack.append(inner)
            value = None

    def sweep(self, source: Source) -> None:
        """Classes behind a break, by what a description of one looks like: others may read on where this reader does not."""
        data = source.upto(0, _SWEPT)
        for found in _DESCRIBED.finditer(data):
            name = found[2][: int.from_bytes(found[1], "big")]
            if len(self.names) < _MOST_CLASSES and len(name) == int.from_bytes(found[1], "big"):
                self._named(name.decode("ascii"), found.start())

    def finish(self) -> None:
        """Put down the classes; the rule ``java/serialized-object`` judges them."""
        names = list(self.names)
        if not names:
            return
        self.facts.note("classes", [printable(shorten(each, 200)) for each in names[:200]])
        self.facts.note("class_count", len(names))
        first = self.names[names[0]]
        self.facts.anomaly(
            "java/serialized-object",
            "",
            first,
            classes=[printable(shorten(each, 200)) for each in names],
            hashed=self.hashed,
        )

    def _number(self, size: int) -> int:
        return int.from_bytes(self.cursor.read(size), "big")

    def _text(self, size: int = 2) -> str:
        return _letters(self.cursor.read(self._number(size)))

    def _named(self, name: str, at: int) -> None:
        bare = name.lstrip("[")
        if name.startswith("["):
            if not bare.startswith("L"):
                return
            bare = bare[1:]
        bare = bare.removesuffix(";").replace("/", ".")
        if bare and bare not in self.names:
            if len(self.names) >= _MOST_CLASSES:
                raise LimitError("records", _MOST_CLASSES, "describes more classes than are listed", offset=at)
            self.names[bare] = at

    def _content(self, mark: int = -1) -> _Step:
        """One content; gives what it is: a class, a text, or nothing in particular. ``END`` for the end of a block."""
        at = self.cursor.position
        mark = self._number(1) if mark < 0 else mark
        if mark == 0x70:
            return None
        if mark == 0x71:
            handle = self._number(4) - _FIRST_HANDLE
            if not 0 <= handle < len(self.handles):
                raise MalformedError("refers to something that is not there", offset=at)
            return self.handles[handle]
        if mark in (0x72, 0x7D):
            return (yield (self._described(at) if mark == 0x72 else self._proxy()))
        if mark in (0x73, 0x75, 0x76, 0x7E):
            return (yield self._instance(mark))
        if mark in (0x74, 0x7C):
            size = self._number(2 if mark == 0x74 else 8)
            text = _letters(self.cursor.read(min(size, 1 << 16)))
            self.cursor.skip(max(size - (1 << 16), 0))
            self.handles.append(text)
            return text
        if mark in (0x77, 0x7A):
            self.cursor.skip(self._number(1 if mark == 0x77 else 4))
            return _BLOCK
        if mark == 0x78:
            return _END
        if mark == 0x79:
            self.handles.clear()
            return None
        if mark == 0x7B:
            self.handles.clear()
            return (yield self._content())
        raise MalformedError(f"has the mark {mark:#x}, which there is not", offset=at)

    def _described(self, at: int) -> _Step:
        found = _Class(self._text())
        self._named(found.name, at)
        self.cursor.skip(8)
        self.handles.append(found)
        found.flags = self._number(1)
        kinds = []
        for _ in range(self._number(2)):
            kind = chr(self._number(1))
            self._text()
            if kind in "[L":
                typed = yield self._content()
                if isinstance(typed, str):
                    self._named(typed if typed.startswith("[") else typed.removeprefix("L"), at)
            elif kind not in _SIZES:
                raise MalformedError("has a field of a type that there is not", offset=self.cursor.position - 1)
            kinds.append(kind)
        found.fields = tuple(kinds)
        yield self._annotation()
        found.parent = yield self._content()
        return found

    def _proxy(self) -> _Step:
        found = _Class("", _SERIAL)
        self.handles.append(found)
        at = self.cursor.position
        for _ in range(self._number(4)):
            self._named(self._text(), at)
        yield self._annotation()
        found.parent = yield self._content()
        return found

    def _instance(self, mark: int) -> _Step:
        at = self.cursor.position
        kind = yield self._content()
        if mark == 0x76:
            self.handles.append(None)
            return None
        if not isinstance(kind, _Class):
            raise MalformedError("has an object of no class", offset=at)
        found = _Object(kind, kind.name == _ADDRESS) if mark == 0x73 else None
        self.handles.append(found)
        if mark == 0x7E:
            yield self._content()
        elif mark == 0x75:
            count, of = self._number(4), kind.name[1:2]
            if of in _SIZES:
                self.cursor.skip(count * _SIZES[of])
            else:
                for _ in range(count):
                    yield self._content()
        else:
            yield self._fields(kind, at, found)
        return found

    def _fields(self, kind: _Class, at: int, found: _Object | None) -> _Step:
        """The values of an object: those of the topmost class first."""
        chain: list[_Class] = []
        each: Any = kind
        while isinstance(each, _Class):
            if each in chain or len(chain) > 1_000:
                raise MalformedError("has a class that is above itself", offset=at)
            chain.append(each)
            each = each.parent
        for owner in reversed(chain):
            if owner.flags & _EXTERNAL:
                if not owner.flags & _BLOCKS:
                    raise UnsupportedError("has an object that only its class can read", offset=at)
                yield self._annotation()
            elif owner.flags & _SERIAL:
                for field in owner.fields:
                    if field in _SIZES:
                        self.cursor.skip(_SIZES[field])
                    else:
                        _holds(found, (yield self._content()))
                if owner.flags & _WRITES:
                    yield self._annotation(owner.name, found)

    def _annotation(self, owner: str = "", holder: _Object | None = None) -> _Step:
        """What a class wrote behind its fields; the keys of tables and the members of sets are asked for their hash."""
        count = 0
        while True:
            at = self.cursor.position
            value = yield self._content()
            if value is _END:
                return
            if value is _BLOCK:
                continue
            _holds(holder, value)
            key = owner in _SETS or (owner in _TABLES and count % 2 == 0)
            if key and isinstance(value, _Object) and value.address and self.hashed is None:
                self.hashed = at
            count += 1


_END: Final = object()
_BLOCK: Final = object()


def _holds(holder: _Object | None, value: Any) -> None:
    """Lists and tables are asked for their hash through what they hold."""
    if holder is not None and isinstance(value, _Object) and value.address:
        holder.address = True


def _letters(data: bytes) -> str:
    """Java's own UTF-8: letters may have more bytes than they need, and pairs stand for those beyond 16 bits."""
    if data.isascii():
        return data.decode("ascii")
    out: list[str] = []
    at = 0
    while at < len(data):
        byte = data[at]
        if byte >> 5 == 0b110 and at + 1 < len(data):
            out.append(chr((byte & 0x1F) << 6 | data[at + 1] & 0x3F))
            at += 2
        elif byte >> 4 == 0b1110 and at + 2 < len(data):
            out.append(chr((byte & 0x0F) << 12 | (data[at + 1] & 0x3F) << 6 | data[at + 2] & 0x3F))
            at += 3
        else:
            out.append(chr(byte))
            at += 1
    return "".join(out)
