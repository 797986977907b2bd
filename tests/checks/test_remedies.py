"""A remedy helps: where an advisory is known it says which loader is hit, up to which version."""

import re

import pytest

from openvet.reports.report import RuleText
from openvet.workflows.knowledge import rule_texts

LOADERS = re.compile(
    r"Avro for Java|ObjectInputStream|pickle\.load|joblib\.load|torch\.load|torch\.jit\.load|torch\.export\.load|PyTorch|LibTorch|Keras|TensorFlow|transformers"
    r"|NumPy|skops|NeMo|llama|Ollama|TorchServe|PyYAML|yaml\.|Python's|ONNX|onnx|MLflow|XGBoost|LightGBM|OpenVINO|XStream|vLLM|LangChain|PyArrow|Transformers4Rec|R "
)
ADVISED = [rule for rule in rule_texts() if re.search(r"CVE-|GHSA-", dict(rule.sections)["References"])]


@pytest.mark.parametrize("rule", ADVISED, ids=lambda rule: rule.id)
def test_an_advisory_comes_with_loader_and_version(rule: RuleText) -> None:
    remedy = dict(rule.sections)["Remedy"]
    assert re.search(r"\d+\.\d+|every version|any version", remedy), "which versions are safe?"
    assert LOADERS.search(remedy), "which loader is hit?"


def test_every_rule_says_what_to_do() -> None:
    assert [rule.id for rule in rule_texts() if len(dict(rule.sections)["Remedy"]) < 15] == []
