"""Runs in an environment of its own: reads statements of ours with other people's packages, and writes some for us to read.

Packages: ``in-toto-attestation`` (protobuf classes of in-toto's authors), ``in-toto`` and ``securesystemslib`` (DSSE), ``sigstore``.
One process, since importing them takes longer than all cases; a line of JSON each. A folder as its argument is searched for packages
first: the ``python`` folder of a newer in-toto/attestation, which has classes that the published package has not.
"""

from __future__ import annotations

import base64
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

sys.path[:0] = sys.argv[1:]

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key  # noqa: E402 - after the path
from google.protobuf.json_format import MessageToDict, MessageToJson, Parse, ParseDict  # noqa: E402
from in_toto.models.metadata import Envelope as InTotoEnvelope  # noqa: E402
from in_toto_attestation.v1 import statement_pb2  # noqa: E402
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor  # noqa: E402
from in_toto_attestation.v1.statement import Statement  # noqa: E402
from securesystemslib.dsse import Envelope  # noqa: E402
from securesystemslib.signer import CryptoSigner, SSlibKey  # noqa: E402
from sigstore import dsse  # noqa: E402
from sigstore_models.bundle.v1 import Bundle  # noqa: E402

CLASSES: dict[str, Any] = {}
for kind, module, name in (
    ("https://in-toto.io/attestation/test-result/v0.1", "test_result.v0.test_result_pb2", "TestResult"),
    ("https://slsa.dev/provenance/v1", "provenance.v1.provenance_pb2", "Provenance"),
    ("https://slsa.dev/verification_summary/v1", "vsa.v1.vsa_pb2", "VerificationSummary"),
    ("https://in-toto.io/attestation/svr/v0.1", "svr.v0.1.svr_pb2", "SimpleVerificationResult"),
    ("https://in-toto.io/attestation/vulns/v0.2", "vulns.v0.2.vulns_pb2", "Vulns"),
):
    try:
        CLASSES[kind] = getattr(importlib.import_module(f"in_toto_attestation.predicates.{module}"), name)
    except ModuleNotFoundError:
        continue
# the only difference that matters to a class: 0.2 also has policies, which a reader of 0.1 passes over
SAME = {"https://in-toto.io/attestation/svr/v0.2": "https://in-toto.io/attestation/svr/v0.1"}


def read(line: str, pem: str) -> dict[str, Any]:
    """What each package made of a bundle of ours; one that refuses it is told by its error."""
    bundle = json.loads(line)
    hint = bundle["verificationMaterial"]["publicKey"]["hint"]
    key = SSlibKey.from_crypto(load_pem_public_key(pem.encode()), keyid=hint)
    bundles: Any = Bundle
    out: dict[str, Any] = {"classes": sorted(CLASSES)}
    envelope = bundle["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])

    def verify(kind: Any) -> str:
        # a keyid is optional in DSSE, and they want one
        signatures = [{"keyid": hint, **each} for each in envelope["signatures"]]
        found = kind.from_dict({**envelope, "signatures": signatures})
        if kind is InTotoEnvelope:
            found.verify_signature({"keyid": hint, **key.to_dict()})
        else:
            found.verify([key], 1)
        return str(found.payload == payload)

    def protobuf() -> Any:
        found = Parse(payload, statement_pb2.Statement())
        Statement.copy_from_pb(found).validate()
        return MessageToDict(found)

    def predicate() -> Any:
        value = json.loads(payload)
        kind = CLASSES.get(SAME.get(value["predicateType"], value["predicateType"]))
        if kind is None:
            return None
        # a reader must pass over what it does not know, says the specification
        return MessageToDict(ParseDict(value["predicate"], kind(), ignore_unknown_fields=True))

    readers: dict[str, Callable[[], Any]] = {
        "securesystemslib": lambda: verify(Envelope),
        "in-toto": lambda: verify(InTotoEnvelope),
        "statement": protobuf,
        "predicate": predicate,
        "sigstore": lambda: dsse.Statement(payload)._inner.predicate_type,
        "bundle": lambda: str(bundles.from_json(line).dsse_envelope.payload == payload),
    }
    for name, go in readers.items():
        try:
            out[name] = go()
        except Exception as error:  # noqa: BLE001 - the test says which error is right
            out[name] = f"{type(error).__name__}: {error}"
    return out


def write(kind: str, predicate: dict[str, Any], scheme: str, by: str) -> dict[str, Any]:
    """A signed statement of theirs, and the public key."""
    signer = CryptoSigner.generate_ecdsa() if scheme == "ecdsa" else CryptoSigner.generate_ed25519()
    if by == "sigstore":
        subject = dsse.Subject(name="model", digest={"sha256": "ab" * 32})
        made = dsse.StatementBuilder([subject], kind, predicate).build()
        payload = made._contents
    else:
        body = (
            MessageToDict(ParseDict(predicate, CLASSES[kind](), ignore_unknown_fields=True))
            if kind in CLASSES
            else predicate
        )
        statement = Statement([ResourceDescriptor(name="model", digest={"sha256": "ab" * 32}).pb], kind, body)
        statement.validate()
        payload = MessageToJson(statement.pb).encode()
    envelope = Envelope(payload, "application/vnd.in-toto+json", {})
    envelope.sign(signer)
    pem = signer._private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {"envelope": envelope.to_dict(), "pem": pem.decode()}


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        answer = read(**case["read"]) if "read" in case else write(**case["write"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
