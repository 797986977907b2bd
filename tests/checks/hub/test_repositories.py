"""Whole repositories: ordinary ones are admitted, ones with code reviewed, hostile ones rejected for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from openvet.checks._run import run_checks
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.rule import Confidence, Outcome, Severity
from openvet.formats import jinja, json, markdown, python, yaml
from openvet.formats._format import Coverage, Facts
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_hub import HOSTILE, ORDINARY, WITH_CODE, Files, Hostile, write_folder

READERS = {".json": json, ".yaml": yaml, ".yml": yaml, ".md": markdown, ".py": python, ".jinja": jinja}


def component(name: str, text: str) -> Component:
    reader = READERS.get(Path(name).suffix, yaml if name == "MLmodel" else None)
    facts = Facts(name, name, Budget())
    if reader is not None:
        reader.read(BytesSource(text.encode()), facts)
    return Component(
        place=name, name=name, size=len(text), formats=(reader.FORMAT.id,) if reader else ("text",),
        coverage=facts.coverage, document=facts.document, programs=tuple(facts.programs),
        anomalies=tuple(facts.anomalies), unknowns=tuple(facts.unknowns), metadata=facts.metadata,
    )  # fmt: skip


def inventory(files: Files) -> Inventory:
    return Inventory(tuple(component(name, text) for name, text in sorted(files.items())))


def findings(files: Files) -> tuple[Finding, ...]:
    result = run_checks(inventory(files))
    assert Outcome.ERROR not in result.outcomes.values()
    return result.findings


def rejects(found: tuple[Finding, ...]) -> list[str]:
    return [str(each) for each in found if each.severity >= Severity.HIGH and each.confidence >= Confidence.MEDIUM]


@pytest.mark.parametrize("name", sorted(ORDINARY))
def test_an_ordinary_repository_gives_no_alarm(name: str) -> None:
    read = inventory(ORDINARY[name])
    assert [each.unknowns for each in read.files if each.unknowns] == []
    assert {each.coverage for each in read.files} == {Coverage.READ}
    assert [str(each) for each in findings(ORDINARY[name]) if each.severity > Severity.NOTE] == []


@pytest.mark.parametrize("name", sorted(WITH_CODE))
def test_a_repository_with_code_is_reviewed_and_not_rejected(name: str) -> None:
    found = findings(WITH_CODE[name])
    assert max(each.severity for each in found) is Severity.MEDIUM, [str(each) for each in found]
    assert rejects(found) == []


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_repository_is_rejected_for_the_right_reason(name: str) -> None:
    case: Hostile = HOSTILE[name]
    grave = [
        each for each in findings(case.files) if each.severity >= Severity.HIGH and each.confidence >= Confidence.MEDIUM
    ]
    assert {(each.rule, each.location.place) for each in grave} == {(case.rule, case.place)}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_every_finding_says_what_to_do_in_printable_words(name: str) -> None:
    for each in findings(HOSTILE[name].files):
        assert each.message
        assert each.message.isprintable()
        assert each.remedy.endswith(".")


def test_a_folder_is_written_as_it_is_given(tmp_path: Path) -> None:
    write_folder(ORDINARY["stable-diffusion"], tmp_path)
    written = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == dict(ORDINARY["stable-diffusion"])
