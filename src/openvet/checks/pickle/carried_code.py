"""A pickle carries a dangerous callable or code without calling it.

What it finds:
    A reference to a callable with a dangerous capability that is kept as a value (in a dictionary, as a default, inside a partial),
    and literals that hold marshalled code.

Why it matters:
    Loading does not run it, but the program that loads the file may: objects call what they hold. What starts a process or runs
    code, such as ``os.system`` or ``eval`` as the function of a transformer or a hook, has no honest use and is of high severity; nor has a
    dangerous callable to which a partial binds what it would act on, such as ``partial(os.remove, "…")``.

Example:
    A dictionary ``{"on_epoch_end": os.system}``.

Remedy:
    Find out what uses the value, or do not load the file.

What it cannot see:
    Whether anything calls it later.

References:
    CWE-502; CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind, has_no_honest_use
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, Judged, evidence, is_handed, judged, programs, spelled
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten

if TYPE_CHECKING:  # most models have no pickle, and then nobody needs its words
    from openvet.formats.pickle.program import PickleProgram

RULE = Rule(
    id="pickle/carried-code",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502, 506),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable or piece of code that is carried."""
    remedy = "Find out what uses it after loading, or do not load the file."
    for program in programs(ctx):
        taken_out = _calls_what_it_took_out(program)
        for each in judged(program):
            if each.known.kind is Kind.DANGEROUS and not each.reached and not is_handed(program, each.reference):
                armed = _armed(each)
                certain = taken_out or bool(armed) or has_no_honest_use(each.known, each.reference.name)
                bound = f", bound to {armed}" if armed else ""
                yield ctx.finding(
                    program.at(each.reference.offset),
                    f"carries {spelled(each.reference)}{bound}, which {each.known.what}, without calling it",
                    DO_NOT_LOAD if certain else remedy,
                    severity=Severity.HIGH if certain else None,
                    confidence=Confidence.MEDIUM if certain else None,
                    evidence={**evidence(each.reference), "capability": each.known.capability},
                )
        for carried in program.carried:
            if carried.kind == "marshal":
                yield ctx.finding(
                    program.at(carried.start),
                    f"carries marshalled code in a literal of {carried.size} bytes",
                    remedy,
                    evidence=carried.to_json(),
                )


def _armed(each: Judged) -> str:
    """What a partial binds to it that it would act on: whoever calls the partial does what the file says."""
    return shorten(printable(each.reference.armed), 120) if each.known.capability != "other" else ""


def _calls_what_it_took_out(program: PickleProgram) -> bool:
    """Whether loading calls what a call gave, or an attribute of it: ``SimpleNamespace().x`` may be what was put there before."""
    from openvet.formats.pickle.program import BUILDS

    return any(each.calls and "()" in each.name and each.variant != BUILDS for each in program.references)
