"""A pickle makes its loader take gigabytes of memory for nothing.

What it finds:
    PUT, BINPUT and LONG_BINPUT with an index of 2^24 or more that is far beyond the number of entries that were put; a
    literal or a frame that claims 2^34 bytes or more, which the file does not have.

Why it matters:
    The unpickler in C keeps its memo in an array and makes room for twice the highest index: five bytes of a file become up to
    64 GiB, and the process that loads it ends or takes the machine with it. Picklers count from zero and never write such an index.
    For a literal it makes room before it reads.

Example:
    LONG_BINPUT 2147483647 in a pickle of ten bytes.

Remedy:
    Do not load the file; ``pickle.load``, ``joblib.load`` and other loaders on CPython's own unpickler are hit. Limit the memory of
    a process that has to load files of strangers.

What it cannot see:
    Memory that a harmless constructor takes for its arguments, such as ``bytearray(2 ** 40)``: pickle/resource-bomb tells of those.

References:
    CWE-770; CWE-789; CPython issue 115952.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import NEEDS, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/memory-bomb",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(770, 789),
    needs=NEEDS,
)

_REMEDY = "Do not load this file: unpicklers in C take gigabytes of memory for it. Report it to where you got it."

_SAID = {
    "memo": "puts {} although it has no such number of entries",
    "claim": "claims {}, which the file does not have",
}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each program."""
    for program in programs(ctx):
        for each in program.computed:
            if each.kind in _SAID:
                yield ctx.finding(
                    program.at(each.offset),
                    _SAID[each.kind].format(each.detail),
                    _REMEDY,
                    evidence={"opcode": each.opcode, "detail": each.detail},
                )
