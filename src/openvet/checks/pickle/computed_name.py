"""A pickle computes a name at run time, so that nobody can say what it resolves.

What it finds:
    A module or attribute name that is the result of a call (``str.join``, ``bytes.decode``), given to STACK_GLOBAL, ``getattr``,
    ``attrgetter`` or an import. Names that a linker takes from arguments which are not known count as well. An argument that is not
    known, of a class that evaluates text (sympy), is of medium severity, unless text in the file reads as a call (a heuristic).

Why it matters:
    Python's own picklers write every name as text. A computed name exists to get past scanners that look for names.

Example:
    STACK_GLOBAL of ``"".join(["o", "s"])`` and ``"system"``.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). A file that hides what it calls has a reason.

What it cannot see:
    What the name is. A name that is put together from parts is never evaluated.

References:
    CWE-502; CWE-506; modelscan issue 331.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/computed-name",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502, 506),
    needs=NEEDS,
)

_READ_IT = "Look at what the arguments are (`openvet inspect --calls`) before you load the file, or ask for the formula as text and parse it."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each computed name."""
    for program in programs(ctx):
        for each in program.computed:
            if each.kind == "argument":
                yield ctx.finding(
                    program.at(each.offset),
                    f"calls {each.detail}",
                    _READ_IT,
                    severity=Severity.MEDIUM,
                    confidence=Confidence.LOW,
                    evidence={"opcode": each.opcode, "detail": each.detail},
                )
            if each.kind == "name":
                yield ctx.finding(
                    program.at(each.offset),
                    f"resolves a name that is computed when the file is loaded: {each.detail}",
                    DO_NOT_LOAD,
                    evidence={"opcode": each.opcode, "detail": each.detail},
                )
