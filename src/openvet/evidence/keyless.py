"""Keyless signatures of Sigstore, checked with no network by the library ``sigstore``, which is an extra: ``openvet[sigstore]``.

A keyless signature is made with a key that is thrown away; a certificate that was valid for minutes says whose it was, and a
transparency log says that it was made in those minutes. What is trusted is a *trusted root*: the keys of the authority that
issues such certificates and of the log. The library carries that of the public instance, as old as the library is; a newer
one, or one of another instance, is a file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.certificates import facts_of
from openvet.evidence.dsse import IN_TOTO
from openvet.evidence.verifier import Signer, Verified

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

__all__ = ["load_trusted_root", "verify_keyless"]


def load_trusted_root(document: bytes | None) -> TrustedRoot:
    """What is trusted: that of the public instance as the library carries it, or ``document``: a trusted root, or a client trust
    configuration with one in it.

    Raises:
        UsageError: the extra is not installed, or the document is neither.
    """
    try:
        from sigstore.models import ClientTrustConfig, TrustedRoot
    except ImportError as error:
        raise UsageError("keyless signatures need an extra: pip install 'openvet[sigstore]'") from error
    try:
        if document is None:
            return ClientTrustConfig.production(offline=True).trusted_root
        text = document.decode("utf-8")
        if '"trustedRoot"' in text or '"trusted_root"' in text:
            return ClientTrustConfig.from_json(text).trusted_root
        return _root_of(TrustedRoot, text)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"the trusted root cannot be used: {type(error).__name__}: {str(error)[:200]}") from error


def _root_of(kind: type[TrustedRoot], text: str) -> TrustedRoot:
    """The library reads a trusted root from a file only."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return kind.from_file(file.name)


def verify_keyless(bundle: Bundle, identity: str, provider: str, root: TrustedRoot) -> Verified:
    """Check that ``identity``, as ``provider`` knows it, signed the bundle.

    Args:
        identity: an e-mail address or URI, compared as it is.
        provider: the URL of the identity provider (OIDC issuer).

    Raises:
        VerifyError: ``untrusted`` where somebody else signed, or the library refuses the bundle for any reason; ``malformed``.
    """
    from sigstore.errors import VerificationError
    from sigstore.models import Bundle as TheirBundle
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    if bundle.material.kind != "certificate":
        raise VerifyError("untrusted", "it was signed with a long-lived key or certificate, and not keyless")
    try:
        theirs = TheirBundle.from_json(bundle.raw)
        kind, payload = Verifier(trusted_root=root).verify_dsse(theirs, Identity(identity=identity, issuer=provider))
    except VerificationError as error:
        raise VerifyError(_reason(str(error)), f"sigstore does not verify it: {str(error)[:300]}") from None
    except Exception as error:  # noqa: BLE001 - whatever its parsers raise, this is no bundle that can be used
        raise VerifyError("malformed", f"sigstore cannot read it: {type(error).__name__}: {str(error)[:200]}") from None
    if kind != IN_TOTO or payload != bundle.envelope.payload:
        raise VerifyError("malformed", "sigstore read something else in the bundle than we did")
    key, facts = facts_of(bundle.material.certificates[0])
    return Verified(
        payload,
        Signer("sigstore", key.kind, key.hint, facts, identity=identity, provider=provider, signed_at=_seen(bundle.material.log_entries)),
    )  # fmt: skip


def _reason(text: str) -> str:
    """The library has one error for all; what its words tell apart is told apart."""
    lower = text.lower()
    if "invalid signature" in lower or "payload" in lower or "inconsistent" in lower:
        return "tampered"
    return "untrusted"


def _seen(entries: tuple[Any, ...]) -> datetime | None:
    """The time at which the log saw the signature, where the log has signed that time: its promise does, its proof does not."""
    if len(entries) != 1 or not isinstance(entries[0], dict) or "inclusionPromise" not in entries[0]:
        return None
    seconds = str(entries[0].get("integratedTime", ""))
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() and 0 < int(seconds) < 1 << 40 else None
