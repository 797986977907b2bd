"""Deciding by packs: outcomes, days, waivers, answers; that nothing unknown is a pass, and that the same gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.vectors import ADMITTED, REJECTED, TOOL

from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
from openvet.evidence.predicates.decision_v1 import OUTCOMES, DecisionV1, Line
from openvet.evidence.predicates.fields import Fields
from openvet.evidence.signing import parse_statement, statement_bytes
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.policy.compiled import CompiledPack, compile_pack
from openvet.policy.decide import decide, decide_values
from openvet.policy.given import Answers, Evidence, Held, count_answers
from openvet.policy.read_pack import read_pack
from openvet.workflows.attest import hold
from openvet.workflows.decide import changes, evidence_of_report

DAY = date(2026, 11, 28)
HEAD = """\
id: acme
version: 1.0.0
title: What we ask
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
questions:
  - {id: general, ask: Is it of general use, type: yes-no}
  - {id: tokens, ask: How many tokens, type: number, valid_days: 365}
  - {id: risk_file, ask: Attach it, type: document}
  - {id: placed, ask: Since when, type: date}
  - {id: region, ask: Where, type: many-of, choices: {eu: the Union, us: the States}}
"""
LINE = '  - {{id: {id}, title: t, clause: c, source: acme, level: {level}, severity: {severity}, remedy: r, pass: "{passes}"{more}}}\n'


def pack(*lines: str, steps: str = "", more: str = "") -> CompiledPack:
    text = f"{HEAD}{f'steps:{chr(10)}{steps}' if steps else ''}requirements:\n{''.join(lines)}{more}"
    return compile_pack(read_pack(text.encode(), "pack.yaml"))


def line(passes: str, name: str = "A", level: str = "presence", severity: str = "high", **more: str) -> str:
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return LINE.format(id=name, level=level, severity=severity, passes=passes, more=extra)


def one(
    found: CompiledPack,
    facts: Mapping[str, Any],
    day: date = DAY,
    answers: Mapping[str, Any] | None = None,
    digests: Mapping[str, str] | None = None,
) -> Line:
    lines, _ = decide_values(found, dict(facts), Answers(dict(answers or {})), day, digests or {})
    return lines[0]


@pytest.mark.parametrize(
    ("facts", "answers", "outcome", "verdict"),
    [
        ({"card.present": True}, {}, "satisfied-by-evidence", "admit"),
        ({"card.present": True}, {"answers.general": False}, "satisfied-by-evidence", "admit"),
        ({"card.present": False}, {"answers.general": True}, "satisfied-by-attestation", "admit"),
        ({}, {"answers.general": True}, "satisfied-by-attestation", "admit"),
        ({"card.present": False}, {"answers.general": False}, "violated", "reject"),
        ({"card.present": False}, {}, "indeterminate", "review"),
        ({}, {"answers.general": False}, "indeterminate", "review"),
        ({}, {}, "indeterminate", "review"),
    ],
)
def test_what_evidence_settles_needs_nobodys_word(
    facts: dict[str, Any], answers: dict[str, Any], outcome: str, verdict: str
) -> None:
    found = one(pack(line("card.present || answers.general")), facts, answers=answers)
    assert (found.outcome, found.verdict) == (outcome, verdict)


def test_what_comes_from_a_map_has_an_order() -> None:
    """The runtime's maps have another order in every process; what is decided has the same one always."""
    keys = [f"key-{letter}" for letter in "qwertyuiopasdfgh"]
    step = "  - {id: keys, value: 'openness.lines.filter(each, true)'}\n"
    found = pack(
        line("openness.lines.size() == 0", level="computed", offenders="'openness.lines.map(each, each)'"), steps=step
    )
    lines, steps = decide_values(found, {"openness.lines": dict.fromkeys(keys, "against")}, Answers(), DAY, {})
    assert lines[0].offenders == tuple(sorted(keys))
    assert steps[0].value == ", ".join(sorted(keys))


