"""A Sigstore instance of our own, with no servers: authorities for certificates and timestamps, logs of both kinds, their trusted root.

What it makes is what the public instance makes, with keys that nobody believes, so that tests can bend each part and sign again.
Sources: RFC 6962 section 3.2 (promises of the log of certificates), RFC 3161 and RFC 5652 (timestamps), C2SP ``tlog-checkpoint``,
sigstore/rekor (entries and their promises), sigstore/fulcio ``docs/oid-info.md``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from openvet.evidence.dsse import IN_TOTO, pae
from openvet.evidence.merkle import leaf_hash

__all__ = ["AT", "IDENTITY", "ISSUER", "Instance", "encode"]

AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
IDENTITY, ISSUER = "https://example.com/me", "https://issuer.example.com"
ALWAYS = {"start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"}
_PROMISES = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(SHA256()))


class Instance:
    """Keys of an instance, and what is made with them; ``signer`` is the key of who signs."""

    def __init__(self) -> None:
        made = (ec.generate_private_key(ec.SECP256R1()) for _ in range(6))
        self.authority, self.ctlog, self.log, self.signer, self.clock_authority, self.clock = made
        self.root = root_of(self.authority, "authority")
        self.clock_root = root_of(self.clock_authority, "clocks")
        self.clock_certificate = (
            x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clock")]))
            .issuer_name(self.clock_root.subject).serial_number(7).public_key(self.clock.public_key())
            .not_valid_before(AT - timedelta(days=200)).not_valid_after(AT + timedelta(days=2000))
            .add_extension(usage(issues=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(self.clock_authority, SHA256())
        )  # fmt: skip
        self.certificate = self._certify()

    def _certify(self) -> x509.Certificate:
        """The signer's certificate, with the promise of the log to list it, which is about the certificate without the promise."""
        public = self.signer.public_key()
        builder = (
            x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.root.subject).serial_number(2).public_key(public)
            .not_valid_before(AT - timedelta(minutes=5)).not_valid_after(AT + timedelta(minutes=5))
            .add_extension(usage(issues=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(IDENTITY)]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), critical=False)
            .add_extension(x509.UnrecognizedExtension(_ISSUER, ISSUER.encode()), critical=False)
        )  # fmt: skip
        body = builder.sign(self.authority, SHA256()).tbs_certificate_bytes
        when = int((AT - timedelta(minutes=5)).timestamp() * 1000).to_bytes(8, "big")
        issuer = hashlib.sha256(spki(self.authority)).digest()
        said = sign(self.ctlog, b"\0\0" + when + b"\0\1" + issuer + len(body).to_bytes(3, "big") + body + b"\0\0")
        one = b"\0" + hashlib.sha256(spki(self.ctlog)).digest() + when + b"\0\0\4\3" + prefixed(said)
        listed = prefixed(prefixed(one))
        value = b"\4" + (bytes([len(listed)]) if len(listed) < 128 else b"\x81" + bytes([len(listed)])) + listed
        promised = builder.add_extension(x509.UnrecognizedExtension(_PROMISES, value), critical=False)
        return promised.sign(self.authority, SHA256())

    def trusted_root(self) -> dict[str, Any]:
        def log(key: ec.EllipticCurvePrivateKey, name: str) -> dict[str, Any]:
            details = {"rawBytes": encode(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": dict(ALWAYS)}
            where = {"keyId": encode(hashlib.sha256(spki(key)).digest())}
            return {"baseUrl": f"https://{name}", "hashAlgorithm": "SHA2_256", "publicKey": details, "logId": where}

        def authority(*chain: x509.Certificate) -> dict[str, Any]:
            certificates = [{"rawBytes": encode(each.public_bytes(Encoding.DER))} for each in chain]
            who = {"organization": "x", "commonName": "x"}
            return {
                "subject": who,
                "uri": "https://x",
                "certChain": {"certificates": certificates},
                "validFor": dict(ALWAYS),
            }

        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log, "log.example.com")],
            "certificateAuthorities": [authority(self.root)],
            "ctlogs": [log(self.ctlog, "ct.example.com")],
            "timestampAuthorities": [authority(self.clock_certificate, self.clock_root)],
        }  # fmt: skip

    def of_file(self, file: bytes, *, keyless: bool = True) -> dict[str, Any]:
        """A bundle over ``file``, by the certificate or by the key alone."""
        signature, digest = sign(self.signer, file), hashlib.sha256(file)
        verifier = self.certificate.public_bytes(Encoding.PEM) if keyless else pem(self.signer)
        spec = {
            "data": {"hash": {"algorithm": "sha256", "value": digest.hexdigest()}},
            "signature": {"content": encode(signature), "publicKey": {"content": encode(verifier)}},
        }
        message = {
            "messageDigest": {"algorithm": "SHA2_256", "digest": encode(digest.digest())},
            "signature": encode(signature),
        }
        return self._bundle("hashedrekord", spec, {"messageSignature": message}, keyless=keyless)

    def of_statement(self, payload: bytes) -> dict[str, Any]:
        """A keyless bundle with an envelope around an in-toto statement."""
        signature = sign(self.signer, pae(IN_TOTO, payload))
        verifier = encode(self.certificate.public_bytes(Encoding.PEM))
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "00" * 32},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": encode(signature), "verifier": verifier}],
        }
        envelope = {"payload": encode(payload), "payloadType": IN_TOTO, "signatures": [{"sig": encode(signature)}]}
        return self._bundle("dsse", spec, {"dsseEnvelope": envelope}, keyless=True)

    def of_old_statement(self, payload: bytes, stamped: datetime | None = AT, taken: datetime = AT) -> dict[str, Any]:
        """A keyless bundle of version 0.2 whose log entry is of kind ``intoto``.

        Args:
            stamped: when a timestamp authority saw the signature; ``None`` where none did.
            taken: when the log took it.
        """
        signature = sign(self.signer, pae(IN_TOTO, payload))
        certificate = encode(self.certificate.public_bytes(Encoding.PEM))
        signed = {"sig": encode(encode(signature).encode()), "publicKey": certificate}
        content = {
            "envelope": {"payloadType": IN_TOTO, "signatures": [signed]},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
        }
        chain = [{"rawBytes": encode(self.certificate.public_bytes(Encoding.DER))}]
        stamps = [] if stamped is None else [{"signedTimestamp": encode(self.timestamp(signature, stamped))}]
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2",
            "verificationMaterial": {
                "x509CertificateChain": {"certificates": chain},
                "tlogEntries": [
                    self.entry({"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": content}}, taken)
                ],
                "timestampVerificationData": {"rfc3161Timestamps": stamps},
            },
            "dsseEnvelope": {
                "payload": encode(payload),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": encode(signature)}],
            },
        }

    def timestamp(self, data: bytes, at: datetime) -> bytes:
        """A response of the timestamp authority that it saw ``data`` then."""
        stamped, sha256 = oid("1.2.840.113549.1.9.16.1.4"), der(0x30, oid("2.16.840.1.101.3.4.2.1"), b"\5\0")
        imprint = der(0x30, sha256, der(4, hashlib.sha256(data).digest()))
        when = der(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())
        info = der(0x30, b"\2\1\1", oid("1.2.3.4"), imprint, b"\2\1\5", when)
        attributes = sorted([
            der(0x30, oid("1.2.840.113549.1.9.3"), der(0x31, stamped)),
            der(0x30, oid("1.2.840.113549.1.9.4"), der(0x31, der(4, hashlib.sha256(info).digest()))),
        ])  # fmt: skip
        issuer = der(0x30, self.clock_root.subject.public_bytes(), b"\2\1\7")
        signature = sign(self.clock, der(0x31, *attributes))
        algorithm = der(0x30, oid("1.2.840.10045.4.3.2"))
        signer = der(0x30, b"\2\1\1", issuer, sha256, der(0xA0, *attributes), algorithm, der(4, signature))
        content = der(0x30, stamped, der(0xA0, der(4, info)))
        signed = der(0x30, b"\2\1\3", der(0x31, sha256), content, der(0x31, signer))
        token = der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, signed))
        return der(0x30, der(0x30, b"\2\1\0"), token)

    def _bundle(self, kind: str, spec: Any, content: dict[str, Any], *, keyless: bool) -> dict[str, Any]:
        if keyless:
            material: dict[str, Any] = {
                "certificate": {"rawBytes": encode(self.certificate.public_bytes(Encoding.DER))}
            }
        else:
            material = {"publicKey": {"hint": hashlib.sha256(pem(self.signer)).hexdigest()}}
        entry = self.entry({"apiVersion": "0.0.1", "kind": kind, "spec": spec})
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {**material, "tlogEntries": [entry]},
            **content,
        }

    def entry(self, body: dict[str, Any], at: datetime = AT) -> dict[str, Any]:
        """The entry of a log that has this one entry, with its proof and its promise."""
        data = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        name, seconds = hashlib.sha256(spki(self.log)).digest(), int(at.timestamp())
        text = f"log.example.com\n1\n{encode(leaf_hash(data))}\n"
        note = f"{text}\n\N{EM DASH} log.example.com {encode(name[:4] + sign(self.log, text.encode()))}\n"
        said = {"body": encode(data), "integratedTime": seconds, "logID": name.hex(), "logIndex": 0}
        promise = sign(self.log, json.dumps(said, separators=(",", ":"), sort_keys=True).encode())
        return {
            "logIndex": "0", "logId": {"keyId": encode(name)}, "integratedTime": str(seconds), "canonicalizedBody": encode(data),
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "inclusionPromise": {"signedEntryTimestamp": encode(promise)},
            "inclusionProof": {
                "logIndex": "0", "rootHash": encode(leaf_hash(data)), "treeSize": "1", "hashes": [], "checkpoint": {"envelope": note},
            },
        }  # fmt: skip


def usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=issues, crl_sign=issues, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def root_of(key: ec.EllipticCurvePrivateKey, called: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1).public_key(key.public_key())
        .not_valid_before(AT - timedelta(days=300)).not_valid_after(AT + timedelta(days=3000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(issues=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )  # fmt: skip


def der(tag: int, *parts: bytes) -> bytes:
    """One value of ASN.1 (X.690)."""
    data = b"".join(parts)
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(data)]) if len(data) < 128 else bytes([0x80 | len(size)]) + size) + data


def oid(text: str) -> bytes:
    """An object identifier."""
    first, second, *rest = map(int, text.split("."))
    out = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number >> shift & 0x7F for shift in range(0, max(1, number.bit_length()), 7)]
        out += bytes(each | 0x80 for each in groups[:0:-1]) + bytes(groups[:1])
    return der(6, bytes(out))


def prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
