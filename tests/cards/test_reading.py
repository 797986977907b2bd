"""What is read of a card: licences, sections, lines, languages; and what is not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import openvet
from openvet.cards._beside import hub_id, same_model
from openvet.cards._forms import forms
from openvet.cards._near_keys import near_key
from openvet.cards.licenses import canonical
from openvet.evidence.predicates.card_v1 import CardDocument, CardV1
from openvet.testing.forge_cards import CARDS, card, croissant
from openvet.testing.forge_tensors import safetensors

WEIGHTS = safetensors({"w": ("F32", (2, 2))})


def documents(folder: Path, files: Mapping[str, str | bytes]) -> tuple[CardDocument, ...]:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    found = openvet.check(folder).models[0].answers["card"]
    assert isinstance(found, CardV1)
    return found.documents


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Apache-2.0", "apache-2.0"), ("Apache License, Version 2.0", "apache-2.0"), ("apache 2.0", "apache-2.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0", "apache-2.0"), ("https://spdx.org/licenses/Apache-2.0.html", "apache-2.0"),
        ("MIT License", "mit"), ("https://opensource.org/license/mit", "mit"), ("GPL-3.0-only", "gpl-3.0"),
        ("CC BY-NC 4.0", "cc-by-nc-4.0"), ("https://creativecommons.org/licenses/by-sa/4.0/deed.de", "cc-by-sa-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"), ("Llama 3.1 Community License Agreement", "llama3.1"),
        ("Gemma Terms of Use", "gemma"), ("llama3.2", "llama3.2"), ("BSD", "bsd"),
        # nothing is guessed
        ("Apache", None), ("Microsoft", None), ("proprietary", None), ("MIT AND Apache-2.0", None), ("European Union", None), ("", None),
        ("https://example.org/mit", None), ("CC BY 9.0", None), ("https://creativecommons.org/licenses/by/9.9/", None),
        ("MIT-like, see LICENSE", None), ("GPLv4", None),
    ],
)  # fmt: skip
def test_a_licence_is_brought_to_an_id_or_not_at_all(text: str, meant: str | None) -> None:
    assert canonical(text) == meant


@pytest.mark.parametrize(
    ("text", "id_"),
    [("org/name", "org/name"), ("https://huggingface.co/org/name/tree/main", "org/name"), ("gpt2", "gpt2"), ("./a/b", None), ("/data/a", None),
     ("C:\\a", None), ("a/b/c", None), ("https://example.org/a/b", None), ("a b", None), (3, None)],
)  # fmt: skip
def test_ids_of_a_hub(text: object, id_: str | None) -> None:
    assert hub_id(text) == id_


def test_an_old_id_is_that_of_any_organisation() -> None:
    assert same_model("bert-base-uncased", "google-bert/BERT-base-uncased")
    assert not same_model("a/bert", "b/bert")


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = card(
        "license: mit\ntags:\n- a\n- b\nmodel-index:\n- name: x\n  results:\n  - task: {type: t}\n    dataset: {type: d, name: d}\n    metrics:\n    - type: f1\n      value: 1"
    )
    (found,) = documents(tmp_path, {"README.md": text})
    lines = text.split("\n")
    for fact in found.facts:
        assert fact.source.line is not None
        key = (fact.source.pointer or "").rpartition("/")[2]
        assert key in lines[fact.source.line - 1] or lines[fact.source.line - 1] == "    - type: f1"
    for section in found.sections:
        assert section.source.line is not None
        assert lines[section.source.line - 1].startswith("#")


def test_a_section_is_filled_open_or_empty(tmp_path: Path) -> None:
    prose = (
        "# x\n\n## Uses\n\n### Direct Use\n\n[More Information Needed]\n\n### Downstream Use [optional]\n\nFor tests.\n\n"
        "## Training Data\n\n<!-- say something -->\n\n[More Information Needed]\n\n## Environmental Impact\n\n"
        "Carbon emissions can be estimated using the [Machine Learning Impact calculator](x).\n\n- **Hours used:** [More Information Needed]\n\n"
        "## **Citation [optional]**\n\n## 5. Limitations:\n\nMany.\n\n```\n## Evaluation\n```\n"
    )
    (found,) = documents(tmp_path, {"README.md": card("license: mit", prose)})
    states = {each.name: each.state for each in found.sections}
    assert states == {
        "Uses": "filled",
        "Training Data": "open",
        "Environmental Impact": "open",
        "Citation": "empty",
        "Bias, Risks, and Limitations": "filled",
    }
    missing = {each.name for each in found.missing if each.of == "section"}
    assert "Evaluation" in missing, "a heading in a code block is none"
    assert "Citation" not in missing


def test_headings_in_another_language_are_not_guessed(tmp_path: Path) -> None:
    (found,) = documents(
        tmp_path,
        {
            "README.md": card(
                "license: mit\nlanguage: de", "# Modell\n\n## Verwendung\n\nFür Tests.\n\n## Training\n\nJa.\n"
            )
        },
    )
    assert [each.name for each in found.sections] == ["Training Procedure"], "a word that is the same in both"
    assert "Uses" in {each.name for each in found.missing}


def test_the_card_of_the_folder_comes_first_and_others_only_with_metadata(tmp_path: Path) -> None:
    found = documents(
        tmp_path,
        {
            "README.md": "# top\n",
            "a/README.md": "# no card\n",
            "b/README.md": card("license: mit"),
            "b/config.json": '{"license": "gpl-3.0"}',
            "config.json": '{"license": "wtfpl"}',
        },
    )
    assert [each.place for each in found] == ["README.md", "b/README.md"]
    assert [each.source.place for each in found[1].problems if each.kind == "license-differs"] == ["b/config.json"]


def test_both_licences_stand_side_by_side(tmp_path: Path) -> None:
    (found,) = documents(
        tmp_path,
        {"README.md": card("license: mit"), "config.json": '{"license": "some words"}', "model.safetensors": WEIGHTS},
    )
    said = [(each.value, each.basis, each.source.place) for each in found.facts if each.name == "license"]
    assert said == [("mit", "declared", "README.md"), ("some words", "declared", "config.json")]
    assert [each.kind for each in found.problems] == [], "what cannot be brought to one id is not compared"


def test_without_a_card_the_files_are_heard(tmp_path: Path) -> None:
    files = dict(CARDS["license-in-gguf"].data())
    del files["README.md"]
    (found,) = documents(tmp_path, files)
    assert (found.kind, found.place) == ("files", "")
    assert {each.name: each.value for each in found.facts} == {
        "license": "apache-2.0",
        "base_model": "a/b",
        "quantization": "gguf",
    }
    assert found.problems == ()


def test_names_of_croissant_are_read_by_its_context(tmp_path: Path) -> None:
    plain = croissant()
    moved = {
        (
            "schema:" + key
            if key in ("name", "description", "license", "url", "creator", "datePublished", "distribution")
            else key
        ): each
        for key, each in plain.items()
    }
    moved["@context"] = {**plain["@context"], "schema": "https://schema.org/"}
    moved["@context"].pop("@vocab")
    import json

    (one,) = documents(tmp_path / "one", {"croissant.json": json.dumps(plain), "data.csv": "a,b\n1,2\n"})
    (two,) = documents(tmp_path / "two", {"croissant.json": json.dumps(moved), "data.csv": "a,b\n1,2\n"})
    assert [(each.name, each.value) for each in one.facts if each.name != "distribution"] == [
        (each.name, each.value) for each in two.facts if each.name != "distribution"
    ]
    assert one.missing == two.missing == ()
    assert one.specification == "http://mlcommons.org/croissant/1.1"
    assert {each.name for each in one.facts} >= {"rai:dataCollection", "creator", "recordSet"}


@pytest.mark.parametrize(
    ("front", "line"), [("license: [mit", 3), ("license: mit\ntags: a: b", 3), ("a: 'b", 3), ("\t- a", 2)]
)
def test_an_error_in_front_matter_names_the_line_of_the_file(tmp_path: Path, front: str, line: int) -> None:
    (found,) = documents(tmp_path, {"README.md": f"---\n{front}\n---\n"})
    (problem,) = [each for each in found.problems if each.kind == "malformed-metadata"]
    assert problem.message.endswith(f"in line {line}")


@pytest.mark.parametrize(
    ("key", "meant"),
    [("licence", "license"), ("License", "license"), ("licence_name", "license_name"), ("lisense", "license"), ("licnese", "license"),
     ("languages", "language"), ("pipeline-tag", "pipeline_tag"), ("library name", "library_name"), ("dataset", "datasets"), ("tag", "tags"),
     ("model_date", None), ("license_url", None), ("quantized", None), ("tasks", None), ("version", None), ("x", None), ("license" * 9, None),
     ("language_name", None), ("pad_token", None), ("model_id", None)],
)  # fmt: skip
def test_keys_that_are_nearly_those_of_the_hub(key: str, meant: str | None) -> None:
    assert near_key(key, {*forms()["model"]["fields"], *forms()["dataset"]["fields"]}) == meant


def test_common_mistakes_say_what_is_meant(tmp_path: Path) -> None:
    front = "license: mit\nlicence: mit\nbase_model: https://huggingface.co/org/name/tree/main\nLibrary_name: peft"
    (found,) = documents(tmp_path, {"README.md": card(front)})
    told = [(each.source.line, each.message) for each in found.problems if each.kind == "malformed-metadata"]
    assert told == [
        (3, "'licence' is no field of the hub; did you mean license, which is there too?"),
        (5, "'Library_name' is no field of the hub; did you mean library_name?"),
        (4, "base_model names 'https://huggingface.co/org/name/tree/main', which is a link; the hub takes the id, 'org/name'"),
    ]  # fmt: skip


def test_links_to_other_pages_of_the_hub_are_no_ids() -> None:
    assert hub_id("https://huggingface.co/datasets/a/b", "datasets") == "a/b"
    assert hub_id("https://huggingface.co/datasets/a/b") is None
    assert hub_id("https://huggingface.co/spaces/a/b") is None
    assert hub_id("https://huggingface.co/a/b/?library=x#top") == "a/b"


def test_a_section_keeps_the_beginning_of_its_text(tmp_path: Path) -> None:
    prose = (
        "# A\n\n## Uses\n\n[More Information Needed]\n\nFirst.\n\n| a | b |\n\n### Direct Use\n\nSecond.\n\n## Training Data\n\n"
        + "word " * 30
    )
    (tmp_path / "README.md").write_text(f"---\nlicense: mit\n---\n{prose}\n" + "\n".join(["x" * 190] * 9) + "\n")
    card = openvet.check(tmp_path).models[0].answers["card"]
    assert isinstance(card, CardV1)
    texts = {each.name: each.text for each in card.documents[0].sections}
    assert texts["Uses"] == "First. Second."
    assert texts["Training Data"].startswith("word word")
    assert len(texts["Training Data"]) == 1000
    assert texts["Training Data"].endswith("…")
    assert CardV1.from_json(card.to_json()) == card
