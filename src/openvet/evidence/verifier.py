"""Who signed a bundle: checked with a key, with the roots of a certificate chain, or against a keyless identity.

Each gives the signed bytes, which nobody may look at before, and a :class:`Signer`. What the bundle itself says about who signed
it only tells failures apart: a bundle that names another key than the one given is ``wrong-key``, one that names this key and
whose signature fails is ``tampered``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.certificates import CertificateFacts, Roots, facts_of, verify_chain
from openvet.evidence.dsse import IN_TOTO, old_pae
from openvet.evidence.keys import PublicKey, load_public

__all__ = ["Signer", "Verified", "named_key", "verify_with_key", "verify_with_roots"]

_OLD_KIND: Final = b"https://model_signing/Digests/v0.1"
_HINT: Final = pattern(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, under what trust, and when as far as that is proven.

    Attributes:
        method: ``key``, ``certificate`` or ``sigstore``.
        key_kind, key: kind of the key, and SHA-256 of its PEM text.
        certificate, root: of the signer and of the root that it leads to.
        identity, provider: of a keyless signature, and which identity provider said so.
        at: the time at which certificates were checked.
        signed_at: when a log or a timestamp authority saw the signature; ``None`` where nobody did.
    """

    method: str
    key_kind: str
    key: str
    certificate: CertificateFacts | None = None
    root: CertificateFacts | None = None
    identity: str = ""
    provider: str = ""
    at: datetime | None = None
    signed_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"method": self.method, "key": {"kind": self.key_kind, "sha256": self.key}}
        if self.certificate is not None:
            value["certificate"] = self.certificate.to_json()
        if self.root is not None:
            value["root"] = self.root.to_json()
        if self.identity:
            value["identity"], value["provider"] = self.identity, self.provider
        for name, when in (("checked_at", self.at), ("signed_at", self.signed_at)):
            if when is not None:
                value[name] = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return value


@dataclass(frozen=True, slots=True)
class Verified:
    """Signed bytes, and by whom."""

    payload: bytes
    signer: Signer


def verify_with_key(bundle: Bundle, key: PublicKey) -> Verified:
    """Check that ``key`` signed the bundle, whatever the bundle says.

    Raises:
        VerifyError: ``wrong-key`` where the bundle names another key; ``tampered`` where it names this one, or none, and the
            signature is not this key's; ``malformed``, ``unsupported``.
    """
    named = named_key(bundle)
    if named and named != key.hint:
        raise VerifyError("wrong-key", f"it was signed with the key {named}, and the key given is {key.hint}")
    _check_signature(bundle, key)
    return Verified(bundle.envelope.payload, Signer("key", key.kind, key.hint))


def verify_with_roots(bundle: Bundle, roots: Roots, at: datetime) -> Verified:
    """Check that the bundle's certificate leads to one of ``roots``, all of the chain valid at ``at``, and that its key signed.

    Raises:
        VerifyError: as :func:`openvet.evidence.certificates.verify_chain`; ``untrusted`` where there is no chain;
            ``tampered`` where the signature is not that of the certificate's key.
    """
    if bundle.material.kind != "x509CertificateChain":
        other = "a key" if bundle.material.kind == "publicKey" else "a short-lived certificate (keyless)"
        raise VerifyError("untrusted", f"it was signed with {other}, and carries no certificate chain")
    key, leaf, root = verify_chain(bundle.material.certificates, roots, at)
    _check_signature(bundle, key)
    return Verified(bundle.envelope.payload, Signer("certificate", key.kind, key.hint, leaf, root, at=at))


def named_key(bundle: Bundle) -> str:
    """The hint of the key that the bundle says it was signed with, or ''. Hints of other tools name keys in other ways.

    Raises:
        VerifyError: ``malformed``, ``unsupported``: what it carries is no key or certificate of a kind that is known.
    """
    material = bundle.material
    if material.key:
        try:
            return load_public(material.key).hint
        except UsageError:
            raise VerifyError("malformed", "the public key in the bundle is none") from None
    if material.certificates:
        return facts_of(material.certificates[0])[0].hint
    return material.hint if _HINT.fullmatch(material.hint) else ""


def _check_signature(bundle: Bundle, key: PublicKey) -> None:
    envelope = bundle.envelope
    if len(envelope.signatures) != 1:
        raise VerifyError("malformed", f"the envelope has {len(envelope.signatures)} signatures, and not one")
    if envelope.payload_type != IN_TOTO:
        raise VerifyError("unsupported", f"what is signed is of type {envelope.payload_type[:80]!r}, not {IN_TOTO}")
    signature = envelope.signatures[0].sig
    try:
        key.verify(signature, envelope.signed)
        return
    except VerifyError:
        # only statements of that time: a statement of today that was signed in yesterday's way is not one of ours or theirs
        if _OLD_KIND not in envelope.payload:
            raise
    old = old_pae(envelope.payload_type, envelope.payload)
    try:
        key.verify(signature, old)
    except VerifyError:
        key.verify(signature, old, old_hash=True)
