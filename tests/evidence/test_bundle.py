"""Bundles and statements of model signatures: one spelling each, and every other is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.authority import AT, Authority

from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import MEDIA_TYPE, Bundle, Material
from openvet.evidence.certificates import load_certificate, load_roots
from openvet.evidence.dsse import IN_TOTO, Envelope, Signature, old_pae, pae
from openvet.evidence.keys import PrivateKey, generate
from openvet.evidence.model_signature import ModelSignature, Resource, Serialization, root_digest
from openvet.evidence.verifier import Verified, verify_with_key, verify_with_roots

KEY = generate("p256")
OTHER = generate("p256")
A, B = "a" * 64, "b" * 64
RELEASED = json.loads((Path(__file__).parents[1] / "vendor/model-signing-signatures.json").read_text())


def statement(**knobs: Any) -> ModelSignature:
    return ModelSignature.of("m", [Resource("x", "sha256", A), Resource("d/y", "sha256", B)], Serialization(**knobs))


def signed(payload: bytes, key: PrivateKey = KEY, material: Material | None = None, kind: str = IN_TOTO) -> bytes:
    envelope = Envelope(kind, payload, (Signature(key.sign(pae(kind, payload))),))
    return Bundle(material or Material("publicKey", key.public.hint), envelope).to_bytes()


BUNDLE = signed(statement().to_bytes())


def verified(data: bytes, key: PrivateKey = KEY) -> ModelSignature:
    return ModelSignature.parse(verify_with_key(Bundle.parse(data), key.public).payload)


def reason(data: bytes, key: PrivateKey = KEY) -> str:
    with pytest.raises(VerifyError) as caught:
        verified(data, key)
    return caught.value.reason


def changed(**parts: Any) -> bytes:
    """The bundle with other values at ``a__b__c``; a value of ``...`` takes the field away."""
    value = json.loads(BUNDLE)
    for path, new in parts.items():
        at: Any = value
        *way, last = path.split("__")
        for step in way:
            at = at[int(step) if step.isdecimal() else step]
        if new is ...:
            del at[last]
        else:
            at[last] = new
    return json.dumps(value).encode()


def test_what_is_written_is_read() -> None:
    assert verified(BUNDLE) == statement()
    assert Bundle.parse(BUNDLE).to_bytes() == BUNDLE
    assert json.loads(BUNDLE)["verificationMaterial"] == {"publicKey": {"hint": KEY.public.hint}, "tlogEntries": []}


def test_every_byte_flipped_is_refused_or_says_the_same() -> None:
    """What still verifies differs in nothing that is used: a hint that names a key in no way that we know, for one."""
    same = 0
    for at in range(len(BUNDLE)):
        for flip in (1, 2, 4, 0x20, 0x80):
            data = bytearray(BUNDLE)
            data[at] ^= flip
            try:
                found = verified(bytes(data))
            except VerifyError:
                continue
            assert found == statement()
            same += 1
    assert same < 100


def test_every_cut_is_refused() -> None:
    for end in range(len(BUNDLE) - 1):
        assert reason(BUNDLE[:end]) == "malformed"


def test_reasons_are_told_apart() -> None:
    assert reason(BUNDLE, OTHER) == "wrong-key"
    payload = json.loads(BUNDLE)["dsseEnvelope"]["payload"]
    assert reason(changed(dsseEnvelope__payload=payload[:-8] + "AAAA" + payload[-4:])) == "tampered"
    # the hint says that it is this key, and another made it
    assert reason(signed(statement().to_bytes(), OTHER, Material("publicKey", KEY.public.hint))) == "tampered"
    # no hint: nobody can tell which
    assert reason(signed(statement().to_bytes(), OTHER, Material("publicKey"))) == "tampered"
    assert verified(signed(statement().to_bytes(), KEY, Material("publicKey"))) == statement()


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2"}, "unsupported"),
        ({"mediaType": "text/plain"}, "malformed"),
        ({"mediaType": ...}, "malformed"),
        ({"extra": 1}, "malformed"),
        ({"dsseEnvelope": ..., "messageSignature": {}}, "unsupported"),
        ({"messageSignature": {}}, "malformed"),
        ({"verificationMaterial": {}}, "malformed"),
        ({"verificationMaterial__extra": 1}, "malformed"),
        ({"verificationMaterial__certificate": {"rawBytes": "AAAA"}}, "malformed"),
        ({"verificationMaterial__publicKey__x": 1}, "malformed"),
        ({"verificationMaterial__publicKey": {"rawBytes": "AAAA"}}, "malformed"),
        ({"verificationMaterial__tlogEntries": {}}, "malformed"),
        ({"dsseEnvelope__signatures": []}, "malformed"),
        ({"dsseEnvelope__payloadType": "text/plain"}, "unsupported"),
    ],
)
def test_refused_shapes(parts: dict[str, Any], why: str) -> None:
    assert reason(changed(**parts)) == why


def test_two_signatures_are_none() -> None:
    both = json.loads(BUNDLE)["dsseEnvelope"]["signatures"] * 2
    assert reason(changed(dsseEnvelope__signatures=both)) == "malformed"


def test_null_is_as_good_as_nothing() -> None:
    """model-signing 1.1 writes what it does not know as null."""
    material = {"publicKey": {"hint": KEY.public.hint}, "tlogEntries": None, "timestampVerificationData": None}
    assert verified(changed(verificationMaterial=material)) == statement()


def test_a_key_of_another_kind() -> None:
    """A signature never decides what it is checked with."""
    for kind in ("p384", "ed25519"):
        other = generate(kind)
        payload = statement().to_bytes()
        data = signed(payload, other, Material("publicKey", KEY.public.hint))
        assert reason(data) == "tampered"
        assert reason(data, other) == "wrong-key"


def test_the_old_encoding_is_only_for_the_old_statement() -> None:
    def made(payload: bytes) -> bytes:
        envelope = Envelope(IN_TOTO, payload, (Signature(KEY.sign(old_pae(IN_TOTO, payload))),))
        return Bundle(Material("publicKey", KEY.public.hint), envelope).to_bytes()

    assert reason(made(statement().to_bytes())) == "tampered"
    old = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha256": A}}],
        "predicateType": "https://model_signing/Digests/v0.1",
        "predicate": {},
    }
    assert verified(made(json.dumps(old).encode())).legacy


def test_a_certificate_is_no_key_and_a_key_no_certificate() -> None:
    authority = Authority()
    key, leaf = authority.signer()
    chain = Material("x509CertificateChain", certificates=tuple(load_certificate(leaf)))
    data = signed(statement().to_bytes(), key, chain)
    roots = load_roots(authority.pem)
    found = verify_with_roots(Bundle.parse(data), roots, AT)
    assert found.signer.method == "certificate"
    assert verify_with_key(Bundle.parse(data), key.public).signer.method == "key"  # who trusts the key needs no chain
    assert reason(data) == "wrong-key"

    def because(data: bytes) -> str:
        with pytest.raises(VerifyError) as caught:
            verify_with_roots(Bundle.parse(data), roots, AT)
        return caught.value.reason

    assert because(BUNDLE) == "untrusted"
    assert because(signed(statement().to_bytes(), KEY, chain)) == "tampered"  # somebody else's certificate


# --- the statement ---


def test_the_root_digest() -> None:
    """SHA-256 over the raw digests in the order of the names."""
    import hashlib

    assert statement().root == hashlib.sha256(bytes.fromhex(B + A)).hexdigest()
    assert [each.name for each in statement().resources] == ["d/y", "x"]


def altered(**parts: Any) -> bytes:
    value = statement(**{"shard_size": parts.pop("shard_size")} if "shard_size" in parts else {}).to_json()
    value["predicate"].update(parts.pop("predicate", {}))
    if "resources" in value["predicate"]:
        listed = [
            Resource("", "", each["digest"])
            for each in value["predicate"]["resources"]
            if len(each) == 3 or "annotations" in each
        ]
        value["subject"][0]["digest"]["sha256"] = root_digest(listed)
    value.update(parts)
    return json.dumps(value).encode()


def entry(name: str, digest: str = A, algorithm: str = "sha256") -> dict[str, Any]:
    return {"name": name, "digest": digest, "algorithm": algorithm}


def unreadable(payload: bytes) -> tuple[str, str]:
    with pytest.raises(VerifyError) as caught:
        ModelSignature.parse(payload)
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize("name", ["/x", "../x", "a/../b", "a//b", "a/", "./x", "", "a/./b", "..", "x\0y"])
def test_paths_that_lead_elsewhere(name: str) -> None:
    assert unreadable(altered(predicate={"resources": [entry(name)]}))[0] == "malformed"


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "unsupported"),
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "unsupported"),
        ({"subject": []}, "malformed"),
        ({"subject": [{"name": "m", "digest": {"sha256": A}}]}, "malformed"),  # not the root of what is listed
        ({"subject": [{"name": "m", "digest": {}}]}, "malformed"),
        ({"predicate": {"resources": []}}, "malformed"),
        ({"predicate": {"resources": [entry("x"), entry("x", B)]}}, "malformed"),
        ({"predicate": {"resources": [entry("."), entry("x", B)]}}, "malformed"),
        ({"predicate": {"resources": [entry("x", A[:-2])]}}, "malformed"),
        ({"predicate": {"resources": [entry("x", A.upper())]}}, "malformed"),
        ({"predicate": {"resources": [entry("x", A, "blake3")]}}, "malformed"),
        ({"predicate": {"resources": ["name"]}}, "malformed"),
        ({"predicate": {"serialization": {"method": "files", "hash_type": "md5", "allow_symlinks": False}}}, "unsupported"),
        ({"predicate": {"serialization": {"method": "tensors", "hash_type": "sha256", "allow_symlinks": False}}}, "unsupported"),
        ({"predicate": {"serialization": {"method": "files", "hash_type": "sha256"}}}, "malformed"),
        ({"predicate": {"serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": 1}}}, "malformed"),
        ({"predicate": {"serialization": {"method": "shards", "hash_type": "sha256", "allow_symlinks": False}}}, "malformed"),
        ({"predicate": {"serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": [1]}}}, "malformed"),
    ],
)  # fmt: skip
def test_statements_that_are_refused(parts: dict[str, Any], why: str) -> None:
    assert unreadable(altered(**parts))[0] == why


@pytest.mark.parametrize(
    "names",
    [
        ["x"], ["x:0"], ["x:0:3", "x:6:9"], ["x:0:3", "x:2:5"], ["x:3:6"], ["x:0:4"], ["x:0:2", "x:2:4"], ["x:0:3", "x:0:3"],
        ["x:00:3"], ["x:0:+3"], ["x:0:0"], ["x:0:3", "x:3:3"], ["x:0: 3"], [":0:3"], ["x:0:٣"],
    ],
)  # fmt: skip
def test_shards_that_are_not_all_of_a_file(names: list[str]) -> None:
    assert unreadable(altered(shard_size=3, predicate={"resources": [entry(each) for each in names]}))[0] == "malformed"


@pytest.mark.parametrize(
    ("text", "fine"),
    [("3", 1), ("3.0", 1), ("3.5", 0), ("3.00", 0), ("0.3e1", 0), ("3e0", 0), ("-3.0", 0), ('"3"', 0), ("true", 0)],
)
def test_how_a_size_may_be_written(text: str, fine: int) -> None:
    """model-signing writes a whole number with a point, as protobuf does."""
    payload = altered(shard_size=3, predicate={"resources": [entry("x:0:3")]}).replace(
        b'"shard_size": 3', f'"shard_size": {text}'.encode()
    )
    if fine:
        assert ModelSignature.parse(payload).serialization.shard_size == 3
    else:
        assert unreadable(payload)[0] == "malformed"


def test_both_names_of_a_shards_algorithm() -> None:
    assert {each["algorithm"] for each in statement(shard_size=3).to_json()["predicate"]["resources"]} == {
        "sha256-sharded-3"
    }
    for name, fine in (("sha256", True), ("sha256-sharded-3", True), ("sha256-sharded-4", False), ("blake3", False)):
        payload = altered(shard_size=3, predicate={"resources": [entry("x:0:3", A, name)]})
        if fine:
            assert ModelSignature.parse(payload).files["x"][0].algorithm == "sha256"
        else:
            assert unreadable(payload)[0] == "malformed"


def test_shards_in_any_order_and_of_any_name() -> None:
    listed = [entry("a:b:3:5"), entry("a:b:0:3"), entry("c:0:3")]
    found = ModelSignature.parse(altered(shard_size=3, predicate={"resources": listed}))
    assert [(each.start, each.end) for each in found.files["a:b"]] == [(0, 3), (3, 5)]


def test_fields_that_only_the_signer_can_have_added() -> None:
    listed = [{**entry("x"), "annotations": {"a": None}}]
    assert ModelSignature.parse(altered(predicate={"resources": listed, "note": "n"})).files["x"][0].digest == A


def test_what_cannot_be_signed() -> None:
    with pytest.raises(UsageError, match="no file"):
        ModelSignature.of("m", [], Serialization())
    with pytest.raises(UsageError, match="no UTF-8"):
        ModelSignature.of("m", [Resource("\udcff", "sha256", A)], Serialization())


# --- what released versions of model-signing wrote ---


@pytest.mark.parametrize("version", [each for each in RELEASED["signatures"] if not each.endswith("sigstore")])
def test_signatures_of_released_versions(version: str) -> None:
    found = check(RELEASED["signatures"][version]["signature"].encode())
    statement = ModelSignature.parse(found.payload)
    assert statement.legacy is version.startswith("v0.2")
    assert found.signer.key_kind == "p384"


def check(data: bytes) -> Verified:
    bundle = Bundle.parse(data)
    if bundle.material.kind == "publicKey":
        from openvet.evidence.keys import load_public

        return verify_with_key(bundle, load_public(RELEASED["public_key"].encode()))
    return verify_with_roots(bundle, load_roots(RELEASED["root"].encode()), AT)


@pytest.mark.parametrize("version", [each for each in RELEASED["signatures"] if not each.endswith("sigstore")])
def test_released_signatures_over_something_else(version: str) -> None:
    value = json.loads(RELEASED["signatures"][version]["signature"])
    payload = base64.b64decode(value["dsseEnvelope"]["payload"]).replace(b"signme-1", b"signme-3")
    value["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerifyError) as caught:
        check(json.dumps(value).encode())
    assert caught.value.reason == "tampered"


def test_the_media_type() -> None:
    assert json.loads(BUNDLE)["mediaType"] == MEDIA_TYPE
