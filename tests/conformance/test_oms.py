"""The schemas and test vectors of OpenSSF Model Signing: ours are valid by them, and theirs are read or refused as they say.

``make conformance OMS_SPEC=DIR`` runs this, where DIR is a checkout of ossf/model-signing-spec.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from tests.evidence.authority import Authority

from openvet.cli import main
from openvet.errors import VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import generate
from openvet.evidence.model_signature import ModelSignature

SPEC = os.environ.get("OMS_SPEC", "")
pytestmark = pytest.mark.skipif(not SPEC, reason="OMS_SPEC names no checkout of ossf/model-signing-spec")


def wrong(name: str, value: Any) -> list[tuple[str, str]]:
    """Where a value is not as a schema has it, and by which word of the schema."""
    schemas = [json.loads(each.read_bytes()) for each in (Path(SPEC) / "schemas/v1.0").glob("*.json")]
    registry = Registry().with_resources([(each["$id"], Resource.from_contents(each)) for each in schemas])
    schema = next(each for each in schemas if each["$id"].endswith(f"/{name}/v1.0/schema"))
    found = Draft202012Validator(schema, registry=registry).iter_errors(value)
    return [("/".join(map(str, each.absolute_path)), str(each.validator)) for each in found]


def sign(place: Path, *more: str) -> tuple[Any, Any]:
    """A model of two files, signed: the bundle and its statement."""
    (place / "m").mkdir()
    for name in ("weights.bin", "config.json"):
        (place / "m" / name).write_bytes(name.encode() * 20)
    (place / "key").write_bytes(generate("p256").pem())
    done = CliRunner().invoke(main, ["sign", "--key", str(place / "key"), *more, str(place / "m")])
    assert done.exit_code == 0, done.output
    data = (place / "m/model.sig").read_bytes()
    return json.loads(data), json.loads(Bundle.parse(data).envelope.payload)


def test_ours_are_valid(tmp_path: Path) -> None:
    bundle, statement = sign(tmp_path)
    assert wrong("bundle", bundle) == wrong("statement", statement) == []


def test_ours_with_a_certificate_is_valid(tmp_path: Path) -> None:
    key, leaf = Authority().signer()
    bundle, statement = sign(tmp_path)
    (tmp_path / "leaf").write_bytes(leaf)
    (tmp_path / "key").write_bytes(key.pem())
    arguments = [
        "sign",
        "--force",
        "--key",
        str(tmp_path / "key"),
        "--certificate",
        str(tmp_path / "leaf"),
        str(tmp_path / "m"),
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    bundle = json.loads((tmp_path / "m/model.sig").read_bytes())
    assert wrong("bundle", bundle) == wrong("statement", statement) == []


def test_ours_by_shards_differs_in_one_word(tmp_path: Path) -> None:
    """The schema knows the names of algorithms only, every release of model-signing another name only (docs/adr/0020)."""
    bundle, statement = sign(tmp_path, "--shard-size", "64")
    assert wrong("bundle", bundle) == []
    found = wrong("statement", statement)
    assert {word for _, word in found} == {"enum"}
    assert {place.rpartition("/")[2] for place, _ in found} == {"algorithm"}
    for each in statement["predicate"]["resources"]:
        each["algorithm"] = "sha256"
    assert wrong("statement", statement) == []
    assert ModelSignature.parse(json.dumps(statement).encode()).serialization.shard_size == 64


def test_their_vectors() -> None:
    vectors = Path(SPEC) / "test-vectors/v1.0"
    for path in (vectors / "valid").iterdir():
        found = Bundle.parse(path.read_bytes())
        assert ModelSignature.parse(found.envelope.payload).resources
    for path in (vectors / "invalid-payload").iterdir():
        with pytest.raises(VerifyError):
            ModelSignature.parse(Bundle.parse(path.read_bytes()).envelope.payload)
    refused = set()
    for path in (vectors / "invalid").iterdir():
        try:
            Bundle.parse(path.read_bytes())
        except VerifyError:
            refused.add(path.name)
    # what we write has tlogEntries; older releases did not, so that one which lacks it is read all the same (section 11)
    assert {path.name for path in (vectors / "invalid").iterdir()} - refused == {"missing-tlog-entries.bundle.json"}
