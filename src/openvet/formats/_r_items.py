"""The walk over the items of R's serialization.

Each item is a generator that yields the items in it, and a list takes the place of the call stack: nesting costs no
recursion. Only what says which functions are named is kept: symbols, short texts and calls.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts
from openvet.formats._r_stream import Binary, Lines

__all__ = ["Walk"]

Item = Generator[Any, Any, Any]

_SYM, _LIST, _CLO, _ENV, _PROM, _LANG, _SPECIAL, _BUILTIN, _CHAR = range(1, 10)
_LGL, _INT, _REAL, _CPLX, _STR, _DOT, _VEC, _EXPR, _BCODE, _EXTPTR, _WEAKREF, _RAW, _S4 = (
    10, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25)  # fmt: skip
_REF, _UNBOUND, _NAMESPACE, _PACKAGE, _PERSIST = 255, 252, 249, 248, 247
_BCREPDEF, _BCREPREF, _ATTRLANG, _ATTRLIST, _ALTREP = 244, 243, 240, 239, 238
_CONSTANTS = {254, 253, 252, 251, 250, 242, 241}
_WIDTH = {_LGL: 4, _INT: 4, _REAL: 8, _CPLX: 16, _RAW: 1}
_PAIRS = {_LIST, _LANG, _CLO, _PROM, _DOT}
_CODE_PAIRS = {_LANG, _LIST, _BCREPDEF, _ATTRLANG, _ATTRLIST}
_ATTRIBUTES, _TAG, _ACTIVE = 0x200, 0x400, 1 << 27

_DEPTH = 20_000
_KEPT = 128
_ARGUMENTS = 8
_DISTINCT = 2000
_WORDS = {"do.call", "get", "get0", "mget", "match.fun", "getFunction", "getFromNamespace", "getExportedValue", "Reduce",
          "Filter", "Map", "lapply", "sapply", "vapply", "mapply", "eval", "evalq", "Recall", "trace", "on.exit",
          "reg.finalizer", "callr", "as.name", "as.symbol", "call", "as.call", "getAnywhere", "Vectorize", "outer"}  # fmt: skip


class _Symbol(str):
    """A name."""

    __slots__ = ()


class _Call:
    """A call: the name of its function, and its first arguments."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name = name
        self.arguments = arguments


_MISSING = object()


