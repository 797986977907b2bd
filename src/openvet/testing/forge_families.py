"""Small repositories in the shape in which well-known families of models are published: whatever a loader reads is there.

The names of files and keys are those of the libraries that write them; the values, the code and the templates are our own,
and the weights are a few zeros. Nothing in them is above a note.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openvet.testing.forge_templates import ORDINARY_TEMPLATES
from openvet.testing.forge_tensors import GgufArray, GgufTensor, gguf, safetensors

__all__ = ["FAMILIES"]

Files = dict[str, bytes]

_CARD = "---\nlicense: apache-2.0\nlibrary_name: {library}\ntags:\n- {name}\n---\n# {name}\n\n```python\nmodel = load('{name}')\n```\n"
_ATTRIBUTES = "*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.bin filter=lfs diff=lfs merge=lfs -text\n"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _weights(*names: str) -> bytes:
    return safetensors(dict.fromkeys(names or ("model.embed.weight",), ("F32", (2, 2))), {"format": "pt"})


def _base(name: str, library: str = "transformers") -> Files:
    return {"README.md": _CARD.format(name=name, library=library).encode(), ".gitattributes": _ATTRIBUTES.encode()}


def _sharded() -> Files:
    shards = {f"model-0000{part}-of-00002.safetensors": f"model.layers.{part}.weight" for part in (1, 2)}
    index = {"metadata": {"total_size": 32}, "weight_map": {tensor: shard for shard, tensor in shards.items()}}
    return {
        **{shard: _weights(tensor) for shard, tensor in shards.items()},
        "model.safetensors.index.json": _json(index),
    }


def _tokenizer(kind: str, template: str | None) -> Files:
    config: dict[str, Any] = {"tokenizer_class": kind, "model_max_length": 4096, "added_tokens_decoder": {
        "0": {"content": "<s>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}}}  # fmt: skip
    files: Files = {}
    if template is not None:
        text = ORDINARY_TEMPLATES[template]
        if template in ("gemma", "tools"):  # newer versions write a file of its own
            files["chat_template.jinja"] = text.encode()
        else:
            config["chat_template"] = text
    split = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
    return files | {
        "tokenizer_config.json": _json(config),
        "special_tokens_map.json": _json({"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": False}}),
        "tokenizer.json": _json({
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
            "model": {"type": "BPE", "vocab": {"<s>": 0, "{{": 1, "os.system": 2, "__class__": 3}, "merges": []}}),
    }  # fmt: skip


def _language(
    name: str, architecture: str, kind: str, template: str | None = "chatml", sharded: bool = True, **config: Any
) -> Files:
    whole = {"architectures": [architecture], "model_type": kind, "torch_dtype": "bfloat16", "vocab_size": 4, **config}
    return {
        **_base(name), "config.json": _json(whole), **_tokenizer("PreTrainedTokenizerFast", template),
        "generation_config.json": _json({"_from_model_config": True, "eos_token_id": [1, 2], "do_sample": True, "top_p": 0.9}),
        **(_sharded() if sharded else {"model.safetensors": _weights()}),
    }  # fmt: skip


_LANGUAGE: tuple[tuple[Any, ...], ...] = (
    ("llama-2", "LlamaForCausalLM", "llama", "llama", {"pretraining_tp": 1, "rope_scaling": None}),
    ("llama-3", "LlamaForCausalLM", "llama", "llama", {"rope_scaling": {"factor": 8.0, "rope_type": "llama3"}}),
    ("llama-4", "Llama4ForConditionalGeneration", "llama4", "llama", {"text_config": {"model_type": "llama4_text", "_attn_implementation_autoset": True, "for_llm_compressor": False}}),
    ("gemma-1", "GemmaForCausalLM", "gemma", "gemma", {"hidden_activation": None}),
    ("gemma-2", "Gemma2ForCausalLM", "gemma2", "gemma", {"attn_logit_softcapping": 50.0, "cache_implementation": "hybrid"}),
    ("gemma-3", "Gemma3ForConditionalGeneration", "gemma3", "gemma", {"text_config": {"model_type": "gemma3_text"}, "vision_config": {"model_type": "siglip_vision_model"}}),
    ("qwen2", "Qwen2ForCausalLM", "qwen2", "qwen", {"use_sliding_window": False}),
    ("qwen3", "Qwen3MoeForCausalLM", "qwen3_moe", "qwen", {"num_experts": 8, "_experts_implementation": "eager"}),
    ("qwen2-vl", "Qwen2VLForConditionalGeneration", "qwen2_vl", "qwen", {"vision_config": {"model_type": "qwen2_vl"}}),
    ("mistral", "MistralForCausalLM", "mistral", "mistral", {"sliding_window": None}),
    ("mixtral", "MixtralForCausalLM", "mixtral", "mistral", {"num_local_experts": 8, "router_aux_loss_coef": 0.02}),
    ("phi-4", "Phi3ForCausalLM", "phi3", "chatml", {"original_max_position_embeddings": 4096}),
    ("olmo-2", "Olmo2ForCausalLM", "olmo2", "tools", {}),
    ("bloom", "BloomForCausalLM", "bloom", None, {"attention_softmax_in_fp32": True, "offset_alibi": 100}),
    ("gpt-2", "GPT2LMHeadModel", "gpt2", None, {"task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}}),
    ("gpt-neox", "GPTNeoXForCausalLM", "gpt_neox", None, {"use_parallel_residual": True}),
    ("gpt-j", "GPTJForCausalLM", "gptj", None, {"tokenizer_class": "GPT2Tokenizer", "rotary_dim": 64}),
    ("opt", "OPTForCausalLM", "opt", None, {"_name_or_path": "./facebook_opt", "prefix": "</s>"}),
    ("pythia", "GPTNeoXForCausalLM", "gpt_neox", None, {}),
    ("stablelm", "StableLmForCausalLM", "stablelm", "chatml", {"partial_rotary_factor": 0.25}),
    ("yi", "LlamaForCausalLM", "llama", "chatml", {"_name_or_path": "/data/yi/out"}),
    ("command-r", "CohereForCausalLM", "cohere", "tools", {"logit_scale": 0.0625}),
    ("granite", "GraniteForCausalLM", "granite", "tools", {"logits_scaling": 8.0}),
    ("smollm", "LlamaForCausalLM", "llama", "chatml", {"is_llama_config": True}),
    ("gpt-oss", "GptOssForCausalLM", "gpt_oss", "tools", {"quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}}),
    ("mamba", "MambaForCausalLM", "mamba", None, {"ssm_cfg": {}, "use_cache": True}),
    ("nemotron", "NemotronForCausalLM", "nemotron", "chatml", {"hidden_act": "relu2"}),
    ("gptq", "LlamaForCausalLM", "llama", "llama", {"quantization_config": {"bits": 4, "group_size": 128, "quant_method": "gptq", "desc_act": True, "meta": {"quantizer": ["gptqmodel:1.2.0"]}}}),
    ("awq", "LlamaForCausalLM", "llama", "llama", {"quantization_config": {"bits": 4, "quant_method": "awq", "version": "gemm", "zero_point": True}}),
    ("bitsandbytes", "LlamaForCausalLM", "llama", "llama", {"quantization_config": {"_load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "llm_int8_skip_modules": None, "quant_method": "bitsandbytes"}}),
    ("compressed-tensors", "LlamaForCausalLM", "llama", "llama", {"quantization_config": {"config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8, "observer": "minmax"}}}, "format": "float-quantized", "ignore": ["lm_head"], "quant_method": "compressed-tensors"}}),
    ("mlx", "LlamaForCausalLM", "llama", "llama", {"quantization": {"group_size": 64, "bits": 4}}),
)  # fmt: skip

#: name, architecture, model type, further files by name with the object that they hold.
_OTHERS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("bert", "BertForMaskedLM", "bert", {}),
    ("roberta", "RobertaForMaskedLM", "roberta", {}),
    ("deberta", "DebertaV2ForSequenceClassification", "deberta-v2", {}),
    ("electra", "ElectraForPreTraining", "electra", {}),
    ("xlm-roberta", "XLMRobertaForTokenClassification", "xlm-roberta", {}),
    ("t5", "T5ForConditionalGeneration", "t5", {"spiece.json": {}}),
    ("mt5", "MT5ForConditionalGeneration", "mt5", {}),
    ("bart", "BartForConditionalGeneration", "bart", {}),
    ("pegasus", "PegasusForConditionalGeneration", "pegasus", {}),
    ("m2m-100", "M2M100ForConditionalGeneration", "m2m_100", {"vocab.json": {"<s>": 0}}),
    ("marian", "MarianMTModel", "marian", {"vocab.json": {"</s>": 0}}),
    ("whisper", "WhisperForConditionalGeneration", "whisper", {"preprocessor_config.json": {"feature_extractor_type": "WhisperFeatureExtractor"}, "normalizer.json": {"ize": "ise"}}),
    ("wav2vec2", "Wav2Vec2ForCTC", "wav2vec2", {"preprocessor_config.json": {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "processor_class": "Wav2Vec2Processor"}, "alphabet.json": {"labels": ["a"], "is_bpe": False}}),
    ("hubert", "HubertModel", "hubert", {"preprocessor_config.json": {"do_normalize": True}}),
    ("speecht5", "SpeechT5ForTextToSpeech", "speecht5", {"preprocessor_config.json": {"win_function": "hann_window"}}),
    ("musicgen", "MusicgenForConditionalGeneration", "musicgen", {"preprocessor_config.json": {"feature_extractor_type": "EncodecFeatureExtractor"}}),
    ("bark", "BarkModel", "bark", {"speaker_embeddings_path.json": {"repo_or_path": "example/bark", "v2/en_speaker_0": {"coarse_prompt": "v2/en_speaker_0_coarse_prompt.npy"}}}),
    ("vits", "VitsModel", "vits", {"vocab.json": {"a": 1}}),
    ("clip", "CLIPModel", "clip", {"preprocessor_config.json": {"feature_extractor_type": "CLIPFeatureExtractor"}}),
    ("siglip", "SiglipModel", "siglip", {"preprocessor_config.json": {"image_processor_type": "SiglipImageProcessor"}}),
    ("blip", "BlipForConditionalGeneration", "blip", {"preprocessor_config.json": {"processor_class": "BlipProcessor"}}),
    ("llava", "LlavaForConditionalGeneration", "llava", {"processor_config.json": {"processor_class": "LlavaProcessor", "patch_size": 14}, "chat_template.json": {"chat_template": ORDINARY_TEMPLATES["gemma"]}}),
    ("paligemma", "PaliGemmaForConditionalGeneration", "paligemma", {"preprocessor_config.json": {"image_seq_length": 256}}),
    ("vit", "ViTForImageClassification", "vit", {"preprocessor_config.json": {"feature_extractor_type": "ViTFeatureExtractor"}}),
    ("swin", "SwinForImageClassification", "swin", {"preprocessor_config.json": {"size": 224}}),
    ("convnext", "ConvNextForImageClassification", "convnext", {"preprocessor_config.json": {"crop_pct": 0.875}}),
    ("detr", "DetrForObjectDetection", "detr", {"preprocessor_config.json": {"format": "coco_detection"}}),
    ("rt-detr", "RTDetrForObjectDetection", "rt_detr", {"preprocessor_config.json": {"backbone": None}}),
    ("sam", "SamModel", "sam", {"preprocessor_config.json": {"image_processor_type": "SamImageProcessor"}}),
    ("dinov2", "Dinov2Model", "dinov2", {"preprocessor_config.json": {"image_processor_type": "BitImageProcessor"}}),
    ("dpt", "DPTForDepthEstimation", "dpt", {"preprocessor_config.json": {"size_divisor": None}}),
    ("esm", "EsmForMaskedLM", "esm", {}),
    ("timesfm", "TimesFmModelForPrediction", "timesfm", {}),
    ("chronos", "T5ForConditionalGeneration", "t5", {"chronos_config.json": {"tokenizer_class": "MeanScaleUniformBins", "tokenizer_kwargs": {"low_limit": -15.0}}}),
    ("lightglue", "LightGlueForKeypointMatching", "lightglue", {"preprocessor_config.json": {"image_processor_type": "LightGlueImageProcessor"}}),
)  # fmt: skip

_MODELLING = '''"""The model {name}."""

import math
import warnings
from typing import List, Optional, Tuple, Union

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.utils import is_flash_attn_2_available, logging

from .configuration_{name} import {Name}Config

if is_flash_attn_2_available():
    from flash_attn import flash_attn_func
    from flash_attn.bert_padding import index_first_axis, pad_input, unpad_input

try:
    from kernels import get_kernel
except ImportError:
    get_kernel = None

logger = logging.get_logger(__name__)
ACTIVATIONS = {{"silu": F.silu, "gelu": lambda x: F.gelu(x, approximate="tanh")}}


class {Name}Norm(nn.Module):
    def __init__(self, size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)


class {Name}PreTrainedModel(PreTrainedModel):
    config_class = {Name}Config
    _no_split_modules = ["{Name}Layer"]

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(mean=0.0, std=self.config.initializer_range)


class {Name}ForCausalLM({Name}PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.norm = {Name}Norm(config.hidden_size)
        self.act = ACTIVATIONS[config.hidden_act]
        self.head = getattr(nn, "Linear")(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(self, input_ids=None, labels: Optional[torch.LongTensor] = None, **kwargs) -> CausalLMOutputWithPast:
        hidden = self.norm(self.act(input_ids.float()))
        return CausalLMOutputWithPast(logits=self.head(hidden))

    @torch.no_grad()
    def chat(self, tokenizer, query: str, history: List[Tuple[str, str]] = None, **kwargs):
        inputs = tokenizer(query, return_tensors="pt").to(self.device)
        return tokenizer.decode(self.generate(**inputs, **kwargs)[0]), history


AutoConfig.register("{name}", {Name}Config)
AutoModelForCausalLM.register({Name}Config, {Name}ForCausalLM)
'''
_CONFIGURATION = """from transformers import PretrainedConfig
from transformers.utils import logging

