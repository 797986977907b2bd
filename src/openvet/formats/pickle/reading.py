"""Reading a file of pickles: one program after the other, the programs inside literals, and what is left over."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.errors import ReadError
from openvet.formats._format import Facts, Member
from openvet.formats.pickle.containers import opened
from openvet.formats.pickle.frames import forgetful_reading
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.nested import TORCH_MAGIC, inner_bytes
from openvet.formats.pickle.opcodes import KIND
from openvet.formats.pickle.probing import evidence
from openvet.formats.pickle.program import Carried, PickleProgram
from openvet.formats.pickle.references import freeze
from openvet.formats.pickle.semantics import Observer
from openvet.io.source import BytesSource, Source

__all__ = ["Reading", "read_file"]

_NESTED: Final = 1_000
_NESTED_DEPTH: Final = 3
_NESTED_HELD: Final = 1024 * 1024


@dataclass(slots=True)
class Reading:
    """The pickles of one file on their way into ``facts``; ``place`` is that of the file or member they are in."""

    source: Source
    facts: Facts
    place: str
    opcodes: int = 0
    nested: int = 0
    programs: int = 0
    inside: int = 0
    files: int = 0

    def one(self, start: int, observer: Observer | None = None, walked: Machine | None = None) -> Machine:
        """Walk one program that begins at ``start`` and put it, and what it contains, into the facts.

        ``walked`` is the walk where somebody took it already.
        """
        limits = self.facts.limits
        machine = walked or Machine(
            self.source,
            self.facts.budget,
            start=start,
            opcodes=max(limits.opcodes - self.opcodes, 1),
            observer=observer,
        )
        self._want_steps(machine)
        machine.inner_pickle = self._inner_pickle
        try:
            if walked is None:
                machine.run()
        finally:
            machine.inner_pickle = None
            self.opcodes += machine.opcodes
            self.programs += 1
            program = self._frozen(machine, start)
            self.facts.programs.append(program)
        self._report(machine)
        self._inside(self.source, program, 1)
        self._files_inside(self.source, machine, program)
        if machine.frames:
            self._read_again(start)
        if machine.first_array >= 0:
            self._read_without_arrays(start, machine.first_array)
        return machine

    def _read_without_arrays(self, start: int, first: int) -> None:
        """What ``pickle.load`` makes of a file that joblib wrote: it takes the raw bytes of the first array for opcodes."""
        allowed = max(self.facts.limits.opcodes - self.opcodes, 1)
        machine = Machine(self.source, self.facts.budget, start=start, opcodes=allowed, strict=True, joblib=False)
        self._want_steps(machine)
        machine.run()
        self.opcodes += machine.opcodes
        if machine.end > first + 1:  # mostly the first byte is no opcode
            # where the array is a pickle of its own, this walk took its very opcodes with the entries of the outer memo
            inner = {
                each.end for each in self.facts.programs if isinstance(each, PickleProgram) and each.start == first
            }
            program = self._frozen(machine, start, "shifted" if machine.end in inner else "raw")
            self.facts.programs.append(program)
            self._inside(self.source, program, 1)

    def _read_again(self, start: int) -> None:
        """Where frames contradict opcodes, walk what the unpickler in C makes of them as well."""
        other = forgetful_reading(self.source, start, self.facts.budget)
        if other is None:
            return
        machine = Machine(other, self.facts.budget, opcodes=max(self.facts.limits.opcodes - self.opcodes, 1))
        self._want_steps(machine)
        machine.run()
        self.opcodes += machine.opcodes
        program = self._frozen(machine, 0, "reread", start, decoded=True)
        self.facts.programs.append(program)
        self._inside(other, program, 1)
        self._files_inside(other, machine, program)

    def _inner_pickle(self, start: int) -> int | None:
        """An array of objects that joblib pickled between the opcodes of another pickle."""
        if self.inside >= _NESTED_DEPTH or self.programs >= self.facts.limits.records:
            return None
        self.inside += 1
        try:
            machine = self.one(start)
        finally:
            self.inside -= 1
        return machine.end if machine.stopped else None

    def _want_steps(self, machine: Machine) -> None:
        if self.facts.every_call and machine.steps is None:
            machine.steps = []

    def _frozen(
        self, machine: Machine, start: int, container: str = "", base: int = 0, *, decoded: bool = False
    ) -> PickleProgram:
        return PickleProgram(
            location=Location(self.place, base if decoded else base + start),
            start=start,
            end=machine.end,
            protocol=machine.highest_protocol,
            opcodes=machine.opcodes,
            stopped=machine.stopped,
            broken=machine.broken,
            broken_at=machine.broken_at,
            references=freeze(machine.references, machine.bags),
            mutations=tuple(machine.mutations),
            computed=tuple(machine.computed),
            carried=tuple(machine.carried),
            codes=tuple(machine.codes),
            persistent=machine.persistent,
            persistent_first=tuple(machine.persistent_first),
            container=container,
            base=base,
            decoded=decoded,
            dropped=machine.dropped + machine.references.overflow,
            steps=None if machine.steps is None else tuple(machine.steps),
            steps_dropped=machine.steps_dropped,
        )

    def _report(self, machine: Machine) -> None:
        facts = self.facts
        for offset, message in machine.frames:
            self.anomaly("pickle/frame-mismatch", message, offset)
        if machine.hit_limit:
            facts.unknown("limit", machine.broken or "a limit was reached", machine.broken_at)
        elif machine.broken is not None:
            where = machine.broken_at
            self.anomaly("pickle/broken-stream", f"a loader fails here: {machine.broken}", where, reason=machine.broken)
            facts.unknown("malformed", f"the pickle breaks: {machine.broken}", where)
        if machine.references.overflow:
            facts.unknown("limit", "the pickle resolves more names than are told apart", machine.start)
        if machine.dropped:
            facts.unknown("limit", f"{machine.dropped} more calls and records than are kept", machine.start)
        if machine.raw_follows:
            facts.unknown(
                "unsupported",
                "where the array ends that joblib put here cannot be told, so that what is behind it was not read",
                machine.end,
            )
        self._beside(machine)
        facts.tensors.extend(machine.arrays[: max(facts.limits.tensors - len(facts.tensors), 0)])

    def _beside(self, machine: Machine) -> None:
        """Arrays that joblib before 0.10 put into files: one beside is read by itself, or claimed where it has no header."""
        for offset, kind, name in machine.beside:
            if name is None or name in ("", ".", "..") or any(each in name for each in "/\\:\0"):
                shown = "a file whose name is not certain" if name is None else printable(shorten(name, 200))
                self.facts.unknown(
                    "unsupported", f"joblib takes an array from {shown}, which was not looked at", offset
                )
            elif kind == "ZNDArrayWrapper":
                self.facts.claims[name] = [(0, 1 << 62)]

    def anomaly(self, rule: str, message: str, offset: int | None, **evidence_: Any) -> None:
        """An anomaly at this file's own place, which for a member is not that of its archive."""
        facts = self.facts
        outer, facts.place = facts.place, self.place
        try:
            facts.anomaly(rule, printable(message), offset, **evidence_)
        finally:
            facts.place = outer

    # programs inside literals

    def _inside(self, source: Source, program: PickleProgram, depth: int) -> None:
        for carried in program.carried:
            if carried.kind == "marshal":
                continue
            if self.nested >= _NESTED or depth > _NESTED_DEPTH:
                self.facts.unknown(
                    "limit", "more pickles inside literals than are walked", program.base + carried.start
                )
                return
            self.nested += 1
            self._literal(source, program, carried, depth)

    def _literal(self, source: Source, outer: PickleProgram, carried: Carried, depth: int) -> None:
        """Walk the programs inside one literal."""
        base = outer.at(carried.start).offset or 0
        decoded = outer.decoded or carried.kind != "pickle"
        container = "loaded" if carried.loaded and outer.container != "carried" else "carried"
        inner = self._opened(source, carried)
        if inner is None:
            self.facts.unknown(
                "unsupported", f"a literal that seems to hold a pickle ({carried.kind}) was not decoded", base
            )
            return
        legacy = inner.upto(0, len(TORCH_MAGIC)) == TORCH_MAGIC
        at = 0
        for count in range(64):
            machine = Machine(
                inner, self.facts.budget, start=at, opcodes=max(self.facts.limits.opcodes - self.opcodes, 1)
            )
            self._want_steps(machine)
            machine.run()
            self.opcodes += machine.opcodes
            program = self._frozen(machine, at, container, base, decoded=decoded)
            self.facts.programs.append(program)
            self._inside(inner, program, depth + 1)
            self._files_inside(inner, machine, program)
            at = machine.end
            if machine.broken is not None and container == "loaded":
                self.facts.unknown("malformed", f"a pickle inside a literal breaks: {machine.broken}", base + at)
            if not machine.stopped or at >= inner.size or (legacy and count == 4):
                return
            if not starts_pickle(inner, at, self.facts):
                self.facts.unknown("no-reader", "bytes behind a pickle inside a literal were not read", base + at)
                return

    def _files_inside(self, source: Source, machine: Machine, program: PickleProgram) -> None:
        """Hand on the files that literals hold: each is read when the inventory opens it, and let go after that."""
        for held in machine.containers:
            at = program.at(held.start).offset
            if self.files >= _NESTED:
                self.facts.unknown("limit", "more files inside literals than are opened", at)
                return
            self.files += 1
            name = f"{held.kind.split()[0].strip(',')}-at-{at}"
            opener = partial(opened, source, held.start, held.size, held.kind, self.facts.limits)
            self.facts.add_members([Member(name, held.size, opener, at)])

    def _opened(self, source: Source, carried: Carried) -> Source | None:
        if carried.kind == "pickle":
            return source.window(carried.start, carried.size)
        raw = inner_bytes(carried.kind, source.upto(carried.start, min(carried.size, _NESTED_HELD)))
        return None if raw is None else BytesSource(raw)


