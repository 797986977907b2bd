"""What a model was made of, and what licences ask for, in both forms of a bill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openvet.bom._made_of import made_of
from openvet.bom.cyclonedx import cyclonedx
from openvet.bom.spdx import spdx
from openvet.core.location import Location
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node
from openvet.evidence.predicates.tool import Tool
from openvet.workflows.bom import bill_of
from tests.bom.forms import cyclonedx_errors, dangling, spdx_errors
from tests.bom.models import write

TUNED = """---
license: apache-2.0
base_model: meta-llama/Llama-3.1-8B-Instruct
base_model_relation: finetune
datasets: [acme/answers]
---
# Helper
"""
RECIPE = """models:
  - model: google/gemma-7b
    parameters: {weight: 0.5}
  - model: meta-llama/Meta-Llama-3-8B
merge_method: slerp
base_model: google/gemma-7b
"""


def both(folder: Path, **files: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Both forms, held against their schemas."""
    named = {name.replace("__", "."): text.encode() for name, text in files.items()}
    bill = bill_of(str(write(named, folder)))
    first, second = cyclonedx(bill), spdx(bill)
    assert (cyclonedx_errors(first), dangling(first), spdx_errors(second)) == ([], set(), [])
    return first, second["@graph"]


def values(properties: list[dict[str, str]], name: str) -> list[str]:
    return [each["value"] for each in properties if each["name"] == name]


