"""Stack, marks and memo of one walk in typed buffers, and the loop over opcodes that only move data.

Almost every opcode of a big pickle is a literal, a memo entry or a batch of items. :meth:`Tape.run` takes as many of these as
follow one another and returns at the first one that may resolve, call or fail, or that somebody has to look at; the machine
treats that one and comes back. So there is one loop for everything, and it is short enough to be compiled: ``tape.pxd`` gives
the types, ``setup.py`` compiles this very file where there is a compiler, and where there is none it runs as it stands.

Calls are among them where nothing new can come of them: a callable that was called often enough to be kept no more, that leads
nowhere else (``Ref.settled``), and whose arguments hold nothing but data. It is long for one file because a compiled loop
cannot be parted without paying at every opcode.

A value is never 0 (:mod:`openvet.formats.pickle.values`), so 0 stands for "none".
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from openvet.formats.pickle import opcodes
from openvet.formats.pickle.held import Held, Weights
from openvet.formats.pickle.values import KEPT_ITEMS

if TYPE_CHECKING:
    from openvet.formats.pickle.references import Ref
    from openvet.formats.pickle.semantics import Semantics

__all__ = ["BLOCK", "COMPILED", "ELSEWHERE", "HAND", "LEFT", "LOOK", "Tape"]

#: Whether this file runs compiled.
COMPILED = not __file__.endswith((".py", ".pyc"))

# Why a run ended: the block's end, an opcode for the machine, an opcode behind the end of its frame, a literal to look at.
BLOCK = _BLOCK = 0
HAND = _HAND = 1
LEFT = _LEFT = 2
LOOK = _LOOK = 3

# The kinds of :mod:`openvet.formats.pickle.opcodes` and the words of :mod:`openvet.formats.pickle.values` that the loop needs;
# a compiled loop has them as numbers of the machine. A test holds them to their origins.
_FIXED = 1
_LENGTH1 = 2
_LENGTH4 = 3
_LENGTH8 = 4
_MEMOIZE = 6
_BINPUT = 7
_LONG_BINPUT = 8
_BINGET = 9
_LONG_BINGET = 10
_MARK = 11
_EMPTY = 12
_TUPLE1 = 13
_TUPLE2 = 14
_TUPLE3 = 15
_SETITEMS = 17
_APPENDS = 18
_OP_TUPLE = 0x74
_OP_REDUCE = 0x52
_OP_NEWOBJ = 0x81
_OP_BUILD = 0x62
_OP_ADDITEMS = 0x90
_OP_SETITEM = 0x73
_OP_APPEND = 0x61
_OP_BINPERSID = 0x51
_OP_BININT1 = 0x4B
_OP_BININT2 = 0x4D
_OP_BININT = 0x4A
_OP_BINUNICODE = 0x58
_OP_SHORT_BINUNICODE = 0x8C
_KEPT_ITEMS = KEPT_ITEMS
_LIT = 1
_TUPLE = 2
_LIST = 3
_DICT = 4
_SET = 5
_FROZENSET = 6
_REF = 7
_RESULT = 8
_PERSISTENT = 9
_TAG = 0xF
_TAG_AND_A = 0xFFFFFF
_A_SHIFT = 4
_OFFSET_SHIFT = 24

_ENCODED_BIT = 0x1000
_SETTLED_ENCODES = 2
_SETTLED_SHAPED = 3
#: Bytes of an array that count as nothing.
_SMALL = 4096
_DEEP_SHIFT = 40
_WEIGHT = (1 << 40) - 1
#: What :meth:`Tape.number` gives where it knows no number.
ELSEWHERE = _ELSEWHERE = -(1 << 62)
#: A literal shorter than this holds no program that does anything.
_LOOK_FROM = 16
#: Names of the interpreter's own begin with this; two of them are looked for, which have so many letters.
_UNDERSCORE = 0x5F
_INTERFACE = 19
_CUDA_INTERFACE = 24
#: A literal of this size may be a tar, or a zip behind something else, whatever it begins with.
_LARGE = 512


def _sort_of_literals() -> bytes:
    """1 for opcodes of text, 2 for those of bytes, 0 for all others."""
    table = bytearray(256)
    for code in b"SUTVX\x8c\x8d":
        table[code] = 1
    for code in b"CB\x8e\x96":
        table[code] = 2
    return bytes(table)


def _first_bytes() -> bytes:
    """1 for the first bytes of literals of bytes that are worth a second look (:mod:`openvet.formats.pickle.nested`)."""
    table = bytearray(256)
    for byte in b"\x80\xe3c(x\x1fB\xfd\xc2\x8c\x95":
        table[byte] = 1
    return bytes(table)


def _first_pairs() -> bytes:
    """1 for the first two bytes of literals of text, or of text as bytes, that are worth a second look.

    They begin a pickle as escaped or Latin-1 text, or one in base64, base32, base85 or hexadecimal digits, perhaps compressed;
    or a file (:mod:`openvet.formats.pickle.containers`) in any of these, or as it is; or a name of the interpreter's own
    (:mod:`openvet.formats.pickle.addresses`).
    """
    table = bytearray(1 << 16)
    table[0x80 << 8 : 0x81 << 8] = b"\1" * 256
    table[0xC280] = 1
    for pair in (b"PK", b"7z", b"\x89H", b"\xc2\x89", b"\x93N", b"\xc2\x93", b"\x7fE", b"\xcf\xfa", b"\xce\xfa", b"\xc3\x8f", b"\xc3\x8e", b"Ra",
                 b"MZ", b"ZF", b"(\xb5", b"(\xc2", b"\x04\"", b"\x1f\x8b", b"\x1f\xc2", b"BZ", b"\xfd7", b"\xc3\xbd", b"x\x9c", b"x\xc2", b"x\xda", b"x\xc3",
                 b"x\1", b"x^", b"UE", b"iU", b"N3", b"k0", b"f0", b"_T", b"KL", b"BC", b"TV", b"Wk", b"50", b"89", b"37", b"93", b"7f", b"7F", b"1f", b"1F", b"42", b"fd",
                 b"FD", b"04", b"78", b"KB", b"RF", b"D6", b"G5", b"P)", b"0x", b"0X", b"da", b"SD", b"ZU", b"VU", b"aV"):  # fmt: skip
        table[pair[0] << 8 | pair[1]] = 1
    for pair in (b"gA", b"Y1", b"Y2", b"Y3", b"KG", b"KF", b"jA", b"eJ", b"eA", b"eF", b"eN", b"H4", b"Ql", b"/T", b"80", b"63", b"28", b"8c", b"8C", b"RQ", b"QA", b"MN",
                 b"FB", b"fB", b"fC", b"J-", b"]\0", b"__"):  # fmt: skip
        table[pair[0] << 8 | pair[1]] = 1
    return bytes(table)


_PAIRS = _first_pairs()


class Tape:
    """The buffers of one walk.

    Attributes:
        held: what containers hold, as far as it is kept.
        kept: how many items of one container are kept.
        depth: how many values are on the stack.
        marked: how many marks are set.
        hot: no value above this index of the stack is anything but plain data.
        memo_size: entries of the dense memo, empty ones included.
        memo_count: entries that were put.
        dense: whether all of them are in the dense memo.
        count: opcodes that were run, by whomever.
        why: why the last run ended.
        last: offset of the opcode at which it ended.
        alone: nobody lists every call, so that a call of a settled callable needs no hand.
        observed: somebody follows data while the machine walks, and wants to hear of every call and persistent id.
        followed: identities of the values of which the observer wants to hear where they are put.
        machine: the walk that this is the tape of, which tells the observer.
        called_at: where something was called last that may have changed lists, dictionaries and sets.
        inner, inner_full, keyed, carried_at, refs, sizes: those of the walk's state.
        weights: of tuples that hold tuples.
    """

    def __init__(self, held: Held, memo_most: int, marks_most: int, *, curious: bool = True) -> None:
        self.held = held
        self.memo_most = memo_most
        self.marks_most = marks_most
        self.curious = curious
        self.kept = KEPT_ITEMS
        self.depth = 0
        self.marked = 0
        self.hot = -1
        self.memo_size = 0
        self.memo_count = 0
        self.dense = True
        self.count = 0
        self.why = _BLOCK
        self.last = 0
        # what the other half of the walk knows, for the opcodes that call: see :class:`openvet.formats.pickle.state.State`
        self.alone = False
        self.observed = False
        self.followed: set[int] = set()
        self.machine: Semantics | None = None
        self.called_at = -1
        self.inner_full = False
        self.refs: list[Ref] = []
        self.inner: dict[int, int] = {}
        self.keyed: dict[int, list[tuple[str, int]]] = {}
        self.carried_at: dict[int, int] = {}
        self.sizes: dict[int, tuple[str, int]] = {}
        self.weights = Weights()
        self._stack = array("q", bytes(8 * 256))
        self._room = 256
        self._marks = array("q", bytes(8 * 64))
        self._marks_room = 64
        self._memo = array("q", bytes(8 * 256))
        self._memo_room = 256
        self._kinds = opcodes.KIND
        self._widths = opcodes.WIDTH
        self._sorts = _sort_of_literals()
        self._block = b""
        self._from = 0
        self._firsts = _first_bytes()
        self._pairs = _PAIRS

    # growing, by half each time

    def _grow_stack(self) -> None:
        room = self._room + (self._room >> 1)
        new = array("q", bytes(8 * room))
        into = new
        into[: self.depth] = self._stack[: self.depth]
        self._stack = new
        self._room = room

    def _grow_marks(self) -> None:
        room = self._marks_room * 2
        new = array("q", bytes(8 * room))
        into = new
        into[: self.marked] = self._marks[: self.marked]
        self._marks = new
        self._marks_room = room

    def _grow_memo(self, least: int) -> None:
        room = max(self._memo_room + (self._memo_room >> 1), least)
        new = array("q", bytes(8 * room))
        into = new
        into[: self.memo_size] = self._memo[: self.memo_size]
        self._memo = new
        self._memo_room = room

    # the stack

    def push(self, value: int) -> None:
        """Put a value on the stack, and remember whether it is more than data."""
        if self.depth == self._room:
            self._grow_stack()
        self._stack[self.depth] = value
        tag = value & _TAG
        if tag != _LIT and not (tag in (_TUPLE, _FROZENSET) and not value & _TAG_AND_A & ~_TAG):
            self.hot = self.depth
        self.depth += 1

    def pop(self) -> int:
        """The value on top, or 0 where there is none above the last mark."""
        floor = self._marks[self.marked - 1] if self.marked else 0
        if self.depth <= floor:
            return 0
        self.depth -= 1
        return self._stack[self.depth]

    def top(self) -> int:
        """The value on top without taking it, or 0."""
        floor = self._marks[self.marked - 1] if self.marked else 0
        return self._stack[self.depth - 1] if self.depth > floor else 0

    def result(self) -> int:
        """The value on top whatever marks there are, or 0."""
        return self._stack[self.depth - 1] if self.depth else 0

    def mark_on_top(self) -> bool:
        """Whether a mark is on top of everything; takes it where it is."""
        if self.marked and self._marks[self.marked - 1] == self.depth:
            self.marked -= 1
            return True
        return False

    def pop_mark(self) -> list[int]:
        """The values above the last mark, which goes too; all of them where there is no mark."""
        start = 0
        if self.marked:
            self.marked -= 1
            start = self._marks[self.marked]
        stack = self._stack
        items = [stack[at] for at in range(start, self.depth)]
        self.depth = start
        if self.hot > start - 1:
            self.hot = start - 1
        return items

    # the memo

    def memo_at(self, index: int) -> int:
        """The entry of the dense memo, or 0."""
        return self._memo[index] if 0 <= index < self.memo_size else 0

    def memo_set(self, index: int, value: int) -> None:
        """Set an entry of the dense memo, which grows up to it."""
        if index >= self._memo_room:
            self._grow_memo(index + 1)
        self._memo[index] = value
        if index >= self.memo_size:
            self.memo_size = index + 1

    # literals that stand in the block of the last run

    def number(self, value: int) -> int:
        """The whole number that a short literal is; :data:`ELSEWHERE` where it is none, or its block is gone."""
        at = (value >> _OFFSET_SHIFT) - self._from
        if value & _TAG != _LIT or at < 0 or at + 5 > len(self._block):
            return _ELSEWHERE
        data = self._block
        code = (value & _TAG_AND_A) >> _A_SHIFT
        if code == _OP_BININT1:
            return data[at + 1]
        if code == _OP_BININT2:
            return data[at + 1] | data[at + 2] << 8
        if code == _OP_BININT:
            high = data[at + 4]
            if high >= 0x80:
                high -= 0x100
            return ((high << 8 | data[at + 3]) << 8 | data[at + 2]) << 8 | data[at + 1]
        return _ELSEWHERE

    def numbers(self, value: int) -> list[int] | None:
        """The items of a tuple of such numbers; ``None`` where :meth:`number` does not know one, or the tuple is not kept whole."""
        if value & _TAG != _TUPLE:
            return None
        entry = self.held.get(value >> _OFFSET_SHIFT)
        if entry is None or entry[0] != len(entry) - 1 or len(entry) > _KEPT_ITEMS + 1:
            return None
        found = []
        for at in range(1, len(entry)):
            number = self.number(entry[at])
            if number == _ELSEWHERE:
                return None
            found.append(number)
        return found

    def word(self, value: int) -> bytes | None:
        """The bytes of a literal of UTF-8 text (BINUNICODE, SHORT_BINUNICODE); ``None`` for others, or where its block is gone."""
        at = (value >> _OFFSET_SHIFT) - self._from
        if value & _TAG != _LIT or at < 0 or at + 5 > len(self._block):
            return None
        data = self._block
        code = (value & _TAG_AND_A) >> _A_SHIFT
        if code == _OP_SHORT_BINUNICODE:
            at += 2
            length = data[at - 1]
        elif code == _OP_BINUNICODE and not (data[at + 2] or data[at + 3] or data[at + 4]):
            at += 5
            length = data[at - 4]
        else:
            return None
        return bytes(data[at : at + length]) if at + length <= len(data) else None

    # the loop

    def run(  # noqa: C901 - the loop that everything waits for
        self, data: bytes, at: int, safe: int, base: int, size: int, frame: int, allowed: int, trace: list[int] | None
    ) -> int:
        """Run opcodes of ``data`` from ``at`` on.

        Args:
            data: a block of the stream, with enough behind ``safe`` for any opcode's fixed part.
            at: index of the first opcode.
            safe: index from which on the next block is needed.
            base: offset of the block in the source.
            size: bytes of the source.
            frame: index where the current frame ends.
            allowed: opcodes that may be run in all.
            trace: gets the offset of every opcode.

        Returns:
            The index of the next opcode; ``why`` says why the run ended there. For ``HAND`` it is the opcode that the
            machine has to treat, which is not counted yet.
        """
        self._block = data
        self._from = base
        stack = self._stack
        memo = self._memo
        marks = self._marks
        depth = self.depth
        marked = self.marked
        floor = marks[marked - 1] if marked else 0
        hot = self.hot
        count = self.count
        why = _BLOCK
        offset = base + at
        while at < safe:
            code = data[at]
            kind = self._kinds[code]
            offset = base + at
            if count >= allowed:
                why = _HAND
                break
            look = False
            if depth + 1 >= self._room:
                self.depth = depth
                self._grow_stack()
                stack = self._stack
            if kind == _LENGTH1:
                length = data[at + 1]
                start = at + 2
                look = length >= _LOOK_FROM and self._worth(code, length, data[start], data[start + 1])
                stack[depth] = (offset << _OFFSET_SHIFT) | (code << _A_SHIFT) | _LIT
                depth += 1
                following = start + length
            elif kind == _MEMOIZE:
                if depth <= floor or not self._appends_memo(self.memo_count):
                    why = _HAND
                    break
                memo = self._memo
                memo[self.memo_size] = stack[depth - 1]
                self.memo_size += 1
                self.memo_count += 1
                following = at + 1
            elif kind == _FIXED:
                stack[depth] = (offset << _OFFSET_SHIFT) | (code << _A_SHIFT) | _LIT
                depth += 1
                following = at + self._widths[code]
            elif kind in (_BINPUT, _LONG_BINPUT):
                index = data[at + 1]
                if kind == _LONG_BINPUT:
                    index = data[at + 4]  # most significant first: a shifted byte would be a C int
                    index = (((index << 8 | data[at + 3]) << 8) | data[at + 2]) << 8 | data[at + 1]
                if depth <= floor or not self._appends_memo(index):
                    why = _HAND
                    break
                memo = self._memo
                memo[self.memo_size] = stack[depth - 1]
                self.memo_size += 1
                self.memo_count += 1
                following = at + self._widths[code]
            elif kind in (_BINGET, _LONG_BINGET):
                index = data[at + 1]
                if kind == _LONG_BINGET:
                    index = data[at + 4]
                    index = (((index << 8 | data[at + 3]) << 8) | data[at + 2]) << 8 | data[at + 1]
                value = memo[index] if index < self.memo_size else 0
                if not value:
                    why = _HAND
                    break
                stack[depth] = value
                tag = value & _TAG
                if tag != _LIT and not (tag in (_TUPLE, _FROZENSET) and not value & _TAG_AND_A & ~_TAG):
                    hot = depth
                depth += 1
                following = at + self._widths[code]
            elif kind in (_LENGTH4, _LENGTH8):
                start = at + self._widths[code]
                length = 0
                if kind == _LENGTH8:
                    if data[at + 6] or data[at + 7] or data[at + 8]:
                        why = _HAND  # longer than any file
                        break
                    length = data[at + 5]
                length = length << 8 | data[at + 4]
                length = (((length << 8 | data[at + 3]) << 8) | data[at + 2]) << 8 | data[at + 1]
                if base + start + length > size:
                    why = _HAND
                    break
                look = length >= _LOOK_FROM and (
                    self._worth(code, length, data[start], data[start + 1])
                    or (length >= _LARGE and self._large(code, start, length))
                )
                stack[depth] = (offset << _OFFSET_SHIFT) | (code << _A_SHIFT) | _LIT
                depth += 1
                following = start + length
            elif kind == _MARK:
                if marked >= self.marks_most:
                    why = _HAND
                    break
                if marked == self._marks_room:
                    self.marked = marked
                    self._grow_marks()
                    marks = self._marks
                marks[marked] = depth
                marked += 1
                floor = depth
                following = at + 1
            elif kind in (_SETITEMS, _APPENDS):
                # nothing but data into a container right below the mark: big vocabularies
                if not marked or (hot >= floor and self._bag(floor, depth)):
                    why = _HAND
                    break
                under = marks[marked - 2] if marked > 1 else 0
                tag = stack[floor - 1] & _TAG if floor > under else 0
                if tag == _RESULT and self.alone:
                    tag = _DICT if kind == _SETITEMS else _LIST  # items of an instance, which are kept by nobody
                if tag != (_DICT if kind == _SETITEMS else _LIST) or (kind == _SETITEMS and (depth - floor) & 1):
                    why = _HAND
                    break
                self._fill(stack[floor - 1] >> _OFFSET_SHIFT, floor, depth)
                if self.observed:
                    self._tell(stack[floor - 1], floor, depth, 1 if kind == _SETITEMS else 0)
                depth = floor
                marked -= 1
                floor = under
                if hot > depth - 1:
                    hot = depth - 1
                following = at + 1
            elif kind == _EMPTY:
                self.held.put(offset, [0])
                stack[depth] = (offset << _OFFSET_SHIFT) | (
                    _DICT if code == 0x7D else _LIST if code == 0x5D else _TUPLE if code == 0x29 else _SET
                )
                if code != 0x29:
                    hot = depth
                depth += 1
                following = at + 1
            elif kind in (_TUPLE1, _TUPLE2, _TUPLE3):
                length = kind - _TUPLE1 + 1
                if depth - floor < length:
                    why = _HAND
                    break
                depth -= length
                bag = 0
                if hot >= depth:
                    bag = self._bag(depth, depth + length)
                    if bag < 0:
                        depth += length
                        why = _HAND
                        break
                if length == 1:
                    self.held.put(offset, [1, stack[depth]])
                elif length == 2:
                    self.held.put(offset, [2, stack[depth], stack[depth + 1]])
                else:
                    self.held.put(offset, [3, stack[depth], stack[depth + 1], stack[depth + 2]])
                self._weigh(offset, depth, depth + length)
                value = (offset << _OFFSET_SHIFT) | (bag << _A_SHIFT) | _TUPLE
                if self.observed:
                    self._tell(value, depth, depth + length, 0)
                if hot >= depth:
                    hot = depth if bag else depth - 1
                stack[depth] = value
                depth += 1
                following = at + 1
            elif self.alone:
                # what a settled callable makes of plain data, and what goes into containers of such: big tables of objects
                self.depth = depth
                self.marked = marked
                self.hot = hot
                if not self._known(code, offset):
                    why = _HAND
                    break
                depth = self.depth
                marked = self.marked
                hot = self.hot
                floor = marks[marked - 1] if marked else 0
                following = at + 1
            else:
                why = _HAND
                break
            at = following
            count += 1
            if trace is not None:
                trace.append(offset)
            if look:
                why = _LOOK
                break
            if at > frame:
                why = _LEFT
                break
        self.depth = depth
        self.marked = marked
        self.hot = hot
        self.count = count
        self.why = why
        self.last = offset
        return at

    def _bag(self, start: int, end: int) -> int:
        """The bag of the references that the values from ``start`` to ``end`` of the stack are or hold; -1 where a hand has to tell."""
        if not self.alone:
            return -1
        stack = self._stack
        bag = 0
        for at in range(start, end):
            value = stack[at]
            tag = value & _TAG
            if tag == _LIT:
                continue
            more = 0
            if tag in (_TUPLE, _FROZENSET):
                more = (value & _TAG_AND_A) >> _A_SHIFT
            elif tag == _REF:
                more = self.refs[(value & _TAG_AND_A) >> _A_SHIFT].own
                if more == 0:
                    return -1
            elif tag in (_LIST, _DICT, _SET, _RESULT, _PERSISTENT):
                if self.inner_full or (self.inner and value >> _OFFSET_SHIFT in self.inner):
                    return -1
                if tag == _RESULT:
                    more = self.refs[(value & _TAG_AND_A) >> _A_SHIFT].bag
            else:
                return -1
            if more and bag and more != bag:
                return -1
            bag = bag or more
        return bag

    def _tell(self, container: int, start: int, end: int, pairs: int) -> None:
        """Tell the observer where the values that it follows were put: those from ``start`` to ``end`` of the stack, into ``container``."""
        stack = self._stack
        if not self.followed or self.machine is None or self.machine.observer is None:
            return
        first = 0
        if not pairs and container & _TAG != _TUPLE:
            entry = self.held.get(container >> _OFFSET_SHIFT)
            first = 0 if entry is None else entry[0] - (end - start)
        for at in range(start + pairs, end, 1 + pairs):
            value = stack[at]
            if value & _TAG != _LIT and value >> _OFFSET_SHIFT in self.followed:
                key = stack[at - 1] if pairs else -1 - (first + at - start)
                self.machine.observer.placed(self.machine, container, key, value)

    def _known(self, code: int, offset: int) -> bool:
        """One opcode that may call, where that is known to do what it did the last times; else nothing is touched."""
        floor = self._marks[self.marked - 1] if self.marked else 0
        if code in (_OP_TUPLE, _OP_ADDITEMS):
            return self.marked > 0 and self._gather(code, offset, floor)
        if code in (_OP_REDUCE, _OP_NEWOBJ):
            return self.depth - floor >= 2 and self._call(offset)
        if code == _OP_BUILD:
            return self.depth - floor >= 2 and self._build()
        if code in (_OP_SETITEM, _OP_APPEND):
            pairs = 0 if code == _OP_APPEND else 1
            first = self.depth - 1 - pairs
            if first <= floor or self._bag(first, self.depth):
                return False
            tag = self._stack[first - 1] & _TAG
            if tag != (_LIST if code == _OP_APPEND else _DICT) and tag != _RESULT:
                return False
            self._fill(self._stack[first - 1] >> _OFFSET_SHIFT, first, self.depth)
            if self.observed:
                self._tell(self._stack[first - 1], first, self.depth, pairs)
            self._drop(first)
            return True
        if code == _OP_BINPERSID and self.machine is not None and self.depth > floor:
            self.machine.persist(self.pop(), offset)
            return True
        return False

    def _drop(self, depth: int) -> None:
        self.depth = depth
        if self.hot > depth - 1:
            self.hot = depth - 1

    def _gather(self, code: int, offset: int, floor: int) -> bool:
        """TUPLE makes one of what is above the mark, ADDITEMS puts it into a set."""
        bag = self._bag(floor, self.depth)
        under = self._marks[self.marked - 2] if self.marked > 1 else 0
        if code == _OP_ADDITEMS:
            tag = self._stack[floor - 1] & _TAG if floor > under else 0
            if bag or (tag != _SET and tag != _RESULT):
                return False
            self._fill(self._stack[floor - 1] >> _OFFSET_SHIFT, floor, self.depth)
            if self.observed:
                self._tell(self._stack[floor - 1], floor, self.depth, 0)
            self._drop(floor)
        else:
            if bag < 0:
                return False
            self.held.put(offset, [0])
            self._fill(offset, floor, self.depth)
            self._weigh(offset, floor, self.depth)
            value = (offset << _OFFSET_SHIFT) | (bag << _A_SHIFT) | _TUPLE
            if self.observed:
                self._tell(value, floor, self.depth, 0)
            self._drop(floor)
            self._stack[floor] = value
            if bag:
                self.hot = floor
            self.depth = floor + 1
        self.marked -= 1
        return True

    def _call(self, offset: int) -> bool:
        """A call of a settled reference with literals and instances: what it gives is an instance as before."""
        arguments = self._stack[self.depth - 1]
        callee = self._stack[self.depth - 2]
        if arguments & _TAG != _TUPLE or callee & _TAG != _REF:
            return False
        ref = self.refs[(callee & _TAG_AND_A) >> _A_SHIFT]
        bag = (arguments & _TAG_AND_A) >> _A_SHIFT
        settled = ref.settled
        if settled == _SETTLED_ENCODES:
            return bag == 0 and self._encode(ref, arguments)
        if not settled or self.carried_at or self.sizes:
            return False
        if settled == _SETTLED_SHAPED and not self._is_small(arguments >> _OFFSET_SHIFT):
            return False
        if (bag and bag != ref.settled_bag) or not self._simple(arguments >> _OFFSET_SHIFT, 2):
            return False
        ref.calls += 1
        self.called_at = offset
        self.depth -= 2
        self._stack[self.depth] = (offset << _OFFSET_SHIFT) | (callee & _TAG_AND_A & ~_TAG) | _RESULT
        self.hot = self.depth
        self.depth += 1
        if self.observed and self.machine is not None:
            self.machine.told(ref, arguments, self._stack[self.depth - 1])
        return True

    def _encode(self, ref: Ref, arguments: int) -> bool:
        """``_codecs.encode`` of short text in the codec of the last times: the text itself, as bytes."""
        entry = self.held.get(arguments >> _OFFSET_SHIFT)
        if entry is None or len(entry) != 3 or entry[2] != ref.settled_codec:
            return False
        value = entry[1]
        code = (value & _TAG_AND_A) >> _A_SHIFT
        if value & _TAG != _LIT or (code != _OP_SHORT_BINUNICODE and code != _OP_BINUNICODE):
            return False
        if code == _OP_BINUNICODE:  # longer text counts as memory that is taken
            at = (value >> _OFFSET_SHIFT) - self._from
            if at < 0 or at + 5 > len(self._block) or self._block[at + 3] or self._block[at + 4]:
                return False
        ref.calls += 1
        self._drop(self.depth - 2)
        self._stack[self.depth] = value | _ENCODED_BIT
        self.depth += 1
        if self.observed and self.machine is not None:
            self.machine.told(ref, arguments, value | _ENCODED_BIT)
        return True

    def _is_small(self, identity: int) -> bool:
        """Whether the arguments are a class, extents that make a small array, and the code of its items."""
        entry = self.held.get(identity)
        if entry is None or len(entry) != 4 or entry[1] & _TAG != _REF or entry[3] & _TAG != _LIT:
            return False
        extents = self.numbers(entry[2])
        if extents is None or not self._sorts[(entry[3] & _TAG_AND_A) >> _A_SHIFT & 0xFF]:
            return False
        product = 1
        for extent in extents:
            if extent < 0 or extent > _SMALL:
                return False
            product *= extent
            if product > _SMALL:
                return False
        return True

    def _simple(self, identity: int, depth: int) -> bool:
        """Whether a tuple holds literals, instances, references and tuples of such, and no more than are kept."""
        entry = self.held.get(identity)
        if entry is None or entry[0] != len(entry) - 1:
            return False
        for at in range(1, len(entry)):
            value = entry[at]
            tag = value & _TAG
            if tag == _TUPLE:
                if depth == 0 or not self._simple(value >> _OFFSET_SHIFT, depth - 1):
                    return False
            elif tag not in (_LIT, _RESULT, _REF, _PERSISTENT):
                return False
        return True

    def _build(self) -> bool:
        """The state of an instance of a settled class, where nothing callable is in it."""
        state = self._stack[self.depth - 1]
        instance = self._stack[self.depth - 2]
        if instance & _TAG != _RESULT or self.keyed or self.observed or self._bag(self.depth - 1, self.depth):
            return False
        ref = self.refs[(instance & _TAG_AND_A) >> _A_SHIFT]
        if not ref.settled:
            return False
        if state & _TAG == _TUPLE and not self._simple(state >> _OFFSET_SHIFT, 2):
            return False  # (state, slots): what is in the second becomes attributes as well
        ref.builds += 1
        self._drop(self.depth - 1)
        return True

    def _weigh(self, identity: int, start: int, end: int) -> None:
        """:meth:`Weights.weigh` for a tuple of the values from ``start`` to ``end`` of the stack."""
        stack = self._stack
        weights = self.weights
        weight = deepest = 0
        for at in range(start, end):
            known = weights.of(stack[at])
            if known:
                weight += known & _WEIGHT
                deep = (known >> _DEEP_SHIFT) + 1
                deepest = max(deepest, deep)
            else:
                weight += 1
        if deepest:
            weights.keep(identity, weight, deepest)

    def _appends_memo(self, index: int) -> bool:
        """Whether entry ``index`` is the next of a dense memo; makes room for it."""
        if index != self.memo_count or index != self.memo_size or not self.dense or index >= self.memo_most:
            return False
        if index >= self._memo_room:
            self._grow_memo(index + 1)
        return True

    def _worth(self, code: int, length: int, first: int, second: int) -> bool:
        """Whether a literal with these first bytes may hold a program, or is a name that is looked for."""
        if not self.curious:
            return False
        sort = self._sorts[code]
        if sort and self._pairs[first << 8 | second]:
            return first != _UNDERSCORE or length in (_INTERFACE, _CUDA_INTERFACE)
        return sort == 2 and self._firsts[first] != 0

    def _large(self, code: int, start: int, length: int) -> bool:
        """Whether a large literal may hold a tar, also in base64, a zip behind something else, or the settings of a Keras model."""
        if not self.curious or not self._sorts[code]:
            return False
        data = self._block
        if (
            data[start] == 0x7B and data[start + 1] == 0x22 and data[start + 3] in (0x6C, 0x6F)
        ):  # {"class_name" and {"module"
            return True
        at = start + 257  # where a tar has ``ustar``
        if data[at] == 0x75 and data[at + 1] == 0x73 and data[at + 2] == 0x74:
            return True
        at = start + 154  # where the checksum of an old one ends
        if (data[at] == 0 and data[at + 1] == 0x20) or (data[at] == 0x20 and data[at + 1] == 0):
            return True
        at = start + 344  # where that is in base64, without line ends or with four
        if data[at] == 0x63 and data[at + 1] == 0x33 and data[at + 2] == 0x52 and data[at + 3] == 0x68:
            return True
        at = start + 348
        if data[at] == 0x63 and data[at + 1] == 0x33 and data[at + 2] == 0x52 and data[at + 3] == 0x68:
            return True
        if self._sorts[code] != 2:
            return False
        if start + length > len(data):
            return True
        at = start + length - 22  # the end of a zip, with a short comment
        end = at - 64
        while at > end:
            if data[at] == 0x50 and data[at + 1] == 0x4B and data[at + 2] == 5 and data[at + 3] == 6:
                return True
            at -= 1
        return False

    def _fill(self, identity: int, start: int, end: int) -> None:
        """Add the values from ``start`` to ``end`` to a container, as :meth:`Held.extend` does."""
        entry = self.held.get(identity)
        if entry is None:
            return
        stack = self._stack
        kept = self.kept
        if kept > _KEPT_ITEMS and end - start + len(entry) > _KEPT_ITEMS + 1:
            self.held.room -= end - start
            if self.held.room < 0:
                kept = _KEPT_ITEMS
        kept = min(end, start + max(kept + 1 - len(entry), 0))
        for at in range(start, kept):
            entry.append(stack[at])
        entry[0] += end - start