def starts_pickle(source: Source, at: int, facts: Facts) -> bool:
    """Whether another pickle begins at ``at``."""
    head = source.upto(at, 3)
    if len(head) < 2 or not KIND[head[0]]:
        return False
    if head[0] == 0x80 and head[1] <= 5 and len(head) > 2:
        return bool(KIND[head[2]])
    seen = evidence(source, facts.budget, start=at)
    return seen.calls > 0 or seen.hit_limit or (seen.stopped and (seen.end == source.size or seen.structure > 1))


def read_file(source: Source, facts: Facts) -> None:
    """Every pickle of a file, and what is behind the last one."""
    reading = Reading(source, facts, facts.place)
    walked: Machine | None = facts.walked
    facts.walked = None  # no cycle through the walk, which knows its reader
    waiting = [0]
    begun = {0}
    end = 0
    stopped = True
    protocol = 0
    while waiting and reading.programs < facts.limits.records:
        machine = reading.one(waiting.pop(), walked=walked)
        walked = None
        protocol = max(protocol, machine.highest_protocol)
        end = max(end, machine.end)
        if not machine.stopped:
            stopped = False
            continue
        # where STOP is inside a frame, unpicklers in Python go on behind the frame and those in C behind STOP
        candidates = [machine.end] if starts_pickle(source, machine.end, facts) else []
        if machine.frame_end > machine.end:
            reading.anomaly(
                "pickle/frame-mismatch",
                "a frame goes on behind STOP: unpicklers differ in what comes next",
                machine.end,
            )
            candidates.append(machine.frame_end)  # whatever it looks like: somebody made this on purpose
        waiting += [at for at in reversed(candidates) if at < source.size and at not in begun]
        begun.update(candidates)
    if waiting:
        facts.unknown("limit", f"more than {facts.limits.records} pickles in one file", end)
    elif stopped and end < source.size:
        _left_over(source, facts, reading, end)
    facts.note("protocol", protocol)
    facts.note("pickles", reading.programs)
    facts.note("opcodes", reading.opcodes)


def _left_over(source: Source, facts: Facts, reading: Reading, end: int) -> None:
    """Bytes behind the last STOP: padding is nothing, everything else was not read."""
    try:
        padding = all(not chunk.strip(b"\0\r\n\t ") for chunk in source.chunks(end))
    except ReadError as error:
        facts.unknown("changed", error.message, error.offset)
        return
    if padding:
        facts.note("padding", source.size - end)
        return
    size = source.size - end
    reading.anomaly(
        "pickle/trailing-data", f"{size} bytes behind the end of the pickle belong to nothing", end, size=size
    )
    facts.unknown("no-reader", f"{size} bytes behind the end of the pickle were not read", end)
