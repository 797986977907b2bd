"""Small hub repositories as texts: ordinary ones in the shape of published models, hostile ones named by their advisory.

A repository is a mapping of names to texts; :func:`write_folder` puts one on disk. Nothing hostile does more than
``echo``, and nothing here loads anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.testing.forge_templates import ORDINARY_TEMPLATES

__all__ = ["HOSTILE", "ORDINARY", "WITH_CODE", "Hostile", "write_folder"]

Files = Mapping[str, str]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write_folder(files: Files, folder: Path) -> Path:
    """Write ``files`` below ``folder``, which it returns."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


_README = """---
license: apache-2.0
base_model: example/base
tags:
- text-generation
datasets: [example/data]
---
# A model
"""

_SPECIAL = {"bos_token": {"content": "<s>", "lstrip": False, "normalized": False}, "eos_token": "</s>"}
_TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "added_tokens": [{"id": 0, "content": "<unk>", "single_word": False, "special": True}],
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "vocab": {"!": 0, "os.system": 1, "__class__": 2}, "merges": ["! !", "o s"]},
}


def _language_model(config: dict[str, Any], template: str) -> dict[str, str]:
    return {
        "README.md": _README,
        "config.json": _json(config),
        "generation_config.json": _json({"do_sample": True, "eos_token_id": [128001, 128009], "temperature": 0.6}),
        "tokenizer_config.json": _json({
            "add_bos_token": True,
            "added_tokens_decoder": {"0": {"content": "<unk>", "special": True}},
            "chat_template": template,
            "model_max_length": 1000000000000000019884624838656,
            "tokenizer_class": "LlamaTokenizer",
        }),
        "tokenizer.json": _json(_TOKENIZER),
        "special_tokens_map.json": _json(_SPECIAL),
    }  # fmt: skip


_ROPE = {"factor": 8.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}

