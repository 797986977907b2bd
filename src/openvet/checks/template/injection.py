"""A template reaches for what an ordinary chat template never needs: the inside of Python.

What it finds:
    In Jinja templates of any file (``chat_template.jinja``, tokenizer configurations, GGUF headers): attributes and
    items that Python keeps for itself (``__class__``, ``mro``), also when their names are put together from pieces,
    ``|attr`` filters, ``format`` strings that walk attributes, calls that start processes, templates that load
    other files, loops, repetitions and macros over constants that no machine ends, words that make a model give an address and
    keep quiet about it, commands for a tool or a model to run that nobody should run, orders to give what is private to somebody, and sentences or addresses that are only added where a user's message holds certain words, or on a certain
    day; sentences that take back what the operator's system message says, and text that no font shows. What is found is said once for each
    template, the worst of it first.

Why it matters:
    A library that renders the template outside a sandbox lets it run any command: ``llama-cpp-python`` before 0.2.72,
    SGLang, and others since. The template comes with the model and is rendered for the first message.

Example:
    ``{{ ''.__class__.__mro__[1].__subclasses__() }}``.

Remedy:
    Do not use the template, and ask who put it there. Give your own template to the tokenizer where you need the model.
    llama-cpp-python renders it outside of a sandbox before 0.2.72 (CVE-2024-34359); transformers renders in a sandbox;
    other servers are hit where they use a plain Jinja environment (SGLang, CVE-2026-5760).

What it cannot see:
    What else the rendered prompt says to the model. Names that only come about from data when the template is rendered;
    where a name is put together from unknown parts, that is said.

References:
    CVE-2024-34359 (GHSA-56xg-wfcc-g829), CVE-2026-5760; CWE-1336.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._instructed import is_unsaid
from openvet.formats.jinja import Template, Use

RULE = Rule(id="template/injection", severity=Severity.CRITICAL, confidence=Confidence.HIGH, since="0.1.0", cwe=(1336,))

_GRADES = {
    "internal-attribute": (Severity.CRITICAL, Confidence.HIGH),
    "format-string": (Severity.CRITICAL, Confidence.HIGH),
    "internal-name": (Severity.HIGH, Confidence.MEDIUM),
    "call-process": (Severity.HIGH, Confidence.MEDIUM),
    "exhausts": (Severity.HIGH, Confidence.MEDIUM),
    "computed-name": (Severity.MEDIUM, Confidence.MEDIUM),
    "command": (Severity.HIGH, Confidence.MEDIUM),
    "instruction": (Severity.HIGH, Confidence.MEDIUM),
    "hidden-instruction": (Severity.MEDIUM, Confidence.MEDIUM),
    "conditional-words": (Severity.MEDIUM, Confidence.MEDIUM),
    "conditional-order": (Severity.HIGH, Confidence.MEDIUM),
    "override": (Severity.HIGH, Confidence.MEDIUM),
    "spoken-override": (Severity.MEDIUM, Confidence.LOW),
    "unseen": (Severity.HIGH, Confidence.HIGH),
}
_SAID = {
    "internal-attribute": "reaches into Python objects by",
    "format-string": "walks attributes in the format string",
    "internal-name": "holds the internal name",
    "call-process": "calls",
    "load-template": "loads the other template",
    "computed-name": "looks something up by a name that it puts together:",
    "instruction": "tells the model",
    "command": "has a model or one of its tools run",
    "exhausts": "takes all time or memory when it is rendered, by",
    "hidden-instruction": "makes the model give an address and keep quiet about it:",
    "conditional-words": "says something else to the model when a user's message holds",
    "conditional-order": "tells the model to lead its user astray when a user's message holds",
    "override": "takes back what the operator of the model says:",
    "spoken-override": "speaks of taking back what the operator of the model says:",
    "unseen": "holds text that nobody sees and that the model reads:",
    "attr-filter": "takes an attribute by |attr, past the checks of a sandbox:",
}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each template."""
    for component in ctx.components():
        for program in component.programs:
            if isinstance(program, Template) and program.uses:
                yield _finding(ctx, program)


def _finding(ctx: Context, template: Template) -> Finding:
    worst = max(template.uses, key=lambda use: (_grade(use), -use.line))
    severity, confidence = _grade(worst)
    if worst.what == "conditional-words" and any(
        use.what == "hidden-instruction" or is_unsaid(use.detail) for use in template.uses
    ):
        severity = Severity.HIGH  # said to the model alone, and kept from its user
    names = list(dict.fromkeys(use.detail for use in template.uses if use.what == worst.what and use.detail))
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    label = f"the template {template.name!r}" if template.name else "the template"
    where = template.location
    line = worst.line if where.pointer is None and where.offset is None else None
    return ctx.finding(
        Location(where.place, where.offset, line, where.pointer),
        f"{label} {_SAID[worst.what]} {shown}".rstrip(),
        "Do not use this template: an ordinary one has no need of this.",
        severity=severity,
        confidence=confidence,
        evidence={
            "template": template.name,
            "sha256": template.digest,
            "uses": [use.to_json() for use in template.uses[:50]],
        },
    )


def _grade(use: Use) -> tuple[Severity, Confidence]:
    if use.what == "load-template":
        outside = use.detail.startswith(("/", "~", "\\")) or ".." in use.detail or use.detail[1:2] == ":"
        return (Severity.HIGH if outside else Severity.MEDIUM), Confidence.HIGH
    if use.what != "attr-filter":
        return _GRADES[use.what]
    if use.detail.startswith("_"):
        return Severity.CRITICAL, Confidence.HIGH
    return (Severity.MEDIUM if use.detail else Severity.HIGH), Confidence.MEDIUM
