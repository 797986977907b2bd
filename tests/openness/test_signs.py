"""By which files, sections and links a component is known, and by which it is not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from tests.openness.releases import CONFIG, WEIGHTS, card, examined, folder

_CODE = b"print(1)\n"
_TEXT = b'{"a": 1}\n'


@pytest.mark.parametrize(
    ("place", "data", "component"),
    [
        ("modeling_x.py", _CODE, "architecture"),
        ("src/model.py", _CODE, "architecture"),
        ("train.py", _CODE, "training-code"),
        ("scripts/pretrain_gpt.py", _CODE, "training-code"),
        ("training/loop.py", _CODE, "training-code"),
        ("inference.py", _CODE, "inference-code"),
        ("handler.py", _CODE, "inference-code"),
        ("evaluate.py", _CODE, "evaluation-code"),
        ("evals/mmlu.py", _CODE, "evaluation-code"),
        ("prepare_data.py", _CODE, "data-preprocessing-code"),
        ("data/test.jsonl", _TEXT, "evaluation-data"),
        ("data/train.jsonl", _TEXT, "datasets"),
        ("eval_results.json", _TEXT, "evaluation-results"),
        ("hparams.yaml", b"lr: 0.1\n", "model-metadata"),
        ("checkpoint-500/model.safetensors", WEIGHTS, "intermediate-parameters"),
        ("ckpt/step_20/model.safetensors", WEIGHTS, "intermediate-parameters"),
    ],
)
def test_a_file_is_a_sign_of_a_component(place: str, data: bytes, component: str, tmp_path: Path) -> None:
    found = examined(folder({"model.safetensors": WEIGHTS, place: data}, tmp_path))
    part = found.part(component)
    assert part.state == "found"
    assert part.evidence[0].source.place == place


@pytest.mark.parametrize(
    ("place", "data"),
    [
        ("test_model.py", _CODE),
        ("convert_model.py", _CODE),
        ("setup_helpers.py", _CODE),
        ("train.txt", b"toot toot\n"),
        ("trainers/list.json", _TEXT),
        ("evaluator_notes.txt", b"notes\n"),
        ("constraint.py", _CODE),
        ("tokenizer.json", _TEXT),
        ("stepwise/notes.txt", b"notes\n"),
    ],
)
def test_a_file_of_a_name_that_is_near_is_none(place: str, data: bytes, tmp_path: Path) -> None:
    found = examined(folder({place: data}, tmp_path))
    assert [each.id for each in found.parts if each.state != "missing"] == []


def test_what_a_list_names_is_elsewhere(tmp_path: Path) -> None:
    found = examined(folder({"README.md": card(), "requirements.txt": b"torch==2.5.1\n"}, tmp_path))
    assert found.part("libraries").state == "linked"
    assert found.part("libraries").license is None


def test_a_list_of_revisions_names_weights_of_steps(tmp_path: Path) -> None:
    found = examined(folder({"README.md": card(), "revisions.txt": b"step1000-tokens4B\n"}, tmp_path))
    part = found.part("intermediate-parameters")
    assert (part.state, part.license, part.evidence[0].what) == ("linked", None, "a list of revisions")


def test_data_for_tests_are_no_training_data(tmp_path: Path) -> None:
    found = examined(folder({"dataset/test.jsonl": _TEXT}, tmp_path))
    assert found.part("evaluation-data").state == "found"
    assert found.part("datasets").state == "missing"


def test_weights_of_the_only_step_are_the_final_ones(tmp_path: Path) -> None:
    found = examined(folder({"checkpoint-500/model.safetensors": WEIGHTS}, tmp_path))
    assert found.part("final-parameters").state == "found"
    assert found.part("intermediate-parameters").state == "missing"


def test_two_steps_are_none_of_them_final(tmp_path: Path) -> None:
    places = ("checkpoint-500/model.safetensors", "checkpoint-900/model.safetensors")
    found = examined(folder(dict.fromkeys(places, WEIGHTS), tmp_path))
    assert found.part("final-parameters").state == "missing"
    assert len(found.part("intermediate-parameters").evidence) == 2


def test_states_of_an_optimizer_are_no_weights(tmp_path: Path) -> None:
    found = examined(folder({"optimizer.safetensors": WEIGHTS}, tmp_path))
    assert found.part("final-parameters").state == "missing"
    assert found.part("model-metadata").state == "found"


def test_an_adapter_is_said_to_be_one(tmp_path: Path) -> None:
    found = examined(folder({"adapter_model.safetensors": WEIGHTS}, tmp_path))
    assert "adapter" in found.part("final-parameters").evidence[0].what


@pytest.mark.parametrize(
    ("text", "component", "link", "licence"),
    [
        ("Paper: https://arxiv.org/abs/2402.00838", "research-paper", "https://arxiv.org/abs/2402.00838", None),
        ("It was introduced in [this one](https://arxiv.org/abs/2402.00838).", "research-paper", "https://arxiv.org/abs/2402.00838", None),
        ("Details are in our [pre-print](https://arxiv.org/abs/2402.00838).", "research-paper", "https://arxiv.org/abs/2402.00838", None),
        ("Trained on the [Dolma](https://huggingface.co/datasets/a/d) dataset", "datasets", "https://huggingface.co/datasets/a/d", None),
        ("* **Evaluation results:** [here](https://huggingface.co/datasets/a/evals)", "evaluation-results", "https://huggingface.co/datasets/a/evals", None),
        ("  url = {https://arxiv.org/abs/2402.00838},", "research-paper", "https://arxiv.org/abs/2402.00838", None),
        ("See the [technical report](https://arxiv.org/abs/2402.00838).", "technical-report", "https://arxiv.org/abs/2402.00838", None),
        ("- Training code: https://github.com/a/b (Apache-2.0)", "training-code", "https://github.com/a/b", "Apache-2.0"),
        ("- Core repo (training, inference etc.): <https://github.com/a/b>", "inference-code", "https://github.com/a/b", None),
        ("[Evaluation code](https://github.com/a/e), MIT licensed", "evaluation-code", "https://github.com/a/e", "MIT"),
        ("Intermediate checkpoints: https://huggingface.co/a/b/tree/step1", "intermediate-parameters", "https://huggingface.co/a/b/tree/step1", None),
        ("The data are at https://huggingface.co/datasets/a/d", "datasets", "https://huggingface.co/datasets/a/d", None),
        ("Pretraining data, licence ODC-By-1.0: https://example.org/d", "datasets", "https://example.org/d", "ODC-By-1.0"),
        ("Data processing: https://github.com/a/dolma", "data-preprocessing-code", "https://github.com/a/dolma", None),
        ("W&B logs: https://wandb.ai/a/b", "model-metadata", "https://wandb.ai/a/b", None),
        ("[Train](https://github.com/a/t) and [Evaluation](https://github.com/a/e)", "evaluation-code", "https://github.com/a/e", None),
    ],
)  # fmt: skip
def test_a_link_is_a_sign_of_a_component(
    text: str, component: str, link: str, licence: str | None, tmp_path: Path
) -> None:
    found = examined(folder({"README.md": card(prose=f"# Model\n\n{text}\n")}, tmp_path))
    part = found.part(component)
    assert part.state == "linked"
    assert part.evidence[0].link == link
    assert part.evidence[0].source.line == 6
    assert (None if part.license is None else part.license.id) == licence


@pytest.mark.parametrize(
    "text",
    [
        "[![badge](https://img.shields.io/badge/x)](https://example.org)",
        "License: https://www.apache.org/licenses/LICENSE-2.0",
        "We were training at https://example.org/gym",
        "Ask us at https://github.com/a/b/issues",
        "Home page: https://example.org",
        "Metadata: https://huggingface.co/datasets",
        "| Reddit comments | [paper](https://arxiv.org/abs/1904.06472) | 726 |",
        "We follow [CCNet](https://arxiv.org/abs/1911.00359) and [RoPE](https://arxiv.org/abs/2104.09864).",
    ],
)
def test_other_links_are_none(text: str, tmp_path: Path) -> None:
    found = examined(folder({"README.md": card(prose=f"# Model\n\n{text}\n")}, tmp_path))
    assert [each.id for each in found.parts if each.state == "linked"] == []


@pytest.mark.parametrize(
    "text", ["Training code by MIT: https://github.com/a/b", "Training code, see ISC: https://github.com/a/b"]
)
def test_words_that_look_like_ids_are_no_licences(text: str, tmp_path: Path) -> None:
    found = examined(folder({"README.md": card(prose=f"# Model\n\n{text}\n")}, tmp_path))
    assert found.part("training-code").license is None


def test_metadata_of_a_card_name_data_papers_and_results(tmp_path: Path) -> None:
    metadata = """license: mit
