"""BLIP-2: a tower, a small transformer that asks it 32 questions, and a decoder that reads the answers.

Class: ``Blip2ForConditionalGeneration`` of transformers, with a decoder (OPT). Source: arXiv 2301.12597.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._family import Family
from openvet.profile.families._towers import tower
from openvet.profile.families.vision_text import join, text_part

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("blip-2",))


def draw(config: Config) -> Blueprint:
    seen, asks = config.part("vision_config"), config.part("qformer_config")
    text = text_part(config.part("text_config"), "opt")
    plan = Blueprint("blip-2", "decoder", (("text", "image"), ("text",)))
    plan.take(tower(seen, "blip_2_vision_model"), prefix="vision_model.", role=Role.ENCODER)
    width, hidden = seen.whole("hidden_size", default=1408), asks.whole("hidden_size", default=768)
    questions = config.whole("num_query_tokens", default=32)
    plan.add("query_tokens", 1, questions, hidden, role=Role.ENCODER)
    plan.take(_asking(asks, hidden, width), prefix="qformer.", role=Role.ENCODER)
    plan.linear("language_projection", text.facts["hidden size"], hidden, bias=True, role=Role.ENCODER)
    join(plan, text, prefix="language_model.")
    return plan


def _asking(config: Config, hidden: int, width: int) -> Blueprint:
    """The Q-Former: every layer asks its own questions, every second one the tower's vectors of ``width`` too."""
    plan = Blueprint("blip_2_qformer", "encoder")
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    inner = config.whole("intermediate_size", default=3072)
    step = config.whole("cross_attention_frequency", default=2, most=LAYERS)
    crossing = [each for each in layers if each % step == 0]
    plan.norm("layernorm", hidden, bias=True)
    for name, given, some in (("attention", hidden, layers), ("crossattention", width, crossing)):
        place, over = f"encoder.layer.{{}}.{name}", (some,)
        plan.linear(f"{place}.attention.query", hidden, hidden, bias=True, over=over)
        plan.linear(f"{place}.attention.key", hidden, given, bias=True, over=over)
        plan.linear(f"{place}.attention.value", hidden, given, bias=True, over=over)
        plan.linear(f"{place}.output.dense", hidden, hidden, bias=True, over=over)
        plan.norm(f"{place}.output.LayerNorm", hidden, bias=True, over=over)
    reads = config.flag("use_qformer_text_input")
    for suffix in ("_query", "") if reads else ("_query",):
        plan.linear(f"encoder.layer.{{}}.intermediate{suffix}.dense", inner, hidden, bias=True, over=(layers,))
        plan.linear(f"encoder.layer.{{}}.output{suffix}.dense", hidden, inner, bias=True, over=(layers,))
        plan.norm(f"encoder.layer.{{}}.output{suffix}.LayerNorm", hidden, bias=True, over=(layers,))
    return plan
