"""Whisper: an encoder of sound and a decoder of text, with layers as in BART whose keys have no bias.

Classes: ``WhisperModel``, ``WhisperForConditionalGeneration`` and ``WhisperForAudioClassification`` of transformers. What the
decoder keeps of the sound is kept for every position of the encoder, of which a window of 30 s has ``max_source_positions``.

Source: Robust Speech Recognition via Large-Scale Weak Supervision (arXiv 2212.04356) section 2.2.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._block import BART, attend_encoder, block
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of
from openvet.profile.families._vision import heads_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("whisper",))


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    if task == "AudioClassification":
        return _classifier(config)
    prefix = "" if task == "Model" and named else "model."
    plan = Blueprint("whisper", "encoder-decoder", (("audio", "text"), ("text",)))
    hidden, vocabulary = config.whole("d_model"), config.whole("vocab_size")
    _encoder(config, plan, f"{prefix}encoder", hidden, Role.ENCODER)
    place = f"{prefix}decoder"
    layers = range(config.whole("decoder_layers", most=LAYERS))
    heads = heads_of(config, hidden, "decoder_attention_heads")
    most = config.whole("max_target_positions", default=448)
    plan.facts["encoder layers"] = plan.facts["layers"]
    plan.facts |= {"layers": len(layers), "attention heads": heads, "vocabulary": vocabulary, "context length": most}
    plan.add(f"{place}.embed_tokens.weight", vocabulary, hidden, role=Role.EMBEDDING)
    plan.add(f"{place}.embed_positions.weight", most, hidden, role=Role.EMBEDDING)
    inner = config.whole("decoder_ffn_dim")
    block(plan, f"{place}.layers.{{}}", BART, hidden, inner, (layers,), key_bias=False)
    attend_encoder(plan, f"{place}.layers.{{}}", hidden, (layers,), key_bias=False)
    plan.norm(f"{place}.layer_norm", hidden, bias=True)
    if task == "Model" and named:
        return plan
    if config.flag("tie_word_embeddings", default=True):
        plan.tied = vocabulary * hidden
        plan.facts["tied embeddings"] = True
    else:
        plan.linear("proj_out", vocabulary, hidden)
    if task not in {"Model", "ConditionalGeneration"}:
        not_drawn(plan, named)
    return plan


def _encoder(config: Config, plan: Blueprint, place: str, hidden: int, role: str) -> None:
    layers = range(config.whole("encoder_layers", most=LAYERS))
    heads = heads_of(config, hidden, "encoder_attention_heads")
    bins = config.whole("num_mel_bins", default=80)
    most = config.whole("max_source_positions", default=1500)
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "attention heads": heads}
    plan.facts |= {"mel bins": bins, "source positions": most}
    for name, inner in (("conv1", bins), ("conv2", hidden)):
        plan.add(f"{place}.{name}.weight", hidden, inner, 3, role=role)
        plan.add(f"{place}.{name}.bias", hidden, role=role)
    plan.add(f"{place}.embed_positions.weight", most, hidden, role=Role.EMBEDDING)
    inner = config.whole("encoder_ffn_dim")
    block(plan, f"{place}.layers.{{}}", BART, hidden, inner, (layers,), key_bias=False, role=role)
    plan.norm(f"{place}.layer_norm", hidden, bias=True, role=role)


def _classifier(config: Config) -> Blueprint:
    plan = Blueprint("whisper", "encoder", (("audio",), ("labels",)))
    hidden = config.whole("d_model")
    _encoder(config, plan, "encoder", hidden, Role.OTHER)
    if config.flag("use_weighted_layer_sum"):
        plan.add("layer_weights", plan.facts["layers"] + 1)
    width = config.whole("classifier_proj_size", default=256)
    plan.linear("projector", width, hidden, bias=True)
    classifier(config, plan, "classifier", width)
    return plan
