"""A pickle uses a callable that OpenVet does not know.

What it finds:
    A function, or an attribute of something, that is neither a known constructor of data nor a class of a known package nor known
    to be dangerous. One that is given an address of the network, a command for a shell, or Python that imports or runs something is
    of high severity: data is not rebuilt from such (a heuristic, so of medium confidence).

Why it matters:
    Loading runs it. It may be harmless, and it may be one of the many that reach a process or a file by a detour.

Example:
    ``mylib.helpers.rebuild``

Remedy:
    Read what the callable does, in the version that you have installed, before you load the file; or ask for
    safetensors. ``pickle.load`` and ``joblib.load`` run it in every version; ``torch.load`` refuses it by default from
    PyTorch 2.6 on (``weights_only``). What your team knows it lists in ``openvet.toml`` under ``[[callable]]``, or
    accepts for one file with ``openvet check --format acceptances``.

What it cannot see:
    What the callable does.

References:
    CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind
from openvet.checks.pickle._verdict import NEEDS, evidence, judged, known_to_team, programs, spelled
from openvet.checks.python._pickled import brought
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import shorten

if TYPE_CHECKING:  # most models have no pickle, and then nobody needs its words
    from openvet.formats.pickle.program import Reference

RULE = Rule(
    id="pickle/unknown-callable",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


_REMEDY = (
    "Read what it does before you load the file (`openvet inspect --calls` shows its arguments), or ask for safetensors. "
    "A callable that your team knows can be listed in openvet.toml under [[callable]]."
)

#: Arguments that say what a callable is for: an address, a command, code.
_TELLING = pattern(
    r"""['"](?:https?|ftp|s3|gs)://|\b__import__\s*\(|\b(?:eval|exec)\s*\(|\bos\.(?:system|popen)\b|\bsubprocess\.\w|"""
    r"""\bimport\s+(?:os|subprocess|socket|sys|ctypes|shutil)\b|\b(?:ba|z)?sh\s+-c\b|\|\s*(?:ba|z)?sh\b|/dev/tcp/""",
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each unknown callable."""
    from openvet.formats.pickle.program import UNBOUND  # most models have no pickle

    packed = ctx.inventory.once(brought)
    for program in programs(ctx):
        for each in judged(program):
            reference = each.reference
            comes_along = (program.location.place, reference.module) in packed and not reference.variant
            if program.container == "shifted" and not reference.variant:
                continue  # names that meet by chance, when pickle reads what joblib wrote; dangerous ones are found
            if program.container == "raw" and not _importable(reference):
                continue  # bytes of an array, taken for a name: no import takes it
            if (each.known.kind is not Kind.UNKNOWN and not reference.variant) or known_to_team(ctx, each):
                continue
            if reference.opcode == UNBOUND and not reference.calls:
                continue  # the name of a method, and nothing more
            told = next(
                (text for call in reference.first_calls for text in call.arguments if _TELLING.search(text)), None
            )
            if reference.variant:
                message = f"calls {spelled(reference)} in an unusual way ({reference.variant}) when the file is loaded"
            elif reference.calls:
                message = f"calls {spelled(reference)}, which is not known, when the file is loaded"
            else:
                message = f"refers to {spelled(reference)}, which is not known"
            if comes_along:
                message += "; its source comes with the package, and is judged by what it does"
            if told is not None and not reference.variant:
                message += f", and gives it {shorten(told, 80)}"
            yield ctx.finding(
                program.at(reference.first_calls[0].offset if reference.first_calls else reference.offset),
                message,
                _REMEDY,
                severity=Severity.HIGH if told is not None else Severity.NOTE if comes_along else None,
                confidence=None if told is None else Confidence.MEDIUM,
                evidence=evidence(reference),
            )


def _importable(reference: Reference) -> bool:
    """Whether its parts are names as Python code writes them."""
    return all(part.isidentifier() for part in f"{reference.module}.{reference.name}".replace("()", "").split("."))
