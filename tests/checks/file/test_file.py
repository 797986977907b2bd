"""The rules about whole files."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from openvet.checks._check import Context
from openvet.checks.file._kinds import claims, name_rules
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Severity
from openvet.formats._format import Anomaly, Tensor
from openvet.inventory.component import Component, Inventory
from openvet.policy.builtin import verdict_of
from openvet.policy.decision import Verdict


def run(rule: str, *files: Component) -> list[Finding]:
    module: ModuleType = importlib.import_module(f"openvet.checks.{rule.replace('/', '.').replace('-', '_')}")
    return list(module.check(Context(Inventory(files), module.RULE)))


def file(place: str, *formats: str, **more: Any) -> Component:
    more.setdefault("coverage", Coverage.READ)
    return Component(place, place, 100, formats, **more)


@pytest.mark.parametrize(
    ("rule", "severity", "verdict"),
    [
        ("file/malformed", Severity.MEDIUM, Verdict.REVIEW),
        ("file/polyglot", Severity.HIGH, Verdict.REJECT),
        ("file/trailing-data", Severity.MEDIUM, Verdict.REVIEW),
        ("file/incomplete", Severity.MEDIUM, Verdict.REVIEW),
        ("file/link-escapes", Severity.MEDIUM, Verdict.REVIEW),
        ("file/special", Severity.MEDIUM, Verdict.REVIEW),
        ("file/changed", Severity.MEDIUM, Verdict.REVIEW),
        ("file/name-hides", Severity.MEDIUM, Verdict.REVIEW),
        ("safetensors/header-lies", Severity.MEDIUM, Verdict.REVIEW),
        ("gguf/header-lies", Severity.MEDIUM, Verdict.REVIEW),
        ("gguf/size-overflow", Severity.HIGH, Verdict.REJECT),
        ("npy/header-lies", Severity.MEDIUM, Verdict.REVIEW),
        ("npy/object-array", Severity.NOTE, Verdict.ADMIT),
    ],
)
def test_what_readers_record_becomes_findings(rule: str, severity: Severity, verdict: Verdict) -> None:
    where = Location("a!/b", 7)
    inner = file("a!/b", anomalies=(Anomaly(rule, "the message", where, {"x": 1}), Anomaly("other/rule", "no", where)))
    findings = run(rule, file("a", "zip", children=(inner,)), file("c", "text"))
    assert [(each.rule, each.severity, each.location, each.message, each.evidence) for each in findings] == [
        (rule, severity, where, "the message", {"x": 1})
    ]
    assert verdict_of(findings[0]) is verdict
    assert findings[0].remedy.endswith(".")


# names


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("model.safetensors", ("safetensors",)),
        ("MODEL.SAFETENSORS", ("safetensors",)),
        ("pytorch_model.bin", ("pickle",)),
        ("pytorch_model.bin", ("gguf",)),
        ("model.pt", ("zip",)),
        ("model.pkl", ("pickle",)),
        ("tokenizer.model", ("sentencepiece",)),
        ("tokenizer.model", ("text",)),
        ("config.json", ("json",)),
        ("config.json", ("text",)),
        ("README.md", ("text",)),
        ("vocab.txt", ("json",)),
        ("a.py", ("text",)),
        ("a.onnx", ("onnx",)),
        ("a.pb", ("tf-graph",)),
        ("a.so", ("elf",)),
        ("a.npz", ("zip",)),
        ("a.keras", ("zip",)),
        ("a.h5", ("hdf5",)),
        ("a.mat", ("hdf5",)),
        ("a.tflite", ("tflite",)),
        ("a.tflite", ("zip",)),
        ("a.rds", ("gzip",)),
        ("checkpoint.pth.tar", ("torch-zip",)),
        ("LICENSE", ("text",)),
        (".gitattributes", ("text",)),
        ("a.unheard-of", ("png",)),
        ("libfoo.so.1", ("elf",)),
        ("a.safetensors", ()),
        ("notes.txt", ("empty",)),
        ("a.safetensors", ("lfs-pointer",)),
        ("a.png", ("png",)),
        ("a.jpeg", ("jpeg",)),
    ],
)
def test_an_ordinary_name_is_no_finding(name: str, formats: tuple[str, ...]) -> None:
    assert run("file/name-mismatch", file(name, *formats)) == []


@pytest.mark.parametrize(
    "name", ["a.safetensors", "a.gguf", "a.json", "a.txt", "a.npy", "a.png", "b/A.Onnx", "a.md", "x!/a.py"]
)
@pytest.mark.parametrize("format_id", ["pickle", "joblib-zfile"])
def test_a_pickle_under_a_safe_name_is_rejected(name: str, format_id: str) -> None:
    findings = run("file/name-mismatch", file(name, format_id))
    assert [each.severity for each in findings] == [Severity.HIGH]
    assert verdict_of(findings[0]) is Verdict.REJECT


def test_a_pickle_hidden_behind_another_format_is_found_too() -> None:
    assert [each.severity for each in run("file/name-mismatch", file("a.json", "wav", "pickle"))] == [Severity.HIGH]


@pytest.mark.parametrize(
    ("name", "formats", "severity"),
    [
        ("a.safetensors", ("zip",), Severity.LOW),
        ("a.safetensors", ("text",), Severity.LOW),
        ("a.gguf", ("safetensors",), Severity.LOW),
        ("a.json", ("elf",), Severity.LOW),
        ("a.png", ("zip",), Severity.LOW),
        ("a.png", ("jpeg",), Severity.NOTE),
        ("a.gif", ("webp",), Severity.NOTE),
        ("a.pt", ("gif",), Severity.MEDIUM),
        ("a.pkl", ("text",), Severity.LOW),
        ("a.pth", ("json",), Severity.LOW),
        ("pytorch_model-00001-of-00002.bin", ("text",), Severity.LOW),
        ("a.pkl", ("wav",), Severity.MEDIUM),
        ("a.dll", ("pickle",), Severity.LOW),
    ],
)
def test_other_lies_of_names(name: str, formats: tuple[str, ...], severity: Severity) -> None:
    findings = run("file/name-mismatch", file(name, *formats))
    assert [each.severity for each in findings] == [severity]
    assert findings[0].evidence == {"ending": name[name.rindex(".") :], "formats": list(formats)}


def test_raw_storage_of_an_archive_has_no_name_to_lie() -> None:
    assert run("file/name-mismatch", file("a.pt!/data/0.json", "elf", role="tensor-data")) == []


def test_the_table_of_endings_is_whole() -> None:
    rules = name_rules()
    known = {each for ids in claims().values() for each in ids}
    for section in ("text", "generic", "unpickled", "safe"):
        endings = rules[section]["endings"]
        assert all(each.startswith(".") and each == each.lower() for each in endings)
        assert len(endings) == len(set(endings))
    assert set(rules["unpickled"]["endings"]) <= set(rules["generic"]["endings"])
    assert set(rules["safe"]["endings"]) <= set(claims())
    assert set(rules["media"]["formats"]) <= known
    assert set(rules["pickle"]["formats"]) <= known
    assert not set(rules["safe"]["endings"]) & set(rules["generic"]["endings"])


@pytest.mark.parametrize("name", ["a.safetensors", "b/Model.GGUF", "config.json", "pytorch_model.bin"])
def test_an_empty_file_where_none_can_be_is_incomplete(name: str) -> None:
    findings = run("file/incomplete", file(name, "empty", coverage=Coverage.INERT))
    assert [(each.location.place, each.severity) for each in findings] == [(name, Severity.MEDIUM)]
    assert findings[0].message == f"is empty, which no {name[name.rindex('.') :].lower()} file is"


@pytest.mark.parametrize("name", ["__init__.py", ".gitkeep", "merges.txt", "LICENSE", ".json", "py.typed"])
def test_an_empty_file_is_usual_elsewhere(name: str) -> None:
    assert run("file/incomplete", file(name, "empty"), file("a.safetensors", "safetensors")) == []


def test_empty_storage_in_an_archive_is_usual() -> None:
    assert run("file/incomplete", file("a.pt!/a/data.bin", "empty", role="tensor-data")) == []


# code


@pytest.mark.parametrize("kind", ["elf", "pe", "mach-o", "ape", "wasm", "java-class", "dex", "python-bytecode", "ar"])
def test_compiled_code_is_found_wherever_it_is(kind: str) -> None:
    inner = file("a.zip!/b", kind, coverage=Coverage.UNREAD)
    findings = run("file/native-code", file("a.zip", "zip", children=(inner,)))
    assert [(each.location.place, each.severity, each.evidence) for each in findings] == [
        ("a.zip!/b", Severity.HIGH if kind == "ape" else Severity.MEDIUM, {"format": kind})
    ]


def test_data_is_no_code() -> None:
    assert run("file/native-code", file("a", "hdf5"), file("b", "text"), file("c")) == []


# pointers


def test_a_pointer_is_a_finding() -> None:
    pointer = file("m.safetensors", "lfs-pointer", metadata={"sha256": "ab", "bytes": 90868376})
    findings = run("file/lfs-pointer", pointer, file("a.txt", "text"))
    assert [(each.message, each.evidence) for each in findings] == [
        (
            "is a Git LFS pointer: its 90868376 bytes were not downloaded and not checked",
            {"sha256": "ab", "bytes": 90868376},
        )
    ]


def test_a_pointer_without_its_facts_is_a_finding_too() -> None:
    assert len(run("file/lfs-pointer", file("m", "lfs-pointer"))) == 1


# the unsafe beside the safe

TENSORS = (Tensor("a", "F32", (1,)),)


def test_a_pickle_beside_safetensors_is_a_note() -> None:
    findings = run(
        "file/unsafe-beside-safe",
        file("m/model.safetensors", "safetensors", tensors=TENSORS),
        file("m/pytorch_model.bin", "pickle", tensors=TENSORS),
        file("m/two.bin", "pickle", children=(file("m/two.bin!/0", role="tensor-data"),)),
    )
    assert [(each.severity, each.evidence) for each in findings] == [
        (Severity.NOTE, {"unsafe": ["m/pytorch_model.bin", "m/two.bin"], "safe": ["m/model.safetensors"]})
    ]
    assert verdict_of(findings[0]) is Verdict.ADMIT


@pytest.mark.parametrize(
    "files",
    [
        (file("a/model.safetensors", "safetensors"), file("b/model.bin", "pickle", tensors=TENSORS)),
        (file("model.safetensors", "safetensors"), file("training_args.bin", "pickle")),
        (file("model.safetensors", "safetensors"), file("model.gguf", "gguf", tensors=TENSORS)),
        (file("model.bin", "pickle", tensors=TENSORS),),
    ],
)
def test_other_neighbours_are_none(files: tuple[Component, ...]) -> None:
    assert run("file/unsafe-beside-safe", *files) == []


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("model.bin", "elf", 1),
        ("weights.pt", "shell", 1),
        ("logo.png", "pe", 1),
        ("run.sh", "shell", 0),
        ("lib.so", "elf", 0),
    ],
)
def test_disguised_program(name: str, kind: str, found: int) -> None:
    assert len(run("file/disguised-program", file(name, kind))) == found
