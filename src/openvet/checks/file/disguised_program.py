r"""A program stands under the name of a model or of data.

What it finds:
    Compiled code and scripts whose names end like weights, tables, texts or pictures: an ELF program named ``model.bin``, a
    Windows program named ``model.safetensors``, a shell script named ``weights.pt``; and programs and scripts that stand behind the end of weights, pictures or tables. They
    are known by their bytes. And files with two endings, of which Windows shows the first and goes by the last: ``report.pdf.exe``.

Why it matters:
    Nobody gives a program such a name by mistake. Something else in the folder, or a line in the instructions, will start it,
    and filters that go by names let it pass. A portable program with an archive behind it (llamafile) is both at once: under its
    own name it is told as code, under the name of weights it is a disguise.

Example:
    ``pytorch_model.bin`` that begins with ``\x7fELF``.

Remedy:
    Delete it. Do not start it to see what it does.

What it cannot see:
    Programs that are compressed or encrypted in a way that is not read.

References:
    CWE-434, CWE-506; MITRE ATLAS AML.T0011.000 (unsafe artefacts); MITRE ATT&CK T1036 (masquerading).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.file._kinds import ending_of, name_rules
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._trailing import BEHIND, GAP
from openvet.formats.known import code_titles

__all__ = ["RULE", "check"]

RULE = Rule(
    id="file/disguised-program", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(434, 506)
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each program whose name says that it is data."""
    rules = name_rules()["disguise"]
    titles = code_titles()
    kinds = set(titles) - set(rules["for_processors_of_models"])
    for component in ctx.components():
        if not component.formats:
            continue
        ending = ending_of(component.basename)
        behind = component.basename == BEHIND or component.basename.startswith(GAP)
        if ending in rules["started"]:
            inner = ending_of(component.basename[: -len(ending)].rstrip())
            if inner in rules["shown"] and (
                ending not in rules["scripts_of_anybody"]
                or inner not in rules["settings"]
                or any(each in kinds for each in component.formats)
            ):
                message = f"is named {inner}{ending}: Windows hides the last ending, and starts it by a double click"
                yield ctx.finding(
                    Location(component.place), message, "Delete it, and do not start it.", evidence={"ending": ending}
                )
                continue
        if ending not in rules["data"] and not behind:
            continue
        found = next((titles[each] for each in component.formats if each in kinds), None)
        if found is None and "shell" in component.formats and ending not in rules["scripts_too"]:
            found = f"script for {component.metadata.get('interpreter', 'a shell')}"
        if found is None and "self-extracting" in component.formats:
            found = f"script for {component.metadata.get('interpreter', 'a shell')} with bytes behind it"
        if found is not None:
            yield ctx.finding(
                Location(component.place),
                f"is a program {'behind the end' if component.basename == BEHIND else 'between the parts'} of a file: {found}"
                if behind
                else f"is named {ending} and is a program: {found}",
                "Delete it, and do not start it.",
                evidence={"ending": ending, "formats": list(component.formats)},
            )
