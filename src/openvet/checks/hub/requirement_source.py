"""A list of packages is taken from an index or a place that not everybody uses.

What it finds:
    Lines of ``requirements.txt``, ``setup.cfg``, ``pip.conf`` and ``environment.yml``, and tables of ``pyproject.toml`` (also of
    Poetry, uv, PDM, Hatch and Pixi), ``Pipfile``, ``bentofile.yaml``, lock files and ``pip install`` in scripts that name another package index, trust a host without a
    certificate, or fetch a package from an address of its own. Hosts that everybody uses are left out; those of a network of one's own
    (``packages``, ``pypi.example.internal``, private addresses) are low, and so is one that an image asks with a secret of whoever
    builds it (``--mount=type=secret,id=netrc``). Lists that a serving framework installs by itself have a rule of their own
    (``serving/installs-packages``). In ``requirements.txt`` also names that are like a well-known one but for a letter: one is worth a look,
    two are no mistake.

Why it matters:
    Installing a package runs its code. Another index can give other code under a well-known name, and so can whoever sits
    between you and a place without encryption.

Example:
    ``--index-url http://198.51.100.1/simple``

Remedy:
    Install the packages by name from an index that you trust, and leave the line out.

What it cannot see:
    What the packages do; a name that is like another in a different way, and whether a repository on a well-known host is the one that
    was meant.

References:
    https://pip.pypa.io/en/stable/reference/requirements-file-format/ ; CWE-829, CWE-427.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.hub._environments import environment_lines
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.requirements import Install, Requirements, installs_of, is_foreign, is_well_known
from openvet.inventory.component import Component

RULE = Rule(
    id="hub/requirement-source",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829, 427),
    needs=("requirements", "toml", "yaml", "json", "shell", "notebook", "text", "python", "markdown"),
)

_MOST = 20
_REMEDY = "Install the packages by name from an index that you trust."
_HOW = {"index": "another index", "plain": "a place without encryption", "place": "a place of its own"}
#: An index that an image asks with a secret of whoever builds it is most likely that one's own, and somebody has to look.
#: A name that is like a well-known one but for a letter may be a package of its own; two of them in one list hardly are.
_NEAR = {"near": Severity.MEDIUM, "nears": Severity.HIGH, "own": Severity.LOW}
_PACKED = ("MAR-INF/MANIFEST.json", "MLmodel")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each line; not where the model is packed for a server."""
    walked = list(ctx.inventory.walk())
    if any(component.name.endswith(_PACKED) for component in walked):
        return
    for finding in ctx.anomalies(_REMEDY):
        kind = finding.evidence.get("kind")
        severity = _NEAR.get(str(kind)) or _severity(str(finding.evidence.get("text", "")))
        yield replace(finding, severity=severity)
    for component in walked:
        told = 0
        for where, install in _installs(component):
            if is_well_known(install):
                continue
            told += 1
            if told > _MOST:
                break
            yield ctx.finding(
                where,
                f"takes packages from {_HOW[install.kind]}: {install.text}",
                _REMEDY,
                severity=_severity(install.text),
                evidence=install.to_json(),
            )


def _severity(text: str) -> Severity:
    """High for a host that nobody knows: whoever owns it puts code where a package's name promises another one."""
    if is_foreign(text):
        return Severity.HIGH
    return Severity.MEDIUM if "http://" in text else Severity.LOW


def _installs(component: Component) -> Iterator[tuple[Location, Install]]:
    for program in component.programs:
        if isinstance(program, Requirements):
            for install in program.installs:
                yield Location(component.place, line=install.line), install
    if component.document is not None:
        for pointer, line in environment_lines(component.basename, component.document):
            for install in installs_of(line):
                yield Location(component.place, pointer=pointer), install
