"""Documents about models and data sets, in the shape of published ones: complete ones, and ones with exactly one thing wrong.

Each folder states the notes (rules below ``card/``) that it must get, exactly. Where one is malformed, a neighbour shows the same thing
as it is right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.testing.forge_tensors import GgufTensor, gguf, safetensors

__all__ = ["CARDS", "Carded", "card", "croissant"]


@dataclass(frozen=True, slots=True)
class Carded:
    """A folder with documents.

    Attributes:
        technique: one sentence, which the coverage page prints.
        files: name -> text or bytes.
        notes: names of the rules below ``card/`` that must report something, exactly.
    """

    technique: str
    files: Mapping[str, str | bytes]
    notes: frozenset[str] = frozenset()

    def data(self) -> dict[str, bytes]:
        """The files as bytes."""
        return {name: each if isinstance(each, bytes) else each.encode() for name, each in self.files.items()}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


_PROSE = """
# Example

## Model Description

A small encoder.

## Uses

### Direct Use

Sentence embeddings.

### Out-of-Scope Use

Not for decisions about people.

## Bias, Risks, and Limitations

English only.

## How to Get Started with the Model

```python
# not a heading
load("example")
```

## Training Details

### Training Data

Public reviews.

### Training Procedure

One epoch.

## Evaluation

See the metadata.

## Environmental Impact

Two hours of one GPU.

## Model Card Contact

The authors.
"""


def card(metadata: str, prose: str = _PROSE) -> str:
    """A README with this front matter."""
    return f"---\n{metadata.strip(chr(10))}\n---\n{prose}"


_WEIGHTS = safetensors({"embeddings.weight": ("F32", (8, 4))})
_HALF = safetensors({"layer.weight": ("F16", (8, 4))})
_LORA = safetensors({"base_model.model.q_proj.lora_A.weight": ("F32", (2, 4))})
_ENCODER = _json({"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 4})
_DECODER = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4}
_ADAPTER = {"peft_type": "LORA", "base_model_name_or_path": "example/base", "r": 2}
_DATA = "a,b\n1,2\n"

_WHOLE = """
language:
- en
- code
license: apache-2.0
library_name: transformers
pipeline_tag: feature-extraction
tags:
- sentence-similarity
datasets:
- example/reviews
metrics:
- f1
base_model: example/base
base_model_relation: finetune
co2_eq_emissions:
  emissions: 120.5
  hardware_used: 1 GPU
widget:
- text: hello
thumbnail: null
model-index:
- name: example
  results:
  - task: {type: feature-extraction, name: Embeddings}
    dataset: {type: example/reviews, name: Reviews, split: test}
    metrics:
    - {type: f1, value: 0.81, name: F1}
    source: {name: Log, url: "https://example.org/log"}
