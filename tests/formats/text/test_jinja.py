"""Jinja templates, read as syntax trees."""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.core.location import Location
from openvet.errors import MalformedError
from openvet.formats import jinja
from openvet.formats._format import Coverage, Facts, Head, Likeness
from openvet.formats.jinja import Template, Use, read_template
from openvet.io.source import BytesSource
from openvet.testing.forge_templates import HOSTILE_TEMPLATES, ORDINARY_TEMPLATES

HERE = Location("t.jinja")


def template(text: str, limits: Limits = DEFAULT_LIMITS) -> Template:
    return read_template(text, HERE, "default", limits)


@pytest.mark.parametrize("name", sorted(ORDINARY_TEMPLATES))
def test_an_ordinary_template_has_no_suspicious_use(name: str) -> None:
    read = template(ORDINARY_TEMPLATES[name])
    assert (read.uses, read.error) == ((), "")


@pytest.mark.parametrize("name", sorted(HOSTILE_TEMPLATES))
def test_a_hostile_template_is_seen(name: str) -> None:
    assert template(HOSTILE_TEMPLATES[name]).uses


def test_the_whole_of_a_template() -> None:
    text = "line one\n{{ messages\n ['__class__'] }}"
    assert template(text) == Template(
        location=HERE,
        name="default",
        digest=hashlib.sha256(text.encode()).hexdigest(),
        size=len(text),
        uses=(Use("internal-attribute", 3, "__class__"),),
    )
    assert template(text).to_json() == {
        "kind": "jinja",
        "location": {"place": "t.jinja"},
        "name": "default",
        "digest": {"sha256": hashlib.sha256(text.encode()).hexdigest()},
        "size": len(text),
        "uses": [{"what": "internal-attribute", "line": 3, "detail": "__class__"}],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a.__class__ }}", [("internal-attribute", "__class__")]),
        ("{{ a.gi_frame }}", [("internal-attribute", "gi_frame")]),
        ("{{ a._x }}", [("internal-attribute", "_x")]),
        ("{{ a['_x'] }}", []),
        ("{{ a['b' ~ c] }}", []),
        ("{{ a[b ~ c] }}", [("computed-name", "concat")]),
        ("{{ a[b|join] }}", [("computed-name", "|join")]),
        ("{{ a[b + 1] }}", []),
        ("{{ a[b + 'x'] }}", [("computed-name", "add")]),
        ("{{ a['%s' % b] }}", [("computed-name", "mod")]),
        ("{% set k = b|join %}{{ a[k] }}", [("computed-name", "k")]),
        ("{% set k = b|join %}{% set l = k %}{{ a[l] }}", [("computed-name", "l")]),
        ("{% set ns = namespace(k='__cl' ~ q) %}{{ a[ns.k] }}", [("computed-name", "ns.k")]),
        ("{% set ns = namespace(k='role') %}{{ a[ns.k] }}", []),
        ("{{ a|attr('role') }}", [("attr-filter", "role")]),
        ("{{ a|attr(b) }}", [("attr-filter", "")]),
        ("{% include 'x.j2' %}", [("load-template", "x.j2")]),
        ("{% import 'x.j2' as y %}", [("load-template", "x.j2")]),
        ("{% from 'x.j2' import y %}", [("load-template", "x.j2")]),
        ("{% extends b %}", [("load-template", "")]),
        ("{{ a.popen('x') }}", [("call-process", "popen")]),
        ("{{ a.system }}", []),
        ("{{ a.system('x') }}", [("call-process", "system")]),
        ("{{ '{0._x}'.format(a) }}", [("format-string", "{0._x}")]),
        ("{{ '{0.x}'.format(a) }}", []),
        ("{{ '__class__' }}", [("internal-name", "__class__")]),
        ("{{ '__tool__' }}", []),
        ("__class__ in plain text {{ a }}", []),
        ("{# {{ a.__class__ }} #}{{ a }}", []),
        ("{% raw %}{{ a.__class__ }}{% endraw %}", []),
        ("{{ a }}" + "{{ b.__class__ }}" * 3, [("internal-attribute", "__class__")]),
    ],
)
def test_each_construct(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(use.what, use.detail) for use in template(text).uses] == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{% for a in b %}", "Unexpected end of template"),
        ("{% trans %}x{% endtrans %}", "unknown tag 'trans'"),
        ("{{ " + "(" * 100_000, "nested too deeply"),
        ("{% if a %}" * 3000, "nested too deeply"),
        ("{{ " + "9" * 5000 + " }}", "4300 digits"),
        ("{{ '\\N{no such}' }}", "unknown Unicode"),
        ("{{ a }}" + "x" * 300_000, "longer than"),
    ],
)
def test_what_cannot_be_parsed_says_so(text: str, error: str) -> None:
    read = template(text)
    assert error in read.error
    assert read.uses == ()


