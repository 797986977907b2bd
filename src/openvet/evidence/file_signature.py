"""Who signed one file, by a Sigstore bundle about it: with a key that the verifier has, or keyless.

Of a file only its SHA-256 is needed. A signature by a key is believed for the key; where a trusted root is given, the log entries that
the bundle brings have to be true as well, and where none is, they have at least to be about this signature.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

from openvet.errors import VerifyError
from openvet.evidence.dsse import IN_TOTO, Envelope
from openvet.evidence.file_bundle import FileBundle, Message
from openvet.evidence.keyless import check_only_entry, keyless_signer
from openvet.evidence.keys import PublicKey, public_of
from openvet.evidence.log_entry import Signed, check_entry, kind_of
from openvet.evidence.sigstore_library import check_file, check_intoto, check_log, check_statement
from openvet.evidence.strict import parse_json
from openvet.evidence.trusted_root import SigstoreRoot, logs_told_apart
from openvet.evidence.verifier import Signer

__all__ = ["verify_file_keyless", "verify_file_with_key"]

_ENTRIES = 8


def verify_file_with_key(bundle: FileBundle, digest: bytes, key: PublicKey, root: SigstoreRoot | None = None) -> Signer:
    """Check that ``key`` signed the file of this SHA-256, or a statement about it.

    Args:
        root: what the bundle's log entries are checked by; ``None`` leaves the log's own signatures unchecked.

    Raises:
        VerifyError: ``wrong-key`` where the bundle names another key, ``tampered`` where the signature is not this key's or a log
            entry is about something else, ``mismatch`` where it is about another file, ``untrusted``, ``malformed``, ``unsupported``.
    """
    if bundle.material.kind != "publicKey":
        raise VerifyError("untrusted", "it was signed keyless, and not with a key")
    spki = _spki(key)
    _check_hint(bundle, key, spki)
    if isinstance(bundle.content, Message):
        _check_stated(bundle.content, digest)
        key.verify_digest(bundle.signature, digest)
    else:
        key.verify(bundle.signature, bundle.content.signed)
        _check_subject(bundle.content, digest)
    entries = bundle.material.log_entries
    if len(entries) > _ENTRIES:
        raise VerifyError("malformed", f"the bundle has {len(entries)} log entries")
    for each in entries:
        check_entry(each, _signed(bundle, spki, digest))
        if root is not None:
            with logs_told_apart(root, b"", [each]):
                check_log(each, root)
    return Signer("key", key.kind, key.hint)


def verify_file_keyless(bundle: FileBundle, digest: bytes, identity: str, provider: str, root: SigstoreRoot) -> Signer:
    """Check that ``identity``, as ``provider`` knows it, signed the file of this SHA-256, or a statement about it.

    Raises:
        VerifyError: as :func:`openvet.evidence.keyless.verify_keyless`, and ``mismatch`` where it is about another file.
    """
    if bundle.material.kind != "certificate":
        raise VerifyError("untrusted", "it was signed with a key, and not keyless")
    if isinstance(bundle.content, Message):
        _check_stated(bundle.content, digest)
    certificate = bundle.material.certificates[0]
    entry = check_only_entry(bundle.material.log_entries, _signed(bundle, certificate, digest))
    with logs_told_apart(root, certificate, [entry]):
        _ask_library(bundle, digest, entry, identity, provider, root)
    if isinstance(bundle.content, Envelope):
        _check_subject(bundle.content, digest)
    return keyless_signer(certificate, entry, identity, provider, root)


def _ask_library(
    bundle: FileBundle, digest: bytes, entry: Any, identity: str, provider: str, root: SigstoreRoot
) -> None:
    if isinstance(bundle.content, Message):
        check_file(bundle.raw, digest, identity, provider, root)
    elif kind_of(entry) == "intoto 0.0.2":
        check_intoto(bundle.raw, identity, provider, root)
        _check_intoto_signature(bundle.content, bundle.material.certificates[0], entry)
    else:
        kind, payload = check_statement(bundle.raw, identity, provider, root)
        if (kind, payload) != (bundle.content.payload_type, bundle.content.payload):
            raise VerifyError("malformed", "sigstore read something else in the bundle than we did")


def _check_intoto_signature(envelope: Envelope, certificate: bytes, entry: Any) -> None:
    """What the library does for other kinds of log entries: the signature, and that the times do not contradict each other."""
    from cryptography.x509 import load_der_x509_certificate

    found = load_der_x509_certificate(certificate)
    public_of(found.public_key()).verify(envelope.signatures[0].sig, envelope.signed)
    seconds = str(entry.get("integratedTime") or "0")
    if not seconds.isdecimal() or int(seconds) >= 1 << 40:
        raise VerifyError("malformed", "the log entry's time is none")
    # the log's time does not prove here when it was signed, but it has no business to contradict it
    when = datetime.fromtimestamp(int(seconds), UTC)
    if seconds != "0" and not found.not_valid_before_utc <= when <= found.not_valid_after_utc:
        raise VerifyError("expired", "the log took the entry when the signer's certificate was not valid")


def _check_subject(envelope: Envelope, digest: bytes) -> None:
    """The signed statement has the file as a subject. Call it only once the signature is verified."""
    if envelope.payload_type != IN_TOTO:
        raise VerifyError("unsupported", f"what is signed is of type {envelope.payload_type[:80]!r}, not {IN_TOTO}")
    statement = parse_json(envelope.payload, "the statement")
    subjects = statement.get("subject") if isinstance(statement, dict) else None
    if not isinstance(subjects, list):
        raise VerifyError("malformed", "the statement has no subjects")
    if not any(_sha256(each) == digest.hex() for each in subjects):
        raise VerifyError("mismatch", "the statement is about other files")


def _sha256(subject: Any) -> Any:
    digests = subject.get("digest") if isinstance(subject, dict) else None
    return digests.get("sha256") if isinstance(digests, dict) else None


def _check_stated(message: Message, digest: bytes) -> None:
    if message.digest and message.digest != digest:
        raise VerifyError("mismatch", "the bundle is about another file")


def _check_hint(bundle: FileBundle, key: PublicKey, spki: bytes) -> None:
    """A hint is whatever the signer's tool writes. Where it has the form of one of the two that are usual, it has to be right."""
    hint = bundle.material.hint
    usual = {64: key.hint, 44: base64.b64encode(hashlib.sha256(spki).digest()).decode("ascii")}
    if hint and hint != usual.get(len(hint), hint):
        raise VerifyError("wrong-key", f"it was signed with the key {hint}, and the key given is {key.hint}")


def _signed(bundle: FileBundle, verifier: bytes, digest: bytes) -> Signed:
    content = bundle.content
    if isinstance(content, Message):
        return Signed(content.signature, verifier, digest)
    return Signed(bundle.signature, verifier, payload=content.payload, encoded=content.signed)


def _spki(key: PublicKey) -> bytes:
    lines = key.pem.decode("ascii").splitlines()
    return base64.b64decode("".join(lines[1:-1]))
