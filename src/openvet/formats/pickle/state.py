"""What one walk knows: the stack, the memo, what containers hold, what was resolved, and what a value is.

Values are integers (:mod:`openvet.formats.pickle.values`). Nothing here decodes bytes and nothing here calls: the walk in
:mod:`openvet.formats.pickle.machine` does the one, :mod:`openvet.formats.pickle.semantics` the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from openvet.core.limits import Limits
from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats.pickle import literals
from openvet.formats.pickle.held import Held
from openvet.formats.pickle.program import Carried, CodeObject, Computed, Mutation, Step
from openvet.formats.pickle.references import MANY, Bags, Ref, References
from openvet.formats.pickle.tape import ELSEWHERE, Tape
from openvet.formats.pickle.values import (
    DICT,
    ENCODED_BIT,
    FROZENSET,
    KEPT_ITEMS,
    LIST,
    LIT,
    OFFSET_SHIFT,
    OPCODE,
    PERSISTENT,
    REF,
    RESULT,
    SET,
    TAG,
    TUPLE,
    UNKNOWN,
    a_of,
    is_plain,
    make,
    offset_of,
    tag_of,
)

__all__ = ["Dtype", "Halt", "State"]

_NAME_BYTES: Final = 4_096
#: Containers whose items are kept, twice.
_GENERATION: Final = 16_384
_MEMO: Final = 12_000_000  # eight bytes each: memory stays flat
_SPARSE: Final = 100_000
#: A memo index that the unpickler in C makes gigabytes of room for, although so many entries were never put.
_FAR: Final = 1 << 24
_MARKS: Final = 1_000_000
_CONTAINERS: Final = frozenset({TUPLE, LIST, DICT, SET, FROZENSET})
#: Literals of one program that hold files and are told apart.
_MOST_FILES: Final = 1_000
#: What copies the bytes that it is given; protocols before 5 write a bytearray as such a call.
_COPIES: Final = frozenset((module, name) for module in ("builtins", "__builtin__") for name in ("bytearray", "bytes"))
_INNER: Final = 100_000
#: Containers in containers that are asked what they got: so many, so deep, and of so many arguments the answer is kept.
_INSIDE: Final = 256
_INSIDE_DEPTH: Final = 4
_WITHIN: Final = 4_096


class Halt(Exception):  # noqa: N818 - control flow inside this package, not an error that anybody sees
    """A strict walk met something that a loader would refuse."""


class Dtype:
    """A dtype of NumPy that the program made: its code, the state that it was given last, and whether its items are or hold objects."""

    __slots__ = ("code", "objects", "state")

    def __init__(self, code: str, *, objects: bool = False) -> None:
        self.code = code
        self.objects = objects
        self.state: int | None = None


class State(ABC):
    """Stack, memo, records and references of one program, and what its values are."""

    def __init__(self, limits: Limits, *, strict: bool = False, curious: bool = True) -> None:
        self.limits = limits
        self.strict = strict
        self.curious = curious
        self.held = Held(_GENERATION)
        self.memo_most = min(limits.memo, _MEMO)
        self.far_memo = False
        self.tape = Tape(self.held, self.memo_most, _MARKS, curious=curious)
        #: entries of the memo that are too far apart for a dense one
        self.sparse: dict[int, int] = {}
        self.inner: dict[int, int] = {}
        self.keyed: dict[int, list[tuple[str, int]]] = {}
        self.bags = Bags()
        self.references = References()
        self.refs = self.references.rows
        self.extensions: dict[int, int] = {}
        self.protocol = 0
        self.highest_protocol = 0
        self.broken: str | None = None
        self.broken_at: int | None = None
        self.mutations: list[Mutation] = []
        self.computed: list[Computed] = []
        self.carried: list[Carried] = []
        #: literals that hold an archive, a store or a program, which are read as files
        self.containers: list[Carried] = []
        self.codes: list[CodeObject] = []
        self.files: set[int] = set()  # literals that are an archive, and what holds one in memory
        self.rebuilds: set[int] = set()  # where a function of numba's own was put together
        self.compiles = True  # every function of numba is one that never falls back to the interpreter
        self._carried_at: dict[int, int] = {}
        self.persistent = 0
        self.persistent_first: list[str] = []
        self.dropped = 0
        #: every call in order, where somebody wants them
        self.steps: list[Step] | None = None
        self.steps_dropped = 0
        #: a wrapper was built behind which joblib puts raw bytes: its state
        self.wrapper: int | None = None
        #: what follows cannot be told from raw bytes
        self.raw_follows = False
        #: arrays of joblib before 0.10: offset, class of the wrapper, the name of the file beside that holds the array
        self.beside: list[tuple[int, str, str | None]] = []
        self.dtypes: dict[int, Dtype] = {}
        #: what is large of that which calls gave (:mod:`openvet.formats.pickle.resources`), and all bytes that they take
        self.sizes: dict[int, tuple[str, int]] = {}
        self.taken = 0
        tape = self.tape
        tape.sizes = self.sizes
        tape.refs, tape.inner, tape.keyed, tape.carried_at = self.refs, self.inner, self.keyed, self._carried_at
        self._texts: dict[int, str | None] = {}
        self._names: dict[tuple[int, int], int] = {}
        self._depth = 0
        self._records = 0
        self._put = 0  # how often a container got a reference that it had not
        self._within: dict[int, tuple[tuple[int, int], int]] = {}

    # bytes, which the walk provides

    @abstractmethod
    def peek(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``; fewer where the stream ends."""

    # failures

    def soft(self, reason: str, offset: int) -> None:
        """Note where a loader would fail; the walk goes on unless it is strict."""
        if self.strict:
            raise Halt
        if self.broken is None:
            self.broken = reason
            self.broken_at = offset

    def room(self) -> bool:
        """Whether one more record may be kept; counts those that may not."""
        if self._records >= self.limits.records:
            self.dropped += 1
            return False
        self._records += 1
        return True

    def compute(self, kind: str, detail: str, offset: int, opcode: str) -> None:
        if self.room():
            self.computed.append(Computed(offset, opcode, kind, detail))

    # the stack

    def push(self, value: int) -> None:
        self.tape.push(value)

    def pop(self, offset: int) -> int:
        value = self.tape.pop()
        if value:
            return value
        self.soft("takes a value from an empty stack", offset)
        return make(UNKNOWN, 0, offset)

    def top(self, offset: int) -> int:
        value = self.tape.top()
        if value:
            return value
        self.soft("needs a value on an empty stack", offset)
        return make(UNKNOWN, 0, offset)

    def pop_mark(self, offset: int) -> list[int]:
        """The values above the last mark; the mark goes too."""
        if not self.tape.marked:
            self.soft("needs a mark where there is none", offset)
        return self.tape.pop_mark()

    @property
    def result(self) -> int:
        """What is on top of the stack when everything was walked, or 0."""
        return self.tape.result()

    # the memo

    def memo_put(self, index: int, value: int, offset: int) -> None:
        """PUT in every form. CPython's MEMOIZE counts entries, so both must share one count."""
        tape = self.tape
        if index < tape.memo_size:
            if not tape.memo_at(index) and index not in self.sparse:
                tape.memo_count += 1
            tape.memo_set(index, value)
            return
        if index not in self.sparse:
            tape.memo_count += 1
        if tape.memo_count > self.memo_most:
            raise LimitError("memo", self.memo_most, "the pickle's memo is too large", offset=offset)
        if index <= 2 * tape.memo_count + 1024:
            tape.memo_set(index, value)
            self.sparse.pop(index, None)
        else:
            if len(self.sparse) >= _SPARSE:
                raise LimitError("memo", _SPARSE, "the pickle's memo has too many far-apart entries", offset=offset)
            if index >= _FAR and not self.far_memo:
                self.far_memo = True
                self.compute("memo", f"memo entry {index}", offset, "PUT")
            self.sparse[index] = value
            tape.dense = False

    def memo_get(self, index: int, offset: int) -> int:
        value = self.tape.memo_at(index) or self.sparse.get(index, 0)
        if not value:
            self.soft(f"gets memo entry {index}, which was never put", offset)
            return make(UNKNOWN, 0, offset)
        return value

    # looking at values

    def text(self, value: int) -> str | None:
        """The text of a literal, or ``None`` where the value is no text literal."""
        if value & TAG != LIT or value & ENCODED_BIT:
            return None
        word = self.tape.word(value)
        if word is not None:
            return word.decode("utf-8", "surrogateescape")
        cached = self._texts.get(value, "")
        if cached or (cached is None):
            return cached
        text = literals.text_of(self.peek, offset_of(value), a_of(value), _NAME_BYTES)
        if len(self._texts) >= _NAME_BYTES:
            self._texts.clear()
        self._texts[value] = text
        return text

    def integer(self, value: int) -> int | None:
        number = self.tape.number(value)
        if number != ELSEWHERE:
            return number
        return literals.integer_of(self.peek, offset_of(value), a_of(value)) if tag_of(value) == LIT else None

    def items(self, value: int) -> list[int] | None:
        """The items of a container while they are remembered (at most the first 64)."""
        if value & TAG not in _CONTAINERS:
            return None
        held = self.held.get(value >> OFFSET_SHIFT)
        return None if held is None else held[1 : KEPT_ITEMS + 1]

    def sure(self, value: int) -> list[int] | None:
        """All items of a container, where it is certain that they are what it holds now.

        A list, dict or set that existed when something was called may have been changed by that call
        (``list.reverse``), and of a long one only the first items are kept.
        """
        tag = tag_of(value)
        if tag in (LIST, DICT, SET) and offset_of(value) < self.tape.called_at:
            return None
        held = None if tag not in (TUPLE, LIST, DICT, SET, FROZENSET) else self.held.get(offset_of(value))
        return None if held is None or held[0] != len(held) - 1 or held[0] > KEPT_ITEMS else held[1:]

    def bag(self, value: int) -> int:
        """Which references ``value`` is or holds."""
        tag = tag_of(value)
        if tag == LIT:
            return 0
        if tag in (TUPLE, FROZENSET):
            return a_of(value)
        if tag == REF:
            ref = self.refs[a_of(value)]
            own = self.bags.of(a_of(value)) if ref.kind in ("global", "method", "unknown") else 0
            if ref.kind == "global" and "." not in ref.name:
                ref.own = own
                return own
            return self.bags.join(own, ref.bag)
        inner = self.inner.get(offset_of(value), 0)
        if tag == RESULT:
            return self.bags.join(inner, self.refs[a_of(value)].bag)
        if self.tape.inner_full and tag in (LIST, DICT, SET):
            return self.bags.join(inner, MANY)
        return inner

    def bag_of_all(self, items: list[int]) -> int:
        bag = 0
        for item in items:
            if not is_plain(item):
                bag = self.bags.join(bag, self.bag(item))
        return bag

    def show(self, value: int, depth: int = 0) -> str:
        """A value as people read it: printable and bounded in depth and count."""
        tag = tag_of(value)
        if tag == LIT:
            return literals.show_literal(self.peek, offset_of(value), a_of(value) & OPCODE)
        if tag == REF:
            return shorten(printable(self.refs[a_of(value)].qualified), 200)
        if tag == RESULT:
            return shorten(printable(self.refs[a_of(value)].qualified), 200) + "(…)"
        if tag == PERSISTENT:
            return "<persistent object>"
        if tag == UNKNOWN:
            return "<unknown>"
        left, right = {TUPLE: ("(", ")"), LIST: ("[", "]")}.get(tag, ("{", "}"))
        held = self.held.get(offset_of(value))
        if held is None or depth >= 3:
            return f"{left}…{right}"
        shown = [self.show(item, depth + 1) for item in held[1:9]]
        if tag == DICT:
            shown = [": ".join(shown[at : at + 2]) for at in range(0, len(shown), 2)]
        if held[0] > 8:
            shown.append("…")
        if tag == TUPLE and len(shown) == 1:
            shown.append("")
        return f"{left}{', '.join(shown).rstrip()}{right}"

    # literals that hold programs

    def note_carried(self, offset: int, start: int, size: int, kind: str) -> None:
        if self.room():
            self._carried_at[offset] = len(self.carried)
            self.carried.append(Carried(start, size, kind))

    def note_container(self, start: int, size: int, kind: str) -> None:
        """A literal holds a file that is read by itself; calls that get it stay as they are."""
        if len(self.containers) < _MOST_FILES:
            self.containers.append(Carried(start, size, kind))
        else:
            self.dropped += 1

    def is_carried(self, value: int) -> bool:
        """Whether a literal holds a program that is walked by itself."""
        return tag_of(value) == LIT and offset_of(value) in self._carried_at

    def mark_given(self, ref: Ref, items: list[int], offset: int) -> None:
        """The call at ``offset`` loads the literals that it gets, or only copies one: whatever gets the copy gets the program."""
        copies = (ref.module, ref.name) in _COPIES and ref.kind == "global"
        if not copies or len(self._carried_at) >= self.limits.records:
            self.mark_loaded(ref, items)
            return
        at = self._carried(items[0]) if items else None
        if at is not None:
            self._carried_at[offset] = at

    def mark_loaded(self, ref: Ref, items: list[int]) -> None:
        for item in items:
            at = self._carried(item)
            if at is not None and not self.carried[at].loaded:
                old = self.carried[at]
                self.carried[at] = Carried(old.start, old.size, old.kind, ref.qualified)

    def _carried(self, value: int) -> int | None:
        """Which of the literals that hold programs a value is, or is a copy of."""
        return self._carried_at.get(offset_of(value)) if tag_of(value) in (LIT, RESULT) else None

    # what containers got inside of others

    def put_inside(self, identity: int, bag: int) -> None:
        old = self.inner.get(identity)
        if old is None and len(self.inner) >= _INNER:
            self.tape.inner_full = True
            return
        joined = self.bags.join(old or 0, bag)
        if joined != old:
            self.inner[identity] = joined
            self._put += 1

    def bag_within(self, items: list[int], bag: int, arguments: int) -> int:
        """:meth:`_bag_inside`, found once for arguments that are used again while no container gets anything new."""
        known = self._within.get(arguments)
        if known is not None and known[0] == (self._put, len(items)):
            return known[1]
        found = self._bag_inside(items, bag)
        if len(self._within) >= _WITHIN:
            self._within.clear()
        self._within[arguments] = ((self._put, len(items)), found)
        return found

    def _bag_inside(self, items: list[int], bag: int) -> int:
        """``bag`` and what containers inside of ``items`` got only after they were put there."""
        if not self.inner and not self.tape.inner_full:
            return bag  # no container got anything but data
        waiting = [(item, _INSIDE_DEPTH) for item in items if tag_of(item) in _CONTAINERS]
        seen = len(items)
        while waiting:
            item, depth = waiting.pop()
            bag = self.bags.join(bag, self.bag(item))
            inside = self.items(item) if depth and seen < _INSIDE else None
            if inside:
                seen += len(inside)
                holders = (each for each in inside if tag_of(each) in _CONTAINERS)
                waiting.extend((each, depth - 1) for each in holders)
        return bag
