"""What files declare: every place that names a base model, a merge, an adapter or a data set, and what makes no sense there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openvet.evidence.predicates.lineage_v1 import THIS, LineageV1
from openvet.lineage.graph import hub_name
from openvet.testing.forge_tensors import gguf, safetensors
from openvet.workflows.answer import ask


def declared(path: Path, **files: str | bytes | dict[str, Any]) -> LineageV1:
    for name, held in files.items():
        data = json.dumps(held) if isinstance(held, dict) else held
        target = path / name.replace("__", ".")
        target.write_bytes(data.encode() if isinstance(data, str) else data)
    found = ask(path, "lineage").predicate
    assert isinstance(found, LineageV1)
    assert LineageV1.from_json(found.to_json()) == found
    return found


def said(found: LineageV1) -> set[tuple[str, str]]:
    return {(each.relation, each.origin) for each in found.edges}


def test_a_card(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        README__md="---\nbase_model: [Org/A, https://huggingface.co/org/b/tree/main]\nbase_model_relation: merge\ndatasets: [squad]\n---\n# x\n",
    )
    assert said(found) == {("merge", "hub:org/a"), ("merge", "hub:org/b"), ("trained-on", "dataset:squad")}
    node = found.node("hub:org/b")
    assert node is not None
    assert (node.hub, node.revision) == ("org/b", "main")
    assert {str(each) for edge in found.edges for each in edge.sources} == {
        "README.md:2 /base_model",
        "README.md:4 /datasets",
    }


def test_a_base_without_a_relation(tmp_path: Path) -> None:
    assert said(declared(tmp_path, README__md="---\nbase_model: org/a\n---\n# x\n")) == {("based-on", "hub:org/a")}


def test_several_places_say_one_thing(tmp_path: Path) -> None:
    """A base that is only named in one place and an adapter's in another one is one edge with both sources."""
    found = declared(
        tmp_path,
        README__md="---\nbase_model: org/a\n---\n# x\n",
        adapter_config__json={
            "peft_type": "LORA",
            "base_model_name_or_path": "Org/A",
            "r": 8,
            "target_modules": ["q_proj"],
            "revision": "v1",
        },
    )
    assert found.nodes[0].kind == "adapter"
    edge = next(each for each in found.edges if each.relation == "adapter")
    assert edge.parameters == {"method": "LORA", "rank": 8, "target modules": ["q_proj"]}
    assert len(edge.sources) == 2


def test_configurations(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        config__json={"model_type": "llama", "_name_or_path": "/home/me/llama"},
        tokenizer_config__json={"name_or_path": "org/tok"},
    )
    assert said(found) == {("loaded-from", "name:/home/me/llama"), ("tokenizer-of", "hub:org/tok")}
    assert (
        said(declared(tmp_path, config__json={"_name_or_path": ""}, tokenizer_config__json={"name_or_path": 7}))
        == set()
    )


MERGES = {
    "merge_method: ties\nbase_model: org/base\nmodels:\n  - model: org/a+org/lora\n    parameters: {weight: 0.5}\n  - model: {model: {path: org/b, revision: x}}\n": {
        ("merge", "hub:org/base"), ("merge", "hub:org/a"), ("merge", "hub:org/lora"), ("merge", "hub:org/b"),
    },
    "merge_method: passthrough\nslices:\n  - sources:\n    - model: org/a\n      layer_range: [0, 24]\n  - sources:\n    - model: org/b\n      layer_range: [8, 32]\n": {
        ("merge", "hub:org/a"), ("merge", "hub:org/b"),
    },
    "base_model: org/base\nexperts:\n  - source_model: org/a\n    positive_prompts: [x]\n  - source_model: org/b\ntokenizer_source: org/tok\n": {
        ("based-on", "hub:org/base"), ("merge", "hub:org/a"), ("merge", "hub:org/b"), ("tokenizer-of", "hub:org/tok"),
    },
}  # fmt: skip


