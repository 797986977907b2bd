"""What a pickle would build, as a graph of values: the machine's walk with everything kept that its readers may forget.

A node is the machine's own value (:mod:`openvet.formats.pickle.values`). Nothing is made of it here; whoever walks the graph asks
what a node is and what it holds.
"""

from __future__ import annotations

import base64
import struct
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats.pickle.held import Held
from openvet.formats.pickle.literals import is_bytes, is_text, span, text_of, type_name
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.values import (
    DICT,
    ENCODED,
    FROZENSET,
    LIST,
    LIT,
    OPCODE,
    PERSISTENT,
    REF,
    RESULT,
    SET,
    TUPLE,
    UNKNOWN,
    a_of,
    offset_of,
    tag_of,
)
from openvet.io.source import Source

__all__ = ["CONTAINERS", "PLAIN_CALLS", "Graph", "Made", "NotPlainError"]

CONTAINERS: Final = frozenset({TUPLE, LIST, DICT, SET, FROZENSET})
#: Opcodes of one pickle: a checkpoint has some thirty for each tensor, and each may keep a value.
_OPCODES: Final = 10_000_000
_TEXT: Final = 64 * 1024
_DEPTH: Final = 64
_EXACT: Final = 2**53
#: Values that one try to write something as text may take, and all tries together: containers may be shared.
_TRY: Final = 50_000
_TRIES: Final = 5_000_000

#: Calls whose result is nothing but their arguments, and which nothing can tell from data.
PLAIN_CALLS: Final = frozenset(
    {
        ("torch", "Size"),
        ("torch", "device"),
        ("builtins", "complex"),
        ("builtins", "slice"),
        ("builtins", "range"),
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("builtins", "bytearray"),
        ("datetime", "datetime"),
        ("datetime", "date"),
        ("datetime", "timedelta"),
        ("numpy", "dtype"),
        ("pathlib", "PosixPath"),
        ("pathlib", "PurePosixPath"),
        ("pathlib", "WindowsPath"),
        ("pathlib._local", "PosixPath"),
    }
)


class NotPlainError(Exception):
    """The value is more than numbers, text and containers of such, or too large to be written down as text."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call of a name with known arguments that gave a value."""

    module: str
    name: str
    items: list[int] | None
    offset: int

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.name}"


class _Everything(Held):
    """Containers with all of their items; the count of opcodes bounds how many that can be."""

    __slots__ = ("_all", "forgotten")

    def __init__(self) -> None:
        super().__init__(0)
        self._all: dict[int, list[int]] = {}
        self.forgotten: set[int] = set()

    def put(self, identity: int, items: list[int]) -> None:
        self._all[identity] = items

    def get(self, identity: int) -> list[int] | None:
        return self._all.get(identity)

    def forget(self, identity: int) -> None:
        self.forgotten.add(identity)

    def extend(self, identity: int, items: list[int], kept: int = 0) -> None:  # noqa: ARG002 - everything is kept
        held = self._all.get(identity)
        if held is not None:
            held.extend(items)
            held[0] += len(items)


