r"""A literal inside a pickle holds another pickle.

What it finds:
    Bytes or text inside a pickle that are a pickle themselves, also compressed or in base64, and that the outer one does not load.

Why it matters:
    Loading the file does not run it, but whoever wrote it put a program there for something to run. One that calls what no data
    needs is of high severity; one that builds nothing but data harms nobody, whoever loads it, and is a note.

Example:
    ``{"blob": b"\x80\x04..."}``

Remedy:
    Find out what reads the literal. Its own findings are in the evidence.

What it cannot see:
    Programs that are encrypted or encoded in other ways.

References:
    CWE-506; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, judged, programs, spelled
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/nested-pickle",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each carried pickle."""
    for program in programs(ctx, carried=True):
        found = list(judged(program))
        bad = [spelled(each.reference) for each in found if each.known.kind is Kind.DANGEROUS]
        named = bad or [spelled(each.reference) for each in found if each.known.kind is not Kind.DATA]
        runs = any(each.reached and each.known.kind is Kind.DANGEROUS and not each.known.by_name for each in found)
        records = (program.computed, program.mutations, program.codes, program.carried, program.broken)
        odd = any(records) or any(each.reference.variant for each in found)
        plain = program.stopped and not named and not odd
        what = f" that names {', '.join(named[:3])}" if named else " of plain data" if plain else ""
        yield ctx.finding(
            program.location,
            f"a literal holds a pickle{what}, which loading the file does not run",
            DO_NOT_LOAD if runs else "Find out what reads the literal before you load the file.",
            severity=Severity.HIGH if runs else Severity.NOTE if plain else None,
            evidence={"names": named[:50], "dangerous": bad[:50], "opcodes": program.opcodes},
        )
