"""Envelopes, strict JSON, and keys: what is accepted, and that everything else has its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import UsageError, VerifyError
from openvet.evidence.dsse import IN_TOTO, Envelope, Signature, pae
from openvet.evidence.keys import KINDS, generate, load_private, load_public
from openvet.evidence.strict import decode_base64, encode_base64, parse_json

#: One of each kind: making them takes longer than all else.
KEYS = {kind: generate(kind) for kind in KINDS}


def reason(what: Any, *arguments: Any) -> str:
    with pytest.raises(VerifyError) as caught:
        what(*arguments)
    return caught.value.reason


def test_the_encoding_of_the_specification() -> None:
    """The example of ``protocol.md``."""
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("ä", "ö".encode()) == b"DSSEv1 2 \xc3\xa4 2 \xc3\xb6"  # lengths are those of bytes


@given(st.binary(max_size=200), st.text(max_size=40), st.text(max_size=20))
def test_an_envelope_is_read_as_it_was_written(payload: bytes, kind: str, keyid: str) -> None:
    envelope = Envelope(kind, payload, (Signature(b"s", keyid), Signature(b"")))
    assert Envelope.from_json(parse_json(json.dumps(envelope.to_json()).encode(), "it")) == envelope


@pytest.mark.parametrize(
    "change",
    [
        {"payload": "eA"}, {"payload": "eB=="}, {"payload": "eA==\n"}, {"payload": 1}, {"payloadType": None}, {"signatures": []},
        {"signatures": [{}]}, {"signatures": [{"sig": "eA==", "key": "x"}]}, {"signatures": {"sig": "eA=="}}, {"more": 1},
        {"signatures": [{"sig": "eA==", "keyid": 5}]}, {"signatures": [{"sig": "eA=="}] * 101},
    ],
)  # fmt: skip
def test_what_is_no_envelope(change: dict[str, Any]) -> None:
    good = {"payload": "eA==", "payloadType": IN_TOTO, "signatures": [{"sig": "eA==", "keyid": None}]}
    assert Envelope.from_json(good).payload == b"x"
    assert reason(Envelope.from_json, good | change) == "malformed"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b"1.0", b"NaN", b"[Infinity]", b"1e3", b"", b"{}{}", b"\xef\xbb\xbf{}", b"\xff", b'"\xc3"',
        b"[" * 100_000 + b"]" * 100_000, b"{'a':1}", b"[1,]",
    ],
)  # fmt: skip
def test_json_that_two_readers_take_for_two_things(text: bytes) -> None:
    assert reason(parse_json, text, "it") == "malformed"


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    text = encode_base64(data)
    assert decode_base64(text, "it") == data
    for other in (text + "\n", " " + text, text.rstrip("=") + "===", text.replace("+", "-")):
        if other != text:
            assert reason(decode_base64, other, "it") == "malformed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_signs_and_verifies(kind: str) -> None:
    key = KEYS[kind]
    signature = key.sign(b"these bytes")
    public = load_public(key.public.pem)
    assert (public.kind, public.hint) == (kind, key.public.hint)
    public.verify(signature, b"these bytes")
    assert reason(public.verify, signature, b"those bytes") == "tampered"
    assert reason(public.verify, signature[:-1], b"these bytes") == "tampered"
    assert reason(public.verify, b"", b"these bytes") == "tampered"
    for other in KINDS:
        assert reason(generate(other).public.verify, signature, b"these bytes") == "tampered"
    assert "BEGIN" not in repr(key)


@pytest.mark.parametrize("kind", KINDS)
def test_private_keys_in_files(kind: str) -> None:
    key = KEYS[kind]
    assert load_private(key.pem()).public.pem == key.public.pem
    locked = key.pem(b"open sesame")
    assert b"ENCRYPTED" in locked
    assert load_private(locked, b"open sesame").public.pem == key.public.pem
    for pem, passphrase, words in (
        (locked, None, "no passphrase"), (locked, b"wrong", "passphrase is wrong"), (key.pem(), b"any", "not encrypted"),
        (key.public.pem, None, "no private key"), (b"", None, "no private key"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            load_private(pem, passphrase)


def test_keys_that_are_not_used() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(UsageError, match="not used"):
            load_private(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(UsageError, match="not used"):
            load_public(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(UsageError, match="unknown kind"):
        generate("rsa")