"""
_SHORT = "license: mit\ndatasets: example/reviews\n"


def _model(
    metadata: str,
    config: str = _ENCODER,
    weights: bytes = _WEIGHTS,
    others: Mapping[str, str | bytes] | None = None,
) -> dict[str, str | bytes]:
    return {"README.md": card(metadata), "config.json": config, "model.safetensors": weights, **(others or {})}


def _quantized(base: str, license: str = "mit", extra: str = "") -> bytes:  # noqa: A002 - the key's name
    keys = [("general.architecture", "string", "llama"), ("general.license", "string", license)]
    if base:
        keys.append(("general.base_model.0.repo_url", "string", f"https://huggingface.co/{base}"))
    if extra:
        keys.append(("general.name", "string", extra))
    return gguf(keys, [GgufTensor("blk.0.attn_q.weight", (32,), 2, size=18)])


def croissant(**changed: Any) -> dict[str, Any]:
    """A description of one CSV file beside it; ``None`` drops a property."""
    made: dict[str, Any] = {
        "@context": {
            "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo",
            "recordSet": "cr:recordSet", "field": "cr:field", "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "source": "cr:source",
            "fileObject": "cr:fileObject", "extract": "cr:extract", "column": "cr:column", "citeAs": "cr:citeAs",
        },
        "@type": "sc:Dataset",
        "name": "reviews",
        "description": "Two columns.",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": "https://example.org/reviews",
        "creator": {"@type": "Person", "name": "A. Author"},
        "datePublished": "2026-01-02",
        "rai:dataCollection": "Collected by hand.",
        "distribution": [
            {"@type": "cr:FileObject", "@id": "data.csv", "contentUrl": "data.csv", "encodingFormat": "text/csv",
             "contentSize": f"{len(_DATA)} B", "sha256": hashlib.sha256(_DATA.encode()).hexdigest()}
        ],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "rows", "field": [
                {"@type": "cr:Field", "@id": "rows/a", "dataType": "sc:Integer",
                 "source": {"fileObject": {"@id": "data.csv"}, "extract": {"column": "a"}}}]}
        ],
    }  # fmt: skip
    made.update(changed)
    return {key: each for key, each in made.items() if each is not None}


def _described(**changed: Any) -> dict[str, str | bytes]:
    return {"croissant.json": _json(croissant(**changed)), "data.csv": _DATA}


_CFF = """
cff-version: 1.2.0
message: Please cite this model.
title: "Example: a model"
type: software
license: MIT
date-released: "2026-01-02"
doi: 10.5281/zenodo.123456
authors:
- family-names: Author
  given-names: A.
"""
_RESULTS = """
- dataset:
    id: example/bench
    task_id: default
  value: 0.412
  date: "2026-01-02"
  source: {url: "https://example.org/log"}
"""
_DATA_CARD = """
language: [de]
license: cc-by-4.0
pretty_name: Reviews
size_categories: [n<1K]
task_categories: [text-classification]
tags: [reviews]
configs:
- config_name: default
  data_files: data.csv
dataset_info:
  features:
  - {name: a, dtype: int32}
