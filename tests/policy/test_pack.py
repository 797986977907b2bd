"""Packs that make no sense are refused, each with file, line and reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from openvet.errors import UsageError
from openvet.policy.compiled import CompiledPack, compile_pack
from openvet.policy.pack import Pack
from openvet.policy.read_pack import expired, read_catalogue, read_pack
from openvet.policy.yaml_reader import LARGEST, PackError

GOOD = """\
id: acme-models
version: 1.0.0
title: What we ask
sources:
  acme: {title: House rules, date: 2026-01-01, confidence: high}
steps:
  - id: compute
    value: 6.0 * profile.parameters * answers.tokens
requirements:
  - id: A-1
    title: It is safe to load
    clause: "1"
    source: acme
    level: computed
    pass: scan.verdict != 'reject'
    severity: critical
    remedy: Take another.
  - id: A-2
    title: Risks are managed
    clause: Art. 9
    source: acme
    level: attested
    applies: steps.compute > 1e23
    in_force: 2027-12-02
    pass: answers.risk_file
    severity: high
    remedy: Write it.
questions:
  - {id: tokens, ask: How many tokens, type: number}
  - {id: risk_file, ask: Attach the file., type: document}
waivers:
  - requirement: A-1
    subject: "*"
    reason: not yet
    owner: risk@acme.example
    from: 2026-11-01
    expires: 2026-12-31
