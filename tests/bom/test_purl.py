"""Package URLs against the specification's own tests, and against themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.bom.purl import Purl, huggingface, parse, pypi
from openvet.errors import MalformedError

VENDOR = Path(__file__).parents[1] / "vendor" / "purl"
KNOWN = ("huggingface", "mlflow", "oci", "pypi", "github", "generic")


def kind_of(test: dict[str, Any]) -> str:
    given = test["input"]
    if isinstance(given, dict):
        return str(given.get("type") or "").lower()
    return str(given).lower().removeprefix("pkg:").strip("/").partition("/")[0]


CASES = [
    (path.name, number, test)
    for path in sorted(VENDOR.glob("*-test.json"))
    for number, test in enumerate(json.loads(path.read_text())["tests"])
    if path.name != "specification-test.json" or kind_of(test) in KNOWN or test["expected_failure"]
]


def fields(purl: Purl) -> dict[str, Any]:
    return {
        "type": purl.type,
        "namespace": purl.namespace or None,
        "name": purl.name,
        "version": purl.version or None,
        "qualifiers": dict(purl.qualifiers) or None,
        "subpath": purl.subpath or None,
    }


def result(test: dict[str, Any]) -> Any:
    if test["test_type"] == "build":
        given: dict[str, Any] = {key: value or "" for key, value in test["input"].items()}
        return str(
            Purl.made(
                given["type"],
                given.get("namespace", ""),
                given.get("name", ""),
                given.get("version", ""),
                given.get("qualifiers") or {},
                given.get("subpath", ""),
            )
        )
    found = parse(test["input"])
    return fields(found) if test["test_type"] == "parse" else str(found)


@pytest.mark.parametrize(("file", "number", "test"), CASES, ids=[f"{file}-{number}" for file, number, _ in CASES])
def test_the_specification_s_own(file: str, number: int, test: dict[str, Any]) -> None:
    if test["expected_failure"]:
        with pytest.raises(MalformedError):
            result(test)
    else:
        assert result(test) == test["expected_output"]


def test_all_of_the_types_of_models_are_here() -> None:
    assert sum(file.startswith(("huggingface", "mlflow", "oci", "pypi")) for file, _, _ in CASES) >= 54


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(TEXT, TEXT, TEXT, TEXT)
def test_what_was_built_is_read(namespace: str, name: str, version: str, value: str) -> None:
    try:
        built = Purl.made("generic", namespace, name, version, {"checksum": value}, version)
    except MalformedError:
        assert not name.strip("/")
        return
    text = str(built)
    assert text.isascii()
    assert " " not in text
    assert parse(text) == built


@given(st.text(max_size=60))
def test_any_text_is_refused_or_read(text: str) -> None:
    for each in (text, f"pkg:{text}", f"pkg:generic/{text}"):
        try:
            found = parse(each)
        except MalformedError:
            continue
        assert parse(str(found)) == found


def test_a_hub_s_id_without_an_organisation_has_none() -> None:
    assert huggingface("gpt2") == ""
    assert huggingface("a/b/c") == ""
    assert huggingface("Org/Name", "main") == "pkg:huggingface/Org/Name"
    assert huggingface("Org/Name", "A" * 40) == f"pkg:huggingface/Org/Name@{'a' * 40}"
    assert pypi("Some_Thing", "1.0") == "pkg:pypi/some-thing@1.0"
