"""Models of text that see: a tower, a few matrices that translate, and a decoder of a family of its own.

Classes: ``LlavaForConditionalGeneration``, ``LlavaNextForConditionalGeneration``, ``PaliGemmaForConditionalGeneration``,
``Gemma3ForConditionalGeneration``, ``Mistral3ForConditionalGeneration``, ``Qwen2VLForConditionalGeneration``,
``Qwen2_5_VLForConditionalGeneration``, ``Qwen3VLForConditionalGeneration`` of transformers. Names are those that these classes save;
in files from before transformers 4.50 a tower's have ``vision_model.`` before them, and a newer ``save_pretrained`` may put ``model.`` first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvet.errors import UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families import gpt, llama
from openvet.profile.families._family import Family
from openvet.profile.families._towers import qwen, tower

__all__ = ["FAMILY", "draw", "text_part"]

_WRAPPERS = ("llava", "llava_next", "vipllava", "paligemma", "gemma3", "mistral3")
_QWEN = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
FAMILY = Family(model_types=(*_WRAPPERS, *_QWEN))

_LLAMA: Mapping[str, Any] = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
_MISTRAL = {**_LLAMA, "intermediate_size": 14336, "num_key_value_heads": 8}
_GEMMA = {
    "vocab_size": 256000,
    "hidden_size": 3072,
    "intermediate_size": 24576,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 256,
}
_GEMMA2 = {
    **_GEMMA,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
}
_GEMMA3 = {**_GEMMA2, "vocab_size": 262208}
#: What the classes take for keys that the part of a configuration leaves out.
_ABSENT: Mapping[str, Mapping[str, Any]] = {
    "llama": _LLAMA,
    "mistral": _MISTRAL,
    "opt": {"vocab_size": 50272, "hidden_size": 768, "ffn_dim": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
    "gemma": _GEMMA,
    "gemma2": _GEMMA2,
    "gemma3_text": _GEMMA3,
    "qwen2_vl_text": {"vocab_size": 152064, "hidden_size": 8192, "intermediate_size": 29568, "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "max_window_layers": 80},
}  # fmt: skip
#: The decoder and the tower where the configuration names none.
_USUAL = {
    "llava": ("llama", "clip_vision_model"),
    "llava_next": ("llama", "clip_vision_model"),
    "vipllava": ("llama", "clip_vision_model"),
    "paligemma": ("gemma", "siglip_vision_model"),
    "gemma3": ("gemma3_text", "siglip_vision_model"),
    "mistral3": ("mistral", "pixtral"),
}
#: Models whose output is the table of the input again where nothing says otherwise, and those in which both parts may say it.
_TIED = ("paligemma", "gemma3", "mistral3")
_EITHER = ("llava", "llava_next", "vipllava")
_SEES = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "image_size": 336, "patch_size": 14}
_BLIND: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("llava", "llava_next", "vipllava"), _SEES),
    "paligemma": {
        "hidden_size": 1152,
        "intermediate_size": 4096,
        "num_hidden_layers": 27,
        "image_size": 224,
        "patch_size": 14,
        "vision_use_head": False,
    },
    "mistral3": {**_SEES, "image_size": 1540},
}
_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "paligemma": {"hidden_size": 2048, "num_hidden_layers": 18, "intermediate_size": 16384, "num_attention_heads": 8, "num_key_value_heads": 1, "vocab_size": 257152},
    "mistral3": {"hidden_size": 5120, "num_hidden_layers": 40, "intermediate_size": 32768, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "sliding_window": None, "vocab_size": 131072},
}  # fmt: skip
#: Names of files from before transformers 4.50, and of those that a newer one saves.
_RENAMED = (
    ("vision_tower.", "vision_tower.vision_model."),
    ("vision_tower.", "model.vision_tower."),
    ("vision_tower.", "model.vision_tower.vision_model."),
    ("multi_modal_projector.", "model.multi_modal_projector."),
    ("language_model.model.", "model.language_model."),
    ("language_model.lm_head.", "lm_head."),
    ("image_newline", "model.image_newline"),
)
_AS = {"qwen2_vl": "qwen2", "qwen2_5_vl": "qwen2", "qwen3_vl": "qwen3"}


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    return _qwen(config, kind) if kind in _QWEN else _wrapped(config, kind)


def text_part(config: Config, usual: str) -> Blueprint:
    """The decoder that ``config`` describes, of the family that it names or of the ``usual`` one."""
    kind = config.word("model_type", default=usual)
    config = Config({**_ABSENT.get(kind, {}), **config.values, "model_type": kind}, config.pointer, config.read)
    if kind in llama.FAMILY.model_types:
        return llama.draw_as(config, kind)
    if kind in gpt.FAMILY.model_types:
        return gpt.draw(config)
    raise UnsupportedError("the part that writes is of a family that is not known")


def join(plan: Blueprint, text: Blueprint, *, prefix: str) -> None:
    """Take the decoder into a model that sees."""
    plan.take(text, prefix=prefix)
    plan.caches.extend(text.caches)
    plan.facts |= text.facts
    plan.tied += text.tied


def _tied(config: Config, part: Config, *, default: bool, either: bool = False) -> Config:
    """The part, with what the model around it says about its output, which is what counts; in some, ``either`` may say so."""
    tied = config.flag("tie_word_embeddings", default=default) or (either and part.flag("tie_word_embeddings"))
    return Config({**part.values, "tie_word_embeddings": tied}, part.pointer, part.read)


def _wrapped(config: Config, kind: str) -> Blueprint:
    usual_text, usual_tower = _USUAL[kind]
    part, seen = config.part("text_config"), config.part("vision_config")
    # a part that is left out altogether is what the wrapper's class makes of it
    part = part if part.values else part.with_absent(_EMPTY.get(kind, {}))
    seen = seen if seen.values else seen.with_absent(_BLIND.get(kind, {}))
    text = text_part(_tied(config, part, default=kind in _TIED, either=kind in _EITHER), usual_text)
    tower_of = tower(seen, seen.word("model_type", default=usual_tower))
    plan = Blueprint(kind, "decoder", (("text", "image"), ("text",)))
    plan.take(tower_of, prefix="vision_tower.", role=Role.ENCODER)
    plan.renamed += _RENAMED
    hidden, width = (
        text.facts["hidden size"],
        seen.whole("hidden_size", default=768 if usual_tower != "pixtral" else 1024),
    )
    _translate(config, plan, kind, hidden, width, seen.may("projection_dim"))
    join(plan, text, prefix="language_model.")
    return plan


def _translate(config: Config, plan: Blueprint, kind: str, hidden: int, width: int, out: int | None) -> None:
    """From what the tower saw to what the decoder reads."""
    place = "multi_modal_projector"
    if kind == "gemma3":
        plan.add(f"{place}.mm_input_projection_weight", width, hidden, role=Role.ENCODER)
        plan.norm(f"{place}.mm_soft_emb_norm", width, role=Role.ENCODER)
        return
    if kind == "paligemma":
        out = config.whole("projection_dim", default=out or 2048)
        plan.linear(f"{place}.linear", out, width, bias=True, role=Role.ENCODER)
        return
    bias = config.flag("multimodal_projector_bias", default=kind != "mistral3")
    layers = config.values.get("vision_feature_layer")
    given = width * (
        len(layers) if isinstance(layers, list) and layers else 5 if kind == "vipllava" and layers is None else 1
    )
    if kind == "vipllava":
        plan.norm(f"{place}.projector_layernorm", given, bias=True, role=Role.ENCODER)
    if kind == "mistral3":
        merged = width * config.whole("spatial_merge_size", default=2, most=LAYERS) ** 2
        plan.norm(f"{place}.norm", width, role=Role.ENCODER)
        plan.linear(f"{place}.patch_merger.merging_layer", width, merged, role=Role.ENCODER)
    plan.linear(f"{place}.linear_1", hidden, given, bias=bias, role=Role.ENCODER)
    plan.linear(f"{place}.linear_2", hidden, hidden, bias=bias, role=Role.ENCODER)
    if kind == "llava_next":
        plan.add("image_newline", hidden, role=Role.ENCODER)


def _qwen(config: Config, kind: str) -> Blueprint:
    """Qwen's, whose published files hold the text part without a prefix and its keys at the top."""
    part = config.below("text_config")
    part = _tied(config, part or config, default=False, either=kind != "qwen3_vl")
    text = llama.draw_as(part.with_absent(_ABSENT["qwen2_vl_text"] if kind != "qwen3_vl" else {}), _AS[kind])
    plan = Blueprint(kind, "decoder", (("text", "image", "video"), ("text",)))
    prefix = "model.visual." if kind == "qwen3_vl" else "visual."
    plan.take(qwen(config.part("vision_config"), kind), prefix=prefix, role=Role.ENCODER)
    join(plan, text, prefix="")
    plan.renamed += [("model.", "model.language_model."), ("visual.", "model.visual.")] if kind != "qwen3_vl" else []
    if kind == "qwen3_vl":
        plan.weights = [
            each.moved("model.", "model.language_model.") if not each.name.startswith("model.visual.") else each
            for each in plan.weights
        ]
    return plan
