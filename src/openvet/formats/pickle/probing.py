"""Does this look like a pickle? A strict walk of the first opcodes tells, for streams with and without a header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.formats._format import Head, Likeness
from openvet.formats.pickle.opcodes import KIND
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats.pickle.machine import Machine

__all__ = ["Evidence", "evidence", "likeness"]

_OPCODES: Final = 4_000
_FOLLOWING: Final = 8
_NAME_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")


#: What no text names by chance in the form of an opcode: words of a list can be ``cos`` and ``sin``, which is no name in ``os``.
_RUNS: Final = {
    **dict.fromkeys(("os", "posix", "nt"), pattern(r"system|popen|startfile|(?:posix_)?spawn\w*|exec[lv]p?e?|fork")),
    "subprocess": pattern(r"Popen|run|call|check_call|check_output|getoutput|getstatusoutput"),
    **dict.fromkeys(("builtins", "__builtin__"), pattern(r"exec|eval|execfile|compile|__import__|open|getattr|breakpoint")),
    "runpy": pattern(r"run_\w+|_run_code"),
    "pty": pattern(r"spawn"),
    "importlib": pattern(r"import_module|reload"),
    "ctypes": pattern(r"CDLL|PyDLL|cdll.*"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a strict walk saw before a loader would have failed.

    Attributes:
        opcodes: how many it took.
        end: offset after the last of them.
        stopped: STOP came with a value on the stack.
        failed: it met what a loader refuses.
        globals: names that are resolved.
        calls: calls of resolved names that a module or a class could have, states set, computed names.
        hit_limit: it still went on when the allowance was spent.
        structure: memo entries put: what data has and text has not.
        bombs: it takes memory or time without bounds.
        runs: a name that is resolved runs processes or code: a loader imports it, whatever comes behind.
    """

    opcodes: int
    end: int
    stopped: bool
    failed: bool
    globals: int
    calls: int
    hit_limit: bool
    structure: int
    bombs: bool
    runs: bool


def evidence(source: Source, budget: Budget, *, opcodes: int = _OPCODES, start: int = 0) -> Evidence:
    """Walk strictly from ``start``."""
    from openvet.formats.pickle.machine import Machine

    return _walked(Machine(source, budget, start=start, opcodes=opcodes, strict=True))


def _first(head: Head) -> Evidence:
    """Walk strictly from the start. A walk that comes to its end is the reader's too: a small pickle is not walked twice."""
    from openvet.formats.pickle.machine import Machine

    machine = Machine(head.source, head.budget, opcodes=_OPCODES, strict=True, curious=True)
    seen = _walked(machine)
    if seen.stopped and not (seen.failed or seen.hit_limit or machine.frames or machine.first_array >= 0):
        head.walked = "pickle", machine
    return seen


def _walked(machine: Machine) -> Evidence:
    """What the walk sees that is made here."""
    failed = False
    try:
        machine.run()
    except ReadError:
        failed = True
    named = [ref for ref in machine.refs if ref.kind == "global" and _NAME_CHARS.issuperset(ref.module + ref.name)]
    # lines of a program in another language are names that nobody has; what is done to them tells nothing either
    changed = sum(1 for each in machine.mutations if _NAME_CHARS.issuperset("".join(each.target)))
    return Evidence(
        opcodes=machine.opcodes,
        end=machine.end,
        stopped=machine.stopped,
        failed=failed or not (machine.stopped or machine.hit_limit or machine.raw_follows),
        globals=sum(1 for ref in named if ref.opcode in ("GLOBAL", "INST", "STACK_GLOBAL")),
        calls=sum(ref.calls + ref.builds for ref in named if ref.module and ref.name) + changed,
        hit_limit=machine.hit_limit,
        structure=machine.tape.memo_count,
        bombs=any(each.kind in ("claim", "memo", "resource") for each in machine.computed),
        runs=any(ref.module in _RUNS and _RUNS[ref.module].fullmatch(ref.name) is not None for ref in named),
    )


def likeness(head: Head) -> Likeness:
    """How much a file looks like a pickle; a name never decides."""
    data = head.data
    if len(data) < 2 or not KIND[data[0]]:
        return Likeness.NO
    headed = data[0] == 0x80
    if headed and not (len(data) > 2 and KIND[data[2]]):
        return Likeness.NO
    budget = head.budget
    if headed:
        return _headed(head, budget)
    if data[0] in b"ie0123adestubpqrgjhoRQl\x81\x85\x86\x87\x90\x91\x92\x93\x94\x98":
        return Likeness.NO  # these need something on the stack
    if data[0] == 0x63 and b"\0" in data[1 : data.find(b"\n") if b"\n" in data else None]:
        return (
            Likeness.NO
        )  # no import takes such a name, so a loader ends here: a tar whose first entry is ``config.json``
    seen = _first(head)
    if seen.calls or seen.hit_limit:
        return Likeness.STRONG if seen.opcodes > 1 else Likeness.WEAK
    if seen.stopped and (seen.end == head.size or seen.structure > 1):
        return Likeness.STRONG if seen.opcodes > 3 or seen.globals else Likeness.WEAK
    if seen.stopped and _calls_behind(head, budget, seen.end):
        return Likeness.STRONG
    if seen.runs:
        return Likeness.STRONG
    if seen.failed or seen.opcodes < 8:
        return Likeness.NO
    return Likeness.WEAK


def _calls_behind(head: Head, budget: Budget, start: int) -> bool:
    """Whether pickles follow a small one, of which one has a head or calls something: whoever loads the file again and again gets there."""
    for _ in range(_FOLLOWING):
        if start >= head.size:
            return False
        begins = head.source.upto(start, 3)
        if len(begins) == 3 and begins[0] == 0x80 and 2 <= begins[1] <= 5 and KIND[begins[2]]:
            return True
        seen = evidence(head.source, budget, start=start)
        if seen.calls or not seen.stopped:
            return seen.calls > 0
        start = seen.end
    return False


def _headed(head: Head, budget: Budget) -> Likeness:
    """A stream that begins with PROTO."""
    seen = _first(head)
    if head.data[1] > 5:  # no such protocol: loaders refuse it, but a later one might not
        seen = evidence(head.source, budget, start=2)
        return Likeness.WEAK if seen.calls else Likeness.NO
    if seen.globals or seen.calls or seen.bombs or seen.opcodes >= 8 or (seen.stopped and seen.opcodes > 2):
        return Likeness.STRONG
    return Likeness.WEAK if seen.opcodes > 2 else Likeness.NO
