"""A pickle keeps its loader busy for ever, or makes it take more memory than a machine has, by harmless callables alone.

What it finds:
    Calls whose arguments say that they make 2^34 bytes or more (``bytearray``, ``operator.mul``, ``numpy.zeros``), take 2^30
    items or more of an iterable (``list(itertools.count())``), or make a number of 2^28 bits (``pow(10, 10 ** 9)``,
    ``Fraction("1e1000000000")``); numbers that are written in hundreds of thousands of decimal digits; and tuples in tuples that
    are shared or nested so that a hash of the outermost never ends, or overflows the stack. For review: lists and dictionaries that
    hold each other several times over twenty levels and more, which load but which nobody can print, compare or copy to JSON.

Why it matters:
    Loading never returns, or ends the process and whatever runs beside it. No callable in it is dangerous, so that lists of
    dangerous names do not help, and a few bytes are enough.

Example:
    ``list(range(2 ** 47))``; a tuple of twice the same tuple, sixty times, as a key of a dictionary.

Remedy:
    Do not load the file: ``pickle.load``, ``joblib.load`` and ``torch.load`` are hit in every version, and tuples need no callable. Where files of strangers have to be
    loaded, bound the memory and the time of the process. Versions of Python from 3.11 on refuse to read numbers of more than 4300
    digits from text (CVE-2020-10735); Python 3.14 keeps hashes of tuples.

What it cannot see:
    What an object of another package does with a number that it is given. Sizes that come from what calls give, beyond the callables that
    are evaluated.

References:
    CWE-400; CWE-770; CWE-1325; CVE-2020-10735.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import NEEDS, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/resource-bomb",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(400, 770, 1325),
    needs=NEEDS,
)

_REMEDY = "Do not load this file: loading it takes all memory or never ends. Report it to where you got it."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each program, with the first such call."""
    for program in programs(ctx):
        bombs = [each for each in program.computed if each.kind == "resource"]
        if bombs:
            first = bombs[0]
            more = f" (and {len(bombs) - 1} more)" if len(bombs) > 1 else ""
            yield ctx.finding(
                program.at(first.offset),
                f"takes all memory or time when the file is loaded: {first.detail}{more}",
                _REMEDY,
                evidence={"opcode": first.opcode, "detail": first.detail},
            )
        shared = next((each for each in program.computed if each.kind == "lattice"), None)
        if shared is not None and not bombs:
            yield ctx.finding(
                program.at(shared.offset),
                f"takes all memory or time of whatever goes through it, prints or copies it: {shared.detail}",
                _REMEDY,
                severity=Severity.MEDIUM,
                evidence={"opcode": shared.opcode, "detail": shared.detail},
            )
