"""A pickle refers to a callable by a copyreg extension code instead of by its name.

What it finds:
    The opcodes EXT1, EXT2 and EXT4. Where the pickle itself registers the code with ``copyreg.add_extension``, the callable
    behind it is followed and reported by its own rule too.

Why it matters:
    The name is in a table of the loading process, not in the file. No published model uses extension codes; a payload does, to
    keep its name out of the call.

Example:
    ``copyreg.add_extension("os", "system", 240)`` and later EXT1 240.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747).

What it cannot see:
    What codes mean that other code in the loading process has registered, and codes behind an array in a file of joblib's that
    ``pickle.load`` reads: there the bytes of numbers are opcodes by chance.

References:
    CWE-502; PEP 307, section The copyreg module.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/extension-code",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each extension code."""
    for program in programs(ctx):
        if program.container in ("raw", "shifted"):
            continue  # the bytes of an array that joblib wrote, read as opcodes: a number is a code of chance
        for each in program.computed:
            if each.kind == "extension":
                yield ctx.finding(
                    program.at(each.offset),
                    f"resolves {each.detail}: what that is depends on the process that loads the file",
                    DO_NOT_LOAD,
                    evidence={"opcode": each.opcode, "detail": each.detail},
                )
