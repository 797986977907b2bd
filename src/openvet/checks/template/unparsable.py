"""A template cannot be parsed, so nobody can say what it does.

What it finds:
    A Jinja template that does not follow Jinja's syntax with the additions that transformers uses (loop controls,
    ``do``, ``generation``), or that is far longer than templates are.

Why it matters:
    A program that could not be read is not known to be harmless. A library with further additions to the syntax may
    still render it.

Example:
    ``{% for message in messages %}`` without its ``{% endfor %}``.

Remedy:
    Give your own template to the tokenizer, or have the publisher repair this one.

What it cannot see:
    Whether your library renders the template at all.

References:
    https://jinja.palletsprojects.com/en/stable/templates/ ; CWE-1336.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.jinja import Template

RULE = Rule(id="template/unparsable", severity=Severity.LOW, confidence=Confidence.HIGH, since="0.1.0", cwe=(1336,))


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each template that could not be parsed."""
    for component in ctx.components():
        for program in component.programs:
            if isinstance(program, Template) and program.error:
                where = program.location
                line = program.error_line if where.pointer is None and where.offset is None else None
                yield ctx.finding(
                    Location(where.place, where.offset, line, where.pointer),
                    f"the template {program.name!r} cannot be parsed: {program.error}",
                    "Use a template of your own, or have the publisher repair this one.",
                    evidence={"template": program.name, "sha256": program.digest},
                )
