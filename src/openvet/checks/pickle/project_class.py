"""A pickle needs a class of the model's own code.

What it finds:
    A class whose module belongs to no package that OpenVet knows, or to ``__main__``: the script that trained the model. Where a
    package of ``torch.package`` brings the source of the class along, that source is judged by what it does, and this is a note.

Why it matters:
    Loading imports that code and runs what the class does when its state is set. Without the code the file cannot be loaded.

Example:
    ``__main__.Net`` after ``torch.save(model)``.

Remedy:
    Get the code from where the model came from and read it first; better, ask for the weights alone (a state_dict in
    safetensors). ``pickle.load`` and ``joblib.load`` run it in every version; ``torch.load`` refuses it by default from
    PyTorch 2.6 on (``weights_only``). What your team knows it lists in ``openvet.toml`` under ``[[callable]]``, or
    accepts for one file with ``openvet check --format acceptances``.

What it cannot see:
    What the class does.

References:
    CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind
from openvet.checks.pickle._verdict import NEEDS, evidence, judged, known_to_team, programs, spelled
from openvet.checks.python._pickled import brought
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/project-class",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


_REMEDY = (
    "Read that code before you load the file, or ask for the weights alone as safetensors. A class of your own team can be "
    "listed in openvet.toml under [[callable]]."
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each class."""
    packed = ctx.inventory.once(brought)
    for program in programs(ctx):
        for each in judged(program):
            if each.known.kind is Kind.PROJECT and not each.reference.variant and not known_to_team(ctx, each):
                comes_along = (program.location.place, each.reference.module) in packed
                yield ctx.finding(
                    program.at(each.reference.offset),
                    f"needs the class {spelled(each.reference)} of the model's own code"
                    + (", which the package brings along" if comes_along else ""),
                    _REMEDY,
                    severity=Severity.NOTE if comes_along else None,
                    evidence=evidence(each.reference),
                )
