"""The rules about hub files one by one, and those about JSON and YAML as such."""

from __future__ import annotations

import importlib
import json as reference
from typing import Any

import pytest

from openvet.checks._check import Context
from openvet.checks.hub._targets import judge
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity
from openvet.formats import json, python, yaml
from openvet.formats._format import Facts
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource


def part(name: str, value: Any) -> Component:
    """A file: Python and YAML as texts, anything else as JSON."""
    reader = {"py": python, "yaml": yaml}.get(name.rsplit(".", 1)[-1], json)
    text = value if isinstance(value, str) else reference.dumps(value)
    facts = Facts(name, name, Budget())
    reader.read(BytesSource(text.encode()), facts)
    return Component(
        name, name, len(text), (reader.FORMAT.id,), facts.coverage, document=facts.document,
        programs=tuple(facts.programs), anomalies=tuple(facts.anomalies),
    )  # fmt: skip


def run(rule: str, *files: Component) -> list[Finding]:
    module = importlib.import_module(f"openvet.checks.{rule.replace('/', '.').replace('-', '_')}")
    return list(module.check(Context(Inventory(files), module.RULE)))


def said(rule: str, value: Any, name: str = "config.json") -> list[tuple[str, str | None]]:
    return [(str(each.severity), each.location.pointer) for each in run(rule, part(name, value))]


def test_custom_code_says_which_classes_and_whether_they_are_here() -> None:
    config = {"auto_map": {"AutoConfig": "configuration_x.XConfig", "AutoModel": "modeling_x.XModel"}}
    (finding,) = run("hub/custom-code", part("config.json", config), part("modeling_x.py", ""))
    assert finding == Finding(
        rule="hub/custom-code",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        location=Location("config.json", pointer="/auto_map"),
        message="makes a loader run configuration_x.XConfig, modeling_x.XModel of this repository when "
        "trust_remote_code is given; configuration_x.py is not here",
        remedy="Download configuration_x.py from the repository as well, and check again; or load without it.",
        evidence={"classes": ["configuration_x.XConfig", "modeling_x.XModel"], "missing": ["configuration_x.py"]},
    )


@pytest.mark.parametrize(
    ("value", "repositories"),
    [
        ({"auto_map": {"AutoModel": "org/repo--m.C", "AutoConfig": "m.D"}}, [None, "org/repo"]),
        ({"auto_map": {"AutoTokenizer": ["m.Slow", None]}}, [None]),
        ({"text_config": {"auto_map": {"AutoModel": ["a/b--m.C", "c/d--m.C"]}}}, ["a/b", "c/d"]),
        ({"custom_pipelines": {"x": {"impl": "p.Pipe", "pt": ["AutoModel"]}}}, [None]),
        ({"auto_map": None}, []),
        ({"auto_map": {}}, []),
        ({"note": "auto_map"}, []),
    ],
)
def test_custom_code_in_its_forms(value: Any, repositories: list[str | None]) -> None:
    found = run("hub/custom-code", part("config.json", value))
    assert [each.evidence.get("repository") for each in found] == repositories


