"""wav2vec 2.0 and HuBERT: convolutions over the samples of a sound, and an encoder over what they give.

Classes: ``Wav2Vec2Model``, ``Wav2Vec2ForCTC``, ``Wav2Vec2ForPreTraining``, ``Wav2Vec2ForSequenceClassification``, and the same of
HuBERT but for its pre-training, in transformers. XLS-R and MMS without adapters are such models.

Source: wav2vec 2.0 (arXiv 2006.11477) section 2; HuBERT (arXiv 2106.07447).
"""

from __future__ import annotations

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._block import Names, block
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of
from openvet.profile.families._vision import heads_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("wav2vec2", "hubert"))
_NAMES = Names("attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.out_proj", "layer_norm",
               "feed_forward.intermediate_dense", "feed_forward.output_dense", "final_layer_norm")  # fmt: skip
_DIMENSIONS = (512,) * 7
_KERNELS = (10, 3, 3, 3, 3, 2, 2)
_MOST_CONVOLUTIONS = 100


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    named, task = task_of(config)
    if config.flag("add_adapter") or config.may("adapter_attn_dim") or config.flag("conv_pos_batch_norm"):
        raise UnsupportedError(f"{kind} with adapters is not drawn")
    known = {"CTC", "SequenceClassification"} | ({"PreTraining"} if kind == "wav2vec2" else set())
    prefix = f"{kind}." if task in known else ""
    plan = Blueprint(kind, "encoder", (("audio",), ("vectors",)))
    hidden = config.whole("hidden_size", default=768)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=12)
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "attention heads": heads}
    last = _features(config, plan, f"{prefix}feature_extractor.conv_layers")
    place = f"{prefix}feature_projection"
    if kind == "wav2vec2" or config.flag("feat_proj_layer_norm", default=True):
        plan.norm(f"{place}.layer_norm", last, bias=True)
    plan.linear(f"{place}.projection", hidden, last, bias=True)
    if _masked(config):
        plan.add(f"{prefix}masked_spec_embed", hidden)
    place = f"{prefix}encoder"
    _positions(config, plan, f"{place}.pos_conv_embed.conv", hidden)
    block(plan, f"{place}.layers.{{}}", _NAMES, hidden, config.whole("intermediate_size", default=3072), (layers,))
    plan.norm(f"{place}.layer_norm", hidden, bias=True)
    _head(config, plan, named, task if task in known | {"Model"} else "", hidden, last)
    return plan


def _features(config: Config, plan: Blueprint, place: str) -> int:
    """The convolutions; gives the channels of the last."""
    channels = config.wholes("conv_dim", default=_DIMENSIONS, least=1)
    kernels = config.wholes("conv_kernel", default=_KERNELS, least=1)
    if len(channels) != len(kernels) or not 0 < len(channels) <= _MOST_CONVOLUTIONS:
        raise MalformedError(f"{config.pointer}/conv_kernel has {len(kernels)} items for {len(channels)} in conv_dim")
    norm = config.word("feat_extract_norm", default="group")
    if norm not in {"group", "layer"}:
        raise MalformedError(f"{config.pointer}/feat_extract_norm is neither group nor layer")
    bias = config.flag("conv_bias")
    for number, (inner, out, size) in enumerate(zip([1, *channels], channels, kernels, strict=False)):
        plan.add(f"{place}.{number}.conv.weight", out, inner, size)
        if bias:
            plan.add(f"{place}.{number}.conv.bias", out)
        # over each channel of the first convolution, or over all channels of every one
        if norm == "layer" or number == 0:
            plan.norm(f"{place}.{number}.layer_norm", out, bias=True)
    return channels[-1]


def _masked(config: Config) -> bool:
    """Whether the class has a vector for what is masked in training."""
    time, feature = (config.values.get(name) for name in ("mask_time_prob", "mask_feature_prob"))
    time = 0.05 if time is None else time
    feature = 0.0 if feature is None else feature
    for name, value in (("mask_time_prob", time), ("mask_feature_prob", feature)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MalformedError(f"{config.pointer}/{name} is no number")
    return time > 0 or feature > 0


def _positions(config: Config, plan: Blueprint, place: str, hidden: int) -> None:
    """A convolution over neighbours, kept as lengths and directions."""
    size = config.whole("num_conv_pos_embeddings", default=128)
    groups = config.whole("num_conv_pos_embedding_groups", default=16)
    if hidden % groups:
        raise MalformedError(
            f"{config.pointer}/num_conv_pos_embedding_groups {groups} does not divide the {hidden} channels"
        )
    plan.add(f"{place}.parametrizations.weight.original0", 1, 1, size)
    plan.add(f"{place}.parametrizations.weight.original1", hidden, hidden // groups, size)
    plan.add(f"{place}.bias", hidden)


def _head(config: Config, plan: Blueprint, named: str, task: str, hidden: int, last: int) -> None:
    if task == "CTC":
        plan.modalities = (("audio",), ("text",))
        vocabulary = config.whole("vocab_size", default=32)
        plan.facts["vocabulary"] = vocabulary
        plan.linear("lm_head", vocabulary, hidden, bias=True)
    elif task == "SequenceClassification":
        width = config.whole("classifier_proj_size", default=256)
        if config.flag("use_weighted_layer_sum"):
            plan.add("layer_weights", plan.facts["layers"] + 1)
        plan.linear("projector", width, hidden, bias=True)
        classifier(config, plan, "classifier", width)
    elif task == "PreTraining":
        groups = config.whole("num_codevector_groups", default=2)
        count = config.whole("num_codevectors_per_group", default=320)
        width = config.whole("codevector_dim", default=256)
        shared = config.whole("proj_codevector_dim", default=256)
        if width % groups:
            raise MalformedError(f"{config.pointer}/num_codevector_groups {groups} does not divide {width} channels")
        plan.add("quantizer.codevectors", 1, groups * count, width // groups, role=Role.EMBEDDING)
        plan.linear("quantizer.weight_proj", groups * count, last, bias=True)
        plan.linear("project_hid", shared, hidden, bias=True)
        plan.linear("project_q", shared, width, bias=True)
    elif task != "Model":
        not_drawn(plan, named)
