"""Documents of packs: what the reader refuses, with its line, and which state a line has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.documents.samples import ACME, DAY, Bill, acme, acme_document, answer, empty, filled, listed, rich, say

from openvet.evidence.predicates.answers_v1 import GivenAnswer
from openvet.policy.given import Evidence, Held, facts_of
from openvet.policy.paper import PaperLine
from openvet.policy.read_document import read_document
from openvet.policy.yaml_reader import PackError

HEAD = b"id: acme\ntitle: T\nclause: c\nsource: acme\nitems:\n"
ITEM = "{id: a, section: s, label: l, clause: c, asks: x, fills: [scan.files], level: computed}"


def read(text: str) -> None:
    read_document(text.encode(), "documents/acme.yaml", acme())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("id: acme", "id: other"), "acme.yaml:1: 'other' has to be the name of the file"),
        (("source: acme", "source: law"), "acme.yaml:4: 'law' is none of the sources of acme"),
        (("title: T", "titel: T"), "'title' is missing"),
        (("items:\n", "more: 1\nitems:\n"), "there is no field 'more'"),
        (("id: a,", "id: a, hint: x,"), "acme.yaml:6: there is no field 'hint'"),
        (("[scan.files]", "[scan.fles]"), "acme.yaml:6: there is no fact, step or answer 'scan.fles'"),
        (("[scan.files]", "[answers.nobody]"), "there is no fact, step or answer 'answers.nobody'"),
        (("[scan.files]", "[[scan.files, steps.none]]"), "there is no fact, step or answer 'steps.none'"),
        (("[scan.files]", "[[]]"), "there is no name in it"),
        (("[scan.files]", "[scan.findings]"), "scan.findings is a list of objects"),
        (("[scan.files]", "[]"), "nothing fills a, and no person has to"),
        (("level: computed", "level: guessed"), "'guessed' is none of computed, presence, attested"),
        (("level: computed", "level: computed, human: true"), "a is computed, and only a person can write it"),
        (("level: computed", "level: attested, human: true"), "what evidence says of it belongs to `beside`"),
        (("level: computed", "level: computed, when: steps.tokens"), "'steps.tokens' is no step that is true or false"),
        (("level: computed", "level: computed, when: scan.files"), "is no step that is true or false"),
        (("level: computed", "level: computed, human: yes"), "'yes' is none of true, false"),
        (("fills: [scan.files], level: computed", "fills: [answers.purpose], level: attested, human: true, choices: [b]"), "a has choices, and answers"),
        ((f"  - {ITEM}\n", f"  - {ITEM}\n  - {ITEM}\n"), "acme.yaml:7: the item 'a' is there already (documents/acme.yaml:6)"),
        ((f"  - {ITEM}\n", "  []\n"), "there is no item in it"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_line(change: tuple[str, str], says: str) -> None:
    whole = f"{HEAD.decode()}  - {ITEM}\n"
    read(whole)
    assert change[0] in whole
    with pytest.raises(PackError) as raised:
        read(whole.replace(*change))
    assert says in str(raised.value)


LINES = "  - {section: s, requirements: [A-1, A-2]}\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("A-2", "A-9"), "acme.yaml:6: there is no requirement 'A-9' in acme"),
        (("A-2", "A-1"), "acme.yaml:6: the item 'A-1' is there already (documents/acme.yaml:6)"),
        (("section: s", "section: s, label: l"), "acme.yaml:6: there is no field 'label'"),
        (("section: s, ", ""), "acme.yaml:6: 'section' is missing"),
        (("[A-1, A-2]", "A-1"), "acme.yaml:6: 'requirements' has to be a list"),
    ],
)
def test_lines_of_the_pack_are_named_once_and_bring_their_own_words(change: tuple[str, str], says: str) -> None:
    made = read_document((HEAD.decode() + LINES).encode(), "documents/acme.yaml", acme())
    known = {each.requirement.id: each.requirement for each in acme().requirements}
    assert [(each.requirement, each.label, each.level) for each in made.items] == [
        (name, known[name].title, known[name].level) for name in ("A-1", "A-2")
    ]
    assert made.questions == ()
    with pytest.raises(PackError) as raised:
        read((HEAD.decode() + LINES).replace(*change))
    assert says in str(raised.value)


def test_two_items_never_ask_the_same_question() -> None:
    human = "fills: [], level: attested, human: true}"
    first, second = (
        f"  - {{id: {name}, section: s, label: l, clause: c, asks: x, {human}\n" for name in ("1-a", "1.A")
    )
    with pytest.raises(PackError, match="there is another question 'acme_1_a'"):
        read(HEAD.decode() + first + second)


def line(id_: str, *said: GivenAnswer, base: Evidence | None = None) -> PaperLine:
    evidence = replace(empty() if base is None else base, answers=(say("A", *said),))
    return next(each for each in filled(acme_document(), acme(), evidence).lines if each.id == id_)


def test_evidence_fills_no_line_that_only_a_person_can_write() -> None:
    opened = line("4", base=rich())
    assert (opened.state, opened.questions) == ("open", ("purpose", "accountable_person"))
    assert [each.name for each in opened.beside] == ["card.pipeline_tag"]
    part = line("4", answer("purpose", "text", "p"), base=rich())
    assert (part.state, part.questions) == ("in-part", ("accountable_person",))
    assert line("4", answer("purpose", "text", "p"), answer("accountable_person", "text", "q")).state == "filled"


def test_a_line_that_no_question_is_about_asks_one_of_its_own() -> None:
    assert line("5").questions == ("acme_5",)
    assert line("5", answer("acme_5", "text", "so")).state == "filled"
    assert line("5", answer("acme_5", "text", "so", said="2026-12-24")).state == "open"
    assert line("5", answer("acme_5", "text", "so", until="2026-11-27")).state == "open"


def test_one_of_a_group_is_enough_and_each_group_is_waited_for() -> None:
    assert (line("3").state, line("3").questions) == ("open", ("test_report", "fairness_report"))
    assert line("3", answer("test_report", "document", True)).questions == ("fairness_report",)
    assert line("3", base=rich()).state == "in-part"
    both = (answer("test_report", "document", True), answer("fairness_report", "document", True))
    assert line("3", *both).state == "filled"


def test_that_there_is_no_document_is_shown_and_leaves_the_line_open() -> None:
    found = line("6", answer("risk_file", "document", False))
    assert (found.state, found.questions, found.values[0].value) == ("open", ("risk_file",), False)


def test_a_line_of_a_case_that_is_not_known_stays_and_says_so() -> None:
    assert "nobody can say yet" in line("6").notes[0]
    paper = filled(acme_document(), acme(), replace(empty(), answers=(say("A", answer("risky", "yes-no", False)),)))
    assert [each.id for each in paper.left] == ["6"]
    assert "6" not in [each.id for each in paper.lines]


def test_an_answer_that_does_not_count_is_told() -> None:
    paper = filled(
        acme_document(),
        acme(),
        replace(empty(), answers=(say("A", answer("acme_5", "text", "so", until="2026-11-27")),)),
    )
    asked = {each.id: each.problem for each in paper.asked}
    assert asked["acme_5"] == "A (officer), 2026-11-20: it counted until 2026-11-27"


def test_bases_are_those_of_the_statements() -> None:
    paper = filled(acme_document(), acme(), rich())
    values = {each.name: each for found in paper.lines for each in (*found.values, *found.beside)}
    assert values["profile.parameters"].basis == "derived"
    assert values["card.pipeline_tag"].basis == "declared"
    assert (values["steps.large"].basis, values["steps.large"].references) == (
        "derived",
        values["profile.parameters"].references,
    )
    assert (values["answers.purpose"].basis, values["answers.purpose"].by) == ("attested", "R. Lima (officer)")
    assert [each.line for each in values["answers.purpose"].references] == [13]


def test_a_checklist_has_every_requirement_with_what_it_rests_on() -> None:
    found = {each.id: each for each in listed(acme(), rich()).lines}
    assert list(found) == [each.requirement.id for each in acme().requirements]
    assert [each.name for each in found["A-2"].values] == ["answers.accountable_person"]
    assert [each.references[0].line for each in found["A-6"].values] == [99]
    assert found["A-3"].state == "not-yet-in-force"
    assert "waived until 2027-01-31 by risk@acme.example: Known" in found["A-5"].notes


def test_the_sample_is_read_as_it_stands() -> None:
    assert len(acme_document().items) == ACME.count(b"{id:")


BILLS = [
    ("cyclonedx", {"components": [{"type": "library", "name": "torch", "version": "2.5.1"}, {"type": "file", "name": "f"}, {"name": "x", "version": 3}]}, ["torch 2.5.1", "x"]),
    ("cyclonedx", {"components": [7, None, [], {"name": ["n"]}, {"type": ["file"], "name": "y"}]}, ["y"]),
    ("cyclonedx", {"components": "none"}, None),
    ("cyclonedx", {}, None),
    ("spdx", {"@graph": [{"type": "software_Package", "name": "numpy", "software_packageVersion": "2"}, {"type": "software_File", "name": "f"}, "x"]}, ["numpy 2"]),
    ("spdx", {"@graph": {}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "components"), BILLS)
def test_bills_of_others_are_taken_as_far_as_they_make_sense(
    kind: str, body: dict[str, object], components: list[str] | None
) -> None:
    held = {kind: Held(kind, Bill("https://bill.example", body), "ab" * 32)}
    found = facts_of(replace(empty(), held=held), DAY)
    assert found["bom.formats"] == [kind]
    assert found.get("bom.components") == components


def test_a_signed_run_of_tests_is_somebodys_word_about_them() -> None:
    assert [(each.basis, each.value) for each in line("3", base=rich()).values] == [("declared", "PASSED")]