datasets: [a/b, plain]
tags: ['arxiv:2402.00838', other]
model-index:
- name: x
  results:
  - task: {type: text-generation}
    dataset: {type: a/bench, name: Bench}
    metrics: [{type: accuracy, value: 0.5}]
"""
    found = examined(folder({"README.md": card(metadata, "# Model\n")}, tmp_path))
    assert [each.link for each in found.part("datasets").evidence] == [
        "https://huggingface.co/datasets/a/b",
        "https://huggingface.co/datasets/plain",
    ]
    assert found.part("research-paper").evidence[0].link == "https://arxiv.org/abs/2402.00838"
    assert found.part("evaluation-data").evidence[0].link == "https://huggingface.co/datasets/a/bench"
    assert found.part("evaluation-results").state == "found"


def test_a_card_without_a_word_is_no_model_card(tmp_path: Path) -> None:
    found = examined(folder({"README.md": b"---\nlicense: mit\n---\n", "config.json": CONFIG}, tmp_path))
    assert found.part("model-card").state == "missing"


def test_sections_that_the_template_left_open_are_no_documents(tmp_path: Path) -> None:
    prose = "# Model\n\n## Training Data\n\n[More Information Needed]\n\n## Evaluation\n\n[More Information Needed]\n"
    found = examined(folder({"README.md": card(prose=prose)}, tmp_path))
    assert found.part("data-card").state == "missing"
    assert found.part("evaluation-results").state == "missing"


def test_a_model_in_an_archive_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/README.md", card(prose="# Model\n\nPaper: https://arxiv.org/abs/2402.00838\n"))
        archive.writestr("m/model.safetensors", WEIGHTS)
        archive.writestr("m/checkpoint-5/model.safetensors", WEIGHTS)
        archive.writestr("m/checkpoint-9/model.safetensors", WEIGHTS)
    found = examined(path)
    assert [each.source.place for each in found.part("final-parameters").evidence] == ["m.zip!/m/model.safetensors"]
    assert len(found.part("intermediate-parameters").evidence) == 2
    assert found.part("research-paper").state == "linked"