def test_custom_generate_is_code() -> None:
    assert len(run("hub/custom-code", part("custom_generate/generate.py", "def generate(): pass"))) == 1
    assert run("hub/custom-code", part("generate.py", "def generate(): pass")) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"_attn_implementation_internal": "a/b"}, [("critical", "/_attn_implementation_internal")]),
        ({"x": [{"attn_implementation": "a/b:f"}]}, [("critical", "/x/0/attn_implementation")]),
        ({"_attn_implementation": {"": "sdpa", "text": "a/b"}}, [("critical", "/_attn_implementation")]),
        ({"_experts_implementation_internal": "a/b"}, [("critical", "/_experts_implementation_internal")]),
        ({"attn_implementation": "kernels-community/flash-attn"}, [("medium", "/attn_implementation")]),
        (
            {"_attn_implementation_internal": "kernels-community/flash-attn"},
            [("critical", "/_attn_implementation_internal")],
        ),
        ({"_attn_implementation": "sdpa"}, []),
        ({"_attn_implementation": "paged|flash_attention_2"}, []),
        ({"attention_type": "a/b"}, []),
    ],
)
def test_attention_implementation(value: Any, expected: list[tuple[str, str]]) -> None:
    assert said("hub/attention-implementation", value) == expected


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ({"model_type": "lightglue", "trust_remote_code": True}, "config.json", ["high"]),
        ({"architectures": ["LightGlueForKeypointMatching"], "a": {"trust_remote_code": "true"}}, "c.json", ["high"]),
        ({"keypoint_detector_config": {"trust_remote_code": 1}}, "config.json", ["high"]),
        ({"trust_remote_code": True}, "config.json", ["medium"]),
        ("trust_remote_code: yes\n", "train.yaml", ["note"]),
        ("model_type: lightglue\nx: {trust_remote_code: true}\n", "config.yaml", ["high"]),
        ({"model_type": "lightglue", "trust_remote_code": False}, "config.json", []),
        ({"trust_remote_code": None}, "config.json", []),
    ],
)
def test_nested_trust_remote_code(value: Any, name: str, expected: list[str]) -> None:
    assert [severity for severity, _ in said("hub/nested-trust-remote-code", value, name)] == expected


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("torch.optim.AdamW", "note"),
        ("torch.nn.functional.gelu", "note"),
        ("transformers.AutoModel.from_pretrained", "note"),
        ("collections.OrderedDict", "note"),
        ("timm.create_model", "note"),
        ("torch.compile", "note"),
        ("src.models.Net", "medium"),
        ("${oc.env:X}", "medium"),
        ("random.seed", "medium"),
        ("os.system", "critical"),
        ("eval", "critical"),
        ("builtins.exec", "critical"),
        ("__builtin__.eval", "critical"),
        ("subprocess:run", "critical"),
        (" os.system ", "critical"),
        ("posix.system", "critical"),
        ("torch.serialization.os.system", "critical"),
        ("random._os.system", "critical"),
        ("torch.hub.load", "critical"),
        ("pickle.loads", "critical"),
        ("importlib.import_module", "critical"),
        ("shutil.rmtree", "high"),
    ],
)
def test_what_a_name_leads_to(name: str, severity: str) -> None:
    judged = judge(name)
    assert str(judged.severity) == severity
    assert judged.confidence is Confidence.HIGH or judged.severity <= Severity.MEDIUM


def test_config_target_gives_the_callable_and_its_arguments() -> None:
    config = {"a": [{"_target_": "os.system", "_args_": ["echo \x1b[31m"]}]}
    (finding,) = run("hub/config-target", part("config.json", config))
    assert (finding.severity, finding.location.pointer) == (Severity.CRITICAL, "/a/0/_target_")
    assert finding.evidence == {
        "callable": "os.system",
        "arguments": "['echo \\\\x1b[31m']",
        "capability": "process",
    }


@pytest.mark.parametrize(
    ("value", "severities"),
    [
        ({"a": {"_target_": "x.Y"}, "b": {"_target_": "x.Y"}}, ["medium"]),
        ({"target": "os.system"}, []),
        ({"target": "os.system", "params": None}, ["critical"]),
        ({"target": "cpu", "params": {}}, []),
        ({"_target_": "hydra.utils.get_class", "path": "torch.nn.Linear"}, ["note"]),
        ({"_target_": "hydra.utils.get_class", "path": "os.system"}, ["critical"]),
        ({"_target_": "hydra.utils.instantiate", "config": {"_target_": "torch.nn.Linear"}}, ["critical", "note"]),
        ({"_target_": ["torch.nn.Linear", "os.system"]}, ["note", "critical"]),
        ({"_target_": {"_target_": "os.system"}}, ["critical"]),
        ({"_target_": 3}, []),
    ],
)
def test_config_target_in_its_forms(value: Any, severities: list[str]) -> None:
    assert [severity for severity, _ in said("hub/config-target", value)] == severities


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("model_index.json", {"_class_name": "P", "vae": ["diffusers", "V"]}, []),
        ("model_index.json", {"_class_name": ["pipe", "P"]}, [("medium", "/_class_name")]),
        ("model_index.json", {"vae": ["my_vae", "V"]}, [("medium", "/vae")]),
        ("modular_model_index.json", {"vae": ["my_vae", "V", {"repo": "a/b"}]}, [("medium", "/vae")]),
        ("unet/config.json", {"down_block_types": ["A", "B"]}, []),
        ("modules.json", [{"type": "sentence_transformers.models.Pooling"}], []),
        ("modules.json", [{"type": "custom_st.T"}], [("medium", "/0/type")]),
        ("config.json", {"activation_function": "gelu_new"}, []),
        ("config.json", {"activation_function": "mine.Act"}, [("medium", "/activation_function")]),
        ("config.json", {"activation_fn": "torch.nn.Sigmoid"}, []),
        ("adapter_config.json", {"auto_mapping": {"parent_library": "transformers.x", "base_model_class": "M"}}, []),
        (
            "adapter_config.json",
            {"auto_mapping": {"parent_library": "transformers_modules.x", "base_model_class": "M"}},
            [("medium", "/auto_mapping/parent_library")],
        ),
        ("MLmodel.yaml", "python_function:\n  loader_module: mlflow.sklearn\n", []),
        ("MLmodel.yaml", "python_function:\n  loader_module: mine\n", [("medium", "/python_function/loader_module")]),
        (
            "MLmodel.yaml",
            "python_function:\n  loader_module: mlflow.pyfunc.model\n  code: code\n",
            [("medium", "/python_function/code")],
        ),
    ],
)
def test_config_callable(name: str, value: Any, expected: list[tuple[str, str]]) -> None:
    assert said("hub/config-callable", value, name) == expected


