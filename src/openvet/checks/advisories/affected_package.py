"""The model names a version of a package that has published security problems.

What it finds:
    A list of requirements, a project's settings, a lock, an environment of conda or a line of a container file that asks for a
    version, or for a range of nothing but versions, of which advisories are published.

Why it matters:
    Whoever installs what the model asks for gets a loader or server with known holes. Whether this model uses them is another
    question; the next one may.

Example:
    ``torch==2.5.1`` in ``requirements.txt``.

Remedy:
    Install a version that the finding names instead, and see whether the model still runs. ``openvet advisories`` lists every problem.

What it cannot see:
    Problems that were published after the day to which OpenVet knows them (``openvet advisories`` says which day that is); versions
    that a range would give today; packages that the named ones bring along; whether the faulty code is ever reached.

References:
    https://osv.dev ; https://github.com/advisories ; https://github.com/pypa/advisory-database ; CWE-1395.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.advisories.match import match, safe_version
from openvet.advisories.packages import named_packages
from openvet.checks._check import Context
from openvet.core.coverage import Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.evidence.predicates.advisories_v1 import AdvisoryHit

RULE = Rule(
    id="advisories/affected-package",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1395,),
)

_SHOWN = 4


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each place that names affected versions."""
    packages, left_out = ctx.inventory.once(named_packages)
    if left_out:
        text = f"{left_out} more places that name packages were not held against advisories"
        ctx.inventory.left_off(Unknown("limit", text, Location("")))
    if not packages:
        return
    from openvet.advisories.snapshot import bundled

    hits, _ = match(bundled(each.name for each in packages).records, (), packages)
    by_package: dict[int, list[AdvisoryHit]] = {}
    for hit in hits:
        for number in hit.named if hit.status == "affected" else ():
            by_package.setdefault(number, []).append(hit)
    for number, found in sorted(by_package.items()):
        named = packages[number]
        ids = [next((each for each in (hit.id, *hit.aliases) if each.startswith("CVE-")), hit.id) for hit in found]
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        message = f"names {named.name} {named.specifier}, which has published problems: {', '.join(ids[:_SHOWN])}{more}"
        remedy = _remedy(named.name, safe_version(named.ecosystem, found))
        evidence = {"package": named.name, "versions": named.specifier, "advisories": ids[:100]}
        yield ctx.finding(named.location, message, remedy, evidence=evidence)


def _remedy(name: str, safe: tuple[str, bool] | None) -> str:
    if safe is None:
        return f"No version of {name} is known that repairs all of them; ask for another package."
    return f"Use {name} {safe[0]} or later." if safe[1] else f"Use a later {name} than {safe[0]}."
