"""A certificate authority for tests: roots, those below them, and signers, each with a knob for what may be wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from openvet.evidence.keys import PrivateKey

__all__ = ["AT", "Authority", "der"]

AT = datetime(2026, 6, 1, tzinfo=UTC)
YEARS = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC))
CODE = (ExtendedKeyUsageOID.CODE_SIGNING,)


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate and its key. Without ``above`` it signs itself."""

    def __init__(
        self, name: str = "root", above: Authority | None = None, *, bits: int = 0, certify: Any = None, **knobs: Any
    ) -> None:
        self.key: Any = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
        self.name = name
        issuer = above or self
        self.certificate = issuer.issue(
            name, self.key.public_key() if certify is None else certify, **{"ca": True, **knobs}
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(
        self, name: str, key: Any, *, ca: bool = False, length: int | None = None, purposes: Any = CODE, signs: bool = True,
        usage: bool = True, years: tuple[datetime, datetime] = YEARS, critical: bool = False, algorithm: Any = None,
        constraints: bool | None = None,
    ) -> x509.Certificate:  # fmt: skip
        made = (
            x509.CertificateBuilder()
            .subject_name(named(name)).issuer_name(named(self.name)).public_key(key)
            .serial_number(x509.random_serial_number()).not_valid_before(years[0]).not_valid_after(years[1])
            .add_extension(x509.BasicConstraints(ca, length if ca else None), critical=True)
        )  # fmt: skip
        if usage:
            made = made.add_extension(
                x509.KeyUsage(
                    digital_signature=signs and not ca, content_commitment=False, key_encipherment=False, data_encipherment=False,
                    key_agreement=not signs, key_cert_sign=ca and signs, crl_sign=False, encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )  # fmt: skip
        if purposes and not ca:
            made = made.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if critical:
            made = made.add_extension(
                x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0"), True
            )
        if constraints is not None:
            made = made.add_extension(x509.NameConstraints([x509.DNSName("example.org")], None), constraints)
        return made.sign(self.key, algorithm or hashes.SHA256())

    def signer(self, name: str = "signer", **knobs: Any) -> tuple[PrivateKey, bytes]:
        """A key and its certificate, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.issue(name, key.public_key(), **knobs)
        return PrivateKey("p256", key), certificate.public_bytes(Encoding.PEM)
