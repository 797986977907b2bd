"""Packages in files, in bills of materials, and what others say in VEX: all of it read, none of it believed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.advisories.documents import beside, is_bill, packages_of_bill, read_vex, value_of
from openvet.advisories.packages import MOST_PLACES, _caret, _conda, named_in_items, named_packages
from openvet.core.progress import Progress
from openvet.errors import MalformedError
from openvet.evidence.predicates.advisories_v1 import AdvisoryHit
from openvet.evidence.predicates.inventory_v1 import Item
from openvet.workflows.check import Options, check, take

FILES = {
    "requirements.txt": "# comment\ntorch==2.5.1  # pinned\nTransformers[torch] >= 4.40, <5\nnumpy\nx @ https://example.org/x.whl\n-r more.txt\n",
    "sub/Dockerfile": "FROM python\n# RUN pip install no==1\nRUN pip3 install --no-cache-dir -i https://example.org/simple \\\n    keras==3.8.0 'onnx<1.17' \\\n && echo pip\nRUN pip install -r requirements.txt $MORE ./local\n",
    "pyproject.toml": '[build-system]\nrequires = ["setuptools>=61"]\n[project]\nname = "x"\ndependencies = ["mlflow==2.9.0", 7]\n[project.optional-dependencies]\nall = ["gradio"]\n[dependency-groups]\ndev = ["pytest", {include-group = "x"}]\n[tool.poetry.dependencies]\npython = "^3.9"\nscipy = "^1.2.3"\nray = {version = "~2.4", optional = true}\nown = {path = "."}\n',
    "conda.yaml": "name: x\nchannels: [a]\ndependencies:\n  - python=3.11\n  - conda-forge::pytorch=2.1\n  - scikit-learn==1.4.0=py_0\n  - lightgbm>=4\n  - pip:\n    - vllm==0.5.0\n",
    "poetry.lock": '[[package]]\nname = "Jinja2"\nversion = "3.1.2"\n[[package]]\nname = 7\n',
    "requirements-dev.txt": "ray\n",
    "notes.txt": "ray\n",
    "env/notes.yaml": "dependencies: [nothing==1]\n",
}
EXPECTED = {
    ("torch", "==2.5.1", "requirements.txt:2", "requirements"), ("transformers", ">=4.40,<5", "requirements.txt:3", "requirements"),
    ("numpy", "", "requirements.txt:4", "requirements"), ("ray", "", "requirements-dev.txt:1", "requirements"), ("keras", "==3.8.0", "sub/Dockerfile:3", "script"),
    ("onnx", "<1.17", "sub/Dockerfile:3", "script"), ("setuptools", ">=61", "pyproject.toml /build-system/requires/0", "pyproject"),
    ("mlflow", "==2.9.0", "pyproject.toml /project/dependencies/0", "pyproject"),
    ("gradio", "", "pyproject.toml /project/optional-dependencies/all/0", "pyproject"),
    ("pytest", "", "pyproject.toml /dependency-groups/dev/0", "pyproject"),
    ("scipy", ">=1.2.3,<2", "pyproject.toml /tool/poetry/dependencies/scipy", "pyproject"),
    ("ray", ">=2.4,<2.5", "pyproject.toml /tool/poetry/dependencies/ray", "pyproject"),
    ("torch", "==2.1.*", "conda.yaml /dependencies/1", "conda"), ("scikit-learn", "==1.4.0", "conda.yaml /dependencies/2", "conda"),
    ("lightgbm", ">=4", "conda.yaml /dependencies/3", "conda"), ("vllm", "==0.5.0", "conda.yaml /dependencies/4/pip/0", "conda"),
    ("jinja2", "==3.1.2", "poetry.lock /package/0", "lock"),
}  # fmt: skip


def test_every_place_that_names_packages(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    inventory = take(str(tmp_path), Options(algorithms=()).settled(), Progress()).inventory
    found, left_out = named_packages(inventory)
    assert left_out == 0
    assert {(each.name, each.specifier, str(each.location), each.via) for each in found} == EXPECTED
    assert list(found) == sorted(
        found, key=lambda each: (each.location.place, each.location.line or 0, each.location.pointer or "")
    )
    # a statement keeps what the readers noted, and no documents
    items = [Item(each.place, each.formats, 0, {}, "read", each.metadata) for each in inventory.walk()]
    assert {each.via for each in named_in_items(items)[0]} == {"requirements", "script"}


def test_places_beyond_the_limit_are_told_and_cost_little(tmp_path: Path) -> None:
    for number in range(20):
        lines = [f"tensorflow==1.{number}.{each}\nx{number}-{each}==1\n" for each in range(250)]
        (tmp_path / f"requirements{number}.txt").write_text("".join(lines))
    inventory = take(str(tmp_path), Options(algorithms=()).settled(), Progress()).inventory
    found, left_out = named_packages(inventory)
    assert sum(each.name == "tensorflow" for each in found) == MOST_PLACES
    assert len(found) + left_out == 10_000
    started = time.process_time()
    (report,) = check([str(tmp_path)], Options(algorithms=())).models
    assert time.process_time() - started < 10
    assert any("were not held against advisories" in each.message for each in report.unknowns)


@pytest.mark.parametrize(
    ("written", "means"),
    [("^1.2.3", ">=1.2.3,<2"), ("^0.2.3", ">=0.2.3,<0.3"), ("^0.0.3", ">=0.0.3,<0.0.4"), ("^0", ">=0,<1"), ("~1.2", ">=1.2,<1.3"), ("~1", ">=1,<2"),
     ("1.2", "==1.2"), ("1.2.*", "==1.2.*"), ("*", ""), (">=1,<2", ">=1,<2"), ("^1.2 || ^2", "^1.2 || ^2")],
)  # fmt: skip
def test_requirements_of_poetry(written: str, means: str) -> None:
    assert _caret(written) == means


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("=1.26", "==1.26.*"),
        ("==1.26.4", "==1.26.4"),
        ("=1.26.4=py_0", "==1.26.4"),
        (">=1,<2", ">=1,<2"),
        ("", ""),
        (" 1|2", ""),
    ],
)
def test_requirements_of_conda(written: str, means: str) -> None:
    assert _conda(written) == means


# --- bills of materials ---

CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "components": [
        {"type": "library", "name": "torch", "purl": "pkg:pypi/torch@2.5.1?x=y#z", "components": [{"purl": "pkg:pypi/Num_Py"}]},
        {"purl": "pkg:golang/github.com/ollama/ollama@0.5.0"}, {"purl": "pkg:maven/org.apache/avro@1.11"}, {"purl": "pkg:npm/%40scope/x@1"},
        {"purl": 7}, 8, {"purl": "pkg:huggingface/a/b@1"}, {"purl": "no"},
    ],
}  # fmt: skip


def test_packages_of_cyclonedx() -> None:
    found = [
        (each.ecosystem, each.name, each.specifier, str(each.location))
        for each in packages_of_bill(CYCLONEDX, "bom.json")
    ]
    assert sorted(found) == [
        ("Go", "github.com/ollama/ollama", "==0.5.0", "bom.json /components/1"),
        ("Maven", "org.apache:avro", "==1.11", "bom.json /components/2"),
        ("PyPI", "num-py", "", "bom.json /components/0/components/0"),
        ("PyPI", "torch", "==2.5.1", "bom.json /components/0"),
        ("npm", "@scope/x", "==1", "bom.json /components/3"),
    ]


def test_packages_of_spdx() -> None:
    refs = [{"referenceType": "purl", "referenceLocator": "pkg:pypi/torch@1"}, {"referenceType": "cpe"}, 7]
    two = {"spdxVersion": "SPDX-2.3", "packages": [{"externalRefs": refs}, 7, {"externalRefs": 8}]}
    ids = [{"externalIdentifierType": "packageUrl", "identifier": "pkg:pypi/keras@2"}]
    three = {
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [{"software_packageUrl": "pkg:pypi/torch@1"}, {"externalIdentifier": ids}, 7],
    }
    assert is_bill(two)
    assert is_bill(three)
    assert not is_bill({"@context": "x"})
    assert not is_bill({})
    assert [(each.name, each.specifier) for each in packages_of_bill(two, "x")] == [("torch", "==1")]
    assert [(each.name, each.specifier) for each in packages_of_bill(three, "x")] == [
        ("torch", "==1"),
        ("keras", "==2"),
    ]


def test_a_bill_that_is_nested_without_end() -> None:
    value: Any = {"purl": "pkg:pypi/torch@1"}
    for _ in range(400):
        value = {"components": [value]}
    assert packages_of_bill({"bomFormat": "CycloneDX", "components": [value]}, "x") == ()


# --- VEX ---

OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0", "author": "us\x1b[31m",
    "statements": [
        {"vulnerability": {"name": "CVE-1", "aliases": ["GHSA-1", 7]}, "status": "not_affected", "justification": "component_not_present",
         "products": [{"@id": "pkg:pypi/torch"}, "pkg:pypi/x", 7, {"identifiers": {"purl": "pkg:pypi/y"}}], "impact_statement": "never loaded"},
        {"vulnerability": "CVE-2", "status": "fixed"}, 7, {"vulnerability": 8, "status": ["x"]},
    ],
}  # fmt: skip


def test_openvex_is_shown_beside_and_hides_nothing() -> None:
    hits = (
        AdvisoryHit("GHSA-1", ("CVE-1",), "PyPI", "torch", "affected"),
        AdvisoryHit("GHSA-9", (), "PyPI", "x", "affected"),
    )
    said = read_vex(json.dumps(OPENVEX).encode(), "a.json")
    found = beside(hits, said)
    assert [(each.id, each.status) for each in found] == [("GHSA-1", "affected"), ("GHSA-9", "affected")]
    (one,) = found[0].vex
    assert (one.source, one.status, one.justification) == ("a.json", "not_affected", "component_not_present")
    assert one.text == "of pkg:pypi/torch, pkg:pypi/x, pkg:pypi/y: never loaded"
    assert "\x1b" not in one.author
    assert found[1].vex == ()


def test_vex_in_cyclonedx() -> None:
    found = {"id": "CVE-1", "references": [{"id": "GHSA-1"}, 7], "affects": [{"ref": "torch"}, 7],
             "analysis": {"state": "not_affected", "justification": "code_not_reachable", "detail": "no"}}  # fmt: skip
    document = {
        "bomFormat": "CycloneDX",
        "metadata": {"supplier": {"name": "them"}},
        "vulnerabilities": [found, {"id": "CVE-2"}, 7],
    }
    (said,) = read_vex(json.dumps(document).encode(), "b.json")
    assert said.names == {"CVE-1", "GHSA-1"}
    assert (said.statement.author, said.statement.status, said.statement.text) == (
        "them",
        "not_affected",
        "of torch: no",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"[" * 200_000,
        b"\xff",
        b'{"statements": []}',
        b'{"@context": "openvex", "statements": 7}',
    ],
)
def test_what_is_no_vex(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_vex(data, "x")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["vulnerability", "name", "aliases", "products", "@id", "identifiers", "purl", "status", "analysis", "state", "affects", "ref", "references",
         "id", "metadata", "supplier", "components", "packages", "externalRefs", "externalIdentifier", "author"]), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES, VALUES, VALUES)
def test_values_of_any_kind_are_read_or_refused(one: Any, other: Any, third: Any) -> None:
    vex = {"@context": "https://openvex.dev/ns/v0.2.0", "author": one, "statements": [other, third]}
    read_vex(json.dumps(vex).encode(), "x")
    for bill in (
        {"bomFormat": "CycloneDX", "metadata": one, "components": other, "vulnerabilities": third},
        {"spdxVersion": "SPDX-2.3", "packages": [one, other]},
        {"@context": "https://spdx.org/", "@graph": [one, other, third]},
    ):
        assert is_bill(bill)
        packages_of_bill(value_of(json.dumps(bill).encode(), "x"), "x")
        if bill.get("bomFormat"):
            read_vex(json.dumps(bill).encode(), "x")
