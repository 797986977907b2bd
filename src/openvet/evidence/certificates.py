"""X.509 chains of those who sign models: from the signer's certificate to a root that the verifier named, with no network.

What is checked of each certificate: its signature by the next one (SHA-256 or better; RSA keys of 2048 bits or more), that it is
valid at the stated time, that the issuer may issue (``CA``, ``keyCertSign``, path length, a purpose that includes code signing where
it states purposes), and that it has no critical extension that nobody here knows. Name constraints are not understood here, and a
chain that has them is refused, whether it calls them critical, as it must (RFC 5280, 4.2.1.10), or not. The signer's certificate must be for signing: ``digitalSignature`` where it states its key's usage,
``codeSigning`` where it states purposes, and it must state one of the two.

What is not: revocation. Offline nobody can know it; a key that was lost is to be taken out of the roots.

Sources: RFC 5280 sections 4.2 and 6.1; OpenSSF Model Signing 1.0, section 8.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError, VerifyError
from openvet.evidence.keys import PublicKey, public_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ExtensionType

__all__ = ["CertificateFacts", "Roots", "facts_of", "load_certificate", "load_roots", "verify_chain"]

_DEPTH: Final = 8
_RSA_BITS: Final = 2048
_HASHES: Final = ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")
#: Critical extensions whose meaning is checked below.
_KNOWN: Final = ("basicConstraints", "keyUsage", "extendedKeyUsage", "subjectAltName", "subjectKeyIdentifier", "authorityKeyIdentifier")  # fmt: skip


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a person needs to know of a certificate. Names are RFC 4514 text from the certificate, times in UTC."""

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    fingerprint: str

    def to_json(self) -> dict[str, str]:
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "not_before": _time(self.not_before),
            "not_after": _time(self.not_after),
            "sha256": self.fingerprint,
        }