def test_what_is_missing_is_named_through_steps() -> None:
    steps = "  - {id: compute, value: 6.0 * profile.parameters * answers.tokens}\n  - {id: large, value: steps.compute > 1e23}\n"
    found = one(pack(line("!steps.large"), steps=steps), {})
    assert found.missing == ("profile.parameters", "answers.tokens")
    assert (
        found.why
        == "nobody can say whether it holds: not known: profile.parameters, answers.tokens; there is no statement of profile"
    )
    assert (
        one(
            pack(line("!steps.large"), steps=steps), {"profile.parameters": 1e9}, answers={"answers.tokens": 1e12}
        ).outcome
        == "satisfied-by-attestation"
    )


def test_a_step_takes_the_first_value_that_is_known_and_keeps_its_basis() -> None:
    steps = "  - {id: compute, value: [6.0 * profile.parameters * answers.tokens, claims.compute_high]}\n"
    found = pack(line("steps.compute < 1e23"), steps=steps)
    assert one(found, {"claims.compute_high": 1e22}).outcome == "satisfied-by-evidence"
    facts = {"claims.compute_high": 1e22, "profile.parameters": 1e9}
    assert one(found, facts, answers={"answers.tokens": 1e12}).outcome == "satisfied-by-attestation"
    assert one(found, facts, answers={"answers.tokens": 1e15}).outcome == "violated"
    assert one(found, {"profile.parameters": 1e9}).missing == ("answers.tokens", "claims.compute_high")


def test_an_undecided_band_is_neither_above_nor_below() -> None:
    steps = '  - {id: large, value: profile.parameters > 1e9, undecided: "profile.parameters > 0.7e9 && profile.parameters < 1.3e9", because: it straddles}\n'
    found = pack(line("!steps.large"), steps=steps)
    assert [one(found, {"profile.parameters": each}).outcome for each in (0.5e9, 0.9e9, 1.1e9, 2e9)] == ["satisfied-by-evidence", "indeterminate", "indeterminate", "violated"]  # fmt: skip
    assert one(found, {"profile.parameters": 1e9}).why == "nobody can say whether it holds: it straddles"
    assert (
        one(pack(line("card.present", undecided="card.present", because="nobody looked")), {"card.present": True}).why
        == "nobody looked"
    )


@pytest.mark.parametrize(
    ("day", "applies", "outcome", "foreseen"),
    [
        (date(2027, 12, 1), True, "not-yet-in-force", "violated"),
        (date(2027, 12, 1), None, "not-yet-in-force", "indeterminate"),
        (date(2027, 12, 1), False, "not-applicable", ""),
        (date(2027, 12, 2), True, "violated", ""),
        (date(2027, 12, 2), None, "indeterminate", ""),
        (date(2030, 1, 1), True, "not-applicable", ""),
        (date(2030, 1, 1), None, "not-applicable", ""),
    ],
)
def test_days(day: date, applies: bool | None, outcome: str, foreseen: str) -> None:
    found = pack(line("card.present", applies="answers.general", in_force="2027-12-02", until="2030-01-01"))
    answers = {} if applies is None else {"answers.general": applies}
    got = one(found, {"card.present": False}, day, answers)
    assert (got.outcome, got.foreseen) == (outcome, foreseen)
    if outcome == "not-yet-in-force":
        assert (got.since, got.verdict) == ("2027-12-02", "admit")