def test_a_base_model_has_its_licence_and_what_that_asks_for(tmp_path: Path) -> None:
    document, graph = both(tmp_path, README__md=TUNED)
    model = document["components"][0]
    (base,) = model["pedigree"]["ancestors"]
    assert base["name"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert values(base["properties"], "openvet:relation") == ["finetune"]
    held = base["licenses"][0]["license"]
    assert (held["name"], held["acknowledgement"]) == ("Llama 3.1 Community License Agreement 2024", "declared")
    assert values(held["properties"], "openvet:duty:show") == ["show prominently: Built with Llama (1.b.i)"]
    notices = [each for each in values(held["properties"], "openvet:duty:ship") if "Notice file" in each]
    assert len(notices) == 1
    assert notices[0].endswith("(1.b.iii): missing")
    cited = [
        each["note"]
        for each in document["citations"]
        if "/components/0/pedigree/ancestors/0/licenses/0" in each["pointers"]
    ]
    assert len(cited) == 1
    assert "by our table" in cited[0]
    dropped = values(model["properties"], "openvet:license/restriction-dropped")
    assert len(dropped) == 1
    assert "user threshold (2)" in dropped[0]
    assert values(model["properties"], "openvet:rights:commercial") == ["depends"]
    names = {each["spdxId"]: each for each in graph if "spdxId" in each}
    related = [
        each
        for each in graph
        if each.get("relationshipType") == "hasDeclaredLicense" and names[each["from"]]["name"] == base["name"]
    ]
    assert len(related) == 1
    licence = names[related[0]["to"][0]]
    assert licence["simplelicensing_licenseExpression"] == "LicenseRef-scancode-llama-3.1-license-2024"
    said = [
        each["statement"] for each in graph if each["type"] == "Annotation" and each["subject"] == licence["spdxId"]
    ]
    assert "duty, show: show prominently: Built with Llama (1.b.i)" in said
    assert any(each.get("statement", "").startswith("license/restriction-dropped: ") for each in graph)


def test_a_notice_that_is_there_is_no_longer_missing(tmp_path: Path) -> None:
    line = "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright \u00a9 Meta Platforms, Inc. All Rights Reserved."
    document, _ = both(tmp_path, README__md=TUNED, NOTICE=line)
    held = document["components"][0]["pedigree"]["ancestors"][0]["licenses"][0]["license"]
    assert [each for each in values(held["properties"], "openvet:duty:ship") if each.endswith("(1.b.iii): met")]


def test_parents_of_a_merge_are_ancestors_each_with_its_part(tmp_path: Path) -> None:
    document, graph = both(tmp_path, README__md="---\nlicense: gemma\n---\n", mergekit_config__yml=RECIPE)
    ancestors = document["components"][0]["pedigree"]["ancestors"]
    assert {each["name"] for each in ancestors} == {"google/gemma-7b", "meta-llama/Meta-Llama-3-8B"}
    assert all(values(each["properties"], "openvet:relation") == ["merge"] for each in ancestors)
    assert all(values(each["properties"], "openvet:relation method") == ["slerp"] for each in ancestors)
    assert all(each["licenses"] for each in ancestors)
    assert document["formulation"][0]["workflows"][0]["taskTypes"] == ["merge"]
    assert len(next(each for each in graph if each.get("relationshipType") == "descendantOf")["to"]) == 2


def test_data_are_no_ancestors(tmp_path: Path) -> None:
    document, graph = both(tmp_path, README__md="---\nlicense: mit\ndatasets: [acme/answers]\n---\n")
    assert "pedigree" not in document["components"][0]
    assert [
        each["relationshipType"] for each in graph if each.get("relationshipType") in ("trainedOn", "descendantOf")
    ] == ["trainedOn"]


def test_where_weights_were_loaded_from_is_noted_and_no_ancestor(tmp_path: Path) -> None:
    document, graph = both(tmp_path, config__json='{"model_type": "llama", "_name_or_path": "acme/earlier"}')
    model = document["components"][0]
    assert "pedigree" not in model
    assert values(model["properties"], "openvet:loaded from") == ["acme/earlier"]
    assert any(
        each.get("statement", "").startswith("loaded from acme/earlier: declared in config.json") for each in graph
    )


def test_of_a_licence_that_nobody_names_nothing_is_said(tmp_path: Path) -> None:
    document, graph = both(tmp_path, README__md="---\nbase_model: nobody/knows\n---\n")
    assert "licenses" not in document["components"][0]["pedigree"]["ancestors"][0]
    assert not [
        each for each in document["components"][0].get("properties", ()) if each["name"].startswith("openvet:rights")
    ]
    assert not [each for each in graph if each["type"] == "simplelicensing_LicenseExpression"]


WHERE = (Location("README.md"),)


def lineage(*edges: tuple[str, str, str]) -> LineageV1:
    names = sorted({each for one, two, _ in edges for each in (one, two)} - {THIS})
    nodes = (Node(THIS, "model", "mine"), *(Node(each, "model", each, hub=each) for each in names))
    return LineageV1(
        Tool("t", "1", "0" * 64), nodes, tuple(Edge(one, two, how, "declared", WHERE) for one, two, how in edges)
    )


def test_a_line_of_ancestors_is_nested_and_a_circle_ends(tmp_path: Path) -> None:
    bill = bill_of(str(write({"README.md": TUNED.encode()}, tmp_path)))
    made = made_of(lineage((THIS, "a/b", "finetune"), ("a/b", "c/d", "quantized"), ("c/d", "a/b", "based-on")))
    from dataclasses import replace

    document = cyclonedx(replace(bill, pieces=made.pieces, relations=made.relations, rights=None))
    assert (cyclonedx_errors(document), dangling(document)) == ([], set())
    (first,) = document["components"][0]["pedigree"]["ancestors"]
    assert [each["name"] for each in first["pedigree"]["ancestors"]] == ["c/d"]
    assert "pedigree" not in first["pedigree"]["ancestors"][0]


@pytest.mark.parametrize("relation", ["loaded-from", "distilled-from", "tokenizer-of", "evaluated-on"])
def test_what_handed_on_no_weights_is_no_ancestor(relation: str) -> None:
    assert made_of(lineage((THIS, "a/b", relation))).pieces == ()


def test_two_ways_in_which_one_base_is_named_are_one() -> None:
    made = made_of(lineage((THIS, "a/b", "finetune"), (THIS, "a/b", "quantized")))
    assert len(made.pieces) == len(made.relations) == 1


def test_more_than_is_listed_is_counted() -> None:
    made = made_of(lineage(*((THIS, f"a/b{number}", "merge") for number in range(600))))
    assert (len(made.pieces), made.left_out) == (500, 100)