logger = logging.get_logger(__name__)


class {Name}Config(PretrainedConfig):
    model_type = "{name}"
    keys_to_ignore_at_inference = ["past_key_values"]

    def __init__(self, hidden_size=8, vocab_size=4, hidden_act="silu", initializer_range=0.02, **kwargs):
        self.hidden_size = hidden_size
        self.vocab_size = vocab_size
        self.hidden_act = hidden_act
        self.initializer_range = initializer_range
        super().__init__(**kwargs)
"""
_TOKENIZATION = """import base64
import os
import unicodedata
from shutil import copyfile

import sentencepiece as spm
import tiktoken
from transformers import PreTrainedTokenizer

VOCAB_FILES_NAMES = {{"vocab_file": "{name}.tiktoken"}}


def _load_tiktoken_bpe(path):
    with open(path, "rb") as f:
        return {{base64.b64decode(token): int(rank) for token, rank in (line.split() for line in f.read().splitlines() if line)}}


class {Name}Tokenizer(PreTrainedTokenizer):
    vocab_files_names = VOCAB_FILES_NAMES

    def __init__(self, vocab_file, errors="replace", **kwargs):
        self.ranks = _load_tiktoken_bpe(vocab_file)
        super().__init__(**kwargs)

    @property
    def vocab_size(self):
        return len(self.ranks)

    def _tokenize(self, text):
        return list(unicodedata.normalize("NFC", text))

    def _convert_token_to_id(self, token):
        return self.ranks.get(token.encode())

    def save_vocabulary(self, save_directory, filename_prefix=None):
        path = os.path.join(save_directory, "{name}.tiktoken")
        with open(path, "w", encoding="utf8") as w:
            for token, rank in self.ranks.items():
                w.write(base64.b64encode(token).decode() + " " + str(rank) + "\\n")
        return (path,)
