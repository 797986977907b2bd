"""What an input passes once and what every token passes: encoders, and encoders with a decoder, against the parts of the real class."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import architectures as reference

from openvet.profile._config import Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.profile import families

_BOTH = ("t5-base", "flan-t5-base", "mt5-base", "umt5-small", "bart-large", "mbart-large-50", "opus-mt-en-de", "pegasus-large",
         "nllb-200-distilled-600m", "dalle-mini-standin", "whisper-tiny", "whisper-large-v3")  # fmt: skip
_TEXT = (*_BOTH, "bert-base-uncased", "all-minilm-l6-v2", "roberta-base", "xlm-roberta-base", "distilbert-base-uncased",
         "albert-base-v2", "deberta-v3-base", "modernbert-base", "electra-small-discriminator", "all-mpnet-base-v2")  # fmt: skip


def _drawn(name: str) -> tuple[Blueprint, dict[str, Any]]:
    config = json.loads((reference.configs(name) / "config.json").read_text("utf-8"))
    return families()[config["model_type"]].draw(Config(config)), reference.expected(name)["components"]["."]


def _elements(plan: Blueprint, *words: str, role: str | None = None) -> int:
    return sum(
        each.elements
        for each in plan.weights
        if any(word in each.name for word in words) and (role is None or each.role == role)
    )


@pytest.mark.parametrize("name", _TEXT)
def test_tables_are_those_of_the_class(name: str) -> None:
    plan, said = _drawn(name)
    assert plan.embeddings == said["embeddings"]["tables"]


@pytest.mark.parametrize("name", _BOTH)
def test_an_answer_passes_the_decoder_and_an_input_the_encoder(name: str) -> None:
    plan, said = _drawn(name)
    parts = {key.removeprefix("model."): value for key, value in said["parts"].items()}
    # the decoder's keys and values of the encoder's output are made once for an input
    names = [f"{place}.{letter}" for place in ("EncDecAttention", "encoder_attn") for letter in "kv"]
    once = _elements(plan, *(name for each in names for name in (f"{each}.", f"{each}_proj.")))
    assert once
    encoder = parts["encoder"] - _elements(
        plan, "encoder.embed", "encoder.block.0.", "encoder.block.{}", role=Role.EMBEDDING
    )
    assert plan.encoded == encoder + once
    decoder = parts["decoder"] - _elements(plan, "decoder.", role=Role.EMBEDDING)
    vocabulary, width = plan.facts["vocabulary"], plan.facts["hidden size"]
    head = 0 if said["class"] == "BartModel" else vocabulary * width
    assert plan.multiplied == decoder - once + head


def test_a_layer_that_is_passed_again_is_multiplied_again() -> None:
    plan, said = _drawn("albert-base-v2")
    once = Config(
        json.loads((reference.configs("albert-base-v2") / "config.json").read_text("utf-8")) | {"num_hidden_layers": 1}
    )
    layer = _elements(plan, "albert_layers")
    assert plan.parameters == said["parameters"]
    assert plan.multiplied - families()["albert"].draw(once).multiplied == 11 * layer


def test_nomic_has_the_parameters_that_are_published() -> None:
    """137 M: nomic-embed-text-v1.5, whose class is code beside the weights (arXiv 2402.01613)."""
    config = {"model_type": "nomic_bert", "architectures": ["NomicBertModel"], "activation_function": "swiglu", "n_embd": 768,
              "n_head": 12, "n_inner": 3072, "n_layer": 12, "n_positions": 8192, "vocab_size": 30528, "type_vocab_size": 2,
              "rotary_emb_fraction": 1.0, "qkv_proj_bias": False, "mlp_fc1_bias": False, "mlp_fc2_bias": False}  # fmt: skip
    assert families()["nomic_bert"].draw(Config(config)).parameters == 136_731_648