@pytest.mark.parametrize("recipe", MERGES)
def test_recipes_of_merges(recipe: str, tmp_path: Path) -> None:
    assert said(declared(tmp_path, mergekit_config__yml=recipe)) == MERGES[recipe]


def test_a_recipe_that_makes_no_sense(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        mergekit_config__yml="merge_method: x\nmodels:\n  - model: 7\n  - model: {path: 3}\n  - 5\nslices: 3\n",
    )
    assert said(found) == set()
    assert [each.location.pointer for each in found.problems] == ["/models/0/model", "/models/1/model"]


def test_a_recipe_of_axolotl(tmp_path: Path) -> None:
    text = "base_model: org/a\nadapter: lora\nlora_r: 16\ndatasets:\n  - path: org/words\n    type: alpaca\n"
    assert said(declared(tmp_path, axolotl_config__yaml=text)) == {
        ("adapter", "hub:org/a"),
        ("trained-on", "dataset:org/words"),
    }


def test_keys_of_gguf(tmp_path: Path) -> None:
    keys = {
        "general.architecture": ("string", "llama"),
        "general.base_model.count": ("u32", 2),
        "general.base_model.0.name": ("string", "Base"),
        "general.base_model.0.organization": ("string", "Org"),
        "general.base_model.0.repo_url": ("string", "https://huggingface.co/Org/Base"),
        "general.dataset.count": ("u32", 1),
        "general.dataset.0.name": ("string", "words"),
        "general.source.repo_url": ("string", "https://huggingface.co/org/tuned"),
    }
    found = declared(tmp_path, model__gguf=gguf([(name, kind, value) for name, (kind, value) in keys.items()]))
    assert said(found) == {
        ("based-on", "hub:org/base"),
        ("trained-on", "dataset:words"),
        ("converted", "hub:org/tuned"),
    }
    assert [each.message for each in found.problems] == ["counts something that has no name"]


def test_metadata_of_image_models(tmp_path: Path) -> None:
    noted = {
        "modelspec.merged_from": "one, two",
        "ss_sd_model_name": "base.safetensors",
        "ss_network_module": "networks.lora",
        "sd_merge_models": json.dumps({"ab12": {"name": "three"}, "x": 7}),
    }
    found = declared(tmp_path, model__safetensors=safetensors({"a": ("F32", [1])}, noted))
    assert said(found) == {
        ("merge", "name:one"),
        ("merge", "name:two"),
        ("merge", "name:three"),
        ("adapter", "name:base.safetensors"),
    }
    assert found.nodes[0].kind == "adapter"


def test_nothing_is_said_and_too_much_is_said(tmp_path: Path) -> None:
    assert declared(tmp_path, config__json={"model_type": "bert"}).edges == ()
    many = "".join(f"  - model: org/m{at}\n" for at in range(1_500))
    found = declared(tmp_path, mergekit_config__yml=f"merge_method: linear\nmodels:\n{many}")
    assert len(found.edges) == 1_000
    assert "more than 1000" in found.problems[0].message


def test_names_that_carry_control_characters(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        adapter_config__json={"peft_type": "LORA", "base_model_name_or_path": "a\x1b[31m\u202eb" + "x" * 5_000},
    )
    node = next(each for each in found.nodes if each.id != THIS)
    assert node.name.isprintable()
    assert len(node.name) < 400
    assert [
        each.message for each in declared(tmp_path, adapter_config__json={"base_model_name_or_path": ["x"]}).problems
    ] == ["base_model_name_or_path is no text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", ("org/name", None)),
        ("https://huggingface.co/org/name", ("org/name", None)),
        ("hf.co/org/name/tree/v1?x=1", ("org/name", "v1")),
        ("https://huggingface.co/datasets/org/name", None),
        ("name", None),
        ("./name", None),
        ("/home/me", None),
        ("models/name", None),
        ("a/b/c", None),
        ("https://example.com/org/name", None),
    ],
)
def test_names_of_the_hub(text: str, expected: tuple[str, str | None] | None) -> None:
    assert hub_name(text) == expected
    assert hub_name("squad", dataset=True) == ("squad", None)