"""


def _note(*names: str) -> frozenset[str]:
    return frozenset(names)


CARDS: dict[str, Carded] = {
    # --- as they should be ---
    "whole": Carded("a complete model card", _model(_WHOLE)),
    "short": Carded("a card with two fields", _model(_SHORT)),
    "in-korean": Carded(
        "a card in another language than English", {**_model(_SHORT), "README.md": card("license: mit\ndatasets: [example/reviews]\nlanguage: ko\n", "\n# 예시 모델\n\n## 모델 설명\n\n작은 모델입니다.\n")}
    ),
    "no-front-matter": Carded("a README without metadata", {**_model(_SHORT), "README.md": "# A model\n\nIt works.\n"}),
    "license-list": Carded("a card with two licences", _model("license: [mit, apache-2.0]\ndatasets: example/reviews\n")),
    "license-other": Carded(
        "a licence of its own, named and linked", _model("license: other\nlicense_name: example-1.0\nlicense_link: LICENSE\ndatasets: a/b\n", others={"LICENSE": "Do as you like.\n"})
    ),
    "license-spelled": Carded("one licence in several spellings", _model("license: apache-2.0\ndatasets: a/b\n", _json({**json.loads(_ENCODER), "license": "Apache License, Version 2.0"}), others={"LICENSE-APACHE-2.0.txt": "Apache"})),
    "norwegian": Carded("Norwegian in quotes", _model(_SHORT + 'language: "no"\n')),
    "adapter": Carded(
        "an adapter whose card names its base model",
        {"README.md": card(_SHORT + "base_model: example/base\nbase_model_relation: adapter\nlibrary_name: peft\n"), "adapter_config.json": _json(_ADAPTER), "adapter_model.safetensors": _LORA},
    ),
    "quantized": Carded("a quantized model whose card names its base model", {"README.md": card(_SHORT + "base_model: example/base\nbase_model_relation: quantized\n"), "m-Q4_0.gguf": _quantized("example/base")}),
    "native-fp8": Carded("a model that its maker publishes in FP8", _model(_SHORT, _json({**_DECODER, "quantization_config": {"quant_method": "fp8"}}))),
    "old-base-id": Carded("an old id of the base model without its organisation", {"README.md": card(_SHORT + "base_model: google-bert/bert-base-uncased\n"), "adapter_config.json": _json({**_ADAPTER, "base_model_name_or_path": "bert-base-uncased"}), "adapter_model.safetensors": _LORA}),
    "base-on-a-disk": Carded("an adapter that was trained on a path of the publisher's disk", {"README.md": card(_SHORT + "base_model: example/base\n"), "adapter_config.json": _json({**_ADAPTER, "base_model_name_or_path": "/data/ckpt/base"}), "adapter_model.safetensors": _LORA}),
    "speech-by-decoder": Carded("speech out of a decoder of tokens", _model(_SHORT + "pipeline_tag: text-to-speech\n", _json(_DECODER))),
    "eval-results": Carded("evaluation results with all that they need", _model(_SHORT, others={".eval_results/bench.yaml": _RESULTS})),
    "croissant": Carded("a Croissant description of the file beside it", _described()),
    "citation": Carded("a citation file with all that it needs", _model(_SHORT, others={"CITATION.cff": _CFF})),
    "dataset": Carded("a data set card", {"README.md": card(_DATA_CARD, "# Reviews\n"), "data.csv": _DATA}),
    "dataset-patterns": Carded(
        "a data set card with patterns for its files",
        {"README.md": card(_DATA_CARD.replace("data_files: data.csv", "data_files: [{split: train, path: data/train-*}, {split: test, path: '**/test.csv'}]"), "# R\n"), "data/train-0.csv": _DATA, "test.csv": _DATA},
    ),
    "dataset-without-data": Carded("a data set card without any of its files", {"README.md": card(_DATA_CARD, "# Reviews\n")}),
    "dataset-part": Carded(
        "a data set card that lists a file which is not there",
        {"README.md": card(_DATA_CARD.replace("data_files: data.csv", "data_files: {train: data.csv, test: [test.csv]}"), "# R\n"), "data.csv": _DATA},
        _note("data-file-missing"),
    ),
    # --- malformed ---
    "not-a-map": Carded("front matter that is a list", _model("- license\n- mit\n"), _note("malformed-metadata")),
    "empty-front-matter": Carded("front matter that holds nothing", _model("# nothing yet\n"), _note("malformed-metadata", "incomplete")),
    "wrong-kinds": Carded("fields of the wrong kinds", _model("license: {mit: yes}\ntags: a, b\ndatasets: a/b\nmetrics: 3\n"), _note("malformed-metadata")),
    "norwegian-bare": Carded("Norwegian without quotes, which YAML reads as false", _model(_SHORT + "language: [en, no]\n"), _note("malformed-metadata")),
    "unknown-relation": Carded("a relation that there is not", _model(_SHORT + "base_model: a/b\nbase_model_relation: child\n"), _note("malformed-metadata")),
    "path-as-base": Carded("a path as base model", _model(_SHORT + "base_model: ./checkpoint-500/final/x\n"), _note("malformed-metadata")),
    "aliases": Carded("front matter with an alias, which is legal", _model("license: &l mit\ndatasets: &d [a/b]\ntags: *d\n")),
    "model-index-text": Carded("evaluation results as a text", _model(_SHORT + "model-index: 0.8\n"), _note("model-index")),
    "metric-without-value": Carded(
        "a metric without a value",
        _model(_SHORT + "model-index:\n- name: x\n  results:\n  - task: {type: t}\n    dataset: {type: d, name: D}\n    metrics: [{type: f1}]\n"),
        _note("model-index"),
    ),
    "result-without-data-set": Carded(
        "a result without a data set", _model(_SHORT + "model-index:\n- name: x\n  results:\n  - task: {type: t}\n    metrics: [{type: f1, value: 1}]\n"), _note("model-index")
    ),
    "eval-without-data-set": Carded("an evaluation result without a data set", _model(_SHORT, others={".eval_results/b.yaml": "- value: 0.4\n"}), _note("eval-results")),
    "eval-source": Carded("an evaluation result whose source has no link", _model(_SHORT, others={".eval_results/b.yaml": "- dataset: {id: a/b, task_id: c}\n  value: 1\n  source: {name: me}\n"}), _note("eval-results")),
    "language-name": Carded("a language by its name", _model(_SHORT + "language: english\n"), _note("language-code")),
    "language-tag": Carded("a language as a tag", _model(_SHORT + "language: [pt-BR]\n"), _note("language-code")),
    "unknown-task": Carded("a task that the hub does not know", _model(_SHORT + "pipeline_tag: text2text\n"), _note("unknown-task")),
    # --- licences ---
    "license-name": Carded("a licence by its full name", _model("license: Apache License 2.0\ndatasets: a/b\n"), _note("unknown-license")),
    "license-family": Carded("a family of licences", _model("license: cc\ndatasets: a/b\n"), _note("ambiguous-license")),
    "license-family-and-member": Carded(
        "a family of licences in the card, and one of them in config.json",
        _model("license: gpl\ndatasets: a/b\n", _json({**json.loads(_ENCODER), "license": "gpl-3.0"})),
        _note("ambiguous-license"),
    ),
    "license-other-bare": Carded("a licence of its own without name and link", _model("license: other\ndatasets: a/b\n"), _note("unnamed-license")),
    "license-link-nowhere": Carded("a link to a licence file that is not there", _model("license: other\nlicense_name: x\nlicense_link: LICENSE\ndatasets: a/b\n"), _note("unnamed-license")),
    "license-list-other": Carded("a list of licences with one of its own in it", _model("license: [mit, other]\ndatasets: a/b\n"), _note("unnamed-license")),
    "license-in-gguf": Carded("another licence in the keys of a GGUF file", {"README.md": card(_SHORT + "base_model: a/b\n"), "m.gguf": _quantized("a/b", "apache-2.0")}, _note("license-differs")),
    "license-in-config": Carded("another licence in config.json", _model(_SHORT, _json({**json.loads(_ENCODER), "license": "gpl-3.0"})), _note("license-differs")),
    "license-in-file-name": Carded("another licence in the name of a file", _model(_SHORT, others={"LICENSE-CC-BY-NC-4.0.md": "text\n"}), _note("license-differs")),
    "no-license": Carded("a card without a licence", _model("tags: [x]\n"), _note("incomplete")),
    # --- contradicted by the files ---
    "adapter-without-base": Carded("an adapter whose card names no base model", {"README.md": card(_SHORT), "adapter_config.json": _json(_ADAPTER), "adapter_model.safetensors": _LORA}, _note("base-model-missing")),
    "quantized-without-base": Carded("a quantized model whose card names no base model", {"README.md": card(_SHORT), "m.gguf": _quantized("")}, _note("base-model-missing")),
    "relation-without-base": Carded("a relation to nothing", _model(_SHORT + "base_model_relation: finetune\n"), _note("base-model-missing")),
    "other-base": Carded(
        "an adapter on another base model than the card names",
        {"README.md": card(_SHORT + "base_model: example/base\n"), "adapter_config.json": _json({**_ADAPTER, "base_model_name_or_path": "example/other"}), "adapter_model.safetensors": _LORA},
        _note("base-model-differs"),
    ),
    "other-base-in-gguf": Carded("another base model in the keys of a GGUF file", {"README.md": card(_SHORT + "base_model: example/base\n"), "m.gguf": _quantized("example/other")}, _note("base-model-differs")),
    "adapter-called-finetune": Carded(
        "an adapter that the card calls fine-tuned",
        {"README.md": card(_SHORT + "base_model: example/base\nbase_model_relation: finetune\n"), "adapter_config.json": _json(_ADAPTER), "adapter_model.safetensors": _LORA},
        _note("relation-contradicted"),
    ),
    "quantized-called-finetune": Carded(
        "quantized weights that the card calls fine-tuned",
        _model(_SHORT + "base_model: a/b\nbase_model_relation: finetune\n", _json({**_DECODER, "quantization_config": {"quant_method": "gptq", "bits": 4}})),
        _note("relation-contradicted"),
    ),
    "whole-called-adapter": Carded("whole weights that the card calls an adapter", _model(_SHORT + "base_model: a/b\nbase_model_relation: adapter\n", _json(_DECODER)), _note("relation-contradicted")),
    "plain-called-quantized": Carded("plain weights that the card calls quantized", _model(_SHORT + "base_model: a/b\nbase_model_relation: quantized\n", weights=_HALF), _note("relation-contradicted")),
    "other-task": Carded("a task that the head cannot do", _model(_SHORT + "pipeline_tag: token-classification\n", _json(_DECODER)), _note("task-contradicted")),
    "other-library": Carded("files of another library than the card names", _model(_SHORT + "library_name: fasttext\n"), _note("library-contradicted")),
    "framework-for-library": Carded("the framework beneath in the place of the library", _model(_SHORT + "library_name: pytorch\n"), _note("library-contradicted")),
    "framework-alone": Carded("a framework as library where no library has a file", {"README.md": card(_SHORT + "library_name: pytorch\n"), "model.safetensors": _WEIGHTS}),
    "link-for-id": Carded("links in the place of ids", _model(_SHORT.replace("example/reviews", "https://huggingface.co/datasets/example/reviews") + "base_model: https://huggingface.co/example/base\n"), _note("malformed-metadata")),
    "british-licence": Carded("licence beside license", _model(_SHORT + "licence: mit\n"), _note("malformed-metadata")),
    "near-keys": Carded("keys that are nearly those of the hub", _model(_SHORT + "pipeline-tag: fill-mask\nlangauge: en\nbase_models: a/b\n"), _note("malformed-metadata")),
    "own-keys": Carded("keys of the publisher's own", _model(_SHORT + "model_date: x\nlicense_url: x\nquantized: true\nversion: 1\nmodel_id: x\ntasks: [x]\npad_token: x\nlicense_file: x\n")),
    # --- Croissant and citation files ---
    "croissant-digest": Carded("a description with another digest than the file has", _described(distribution=[{**croissant()["distribution"][0], "sha256": "0" * 64}]), _note("croissant")),
    "croissant-size": Carded("a description with another size than the file has", _described(distribution=[{**croissant()["distribution"][0], "contentSize": "9999"}]), _note("croissant")),
    "croissant-reference": Carded("a description that refers to nothing", _described(distribution=[{**croissant()["distribution"][0], "@id": "other"}]), _note("croissant")),
    "croissant-type": Carded("a description of a resource of no type", _described(distribution=[{**croissant()["distribution"][0], "@type": "Thing"}]), _note("croissant")),
    "croissant-version": Carded("a description of a version that is not known", _described(conformsTo="http://mlcommons.org/croissant/9.0"), _note("croissant")),
    "citation-no-yaml": Carded("a citation file that is no YAML", _model(_SHORT, others={"CITATION.cff": "cff-version: 1.2.0\ntitle: Example: a model\n"}), _note("citation")),
    "citation-short": Carded("a citation file without authors", _model(_SHORT, others={"CITATION.cff": "cff-version: 1.2.0\ntitle: x\nmessage: y\n"}), _note("citation")),
    "citation-license": Carded("another licence in the citation file", _model("license: apache-2.0\ndatasets: a/b\n", others={"CITATION.cff": _CFF}), _note("license-differs")),
}  # fmt: skip