class Walk:
    """One walk. ``put`` writes down what it found."""

    def __init__(self, stream: Binary | Lines, facts: Facts) -> None:
        self.stream = stream
        self.facts = facts
        self.refs: list[Any] = []
        self.calls: dict[tuple[str, str], int] = {}
        self.counts: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.names: dict[str, None] = {}
        self.packages: dict[str, None] = {}
        self.steps = 0

    @property
    def at(self) -> int:
        return self.stream.cursor.position

    def run(self, place: str) -> None:
        """Walk one item and all that is in it."""
        stack: list[Item] = [self.item("data", place)]
        value: Any = None
        while stack:
            self.steps += 1
            if self.steps % 4096 == 0:
                self.facts.budget.check_time()
            try:
                child = stack[-1].send(value)
            except StopIteration as done:
                stack.pop()
                value = done.value
            else:
                if len(stack) >= _DEPTH:
                    raise LimitError("nesting", _DEPTH, "items are nested too deeply", offset=self.at)
                stack.append(child)
                value = None

    def put(self) -> None:
        """Record what was found so far."""
        for key, count in sorted(self.counts.items()):
            self.facts.note(key, {"count": count, "first": self.first[key]})
        if self.names:
            self.facts.note("objects", [printable(each) for each in self.names])
        if self.packages:
            self.facts.note("packages", [printable(each) for each in self.packages])
        if self.calls:
            rows = [[where, printable(name), at] for (where, name), at in self.calls.items()]
            self.facts.note("calls", rows)

    def saw(self, what: str, at: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        self.first.setdefault(what, at)

    def called(self, where: str, name: str, at: int) -> None:
        key = (where, shorten(name, _KEPT))
        if key not in self.calls:
            if len(self.calls) >= _DISTINCT:
                raise LimitError("records", _DISTINCT, "names too many functions; the rest was not read", offset=at)
            self.calls[key] = at

    # ------------------------------------------------------------------ items

    def item(self, where: str, place: str = "value", flags: int | None = None) -> Item:
        """One item. ``where`` says what runs it, ``place`` whether it is a variable of an environment."""
        at = self.at
        if flags is None:
            flags = self.stream.integer()
        kind = flags & 0xFF
        if kind in _CONSTANTS:
            return _MISSING if kind == _UNBOUND else None
        if kind in _PAIRS:
            return (yield self.pairs(where, place, flags, at))
        if kind == _REF:
            return self.reference(flags >> 8 or self.stream.integer(), at)
        if kind == _SYM:
            name = yield self.item(where)
            self.refs.append(_Symbol(name or ""))
            return self.refs[-1]
        if kind == _CHAR:
            text = self.text()
            if flags & _ATTRIBUTES:
                yield self.item(where)
            return text
        if kind in {_NAMESPACE, _PACKAGE, _PERSIST}:
            return self.named(kind, at)
        if kind == _ENV:
            return (yield self.environment(where))
        if kind == _ALTREP:
            for _ in range(3):
                yield self.item(where)
            return None
        return (yield self.valued(kind, flags, where, place, at))

    def valued(self, kind: int, flags: int, where: str, place: str, at: int) -> Item:
        """An item that may have attributes behind its value."""
        value: Any = None
        if kind in _WIDTH:
            self.stream.skip(self.length(), _WIDTH[kind])
        elif kind == _STR:
            value = yield self.strings()
        elif kind in {_VEC, _EXPR}:
            inner = place if place == "frame" else "value"
            for _ in range(self.length()):
                yield self.item("expression" if kind == _EXPR and where == "data" else where, inner)
        elif kind in {_SPECIAL, _BUILTIN}:
            self.called(where, self.text() or "", at)
        elif kind == _BCODE:
            self.saw("bytecode", at)
            self.stream.integer()
            yield self.bytecode("bytecode" if where == "data" else where)
        elif kind in {_EXTPTR, _WEAKREF}:
            self.saw("external_pointers" if kind == _EXTPTR else "weak_references", at)
            self.refs.append(None)
            if kind == _EXTPTR:
                yield self.item(where)
                yield self.item(where)
        elif kind == _S4:
            self.saw("s4_objects", at)
        else:
            raise MalformedError(f"an item has type {kind}, which does not exist", offset=at)
        if flags & _ATTRIBUTES:
            yield self.item(where)
        return value

    def reference(self, index: int, at: int) -> Any:
        if not 1 <= index <= len(self.refs):
            raise MalformedError(f"refers to item {index} of {len(self.refs)}", offset=at)
        return self.refs[index - 1]

    def length(self) -> int:
        size = self.stream.integer()
        if size == -1:
            high, low = self.stream.integer(), self.stream.integer()
            size = (high << 32) + (low & 0xFFFFFFFF)
        if size < 0:
            raise MalformedError(f"has a length of {size}", offset=self.at)
        return size

    def text(self) -> str | None:
        size = self.stream.integer()
        if size == -1:
            return None
        if size < 0:
            raise MalformedError(f"a text has a length of {size}", offset=self.at)
        return self.stream.string(size, _KEPT).decode("utf-8", "backslashreplace")

    def strings(self) -> Item:
        """A vector of texts; the first one is kept."""
        first: str | None = None
        for index in range(self.length()):
            flags = self.stream.integer()
            if flags & 0xFF == _CHAR:
                text = self.text()
                if flags & _ATTRIBUTES:
                    yield self.item("data")
            else:
                text = yield self.item("data", "value", flags)
            if index == 0 and isinstance(text, str):
                first = text
            if index % 4096 == 0:
                self.facts.budget.check_time()
        return first

    def named(self, kind: int, at: int) -> None:
        """A package or namespace by its name and version; or an object that only a hook of the program can give."""
        self.stream.integer()
        names: list[str] = []
        for _ in range(self.length()):
            self.stream.integer()
            names.append(self.text() or "")
            if len(names) > 64:
                raise MalformedError("names a package with too many words", offset=at)
        self.refs.append(None)
        if kind == _PERSIST:
            self.saw("persistent_names", at)
        elif names and len(self.packages) < _DISTINCT:
            self.packages[shorten(names[0], _KEPT)] = None

    def environment(self, where: str) -> Item:
        self.stream.integer()
        self.refs.append(None)
        yield self.item(where)
        yield self.item(where, "frame")
        yield self.item(where, "frame")
        yield self.item(where)

    # ------------------------------------------------------------------ pairs

    def pairs(self, where: str, place: str, flags: int, at: int) -> Item:
        """A list, call, function or promise; the rest of a list is walked in a loop."""
        kind = flags & 0xFF
        values: list[Any] = []
        while True:
            if flags & _ATTRIBUTES:
                yield self.item(where)
            tag = (yield self.item(where)) if flags & _TAG else None
            if flags & 0xFF == _CLO:
                return (yield self.closure(where, at))
            if flags & 0xFF == _PROM:
                return (yield self.promise(where, place, at))
            self.define(place, tag)
            if place == "frame" and flags & _ACTIVE:
                self.saw("active_bindings", at)
                value = yield self.item("active-binding")
            else:
                inner = "cell" if place == "frame" else "value"
                value = yield self.item(self.inside(kind, where), inner)
            if len(values) <= _ARGUMENTS:
                values.append(value)
            next_at, flags = self.at, self.stream.integer()
            if flags & 0xFF not in {_LIST, _DOT}:
                yield self.item(where, place, flags)
                break
            del next_at
        if kind == _LANG:
            return self.call(where, values, at)
        return None

    @staticmethod
    def inside(kind: int, where: str) -> str:
        return "call" if kind == _LANG and where == "data" else where

    def define(self, place: str, tag: Any) -> None:
        if place == "top" and isinstance(tag, str) and len(self.names) < _DISTINCT:
            self.names[shorten(tag, _KEPT)] = None

    def closure(self, where: str, at: int) -> Item:
        self.saw("functions", at)
        inside = where if where in {"promise", "active-binding"} else "function"
        yield self.item(inside)
        body = yield self.item(inside)
        if isinstance(body, _Symbol):
            self.called(inside, body, at)

    def promise(self, where: str, place: str, at: int) -> Item:
        """An expression that runs when somebody looks at the value, unless the value is there already."""
        value = yield self.item(where)
        waits = value is _MISSING
        if not waits:
            self.saw("kept_promises", at)
        elif place == "cell":
            self.saw("promises_in_environments", at)
        else:
            self.saw("promises", at)
        yield self.item("promise" if waits else "call")

    def call(self, where: str, values: list[Any], at: int) -> _Call:
        head = values[0] if values else None
        name = ""
        if isinstance(head, str):
            name = head
        elif isinstance(head, _Call) and head.name in {"::", ":::"} and len(head.arguments) > 1:
            name = head.arguments[1] if isinstance(head.arguments[1], str) else ""
        arguments = tuple(values[1:])
        if name:
            self.called("call" if where == "data" else where, name, at)
        if name in _WORDS:
            for each in arguments:
                if isinstance(each, str):
                    self.called("handed-on" if where == "data" else f"{where}/handed-on", each, at)
                elif isinstance(each, _Call) and each.name in {"parse", "str2lang", "str2expression"}:
                    self.called(where, "eval(parse)", at)
        return _Call(name, arguments)

    # --------------------------------------------------------------- bytecode

    def bytecode(self, where: str) -> Item:
        yield self.item(where)
        for _ in range(self.length()):
            at, kind = self.at, self.stream.integer()
            if kind == _BCODE:
                yield self.bytecode(where)
            elif kind in _CODE_PAIRS or kind == _BCREPREF:
                yield self.code_pairs(kind, where, at)
            else:
                # R writes the type in front of the item's own flags
                value = yield self.item(where)
                if isinstance(value, _Symbol):
                    self.called(f"{where}/handed-on", value, at)

    def code_pairs(self, kind: int, where: str, at: int) -> Item:
        """A call among the constants of bytecode, which has a spelling of its own."""
        values: list[Any] = []
        is_call = False
        begun = False
        while kind in _CODE_PAIRS:
            if kind == _BCREPDEF:
                self.stream.integer()
                kind = self.stream.integer()
            if begun and kind in {_LANG, _ATTRLANG}:
                break
            is_call = is_call or kind in {_LANG, _ATTRLANG}
            begun = True
            if kind in {_ATTRLANG, _ATTRLIST}:
                yield self.item(where)
            yield self.item(where)
            value = yield self.code_pairs(self.stream.integer(), where, self.at)
            if len(values) <= _ARGUMENTS:
                values.append(value)
            kind = self.stream.integer()
        else:
            if kind == _BCREPREF:
                self.stream.integer()
                return None
            value = yield self.item(where)
            return self.call(where, values, at) if is_call else value
        raise MalformedError("a call stands where the rest of a list is due", offset=self.at)
