"""Statements that are signed, and read back: a Sigstore bundle around an in-toto statement, in one spelling.

The bytes that are signed are canonical JSON. JSON readers differ about numbers, so a number that is no whole one of at most 2**53
is text in a signed statement (``"1e-05"``), and text that is no Unicode has its strange bytes escaped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import MEDIA_TYPE, Bundle, Material
from openvet.evidence.dsse import IN_TOTO, Envelope, Signature, pae
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates import scan_v1
from openvet.evidence.predicates.fields import FieldError
from openvet.evidence.predicates.known import KNOWN
from openvet.evidence.statement import STATEMENT_TYPE, Predicate, ResourceDescriptor, Statement
from openvet.evidence.strict import fields_of, parse_json

__all__ = [
    "SignedStatement",
    "SigningKey",
    "parse_line",
    "parse_statement",
    "sign_payload",
    "sign_statement",
    "signable",
    "statement_bytes",
    "statement_digest",
    "to_line",
]

_HINT: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_MOST_WHOLE: Final = 2**53


class SigningKey(Protocol):
    """Whatever can sign."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement as it was read: what it is about, and what it says.

    Attributes:
        subjects: at least one.
        predicate_type: what kind of statement it is.
        body: the predicate as JSON.
        predicate: the same as an object of ours, or ``None`` for kinds that this version does not know.
    """

    subjects: tuple[ResourceDescriptor, ...]
    predicate_type: str
    body: Mapping[str, Any]
    predicate: Predicate | None


def signable(value: Any) -> Any:
    """``value`` with everything that readers of JSON disagree about written as text."""
    if isinstance(value, float) or (type(value) is int and abs(value) > _MOST_WHOLE):
        whole = isinstance(value, float) and value.is_integer() and abs(value) <= _MOST_WHOLE
        return int(value) if whole else repr(value)
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {signable(key): signable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [signable(each) for each in value]
    return value


def sign_statement(statement: Statement, key: SigningKey) -> Bundle:
    """Sign what a statement says.

    Raises:
        UsageError: it is about bytes that nobody can name, or about a result that another run would not give.
    """
    for each in (statement.subject, *statement.others):
        if not each.digest:
            raise UsageError(f"{each.name}: not everything in it could be read, so that it has no digest to sign")
    if isinstance(statement.predicate, scan_v1.Scan) and not statement.predicate.reproducible:
        raise UsageError(
            f"{statement.subject.name}: a limit in seconds cut the scan short; such a result is not signed"
        )
    return sign_payload(statement_bytes(statement), key)


def statement_bytes(statement: Statement) -> bytes:
    """The bytes of a statement that are signed; that they are read back as such is seen to before.

    Raises:
        VerifyError: ``malformed``: it would not be read back.
    """
    payload = canonical_json(signable(statement.to_json()))
    parse_statement(payload)
    return payload


def statement_digest(statement: Statement) -> str:
    """SHA-256 in hex of the bytes that would be signed: by it decisions, pages and other statements name a statement, signed or not."""
    return hashlib.sha256(canonical_json(signable(statement.to_json()))).hexdigest()


def sign_payload(payload: bytes, key: SigningKey) -> Bundle:
    """A bundle around an in-toto statement, signed by ``key`` and naming it."""
    envelope = Envelope(IN_TOTO, payload, (Signature(key.sign(pae(IN_TOTO, payload))),))
    return Bundle(Material("publicKey", key.public.hint), envelope)


def parse_statement(payload: bytes, *, interpret: bool = True) -> SignedStatement:
    """Read what was signed.

    Args:
        interpret: also read the bodies of known kinds.

    Raises:
        VerifyError: ``malformed``: no statement, or a body of a kind that is known and does not have its form.
    """
    needed = {"_type": str, "subject": list, "predicateType": str, "predicate": dict}
    found = fields_of(parse_json(payload, "the statement"), "the statement", needed)
    if found["_type"] != STATEMENT_TYPE:
        raise VerifyError("malformed", f"the statement is of type {found['_type'][:80]!r}, not {STATEMENT_TYPE}")
    subjects = tuple(map(_descriptor, found["subject"]))
    if not subjects or not found["predicateType"]:
        raise VerifyError("malformed", "the statement has no subject or no type")
    kind, body = found["predicateType"], found["predicate"]
    return SignedStatement(subjects, kind, body, _interpreted(kind, body) if interpret else None)


def _descriptor(value: Any) -> ResourceDescriptor:
    optional = {"name": str, "uri": str, "mediaType": str, "downloadLocation": str, "content": str, "annotations": dict}
    found = fields_of(value, "a subject", {"digest": dict}, optional)
    digest = found["digest"]
    if not digest or not all(isinstance(each, str) and each for each in digest.values()):
        raise VerifyError("malformed", "a subject has no digest")
    return ResourceDescriptor(found.get("name", ""), digest)


def _interpreted(kind: str, body: dict[str, Any]) -> Predicate | None:
    """The body as an object that says the very same: a field that it does not know, or reads otherwise, is refused."""
    read = KNOWN.get(kind)
    if read is None:
        return None
    why = ""
    try:
        predicate: Predicate = read(body)
        same = bool(predicate.to_json() == body)
    except FieldError as error:
        same, why = False, f": {error}"
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        same = False
    if not same:
        raise VerifyError("malformed", f"the body of the statement is none of {kind}{why}")
    return predicate


def to_line(bundle: Bundle) -> bytes:
    """The bundle in its one spelling: canonical JSON without a newline. What was signed stays as it is.

    Raises:
        VerifyError: ``unsupported``: it is not one signature, by a key that is named by SHA-256 of its PEM text, or with a
            certificate, which for a long-lived one stands there with those that issued it and nothing else.
    """
    material, envelope = bundle.material, bundle.envelope
    bare = not material.log_entries and material.timestamps is None
    named = material.kind == "publicKey" and not material.key and _HINT.fullmatch(material.hint) is not None
    if len(envelope.signatures) != 1 or not (
        material.kind == "certificate" or (bare and (named or material.certificates))
    ):
        raise VerifyError(
            "unsupported",
            "the bundle is not one signature by a key that it names by its SHA-256, or with a certificate",
        )
    if envelope.payload_type != IN_TOTO:
        raise VerifyError("unsupported", f"the bundle signs {envelope.payload_type[:80]!r}, not {IN_TOTO}")
    return canonical_json(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material.to_json(),
            "dsseEnvelope": Envelope(IN_TOTO, envelope.payload, (Signature(envelope.signatures[0].sig),)).to_json(),
        }
    )


def parse_line(line: bytes, what: str) -> Bundle:
    """A bundle in its one spelling.

    Raises:
        VerifyError: ``malformed``: no bundle, or in another spelling.
    """
    try:
        bundle = Bundle.parse(line)
        same = to_line(bundle) == line
    except VerifyError as error:
        raise VerifyError("malformed", f"{what}: {error.message}") from None
    if not same:
        raise VerifyError("malformed", f"{what} is a bundle, but not in its canonical spelling")
    return bundle
