"""A pipeline as a whole: its parts with their classes, what they have together, and what the index names and is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import architectures as reference
from tests.inventory.test_build import inventory

from openvet.evidence.predicates.profile_v1 import ModelPart
from openvet.profile._config import Config
from openvet.profile.profile import families, profile_parts

_UNET = {"_class_name": "UNet2DConditionModel", "block_out_channels": [32, 64], "cross_attention_dim": 16, "attention_head_dim": 8,
         "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
         "in_channels": 4, "out_channels": 4}  # fmt: skip
_VAE = {"_class_name": "AutoencoderKL", "block_out_channels": [32], "latent_channels": 4, "down_block_types": ["DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D"]}  # fmt: skip
_TEXT = {"model_type": "clip_text_model", "architectures": ["CLIPTextModel"], "hidden_size": 16, "intermediate_size": 32,
         "num_attention_heads": 2, "num_hidden_layers": 2, "vocab_size": 50, "max_position_embeddings": 7}  # fmt: skip
_PARTS: dict[str, dict[str, Any]] = {"unet": _UNET, "vae": _VAE, "text_encoder": _TEXT}


def drawn(config: dict[str, Any]) -> list[reference.Tensor]:
    """The tensors of a configuration; that they are those of the class is held in ``test_against_classes``."""
    plan = families()[str(config.get("model_type", config.get("_class_name")))].draw(Config(config))
    return [reference.Tensor(name, "F32", shape) for name, shape in plan.shapes(10**6).items()]


def folder(path: Path, *, without: str = "") -> Path:
    """A small Stable Diffusion as a user has it: configurations, weights, a scheduler, a tokenizer."""
    index: dict[str, Any] = {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0"}
    classes = {"unet": ("diffusers", "UNet2DConditionModel"), "vae": ("diffusers", "AutoencoderKL"),
               "text_encoder": ("transformers", "CLIPTextModel"), "scheduler": ("diffusers", "PNDMScheduler"),
               "tokenizer": ("transformers", "CLIPTokenizer")}  # fmt: skip
    for name, pair in classes.items():
        index[name] = list(pair)
        if name == without:
            continue
        (path / name).mkdir(parents=True)
        if name in _PARTS:
            (path / name / "config.json").write_text(json.dumps(_PARTS[name]))
            reference.forge(drawn(_PARTS[name]), path / name / "model.safetensors")
        else:
            (path / name / f"{name}_config.json").write_text("{}")
    (path / "model_index.json").write_text(json.dumps(index))
    return path


def profiled(path: Path) -> dict[str, ModelPart]:
    parts, _ = profile_parts(inventory(path))
    return {each.name: each for each in parts}


def test_parts_are_counted_together(tmp_path: Path) -> None:
    parts = profiled(folder(tmp_path / "sd"))
    whole = parts.pop("model_index.json")
    assert set(parts) == set(_PARTS)
    stored = sum(each.elements for config in _PARTS.values() for each in drawn(config))
    assert whole.count("parameters") == stored
    assert whole.count("weight bytes") == 4 * stored
    assert whole.fact("parameters").basis == "derived"  # type: ignore[union-attr]
    assert not whole.problems
    for part in parts.values():
        assert not part.problems
        assert not part.comparisons


def test_each_part_has_the_class_of_the_index(tmp_path: Path) -> None:
    parts = profiled(folder(tmp_path / "sd"))
    assert parts["unet"].fact("class in the pipeline").value == "UNet2DConditionModel (diffusers)"  # type: ignore[union-attr]
    whole = parts["model_index.json"]
    assert whole.fact("scheduler").value == "PNDMScheduler"  # type: ignore[union-attr]
    assert whole.fact("parts").value["vae"] == "AutoencoderKL (diffusers)"  # type: ignore[union-attr]


def test_a_part_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    whole = profiled(folder(tmp_path / "sd", without="vae"))["model_index.json"]
    (problem,) = whole.problems
    assert problem.location.pointer == "/vae"
    assert "AutoencoderKL" in problem.message


def test_a_part_that_the_pipeline_does_without_is_none(tmp_path: Path) -> None:
    path = folder(tmp_path / "sd")
    index = json.loads((path / "model_index.json").read_text("utf-8"))
    index |= {"safety_checker": [None, None], "requires_safety_checker": False}
    (path / "model_index.json").write_text(json.dumps(index))
    assert not profiled(path)["model_index.json"].problems


def test_a_class_that_the_part_itself_denies_is_told(tmp_path: Path) -> None:
    path = folder(tmp_path / "sd")
    index = json.loads((path / "model_index.json").read_text("utf-8"))
    index["vae"] = ["diffusers", "VQModel"]
    (path / "model_index.json").write_text(json.dumps(index))
    (found,) = profiled(path)["vae"].comparisons
    assert not found.agree
    assert "VQModel" in found.note
    assert "AutoencoderKL" in found.note


@pytest.mark.parametrize("text", ["[]", '{"vae": 3}', '{"_class_name": [], "vae": ["diffusers", {}], "unet": []}', "{"])
def test_an_index_that_is_none_costs_nothing_but_itself(text: str, tmp_path: Path) -> None:
    path = folder(tmp_path / "sd")
    (path / "model_index.json").write_text(text)
    assert profiled(path)["unet"].count("parameters") == sum(each.elements for each in drawn(_UNET))


def test_old_names_of_the_middle_are_those_of_today(tmp_path: Path) -> None:
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    path = folder(tmp_path / "sd")
    tensors = drawn(_VAE)
    for new, name in old.items():
        tensors = [each._replace(name=each.name.replace(f".{new}.", f".{name}.")) for each in tensors]
    reference.forge(tensors, path / "vae" / "model.safetensors")
    part = profiled(path)["vae"]
    assert not part.problems
    assert part.fact("embedding parameters").basis == "derived"  # type: ignore[union-attr]


_BERT = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2,
         "num_hidden_layers": 2, "vocab_size": 50, "max_position_embeddings": 7}  # fmt: skip


def lone(path: Path, config: dict[str, Any], rename: Callable[[str], str]) -> ModelPart:
    """The profile of a folder with this configuration and its tensors under other names."""
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    reference.forge([each._replace(name=rename(each.name)) for each in drawn(config)], path / "model.safetensors")
    (part,) = profiled(path).values()
    return part


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name,
        lambda name: f"bert.{name}",
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
    ],
)
def test_names_of_another_release_are_no_contradiction(rename: Callable[[str], str], tmp_path: Path) -> None:
    part = lone(tmp_path / "bert", _BERT, rename)
    assert not part.problems
    assert part.fact("embedding parameters").basis == "derived"  # type: ignore[union-attr]


def test_names_that_mean_something_else_are_not_taken_for_ours(tmp_path: Path) -> None:
    part = lone(tmp_path / "bert", _BERT, lambda name: f"x{len(name)}.{name[::-1]}")
    assert part.fact("embedding parameters").basis == "declared"  # type: ignore[union-attr]
