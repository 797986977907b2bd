"""The signed index of a dossier: which lines, keys and documents it has, and the log's checkpoint. The spec page is ``index.md``."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.dossier.layout import CLAIMS
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.signing import SigningKey, parse_line, parse_statement, sign_payload, to_line
from openvet.evidence.statement import STATEMENT_TYPE
from openvet.evidence.strict import fields_of
from openvet.evidence.verifier import verify_with_key

__all__ = ["INDEX_TYPE", "Index", "read_index", "sign_index", "signer_of"]

INDEX_TYPE: Final = f"{PREDICATE_BASE}/dossier-index/v1"
_HEX: Final = pattern(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Index:
    """What a dossier holds.

    Attributes:
        claims: SHA-256 of ``claims.jsonl``, in hex.
        lines: SHA-256 of each line without its newline, in their order.
        checkpoint: the signed checkpoint of the log, as it stands in ``log/checkpoint``.
        keys: SHA-256 of each key in ``trust/``, sorted.
        blobs: SHA-256 of each document in ``blobs/``, sorted.
    """

    claims: str
    lines: tuple[str, ...]
    checkpoint: str
    keys: tuple[str, ...]
    blobs: tuple[str, ...]

    @property
    def payload(self) -> bytes:
        predicate = {
            "lines": list(self.lines),
            "checkpoint": self.checkpoint,
            "keys": list(self.keys),
            "blobs": list(self.blobs),
        }
        subject = {"name": CLAIMS, "digest": {"sha256": self.claims}}
        return canonical_json(
            {"_type": STATEMENT_TYPE, "subject": [subject], "predicateType": INDEX_TYPE, "predicate": predicate}
        )

    @classmethod
    def parse(cls, payload: bytes) -> Index:
        """Take the payload of a bundle for an index.

        Raises:
            VerifyError: ``malformed``.
        """
        said = parse_statement(payload)
        if said.predicate_type != INDEX_TYPE:
            raise VerifyError("malformed", f"the index is a statement of type {said.predicate_type[:80]!r}")
        needed = {"lines": list, "checkpoint": str, "keys": list, "blobs": list}
        body = fields_of(dict(said.body), "the index", needed)
        found = cls(
            said.subjects[0].digest.get("sha256", ""),
            *(_hexes(body["lines"]), body["checkpoint"], _hexes(body["keys"]), _hexes(body["blobs"])),
        )
        try:
            same = found.payload == payload
        except ValueError:  # text that is no Unicode
            same = False
        if not same or any(list(each) != sorted(set(each)) for each in (found.keys, found.blobs)):
            raise VerifyError("malformed", "the index is not in its canonical spelling")
        return found


def _hexes(values: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(each, str) and _HEX.fullmatch(each) for each in values):
        raise VerifyError("malformed", "the index holds something else than digests")
    return tuple(values)


def sign_index(
    claims: bytes, lines: list[bytes], checkpoint: bytes, keys: set[str], blobs: set[str], key: SigningKey
) -> bytes:
    """The bytes of ``index.json``."""
    digests = tuple(hashlib.sha256(each).hexdigest() for each in lines)
    index = Index(
        hashlib.sha256(claims).hexdigest(), digests, checkpoint.decode(), tuple(sorted(keys)), tuple(sorted(blobs))
    )
    return to_line(sign_payload(index.payload, key)) + b"\n"


def signer_of(data: bytes) -> str:
    """SHA-256 of the key that ``index.json`` says it is signed with; nothing is verified.

    Raises:
        VerifyError: ``malformed``.
    """
    if not data.endswith(b"\n"):
        raise VerifyError("malformed", "the index does not end with a newline")
    bundle: Bundle = parse_line(data[:-1], "the index")
    if bundle.material.kind != "publicKey":
        raise VerifyError("malformed", "the index is signed with a certificate, and not with a key")
    return bundle.material.hint


def read_index(data: bytes, key: PublicKey) -> Index:
    """What ``index.json`` says, signed by ``key``.

    Raises:
        VerifyError: ``malformed``, ``wrong-key``, ``tampered``.
    """
    signer_of(data)
    return Index.parse(verify_with_key(parse_line(data[:-1], "the index"), key).payload)
