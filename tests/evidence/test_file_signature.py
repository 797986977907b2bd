"""Sigstore bundles about one file, as far as they are checked without the library: what they say, and by a key who signed."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
from tests.evidence.authority import Authority
from tests.evidence.sigstore_instance import Instance, pem

from openvet.errors import VerifyError
from openvet.evidence.certificates import load_certificate
from openvet.evidence.dsse import IN_TOTO, pae
from openvet.evidence.file_bundle import FileBundle
from openvet.evidence.file_signature import verify_file_with_key
from openvet.evidence.keys import generate, load_public
from openvet.evidence.log_entry import Signed, check_entry

FILE = b"a file\n"
DIGEST = hashlib.sha256(FILE).digest()
INSTANCE = Instance()
BUNDLE = json.dumps(INSTANCE.of_file(FILE, keyless=False)).encode()
PUBLIC = load_public(pem(INSTANCE.signer))
V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def because(data: bytes | Any, digest: bytes = DIGEST, key: Any = PUBLIC) -> str:
    with pytest.raises(VerifyError) as caught:
        verify_file_with_key(
            FileBundle.parse(data if isinstance(data, bytes) else json.dumps(data).encode()), digest, key
        )
    return caught.value.reason


def test_a_file_signed_with_a_key() -> None:
    """The entry has to be about the signature; whether the log is to be believed needs the library."""
    bundle = FileBundle.parse(BUNDLE)
    found = verify_file_with_key(bundle, DIGEST, PUBLIC)
    assert (found.method, found.key_kind) == ("key", "p256")
    assert because(bundle.raw, hashlib.sha256(b"another file").digest()) == "mismatch"
    assert because(bundle.raw, DIGEST, generate("p256").public) == "wrong-key"


def test_every_byte_of_the_signed_parts_flipped() -> None:
    value = json.loads(BUNDLE)
    for where in ("signature", "digest", "body"):
        holder: Any = value["messageSignature"]
        name = "signature"
        if where == "digest":
            holder, name = holder["messageDigest"], "digest"
        elif where == "body":
            holder, name = value["verificationMaterial"]["tlogEntries"][0], "canonicalizedBody"
        good = holder[name]
        data = base64.b64decode(good)
        for at in range(len(data)):
            holder[name] = text(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert because(value) in {"tampered", "mismatch", "malformed", "unsupported"}
        holder[name] = good


def statement(key: Any, *digests: bytes, **more: Any) -> dict[str, Any]:
    subjects = [{"name": "x", "digest": {"sha256": each.hex()}} for each in digests]
    payload = json.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": "x"}
    ).encode()
    return {
        "mediaType": V03,
        "verificationMaterial": {"publicKey": {"hint": key.public.hint}},
        "dsseEnvelope": {
            "payload": text(payload), "payloadType": IN_TOTO, "signatures": [{"sig": text(key.sign(pae(IN_TOTO, payload)))}],
        },
        **more,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519"])
def test_a_statement_about_a_file(kind: str) -> None:
    key = generate(kind)
    value = statement(key, bytes(32), DIGEST)
    assert verify_file_with_key(FileBundle.parse(json.dumps(value).encode()), DIGEST, key.public).key_kind == kind
    assert because(statement(key, bytes(32)), key=key.public) == "mismatch"
    assert because(statement(key), key=key.public) == "mismatch"
    assert because(value, key=generate(kind).public) == "wrong-key"


@pytest.mark.parametrize("kind", ["p384", "p521", "ed25519"])
def test_a_digest_is_signed_by_curves_alone(kind: str) -> None:
    """Ed25519 signs data and no digest, so that the bundle of such a key says nothing about a file that is not at hand."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    key = generate(kind)
    raw: Any = key._key
    signature = raw.sign(FILE) if kind == "ed25519" else raw.sign(FILE, ECDSA(SHA256()))
    value = {
        "mediaType": V03,
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "messageSignature": {"signature": text(signature)},
    }
    if kind == "ed25519":
        assert because(value, key=key.public) == "unsupported"
    else:
        verify_file_with_key(FileBundle.parse(json.dumps(value).encode()), DIGEST, key.public)


def chained(*certificates: bytes, media: str = "application/vnd.dev.sigstore.bundle+json;version=0.2") -> bytes:
    chain = {"certificates": [{"rawBytes": text(each)} for each in certificates]}
    value = {
        "mediaType": media,
        "verificationMaterial": {"x509CertificateChain": chain},
        "messageSignature": {"signature": "AAAA"},
    }
    return json.dumps(value).encode()


