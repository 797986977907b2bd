"""Python code that comes with the model loads native code as soon as it is imported or constructed.

What it finds:
    ``ctypes``, ``torch.ops.load_library`` and ``torch.utils.cpp_extension`` at module level, in class bodies, in
    functions that those call, or in constructors.

Why it matters:
    A native library runs with all rights of the process and cannot be read. Some honest models compile a faster
    kernel this way, which is why this asks for a review.

Example:
    ``ctypes.CDLL('./libfast.so')`` at the top of ``modeling_x.py``.

Remedy:
    Look for the library in the repository and for its source; use the pure Python path of the model where it has
    one.

What it cannot see:
    What modules from elsewhere, or other files of the repository, do when this file calls them; names that only
    come about while the code runs.

References:
    https://docs.python.org/3/library/ctypes.html ; CWE-114.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._uses import found, uses
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/native-at-load",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(114,),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.MEDIUM, Confidence.HIGH), "construction": (Severity.MEDIUM, Confidence.MEDIUM)}
_LOADED = ("import", "construction", "inference")
#: A library of the system by its name, or of the process itself.
_OF_THE_SYSTEM = pattern(r"""^(?:None|'(?:lib)?[\w+-]{1,40}\.(?:so(?:\.\d+)*|dylib|dll)')?(?:,|$)|^'[\w+-]{1,40}'$""")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    fetching = {program.location.place for program, use, _ in ctx.inventory.once(uses)
                if use.capability == "network" and use.when in _LOADED}  # fmt: skip
    for finding in found(
        ctx,
        "native",
        "loads native code",
        "Look at the library and its source before you run this code.",
        {**_GRADES, "inference": (Severity.MEDIUM, Confidence.MEDIUM)},
    ):
        fetched = finding.location.place in fetching and not _OF_THE_SYSTEM.search(str(finding.evidence["detail"]))
        if finding.evidence["when"] == "inference" and not fetched:
            continue
        yield (
            replace(finding, severity=Severity.HIGH, message=f"{finding.message}, in a file that fetches files then")
            if fetched
            else finding
        )