@pytest.mark.parametrize(
    ("value", "severities"),
    [
        ({"imports": ["$import glob"], "x": "$@y"}, ["medium"]),
        ({"x": "$__import__('os').system('echo')", "y": "$1"}, ["critical", "medium"]),
        ({"price": "$10"}, []),
        ({"prompt": "$HOME"}, []),
        ({"_meta_": {}, "x": "plain"}, []),
    ],
)
def test_config_expression(value: Any, severities: list[str]) -> None:
    assert [severity for severity, _ in said("hub/config-expression", value)] == severities


def test_python_code_names_ten_and_counts_the_rest() -> None:
    files = [part(f"m{i:02}.py", "import torch\nimport os\n") for i in range(13)]
    found = run("hub/python-code", *files, part("modeling_z.py", "import nobody_knows\n"))
    assert len(found) == 11
    assert found[0].message == (
        "is Python code that comes with the model; it imports nobody_knows, a package that OpenVet does not know"
    )
    assert found[1].message == (
        "is Python code that comes with the model, and loading it only defines classes and functions; it imports os, torch"
    )
    assert [str(each.severity) for each in found] == ["low", *["note"] * 10]
    assert found[-1].evidence["count"] == 4


def test_python_code_leaves_torchscript_out() -> None:
    inner = part("a/code/m.py", "import torch")
    for container, count in (("torch-zip", 0), ("zip", 1)):
        outer = Component("a", "a", 1, (container,), inner.coverage, children=(inner,))
        assert len(run("hub/python-code", outer)) == count


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("x: !!python/object/apply:os.system [echo]", ["critical"]),
        ("x: !!python/name:os.system ''", ["critical"]),
        ("x: !!python/module:os ''", ["medium"]),
        ("x: !!python/object/new:mine.Thing {}", ["medium"]),
        ("x: !!python/object/apply:torch.nn.Linear []", ["low"]),
        ("x: !!python/tuple [1]", []),
        ("x: !apply:os.system [echo]", ["critical"]),
        ("x: !name:shutil.os.system ''", ["critical"]),
        ("x: !new:torch.nn.Linear {}", ["note"]),
        ("x: !ref <y>", []),
        ("%TAG !p! tag:yaml.org,2002:python/object/apply:\n---\nx: !p!os.system [echo]", ["critical"]),
    ],
)
def test_object_tags(text: str, severities: list[str]) -> None:
    assert [severity for severity, _ in said("yaml/object-tag", text, "a.yaml")] == severities


def test_duplicate_keys_and_odd_words() -> None:
    assert said("json/duplicate-key", '{"a": 1, "a": 2}') == [("medium", None)]
    assert said("json/duplicate-key", '{"a": 1, "a": 1}') == []
    assert said("json/duplicate-key", "a: 1\na: 2\n", "a.yaml") == [("medium", None)]
    assert said("json/not-standard", '{"a": NaN}') == [("note", None)]
    assert said("json/not-standard", '{"a": "NaN"}') == []