def test_certificates_that_a_bundle_may_carry() -> None:
    root = Authority()
    middle = Authority("middle", root)
    _, leaf = middle.signer()
    one, two, top = (load_certificate(each)[0] for each in (leaf, middle.pem, root.pem))
    assert FileBundle.parse(chained(one, two)).material.certificates == (one,)
    for data, reason in (
        (chained(one, two, top), "untrusted"),
        (chained(one, media=V03), "malformed"),
        (chained(one, b"none"), "malformed"),
        (chained(), "malformed"),
    ):
        with pytest.raises(VerifyError) as caught:
            FileBundle.parse(data)
        assert caught.value.reason == reason
    assert because(chained(one)) == "untrusted"


def rekord(**parts: Any) -> dict[str, Any]:
    """A log entry of Rekor v2 over ``signed``, with other parts."""
    spec = {
        "data": {"algorithm": "SHA2_256", "digest": text(DIGEST)},
        "signature": {"content": text(b"s"), "verifier": {"keyDetails": "x", "publicKey": {"rawBytes": text(b"k")}}},
    }
    body = {"kind": "hashedrekord", "apiVersion": "0.0.2", "spec": {"hashedRekordV002": spec | parts.pop("spec", {})}}
    return {
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
        "canonicalizedBody": text(json.dumps(body | parts).encode()),
    }


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"spec": {"data": {"algorithm": "SHA2_256", "digest": text(bytes(32))}}}, "tampered"),
        ({"spec": {"data": {"algorithm": "SHA2_512", "digest": text(bytes(64))}}}, "unsupported"),
        ({"spec": {"data": {"algorithm": "MD5", "digest": ""}}}, "unsupported"),
        (
            {"spec": {"signature": {"content": text(b"t"), "verifier": {"publicKey": {"rawBytes": text(b"k")}}}}},
            "tampered",
        ),
        (
            {"spec": {"signature": {"content": text(b"s"), "verifier": {"publicKey": {"rawBytes": text(b"l")}}}}},
            "tampered",
        ),
        ({"spec": {"signature": {"content": text(b"s"), "verifier": {}}}}, "malformed"),
        ({"kind": "dsse"}, "malformed"),
        ({"apiVersion": "0.0.1"}, "malformed"),
        ({"spec": None}, "malformed"),
    ],
)
def test_entries_about_something_else(parts: dict[str, Any], reason: str) -> None:
    signed = Signed(b"s", b"k", DIGEST)
    check_entry(rekord(), signed)
    if parts.get("spec", 0) is None:
        entry = rekord()
        entry["canonicalizedBody"] = text(json.dumps({"kind": "hashedrekord", "apiVersion": "0.0.2"}).encode())
    else:
        entry = rekord(**copy.deepcopy(parts))
    with pytest.raises(VerifyError) as caught:
        check_entry(entry, signed)
    assert caught.value.reason == reason


def test_a_kind_of_entry_counts_only_for_what_it_is_for() -> None:
    """An entry over a file proves nothing about a statement, nor the other way."""
    for kind, version in (("dsse", "0.0.1"), ("intoto", "0.0.2"), ("intoto", "0.0.1"), ("rekord", "0.0.1")):
        body = {"kind": kind, "apiVersion": version, "spec": {}}
        entry = {
            "kindVersion": {"kind": kind, "version": version},
            "canonicalizedBody": text(json.dumps(body).encode()),
        }
        with pytest.raises(VerifyError) as caught:
            check_entry(entry, Signed(b"s", b"k", DIGEST))
        assert caught.value.reason == "unsupported"


def test_a_timestamp_authority_is_good_to_its_last_moment() -> None:
    """The library takes an end for a moment too late, so it is given one that is a microsecond later."""
    from openvet.evidence.trusted_root import _with_closed_ends

    value = {"timestampAuthorities": [{"validFor": {"start": "2024-01-01T00:00:00Z", "end": end}} for end in ENDS]}
    found = _with_closed_ends(value)["timestampAuthorities"]
    assert [each["validFor"]["end"] for each in found] == list(ENDS.values())
    assert value["timestampAuthorities"][0]["validFor"]["end"] == next(iter(ENDS))


ENDS = {
    "2025-06-12T12:02:20Z": "2025-06-12T12:02:20.000001Z",
    "2025-06-12T14:02:20.999999+02:00": "2025-06-12T12:02:21.000000Z",
}
