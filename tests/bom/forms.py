"""The official schemas, and the ways in which a document is held against them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

VENDOR = Path(__file__).parents[1] / "vendor"


def _schema(name: str) -> Any:
    return json.loads((VENDOR / name).read_text())


@cache
def _cyclonedx() -> Draft7Validator:
    registry: Registry[Any] = Registry()
    for name in ("spdx.schema", "jsf-0.82.schema", "cryptography-defs.schema"):
        schema = _schema(f"cyclonedx-{name}.json")
        registry = registry.with_resources([(schema["$id"], Resource.from_contents(schema))])
    schema = _schema("cyclonedx-1.7.json")
    return Draft7Validator(schema, registry=registry, format_checker=Draft7Validator.FORMAT_CHECKER)


#: Where a document names another element it may also hold it. Ours only name, and trying every class for each name takes seconds.
_NAMED = ("Element_derived", "Agent_derived", "Tool_derived", "CreationInfo_derived")


@cache
def _classes() -> dict[str, Any]:
    whole: dict[str, Any] = _schema("spdx-3.0.1.json")["$defs"]
    assert all(each in whole for each in _NAMED)
    return whole | {each: {"type": "string", "pattern": "^(_:|https://openvet/spdx/).+"} for each in _NAMED}


@cache
def _spdx(kind: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "unevaluatedProperties": False, "$defs": _classes()})


def cyclonedx_errors(document: Any) -> list[str]:
    found = [f"{each.json_path}: {each.message[:200]}" for each in _cyclonedx().iter_errors(document)]
    refs = list(_refs(document))
    return [*found, *(f"{each} is there twice" for each in {each for each in refs if refs.count(each) > 1})]


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("bom-ref"), str):
            yield value["bom-ref"]
        for each in value.values():
            yield from _refs(each)
    elif isinstance(value, list):
        for each in value:
            yield from _refs(each)


def dangling(document: Any) -> set[str]:
    """What a document of CycloneDX refers to and does not have."""
    known, used = set(_refs(document)), set()
    for each in document.get("dependencies", ()):
        used |= {each["ref"], *each.get("dependsOn", ())}
    used |= {each["attributedTo"] for each in document.get("citations", ())}
    for each in document.get("declarations", {}).get("claims", ()):
        used |= {each["target"], *each["evidence"], *each.get("counterEvidence", ())}
    for formula in document.get("formulation", ()):
        for flow in formula["workflows"]:
            used |= {each["resource"]["ref"] for each in (*flow["inputs"], *flow["outputs"])}
    return used - known


def spdx_errors(document: Any) -> list[str]:
    """Each element against the schema of its class: the whole schema tries every class for every element, which takes minutes."""
    found = [] if document["@context"] == "https://spdx.org/rdf/3.0.1/spdx-context.jsonld" else ["@context"]
    for each in document["@graph"]:
        bare = {key: value for key, value in each.items() if key != "@id"}
        found += [f"{each.get('spdxId')}: {one.message[:200]}" for one in _spdx(each["type"]).iter_errors(bare)]
    ids = [each["spdxId"] for each in document["@graph"] if "spdxId" in each]
    found += [f"{each} is there twice" for each in ids if ids.count(each) > 1]
    for each in document["@graph"]:
        named = [
            each.get("from"),
            each.get("subject"),
            each.get("suppliedBy"),
            *each.get("to", ()),
            *each.get("element", ()),
        ]
        found += [f"{one} is nowhere" for one in named if one is not None and one not in ids]
    return found


def at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer leads to."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document