"""


def _with_code(name: str) -> Files:
    """An architecture that the library does not have itself, as it is published: with its own code."""
    title = name.title()
    files = _language(name, f"{title}ForCausalLM", name, "chatml", auto_map={
        "AutoConfig": f"configuration_{name}.{title}Config", "AutoModelForCausalLM": f"modeling_{name}.{title}ForCausalLM"})  # fmt: skip
    tokenizer = json.loads(files["tokenizer_config.json"])
    tokenizer["auto_map"] = {"AutoTokenizer": [f"tokenization_{name}.{title}Tokenizer", None]}
    files["tokenizer_config.json"] = _json(tokenizer)
    for kind, text in (("modeling", _MODELLING), ("configuration", _CONFIGURATION), ("tokenization", _TOKENIZATION)):
        files[f"{kind}_{name}.py"] = text.format(name=name, Name=title).encode()
    return files


def _pipeline(kind: str, components: Mapping[str, tuple[str, str]]) -> Files:
    files = _base(kind, "diffusers")
    index: dict[str, Any] = {"_class_name": kind, "_diffusers_version": "0.30.0", "safety_checker": [None, None]}
    for part, (library, name) in components.items():
        index[part] = [library, name]
        if part == "scheduler":
            files["scheduler/scheduler_config.json"] = _json({"_class_name": name, "beta_schedule": "scaled_linear"})
        elif part.startswith("tokenizer"):
            files.update({f"{part}/{each}": data for each, data in _tokenizer(name, None).items()})
        elif part == "feature_extractor":
            files[f"{part}/preprocessor_config.json"] = _json({"feature_extractor_type": name})
        else:
            weights = "model" if library == "transformers" else "diffusion_pytorch_model"
            files[f"{part}/config.json"] = _json(
                {"_class_name": name, "_diffusers_version": "0.30.0", "_name_or_path": "/data/x"}
            )
            files[f"{part}/{weights}.safetensors"] = _weights(f"{part}.weight")
    return files | {"model_index.json": _json(index)}


_CLIP, _T5 = ("transformers", "CLIPTextModel"), ("transformers", "T5EncoderModel")
_TOKENIZE, _VAE = ("transformers", "CLIPTokenizer"), ("diffusers", "AutoencoderKL")
_PIPELINES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "stable-diffusion-1.5": ("StableDiffusionPipeline", {"scheduler": ("diffusers", "PNDMScheduler"), "text_encoder": _CLIP, "tokenizer": _TOKENIZE, "unet": ("diffusers", "UNet2DConditionModel"), "vae": _VAE, "feature_extractor": ("transformers", "CLIPFeatureExtractor")}),
    "stable-diffusion-xl": ("StableDiffusionXLPipeline", {"scheduler": ("diffusers", "EulerDiscreteScheduler"), "text_encoder": _CLIP, "text_encoder_2": ("transformers", "CLIPTextModelWithProjection"), "tokenizer": _TOKENIZE, "tokenizer_2": _TOKENIZE, "unet": ("diffusers", "UNet2DConditionModel"), "vae": _VAE}),
    "stable-diffusion-3": ("StableDiffusion3Pipeline", {"scheduler": ("diffusers", "FlowMatchEulerDiscreteScheduler"), "text_encoder_3": _T5, "tokenizer_3": ("transformers", "T5TokenizerFast"), "transformer": ("diffusers", "SD3Transformer2DModel"), "vae": _VAE}),
    "flux": ("FluxPipeline", {"scheduler": ("diffusers", "FlowMatchEulerDiscreteScheduler"), "text_encoder": _CLIP, "text_encoder_2": _T5, "tokenizer": _TOKENIZE, "transformer": ("diffusers", "FluxTransformer2DModel"), "vae": _VAE}),
    "controlnet": ("StableDiffusionControlNetPipeline", {"controlnet": ("diffusers", "ControlNetModel"), "scheduler": ("diffusers", "UniPCMultistepScheduler"), "unet": ("diffusers", "UNet2DConditionModel"), "vae": _VAE}),
}  # fmt: skip


def _sentence_transformer(name: str, dense: bool = False, **config: Any) -> Files:
    modules = ["Transformer", "Pooling", *(["Dense"] if dense else []), "Normalize"]
    files = _base(name, "sentence-transformers") | {
        "config.json": _json({"architectures": ["BertModel"], "model_type": "bert", **config}), "model.safetensors": _weights(),
        **_tokenizer("BertTokenizer", None),
        "modules.json": _json([{"idx": at, "name": str(at), "path": "" if at == 0 else f"{at}_{kind}",
                                "type": f"sentence_transformers.models.{kind}"} for at, kind in enumerate(modules)]),
        "1_Pooling/config.json": _json({"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True}),
        "sentence_bert_config.json": _json({"max_seq_length": 512, "do_lower_case": False}),
        "config_sentence_transformers.json": _json({"__version__": {"pytorch": "2.1"}, "prompts": {"query": "query: "}}),
    }  # fmt: skip
    if dense:
        files["2_Dense/config.json"] = _json(
            {"activation_function": "torch.nn.modules.linear.Identity", "in_features": 4, "out_features": 2}
        )
        files["2_Dense/model.safetensors"] = _weights("linear.weight")
    return files


def _gguf() -> Files:
    keys = [("general.architecture", "string", "llama"), ("general.name", "string", "x"), ("tokenizer.ggml.model", "string", "gpt2"),
            ("tokenizer.ggml.tokens", "array", GgufArray("string", ["<s>", "a"])),
            ("tokenizer.chat_template", "string", ORDINARY_TEMPLATES["llama"]),
            ("tokenizer.chat_template.tool_use", "string", ORDINARY_TEMPLATES["tools"])]  # fmt: skip
    return _base("gguf", "gguf") | {"config.json": _json({"model_type": "llama"}),
                                    "model.Q8_0.gguf": gguf(keys, [GgufTensor("token_embd.weight", (4,), size=16)])}  # fmt: skip


def _adapter() -> Files:
    return _base("lora", "peft") | {
        "adapter_config.json": _json({
            "peft_type": "LORA", "auto_mapping": None, "base_model_name_or_path": "/home/user/models/base", "bias": "none", "r": 16,
            "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", "modules_to_save": None, "corda_config": None}),
        "adapter_model.safetensors": _weights("base_model.model.q_proj.lora_A.weight"), **_tokenizer("LlamaTokenizer", "llama"),
        "trainer_state.json": _json({"epoch": 1.0, "log_history": [{"loss": 1.0, "grad_norm": None}]}),
    }  # fmt: skip


def _timm() -> Files:
    return _base("timm", "timm") | {"model.safetensors": _weights("conv_stem.weight"), "config.json": _json({
        "architecture": "efficientnet_b0", "num_classes": 1000, "pretrained_cfg": {
            "tag": "ra_in1k", "custom_load": False, "input_size": [3, 224, 224], "interpolation": "bicubic", "classifier": "classifier"}})}  # fmt: skip


def _open_clip() -> Files:
    return _base("open-clip", "open_clip") | {"open_clip_model.safetensors": _weights("visual.proj"), "open_clip_config.json": _json({
        "model_cfg": {"embed_dim": 512, "text_cfg": {"hf_model_name": "example/roberta", "hf_tokenizer_name": "example/roberta"}},
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5]}})}  # fmt: skip


def _handler() -> Files:
    text = b"""from typing import Any, Dict, List

