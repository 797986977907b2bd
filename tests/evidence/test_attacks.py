"""Attacks on signed statements that are about how bytes are read, and not about the files: each is refused, or changes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.evidence.test_bundle import BUNDLE, KEY, changed, reason, signed, statement, verified

from openvet.evidence.bundle import Material
from openvet.evidence.dsse import IN_TOTO, pae
from openvet.evidence.keys import generate
from openvet.evidence.model_signature import ModelSignature, Resource, Serialization

HINT = Material("publicKey", KEY.public.hint)


def doubled(value: Any) -> Iterator[str]:
    """Each spelling of ``value`` in which one key of one object comes twice, with its own value and with another."""
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}:{json.dumps(item)}" for key, item in value.items()]
        for at, (key, item) in enumerate(value.items()):
            for again in (json.dumps(item), "null", '"x"'):
                yield "{" + ",".join([*parts, f"{json.dumps(key)}:{again}"]) + "}"
                yield "{" + ",".join([f"{json.dumps(key)}:{again}", *parts]) + "}"
            for inner in doubled(item):
                yield "{" + ",".join([*parts[:at], f"{json.dumps(key)}:{inner}", *parts[at + 1 :]]) + "}"
    elif isinstance(value, list):
        for at, item in enumerate(value):
            for inner in doubled(item):
                yield "[" + ",".join([*map(json.dumps, value[:at]), inner, *map(json.dumps, value[at + 1 :])]) + "]"


def test_a_key_that_comes_twice() -> None:
    spellings = list(doubled(json.loads(BUNDLE)))
    assert len(spellings) > 50
    for each in spellings:
        assert reason(each.encode()) == "malformed"
    # in what is signed as well: two readers would take two statements from it
    for each in doubled(json.loads(statement().to_bytes())):
        assert reason(signed(each.encode(), material=HINT)) == "malformed"


def test_swapped_subjects() -> None:
    """The same files in the other's places have the same digests, and another signature."""
    ours = [Resource("a", "sha256", "a" * 64), Resource("b", "sha256", "b" * 64)]
    theirs = [Resource("a", "sha256", "b" * 64), Resource("b", "sha256", "a" * 64)]
    one, two = (ModelSignature.of("m", each, Serialization()).to_bytes() for each in (ours, theirs))
    first, second = (json.loads(signed(each)) for each in (one, two))
    first["dsseEnvelope"]["payload"], second["dsseEnvelope"]["payload"] = (
        second["dsseEnvelope"]["payload"],
        first["dsseEnvelope"]["payload"],
    )
    assert reason(json.dumps(first).encode()) == reason(json.dumps(second).encode()) == "tampered"
    # a signer who names the digest of one model and the files of the other contradicts himself
    mixed = json.loads(one) | {"subject": json.loads(two)["subject"]}
    assert reason(signed(json.dumps(mixed).encode())) == "malformed"
    more = json.loads(one)
    more["subject"] += json.loads(two)["subject"]
    assert reason(signed(json.dumps(more).encode())) == "malformed"


def test_equal_contents_under_other_names() -> None:
    """The root digest does not hold names (OpenSSF Model Signing 1.0, 6.5.1); the statement does, and it is what is signed."""
    one = ModelSignature.of(
        "m", [Resource("a", "sha256", "a" * 64), Resource("b", "sha256", "b" * 64)], Serialization()
    )
    two = ModelSignature.of(
        "m", [Resource("a", "sha256", "a" * 64), Resource("c", "sha256", "b" * 64)], Serialization()
    )
    assert one.root == two.root
    assert one != two
    value = json.loads(signed(one.to_bytes()))
    value["dsseEnvelope"]["payload"] = base64.b64encode(two.to_bytes()).decode()
    assert reason(json.dumps(value).encode()) == "tampered"


def test_bytes_that_were_signed_as_something_else() -> None:
    """The type is signed with the body, so that no signature moves from one use to another."""
    payload = statement().to_bytes()

    def made(data: bytes) -> bytes:
        return changed(
            dsseEnvelope__payload=base64.b64encode(payload).decode(),
            dsseEnvelope__signatures=[{"sig": base64.b64encode(KEY.sign(data)).decode()}],
        )

    assert verified(made(pae(IN_TOTO, payload))) == statement()
    for data in (
        payload,
        pae("text/plain", payload),
        pae(IN_TOTO, base64.b64encode(payload)),
        pae(IN_TOTO, payload) + b" ",
    ):
        assert reason(made(data)) == "tampered"
    assert reason(signed(payload, kind="text/plain")) == "unsupported"


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
def test_a_hash_that_is_not_the_keys(kind: str) -> None:
    """Each curve has one hash; a signature over a weaker digest is none, be it by the right key."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA1, SHA224, SHA256, SHA384, SHA512

    key = generate(kind)
    payload = statement().to_bytes()
    raw: Any = key._key
    right = {"p256": SHA256, "p384": SHA384, "p521": SHA512}[kind]
    for algorithm in (SHA1, SHA224, SHA256, SHA384, SHA512):
        signature = raw.sign(pae(IN_TOTO, payload), ECDSA(algorithm()))
        data = changed(
            verificationMaterial__publicKey={"hint": key.public.hint},
            dsseEnvelope__payload=base64.b64encode(payload).decode(),
            dsseEnvelope__signatures=[{"sig": base64.b64encode(signature).decode()}],
        )
        if algorithm is right:
            assert verified(data, key) == statement()
        else:
            assert reason(data, key) == "tampered"


def test_the_other_signature_of_the_same_key() -> None:
    """Of ECDSA, (r, s) and (r, n - s) are both good. It is the statement that counts, and it stays the same."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = decode_dss_signature(base64.b64decode(json.loads(BUNDLE)["dsseEnvelope"]["signatures"][0]["sig"]))
    for other, fine in (
        (encode_dss_signature(r, order - s), True),
        (encode_dss_signature(r, s + order), False),
        (b"", False),
    ):
        data = changed(dsseEnvelope__signatures=[{"sig": base64.b64encode(other).decode()}])
        if fine:
            assert verified(data) == statement()
        else:
            assert reason(data) == "tampered"


def test_digests_under_the_name_of_another_algorithm() -> None:
    for stated in ("blake2b", "blake3", "md5", "sha256-sharded-10"):
        value = statement().to_json()
        value["predicate"]["serialization"]["hash_type"] = stated
        assert reason(signed(json.dumps(value).encode())) in {"malformed", "unsupported"}
        value = statement().to_json()
        value["predicate"]["resources"][0]["algorithm"] = stated
        assert reason(signed(json.dumps(value).encode())) == "malformed"
