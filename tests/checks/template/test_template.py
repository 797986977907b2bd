"""The rules about templates."""

from __future__ import annotations

import pytest

from openvet.checks._check import Context
from openvet.checks.template import injection, unparsable
from openvet.core.finding import Finding
from openvet.core.limits import DEFAULT_LIMITS
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity
from openvet.formats._format import Coverage
from openvet.formats.jinja import read_template
from openvet.inventory.component import Component, Inventory
from openvet.testing.forge_templates import HOSTILE_TEMPLATES, ORDINARY_TEMPLATES

HERE = Location("t.jinja")


def holding(text: str, where: Location) -> Inventory:
    program = read_template(text, where, "default", DEFAULT_LIMITS)
    return Inventory((Component(where.place, where.place, len(text), ("gguf",), Coverage.READ, programs=(program,)),))


def injected(text: str, where: Location = HERE) -> list[Finding]:
    return list(injection.check(Context(holding(text, where), injection.RULE)))


@pytest.mark.parametrize("name", sorted(ORDINARY_TEMPLATES))
def test_an_ordinary_template_gives_no_finding(name: str) -> None:
    assert injected(ORDINARY_TEMPLATES[name]) == []
    context = Context(holding(ORDINARY_TEMPLATES[name], Location("t.jinja")), unparsable.RULE)
    assert list(unparsable.check(context)) == []


@pytest.mark.parametrize(
    "text", ["{{ m.content.__len__() }}", "{% if a.__contains__('b') %}{{ a.__str__() }}{% endif %}"]
)
def test_methods_that_only_compute_are_no_finding(text: str) -> None:
    assert injected(text) == []
    assert injected(text.replace("__len__", "__class__").replace("__str__", "__init__")) != []


@pytest.mark.parametrize("name", sorted(HOSTILE_TEMPLATES))
def test_a_hostile_template_is_rejected(name: str) -> None:
    (finding,) = injected(HOSTILE_TEMPLATES[name])
    assert finding.severity >= Severity.HIGH
    assert finding.confidence >= Confidence.MEDIUM


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("{{ a|attr('role') }}", Severity.MEDIUM),
        ("{{ a[b ~ c] }}", Severity.MEDIUM),
        ("{% include 'header.jinja' %}", Severity.MEDIUM),
    ],
)
def test_what_is_only_odd_is_reviewed(text: str, severity: Severity) -> None:
    assert [each.severity for each in injected(text)] == [severity]


def test_the_whole_finding() -> None:
    text = "{{ a }}\n{% include 'x' %}\n{{ a.__class__ }}{{ a.mro }}"
    (finding,) = injected(text)
    assert finding.to_json() == {
        "rule": "template/injection",
        "severity": "critical",
        "confidence": "high",
        "location": {"place": "t.jinja", "line": 3},
        "message": "the template 'default' reaches into Python objects by __class__, mro",
        "remedy": "Do not use this template: an ordinary one has no need of this.",
        "evidence": {
            "template": "default",
            "sha256": read_template(text, Location(""), "", DEFAULT_LIMITS).digest,
            "uses": [
                {"what": "load-template", "line": 2, "detail": "x"},
                {"what": "internal-attribute", "line": 3, "detail": "__class__"},
                {"what": "internal-attribute", "line": 3, "detail": "mro"},
            ],
        },
    }


def test_a_template_inside_another_file_keeps_its_place() -> None:
    (finding,) = injected("{{ a.__class__ }}", Location("m.gguf", offset=10, pointer="tokenizer.chat_template"))
    assert finding.location == Location("m.gguf", offset=10, pointer="tokenizer.chat_template")


def test_unparsable_is_reviewed() -> None:
    (finding,) = unparsable.check(Context(holding("{{ a }}\n{% for %}", Location("t.jinja")), unparsable.RULE))
    assert (finding.rule, finding.severity, finding.location) == (
        "template/unparsable", Severity.LOW, Location("t.jinja", line=2),
    )  # fmt: skip
