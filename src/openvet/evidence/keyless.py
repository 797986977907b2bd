"""Keyless signatures of Sigstore, checked with no network by the library ``sigstore``, which is an extra: ``openvet[sigstore]``.

A keyless signature is made with a key that is thrown away; a certificate that was valid for minutes says whose it was, and a
transparency log says that it was made in those minutes. What is trusted is a *trusted root*: the keys of the authority that
issues such certificates and of the log. The library carries that of the public instance, as old as the library is; a newer
one, or one of another instance, is a file.

On top of what the library checks, the authority and the logs have to have been trusted at that time
(:mod:`openvet.evidence.trusted_root`), and the log's entry has to be about this very signature (:mod:`openvet.evidence.log_entry`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from openvet.errors import VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.certificates import facts_of
from openvet.evidence.dsse import IN_TOTO
from openvet.evidence.log_entry import Signed, check_entry
from openvet.evidence.sigstore_library import check_statement
from openvet.evidence.trusted_root import SigstoreRoot, check_times, load_trusted_root, logs_told_apart
from openvet.evidence.verifier import Signer, Verified

__all__ = ["check_only_entry", "keyless_signer", "load_trusted_root", "verify_keyless"]


def verify_keyless(bundle: Bundle, identity: str, provider: str, root: SigstoreRoot) -> Verified:
    """Check that ``identity``, as ``provider`` knows it, signed the bundle.

    Args:
        identity: an e-mail address or URI, compared as it is.
        provider: the URL of the identity provider (OIDC issuer).

    Raises:
        VerifyError: ``untrusted`` where somebody else signed, or the library refuses the bundle for any reason; ``expired`` or
            ``not-yet-valid`` where an authority or a log was not trusted then; ``tampered``, ``malformed``.
    """
    if bundle.material.kind != "certificate":
        raise VerifyError("untrusted", "it was signed with a long-lived key or certificate, and not keyless")
    envelope, certificate = bundle.envelope, bundle.material.certificates[0]
    if len(envelope.signatures) != 1:
        raise VerifyError("malformed", f"the envelope has {len(envelope.signatures)} signatures, and not one")
    signed = Signed(envelope.signatures[0].sig, certificate, payload=envelope.payload, encoded=envelope.signed)
    entry = check_only_entry(bundle.material.log_entries, signed)
    with logs_told_apart(root, certificate, [entry]):
        kind, payload = check_statement(bundle.raw, identity, provider, root)
    if kind != IN_TOTO or payload != envelope.payload:
        raise VerifyError("malformed", "sigstore read something else in the bundle than we did")
    return Verified(payload, keyless_signer(certificate, entry, identity, provider, root))


def check_only_entry(entries: tuple[Any, ...], signed: Signed) -> Any:
    """The one log entry of a keyless bundle, which is about what was signed. Whether it is true, the library is asked after this.

    Raises:
        VerifyError: as :func:`openvet.evidence.log_entry.check_entry`.
    """
    if len(entries) != 1:
        raise VerifyError("malformed", f"the bundle has {len(entries)} log entries, and not one")
    check_entry(entries[0], signed)
    return entries[0]


def keyless_signer(certificate: bytes, entry: Any, identity: str, provider: str, root: SigstoreRoot) -> Signer:
    """Who signed, once the library has verified it: after the times that it does not look at are checked as well.

    Raises:
        VerifyError: as :func:`openvet.evidence.trusted_root.check_times`.
    """
    from cryptography.x509 import load_der_x509_certificate

    check_times(root, load_der_x509_certificate(certificate), entry)
    key, facts = facts_of(certificate)
    return Signer("sigstore", key.kind, key.hint, facts, identity=identity, provider=provider, signed_at=_seen(entry))


def _seen(entry: Any) -> datetime | None:
    """The time at which the log saw the signature, where the log has signed that time: its promise does, its proof does not."""
    if not isinstance(entry, dict) or "inclusionPromise" not in entry:
        return None
    seconds = str(entry.get("integratedTime", ""))
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() and 0 < int(seconds) < 1 << 40 else None
