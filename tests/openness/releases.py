"""Releases to examine: complete ones, whatever a path names, and inventories that were made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openvet.evidence.predicates.card_v1 import CardV1
from openvet.evidence.predicates.openness_v1 import Line, OpennessV1
from openvet.inventory.component import Inventory
from openvet.openness.examine import examine
from openvet.openness.framework import components
from openvet.testing.forge_tensors import safetensors
from openvet.workflows.answer import ask
from openvet.workflows.knowledge import tool

WEIGHTS = safetensors({"layer.weight": ("F32", (8, 4))})
CONFIG = b'{"model_type": "olmo", "architectures": ["OlmoForCausalLM"]}'
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_CODE = b"print('a line of code')\n"
PROSE = "# Model\n\n## Uses\n\nSentences.\n\n## Training Data\n\nPublic texts.\n\n## Evaluation\n\nGood.\n"

#: Everything that class I needs, each in one file of its own: component -> (place, bytes).
COMPLETE: Mapping[str, tuple[str, bytes]] = {
    "architecture": ("modeling_olmo.py", _CODE),
    "final-parameters": ("model.safetensors", WEIGHTS),
    "model-card": ("README.md", b"---\nlicense: apache-2.0\n---\n# Model\n\n## Uses\n\nSentences.\n"),
    "data-card": ("data/README.md", b"---\nlicense: odc-by\nsize_categories: [n<1K]\n---\n# Data\n\nPublic texts.\n"),
    "technical-report": ("technical_report.pdf", _PDF),
    "evaluation-results": ("all_results.json", b'{"accuracy": 0.5}\n'),
    "training-code": ("training/run.py", _CODE),
    "inference-code": ("generate.py", _CODE),
    "evaluation-code": ("evaluation/run.py", _CODE),
    "evaluation-data": ("test.jsonl", b'{"text": "a"}\n'),
    "data-preprocessing-code": ("preprocess.py", _CODE),
    "datasets": ("train.jsonl", b'{"text": "b"}\n'),
    "intermediate-parameters": ("step1000/model.safetensors", WEIGHTS),
    "research-paper": ("paper.pdf", _PDF),
}

#: A release in the manner of OLMo: the weights are here, the rest is named by a record, with where it is and under which licence.
LINKED: Mapping[str, tuple[str, str]] = {
    "Model architecture": ("https://github.com/example/olmo", "Apache-2.0"),
    "Model card": ("README.md", "Apache-2.0"),
    "Data card": ("https://huggingface.co/datasets/example/dolma", "CC-BY-4.0"),
    "Technical report": ("https://example.org/report.pdf", "CC-BY-4.0"),
    "Evaluation results": ("https://github.com/example/olmo-eval/results", "Apache-2.0"),
    "Training code": ("https://github.com/example/olmo", "Apache-2.0"),
    "Inference code": ("https://github.com/example/olmo", "Apache-2.0"),
    "Evaluation code": ("https://github.com/example/olmo-eval", "Apache-2.0"),
    "Evaluation data": ("https://github.com/example/olmo-eval/data", "ODC-By-1.0"),
    "Data preprocessing code": ("https://github.com/example/dolma", "Apache-2.0"),
    "Datasets": ("https://huggingface.co/datasets/example/dolma", "ODC-By-1.0"),
    "Model parameters (Intermediate)": ("https://huggingface.co/example/olmo/tree/step1000", "Apache-2.0"),
    "Research paper": ("https://arxiv.org/abs/2402.00838", "CC-BY-4.0"),
}
NAMES = {each.name: each.id for each in components()}


def record(listed: Mapping[str, tuple[str, str]]) -> bytes:
    """A record of the Model Openness Tool."""
    lines = [
        "framework:",
        "  name: Model Openness Framework",
        "  version: '1.0'",
        "release:",
        "  name: example",
        "  components:",
    ]
    for name, (path, licence) in listed.items():
        lines += [f"  - name: '{name}'"]
        lines += [f"    component_path: {path}"] if path else []
        lines += [f"    license: {licence}"] if licence else []
    return ("\n".join(lines) + "\n").encode()


def card(metadata: str = "license: apache-2.0", prose: str = PROSE) -> bytes:
    """A model card."""
    return f"---\n{metadata}\n---\n{prose}".encode()


def folder(files: Mapping[str, bytes], where: Path) -> Path:
    """``files`` in a folder."""
    for place, data in files.items():
        path = where / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return where


def complete(*without: str) -> dict[str, bytes]:
    """A release with everything in its files, but for some components."""
    return {place: data for name, (place, data) in COMPLETE.items() if name not in without}


def linked(listed: Mapping[str, tuple[str, str]] = LINKED) -> dict[str, bytes]:
    """A release whose record says where all but the weights is."""
    return {"model.safetensors": WEIGHTS, "README.md": card(), "config.json": CONFIG, "MOF.yml": record(listed)}


def line(found: OpennessV1, scheme: str, name: str) -> Line:
    """One line of a checklist."""
    (checklist,) = (each for each in found.checklists if each.scheme == scheme)
    return next(each for each in checklist.lines if each.id == name)


def examined(what: Path | Inventory) -> OpennessV1:
    """What is said of a release."""
    if isinstance(what, Inventory):
        return examine(what, CardV1(tool(), ()), tool())
    found = ask(what, "openness").predicate
    assert isinstance(found, OpennessV1)
    return found
