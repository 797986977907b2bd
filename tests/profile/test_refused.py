"""A configuration that no encoder and no part of a pipeline can have is refused, and the message begins with the place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import architectures as reference

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import Config
from openvet.profile.profile import families


@pytest.mark.parametrize(
    ("name", "change", "pointer"),
    [
        ("bert-base-uncased", {"num_attention_heads": 7}, "/num_attention_heads"),
        ("bert-base-uncased", {"architectures": [3]}, "/architectures/0"),
        ("distilbert-sst-2", {"id2label": {}}, "/id2label"),
        ("vit-base-patch16-224", {"patch_size": 500}, "/patch_size"),
        ("vit-base-patch16-224", {"image_size": [224]}, "/image_size"),
        ("clip-vit-base-patch32", {"vision_config": {"hidden_size": "x"}}, "/vision_config/hidden_size"),
        ("dinov2-base", {"mlp_ratio": "4"}, "/mlp_ratio"),
        ("wav2vec2-base-960h", {"conv_kernel": [1]}, "/conv_kernel"),
        ("whisper-tiny", {"encoder_attention_heads": 5}, "/encoder_attention_heads"),
        ("t5-base", {"d_kv": 0}, "/d_kv"),
        ("vqgan-f16-16384", {"down_block_types": ["DownEncoderBlock2D"]}, "/down_block_types"),
        ("vqgan-f16-16384", {"block_out_channels": [100]}, "/block_out_channels/0"),
        ("stable-diffusion-3-5-medium-transformer", {"caption_projection_dim": 8}, "/caption_projection_dim"),
        ("stable-diffusion-3-5-medium-transformer", {"dual_attention_layers": [24]}, "/dual_attention_layers"),
        ("stable-diffusion-2-1-unclip-unet", {"attention_head_dim": [5, 10]}, "/attention_head_dim"),
    ],
)
def test_what_is_refused_says_where(name: str, change: dict[str, Any], pointer: str) -> None:
    config = json.loads((reference.configs(name) / "config.json").read_text("utf-8")) | change
    with pytest.raises(MalformedError) as caught:
        families()[config.get("model_type", config.get("_class_name"))].draw(Config(config))
    assert caught.value.message.split(" ", 1)[0] == pointer


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("stable-diffusion-2-1-unclip-unet", {"addition_embed_type": "image"}),
        ("stable-diffusion-2-1-unclip-unet", {"down_block_types": ["KDownBlock2D"] * 4}),
        ("vqgan-f16-16384", {"norm_type": "spatial"}),
        ("wav2vec2-base-960h", {"add_adapter": True}),
        ("bart-large", {"architectures": ["BartForCausalLM"]}),
    ],
)
def test_what_is_not_known_is_not_guessed(name: str, change: dict[str, Any]) -> None:
    config = json.loads((reference.configs(name) / "config.json").read_text("utf-8")) | change
    with pytest.raises(UnsupportedError):
        families()[config.get("model_type", config.get("_class_name"))].draw(Config(config))


def test_one_number_cannot_cost_much() -> None:
    for name in ("vqgan-f16-16384", "stable-diffusion-2-1-unclip-unet"):
        config = json.loads((reference.configs(name) / "config.json").read_text("utf-8")) | {"layers_per_block": 10**5}
        with pytest.raises(MalformedError):
            families()[config["_class_name"]].draw(Config(config))
