"""Every sample of the gallery gives exactly the rules and the verdict that it names, bare and inside of containers."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import openvet
from openvet.checks._run import checks
from openvet.core.rule import Severity
from openvet.reports.report import ModelReport
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_sample import Sample

RULES = {
    "pickle/broken-stream", "pickle/carried-code", "pickle/computed-name", "pickle/extension-code", "pickle/frame-mismatch",
    "pickle/framework-class", "pickle/memory-bomb", "pickle/imports-module", "pickle/loads-native-code", "pickle/loads-nested",
    "pickle/nested-pickle", "pickle/opens-network", "pickle/other-dangerous-callable", "pickle/project-class",
    "pickle/runs-code", "pickle/runs-process", "pickle/state-on-callable", "pickle/touches-files", "pickle/trailing-data",
    "pickle/unknown-callable",
}  # fmt: skip


def in_zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def in_tar(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("folder/weights.bin")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def bare(data: bytes) -> bytes:
    return data


def in_tar_gz(data: bytes) -> bytes:
    return gzip.compress(in_tar(data), mtime=0)


def check(tmp_path: Path, data: bytes, name: str) -> ModelReport:
    path = tmp_path / name
    path.write_bytes(data)
    return openvet.check(path).models[0]


def names(samples: tuple[Sample, ...]) -> list[str]:
    return [sample.name for sample in samples]


def test_the_gallery_has_a_sample_for_every_rule() -> None:
    known = {module.RULE.id for module in checks().modules if module.RULE.id.startswith("pickle/")}
    # code objects and what exhausts have cases of their own; what a team accepts is tested in tests/config
    assert known - {"pickle/code-object", "pickle/accepted-callable", "pickle/resource-bomb"} == RULES
    assert {rule for sample in HOSTILE for rule in sample.rules} == RULES - {"pickle/framework-class"}
    assert len({sample.name for sample in (*HOSTILE, *HARMLESS)}) == len(HOSTILE) + len(HARMLESS)


@pytest.mark.parametrize("sample", HOSTILE, ids=names(HOSTILE))
def test_hostile(sample: Sample, tmp_path: Path) -> None:
    model = check(tmp_path, sample.forge(), "model.pkl")
    assert {each.rule for each in model.scan.all_findings() if each.severity > Severity.NOTE} == sample.rules
    assert str(model.decision.verdict) == ("reject" if sample.rejected else "review")


@pytest.mark.parametrize("sample", HARMLESS, ids=names(HARMLESS))
def test_harmless(sample: Sample, tmp_path: Path) -> None:
    model = check(tmp_path, sample.forge(), "model.pkl")
    assert [each.rule for each in model.scan.all_findings() if each.severity > Severity.NOTE] == []
    assert str(model.decision.verdict) == "admit", [each.message for each in model.decision.reasons]


@pytest.mark.parametrize("wrap", [in_zip, in_tar, gzip.compress, in_tar_gz], ids=["torch-zip", "tar", "gzip", "tar.gz"])
def test_no_container_hides_a_hostile_one(wrap: Callable[[bytes], bytes], tmp_path: Path) -> None:
    missed = []
    for sample in HOSTILE:
        model = check(tmp_path, wrap(sample.forge()), "model.bin")
        found = {each.rule for each in model.scan.all_findings()}
        verdict = str(model.decision.verdict)
        if not sample.rules <= found or verdict == "admit" or (sample.rejected and verdict != "reject"):
            missed.append((sample.name, verdict, sorted(sample.rules - found)))
    assert missed == []


@pytest.mark.parametrize("name", ["model.safetensors", "model.gguf", "README.md", "photo.png", "config.json"])
def test_no_name_hides_a_hostile_one(name: str, tmp_path: Path) -> None:
    missed = [s.name for s in HOSTILE if str(check(tmp_path, s.forge(), name).decision.verdict) != "reject"]
    assert missed == []


def test_a_framework_class_is_a_note_that_names_its_package(tmp_path: Path) -> None:
    stream = b"\x80\x02csklearn.svm._classes\nSVC\n)\x81}X\x01\x00\x00\x00CG?\xf0\x00\x00\x00\x00\x00\x00sb."
    model = check(tmp_path, stream, "model.pkl")
    notes = [(each.rule, each.severity, each.evidence.get("package")) for each in model.scan.all_findings()]
    assert notes == [("pickle/framework-class", Severity.NOTE, "scikit-learn")]
    assert str(model.decision.verdict) == "admit"
