"""Stable Diffusion and DALL-E mini as people often have them: configurations and no weights. They are vetted and described, and both reports say what is not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openvet.cli import main

CONFIGS = Path(__file__).parents[1] / "vectors/architectures/configs"
#: What the published configuration of dalle-mini/dalle-mini says of its shape: the keys that its authors' code reads.
DALLE_MINI: dict[str, Any] = {
    "architectures": ["eBart"], "model_type": "dallebart", "activation_function": "gelu", "d_model": 1024, "encoder_layers": 12, "decoder_layers": 12,
    "encoder_attention_heads": 16, "decoder_attention_heads": 16, "encoder_ffn_dim": 2730, "decoder_ffn_dim": 2730, "encoder_vocab_size": 50264,
    "image_vocab_size": 16391, "image_length": 256, "max_text_length": 64, "is_encoder_decoder": True, "ln_positions": "normformer", "use_bias": False,
    "use_glu": True, "tie_word_embeddings": False, "bos_token_id": 16385, "eos_token_id": 16385, "pad_token_id": 16385, "decoder_start_token_id": 16384,
}  # fmt: skip
NO_WEIGHTS = "there are no weights: what is said comes from the configuration alone"


@pytest.fixture
def stable_diffusion(tmp_path: Path) -> Path:
    folder = tmp_path / "stable-diffusion-v1-5"
    shutil.copytree(CONFIGS / folder.name, folder)
    for name, file, text in (
        ("scheduler", "scheduler_config.json", {"_class_name": "PNDMScheduler", "num_train_timesteps": 1000}),
        ("tokenizer", "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}),
        ("feature_extractor", "preprocessor_config.json", {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224}),
    ):  # fmt: skip
        (folder / name).mkdir()
        (folder / name / file).write_text(json.dumps(text))
    return folder


@pytest.fixture
def dalle_mini(tmp_path: Path) -> Path:
    folder = tmp_path / "dalle-mini"
    (folder / "vqgan").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(DALLE_MINI))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "DalleBartTokenizer"}))
    shutil.copy(CONFIGS / "vqgan-f16-16384/config.json", folder / "vqgan")
    return folder


def called(command: str, folder: Path) -> dict[str, Any]:
    done = CliRunner().invoke(main, [command, str(folder), "--format", "json"])
    assert done.exit_code == 0, done.output
    model: dict[str, Any] = json.loads(done.stdout)["models"][0]
    return model


def vetted(folder: Path) -> str:
    """The message of the one finding that says so; that they are admitted is in the exit code."""
    done = CliRunner().invoke(main, ["check", str(folder)], env={"COLUMNS": "300"})
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("ADMIT ")
    (line,) = (each for each in done.stdout.splitlines() if "hub/no-weights" in each)
    return line


def profiled(folder: Path) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Of each part its facts and what is not said."""
    parts = called("profile", folder)["statements"][0]["predicate"]["parts"]
    return {each["name"]: ({fact["name"]: fact["value"] for fact in each["facts"]}, each["missing"]) for each in parts}  # fmt: skip


def test_stable_diffusion(stable_diffusion: Path) -> None:
    line = vetted(stable_diffusion)
    assert "model_index.json" in line
    assert "the weights of 3 models are not here, and so were not examined: text_enco" in line
    parts = profiled(stable_diffusion)
    sizes = {"text_encoder": 123_060_480, "unet": 859_520_964, "vae": 83_653_863}  # as published
    for name, parameters in sizes.items():
        facts, notes = parts[name]
        assert facts["parameters"] == parameters
        assert "weight bytes" not in facts
        assert NO_WEIGHTS in notes
    whole, _ = parts["model_index.json"]
    assert whole["parameters"] == sum(sizes.values())


def test_dalle_mini(dalle_mini: Path) -> None:
    line = vetted(dalle_mini)
    assert "the weights of 2 models are not here, and so were not examined: config.json, v" in line
    parts = profiled(dalle_mini)
    facts, notes = parts[""]
    assert (facts["family"], facts["class"]) == ("dallebart", ["eBart"])
    assert (facts["layers"], facts["encoder layers"], facts["hidden size"]) == (12, 12, 1024)
    assert facts["attention heads"] == 16
    assert "parameters" not in facts  # its layers are of a kind that nothing here draws
    assert notes == [
        "the family dallebart is not known: active parameters and memory for a sequence are not computed",
        NO_WEIGHTS,
    ]
    decoder, notes = parts["vqgan"]
    assert decoder["family"] == "VQModel"
    assert decoder["parameters"] > 50e6
    assert NO_WEIGHTS in notes


def test_weights_that_are_there_are_not_said_to_be_missing(stable_diffusion: Path) -> None:
    (stable_diffusion / "unet/diffusion_pytorch_model.safetensors").write_bytes(
        b"\x48\0\0\0\0\0\0\0" + b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.ljust(0x48) + b"\0"
    )
    done = CliRunner().invoke(main, ["check", str(stable_diffusion)], env={"COLUMNS": "300"})
    assert "hub/no-weights" not in done.stdout