waivers_max_days: 90
"""


def compiled(text: str, parent: Callable[[str], Pack] | None = None) -> CompiledPack:
    return compile_pack(read_pack(text.encode(), "pack.yaml", parent))


def test_a_good_pack() -> None:
    found = compiled(GOOD)
    assert found.pack.name == "acme-models@1.0.0"
    assert found.kinds == ("profile", "scan")
    assert [each.id for each in found.questions] == ["tokens", "risk_file"]
    assert found.requirements[1].names == ("answers.risk_file",)
    assert found.requirements[1].all_names == ("profile.parameters", "answers.tokens", "answers.risk_file")
    assert expired(found.pack, date(2026, 12, 31)) == ()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("id: acme-models\n", "", "pack.yaml:1: 'id' is missing"),
        ("id: acme-models", "id: Acme", "pack.yaml:1: 'Acme' is not an id such as acme-models"),
        ("version: 1.0.0", "version: 1", "pack.yaml:2: '1' is not a version such as 1.0.0"),
        ("title: What we ask", "titel: What we ask", "pack.yaml:1: 'title' is missing"),
        ("    severity: critical", "    severity: critical\n    severty: high", "pack.yaml:17: there is no field 'severty'"),
        ("    severity: critical", "    severity: dire", "pack.yaml:16: 'dire' is none of note, low, medium, high, critical"),
        ("    severity: critical", "    severity: critical\n    approvers: 1", "pack.yaml:17: approvers is from 2 to 10, and not 1: one person has to approve without it"),
        ("    severity: critical", "    severity: critical\n    approvers: 11", "pack.yaml:17: approvers is from 2 to 10, and not 11"),
        ("    severity: critical", "    severity: critical\n    approvers: many", "pack.yaml:17: 'many' is no whole number of at least 0"),
        ("    severity: critical", "    severity: low\n    approvers: 2", "pack.yaml:10: A-1 asks for 2 approvers, and none of its outcomes stops a model: nobody would ever be asked"),
        ("    severity: critical", "    severity: high\n    approvers: 2\n    on: {violated: admit, indeterminate: admit}", "pack.yaml:10: A-1 asks for 2 approvers, and none"),
        ("    remedy: Take another.", "    remedy: ''", "pack.yaml:17: 'remedy' has to be text"),
        ("    source: acme\n    level: computed", "    source: emca\n    level: computed", "pack.yaml:13: 'emca' is none of the sources: acme"),
        ("in_force: 2027-12-02", "in_force: soon", "pack.yaml:24: 'soon' is no day such as 2026-11-28"),
        ("in_force: 2027-12-02", "in_force: 2027-02-30", "pack.yaml:24: '2027-02-30' is no day"),
        ("scan.verdict != 'reject'", "scan.verdct != 'reject'", "pack.yaml:10: pass: there is no name 'scan.verdct'"),
        ("scan.verdict != 'reject'", "scan.verdict", "pack.yaml:10: pass: it gives string, and has to give bool: scan.verdict"),
        ("scan.verdict != 'reject'", "scan.files > 1.0", "pack.yaml:10: pass: found no matching overload for '_>_' applied to '(int, double)'"),
        ("scan.verdict != 'reject'", "answers.risk_file", "pack.yaml:10: A-1 is computed, and its `pass` rests on an answer"),
        ("    pass: answers.risk_file", "    pass: scan.files > 0", "pack.yaml:18: A-2 is attested, and its `pass` rests on no answer"),
        ("steps.compute > 1e23", "steps.later > 1e23", "pack.yaml:18: applies: there is no name 'steps.later'"),
        ("6.0 * profile.parameters", "6 * profile.parameters", "pack.yaml:7: value: found no matching overload"),
        ("  - id: A-2\n", "  - id: A-1\n", "pack.yaml:18: the requirement 'A-1' is there already (pack.yaml:10)"),
        ("{id: tokens, ask: How many tokens, type: number}", "{id: tokens, ask: How many, type: whole}", "pack.yaml:29: 'whole' is none of yes-no"),
        ("{id: tokens, ask: How many tokens, type: number}", "{id: true, ask: How many, type: number}", "pack.yaml:29: 'true' is a word of CEL"),
        ("{id: tokens, ask: How many tokens, type: number}", "{id: tokens, ask: How many, type: one-of}", "pack.yaml:29: `choices` belong"),
        ("requirement: A-1\n    subject", "requirement: A-9\n    subject", "pack.yaml:32: there is no requirement 'A-9'"),
        ('subject: "*"', "subject: sha256:12", "pack.yaml:33: 'sha256:12' is no digest"),
        ("expires: 2026-12-31", "expires: 2027-12-31", "pack.yaml:32: the waiver is for 425 days, and waivers_max_days is 90"),
        ("expires: 2026-12-31", "expires: 2026-10-31", "pack.yaml:32: the waiver ends before it begins"),
        ("title: What we ask", "title: &a What we ask", "pack.yaml:3: anchors (&a) are not taken; write it out"),
        ("title: What we ask", "title: *a", "pack.yaml:3: aliases (*a) are not taken; write it out"),
        ("title: What we ask", "title: 'a \x1b[31m'", "pack.yaml:3: holds the character U+001B, which YAML does not take"),
        ("title: What we ask", "title: What we ask\nextends: baselin", "pack.yaml:4: packs extend each other too deep"),
        ("    remedy: Take another.", "    remdy: Take another.", "pack.yaml:10: 'remedy' is missing; is it 'remdy' in line 17 that is meant?"),
        ("    remedy: Take another.", "   remedy: Take another.", "pack.yaml:17: is no YAML: expected <block end>, but found '<block mapping start>'; look at the indentation"),
        ("title: What we ask", "title: !!python/object:os.system x", "pack.yaml:3: tags are not taken"),
        ("title: What we ask", "title: What we ask\ntitle: again", "pack.yaml:4: 'title' stands twice"),
        ("title: What we ask", "title: [", "pack.yaml:5: is no YAML: expected"),
        ("title: What we ask", "title: What we ask\n---\nid: b", "pack.yaml: holds 2 documents, and not one"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_line(before: str, after: str, message: str) -> None:
    assert before in GOOD
    with pytest.raises(PackError) as caught:
        compiled(GOOD.replace(before, after, 1))
    assert str(caught.value).startswith(message), str(caught.value)


def test_every_problem_of_conditions_is_told_at_once() -> None:
    text = GOOD.replace("scan.verdict != 'reject'", "scan.verdct").replace(
        "pass: answers.risk_file", "pass: answers.risk"
    )
    with pytest.raises(PackError) as caught:
        compiled(text)
    assert len(caught.value.problems) == 2


def test_every_line_that_makes_no_sense_is_told_at_once() -> None:
    text = GOOD.replace("severity: critical", "severity: hgih").replace("    clause: Art. 9", "    clause:")
    with pytest.raises(PackError) as caught:
        compiled(text)
    assert caught.value.problems == (
        "pack.yaml:16: 'hgih' is none of note, low, medium, high, critical",
        "pack.yaml:20: 'clause' has to be text",
    )


def test_mistakes_in_several_lists_are_told_at_once() -> None:
    text = GOOD
    for good, bad in (
        ("id: compute", "id: true"),
        ("severity: critical", "severity: hgih"),
        ("type: number", "type: numbr"),
        ("expires: 2026-12-31", "expires: soon"),
        ("waivers_max_days", "waiver_days: 3\nwaivers_max_days"),
    ):
        text = text.replace(good, bad)
    with pytest.raises(PackError) as caught:
        compiled(text)
    assert [each.split(":")[1] for each in caught.value.problems] == ["7", "16", "29", "37", "38"]


def test_a_pack_that_extends_one_which_is_not_there_says_where() -> None:
    def parent(name: str) -> Pack:
        raise UsageError(f"there is no pack {name!r}")

    with pytest.raises(PackError, match=r"^pack\.yaml:4: there is no pack 'baselin'$"):
        compiled(GOOD.replace("title: What we ask", "title: What we ask\nextends: baselin", 1), parent)


def test_a_waiver_that_is_over_is_told_with_its_line() -> None:
    assert expired(compiled(GOOD).pack, date(2027, 1, 1)) == (
        "pack.yaml:32: the waiver of A-1 ended on 2026-12-31; renew it or take it out",
    )


def test_yaml_guesses_no_types() -> None:
    text = GOOD.replace("    severity: critical", "    severity: critical\n    on: {violated: admit}").replace(
        "title: What we ask", "title: no"
    )
    found = compiled(text).pack
    assert found.title == "no"
    assert {key: str(each) for key, each in found.requirements[0].on.items()} == {"violated": "admit"}


def test_a_pack_that_extends_another_has_its_lines_first() -> None:
    base = read_pack(GOOD.encode(), "base.yaml")
    above = "id: ours\nversion: 2.0.0\ntitle: More\nextends: acme\nrequirements:\n  - {id: B-1, title: t, clause: c, source: acme, level: computed, pass: scan.files > 0, severity: low, remedy: r}\n"
    found = compiled(above, lambda _: base)
    assert [each.requirement.id for each in found.requirements] == ["A-1", "A-2", "B-1"]
    assert found.pack.extends == ("acme-models@1.0.0",)
    assert [each.name for each in found.pack.files] == ["pack.yaml", "base.yaml"]
    with pytest.raises(PackError, match=r"the requirement 'A-1' is there already \(base.yaml:10\)"):
        compiled(above.replace("B-1", "A-1"), lambda _: base)
    with pytest.raises(UsageError, match="no such pack"):
        compiled(above, lambda _: (_ for _ in ()).throw(UsageError("no such pack")))


def test_questions_of_the_catalogue_are_taken_and_not_redefined() -> None:
    shared = read_catalogue(b"questions:\n  - {id: role, ask: Who are you, type: text}\n", "questions.yaml")
    text = GOOD.replace("pass: answers.risk_file", "pass: answers.role == 'x'")
    found = compile_pack(read_pack(text.encode(), "pack.yaml"), shared)
    assert [each.id for each in found.questions] == ["tokens", "role"]
    assert [each.name for each in found.pack.files] == ["pack.yaml", "questions.yaml"]
    text = text.replace("questions:\n", "questions:\n  - {id: role, ask: Otherwise, type: text}\n")
    with pytest.raises(PackError, match="the catalogue has another question 'role'"):
        compile_pack(read_pack(text.encode(), "pack.yaml"), shared)


def test_large_and_deep_files_are_refused() -> None:
    with pytest.raises(PackError, match=f"more than {LARGEST} bytes"):
        read_pack(b"#" * (LARGEST + 1), "pack.yaml")
    with pytest.raises(PackError, match=r"pack\.yaml"):
        read_pack(b"title: " + b"[" * 10_000, "pack.yaml")
    with pytest.raises(PackError, match="nested more than 30 deep"):
        read_pack(b"title: " + b"[" * 100 + b"]" * 100, "pack.yaml")
    with pytest.raises(PackError, match=r"pack\.yaml:2: is no UTF-8"):
        read_pack(b"id: a\n\xff", "pack.yaml")
