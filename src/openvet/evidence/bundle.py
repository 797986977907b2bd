"""Sigstore bundles, version 0.3: one envelope, and what its signature is checked with, in one JSON file.

::

    mediaType               application/vnd.dev.sigstore.bundle.v0.3+json
    verificationMaterial    one of
      publicKey               hint: names a key that the verifier has (before model-signing 1.1: rawBytes, the key itself)
      x509CertificateChain    certificates[].rawBytes: DER, the signer's first
      certificate             rawBytes: DER, short-lived, of a keyless signature
      and                   tlogEntries, timestampVerificationData
    dsseEnvelope            see :mod:`openvet.evidence.dsse`

Nothing in a bundle outside its envelope's payload is signed. So there is one spelling of it: unknown fields, other names of
known fields and other spellings of base64 are refused. ``tlogEntries`` and ``timestampVerificationData`` are kept as they are,
for the library that checks them.

Sources: sigstore protobuf-specs ``sigstore_bundle.proto`` and ``sigstore_common.proto``; OpenSSF Model Signing 1.0, section 4.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import VerifyError
from openvet.evidence.dsse import Envelope
from openvet.evidence.strict import decode_base64, encode_base64, fields_of, parse_json

__all__ = ["MEDIA_TYPE", "Bundle", "Material"]

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_CERTIFICATES: Final = 20
_KINDS: Final = ("publicKey", "x509CertificateChain", "certificate")


@dataclass(frozen=True, slots=True)
class Material:
    """What the signature is to be checked with, as the bundle says; nothing of it is trusted.

    Attributes:
        kind: ``publicKey``, ``x509CertificateChain`` or ``certificate``.
        hint: how the bundle names the public key, or ''.
        key: the public key that an old bundle carries, as it stands there (PEM), or b''.
        certificates: DER, the signer's first.
        log_entries, timestamps: as they were parsed; only the keyless check looks into them.
    """

    kind: str
    hint: str = ""
    key: bytes = b""
    certificates: tuple[bytes, ...] = ()
    log_entries: tuple[Any, ...] = ()
    timestamps: Any = None

    def to_json(self) -> dict[str, Any]:
        carried = [{"rawBytes": encode_base64(each)} for each in self.certificates]
        value: dict[str, Any] = {}
        if self.kind == "publicKey":
            value["publicKey"] = {"hint": self.hint}
        elif self.kind == "x509CertificateChain":
            value["x509CertificateChain"] = {"certificates": carried}
        else:
            value["certificate"] = carried[0]
        value["tlogEntries"] = list(self.log_entries)
        if self.timestamps is not None:
            value["timestampVerificationData"] = self.timestamps
        return value

    @classmethod
    def from_json(cls, value: Any) -> Material:
        """Take a parsed ``verificationMaterial``.

        Raises:
            VerifyError: ``malformed``.
        """
        what = "the verification material"
        optional = {**dict.fromkeys(_KINDS, dict), "tlogEntries": list, "timestampVerificationData": dict}
        found = fields_of(_without_null(value), what, {}, optional)
        kinds = [kind for kind in _KINDS if kind in found]
        if len(kinds) != 1:
            raise VerifyError("malformed", f"{what} has {len(kinds)} of {', '.join(_KINDS)}, and not one")
        kind = kinds[0]
        extra = (tuple(found.get("tlogEntries", ())), found.get("timestampVerificationData"))
        if kind == "publicKey":
            # a hint may be null; the key itself stood there before model-signing 1.1
            part = fields_of(
                _without_null(found[kind]), "publicKey", {}, {"hint": str, "rawBytes": str, "keyDetails": str}
            )
            key = decode_base64(part["rawBytes"], "the public key") if "rawBytes" in part else b""
            return cls(kind, part.get("hint", ""), key, (), *extra)
        if kind == "certificate":
            return cls(kind, "", b"", (_certificate(found[kind]),), *extra)
        chain = fields_of(found[kind], kind, {"certificates": list})["certificates"]
        if not 1 <= len(chain) <= _CERTIFICATES:
            raise VerifyError("malformed", f"the certificate chain has {len(chain)} certificates")
        return cls(kind, "", b"", tuple(map(_certificate, chain)), *extra)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One signed statement with its verification material. ``raw`` is the document that it was read from, or b''."""

    material: Material
    envelope: Envelope
    raw: bytes = b""

    def to_bytes(self) -> bytes:
        """The bundle as one line of JSON, which is what is written to a file."""
        import json

        value = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": self.material.to_json(),
            "dsseEnvelope": self.envelope.to_json(),
        }
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Bundle:
        """Read a bundle. Nothing is verified.

        Raises:
            VerifyError: ``malformed``; ``unsupported`` for other versions, and for a bundle that signs one file's digest and no
                statement.
        """
        value = parse_json(data, "the bundle")
        if not isinstance(value, dict):
            raise VerifyError("malformed", "the bundle is no object")
        media = value.get("mediaType")
        if media != MEDIA_TYPE:
            known = isinstance(media, str) and media.startswith("application/vnd.dev.sigstore.bundle")
            raise VerifyError(
                "unsupported" if known else "malformed",
                f"the bundle is of type {str(media)[:80]!r}; what is read is {MEDIA_TYPE}",
            )
        if "messageSignature" in value and "dsseEnvelope" not in value:
            raise VerifyError("unsupported", "the bundle signs the digest of one file, and no statement about a model")
        found = fields_of(value, "the bundle", {"mediaType": str, "verificationMaterial": dict, "dsseEnvelope": dict})
        return cls(Material.from_json(found["verificationMaterial"]), Envelope.from_json(found["dsseEnvelope"]), data)


def _certificate(value: Any) -> bytes:
    return decode_base64(fields_of(value, "a certificate", {"rawBytes": str})["rawBytes"], "a certificate")


def _without_null(value: Any) -> Any:
    """Protobuf's JSON reads a field that is null as one that is not there, and model-signing writes some so."""
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value
