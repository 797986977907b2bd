"""Both forms of a bill: as their schemas want them, the same each time, and each field with the bytes that it was read from."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openvet.bom._model_card import in_short
from openvet.bom.cyclonedx import cyclonedx
from openvet.bom.spdx import spdx
from openvet.evidence.predicates.advisories_v1 import AdvisoryHit
from openvet.testing.case import all_cases, write_case
from openvet.workflows.bom import bill_of, document_of, signable_document
from tests.bom.forms import at, cyclonedx_errors, dangling, spdx_errors
from tests.bom.models import MODELS, REVISION, whole

TIME = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return whole(tmp_path)


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["components"] if each["name"] == name)
    return found


def properties(component: dict[str, Any]) -> dict[str, str]:
    listed = [*component.get("properties", ()), *component.get("modelCard", {}).get("properties", ())]
    return {each["name"]: each["value"] for each in listed}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("time", [None, TIME], ids=["untimed", "timed"])
def test_they_are_as_their_schemas_want_them(name: str, time: datetime | None, tmp_path: Path) -> None:
    bill = bill_of(str(MODELS[name](tmp_path)))
    first = cyclonedx(bill, time)
    assert cyclonedx_errors(first) == []
    assert dangling(first) == set()
    assert spdx_errors(spdx(bill, time)) == []


@pytest.mark.parametrize("case", all_cases()[::60], ids=lambda case: case.id)
def test_those_of_all_kinds_of_models_are_too(case: Any, tmp_path: Path) -> None:
    bill = bill_of(str(write_case(case, tmp_path)))
    first = cyclonedx(bill)
    assert cyclonedx_errors(first) == []
    assert dangling(first) == set()
    assert spdx_errors(spdx(bill)) == []


@pytest.mark.parametrize(
    ("status", "state", "kind"),
    [
        ("affected", "exploitable", "security_VexAffectedVulnAssessmentRelationship"),
        ("may-be-affected", "in_triage", "security_VexUnderInvestigationVulnAssessmentRelationship"),
        ("unknown", "in_triage", "security_VexUnderInvestigationVulnAssessmentRelationship"),
        ("not-affected", "not_affected", "security_VexNotAffectedVulnAssessmentRelationship"),
    ],
)
def test_published_problems_stand_in_both_forms(status: str, state: str, kind: str, tmp_path: Path) -> None:
    bill = bill_of(str(MODELS["whole"](tmp_path)))
    assert bill.advisories is not None
    hit = AdvisoryHit(
        "GHSA-xxxx-yyyy-zzzz", ("CVE-2026-1234",), "PyPI", "Torch", status, "Something", "high", fixed=("2.9",)
    )
    bill = replace(bill, advisories=replace(bill.advisories, hits=(hit, replace(hit, name="nobody-names-it"))))
    first, second = cyclonedx(bill), spdx(bill)
    assert (cyclonedx_errors(first), dangling(first), spdx_errors(second)) == ([], set(), [])
    found = first["vulnerabilities"]
    assert [each["id"] for each in found] == ["CVE-2026-1234"] * 2
    assert {each["analysis"]["state"] for each in found} == {state}
    libraries = {each.ref for each in bill.of("library") if each.name == "torch"}
    assert libraries
    assert [{one["ref"] for one in each["affects"]} for each in found] == [libraries, {"model"}]
    assert [each["type"] for each in second["@graph"]].count(kind) == 2


def test_a_text_that_lies_with_the_model_is_concluded_and_a_name_is_declared(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes((Path(__file__).parents[2] / "LICENSE").read_bytes())
    (tmp_path / "README.md").write_text("---\nlicense: cc0-1.0\n---\nA model.\n")
    bill = bill_of(str(tmp_path))
    first, second = cyclonedx(bill), spdx(bill)
    assert (cyclonedx_errors(first), dangling(first), spdx_errors(second)) == ([], set(), [])
    model = first["components"][0]
    assert [each["license"]["id"] for each in model["licenses"]] == ["CC0-1.0"]
    assert [each["license"]["acknowledgement"] for each in model["evidence"]["licenses"]] == ["concluded"]
    kinds = {each.get("relationshipType") for each in second["@graph"]}
    assert {"hasDeclaredLicense", "hasConcludedLicense"} <= kinds


def test_whether_anybody_looked_for_problems_is_told(tmp_path: Path) -> None:
    bill = replace(bill_of(str(MODELS["bare"](tmp_path))), advisories=None)
    assert "openvet:advisories" not in json.dumps(cyclonedx(bill))
    assert "vulnerabilities" not in cyclonedx(bill)


def test_the_same_model_gives_the_same_bytes(model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(model, tmp_path / "elsewhere" / "models--acme--mini" / "snapshots" / REVISION))
    for form in ("cyclonedx", "spdx"):
        one, again = (document_of(bill_of(str(each)), form).to_json() for each in (model, other))
        assert json.dumps(one) == json.dumps(again)
        assert str(tmp_path) not in json.dumps(one)


def test_another_file_gives_another_serial_number(model: Path) -> None:
    before = cyclonedx(bill_of(str(model)))["serialNumber"]
    (model / "LICENSE").write_text("Another\n")
    assert cyclonedx(bill_of(str(model)))["serialNumber"] != before


def test_every_file_has_its_digest(model: Path) -> None:
    document = cyclonedx(bill_of(str(model)))
    for path in model.iterdir():
        wanted = {"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}
        assert wanted in component(document, path.name)["hashes"]


def test_every_field_of_the_model_says_from_which_bytes(model: Path) -> None:
    document = cyclonedx(bill_of(str(model)))
    cited = {pointer: each for each in document["citations"] for pointer in each["pointers"]}
    for pointer, each in cited.items():
        assert at(document, pointer) not in (None, "", [], {})
        for place, digest in re.findall(r"(?:in|from|;) ([\w.]+) [^;]*?sha256:([0-9a-f]{64})", each["note"]):
            assert hashlib.sha256((model / place).read_bytes()).hexdigest() == digest
    first = document["components"][0]
    ours = {
        "type",
        "bom-ref",
        "hashes",
        "pedigree",
        "evidence",
        "modelCard",
        "properties",
        "externalReferences",
        "licenses",
        "authors",
    }
    for field in set(first) - ours:
        assert any(pointer.startswith(f"/components/0/{field}") for pointer in cited), field
    for number, each in enumerate(first["properties"]):
        assert f"/components/0/properties/{number}" in cited or each["name"] == "openvet:dirHash", each["name"]
    for number in range(len(first["modelCard"]["properties"])):
        assert f"/components/0/modelCard/properties/{number}" in cited
    for field in ("licenses/0", "pedigree/ancestors/0", "evidence/licenses/0", "authors"):
        assert f"/components/0/{field}" in cited
    license_ = cited["/components/0/licenses/0"]
    assert license_["attributedTo"] == "file:README.md"
    assert license_["note"].startswith("declared in README.md /license line 2 sha256:")
    assert cited["/components/0/purl"]["attributedTo"] == "tool:openvet"


def test_what_a_model_is_made_of(model: Path) -> None:
    document = cyclonedx(bill_of(str(model)), TIME)
    assert document["metadata"]["timestamp"] == "2026-11-28T10:00:00Z"
    first = document["components"][0]
    assert first["purl"] == f"pkg:huggingface/acme/mini@{REVISION}"
    assert (first["group"], first["name"], first["version"]) == ("acme", "mini", "1.0.0")
    (held,) = first["licenses"]
    assert (held["license"]["id"], held["license"]["acknowledgement"]) == ("Apache-2.0", "declared")
    assert first["pedigree"]["ancestors"][0]["purl"] == "pkg:huggingface/acme/base-mini"
    card = first["modelCard"]
    assert card["modelParameters"]["approach"] == {"type": "self-supervised"}
    assert card["modelParameters"]["task"] == "text-generation"
    assert card["modelParameters"]["datasets"] == [{"ref": "dataset:acme/reviews"}]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "Accuracy", "value": "0.81", "slice": "acme/test"}
    ]
    energy = card["considerations"]["environmentalConsiderations"]["energyConsumptions"][0]
    assert energy["activityEnergyCost"] == {"value": 3.5, "unit": "kWh"}
    assert energy["co2CostEquivalent"] == {"value": 0.0012, "unit": "tCO2eq"}
    said = properties(first)
    assert said["cdx:ai-ml:model:hyperparameter:num_key_value_heads"] == "2"
    assert said["cdx:ai-ml:model:language"] == "en,de"
    assert said["cdx:ai-ml:model:modality"] == "text"
    assert properties(component(document, "tokenizer.json"))["cdx:ai-ml:model:tokenizer"] == "true"
    assert properties(component(document, "chat template default"))["cdx:ai-ml:model:template:chat"] == "true"
    data = component(document, "acme/reviews")["data"][0]
    assert data["contents"] == {"url": "https://huggingface.co/datasets/acme/reviews"}
    assert "contents" not in component(document, "acme/test")["data"][0], "where the data of a result lie is not said"
    assert component(document, "transformers")["purl"] == "pkg:pypi/transformers@4.57.0"
    assert component(document, "torch")["purl"] == "pkg:pypi/torch"
    assert properties(component(document, "torch"))["openvet:versions"] == ">=2.4"
    assert document["services"][0]["endpoints"] == ["https://example.com/acme/x@v1#egg=x"]
    flow = document["formulation"][0]["workflows"][0]
    assert flow["name"] == "finetune"
    assert [each["resource"]["ref"] for each in flow["inputs"]] == ["base:acme/base-mini", "dataset:acme/reviews"]


def test_a_template_is_a_component_with_a_digest_of_its_own(model: Path) -> None:
    digest = component(cyclonedx(bill_of(str(model))), "chat template default")["hashes"][0]["content"]
    text = json.loads((model / "tokenizer_config.json").read_text())["chat_template"]
    assert digest == hashlib.sha256(text.encode()).hexdigest()


def test_licences_that_spdx_does_not_list_keep_their_name(tmp_path: Path) -> None:
    bill = bill_of(str(MODELS["adapter"](tmp_path)))
    found = cyclonedx(bill)["components"][0]["licenses"]
    assert found == [
        {
            "license": {
                "name": "my-licence",
                "acknowledgement": "declared",
                "url": "https://example.com/l",
                "properties": [{"name": "openvet:reference", "value": "LicenseRef-my-licence"}],
            }
        }
    ]
    expressions = [each for each in spdx(bill)["@graph"] if each["type"] == "simplelicensing_LicenseExpression"]
    assert expressions[0]["simplelicensing_licenseExpression"] == "LicenseRef-my-licence"


@pytest.mark.parametrize(
    ("count", "text"), [(8, "8"), (999_999, "999999"), (106_800_000, "106.8M"), (7 * 10**9, "7B"), (10**12, "1T")]
)
def test_numbers_of_parameters(count: int, text: str) -> None:
    assert in_short(count) == text


def test_roles_of_files(tmp_path: Path) -> None:
    document = cyclonedx(bill_of(str(MODELS["adapter"](tmp_path))))
    roles = {each["name"]: properties(each).get("openvet:role") for each in document["components"][1:]}
    assert roles == {
        "README.md": "documentation",
        "adapter_config.json": "adapter",
        "adapter_model.safetensors": "adapter",
        "modeling_own.py": "code",
    }


def test_parts_of_a_pipeline_are_models(tmp_path: Path) -> None:
    document = cyclonedx(bill_of(str(MODELS["pipeline"](tmp_path))))
    models = [each["name"] for each in document["components"] if each["type"] == "machine-learning-model"]
    assert models[0] == "pipeline"
    assert sorted(models[1:]) == ["unet", "vae"]
    assert document["components"][0]["modelCard"]["modelParameters"]["architectureFamily"] == "StableDiffusionPipeline"


def test_what_contradicts_is_counter_evidence(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "torch_dtype": "bfloat16"}))
    document = cyclonedx(bill_of(str(model)))
    assert any("counterEvidence" in each for each in document["declarations"]["claims"])
    assert dangling(document) == set()


def fractions(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from fractions(each)
    elif isinstance(value, float):
        yield value


def test_what_is_signed_has_whole_numbers_alone(model: Path) -> None:
    for form in ("cyclonedx", "spdx"):
        document = signable_document(document_of(bill_of(str(model)), form)).to_json()
        assert list(fractions(document)) == []
        assert (cyclonedx_errors if form == "cyclonedx" else spdx_errors)(document) == []
        if form == "cyclonedx":
            for each in document["citations"]:
                for pointer in each["pointers"]:
                    at(document, pointer)


def test_relations_in_spdx(model: Path) -> None:
    graph = spdx(bill_of(str(model)))["@graph"]
    names = {each["spdxId"]: each.get("name") for each in graph if "spdxId" in each}
    found = {
        each["relationshipType"]: [names[one] for one in each["to"]] for each in graph if each["type"] == "Relationship"
    }
    assert found["trainedOn"] == ["acme/reviews"]
    assert found["testedOn"] == ["acme/test"]
    assert found["descendantOf"] == ["acme/base-mini"]
    assert "model.safetensors" in found["contains"]
    assert "transformers" in found["dependsOn"]
    assert "hasDeclaredLicense" in found
    package = next(each for each in graph if each["type"] == "ai_AIPackage" and each["name"] == "mini")
    assert package["ai_autonomyType"] == "no"
    assert package["ai_domain"] == ["customer reviews"]
    assert package["releaseTime"] == "2026-05-01T00:00:00Z"
    assert package["ai_energyConsumption"]["ai_finetuningEnergyConsumption"][0]["ai_energyQuantity"] == 3.5


def test_more_files_than_are_listed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.bom._pieces.MOST_PIECES", 3)
    bill = bill_of(str(model))
    assert bill.left_out == 6
    document = cyclonedx(bill)
    assert document["compositions"][0]["aggregate"] == "incomplete"
    assert cyclonedx_errors(document) == []
    assert dangling(document) == set()
    assert spdx_errors(spdx(bill)) == []
