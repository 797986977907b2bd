"""A crosswalk is what the conditions of packs say: whatever a requirement rests on leads to it, and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.policy.test_pack import GOOD

from openvet.conditions.names import literals
from openvet.policy.compiled import CompiledPack, compile_pack
from openvet.policy.crosswalk import Crossing, Served, cross, question_of
from openvet.policy.read_pack import read_pack
from openvet.policy.vocabulary import VOCABULARY
from openvet.workflows.packs import list_packs, load_pack

PACK = """\
id: other
version: 1.0.0
title: Others ask
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
steps:
  - {id: bill, value: "'cyclonedx' in evidence.kinds || evidence.kinds.exists(kind, kind == 'spdx')"}
  - {id: billed, value: steps.bill && scan.files > 0}
requirements:
  - {id: O-1, title: t, clause: c, source: acme, level: computed, pass: steps.billed, severity: low, remedy: r}
  - {id: O-2, title: t, clause: c, source: acme, level: attested, applies: scan.verdict == 'admit', pass: answers.risk_file.age_days < 9.0, severity: low, remedy: r}
  - {id: O-3, title: t, clause: c, source: acme, level: computed, pass: subject.name != 'scan', needs: [test-result], severity: low, remedy: r, offenders: card.problems}
  - {id: O-4, title: t, clause: c, source: acme, level: computed, pass: "!('a bill' in evidence.kinds)", severity: low, remedy: r, cases: [{when: answers.risk_file, from: 2026-01-01}]}
questions:
  - {id: risk_file, ask: Attach the file., type: document}
"""


def compiled(text: str) -> CompiledPack:
    return compile_pack(read_pack(text.encode(), "pack.yaml"))


def by_name(crossings: Sequence[Crossing]) -> dict[str, tuple[Served, ...]]:
    return {each.name: each.served for each in crossings}


def test_what_settles_and_what_bears_on_a_requirement() -> None:
    found = cross([compiled(GOOD), compiled(PACK)])
    assert found.own == (2, 4)
    facts = by_name(found.facts)
    assert facts["scan.verdict"] == (Served("acme-models", ("A-1",), ()), Served("other", (), ("O-2",)))
    assert facts["profile.parameters"] == (Served("acme-models", (), ("A-2",)),)
    assert facts["card.problems"] == (Served("other", (), ("O-3",)),)
    assert by_name(found.questions) == {
        "tokens": (Served("acme-models", (), ("A-2",)),),
        "risk_file": (Served("acme-models", ("A-2",), ()), Served("other", ("O-2",), ("O-4",))),
    }
    assert {*facts, *found.unused} == set(VOCABULARY)
    assert not set(facts) & set(found.unused)


def test_statements_are_those_of_facts_of_needs_and_those_that_conditions_look_for() -> None:
    kinds = by_name(cross([compiled(PACK)]).statements)
    assert kinds["cyclonedx"] == kinds["spdx"] == (Served("other", ("O-1",), ()),)
    assert kinds["scan"] == (Served("other", ("O-1",), ("O-2",)),)  # and not O-3, where the word is a name of a model
    assert kinds["test-result"] == (Served("other", ("O-3",), ()),)
    assert list(kinds) == sorted(kinds)
    assert "a bill" not in kinds


def test_what_is_taken_over_counts_once() -> None:
    both = cross([load_pack("baseline"), load_pack("strict")])
    assert both.own == (13, 7)
    assert [each.pack for each in by_name(both.facts)["scan.verdict"]] == ["baseline"]
    alone = cross([load_pack("strict")])
    assert alone.own == (20,)
    assert by_name(alone.facts)["scan.verdict"] == (Served("strict", ("BASE-1",), ()),)


def test_nothing_of_the_packs_that_ship_is_forgotten() -> None:
    packs = [load_pack(name) for name in list_packs()]
    found = cross(packs)
    crossings = {**by_name(found.facts), **{f"question {key}": each for key, each in by_name(found.questions).items()}}
    told = {
        (served.pack, requirement, name)
        for name, each in crossings.items()
        for served in each
        for requirement in (*served.settles, *served.bears_on)
    }
    wanted = {
        (pack.pack.id, line.requirement.id, f"question {question_of(name)}" if question_of(name) else name)
        for pack in packs
        for line in pack.requirements
        for name in line.all_names
        if not any(other.pack.name in pack.pack.extends and line.requirement.id in {each.requirement.id for each in other.requirements} for other in packs)
    }  # fmt: skip
    assert told == wanted
    kinds = {(s.pack, r) for each in found.statements for s in each.served for r in (*s.settles, *s.bears_on)}
    needing = {(p.pack.id, line.requirement.id) for p in packs for line in p.requirements if line.kinds}
    assert needing - kinds <= {("strict", each.requirement.id) for each in load_pack("baseline").requirements}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a == 'x' && \"y\" in b", ("x", "y")),
        ("r'\\d' + '''a'b''' + b\"z\"", ("\\d", "a'b", "z")),
        ("// 'no'\n'yes'", ("yes",)),
        ("scan.files > 0", ()),
    ],
)
def test_literals(text: str, found: tuple[str, ...]) -> None:
    assert literals(text) == found
