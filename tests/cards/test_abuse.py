"""Whatever stands in a document, it is read to an answer that obeys the schema: never a crash, never more than fits."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reports.test_snapshots import schema

from openvet.cards._forms import forms
from openvet.cards.draft import OPEN, draft_card
from openvet.cards.examine import find_cards, say_without_card
from openvet.core.coverage import Coverage
from openvet.core.limits import DEFAULT_LIMITS, Budget
from openvet.evidence.predicates.card_v1 import CardDocument, CardV1
from openvet.evidence.predicates.fields import Fields
from openvet.evidence.predicates.tool import Tool
from openvet.formats import markdown
from openvet.formats._format import Facts, Outline
from openvet.formats._outline import outline_of
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_cards import card, croissant

TOOL = Tool("openvet", "0.1.0", "ab" * 32)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["mit", "other", "cc", "en", "org/name"])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=12)  # fmt: skip
KEYS = st.sampled_from([*forms()["model"]["fields"], *forms()["dataset"]["fields"], "unknown"])


def component(name: str, format_: str, document: Any, *, front_matter: bool = False) -> Component:
    return Component(
        name, name, 1, (format_,), Coverage.READ, document=document, outline=Outline(front_matter=front_matter)
    )


def look(*components: Component) -> tuple[CardDocument, ...]:
    inventory = Inventory(tuple(components))
    found = (*find_cards(inventory), *say_without_card(inventory))
    body = json.loads(json.dumps(CardV1(TOOL, found).to_json()))
    assert list(schema("card-v1").iter_errors(body)) == []
    assert CardV1.from_json(body).to_json() == body
    draft = draft_card("x", (), found, ())
    front = yaml.safe_load(draft.split("---\n")[1])
    assert isinstance(front, dict)
    assert OPEN in draft
    return found


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=8) | VALUES, VALUES, VALUES)
def test_any_front_matter(document: Any, config: Any, adapter: Any) -> None:
    look(
        component("README.md", "markdown", document, front_matter=True),
        component(
            "config.json", "json", config if not isinstance(config, dict) else {"architectures": config, **config}
        ),
        component("adapter_config.json", "json", {"peft_type": adapter, "base_model_name_or_path": adapter}),
    )


@settings(max_examples=100, deadline=None)
@given(VALUES, VALUES)
def test_any_results(index: Any, results: Any) -> None:
    look(
        component("README.md", "markdown", {"model-index": index}, front_matter=True),
        component(".eval_results/a.yaml", "yaml", results),
        component(
            ".eval_results/b.yaml", "yaml", [{"dataset": results, "value": index, "source": results, "date": index}]
        ),
        component(
            "CITATION.cff", "citation", {"authors": results, "cff-version": index, "title": index, "doi": results}
        ),
    )


def places(value: Any) -> list[tuple[Any, Any]]:
    found = []
    for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append((value, key))
        if isinstance(each, dict | list):
            found += places(each)
    return found


@settings(max_examples=150, deadline=None)
@given(st.data(), VALUES)
def test_any_value_in_a_croissant_description(data: st.DataObject, value: Any) -> None:
    document = copy.deepcopy(croissant())
    parent, key = data.draw(st.sampled_from(places(document)).map(lambda each: each))
    parent[key] = value
    look(component("croissant.json", "json", document))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("#=-`~<>!h1/ ab\n\r\t[]*")), max_size=120))
def test_any_prose(text: str) -> None:
    found = outline_of(text, 1, lambda: None)
    lines = text.split("\n")
    for heading in found.headings:
        assert heading.line <= len(lines)
        assert heading.text.split("\\")[0].strip("# ")[:3] in lines[heading.line - 1]
        assert heading.lines >= len(heading.first)
    facts = Facts("README.md", "README.md", Budget(DEFAULT_LIMITS))
    markdown.read(BytesSource(card("license: mit", text).encode()), facts)
    assert facts.outline is not None
    assert facts.outline.lines == {"/license": 2}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys", "\n".join(f"k{n}: {n}" for n in range(50_000))),
        ("tags", "tags:\n" + "\n".join(f"- t{n}" for n in range(50_000))),
        ("languages", "language:\n" + "\n".join(f"- L{n}" for n in range(50_000))),
        ("long", "license: " + "x" * 1_000_000),
        (
            "metrics",
            "model-index:\n- name: x\n  results:\n  - metrics:\n" + "\n".join("    - {type: a}" for _ in range(20_000)),
        ),
    ],
)
def test_a_huge_field_costs_little_and_is_cut(name: str, text: str) -> None:
    facts = Facts("README.md", "README.md", Budget(DEFAULT_LIMITS))
    markdown.read(BytesSource(card(text).encode()), facts)
    begun = time.process_time()
    found = look(
        Component(
            "README.md", "README.md", 1, ("markdown",), Coverage.READ, document=facts.document, outline=facts.outline
        )
    )
    assert time.process_time() - begun < 5
    assert len(json.dumps(found[0].to_json())) < 300_000


@pytest.mark.parametrize(
    "line", ["<!-- -->" * 50_000, "#" * 300_000, "<h1>" * 80_000, "# " + " " * 300_000 + "x", "é" * 400_000]
)
def test_a_long_line_costs_little(line: str) -> None:
    begun = time.process_time()
    outline_of(line + "\n" + line, 1, lambda: None)
    assert time.process_time() - begun < 2


def test_a_body_is_taken_as_it_is_written() -> None:
    body = CardV1(TOOL, look(component("README.md", "markdown", {"license": ["mit"]}, front_matter=True))).to_json()
    assert CardDocument.take(Fields(body["documents"][0])).fact("license") is not None