class Graph(Machine):
    """One pickle, walked to its end with all that it holds."""

    def __init__(self, source: Source, budget: Budget, *, start: int = 0) -> None:
        super().__init__(source, budget, start=start, opcodes=min(budget.limits.opcodes, _OPCODES))
        self._everything = _Everything()
        self.held = self._everything
        self.tape.held = self.held
        self.tape.kept = _OPCODES
        self.made: dict[int, Made | None] = {}
        self.persistents: dict[int, int] = {}
        self.filled: dict[int, list[tuple[bool, list[int]]]] = {}
        self.built: dict[int, list[int]] = {}
        #: the array that joblib put there, by the value that stands for it, and the state of its wrapper
        self.raw: dict[int, tuple[Any, int]] = {}
        self.encodings: dict[int, str] = {}
        self.inner_pickle = self._inner
        self._tried = 0
        self._try_ends = 0
        self._deepest = 0
        self._plain: dict[int, tuple[Any, int, int]] = {}

    # what is kept

    def _invoke(self, index: int, items: list[int] | None, bag: int, offset: int, opcode: str) -> int:
        result = super()._invoke(index, items, bag, offset, opcode)
        ref = self.refs[index]
        if tag_of(result) == RESULT and a_of(result) == index and ref.kind == "global":
            # two calls at one offset: whoever made them, which of them the value comes from is not known
            again = result in self.made
            self.made[result] = None if again else Made(ref.module, ref.name, items, offset)
        elif tag_of(result) == LIT and a_of(result) & ENCODED and items:
            name = self.text(items[1]) if len(items) > 1 else "utf-8"
            if self.encodings.setdefault(offset_of(result), (name or "").lower()) != (name or "").lower():
                self.encodings[offset_of(result)] = ""
        return result

    def persist(self, identifier: int, offset: int) -> None:
        super().persist(identifier, offset)
        self.persistents[self.top(offset)] = identifier

    def fill(self, container: int, items: list[int], offset: int, opcode: str) -> None:
        if tag_of(container) in (RESULT, PERSISTENT, UNKNOWN):
            pairs = opcode in ("SETITEM", "SETITEMS")
            self.filled.setdefault(container, []).append((pairs, items))
        super().fill(container, items, offset, opcode)

    def build(self, instance: int, state: int, offset: int) -> None:
        self.built.setdefault(instance, []).append(state)
        super().build(instance, state, offset)

    def _raw_array(self, position: int) -> int:
        state, before = self.wrapper, len(self.arrays)
        following = super()._raw_array(position)
        if len(self.arrays) > before and state is not None:
            self.raw[self.top(position)] = (self.arrays[-1], state)
        return following

    def _inner(self, start: int) -> int | None:
        """Where a pickle ends that joblib put between the opcodes: an array of objects, which is no data."""
        inner = Machine(self.source, self.budget, start=start, opcodes=max(self.allowed - self.tape.count, 1))
        inner.run()
        return inner.end if inner.stopped else None

    def check(self) -> None:
        """Whether what was walked is all that a loader would make of it.

        Raises:
            MalformedError, LimitError, UnsupportedError: it is not, and why.
        """
        if self.hit_limit:
            raise LimitError("opcodes", self.allowed, self.broken or "the pickle is too large", offset=self.broken_at)
        if self.broken is not None or not self.stopped:
            raise MalformedError(f"the pickle breaks: {self.broken or 'it does not end'}", offset=self.broken_at)
        if self.frames:
            offset, message = self.frames[0]
            raise MalformedError(f"two unpicklers would make different things of it: {message}", offset=offset)
        if self.raw_follows:
            raise UnsupportedError("where an array ends that joblib put here cannot be told", offset=self.end)
        if self.references.overflow:
            raise LimitError("records", len(self.refs), "the pickle resolves too many names", offset=self.start)

    # what a node is

    def what(self, value: int) -> str:
        """The node in a few words."""
        return shorten(self.show(value), 120)

    def call_of(self, value: int) -> Made | None:
        """The call that made a value, if it is certain."""
        return self.made.get(value) if tag_of(value) == RESULT else None

    def children(self, value: int) -> list[int]:
        """All items of a container; of a dictionary keys and values in turn, the last value of a key that comes twice."""
        held = self.held.get(offset_of(value))
        if held is None or offset_of(value) in self._everything.forgotten:
            raise NotPlainError("a container whose items were set in a way that is not followed")
        return held[1:]

    def pairs(self, value: int) -> list[tuple[int, int]]:
        """Keys and values of a dictionary, or of a call that made one (``OrderedDict``, ``defaultdict``)."""
        items: list[int] = []
        if tag_of(value) == DICT:
            items = self.children(value)
        else:
            made = self.call_of(value)
            given = (made.items or []) if made else []
            for each in given[-1:]:
                if tag_of(each) == DICT:
                    items += self.children(each)
                elif tag_of(each) in (LIST, TUPLE):  # Python 2 wrote a list of pairs
                    for pair in self.children(each):
                        both = self.children(pair) if tag_of(pair) in (LIST, TUPLE) else []
                        if len(both) != 2:
                            raise NotPlainError("a dictionary made of something else than pairs")
                        items += both
        for by_key, more in self.filled.get(value, []):
            if not by_key:
                raise NotPlainError("items without keys in a dictionary")
            items += more
        last: dict[Any, tuple[int, int]] = {}
        for at in range(0, len(items) - 1, 2):
            last[self._identity(items[at])] = (items[at], items[at + 1])
        return list(last.values())

    def _identity(self, key: int) -> Any:
        text = self.text(key)
        if text is not None:
            return text
        number = self.integer(key)
        return ("int", number) if number is not None else ("node", key)

    def raw_bytes(self, value: int) -> tuple[int, int] | None:
        """Offset and size of a literal's bytes where they stand in the source as they are."""
        if tag_of(value) != LIT or a_of(value) & ENCODED or not is_bytes(a_of(value) & OPCODE):
            return None
        return span(self.peek, offset_of(value), a_of(value) & OPCODE, _TEXT)

    # plain values

    def plain(self, value: int, depth: int = 0) -> Any:
        """The value as JSON, with what JSON does not have as an object of one member that names its type.

        Raises:
            NotPlainError: it is more than data, or too large.
        """
        if not depth:
            self._try_ends = self._tried + _TRY
            self._deepest = 0
            self._plain.clear()
        # what is held in many places is written in each of them: it is looked at once, and counts as often as it is held
        known, tries, height = self._plain.get(value, (None, 1, 0))
        before, outer = self._tried, self._deepest
        self._tried = min(before + tries, self._try_ends + 1)
        if self._tried > _TRIES:
            raise LimitError("records", _TRIES, "the checkpoint holds too many values that are no tensors")
        if depth + height > _DEPTH or self._tried > self._try_ends:
            raise NotPlainError("too large, or nested too deeply")
        self._deepest = depth + height
        if not height:
            known = self._plain_node(value, depth)
            height = self._deepest - depth
            if height:
                self._plain[value] = known, self._tried - before, height
        self._deepest = max(outer, self._deepest)
        return known

    def _plain_node(self, value: int, depth: int) -> Any:
        tag = tag_of(value)
        if tag == LIT:
            return self._plain_literal(value)
        if tag == REF:
            ref = self.refs[a_of(value)]
            if ref.kind != "global":
                raise NotPlainError("a callable")
            return {"name": printable(ref.qualified)}
        if tag == DICT:
            return self._plain_pairs(self.pairs(value), depth)
        if tag in CONTAINERS:
            items = [self.plain(each, depth + 1) for each in self.children(value)]
            word = {TUPLE: "tuple", SET: "set", FROZENSET: "frozenset"}.get(tag)
            return items if word is None else {word: items}
        made = self.call_of(value)
        if made is None or self.built.get(value):
            raise NotPlainError("an object")
        if (made.module, made.name) == ("collections", "OrderedDict"):
            return {"OrderedDict": self._plain_list(self.pairs(value), depth)}
        if (made.module, made.name) not in PLAIN_CALLS or made.items is None or self.filled.get(value):
            raise NotPlainError("the result of a call")
        return {"call": made.qualified, "arguments": [self.plain(each, depth + 1) for each in made.items]}

    def _plain_list(self, pairs: list[tuple[int, int]], depth: int) -> list[Any]:
        return [[self.plain(key, depth + 1), self.plain(item, depth + 1)] for key, item in pairs]

    def _plain_pairs(self, pairs: list[tuple[int, int]], depth: int) -> Any:
        listed = self._plain_list(pairs, depth)
        if len(listed) == 1 or not all(isinstance(key, str) for key, _ in listed):
            return {"dict": listed}  # an object of one member names a type
        return dict(listed)

    def _plain_literal(self, value: int) -> Any:
        opcode = a_of(value) & OPCODE
        start, size = span(self.peek, offset_of(value), opcode, _TEXT)
        if size >= _TEXT:
            raise NotPlainError(f"{size} bytes")
        if a_of(value) & ENCODED:  # how protocol 2 writes bytes
            text = text_of(self.peek, offset_of(value), opcode, _TEXT)
            encoding = self.encodings.get(offset_of(value), "")
            if text is None or not encoding:
                raise NotPlainError("bytes that are written in an unusual way")
            try:
                return {"bytes": base64.b64encode(text.encode(encoding)).decode()}
            except UnicodeError:
                raise NotPlainError("bytes that are written in an unusual way") from None
        if is_text(opcode):
            text = text_of(self.peek, offset_of(value), opcode, _TEXT)
            if text is None:
                raise NotPlainError("text that is not known")
            try:
                text.encode()
            except UnicodeEncodeError:  # bytes of Python 2, or half of a pair
                return {"text": printable(text)}
            return text
        if is_bytes(opcode):
            return {type_name(opcode): base64.b64encode(self.source.read(start, size)).decode()}
        kind = type_name(opcode)
        if kind == "NoneType":
            return None
        if kind == "bool":
            return opcode == 0x88
        if kind == "int":
            if opcode == 0x49 and self.peek(start, size).strip() in (b"00", b"01"):
                return self.peek(start, size).strip() == b"01"
            number = self.integer(value)
            if number is None:
                raise NotPlainError("a number that is too long")
            return number if abs(number) < _EXACT else {"int": str(number)}
        raw = self.peek(start, size)
        real = struct.unpack(">d", raw)[0] if opcode == 0x47 else float(raw)
        return real if real - real == 0 else {"float": str(real)}