@pytest.mark.parametrize(
    ("day", "placed", "outcome", "since"),
    [
        (date(2026, 8, 1), date(2026, 6, 1), "not-yet-in-force", "2026-12-02"),
        (date(2026, 9, 1), date(2026, 6, 1), "not-yet-in-force", "2026-12-02"),
        (date(2026, 9, 1), date(2026, 8, 20), "violated", "2026-08-02"),
        (date(2026, 12, 2), date(2026, 6, 1), "violated", "2026-12-02"),
        (date(2026, 8, 1), None, "not-yet-in-force", "2026-08-02"),
        (date(2026, 9, 1), None, "indeterminate", ""),
        (date(2026, 12, 2), None, "violated", ""),
    ],
)
def test_a_day_that_depends_on_a_case(day: date, placed: date | None, outcome: str, since: str) -> None:
    cases = "[{when: \"answers.placed < timestamp('2026-08-02T00:00:00Z')\", from: 2026-12-02}, {from: 2026-08-02}]"
    answers = (
        {}
        if placed is None
        else count_answers(
            [said(("placed", "date", placed.isoformat()))], pack(line("answers.placed > as_of")).questions, day
        ).values
    )
    if placed is not None and not answers:  # not said yet on that day: the case is about what is known
        answers = {"answers.placed": count_answers([said(("placed", "date", placed.isoformat()), day="2026-01-01")], pack(line("answers.placed > as_of")).questions, day).values["answers.placed"]}  # fmt: skip
    got = one(pack(line("card.present", cases=cases)), {"card.present": False}, day, answers)
    assert (got.outcome, got.since) == (outcome, since)


def said(*answers: tuple[str, str, Any], day: str = "2026-01-01", by: str = "R. Lima", until: str = "") -> Held:
    made = tuple(GivenAnswer(question, "?", kind, value, day, until) for question, kind, value in answers)
    return hold(
        Statement(
            ResourceDescriptor("m", {"sha256": "ab" * 32}), AnswersV1(TOOL, {"name": by, "role": "officer"}, made)
        )
    )


@pytest.mark.parametrize(
    ("held", "value", "problems"),
    [
        ([said(("general", "yes-no", True))], True, [""]),
        (
            [said(("general", "yes-no", True)), said(("general", "yes-no", False), day="2026-02-01")],
            False,
            ["a later answer counts", ""],
        ),
        (
            [said(("general", "yes-no", False), day="2026-02-01"), said(("general", "yes-no", True))],
            False,
            ["a later answer counts", ""],
        ),
        (
            [said(("general", "yes-no", True)), said(("general", "yes-no", False))],
            None,
            ["two answers of the same day differ"] * 2,
        ),
        ([said(("general", "yes-no", True)), said(("general", "yes-no", True), by="A. Ito")], True, ["", ""]),
        ([said(("general", "yes-no", True), day="2026-12-01")], None, ["it was not given yet"]),
        ([said(("general", "yes-no", True), until="2026-11-27")], None, ["it counted until 2026-11-27"]),
        ([said(("general", "yes-no", True), until="2026-11-28")], True, [""]),
        ([said(("general", "text", "yes"))], None, ["it is of type text, and the question is of type yes-no"]),
        ([said(("other", "yes-no", True))], None, []),
    ],
)
def test_which_answer_counts(held: list[Held], value: bool | None, problems: list[str]) -> None:
    found = count_answers(held, pack(line("answers.general")).questions, DAY)
    assert found.values.get("answers.general") == value
    assert [each.problem for each in found.used] == problems


def test_answers_that_are_too_old_or_none_of_the_choices_do_not_count() -> None:
    questions = pack(line("answers.tokens > 1.0 && 'eu' in answers.region")).questions
    old = count_answers([said(("tokens", "number", "1e12"), day="2025-11-01")], questions, DAY)
    assert (old.values, old.used[0].problem) == ({}, "it is older than 365 days")
    assert count_answers([said(("tokens", "number", "1e12"))], questions, DAY).values == {"answers.tokens": 1e12}
    assert (
        count_answers([said(("region", "many-of", ("eu", "mars")))], questions, DAY).used[0].problem
        == "it is none of the choices"
    )


