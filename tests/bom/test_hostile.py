"""Whatever stands in a card, a list of packages or a name of a file: a bill is written, and it is as its schema wants it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvet.bom.cyclonedx import cyclonedx
from openvet.bom.spdx import spdx
from openvet.errors import UsageError
from openvet.workflows.bom import bill_of, document_of, signable_document, time_of
from tests.bom.forms import cyclonedx_errors, dangling, spdx_errors

_TEXT = st.text(max_size=30)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT
_VALUES = st.recursive(
    _SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(_TEXT, each, max_size=3), max_leaves=6
)
_KEYS = (
    "license", "license_name", "license_link", "language", "library_name", "pipeline_tag", "base_model", "base_model_relation", "datasets",
    "tags", "model_name", "model_creator", "co2_eq_emissions", "domain", "autonomyType", "energyQuantity", "metricDecisionThreshold",
)  # fmt: skip
_FRONT = st.dictionaries(st.sampled_from(_KEYS) | _TEXT, _VALUES, max_size=8)
_NAMES = st.lists(
    st.binary(min_size=1, max_size=20)
    .map(lambda each: each.replace(b"/", b"_").replace(b"\0", b"_"))
    .filter(lambda each: each not in (b".", b"..")),
    max_size=3,
)


def check(folder: str, **options: Any) -> None:
    bill = bill_of(folder, **options)
    first, second = cyclonedx(bill), spdx(bill)
    json.dumps(first, allow_nan=False)
    assert cyclonedx_errors(first) == []
    assert dangling(first) == set()
    assert spdx_errors(second) == []
    for form, errors in (("cyclonedx", cyclonedx_errors), ("spdx", spdx_errors)):
        assert errors(signable_document(document_of(bill, form)).to_json()) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_FRONT, _VALUES, st.text(max_size=200), _NAMES)
def test_any_card(front: dict[str, Any], index: Any, prose: str, names: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        card = json.dumps({**front, "model-index": index}, allow_nan=True)
        text = f"---\n{card}\n---\n# A\n## Uses\n{prose}\n## Model Description\n{prose}\n"
        Path(folder, "README.md").write_bytes(text.encode("utf-8", "replace"))
        Path(folder, "CITATION.cff").write_bytes(json.dumps({"title": index, **front}).encode("utf-8", "replace"))
        Path(folder, "config.json").write_bytes(
            json.dumps({"model_type": index, "hidden_size": index}).encode("utf-8", "replace")
        )
        Path(folder, "requirements.txt").write_bytes(f"numpy\n{prose}\ntorch=={prose}".encode("utf-8", "replace"))
        for each in names:
            Path(folder, os.fsdecode(each)).write_bytes(b"x")
        check(folder)


FRONTS = {
    "a licence that is a list": "license: [mit, apache-2.0, '', 7]",
    "a number where a text is": "license: 7\npipeline_tag: 3.5\nmodel_name: [a]",
    "energy that is no number": "co2_eq_emissions: {emissions: .nan, energy_consumed: .inf}",
    "energy below nothing": "co2_eq_emissions: {emissions: -5, energy_consumed: -1}",
    "more energy than there is": "co2_eq_emissions: {emissions: 1.0e+300, energy_consumed: 1.0e+300}",
    "energy in a text": "energyQuantity: many\nco2_eq_emissions: 12 g",
    "a base model that is a path": "base_model: ../../etc/passwd\ndatasets: ['', ' ', 'a b']",
    "another language": "license: mit\nmodel_name: 모델\ndomain: [의료, 금융]",
    "control characters": 'model_name: "a\\u0000b\\u001bc"\ndomain: "\\ud83d"',
    "words that are none of SPDX's": "autonomyType: perhaps\nsafetyRiskAssessment: 3\nuseSensitivePersonalInformation: [yes]",
    "links that are none": "license: other\nlicense_link: 'javascript:alert(1)'\nlicense_name: x y/z",
    "everything at once": "base_model: [a/b, a/b, c]\nbase_model_relation: [merge]\ndatasets: [a/b, a/b]\ntags: ['arxiv:2301.00001', 5]",
}


@pytest.mark.parametrize("name", FRONTS)
def test_front_matter_that_lies_about_its_kinds(name: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{FRONTS[name]}\n---\n# A\n")
    (tmp_path / "config.json").write_text("{}")
    check(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "numpy==" + "1" * 5000,
        "x @ javascript:alert(1)",
        "-i http://[::1",
        "--extra-index-url https://a b",
        "a==1;\n" * 3000,
        "é==1",
        "git+https://h/%zz%",
    ],
)
def test_lists_of_packages(text: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(text + "\ntorch==2\n")
    check(str(tmp_path))


def test_names_that_are_printed_alike_are_two(tmp_path: Path) -> None:
    for name in (b"a\\xff.txt", b"a\xff.txt"):
        Path(tmp_path, os.fsdecode(name)).write_bytes(name)
    check(str(tmp_path))


@pytest.mark.parametrize("purl", ["x", "pkg:", "pkg:huggingface/", "pkg:pypi/a/b", "pkg:a/b%"])
def test_a_package_url_that_is_none_is_refused(purl: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError):
        bill_of(str(tmp_path), purl=purl)


@pytest.mark.parametrize(
    "purl", ["pkg:mlflow/a@3?repository_url=https://h/x", "pkg:oci/a@sha256:00", "pkg:huggingface/a/b%20c@x"]
)
def test_others_are_taken(purl: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    check(str(tmp_path), purl=purl)


def test_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert time_of(None) is None
    found = time_of("2026-11-28")
    assert found is not None
    assert found.isoformat() == "2026-11-28T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    epoch = time_of(None)
    assert epoch is not None
    assert epoch.year == 1970
    for wrong in ("x", "9" * 40):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(UsageError):
            time_of(None)
        with pytest.raises(UsageError):
            time_of(wrong)
