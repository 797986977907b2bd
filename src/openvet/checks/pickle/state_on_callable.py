"""A pickle changes a module, a class or a function, or plants a callable where the loader calls it.

What it finds:
    BUILD, SETITEM or APPEND on something that was resolved by name instead of made (attributes set on a function, entries put
    into ``sys.modules``, ``os.environ`` or ``sys.path``); and a callable put into an instance under a name that the
    unpickler calls next, such as ``__setstate__`` or ``append``.

Why it matters:
    It changes how code outside of the pickle behaves, after loading, without any call that a scanner would see.

Example:
    GLOBAL ``numpy.size``, a dictionary with ``__wrapped__``, BUILD.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747).

What it cannot see:
    What a class of the model's own code does in its ``__setstate__``.

References:
    CWE-915; CWE-502; modelscan issue 330.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten

RULE = Rule(
    id="pickle/state-on-callable",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(915, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each change."""
    for program in programs(ctx):
        for each in program.mutations:
            target = shorten(printable(".".join(part for part in each.target if part)), 120) or "an object"
            if each.how == "hijack" and each.callable is not None:
                hidden = shorten(printable(".".join(part for part in each.callable if part)), 120)
                message = f"puts {hidden} into an instance of {target} as {each.key}, which the loader then calls"
            elif each.how == "hijack":
                message = (
                    f"sets attributes of an instance of {target} that cannot be told, which the loader may then call"
                )
            elif each.how == "state":
                message = f"sets attributes of {target} when the file is loaded"
            else:
                message = f"puts items into {target} when the file is loaded"
            yield ctx.finding(
                program.at(each.offset), message, DO_NOT_LOAD, evidence={**each.to_json(), "opcode": each.opcode}
            )
