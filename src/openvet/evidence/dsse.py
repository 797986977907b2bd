"""DSSE: an envelope around bytes that are signed as they are, and their type with them.

Source: https://github.com/secure-systems-lab/dsse, ``envelope.md`` and ``protocol.md`` (v1.0).
"""

from __future__ import annotations

from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import VerifyError
from openvet.evidence.strict import decode_base64, encode_base64, fields_of

__all__ = ["IN_TOTO", "Envelope", "Signature", "old_pae", "pae"]

#: The payload type of in-toto statements (in-toto attestation ``spec/v1/envelope.md``).
IN_TOTO: Final = "application/vnd.in-toto+json"
_SIGNATURES: Final = 100


def pae(payload_type: str, payload: bytes) -> bytes:
    """The Pre-Authentication Encoding, which is what is signed: type and body, each behind its length."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def old_pae(payload_type: str, payload: bytes) -> bytes:
    """What model-signing 0.2 signed in its place: the magic in other letters, and the body as Python shows bytes.

    Two bodies still never give the same bytes, so that nothing is lost by checking such a signature.
    """
    return f"DSSEV1 {len(payload_type)} {payload_type} {len(payload)} {payload!r}".encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, and a hint at the key that nobody may rely on."""

    sig: bytes
    keyid: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Bytes, their type, and who signed them. ``payload`` is kept as it was signed."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def signed(self) -> bytes:
        """What every signature of the envelope is about."""
        return pae(self.payload_type, self.payload)

    def to_json(self) -> dict[str, Any]:
        signatures = [
            {"sig": encode_base64(each.sig), **({"keyid": each.keyid} if each.keyid else {})}
            for each in self.signatures
        ]
        return {"payload": encode_base64(self.payload), "payloadType": self.payload_type, "signatures": signatures}

    @classmethod
    def from_json(cls, value: Any) -> Envelope:
        """Take a parsed document for an envelope.

        Raises:
            VerifyError: ``malformed``; nothing in it is optional but the hint, which may be null as well.
        """
        found = fields_of(value, "the envelope", {"payload": str, "payloadType": str, "signatures": list})
        if not 1 <= len(found["signatures"]) <= _SIGNATURES:
            raise VerifyError("malformed", f"the envelope has {len(found['signatures'])} signatures")
        signatures = []
        for each in found["signatures"]:
            if isinstance(each, dict) and each.get("keyid", "") is None:
                each = {key: item for key, item in each.items() if key != "keyid"}
            part = fields_of(each, "a signature", {"sig": str}, {"keyid": str})
            signatures.append(Signature(decode_base64(part["sig"], "a signature"), part.get("keyid", "")))
        return cls(found["payloadType"], decode_base64(found["payload"], "the payload"), tuple(signatures))
