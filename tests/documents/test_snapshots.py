"""Whole documents, of a model of which much is known and of one of which nothing is: compared byte for byte, and what hostile text does to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from openvet.evidence.predicates.decision_v1 import DecisionV1
from openvet.policy.compiled import CompiledPack
from openvet.policy.decide import decide
from openvet.policy.document import Document
from openvet.policy.given import Evidence
from openvet.policy.paper import Paper
from openvet.reports import oscal, paper_html, paper_markdown
from openvet.reports._text import clean
from openvet.workflows.documents import DOCUMENT_TYPE, card_of, find_document, list_documents
from tests.documents.samples import DAY, acme, acme_document, answer, empty, filled, given, listed, placed, rich, say
from tests.reports.samples import TOOL
from tests.reports.test_snapshots import schema
from tests.snapshots.snapshot import matches

SAMPLES: dict[str, Callable[[], Evidence]] = {"rich": rich, "empty": empty}
SHIPPED = sorted(name for _, name, _ in list_documents())
#: Those that are kept whole: of the frameworks the shorter ones, which have every kind of line.
KEPT = sorted(
    name
    for pack, name, _ in list_documents()
    if pack == "eu-ai-act" or name in ("starter-kit", "china-filing", "china-labelling")
)
#: What no document says: a tool cannot know it.
NEVER = re.compile(r"complian|presumption of conformity|presumed to conform|is lawful|is legal\b", re.IGNORECASE)


@cache
def shipped(name: str) -> tuple[Document, CompiledPack]:
    return find_document(name)


def papers() -> list[Paper]:
    """All of them."""
    made = [filled(*shipped(name), evidence()) for name in SHIPPED for evidence in SAMPLES.values()]
    made += [filled(acme_document(), acme(), evidence()) for evidence in SAMPLES.values()]
    return [*made, *(listed(acme(), evidence()) for evidence in SAMPLES.values())]


@pytest.mark.parametrize("known", SAMPLES)
@pytest.mark.parametrize("name", KEPT)
def test_documents_of_laws_and_frameworks(name: str, known: str) -> None:
    paper = filled(*shipped(name), SAMPLES[known]())
    matches(f"documents/{name}-{known}.md", paper_markdown.compose([paper], "DOSSIER"))


@pytest.mark.parametrize("known", SAMPLES)
def test_every_form_of_a_document_and_of_a_checklist(known: str) -> None:
    evidence = SAMPLES[known]()
    for name, paper in (("sheet", filled(acme_document(), acme(), evidence)), ("checklist", listed(acme(), evidence))):
        matches(f"documents/{name}-{known}.md", paper_markdown.compose([paper], "DOSSIER --policy acme"))
        page = paper_html.compose([paper], "DOSSIER --policy acme")
        matches(f"documents/{name}-{known}.html", page[page.index("<body>") :])
        value = clean({"type": DOCUMENT_TYPE, "tool": TOOL.to_json(), "documents": [paper.to_json()]})
        assert list(schema("document-v1").iter_errors(value)) == []
        matches(f"documents/{name}-{known}.json", json.dumps(value["documents"], indent=2, ensure_ascii=False) + "\n")
    matches(
        f"documents/oscal-{known}.json", oscal.compose(evidence.subject, [decision(evidence)], placed(evidence).lines)
    )


def decision(evidence: Evidence) -> DecisionV1:
    return decide(acme(), evidence, DAY, TOOL)


def test_a_card_names_the_statements_that_it_was_made_from() -> None:
    matches("documents/model-card-rich.md", card_of(given(rich())))


def test_nothing_says_what_a_tool_cannot_know() -> None:
    for paper in papers():
        # what people and the model say is theirs
        texts = [paper_markdown.compose([paper], "D"), paper_html.compose([paper], "D"), json.dumps(paper.to_json())]
        assert [NEVER.findall(text) for text in texts] == [[], [], []], paper.id
    assert NEVER.findall(oscal.compose(rich().subject, [decision(rich())], {})) == []


def test_text_of_models_and_of_people_stays_text() -> None:
    for paper in papers():
        text = paper_markdown.compose([paper], "D")
        page = paper_html.compose([paper], "D")
        for each in (text, page):
            assert "<script" not in each
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", each)
        assert "](http" not in text
        assert not re.search(
            r"(?<!<b></b>)@all|`b`|(?<!:)//evil", text.replace(":<b></b>//", "://").replace("://", ":")
        ), paper.id
        assert {each.lower() for each in re.findall(r"<([a-zA-Z!][^\s>/]*)", text)} <= {"b", "code", "a"}
        assert set(re.findall(r'href="([^"]*)"', page)) <= {f"#d1-statement-{at}" for at in range(1, 40)}


def test_every_value_rests_on_a_statement_that_is_listed() -> None:
    for paper in papers():
        listed_ = set(paper.references)
        for line in paper.lines:
            for each in (*line.values, *line.beside):
                assert set(each.references) <= listed_
                assert each.references or each.name.startswith("steps."), each.name


def test_the_same_evidence_gives_the_same_bytes() -> None:
    first = [paper_markdown.compose([each], "D") for each in papers()]
    assert first == [paper_markdown.compose([each], "D") for each in papers()]


def test_what_is_endless_is_cut_for_people_and_whole_for_programs() -> None:
    base = rich()
    endless = answer("acme_5", "text", "x" * 300_000, note="y" * 300_000)
    paper = filled(acme_document(), acme(), replace(base, answers=(say("A", endless),)))
    for text in (paper_markdown.compose([paper], "D"), paper_html.compose([paper], "D")):
        assert len(text) < 100_000
        assert "xx…" in text
    assert len(json.dumps(paper.to_json())) > 600_000
