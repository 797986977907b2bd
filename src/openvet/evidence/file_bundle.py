"""Sigstore bundles about one file, of every version: its digest signed as it is, or a statement that has it as a subject.

Publishers sign single files so, a release or a tokenizer, with ``cosign sign-blob`` or ``sigstore sign``. Beside what
:mod:`openvet.evidence.bundle` reads, which is what OpenVet and model-signing write, there are::

    mediaType          application/vnd.dev.sigstore.bundle+json;version=0.1, 0.2, 0.3
    messageSignature   in place of dsseEnvelope
      signature          over the file
      messageDigest      algorithm SHA2_256, digest

Versions 0.1 and 0.2 carry a keyless certificate as a chain, 0.3 as one certificate. A chain may not hold a root: what a signer
brings along is no reason to trust it.

Source: sigstore protobuf-specs ``sigstore_bundle.proto`` and ``sigstore_common.proto``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import VerifyError
from openvet.evidence.bundle import MEDIA_TYPE, Material
from openvet.evidence.dsse import Envelope
from openvet.evidence.strict import decode_base64, fields_of, parse_json

__all__ = ["FileBundle", "Message", "is_over_a_file"]

_OLD: Final = "application/vnd.dev.sigstore.bundle+json;version="
_VERSIONS: Final = {f"{_OLD}0.1": 1, f"{_OLD}0.2": 2, f"{_OLD}0.3": 3, MEDIA_TYPE: 3}


@dataclass(frozen=True, slots=True)
class Message:
    """A signature over a file. ``digest`` is the SHA-256 that the bundle states, or b''; nothing relies on it."""

    signature: bytes
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class FileBundle:
    """What was signed about a file, and with what it is checked.

    Attributes:
        version: 1, 2 or 3 for 0.1, 0.2 and 0.3.
        material: of kind ``publicKey`` or ``certificate``; the signer's certificate alone, however it came.
        content: the signature over the file, or an envelope with one signature around a statement.
        raw: the document.
    """

    version: int
    material: Material
    content: Message | Envelope
    raw: bytes

    @property
    def signature(self) -> bytes:
        """The signature that a log or a timestamp authority saw."""
        content = self.content
        return content.signature if isinstance(content, Message) else content.signatures[0].sig

    @classmethod
    def parse(cls, data: bytes) -> FileBundle:
        """Read a bundle. Nothing is verified.

        Raises:
            VerifyError: ``malformed``; ``unsupported`` for other versions, and for digests other than SHA-256.
        """
        value = parse_json(data, "the bundle")
        media = value.get("mediaType") if isinstance(value, dict) else None
        version = _VERSIONS.get(media) if isinstance(media, str) else None
        if version is None:
            known = isinstance(media, str) and media.startswith("application/vnd.dev.sigstore.bundle")
            raise VerifyError("unsupported" if known else "malformed", f"the bundle is of type {str(media)[:80]!r}")
        found = fields_of(
            value, "the bundle", {"mediaType": str, "verificationMaterial": dict}, {"messageSignature": dict, "dsseEnvelope": dict}
        )  # fmt: skip
        if len(found) != 3:
            raise VerifyError("malformed", "the bundle has not one of messageSignature and dsseEnvelope")
        material = _material(found["verificationMaterial"], version)
        if "messageSignature" in found:
            return cls(version, material, _message(found["messageSignature"]), data)
        envelope = Envelope.from_json(found["dsseEnvelope"])
        if len(envelope.signatures) != 1:
            raise VerifyError("malformed", f"the envelope has {len(envelope.signatures)} signatures, and not one")
        return cls(version, material, envelope, data)


def is_over_a_file(document: bytes) -> bool:
    """Whether a document is a bundle with a signature over a file, and not over a statement. Nothing else of it is looked at."""
    if b'"messageSignature"' not in document:
        return False
    try:
        value = parse_json(document, "the bundle")
    except VerifyError:
        return False  # whoever reads it says what is wrong
    return isinstance(value, dict) and "messageSignature" in value and "dsseEnvelope" not in value


def _material(value: Any, version: int) -> Material:
    found = Material.from_json(value)
    if found.kind == "publicKey":
        return found
    if (found.kind == "x509CertificateChain") != (version < 3):
        raise VerifyError(
            "malformed", f"a bundle of version 0.{version} does not carry its certificate as {found.kind}"
        )
    for each in found.certificates[1:]:
        _refuse_root(each)
    return replace(found, kind="certificate", certificates=found.certificates[:1])


def _refuse_root(der: bytes) -> None:
    from cryptography.x509 import load_der_x509_certificate

    try:
        certificate = load_der_x509_certificate(der)
        itself = certificate.issuer == certificate.subject
    except ValueError:
        raise VerifyError("malformed", "a certificate of the chain cannot be read") from None
    if itself:
        raise VerifyError("untrusted", "the bundle brings a root of its own, which nobody may believe")


def _message(value: Any) -> Message:
    found = fields_of(value, "messageSignature", {"signature": str}, {"messageDigest": dict})
    digest = b""
    if "messageDigest" in found:
        stated = fields_of(found["messageDigest"], "messageDigest", {"algorithm": str, "digest": str})
        if stated["algorithm"] != "SHA2_256":
            raise VerifyError("unsupported", f"the file's digest is {stated['algorithm'][:40]!r}, and not SHA2_256")
        digest = decode_base64(stated["digest"], "the file's digest")
    return Message(decode_base64(found["signature"], "the signature"), digest)