#: Repositories that hold no code: a careful engineer has nothing to say about them.
ORDINARY: dict[str, Files] = {
    "own-classes": {"config.yaml": "model:\n  _target_: src.models.mine.Net\n  width: 3\n"},
    "losses-by-name": {"config.yaml": "loss:\n  _target_: sklearn.metrics.f1_score\n  average: macro\n"},
    "llama": _language_model(
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "rope_scaling": _ROPE,
         "torch_dtype": "bfloat16", "transformers_version": "4.43.0", "vocab_size": 128256},
        ORDINARY_TEMPLATES["llama"],
    ),
    "qwen2.5": _language_model(
        {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "attention_dropout": 0.0,
         "_attn_implementation": "sdpa", "_attn_implementation_autoset": True, "use_sliding_window": False},
        ORDINARY_TEMPLATES["qwen"],
    ),
    "gemma": _language_model(
        {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
         "text_config": {"model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh"},
         "attn_implementation": {"text_config": "flash_attention_2", "vision_config": "eager"},
         "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        ORDINARY_TEMPLATES["gemma"],
    ),
    "whisper": {
        "config.json": _json({"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper",
                              "activation_function": "gelu", "begin_suppress_tokens": [220, 50257]}),
        "preprocessor_config.json": _json({"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80,
                                           "hop_length": 160, "processor_class": "WhisperProcessor"}),
        "added_tokens.json": _json({"<|startoftranscript|>": 50258}),
        "normalizer.json": _json({"accessorise": "accessorize"}),
    },
    "clip": {
        "config.json": _json({"architectures": ["CLIPModel"], "model_type": "clip", "logit_scale_init_value": 2.6592,
                              "text_config": {"hidden_act": "quick_gelu", "prefix": None, "trust_remote_code": False}}),
        "preprocessor_config.json": _json({"crop_size": 224, "feature_extractor_type": "CLIPFeatureExtractor",
                                           "image_mean": [0.48145466, 0.4578275, 0.40821073]}),
        "vocab.json": _json({"!": 0, "\"": 1}),
        "merges.txt": "#version: 0.2\ni n\nt h\n",
    },
    "stable-diffusion": {
        "model_index.json": _json({
            "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0",
            "feature_extractor": ["transformers", "CLIPImageProcessor"],
            "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
            "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"], "image_encoder": [None, None], "requires_safety_checker": True,
        }),
        "unet/config.json": _json({"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0",
                                   "act_fn": "silu", "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"]}),
        "scheduler/scheduler_config.json": _json({"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0"}),
        "v1-inference.yaml": "model:\n  target: ldm.models.diffusion.ddpm.LatentDiffusion\n  params:\n    timesteps: 1000\n"
                             "    cond_stage_config:\n      target: ldm.modules.encoders.modules.FrozenCLIPEmbedder\n      params: {}\n",
    },
    "sentence-transformer": {
        "modules.json": _json([
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
        ]),
        "2_Dense/config.json": _json({"in_features": 768, "out_features": 512, "bias": True,
                                      "activation_function": "torch.nn.modules.activation.Tanh"}),
        "sentence_bert_config.json": _json({"max_seq_length": 256, "do_lower_case": False}),
        "config_sentence_transformers.json": _json({"__version__": {"sentence_transformers": "2.0.0"},
                                                    "similarity_fn_name": "cosine"}),
        "config.json": _json({"model_type": "bert", "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}),
    },
    "adapter": {
        "adapter_config.json": _json({"peft_type": "LORA", "base_model_name_or_path": "example/base", "task_type": None,
                                      "auto_mapping": {"base_model_class": "LlamaForCausalLM",
                                                       "parent_library": "transformers.models.llama.modeling_llama"},
                                      "target_modules": ["q_proj", "v_proj"]}),
        "trainer_state.json": _json({"best_metric": None, "log_history": [{"loss": 1.5, "step": 10}]}),
    },
    "nemo": {
        "model_config.yaml": "optim:\n  name: adamw\npreprocessor:\n  _target_: nemo.collections.asr.modules."
                             "AudioToMelSpectrogramPreprocessor\n  window: hann\nloss:\n  _target_: torch.nn.CrossEntropyLoss\n",
        "axolotl.yml": "base_model: example/base\ntrust_remote_code: true\nlearning_rate: 2.0e-5\n",
    },
    "speechbrain": {
        "hyperparams.yaml": "sample_rate: 16000\nmodel: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN\n"
                            "  input_size: !ref <n_mels>\n",
    },
    "mlflow": {
        "MLmodel": "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.txt\n",
    },
}  # fmt: skip

_MODELLING = """import math
import os
import logging
from typing import Optional

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import logging as hf_logging

try:
    from flash_attn import flash_attn_func
except ImportError:
    flash_attn_func = None

logger = hf_logging.get_logger(__name__)
DEBUG = os.environ.get("DEBUG", "0") == "1"
_HERE = os.path.dirname(os.path.abspath(__file__))


class TinyConfig(PretrainedConfig):
    model_type = "tiny"

    def __init__(self, hidden_size: int = 16, **kwargs):
        self.hidden_size = hidden_size
        super().__init__(**kwargs)


class TinyModel(PreTrainedModel):
    config_class = TinyConfig

    def __init__(self, config):
        super().__init__(config)
        self.linear = nn.Linear(config.hidden_size, config.hidden_size)
        self.act = getattr(torch.nn.functional, "silu")
        self.post_init()

    @torch.no_grad()
    def load_table(self, path: str):
        with open(os.path.join(path, "table.txt"), "r") as handle:
            return handle.read()

    def forward(self, x, mask: Optional[torch.Tensor] = None):
        return self.act(self.linear(x)) / math.sqrt(2.0)


TinyModel.register_for_auto_class("AutoModel")
if __name__ == "__main__":
    import subprocess

    subprocess.run(["echo", "only by hand"])
"""

#: Repositories with code of their own: an engineer reads the code first, and has no reason to reject them.
WITH_CODE: dict[str, Files] = {
    "deepseek-v3": {
        **_language_model(
            {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
             "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekV3Config",
                          "AutoModelForCausalLM": "modeling_deepseek.DeepseekV3ForCausalLM"}},
            ORDINARY_TEMPLATES["deepseek"],
        ),
        "configuration_deepseek.py": _MODELLING,
        "modeling_deepseek.py": _MODELLING,
    },
    "falcon": {"config.json": _json({"model_type": "falcon", "auto_map": {
        "AutoConfig": "tiiuae/falcon-7b--configuration_falcon.FalconConfig",
        "AutoModel": "modeling_falcon.FalconModel"}})},
    "custom-tokenizer": {"tokenizer_config.json": _json({
        "auto_map": {"AutoTokenizer": ["tokenization_x.XTokenizer", None]}})},
    "custom-sentence-transformer": {
        "modules.json": _json([{"idx": 0, "name": "t", "path": "", "type": "custom_st.Transformer"}]),
        "custom_st.py": _MODELLING,
    },
    "custom-diffusers": {
        "model_index.json": _json({"_class_name": ["pipeline_x", "XPipeline"], "_diffusers_version": "0.34.0",
                                   "transformer": ["transformer_x", "XTransformer"]}),
        "pipeline_x.py": _MODELLING,
    },
    "monai": {"configs/inference.json": _json({"imports": ["$import glob"], "device": "$torch.device('cuda:0')",
                                               "network": {"_target_": "monai.networks.nets.UNet"}})},
    "own-functions": {"config.yaml": "model:\n  _target_: src.models.mine.build_net\n  width: 3\n"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hostile:
    """A hostile repository: its files, the rule that must say so, and where."""

    files: Files
    rule: str
    place: str


def _hydra(document: Any) -> Hostile:
    return Hostile({"config.json": _json(document)}, "hub/config-target", "config.json")


def _python(text: str, rule: str = "python/process-at-load") -> Hostile:
    return Hostile({"modeling_x.py": text}, rule, "modeling_x.py")


#: By advisory or technique; each must be rejected.
HOSTILE: dict[str, Hostile] = {
    "CVE-2026-4372": Hostile(
        {"config.json": _json({"model_type": "llama", "_attn_implementation_internal": "attacker/kernel"})},
        "hub/attention-implementation", "config.json"),
    "CVE-2026-4372-nested": Hostile(
        {"config.json": _json({"text_config": {"_attn_implementation": "paged|attacker/kernel@main:f"}})},
        "hub/attention-implementation", "config.json"),
    "CVE-2026-4372-own-organisation-lookalike": Hostile(
        {"config.json": _json({"_attn_implementation_internal": "kernels-community.evil/k"})},
        "hub/attention-implementation", "config.json"),
    "CVE-2026-5241": Hostile(
        {"config.json": _json({"model_type": "lightglue", "keypoint_detector_config": {
            "trust_remote_code": True, "auto_map": {"AutoConfig": "x/y--c.C"}}})},
        "hub/nested-trust-remote-code", "config.json"),
    "CVE-2025-23304": _hydra({"model": {"encoder": {"_target_": "os.system", "_args_": ["echo hello"]}}}),
    "CVE-2025-23304-yaml": Hostile(
        {"model_config.yaml": "a: &x\n  _target_: builtins.exec\n  _args_: ['print(1)']\nb:\n  <<: *x\n"},
        "hub/config-target", "model_config.yaml"),
    "hydra-reexport": _hydra({"_target_": "shutil.os.system", "command": "echo"}),
    "hydra-reexport-class": _hydra({"_target_": "transformers.utils.hub.subprocess.Popen", "args": ["echo"]}),
    "hydra-colon": _hydra({"_target_": "subprocess:run", "_args_": [["echo"]]}),
    "hydra-lookup": _hydra({"_target_": "hydra.utils.get_method", "path": "os.system"}),
    "hydra-partial": _hydra({"_target_": "functools.partial", "_args_": ["os.system"], "_partial_": True}),
    "hydra-list": _hydra([{"x": [[{"_target_": "posix.system"}]]}]),
    "latent-diffusion-target": _hydra({"model": {"target": "os.system", "params": {"command": "echo"}}}),
    "dense-activation": Hostile(
        {"2_Dense/config.json": _json({"in_features": 1, "activation_function": "os.system"})},
        "hub/config-callable", "2_Dense/config.json"),
    "modules-json": Hostile(
        {"modules.json": _json([{"idx": 0, "path": "", "type": "subprocess.Popen"}])}, "hub/config-callable", "modules.json"),
    "model-index": Hostile(
        {"model_index.json": _json({"_class_name": "X", "_diffusers_version": "0.30", "vae": ["subprocess", "Popen"]})},
        "hub/config-callable", "model_index.json"),
    "adapter-parent": Hostile(
        {"adapter_config.json": _json({"auto_mapping": {"base_model_class": "Popen", "parent_library": "subprocess"}})},
        "hub/config-callable", "adapter_config.json"),
    "monai-expression": Hostile(
        {"configs/inference.json": _json({"x": "$__import__('os').system('echo hello')"})},
        "hub/config-expression", "configs/inference.json"),
    "CVE-2020-14343": Hostile(
        {"training_args.yaml": "x: !!python/object/apply:os.system ['echo hello']\n"},
        "yaml/object-tag", "training_args.yaml"),
    "hyperpyyaml": Hostile(
        {"hyperparams.yaml": "x: !apply:os.system ['echo hello']\n"}, "yaml/object-tag", "hyperparams.yaml"),
    "front-matter": Hostile(
        {"README.md": "---\nx: !!python/object/new:subprocess.Popen [[echo]]\n---\n"}, "yaml/object-tag", "README.md"),
    "CVE-2024-34359": Hostile(
        {"tokenizer_config.json": _json({"chat_template": "{{ ''.__class__.__base__.__subclasses__() }}"})},
        "template/injection", "tokenizer_config.json"),
    "CVE-2024-34359-list": Hostile(
        {"tokenizer_config.json": _json({"chat_template": [
            {"name": "default", "template": "{{ messages }}"},
            {"name": "tool_use", "template": "{{ messages|attr('__init__') }}"}]})},
        "template/injection", "tokenizer_config.json"),
    "CVE-2026-5760": Hostile(
        {"additional_chat_templates/rag.jinja": "{{ cycler.__init__.__globals__ }}"},
        "template/injection", "additional_chat_templates/rag.jinja"),
    "python-import": _python("import os\nos.system('echo hello')\n"),
    "python-called-function": _python("def _f():\n    import subprocess as s\n    s.run(['echo'])\n\n_f()\n"),
    "python-constructor": _python("import os\nclass M:\n    def __init__(self):\n        os.popen('echo')\n"),
    "python-getattr": _python("getattr(__import__('o' + 's'), 'sys' + 'tem')('echo')\n"),
    "python-base64": _python("import base64\nexec(base64.b64decode('cHJpbnQoMSk='))\n", "python/hidden-code"),
    "python-network": _python("import urllib.request as u\nu.urlopen('http://198.51.100.1/')\n", "python/network-at-load"),
    "python-file-as-code": _python("exec(open('notes.txt').read())\n", "python/code-at-load"),
}  # fmt: skip