import torch
from transformers import pipeline


class EndpointHandler:
    def __init__(self, path=""):
        self.pipeline = pipeline("text-classification", model=path)

    def __call__(self, data: Dict[str, Any]) -> List[Dict[str, Any]]:
        return self.pipeline(data.pop("inputs", data))
"""
    files = _language("endpoint", "BertForSequenceClassification", "bert", None, sharded=False)
    return files | {"handler.py": text, "requirements.txt": b"transformers==4.40.0\ntorch>=2.1\n"}


def _keras_hub() -> Files:
    return _base("keras-hub", "keras-hub") | {
        "config.json": _json({"module": "keras_hub.src.models.gemma.gemma_backbone", "class_name": "GemmaBackbone",
                              "config": {"num_layers": 2}, "registered_name": "keras_hub>GemmaBackbone"}),
        "metadata.json": _json({"keras_version": "3.5.0", "keras_hub_version": "0.17.0", "parameter_count": 10}),
    }  # fmt: skip


#: Repositories by the family whose shape they have.
FAMILIES: dict[str, Files] = {
    **{name: _language(name, architecture, kind, template, **config) for name, architecture, kind, template, config in _LANGUAGE},
    **{name: {**_language(name, architecture, kind, None, sharded=False), **{file: _json(value) for file, value in more.items()}}
       for name, architecture, kind, more in _OTHERS},
    **{f"with-code-{name}": _with_code(name) for name in ("falcon", "mpt", "chatglm", "baichuan", "internlm", "deepseek", "qwen", "phi")},
    **{name: _pipeline(kind, parts) for name, (kind, parts) in _PIPELINES.items()},
    "minilm": _sentence_transformer("minilm"), "e5": _sentence_transformer("e5"),
    "bge": _sentence_transformer("bge"), "labse": _sentence_transformer("labse", dense=True),
    "gguf": _gguf(), "lora": _adapter(), "timm": _timm(), "open-clip": _open_clip(), "endpoint": _handler(), "keras-hub": _keras_hub(),
}  # fmt: skip
