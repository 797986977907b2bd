"""The walk: decodes one pickle stream and drives the semantics, in memory that does not grow with the file.

Opcodes that only move data are run by :mod:`openvet.formats.pickle.tape`, which may be compiled; :meth:`Machine.walk` treats the
others one by one, and hands what may resolve or call to :mod:`openvet.formats.pickle.semantics`.

CPython has two unpicklers that differ. Frames: the one in Python stops where an opcode crosses the end of its frame or a
frame begins inside another, the one in C does not care but wants the whole frame to be there. The walk reads linearly,
which is what either does before it stops, and notes the contradiction; where the one in C would go on with other bytes,
:mod:`openvet.formats.pickle.frames` says with which, and those are walked as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from openvet.core.limits import Budget
from openvet.errors import LimitError, UnsupportedError
from openvet.formats.pickle import opcodes as op
from openvet.formats.pickle.addresses import is_interface
from openvet.formats.pickle.containers import ZIP_END, container
from openvet.formats.pickle.literals import decode_text, is_bytes, is_text, parse_int_line, span
from openvet.formats.pickle.nested import long_pickle, suspect
from openvet.formats.pickle.resources import DIGITS
from openvet.formats.pickle.semantics import Observer, Semantics
from openvet.formats.pickle.state import Halt
from openvet.formats.pickle.tape import BLOCK as END_OF_BLOCK
from openvet.formats.pickle.tape import HAND, LOOK
from openvet.formats.pickle.values import (
    DICT,
    FROZENSET,
    LIST,
    LIT,
    MAX_OFFSET,
    RESULT,
    UNKNOWN,
    a_of,
    make,
    offset_of,
)
from openvet.io.source import BLOCK, Source

if TYPE_CHECKING:
    from openvet.formats._format import Tensor
    from openvet.formats.pickle.arrays import RawArray

__all__ = ["Machine"]

#: No opcode without a long literal needs more than this; the last block is padded by as much.
_MARGIN: Final = 512
_FIRST_BLOCK: Final = 8 * 1024
_BLOCK: Final = BLOCK // 4
#: A strict walk is a probe: it does not look for the end of a line further than this.
_PROBED_LINE: Final = 64 * BLOCK
_LINE: Final = 64 * 1024
#: How much of a literal tells whether it holds a program.
_PREFIX: Final = 4096
#: Of a literal from this size on the end is looked at too: so much of it.
_LARGE: Final = 512
_END: Final = 1024
_STACK: Final = 6_000_000  # eight bytes each, so that memory stays flat
_NO_FRAME: Final = 1 << 62
#: Contradictions of frames that are kept; one is enough to know.
_FRAMES_KEPT: Final = 16
#: A length that no pickle has without as many bytes: 16 GiB.
_CLAIMED: Final = 1 << 34
_STOP: Final = 0x2E
_FRAME: Final = 0x95


class Machine(Semantics):
    """One walk over one stream that begins at ``start``.

    Args:
        source: holds the stream.
        budget: its limits and its clock.
        start: where the stream begins.
        opcodes: at most so many; ``None`` means the limit.
        strict: ends at the first thing that a loader would refuse.
        curious: looks for programs in literals; ``None`` means that a strict walk does not.
        observer: follows data.
        joblib: knows what joblib puts between opcodes.
    """

    def __init__(
        self,
        source: Source,
        budget: Budget,
        *,
        start: int = 0,
        opcodes: int | None = None,
        strict: bool = False,
        curious: bool | None = None,
        observer: Observer | None = None,
        joblib: bool = True,
    ) -> None:
        curious = not strict if curious is None else curious
        super().__init__(budget.limits, strict=strict, curious=curious, observer=observer)
        if source.size > MAX_OFFSET:
            raise UnsupportedError("a pickle of more than 512 GiB")
        self.source = source
        self.budget = budget
        self.start = start
        self.end = start
        self.allowed = budget.limits.opcodes if opcodes is None else opcodes
        self.opcodes = 0
        self.stopped = False
        self.hit_limit = False
        self.frame_end = 0
        self.frames: list[tuple[int, str]] = []
        self.trace: list[int] | None = None
        #: somebody follows calls and fillings by taking over methods of this class
        self.watched = type(self) is not Machine
        #: arrays that joblib put between the opcodes, and who reads a pickle that stands there instead: gives its end
        self.joblib = joblib
        self.arrays: list[Tensor] = []
        self.first_array = -1
        self.inner_pickle: Callable[[int], int | None] | None = None
        self._buffer = b""
        self._base = start
        self._real = 0
        self._block = _FIRST_BLOCK

    # bytes

    def peek(self, offset: int, size: int) -> bytes:
        at = offset - self._base
        if at >= 0 and at + size <= self._real:
            return self._buffer[at : at + size]
        if size <= 16 and offset + size > self.source.size:
            return self.source.upto(offset, size).ljust(size, b"\0")  # of an opcode that the end cut off
        return self.source.upto(offset, size)

    def _load(self, position: int) -> None:
        self.budget.check_time()
        block = self.source.upto(position, self._block)
        self._block = min(self._block * 4, _BLOCK)
        self._base = position
        self._real = len(block)
        self._buffer = block + bytes(_MARGIN) if position + len(block) >= self.source.size else block

    def _line(self, position: int) -> tuple[bytes, int]:
        """The line at ``position`` (its first 64 KiB) and where the next one begins."""
        limit = _LINE
        first = self.peek(position, min(256, max(self.source.size - position, 0)))
        end = first.find(b"\n")
        if end >= 0:
            return first[:end], position + end + 1
        kept = self.source.upto(position, limit)
        at = position
        while at < self.source.size:
            block = self.source.upto(at, BLOCK)
            end = block.find(b"\n")
            if end >= 0:
                return kept[: at - position + end], at + end + 1
            at += len(block)
            self.budget.check_time()
            if self.strict and at - position > _PROBED_LINE:
                self.soft("a line that is too long for a probe", position)
        # the unpickler in C fails here; the one in Python takes off the last byte for a newline and goes on
        if self.broken is None:
            self.broken, self.broken_at = "ends in the middle of a line", position
        return kept if len(kept) == limit else kept[:-1], self.source.size + 1

    def trace_again(self) -> Iterator[tuple[int, int]]:
        """Offset and opcode of every instruction, by a second walk: for a small pickle whose data is wanted."""
        again = Machine(self.source, self.budget, start=self.start, opcodes=self.opcodes)
        again.trace = []
        again.run()
        for offset in again.trace:
            yield offset, self.peek(offset, 1)[0]

    # the walk

    def run(self) -> None:
        """Walk to STOP or to where the stream breaks. Raises only what the source raises."""
        try:
            self.walk()
        except Halt:
            pass
        except LimitError as error:
            self.hit_limit = True
            self.broken = self.broken or error.message
            if self.broken_at is None:
                self.broken_at = self.end
        finally:
            # no cycle: the stacks of thousands of small pickles would wait for the collector
            self.tape.machine = None
        if any(ref.module.startswith("numba.") for ref in self.refs):
            from openvet.formats.pickle.compiled import look_at_compiled

            look_at_compiled(self)
        if self.tape.weights.bulky >= 0:
            self.compute(
                "resource",
                "tuples in tuples that are shared or too deep to be hashed",
                self.tape.weights.bulky,
                "TUPLE",
            )
        elif (shared := self.held.lattice()) >= 0:
            what = "containers that hold each other several times, level by level"
            self.compute("lattice", what, shared, "APPENDS")

    def walk(self) -> None:
        """Run opcodes until STOP: those that only move data by the tape, the others one by one."""
        tape, size, allowed, trace = self.tape, self.source.size, self.allowed, self.trace
        tape.alone = self.steps is None and not self.watched
        self._load(self.start)
        at = 0
        safe = self._safe()
        frame = _NO_FRAME  # where the current frame ends in this block
        try:
            while True:
                if at >= safe:
                    position = self._base + at
                    if position >= size:
                        self._truncated(position)
                        return
                    if tape.depth > _STACK:
                        raise LimitError("stack", _STACK, "the pickle's stack is too deep", offset=position)
                    self._load(position)
                    at = 0
                    safe = self._safe()
                    frame = self._frame_here()
                at = tape.run(self._buffer, at, safe, self._base, size, frame, allowed, trace)
                offset = tape.last
                if tape.why == END_OF_BLOCK:
                    continue
                if tape.why == LOOK:
                    self._look(offset)
                elif tape.why == HAND:
                    if tape.count >= allowed:
                        raise LimitError("opcodes", allowed, "the pickle has too many opcodes", offset=offset)
                    tape.count += 1
                    if trace is not None:
                        trace.append(offset)
                    following = self._by_hand(self._buffer[at], offset)
                    if following is None:
                        at += self._buffer[at] == _STOP
                        return
                    at = following - self._base
                    if self.raw_follows:
                        return
                    if self._buffer[offset - self._base] == _FRAME:
                        frame = self._frame_here()
                if at > frame:
                    self._leave_frame(offset)
                    frame = _NO_FRAME
        finally:
            self.opcodes = tape.count
            self.end = min(self._base + at, size)

    def _safe(self) -> int:
        """From where on in the block the next one is needed."""
        return self._real if self._base + self._real >= self.source.size else self._real - _MARGIN

    def _frame_here(self) -> int:
        return self.frame_end - self._base if self.frame_end else _NO_FRAME

    def _look(self, offset: int) -> None:
        """A literal that the tape found worth a second look."""
        code = self.peek(offset, 1)[0]
        start, length = span(self.peek, offset, code, _LINE)
        self._suspect(code, offset, start, length)

    def _by_hand(self, code: int, offset: int) -> int | None:  # noqa: C901 - one line for each kind
        """One opcode that the tape does not take; the offset of the next one, or ``None`` at the end."""
        kind, following = op.KIND[code], offset + op.WIDTH[code]
        if kind == op.RARE:  # first: what calls is followed one by one, however many there are
            return self._rare(code, offset)
        if kind == op.MEMOIZE:
            self.memo_put(self.tape.memo_count, self.top(offset), offset)
        elif kind in (op.BINPUT, op.LONG_BINPUT):
            self.memo_put(self._operand(offset, following), self.top(offset), offset)
        elif kind in (op.BINGET, op.LONG_BINGET):
            self.push(self.memo_get(self._operand(offset, following), offset))
        elif kind in (op.LENGTH4, op.LENGTH8):
            self._claim("literal", self._operand(offset, following), offset, op.NAMES[code])
            self._truncated(offset)
            return None
        elif kind == op.MARK:
            most = self.tape.marks_most
            raise LimitError("stack", most, "the pickle has too many open marks", offset=offset)
        elif kind in (op.SETITEMS, op.APPENDS):
            self._fill_marked(code, offset)
        elif kind in (op.TUPLE1, op.TUPLE2, op.TUPLE3):
            self.push(self.tuple_of(self._popped(kind - op.TUPLE1 + 1, offset), offset))
        elif kind in (op.SETITEM, op.APPEND):
            parts = self._popped(1 if kind == op.APPEND else 2, offset)
            self.fill(self.top(offset), parts, offset, op.NAMES[code])
        elif kind == op.TUPLE:
            self.push(self.tuple_of(self.pop_mark(offset), offset))
        elif kind == op.LINE:
            return self._text_line(code, offset)
        elif kind == op.FRAME:
            self._frame(offset, self._operand(offset, following))
        elif kind == op.STOP:
            self._stop(offset)
            return None
        elif kind == op.BAD:
            self.soft(f"0x{code:02x} is no opcode", offset)
            return None
        else:
            return self._rare(code, offset)
        return following

    def _operand(self, offset: int, following: int) -> int:
        return int.from_bytes(self.peek(offset + 1, following - offset - 1), "little")

    def _popped(self, count: int, offset: int) -> list[int]:
        parts = [self.pop(offset) for _ in range(count)]
        parts.reverse()
        return parts

    def _stop(self, offset: int) -> None:
        if not self.tape.top():
            self.soft("stops with nothing on the stack", offset)
        self.stopped = True

    def _truncated(self, offset: int) -> None:
        self.soft("ends before STOP", min(offset, self.source.size))

    def _claim(self, what: str, length: int, offset: int, opcode: str) -> None:
        """A length beyond every file: unpicklers make room for it before they see that there is nothing to put there."""
        if length >= _CLAIMED and offset + length > self.source.size:
            self.compute("claim", f"a {what} of {length} bytes", offset, opcode)

    def _fill_marked(self, code: int, offset: int) -> None:
        items = self.pop_mark(offset)
        self.fill(self.top(offset), items, offset, op.NAMES[code])

    def _text_line(self, code: int, offset: int) -> int:
        """INT LONG FLOAT STRING UNICODE: a literal that ends with its line."""
        line, following = self._line(offset + 1)
        if code in b"IL":
            if following - offset > DIGITS:
                self.compute("resource", f"a number of {following - offset - 2} digits", offset, op.NAMES[code])
            if parse_int_line(line) is None and len(line) <= 40:
                self.soft("a number that is none", offset)
        elif code == 0x46:
            try:
                float(line)
            except ValueError:
                self.soft("a number that is none", offset)
        elif code == 0x53:
            text = line.strip()
            if len(line) < _LINE - 1 and (len(text) < 2 or text[:1] != text[-1:] or text[:1] not in (b"'", b'"')):
                self.soft("a string without its quotes", offset)
        self.push(make(LIT, code, offset))
        if code in b"SV" and len(line) >= 16:
            self._suspect(code, offset, offset + 1, following - offset - 2, escaped=b"\\" in line[:_PREFIX])
        return following

    def _suspect(self, code: int, offset: int, start: int, size: int, *, escaped: bool = False) -> None:
        """A literal that may hold a program: look closer, and remember it where it does."""
        if not (is_bytes(code) or is_text(code)) or not self.curious:
            return
        prefix = self.source.upto(start, min(size, _PREFIX))
        if is_text(code) and (escaped or b"__" in prefix[:3]) and is_interface(decode_text(prefix, code)):
            self.interfaces = True
            self.tape.alone = False  # what it may be a key of is looked at
            return
        kind = suspect(prefix, text=is_text(code), budget=self.budget)
        if kind is None and escaped:
            kind = suspect(prefix, text=True, budget=self.budget, escaped=code)
        size = min(size, self.source.size - start)
        if (
            kind is None
            and size > _PREFIX
            and is_bytes(code)
            and long_pickle(self.source.window(start, size), self.budget)
        ):
            kind = "pickle"
        if kind is not None:
            self.note_carried(offset, start, size, kind)
            return
        end = self.source.upto(start + size - _END, _END) if size >= _LARGE and is_bytes(code) else b""
        if ZIP_END not in end:
            end = b""
        held = container(prefix, text=is_text(code), end=end)
        if not held and escaped:
            held = container(prefix, text=True, escaped=code)
        if held:
            self.note_container(start, size, held)
            if held in ("zip", "tar"):
                self.files.add(offset)

    def _frame(self, offset: int, length: int) -> None:
        end = offset + 9 + length
        if end > self.source.size:
            self._claim("frame", length, offset, "FRAME")
            self._contradiction(
                offset, "a frame is longer than the file: unpicklers in C stop here, those in Python go on"
            )
        elif self.frame_end > offset and self.frame_end != offset + 9:
            self._contradiction(
                offset, "a frame begins inside another: unpicklers in Python stop here, those in C go on"
            )
        self.frame_end = end if end <= self.source.size else 0

    def _leave_frame(self, offset: int) -> None:
        """The last opcode ended after its frame: it began after it, as between frames, or it crosses the end."""
        if offset < self.frame_end:
            self._contradiction(
                offset, "an opcode crosses the end of its frame: unpicklers in Python stop here, those in C go on"
            )
        self.frame_end = 0

    def _contradiction(self, offset: int, message: str) -> None:
        if len(self.frames) < _FRAMES_KEPT:
            self.frames.append((offset, message))

    def _rare(self, code: int, offset: int) -> int:  # noqa: C901 - one line for each opcode
        """Everything that is seldom seen or may resolve or call. Gives the offset of the next opcode."""
        name = op.NAMES[code]
        following = offset + (op.WIDTH[code] or 1)
        if name == "REDUCE":
            arguments = self.pop(offset)
            self.push(self.call(self.pop(offset), arguments, offset, name))
        elif name == "POP_MARK":
            self.pop_mark(offset)
        elif name == "STACK_GLOBAL":
            self.stack_global(offset)
        elif name == "BUILD":
            state = self.pop(offset)
            self.build(self.top(offset), state, offset)
            if self.wrapper is not None:
                following = self._raw_array(following)
        elif name == "NEWOBJ":
            arguments = self.pop(offset)
            self.push(self.call(self.pop(offset), arguments, offset, name))
        elif name == "NEWOBJ_EX":
            keywords = self.pop(offset)
            arguments = self.pop(offset)
            klass = self.pop(offset)
            bag = self.bags.join(self.bag(arguments), self.bag(keywords))
            items = self.items(arguments)
            held = self.held.get(offset_of(arguments))
            self.cut = held is not None and held[0] != len(items or ())
            handed = None if items is None else [*items, keywords]
            self.arguments = (handed, [arguments, keywords])
            self.push(self.call_items(klass, handed, bag, offset, name))
            self.cut = False
        elif name == "BINPERSID":
            self.persist(self.pop(offset), offset)
        elif name == "GLOBAL" or name == "INST":
            following = self._global(name, offset)
        elif name == "OBJ":
            items = self.pop_mark(offset)
            if not items:
                self.soft("an object without a class", offset)
                items = [make(UNKNOWN, 0, offset)]
            self.instantiate(items[0], items[1:], offset, name)
        elif name == "PERSID":
            _, following = self._line(offset + 1)
            self.persist(make(LIT, 0x56, offset), offset)
        elif name == "PROTO":
            self._proto(offset)
        elif name == "POP":
            self._pop(offset)
        elif name == "DUP":
            self.push(self.top(offset))
        elif name in ("LIST", "DICT", "FROZENSET"):
            tag = {"LIST": LIST, "DICT": DICT, "FROZENSET": FROZENSET}[name]
            self.push(self.container_of(tag, self.pop_mark(offset), offset, code))
        elif name == "ADDITEMS":
            self._fill_marked(code, offset)
        elif name == "PUT" or name == "GET":
            following = self._decimal(name, offset)
        elif name in ("EXT1", "EXT2", "EXT4"):
            raw = self.peek(offset + 1, following - offset - 1)
            self.extension(int.from_bytes(raw, "little", signed=name == "EXT4"), offset, name)
        elif name == "NEXT_BUFFER":
            self.push(make(UNKNOWN, 0, offset))
        else:  # READONLY_BUFFER
            self.top(offset)
        return following

    def _pop(self, offset: int) -> None:
        """POP: where a mark is on top it takes the mark, in both unpicklers."""
        if not self.tape.mark_on_top():
            self.pop(offset)

    def _raw_array(self, position: int) -> int:
        """Go on behind the array that joblib put behind a wrapper, if it is certain where that ends."""
        from openvet.formats.pickle.arrays import WRAPPERS, raw_array

        state, self.wrapper = self.wrapper, None
        if not self.joblib:
            return position
        built = self.top(position)
        ref = self.refs[a_of(built)]
        if state is None or (ref.module, ref.name) not in WRAPPERS:
            return position
        array = raw_array(self, state, f"array {len(self.arrays)}")
        if self.frame_end > position:  # an unpickler that holds the whole frame would read the array behind it
            array = None
        elif self.frame_end == position:  # joblib ends the frame here, as it has to
            self.frame_end = 0
        if self.first_array < 0:
            self.first_array = position
        end = None if array is None else self._array_end(array, position)
        if array is None or end is None or len(self.arrays) >= self.limits.tensors:
            self.raw_follows = True
            return position
        start = end - array.nbytes
        self.arrays.append(array.tensor if array.pickled else replace(array.tensor, offset=start))
        # joblib puts the array where the wrapper was
        self.pop(position)
        self.push(make(RESULT, a_of(self.reference("numpy", "ndarray", position, "BUILD")), position))
        return end

    def _array_end(self, array: RawArray, position: int) -> int | None:
        if array.pickled:
            return None if self.inner_pickle is None else self.inner_pickle(position)
        if array.padded:
            position += 1 + self.peek(position, 1)[0]
        end = position + array.nbytes
        return end if end <= self.source.size else None

    def _proto(self, offset: int) -> None:
        version = self.peek(offset + 1, 1)[0]
        if version > 5:
            self.soft(f"protocol {version} does not exist", offset)
            return
        if version != self.protocol:
            self.forget_names()  # the same words may mean something else from here on
        self.protocol = version
        self.highest_protocol = max(self.highest_protocol, version)

    def _global(self, name: str, offset: int) -> int:
        module, middle = self._line(offset + 1)
        attribute, following = self._line(middle)
        value = self.resolve(
            module[:4096].decode("utf-8", "surrogateescape"),
            attribute[:4096].decode("utf-8", "surrogateescape"),
            offset,
            name,
        )
        if following > self.source.size:
            following = self.source.size
        if name == "GLOBAL":
            self.push(value)
        else:
            self.instantiate(value, self.pop_mark(offset), offset, name)
        return following

    def _decimal(self, name: str, offset: int) -> int:
        """PUT and GET name their entry in decimal digits."""
        line, following = self._line(offset + 1)
        try:
            number = int(line)  # as both unpicklers do, with any number of leading zeros
        except ValueError:
            number = -1
        if number < 0:
            self.soft("a memo entry without a number", offset)
            if name == "GET":
                self.push(make(UNKNOWN, 0, offset))
        elif name == "PUT":
            self.memo_put(number, self.top(offset), offset)
        else:
            self.push(self.memo_get(number, offset))
        return following
