"""Protocol buffers: one bounded walker for every format that is made of them.

A message is a run of fields, each a tag (number and wire type) and a value::

    0 varint    1 eight bytes    2 length and bytes    3 ... 4 group    5 four bytes

Wire format: https://protobuf.dev/programming-guides/encoding/ . Which fields a message has stands in
``data/protobuf/*.toml``, derived from the frameworks' own ``.proto`` files. Every field is either one of these or unknown;
an unknown one, or one with another wire type, is counted and reported, since another reader may know it.

Bytes are looked at through one block that moves along the source, so that a tensor of gigabytes costs its tag and length
only. The number of fields and the depth of messages are bounded. Where a field that a message has once is there twice, the
last one counts for the reference reader and the first one for others: both are handed out, and the lie is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from openvet.core.dataclass import dataclass
from openvet.core.tables import read_table
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._format import Facts, Head
from openvet.io.source import Source

__all__ = ["Field", "Schema", "Spec", "Walker", "looks_like", "may_begin", "probing", "schema"]

_BLOCK = 256 * 1024
#: After a jump over a tensor little is read at first: what stands between two tensors is mostly short, and on a server every
#: byte that is read has to be fetched.
_JUMP = 8 * 1024
_MAX_FIELDS = 40_000_000
_CHECK_EVERY = 65536
#: Fields that a probe walks over. Most bytes of a text are tags of some field, and each of the kinds is asked.
_MOST_PROBED = 65_536
#: Fields in groups that one walk steps over. No known message has a group; a text that begins with "[" or "#" looks like one,
#: and every probe would walk it to its end.
_MAX_GROUPED = 20_000
_WIRES = {"v": 0, "8": 1, "s": 2, "m": 2, "4": 5}
_FIXED = {1: 8, 5: 4}
_BEGIN = frozenset({0, 1, 2, 3, 5})
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
#: Fields that tell whether bytes are a message at all.
_OUTLINED = 8
_ANYWHERE = 1 << 62
_CONTINUED = bytes(range(0x80, 0x100))


@dataclass(frozen=True, slots=True)
class Spec:
    """One field of a message type: its name, its wire type, whether it repeats, and the type of a message."""

    name: str
    wire: int
    kind: str
    repeated: bool
    type: str = ""


Schema = Mapping[str, Mapping[int, Spec]]
_UNKNOWN = Spec("", -1, "?", repeated=True)


@cache
def schema(name: str) -> Schema:
    """The messages of ``data/protobuf/NAME.toml``."""
    return {message: _fields_of(line) for message, line in read_table(f"protobuf/{name}").items()}


def _fields_of(line: str) -> dict[int, Spec]:
    out = {}
    for part in filter(None, (each.strip() for each in line.split(","))):
        shape, _, name = part.partition(" ")
        repeated = shape.endswith("*")
        shape = shape.rstrip("*")
        name, _, kind = name.strip().partition(":")
        out[int(shape[:-1])] = Spec(name, _WIRES[shape[-1]], shape[-1], repeated, kind.strip())
    return out


class Field:
    """One field as it stands: ``value`` of a number, ``at`` and ``size`` of its bytes.

    ``packed`` says that a number that repeats is written as one run of bytes. ``resume`` is where the walk goes on.
    """

    __slots__ = ("at", "number", "packed", "resume", "size", "spec", "tag_at", "value", "wire")

    def __init__(self, number: int, wire: int, tag_at: int, at: int, size: int, value: int) -> None:
        self.number = number
        self.wire = wire
        self.tag_at = tag_at
        self.at = at
        self.size = size
        self.value = value
        self.spec = _UNKNOWN
        self.packed = False
        self.resume = at + size

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def end(self) -> int:
        return self.at + self.size


class Walker:
    """Walks the messages of one source.

    Args:
        most: fields that are followed, at all levels together.

    Attributes:
        unknown: fields that their message does not have, or has with another wire type.
        first_unknown: where the first of them stands.
        duplicates: fields that a message has once and that were there more often, as ``message.field``.
    """

    def __init__(self, source: Source, facts: Facts, messages: Schema, most: int = _MAX_FIELDS) -> None:
        self.source = source
        self.facts = facts
        self.messages = messages
        self.unknown = 0
        self.first_unknown = 0
        self.first_unknown_text = ""
        self.duplicates: dict[str, int] = {}
        self._block = b""
        self._start = 0
        self._ahead = _JUMP
        self._count = 0
        self._most = most
        self._check_at = min(_CHECK_EVERY, most + 1)
        self._grouped = 0

    def message(self, kind: str, at: int, end: int) -> Iterator[Field]:
        """The fields of a message of this type that it has; unknown ones are counted, twofold ones recorded.

        Raises:
            MalformedError: a tag, a number or a length breaks the wire format.
            LimitError: more fields than are followed, or too much time.
        """
        specs = self.messages[kind]
        seen = 0
        for field in self.fields(at, end):
            spec = specs.get(field.number)
            if spec is None or not self._fits(spec, field):
                if not self.unknown:
                    self.first_unknown = field.tag_at
                    self.first_unknown_text = f"{kind} field {field.number} of wire type {field.wire}"
                self.unknown += 1
                continue
            field.spec = spec
            if not spec.repeated and field.number < 4096:
                bit = 1 << field.number
                if seen & bit:
                    self.duplicates.setdefault(f"{kind}.{spec.name}", field.tag_at)
                seen |= bit
            yield field

    def first(self, kind: str, at: int, end: int, most: int) -> Iterator[Field]:
        """Those of the first ``most`` fields that the message has: for a probe, which passes over all others and stops soon."""
        specs = self.messages[kind]
        for count, field in enumerate(self.fields(at, end)):
            spec = specs.get(field.number)
            if spec is not None and self._fits(spec, field):
                field.spec = spec
                yield field
            if count >= most:
                return

    def _fits(self, spec: Spec, field: Field) -> bool:
        if spec.wire == field.wire:
            return True
        if field.wire != 2 or not spec.repeated or spec.wire == 2:
            return False
        field.packed = True
        if spec.wire in _FIXED:
            return field.size % _FIXED[spec.wire] == 0
        return not field.size or self.bytes(field.end - 1, 1)[0] < 0x80

    def fields(self, at: int, end: int) -> Iterator[Field]:
        """Every field from ``at`` up to ``end``, whatever it means."""
        while at < end:
            self._count += 1
            if self._count >= self._check_at:
                self.facts.budget.check_time()
                if self._count > self._most:
                    raise LimitError("records", self._most, "more fields than are followed", offset=at)
                self._check_at = min(self._count + _CHECK_EVERY, self._most + 1)
            tag_at = at
            tag, at = self.varint(at, end)
            number, wire = tag >> 3 & 0x1FFFFFFF, tag & 7
            if not number or tag >> 32:
                raise MalformedError("a field has a number that no message can have", offset=tag_at)
            if wire == 0:
                value, after = self.varint(at, end)
                field = Field(number, wire, tag_at, at, after - at, value)
                yield field
                at = field.resume
                continue
            if wire == 2:
                size, at = self.varint(at, end)
            elif wire in _FIXED:
                size = _FIXED[wire]
            elif wire == 3:
                size = self._group(number, at, end) - at
            else:
                raise MalformedError(f"a field has the wire type {wire}, which does not begin one", offset=tag_at)
            if size > end - at:
                raise MalformedError(f"a field of {size} bytes goes beyond the end of its message", offset=tag_at)
            value = int.from_bytes(self.bytes(at, size), "little") if wire in _FIXED else 0
            field = Field(number, wire, tag_at, at, size, value)
            yield field
            at = field.resume

    def skip_like(self, field: Field, end: int, texts: Collection[bytes] = ()) -> int:
        """Step over the numbers that follow ``field``, one field each, and say how many; or over texts that are one of ``texts``.

        Some writers do not pack: a forest of trees is a run of millions of fields with one tag, which is one pattern here.
        ``texts`` are whole fields, tag and length included; they are not counted.
        """
        if field.packed or (field.wire == 2) != bool(texts):
            return 0
        tag = self.bytes(field.tag_at, field.at - field.tag_at)
        pattern = _run_of(tag, field.wire, tuple(texts))
        at, count = field.resume, 0
        while at < end:
            self.varint(at, end)  # brings the block that holds it
            match = pattern.match(self._block, at - self._start, min(len(self._block), end - self._start))
            if match is None:
                break
            run = match.group()
            if field.wire == 0:
                count += len(run.translate(None, _CONTINUED)) // 2
            elif field.wire in _FIXED:
                count += len(run) // (len(tag) + _FIXED[field.wire])
            at = field.resume = at + len(run)
            self.facts.budget.check_time()
        return count

    def _group(self, number: int, at: int, end: int) -> int:
        """The end of a group, behind its closing tag. No known message has one, so nothing is handed out."""
        begun = at
        inside = [number]
        while inside:
            self._grouped += 1
            if self._grouped > _MAX_GROUPED:
                raise LimitError("records", _MAX_GROUPED, "more fields in groups than are followed", offset=begun)
            if len(inside) > self.facts.limits.nesting:
                raise LimitError("nesting", self.facts.limits.nesting, "groups are nested too deeply", offset=begun)
            tag_at = at
            tag, at = self.varint(at, end)
            wire = tag & 7
            if wire == 3:
                inside.append(tag >> 3)
            elif wire == 4:
                if inside.pop() != tag >> 3:
                    raise MalformedError("a group ends under another number than it begins", offset=tag_at)
            elif wire == 0:
                _, at = self.varint(at, end)
            elif wire == 2:
                size, at = self.varint(at, end)
                at += size
            elif wire in _FIXED:
                at += _FIXED[wire]
            else:
                raise MalformedError(f"a field has the wire type {wire}, which does not exist", offset=tag_at)
            if at > end:
                raise MalformedError("a group goes beyond the end of its message", offset=begun)
        return at

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """A number of at most ten bytes, and the offset behind it. Bits beyond 64 are dropped, as readers do."""
        index = at - self._start
        block = self._block
        if index < 0 or (index + 10 > len(block) and self._start + len(block) < self.source.size):
            straight = 0 <= index <= len(block) + _JUMP
            self._start = at
            self._ahead = min(self._ahead * 4, _BLOCK) if straight else _JUMP
            self._block = block = self.source.upto(at, self._ahead)
            index = 0
        last = min(len(block), end - self._start)
        if index < last and block[index] < 0x80:
            return block[index], at + 1
        value = shift = 0
        while index < last and shift < 70:
            byte = block[index]
            index += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, self._start + index
            shift += 7
        reason = "has more than ten bytes" if shift >= 70 else "is cut off by the end of its message"
        raise MalformedError(f"a number {reason}", offset=at)

    def bytes(self, at: int, size: int) -> bytes:
        """``size`` bytes at ``at``, out of the block where they lie in it."""
        index = at - self._start
        if index >= 0 and index + size <= len(self._block):
            return self._block[index : index + size]
        return self.source.read(at, size)

    def text(self, field: Field, limit: int = 4096) -> str:
        """The first ``limit`` bytes of a field as text; what is not UTF-8 becomes surrogate escapes."""
        return self.bytes(field.at, min(field.size, limit)).decode("utf-8", "surrogateescape")

    def numbers(self, field: Field, limit: int = 64) -> list[int]:
        """The numbers of one field of a repeated varint, packed or not, as signed 64 bits; ``limit`` of them at most."""
        if not field.packed:
            return [_signed(field.value)]
        out: list[int] = []
        at = field.at
        while at < field.end and len(out) < limit:
            value, at = self.varint(at, field.end)
            out.append(_signed(value))
        return out

    def sweep(self, kind: str, at: int, end: int) -> None:
        """Walk a message and everything in it, only to see that nothing in it is unknown."""
        limit = self.facts.limits.nesting
        inside = [self.message(kind, at, end)]
        while inside:
            field = next(inside[-1], None)
            if field is None:
                inside.pop()
            elif field.spec.type:
                if len(inside) > limit:
                    raise LimitError("nesting", limit, "messages are nested too deeply", offset=field.at)
                inside.append(self.message(field.spec.type, field.at, field.end))

    def report(self, rule: str, what: str) -> None:
        """Tell what was unknown, and which fields were there twice, under ``rule``."""
        for name, at in sorted(self.duplicates.items()):
            message = f"{name} stands there more than once: readers differ in which one counts"
            self.facts.anomaly(rule, message, at, lie="twofold-field", field=name)
        if self.unknown:
            self.facts.unknown(
                "unsupported",
                f"{self.unknown} fields that {what} does not have were not read; the first is {self.first_unknown_text}",
                self.first_unknown,
            )


def _run_of(tag: bytes, wire: int, texts: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """What matches fields of this tag in a row; possessive, since no other reading of the bytes exists."""
    if wire == 2:
        return re.compile(b"(?:" + b"|".join(map(re.escape, texts)) + b")++")
    value = rb"[\x80-\xff]{0,9}+[\x00-\x7f]" if wire == 0 else b".{%d}" % _FIXED[wire]
    return re.compile(b"(?:" + re.escape(tag) + value + b")++", re.DOTALL)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def may_begin(head: Head, *numbers: int) -> bool:
    """Whether a message with one of the fields ``numbers`` may begin here: the guard of every probe for a kind of message.

    The mark of Zstandard may begin a field too, and a stored block behind it holds another file as it is: that is no message.
    """
    seen, goes_on = head.once(_outline)
    return goes_on or not seen.isdisjoint(numbers)


def _outline(head: Head) -> tuple[frozenset[int], bool]:
    """The numbers of the first fields, and whether more may follow."""
    data = head.data
    if len(data) < 4 or data[0] < 8 or data[0] & 7 not in _BEGIN or data.startswith(_ZSTANDARD):
        return frozenset(), False
    walker = probing(head, {})
    seen: set[int] = set()
    try:
        for count, field in enumerate(walker.fields(0, _ANYWHERE)):  # what goes beyond the end may have been cut off
            seen.add(field.number)
            if count >= _OUTLINED:
                return frozenset(seen), True
            if field.resume >= head.size:
                break
    except ReadError:
        pass
    return frozenset(seen), False


def probing(head: Head, messages: Schema) -> Walker:
    """A walker for a probe: more fields than a probe needs to see are a :class:`LimitError`."""
    return Walker(head.source, Facts("", "", head.budget), messages, most=_MOST_PROBED)


def looks_like(head: Head, messages: Schema, kind: str, *, fields: int = 48, depth: int = 2) -> dict[int, int] | None:
    """How often each of the first fields stands there, when all of them fit the message type; ``None`` where one does not.

    Looks into the first message of each type, ``depth`` deep. An empty source fits nothing.
    """
    walker = probing(head, messages)
    try:
        return _look(walker, kind, 0, head.size, fields, depth)
    except ReadError:
        return None


def _look(walker: Walker, kind: str, at: int, end: int, most: int, depth: int) -> dict[int, int] | None:
    counts: dict[int, int] = {}
    for field in walker.message(kind, at, end):
        if walker.unknown:
            return None
        first = field.number not in counts
        counts[field.number] = counts.get(field.number, 0) + 1
        if (
            depth
            and first
            and field.spec.type
            and _look(walker, field.spec.type, field.at, field.end, 16, depth - 1) is None
        ):
            return None
        if sum(counts.values()) >= most:
            break
    return None if walker.unknown else counts
