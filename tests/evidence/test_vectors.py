"""``tests/vectors``: statements as they were signed, byte for byte; each is what we write today, is read back, and obeys its schema."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.dossier.test_tampering import SINGLE
from tests.evidence.vectors import FOLDER, made
from tests.reports.test_snapshots import schema

import openvet
from openvet.errors import VerifyError
from openvet.evidence.keys import load_public
from openvet.evidence.predicates import known, svr_v0, vulns_v0
from openvet.evidence.signing import parse_line, parse_statement, to_line
from openvet.evidence.verifier import verify_with_key

MADE = made()
STORED = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file())
BUNDLES = [name for name in STORED if name.endswith(".bundle.json")]
FAILING = [name for name in STORED if name.startswith("fail/")]
PAYLOADS = [name.replace(".bundle", "") for name in BUNDLES]
SCHEMAS = {
    "https://openvet/predicates/scan/v1": "scan-v1",
    "https://openvet/predicates/inventory/v1": "inventory-v1",
    "https://openvet/predicates/profile/v1": "profile-v1",
    "https://openvet/predicates/advisories/v1": "advisories-v1",
    "https://openvet/predicates/answers/v1": "answers-v1",
    "https://openvet/predicates/admission/v1": "admission-v1",
    "https://openvet/predicates/revocations/v1": "revocations-v1",
    "https://openvet/predicates/decision/v1": "decision-v1",
    "https://openvet/predicates/claims/v1": "claims-v1",
    "https://openvet/predicates/card/v1": "card-v1",
    "https://openvet/predicates/licenses/v1": "licenses-v1",
    "https://openvet/predicates/openness/v1": "openness-v1",
    "https://openvet/predicates/derivation/v1": "derivation-v1",
    "https://openvet/predicates/diff/v1": "diff-v1",
    "https://openvet/predicates/observation/v1": "observation-v1",
    "https://openvet/predicates/origin/v1": "origin-v1",
    "https://openvet/predicates/lineage/v1": "lineage-v1",
    "https://openvet/predicates/rights/v1": "rights-v1",
    "https://openvet/predicates/fingerprint/v1": "fingerprint-v1",
    "https://openvet/predicates/eval/v1": "eval-v1",
    "https://openvet/predicates/eval-plan/v1": "eval-plan-v1",
    "https://openvet/predicates/bench/v1": "bench-v1",
    "https://in-toto.io/attestation/test-result/v0.1": "test-result-v0",
    "https://slsa.dev/provenance/v1": "provenance-v1",
    "https://slsa.dev/verification_summary/v1": "verification-summary-v1",
    "https://in-toto.io/attestation/svr/v0.2": "svr-v0",
    "https://in-toto.io/attestation/vulns/v0.2": "vulns-v0",
}


@pytest.mark.parametrize("name", MADE)
def test_what_we_write_is_what_was_written(name: str) -> None:
    path = FOLDER / name
    if os.environ.get("OPENVET_UPDATE_SNAPSHOTS") and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MADE[name])
    assert path.read_bytes() == MADE[name], "a vector never changes; a new shape is a new version of its kind"


def test_every_kind_has_its_vectors_its_page_and_its_schema() -> None:
    package = Path(openvet.__file__).parent
    assert set(MADE) == set(STORED)
    older = {svr_v0.OLDER_TYPE, vulns_v0.OLDER_TYPE}
    assert set(SCHEMAS) == known.KNOWN.keys() - older
    assert {json.loads((FOLDER / name).read_bytes())["predicateType"] for name in FAILING} == set(SCHEMAS)
    assert {parse_statement(MADE[name]).predicate_type for name in PAYLOADS} == set(SCHEMAS)
    modules = {path.stem for path in (package / "evidence/predicates").glob("*_v?.py")}
    assert modules == {path.stem for path in (package / "evidence/predicates").glob("*.md")}
    assert modules == {name.replace("-", "_") for name in SCHEMAS.values()}
    for kind, name in SCHEMAS.items():
        page = (package / "evidence/predicates" / f"{name.replace('-', '_')}.md").read_text()
        assert kind in page
        assert f"data/schema/{name}.json" in page


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_is_verified_read_and_written_again(name: str) -> None:
    line = (FOLDER / name).read_bytes()
    bundle = parse_line(line, name)
    payload = verify_with_key(bundle, load_public((FOLDER / "key.pub").read_bytes())).payload
    assert payload == (FOLDER / name.replace(".bundle", "")).read_bytes()
    assert to_line(bundle) == line
    found = parse_statement(payload)
    assert found.predicate is not None
    assert found.predicate.to_json() == found.body
    assert getattr(found.predicate, "extensions", {}) == {}, "we write no field that a specification does not name"
    assert list(schema(SCHEMAS[found.predicate_type]).iter_errors(found.body)) == []


@pytest.mark.parametrize("name", BUNDLES)
def test_the_single_file_takes_them_as_they_are(name: str) -> None:
    hint, payload, signature = SINGLE.open_bundle((FOLDER / name).read_bytes(), name)
    key = SINGLE.load_key((FOLDER / "key.pub").read_bytes(), "key.pub")
    assert hint == SINGLE.hint_of(key)
    SINGLE.check_signature(key, signature, SINGLE.pae(payload), name)
    assert SINGLE.parse_statement(payload, name) == json.loads(payload)


@pytest.mark.parametrize("name", FAILING)
def test_a_broken_body_is_refused_by_reader_and_schema(name: str) -> None:
    payload = (FOLDER / name).read_bytes()
    with pytest.raises(VerifyError) as caught:
        parse_statement(payload)
    assert caught.value.reason == "malformed"
    value = json.loads(payload)
    if name != "fail/svr-no-such-day.json":  # a pattern knows no calendar
        assert list(schema(SCHEMAS[value["predicateType"]]).iter_errors(value["predicate"])) != []
    parse_statement(payload, interpret=False)  # it is the body alone that is wrong


@pytest.mark.parametrize("name", [each for each in PAYLOADS if not each.startswith(("scan", "inventory", "profile"))])
def test_reader_and_schema_agree_on_every_field(name: str) -> None:
    """Each value of a body taken out, and replaced by one of another type: both refuse, or both take it."""
    value = json.loads((FOLDER / name).read_bytes())
    body = value["predicate"]
    checker = schema(SCHEMAS[value["predicateType"]])
    refused = 0
    for parent, key in list(_places(body)):
        kept = parent[key]
        for other in ("", 7, True, None, [], {}, {"a": 1}, ["a"], _GONE):
            if other is _GONE and isinstance(parent, list):
                continue
            if other is _GONE:
                del parent[key]
            else:
                parent[key] = other
            ours = True
            try:
                parse_statement(json.dumps(value).encode())
            except VerifyError:
                ours = False
            assert ours == checker.is_valid(body), (key, other)
            refused += not ours
            parent[key] = kept
    assert refused > 20


_GONE = object()


def _places(value: Any) -> Any:
    for key, each in list(
        value.items() if isinstance(value, dict) else enumerate(value[:3])
    ):  # more of one kind say no more
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)