def test_waivers_take_a_line_out_for_their_model_and_their_days() -> None:
    waiver = (
        'waivers:\n  - {requirement: A, subject: "sha256:'
        + "ab" * 32
        + '", reason: replaced soon, owner: me, from: 2026-11-01, expires: 2026-12-31}\n'
    )
    found = pack(line("card.present"), more=waiver)
    mine = {"sha256": "ab" * 32}
    got = one(found, {"card.present": False}, digests=mine)
    assert (got.outcome, got.verdict) == ("violated", "admit")
    assert got.waived is not None
    assert (got.waived.owner, got.waived.reason, got.waived.expires) == ("me", "replaced soon", "2026-12-31")
    for day, digests in ((date(2027, 1, 1), mine), (date(2026, 10, 31), mine), (DAY, {"sha256": "cd" * 32}), (DAY, {})):
        assert one(found, {"card.present": False}, day, digests=digests).verdict == "reject"
    assert one(found, {"card.present": True}, digests=mine).waived is None


@pytest.mark.parametrize(
    ("facts", "waived", "asks"),
    [({"card.present": False}, False, 3), ({}, False, 3), ({"card.present": True}, False, 0), ({"card.present": False}, True, 0)],
)  # fmt: skip
def test_a_line_that_stops_a_model_asks_for_as_many_as_it_says(facts: dict[str, Any], waived: bool, asks: int) -> None:
    waiver = (
        'waivers:\n  - {requirement: A, subject: "*", reason: r, owner: me, from: 2026-11-01, expires: 2026-12-31}\n'
    )
    got = one(pack(line("card.present", approvers="3"), more=waiver if waived else ""), facts)
    assert got.approvers == asks
    assert Line.take(Fields(got.to_json())) == got


def test_a_line_that_lets_through_asks_for_nobody() -> None:
    """An outcome that admits stops nothing, also where another outcome of the line does."""
    found = pack(line("card.present", on="{indeterminate: admit}", approvers="2"))
    assert (one(found, {}).verdict, one(found, {}).approvers) == ("admit", 0)
    assert (one(found, {"card.present": False}).verdict, one(found, {"card.present": False}).approvers) == ("reject", 2)


def test_offenders_are_named_and_bounded() -> None:
    found = pack(line("scan.rejected.size() == 0", level="computed", offenders="scan.rejected"))
    got = one(found, {"scan.rejected": [f"a/rule-{number:03}" for number in range(60)]})
    assert got.offenders[:2] == ("a/rule-000", "a/rule-001")
    assert got.offenders[-1] == "and 10 more"


def test_errors_at_run_time_are_indeterminate_and_say_why() -> None:
    got = one(pack(line("rights.uses['serve'] == 'allowed'")), {"rights.uses": {}})
    assert (got.outcome, got.why) == (
        "indeterminate",
        'nobody can say whether it holds: there is no value for "serve"',
    )
    got = one(
        pack(line("scan.rules.all(a, scan.rules.all(b, scan.rules.all(c, a + b != c)))")),
        {"scan.rules": [str(each) for each in range(300)]},
    )
    assert (got.outcome, got.why) == ("indeterminate", "nobody can say whether it holds: Iteration budget exceeded")


def test_statements_that_are_needed_and_not_there() -> None:
    got = one(pack(line("card.present", needs="[cyclonedx]")), {"card.present": True, "evidence.kinds": ["card"]})
    assert (got.outcome, got.missing) == ("indeterminate", ("statement cyclonedx",))
    assert (
        one(
            pack(line("card.present", needs="[cyclonedx]")),
            {"card.present": True, "evidence.kinds": ["card", "cyclonedx"]},
        ).outcome
        == "satisfied-by-evidence"
    )


def decision(found: CompiledPack, evidence: Evidence, day: date = DAY) -> DecisionV1:
    return decide(found, evidence, day, TOOL)