@pytest.mark.parametrize(
    "text",
    [
        "{{ a" + ".b" * 120_000 + " }}",
        "{{ 1" + "+1" * 120_000 + " }}",
        "{{ 'a'" + "~'b'" * 60_000 + " }}",
        "{{ a" + "['x'+'y']" * 25_000 + " }}",
        "{% set a = 'x' %}" + "".join(f"{{% set a{i} = a{i - 1} ~ a{i - 1} %}}" for i in range(1, 4000)),
        "{% set a = b %}{% set b = a %}{{ x[a] }}",
        "{{ '_' * 10**9 }}{{ '%999999999d'|format(1) }}",
    ],
)
def test_work_is_bounded(text: str) -> None:
    before = time.process_time()
    template(text)
    assert time.process_time() - before < 20


def test_uses_are_counted_against_the_limit() -> None:
    text = "".join(f"{{{{ a.__x{i}__ }}}}" for i in range(50))
    assert len(template(text, Limits(records=10)).uses) == 10


@settings(deadline=None, max_examples=80)
@given(st.text(alphabet="{}%#'\"_ab[]().|~+-:=,0 \n\\", max_size=80))
def test_any_text_gives_a_template(text: str) -> None:
    read = template("{{" + text)
    assert read.size == len(text) + 2
    assert all(use.detail.isprintable() for use in read.uses)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 8), st.sampled_from(["~", "+"]))
def test_a_name_cut_anywhere_is_put_together(at: int, operator: str) -> None:
    name = "__class__"
    assert template(f"{{{{ a['{name[:at]}' {operator} '{name[at:]}'] }}}}").uses[0].detail == name


def test_reading_a_file() -> None:
    facts = Facts("x/rag.jinja", "x/rag.jinja", Budget())
    jinja.read(BytesSource(b"{{ a.__class__ }}"), facts)
    (program,) = facts.programs
    assert isinstance(program, Template)
    assert (program.name, facts.coverage, facts.unknowns) == ("rag", Coverage.READ, [])


def test_a_broken_file_is_partly_read() -> None:
    facts = Facts("t.jinja", "t.jinja", Budget())
    jinja.read(BytesSource(b"{% for %}"), facts)
    assert facts.coverage is Coverage.PARTIAL
    assert [unknown.reason for unknown in facts.unknowns] == ["malformed"]


def test_bytes_that_are_no_text_are_malformed() -> None:
    with pytest.raises(MalformedError):
        jinja.read(BytesSource(b"\xff{{ a }}"), Facts("t.jinja", "t.jinja", Budget()))


@pytest.mark.parametrize(
    ("name", "data", "likeness"),
    [
        ("chat_template.jinja", b"{{ a }}", Likeness.WEAK),
        ("a.j2", b"", Likeness.WEAK),
        ("a.txt", b"{{ a }}", Likeness.NO),
        ("a.jinja", b"\x80\x02}", Likeness.NO),
        ("a.jinja", b"a\0b", Likeness.NO),
    ],
)
def test_the_probe_needs_a_name_and_text(name: str, data: bytes, likeness: Likeness) -> None:
    assert jinja.probe(Head(name, BytesSource(data))) is likeness
