"""A pickle needs a package to be loaded.

What it finds:
    Classes and functions of well-known packages. One note for each package and pickle.

Why it matters:
    Loading runs the package's own code, which you trust once you install it; a state_dict in safetensors needs no package.

Example:
    ``sklearn.linear_model._logistic.LogisticRegression``

Remedy:
    Install the package in the version that the model names; nothing else is needed.

What it cannot see:
    Whether your version of the package is the one that wrote the file.

References:
    CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind
from openvet.checks.pickle._verdict import NEEDS, Judged, judged, known_to_team, programs, spelled
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/framework-class",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
    code=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One note for each package that a program needs."""
    for program in programs(ctx):
        packages: dict[str, list[Judged]] = {}
        for each in judged(program):
            if each.known.kind is Kind.FRAMEWORK and not known_to_team(ctx, each):
                packages.setdefault(each.known.package, []).append(each)
        for package, members in packages.items():
            names = [spelled(each.reference) for each in members]
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield ctx.finding(
                program.at(members[0].reference.offset),
                f"needs the package {package}: {', '.join(names[:3])}{more}",
                f"Install {package} before you load the file.",
                evidence={"package": package, "names": names[:50], "count": len(names)},
            )
