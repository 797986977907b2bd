"""Keys: what signs and what verifies. One algorithm belongs to each kind of key, so that nobody can be talked into another.

====================  =============================================  ==========================
key                   signature                                      where
====================  =============================================  ==========================
P-256, P-384, P-521   ECDSA with SHA-256, SHA-384, SHA-512, in DER   OpenSSF Model Signing, ours
Ed25519               as RFC 8032 has it                             ours
====================  =============================================  ==========================

Everything is PEM: private keys PKCS #8 (with a passphrase: PBES2), public keys SubjectPublicKeyInfo.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError, VerifyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["KINDS", "PrivateKey", "PublicKey", "generate", "load_private", "load_public"]

KINDS: Final = ("p256", "p384", "p521", "ed25519")
_CURVES: Final = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"}
_HASHES: Final = {"p256": "SHA256", "p384": "SHA384", "p521": "SHA512"}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Verifies. ``kind`` is one of :data:`KINDS`."""

    kind: str
    _key: EllipticCurvePublicKey | Ed25519PublicKey

    @property
    def pem(self) -> bytes:
        """SubjectPublicKeyInfo in PEM, with its final newline."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def hint(self) -> str:
        """What OpenSSF Model Signing 1.0 names a key by: SHA-256 over its PEM text, in hex."""
        return hashlib.sha256(self.pem).hexdigest()

    @property
    def raw(self) -> bytes:
        """The 32 bytes of an Ed25519 key (RFC 8032).

        Raises:
            UsageError: it is a key of another kind.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if not isinstance(self._key, Ed25519PublicKey):
            raise UsageError(f"this needs an Ed25519 key, and the key is a {self.kind} one")
        return self._key.public_bytes_raw()

    def verify(self, signature: bytes, data: bytes, *, old_hash: bool = False) -> None:
        """Return where ``signature`` is this key's over ``data``.

        Args:
            old_hash: SHA-256 whatever the curve, as model-signing 0.2 had it.

        Raises:
            VerifyError: ``tampered``: it is not, be it of another key or over other bytes, which mathematics does not tell apart.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey

        try:
            if isinstance(self._key, EllipticCurvePublicKey):
                algorithm = "SHA256" if old_hash else _HASHES[self.kind]
                self._key.verify(signature, data, ECDSA(getattr(hashes, algorithm)()))
            else:
                self._key.verify(signature, data)
        except InvalidSignature:
            raise VerifyError(
                "tampered", f"the signature is not one of this {self.kind} key over these bytes"
            ) from None

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        """Return where ``signature`` is this key's over the data of this SHA-256, as tools that sign single files make them.

        Raises:
            VerifyError: ``tampered``, as :meth:`verify`; ``unsupported`` for Ed25519, which signs data and no digest.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256

        if not isinstance(self._key, EllipticCurvePublicKey):
            raise VerifyError(
                "unsupported", f"a {self.kind} key signs no digests, so this is not verified without the file"
            )
        try:
            self._key.verify(signature, digest, ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            raise VerifyError("tampered", f"the signature is not one of this {self.kind} key over this file") from None


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """Signs. ``kind`` is one of :data:`KINDS`; nothing shows the secret."""

    kind: str
    _key: EllipticCurvePrivateKey | Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"PrivateKey({self.kind})"

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.kind, self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``. That of Ed25519 is always the same, that of ECDSA never."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey

        if isinstance(self._key, EllipticCurvePrivateKey):
            return self._key.sign(data, ECDSA(getattr(hashes, _HASHES[self.kind])()))
        return self._key.sign(data)

    def pem(self, passphrase: bytes | None = None) -> bytes:
        """PKCS #8 in PEM, encrypted where there is a passphrase."""
        from cryptography.hazmat.primitives.serialization import (
            BestAvailableEncryption,
            Encoding,
            KeySerializationEncryption,
            NoEncryption,
            PrivateFormat,
        )

        how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def generate(kind: str = "p256") -> PrivateKey:
    """A new key.

    Raises:
        UsageError: no such kind.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if kind == "ed25519":
        return PrivateKey(kind, ed25519.Ed25519PrivateKey.generate())
    curve = next((name for name, word in _CURVES.items() if word == kind), None)
    if curve is None:
        raise UsageError(f"unknown kind of key {kind}; known are {', '.join(KINDS)}")
    return PrivateKey(kind, ec.generate_private_key(getattr(ec, curve.upper())()))


def load_private(pem: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """The private key in ``pem``.

    Raises:
        UsageError: it is none, of a kind that we do not sign with, or the passphrase is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, passphrase or None)
    except TypeError:
        text = (
            "is encrypted, and no passphrase was given"
            if not passphrase
            else "is not encrypted, but a passphrase was given"
        )
        raise UsageError(f"the private key {text}") from None
    except (ValueError, UnsupportedAlgorithm):
        why = (
            "the passphrase is wrong, or this is no private key in PEM"
            if passphrase
            else "this is no private key in PEM"
        )
        raise UsageError(why) from None
    if isinstance(key, Ed25519PrivateKey):
        return PrivateKey("ed25519", key)
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return PrivateKey(_CURVES[key.curve.name], key)
    raise UsageError(f"keys of this kind are not used for signing; known are {', '.join(KINDS)}")


def load_public(pem: bytes) -> PublicKey:
    """The public key in ``pem``.

    Raises:
        UsageError: it is none, or of a kind that we do not verify with.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("this is no public key in PEM") from None
    return public_of(key)


def public_of(key: object) -> PublicKey:
    """A key of ``cryptography`` as one of ours.

    Raises:
        UsageError: it is of a kind that we do not verify with.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if isinstance(key, Ed25519PublicKey):
        return PublicKey("ed25519", key)
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return PublicKey(_CURVES[key.curve.name], key)
    raise UsageError(f"keys of this kind are not used for verifying; known are {', '.join(KINDS)}")