@dataclass(frozen=True, slots=True)
class Roots:
    """The certificates that the verifier named: those that sign themselves are trusted, others only help to build a chain."""

    anchors: tuple[Certificate, ...]
    others: tuple[Certificate, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the only root, in hex, or '' where there are several."""
        return _facts(self.anchors[0]).fingerprint if len(self.anchors) == 1 else ""


def load_roots(pem: bytes) -> Roots:
    """All certificates in ``pem``.

    Raises:
        UsageError: there is none, or none that signs itself, so that nothing would be trusted.
    """
    from cryptography.x509 import load_pem_x509_certificates

    try:
        found = load_pem_x509_certificates(pem)
    except ValueError:
        raise UsageError("this holds no certificate in PEM") from None
    anchors = tuple(each for each in found if _issued(each, each))
    if not anchors:
        raise UsageError("none of these certificates signs itself, so there is no root to trust")
    return Roots(anchors, tuple(each for each in found if each not in anchors))


def load_certificate(pem: bytes) -> list[bytes]:
    """The certificates in ``pem`` as DER, in their order.

    Raises:
        UsageError: there is none.
    """
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return [each.public_bytes(Encoding.DER) for each in load_pem_x509_certificates(pem)]
    except ValueError:
        raise UsageError("this holds no certificate in PEM") from None


def verify_chain(
    chain: Sequence[bytes], roots: Roots, at: datetime
) -> tuple[PublicKey, CertificateFacts, CertificateFacts]:
    """The signer's key, the facts about its certificate, and about the root that it leads to.

    Args:
        chain: DER; the signer's first, the others in any order.
        at: the time at which all of them must be valid.

    Raises:
        VerifyError: ``malformed``, ``expired``, ``not-yet-valid``; ``untrusted`` where no path leads to a root, or one that
            does may not be used for this.
    """
    certificates = [_parse(each) for each in chain]
    leaf, pool = certificates[0], [*certificates[1:], *roots.others]
    _check_time(leaf, at)
    _check_leaf(leaf)
    try:
        key = public_of(leaf.public_key())
    except (UsageError, ValueError):
        raise VerifyError(
            "unsupported", "the signer's certificate has a key of a kind that models are not signed with"
        ) from None
    root = _climb(leaf, pool, roots, at, [])
    return key, _facts(leaf), _facts(root)


def facts_of(der: bytes) -> tuple[PublicKey, CertificateFacts]:
    """The key and the facts of a certificate of which nothing is verified.

    Raises:
        VerifyError: ``malformed``, or ``unsupported`` for another kind of key.
    """
    certificate = _parse(der)
    try:
        return public_of(certificate.public_key()), _facts(certificate)
    except (UsageError, ValueError):
        raise VerifyError(
            "unsupported", "the signer's certificate has a key of a kind that models are not signed with"
        ) from None


def _climb(
    child: Certificate, pool: list[Certificate], roots: Roots, at: datetime, path: list[Certificate]
) -> Certificate:
    """Go from issuer to issuer until a root. The first problem of a path that would lead to one is what is said."""
    if len(path) >= _DEPTH:
        raise VerifyError("untrusted", f"the certificate chain has more than {_DEPTH} certificates")
    problem: VerifyError | None = None
    for anchor in roots.anchors:
        if anchor == child or _issued(child, anchor):
            try:
                _check_issuer(anchor, at, len(path))
            except VerifyError as error:
                problem = problem or error
                continue
            return anchor
    for each in pool:
        if each in path or each == child or not _issued(child, each):
            continue
        try:
            _check_issuer(each, at, len(path))
            return _climb(each, pool, roots, at, [*path, each])
        except VerifyError as error:
            problem = problem or error
    raise problem or VerifyError("untrusted", f"no root that is trusted issued the certificate of {_name(child)}")


def _check_issuer(issuer: Certificate, at: datetime, below: int) -> None:
    """``issuer`` may issue, with ``below`` intermediate certificates between it and the signer's."""
    from cryptography.x509 import BasicConstraints, ExtendedKeyUsage, KeyUsage
    from cryptography.x509.oid import ExtendedKeyUsageOID

    _check_time(issuer, at)
    found = _extensions(issuer)
    constraints = found.get("basicConstraints")
    if not isinstance(constraints, BasicConstraints) or not constraints.ca:
        raise VerifyError("untrusted", f"the certificate of {_name(issuer)} is not one that may issue others")
    if constraints.path_length is not None and below > constraints.path_length:
        raise VerifyError("untrusted", f"the chain below {_name(issuer)} is longer than its certificate allows")
    usage, purposes = found.get("keyUsage"), found.get("extendedKeyUsage")
    if isinstance(usage, KeyUsage) and not usage.key_cert_sign:
        raise VerifyError("untrusted", f"the key of {_name(issuer)} is not one for signing certificates")
    allowed = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if isinstance(purposes, ExtendedKeyUsage) and allowed.isdisjoint(purposes):
        raise VerifyError("untrusted", f"{_name(issuer)} may not issue certificates for code signing")


def _check_leaf(leaf: Certificate) -> None:
    from cryptography.x509 import ExtendedKeyUsage, KeyUsage
    from cryptography.x509.oid import ExtendedKeyUsageOID

    found = _extensions(leaf)
    usage, purposes = found.get("keyUsage"), found.get("extendedKeyUsage")
    if usage is None and purposes is None:
        raise VerifyError("untrusted", f"the certificate of {_name(leaf)} does not say that its key is for signing")
    if isinstance(usage, KeyUsage) and not usage.digital_signature:
        raise VerifyError("untrusted", f"the key of {_name(leaf)} is not one for signatures, its certificate says")
    if isinstance(purposes, ExtendedKeyUsage) and ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise VerifyError("untrusted", f"the certificate of {_name(leaf)} is for other purposes than code signing")


def _extensions(certificate: Certificate) -> dict[str, ExtensionType]:
    try:
        extensions = list(certificate.extensions)
    except ValueError as error:
        raise VerifyError(
            "malformed", f"the certificate of {_name(certificate)} has broken extensions: {error}"
        ) from None
    found: dict[str, ExtensionType] = {}
    for each in extensions:
        name = getattr(each.oid, "_name", "")
        if name == "nameConstraints":
            raise VerifyError(
                "untrusted", f"the certificate of {_name(certificate)} limits the names below it, which is not understood here"
            )  # fmt: skip
        if each.critical and name not in _KNOWN:
            raise VerifyError(
                "untrusted", f"the certificate of {_name(certificate)} has a critical extension {each.oid.dotted_string}, which is not known here"
            )  # fmt: skip
        found[name] = each.value
    return found


def _issued(child: Certificate, issuer: Certificate) -> bool:
    """Whether ``issuer`` signed ``child``, with a key and a hash that are still believed."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        if child.issuer != issuer.subject:
            return False
        algorithm = child.signature_hash_algorithm
        key = issuer.public_key()
        if (algorithm is not None and algorithm.name not in _HASHES) or (
            isinstance(key, RSAPublicKey) and key.key_size < _RSA_BITS
        ):
            return False
        child.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_time(certificate: Certificate, at: datetime) -> None:
    if at < certificate.not_valid_before_utc:
        raise VerifyError(
            "not-yet-valid",
            f"the certificate of {_name(certificate)} is valid from {_time(certificate.not_valid_before_utc)}",
        )
    if at > certificate.not_valid_after_utc:
        raise VerifyError(
            "expired",
            f"the certificate of {_name(certificate)} was valid until {_time(certificate.not_valid_after_utc)}",
        )


def _parse(der: bytes) -> Certificate:
    from cryptography.x509 import load_der_x509_certificate

    try:
        certificate = load_der_x509_certificate(der)
        _ = certificate.subject, certificate.issuer, certificate.version, certificate.public_key()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is no certificate that can be used
        raise VerifyError("malformed", f"a certificate cannot be read: {error}") from None
    return certificate


def _facts(certificate: Certificate) -> CertificateFacts:
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding

    return CertificateFacts(
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        f"{certificate.serial_number:x}",
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
    )


def _name(certificate: Certificate) -> str:
    return certificate.subject.rfc4514_string()[:200] or "nobody"


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
