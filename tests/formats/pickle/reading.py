"""Reads a pickle for the tests of this folder and tells what came of it."""

from __future__ import annotations

from openvet.core.limits import Budget, Limits
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts
from openvet.formats.pickle.program import PickleProgram
from openvet.io.source import BytesSource

OPCODES = ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ")


def facts_of(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("place", "x", Budget(limits or Limits()))
    pickle_format.read(BytesSource(data), facts)
    return facts


def programs(facts: Facts) -> list[PickleProgram]:
    return [program for program in facts.programs if isinstance(program, PickleProgram)]


def program_of(data: bytes) -> PickleProgram:
    (program,) = programs(facts_of(data))
    return program


def reasons(facts: Facts) -> list[tuple[str, str]]:
    return [(unknown.reason, unknown.message) for unknown in facts.unknowns]


def resolved(program: PickleProgram) -> list[str]:
    return [each.qualified for each in program.references]


def calls(program: PickleProgram) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """Every call that an opcode makes, in order; those that a linker makes on behalf of one are left out."""
    out = [
        (call.offset, each.qualified, call.opcode, call.arguments)
        for each in program.references
        for call in each.first_calls
        if call.opcode in OPCODES
    ]
    return sorted(out)