def test_a_decision_is_a_pure_function_and_reads_back() -> None:
    found = pack(
        line("scan.verdict == 'admit'", name="S", level="computed", offenders="scan.rejected"),
        line("answers.general", name="T", level="attested"),
    )
    evidence = evidence_of_report(REJECTED, [said(("general", "yes-no", True))])
    first, again = decision(found, evidence), decision(found, evidence)
    statement = Statement(REJECTED.subject, first)
    assert statement_bytes(statement) == statement_bytes(Statement(REJECTED.subject, again))
    assert parse_statement(statement_bytes(statement)).predicate == first
    assert first.verdict == "reject"
    assert {each.kind for each in first.inputs} == {*evidence.held, "answers"}
    assert first.answers[0].by == "R. Lima (officer)"
    shuffled = replace(evidence, held=dict(reversed(list(evidence.held.items()))))
    assert decision(found, shuffled) == first
    assert decision(found, evidence, date(2026, 11, 29)) != first  # the day is part of the question


def test_what_changes_is_listed() -> None:
    found = pack(
        line("answers.general", name="T", level="attested", in_force="2027-12-02"),
        line("scan.verdict == 'admit'", name="S", level="computed"),
    )
    evidence = evidence_of_report(ADMITTED)
    before, after = decision(found, evidence), decision(found, evidence, date(2027, 12, 2))
    assert [each.to_json() for each in changes(before, after)] == [
        {"requirement": "T", "title": "t", "before": "not-yet-in-force", "after": "indeterminate"}
    ]
    other = pack(line("scan.verdict == 'admit'", name="U", level="computed"))
    assert [(each.requirement, each.before, each.after) for each in changes(before, decision(other, evidence))] == [
        ("U", "-", "satisfied-by-evidence"), ("T", "not-yet-in-force", "-"), ("S", "satisfied-by-evidence", "-"),
    ]  # fmt: skip


_FACTS = {
    "card.present": st.booleans(), "scan.verdict": st.sampled_from(["admit", "review", "reject"]), "scan.unread": st.integers(0, 3),
    "profile.parameters": st.floats(0, 1e12), "licenses.state": st.sampled_from(["agree", "differ"]), "scan.rules": st.lists(st.text(max_size=5), max_size=4),
}  # fmt: skip
_ANSWERS = {"answers.general": st.booleans(), "answers.tokens": st.floats(0, 1e15)}
_RANDOM = pack(
    line("card.present && scan.verdict != 'reject' || answers.general", name="A"),
    line("scan.unread == 0 && profile.parameters < 1e11", name="B", level="computed"),
    line("steps.large ? answers.general : licenses.state == 'agree'", name="C", applies="scan.rules.size() > 0"),
    line("scan.rules.all(x, x != 'a')", name="D", level="computed", severity="medium"),
    steps="  - {id: large, value: 6.0 * profile.parameters * answers.tokens > 1e23}\n",
)


@given(st.fixed_dictionaries({}, optional=_FACTS), st.fixed_dictionaries({}, optional=_ANSWERS), st.data())
def test_more_knowledge_never_turns_an_answer_around(
    facts: dict[str, Any], answers: dict[str, Any], data: st.DataObject
) -> None:
    """What is decided stays decided when more is known; only what was indeterminate may come out otherwise."""
    before, _ = decide_values(_RANDOM, facts, Answers(answers), DAY, {})
    missing = [name for name in (*_FACTS, *_ANSWERS) if name not in facts and name not in answers]
    if not missing:
        return
    name = data.draw(st.sampled_from(missing))
    value = data.draw({**_FACTS, **_ANSWERS}[name])
    more_facts, more_answers = (
        (facts, {**answers, name: value}) if name in _ANSWERS else ({**facts, name: value}, answers)
    )
    after, _ = decide_values(_RANDOM, more_facts, Answers(more_answers), DAY, {})
    for one_line, other in zip(before, after, strict=True):
        assert one_line.outcome in OUTCOMES
        if one_line.outcome != "indeterminate":
            same = {one_line.outcome} | (
                {"satisfied-by-evidence"} if one_line.outcome == "satisfied-by-attestation" else set()
            )
            assert other.outcome in same
