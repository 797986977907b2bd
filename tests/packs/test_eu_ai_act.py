"""The AI Act's pack against the facts that it was written from: rows, points, uses, days, documents; and its cases.

What is listed here was counted in the sources (pack.md), and not in the pack.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import pytest
import yaml

from openvet.core.canonical import canonical_json
from openvet.policy.cases import Case, run_case
from openvet.policy.compiled import CompiledPack
from openvet.policy.decide import decide_values
from openvet.policy.evidence_facts import Values
from openvet.policy.given import Answers
from openvet.policy.pack import Level
from openvet.workflows.packs import catalogue, load_document, load_pack, pack_cases

HERE = Path(__file__).resolve().parents[2] / "src" / "openvet" / "packs" / "eu_ai_act"

#: The 26 rows of duties; a row that names several articles is as many beginnings of ids.
ROWS = (
    ("EU-4",), ("EU-5",), ("EU-6.3", "EU-6.4"), ("EU-9",), ("EU-10",), ("EU-11",), ("EU-12",), ("EU-13",), ("EU-14",), ("EU-15",), ("EU-17",),
    ("EU-25",), ("EU-26", "EU-27"), ("EU-43", "EU-47", "EU-48", "EU-49"), ("EU-50.1",), ("EU-50.2",), ("EU-50.3", "EU-50.4", "EU-50.5"),
    ("EU-51", "EU-52"), ("EU-53.1a",), ("EU-53.1b",), ("EU-53.1c",), ("EU-53.1d",), ("EU-53.2",), ("EU-54",),
    ("EU-55a", "EU-55b", "EU-55c", "EU-55d"), ("EU-72", "EU-73"),
)  # fmt: skip
#: Beside the rows: products of section B, and representatives, importers and distributors.
BESIDE = ("EU-2.2", "EU-22", "EU-23", "EU-24")
#: Levels that a row has: computed, presence, attested. Computed parts for which no evidence is there yet are not here (pack.md).
LEVELS = {
    "EU-4": "PA", "EU-5": "PA", "EU-6.3": "PA", "EU-9": "PA", "EU-10": "CPA", "EU-11": "CPA", "EU-12": "PA", "EU-13": "CPA", "EU-14": "PA",
    "EU-15": "CPA", "EU-17": "PA", "EU-25": "CPA", "EU-26": "PA", "EU-43": "PA", "EU-50.1": "PA", "EU-50.2": "PA", "EU-50.3": "A",
    "EU-51": "CPA", "EU-53.1a": "CPA", "EU-53.1b": "CPA", "EU-53.1c": "PA", "EU-53.1d": "CPA", "EU-53.2": "CA", "EU-54": "PA",
    "EU-55a": "CPA", "EU-72": "PA",
}  # fmt: skip
PROHIBITED = ("a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h")
ANNEX_III = {1: "abc", 2: "", 3: "abcd", 4: "ab", 5: "abcd", 6: "abcde", 7: "abcd", 8: "ab"}
SECTION_A, SECTION_B = range(2, 13), range(13, 22)  # point 1, machinery, became point 21
DAYS = {
    "2025-02-02": ("EU-4-A", "EU-5.a", "EU-5.h"),
    "2025-08-02": ("EU-51-C", "EU-53.1a-P", "EU-55a-P"),
    "2026-07-27": ("EU-2.2-A", "EU-10.4a-A"),
    "2026-08-02": ("EU-50.1-P", "EU-50.2-P", "EU-50.3-A", "EU-50.4.fake-A", "EU-50.5-A"),
    "2026-12-02": ("EU-5.ba", "EU-5.bb", "EU-5.1a-P", "EU-50.2-P"),
    "2027-08-02": ("EU-51-C", "EU-52-P", "EU-53.1c-P", "EU-54-P", "EU-55d-P"),
    "2027-12-02": ("EU-6.4-P", "EU-9-P", "EU-15-A", "EU-27-P", "EU-43-P", "EU-73-A"),
    "2028-08-02": ("EU-9-P", "EU-17-P", "EU-43-P", "EU-72-P"),
    "2030-08-02": ("EU-9-P", "EU-26.1-A"),
    "2030-12-31": ("EU-9-P", "EU-26.1-A"),
}
ROLES = {
    "provider", "deployer", "importer", "distributor", "authorised-representative", "product-manufacturer", "model-provider", "model-modifier",
}  # fmt: skip
#: Steps that fall back on a value where nobody knows; what nobody knows adds duties there, and takes none away.
CLOSED = {"generality_answered", "designated", "rebutted", "full_regime", "open_source_system"}
DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "annex-iv": ("1a", "1b", "1c", "1d", "1e", "1f", "1g", "1h", "2a", "2b", "2c", "2d", "2e", "2f", "2g", "2h", "3", "4", "5", "6", "7", "8", "9"),
    "annex-xi": ("1.1a", "1.1b", "1.1c", "1.1d", "1.1e", "1.1f", "1.2a", "1.2b", "1.2c", "1.2d", "1.2e", "2.1", "2.2", "2.3"),
    "annex-xii": ("1a", "1b", "1c", "1d", "1e", "1f", "1g", "1h", "2a", "2b", "2c"),
    "training-summary": (
        "0", "1.1", "1.2", "1.3-text", "1.3-image", "1.3-audio", "1.3-video", "1.3-other", "1.3-latest", "1.3-languages", "1.3-traits", "2.1",
        "2.2.1", "2.2.2", "2.3-crawlers", "2.3-domains", "2.4", "2.5", "2.6", "3.1", "3.2", "3.3",
    ),
}  # fmt: skip


@cache
def pack() -> CompiledPack:
    return load_pack("eu-ai-act")


@cache
def cases() -> tuple[Case, ...]:
    return pack_cases("eu-ai-act", pack())


def ids() -> list[str]:
    return [each.requirement.id for each in pack().requirements]


def choices(question: str) -> list[str]:
    return [each for one in pack().questions if one.id == question for each in one.choices]


def of_row(start: str) -> list[str]:
    return [
        each for each in ids() if re.match(rf"{re.escape(start)}(?![0-9a-z])", each) or each.startswith(f"{start}.")
    ]


# --- against the facts ---


def test_every_row_has_its_lines_and_no_line_is_of_none() -> None:
    assert len(ROWS) == 26
    found = [line for row in ROWS for start in row for line in of_row(start)]
    beside = [line for start in BESIDE for line in of_row(start)]
    assert all(of_row(start) for row in ROWS for start in row)
    assert sorted(found + beside) == sorted(ids())
    assert len(ids()) == 102


def test_rows_have_the_levels_that_can_be_known() -> None:
    letter = {Level.COMPUTED: "C", Level.PRESENCE: "P", Level.ATTESTED: "A"}
    level = {each.requirement.id: letter[each.requirement.level] for each in pack().requirements}
    for row in ROWS:
        lines = [line for start in row for line in of_row(start)]
        assert {level[line] for line in lines} == set(LEVELS[row[0]]), row
    assert sum("C" in each for each in LEVELS.values()) == 11
    points = {f"EU-5.{point}" for point in PROHIBITED}
    assert [name for name, each in level.items() if not name.endswith(f"-{each}") and name not in points] == []


def test_the_ten_points_of_article_5() -> None:
    assert choices("prohibited_practices") == [*PROHIBITED, "none"]
    assert {line for line in of_row("EU-5") if "1a" not in line} == {f"EU-5.{point}" for point in PROHIBITED}


def test_the_uses_of_annex_iii() -> None:
    uses = [f"III-{point}{letter}" for point, letters in ANNEX_III.items() for letter in letters or ("",)]
    assert len(uses) == 25
    assert choices("annex_iii_uses") == [*uses, "none"]


def test_the_laws_of_annex_i_with_machinery_in_section_b() -> None:
    assert choices("annex_i_products") == [*(f"I-A-{n}" for n in SECTION_A), *(f"I-B-{n}" for n in SECTION_B), "none"]
    laws = next(each.choices for each in pack().questions if each.id == "annex_i_products")
    assert "2023/1230" in laws["I-B-21"]
    assert not any("2006/42" in text for text in laws.values())


def test_the_four_conditions_of_the_derogation() -> None:
    assert choices("derogation_conditions") == ["procedural", "improves", "patterns", "preparatory", "none"]


def test_the_roles() -> None:
    assert set(choices("role")) == {*ROLES, "none"}


def test_every_day_is_used_where_it_belongs_and_no_other_is() -> None:
    days = {each.requirement.id: [start.isoformat() for start, _ in each.phases] for each in pack().requirements}
    for day, lines in DAYS.items():
        assert [line for line in lines if day not in days[line]] == [], day
    assert {day for found in days.values() for day in found} == set(DAYS)
    assert [line for line, found in days.items() if not found] == []


def test_days_are_those_of_the_group() -> None:
    """A duty about high-risk systems has their four days, one about models the two of models; what stands in no group has one."""
    groups = {
        ("EU-9", "EU-10-", "EU-11", "EU-12", "EU-13", "EU-14", "EU-15", "EU-17", "EU-22", "EU-23", "EU-24", "EU-25", "EU-26", "EU-27", "EU-4", "EU-72", "EU-73"): 4,
        ("EU-51", "EU-52", "EU-53", "EU-54", "EU-55", "EU-50.2"): 2,
    }  # fmt: skip
    for each in pack().requirements:
        name = each.requirement.id
        wanted = next((count for starts, count in groups.items() if name.startswith(starts)), 1)
        assert len(each.phases) == (1 if name.startswith("EU-4-") else wanted), name


def test_every_node_of_the_tree_is_a_step_with_its_clause() -> None:
    steps = [each.step for each in pack().steps]
    named = {number for step in steps for number in re.findall(r"\bD(\d+)\b", step.text)}
    assert named == {str(number) for number in range(13)}
    assert [step.id for step in steps if not step.clause or not step.text] == []


def test_every_line_cites_a_clause_and_a_source_with_a_day() -> None:
    assert pack().pack.law_snapshot == "EU-2026-07-27"
    for each in pack().requirements:
        found = each.requirement
        assert re.match(r"(Art\. \d|Template of the training summary)", found.clause), found.id
        assert pack().pack.sources[found.source].link.startswith("https://")
        assert found.remedy


def test_every_question_of_its_own_says_why() -> None:
    assert [each.id for each in pack().pack.questions if not each.why] == []
    assert [each.id for each in catalogue().questions.values() if not each.why] == []


def test_nothing_speaks_of_conformity_as_a_verdict_and_no_draft_is_law() -> None:
    words = re.compile(r"complian|presumption of conformity|prEN|EN 18286|\bdraft guidelines\b", re.IGNORECASE)
    for path in (HERE / "pack.yaml", *HERE.glob("documents/*.yaml")):
        text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
        assert words.findall(text) == [], path.name
    assert "complian" not in (HERE / "pack.md").read_text(encoding="utf-8").lower()


# --- its cases ---


@pytest.mark.parametrize("file", sorted(each.name for each in HERE.glob("cases/*.yaml")))
def test_cases(file: str) -> None:
    ours = [each for each in cases() if f"cases/{file}:" in each.where]
    assert len(ours) > 10
    assert [problem for each in ours for problem in run_case(each, pack())] == []


def test_the_sixteen_acceptance_scenarios_are_there() -> None:
    names = {match[1] for each in cases() if (match := re.match(r"S(\d+)[ ,]", each.name))}
    assert names == {str(number) for number in range(1, 17)}


def test_every_line_has_cases_of_every_outcome_that_matters() -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for case in cases():
        for part, name, wanted in case.expected:
            if part == "outcomes":
                seen[name].add(wanted.split("-by-")[0])
    every = {"satisfied", "violated", "indeterminate", "not-applicable", "not-yet-in-force"}
    assert {line: every - seen[line] for line in ids() if every - seen[line]} == {}


def test_every_step_has_cases_of_every_value() -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for case in cases():
        for part, name, wanted in case.expected:
            if part == "steps":
                seen[name].add(wanted)
    words = {
        "artefact": {"system", "model", "neither"}, "against_1e23": {"above", "below", "straddles"}, "against_1e25": {"above", "below", "straddles"},
        "against_third": {"above", "below", "straddles"}, "against_threshold": {"above", "below", "straddles"}, "annex_i_section": {"A", "B", "none"},
    }  # fmt: skip
    lacking = {}
    for each in pack().steps:
        name = each.step.id
        values = words.get(name, {"true", "false"} if pack().types[each.step.name] == "bool" else set())
        every = values | (set() if name in CLOSED else {"unknown"})
        if every - seen[name] or (not values and len(seen[name]) < 2):
            lacking[name] = every - seen[name]
    assert lacking == {}


def test_steps_that_fall_back_are_known() -> None:
    """A step whose last way is a constant has a value always; each of them is looked at here, and no other may."""
    constant = {each.step.id for each in pack().steps if each.values[-1].text in ("true", "false")}
    assert constant == CLOSED


def test_nothing_known_is_no_admission() -> None:
    for case in cases():
        if case.as_of.isoformat() < "2026-08-02":
            continue
        lines, _ = decide_values(pack(), {}, Answers(), case.as_of, {})
        assert {each.outcome for each in lines} <= {"indeterminate", "not-yet-in-force"}
        assert any(each.verdict == "review" for each in lines)
        break


def test_the_same_gives_the_same() -> None:
    case = next(each for each in cases() if each.name.startswith("S3"))
    first, second = (
        decide_values(one, case.facts, Answers(case.answers), case.as_of, {})[0]
        for one in (pack(), load_pack("eu-ai-act"))
    )
    assert canonical_json([each.to_json() for each in first]) == canonical_json([each.to_json() for each in second])


def asked(facts: Values, truth: Values, day: date) -> list[str]:
    """Questions that come up where the first missing answer is always given next, until no line misses one that was not asked."""
    given: Values = {}
    out: list[str] = []
    while True:
        lines, _ = decide_values(pack(), facts, Answers(given), day, {})
        missing = [name.split(".")[1] for each in lines for name in each.missing if name.startswith("answers.")]
        name = next((each for each in missing if each not in out), None)
        if name is None:
            return out
        out.append(name)
        if name in truth:
            given[f"answers.{name}"] = truth[name]


def test_few_questions_decide_most() -> None:
    facts: Values = {"profile.parameters": 8e9, "profile.input": ["text"], "profile.output": ["text"]}
    truth: Values = {
        "regions": ["eu"], "exclusions": ["none"], "is_system": True, "role": ["deployer"], "annex_i_products": ["none"], "annex_iii_uses": ["none"],
        "role_changes": ["none"], "prohibited_practices": ["none"], "staff_training": True, "literacy_measures": True,
        "emotion_or_categories": False, "deep_fakes": False, "public_interest_text": False, "notice_accessible": True,
    }  # fmt: skip
    assert asked(facts, {"regions": ["us"]}, date(2026, 11, 28)) == ["regions"]
    assert len(asked(facts, truth, date(2026, 11, 28))) <= 15
    assert len(asked(facts, {}, date(2026, 11, 28))) < len(pack().questions) / 2


# --- documents ---


def document(name: str) -> dict[str, object]:
    found = yaml.safe_load((HERE / "documents" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_have_every_item(name: str) -> None:
    items = document(name)["items"]
    assert isinstance(items, list)
    assert tuple(each["id"] for each in items) == DOCUMENTS[name]


def test_the_form_has_eight_sections_with_the_hash_among_them() -> None:
    items = document("model-documentation-form")["items"]
    assert isinstance(items, list)
    assert len({each["section"] for each in items}) == 8
    assert [each["id"][0] for each in items if each["id"].endswith(".1")] == list("12345678")
    assert [each["id"] for each in items if "subject.digest" in each["fills"]] == ["1.3"]


def test_annex_iv_has_its_nine_points_and_xi_its_eleven_items() -> None:
    assert len({each[0] for each in DOCUMENTS["annex-iv"]}) == 9
    assert len([each for each in DOCUMENTS["annex-xi"] if each.startswith("1.")]) == 11
    assert len(DOCUMENTS["annex-xii"]) == 11


def test_six_of_eleven_items_of_annexes_xi_and_xii_come_from_files() -> None:
    for name in ("annex-xi", "annex-xii"):
        items = document(name)["items"]
        assert isinstance(items, list)
        assert len([each for each in items if each["level"] == "computed" and "when" not in each]) == 6, name


@pytest.mark.parametrize("path", sorted(HERE.glob("documents/*.yaml")), ids=lambda path: path.stem)
def test_documents_make_sense(path: Path) -> None:
    found = load_document(str(path), pack())
    assert found.filled_by in ("the provider of the system", "the provider of the model")
    for item in found.items:
        if item.level == "computed":
            assert not item.fills[0][0].startswith("answers."), item.id
        assert item.when in ("", "steps.systemic")
