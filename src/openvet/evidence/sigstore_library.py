"""The library ``sigstore``, as far as it is asked: certificates, their logs, timestamps, and the log's proofs and promises.

What it reads that it should refuse is refused by those who call this: :mod:`openvet.evidence.trusted_root` holds the times,
:mod:`openvet.evidence.log_entry` what an entry says. Two things it cannot do and we need are done with its parts, whose names
begin with an underscore; where a version of it has them no more, such a bundle is refused as ``unsupported`` and nothing else
changes. They are a log entry without a certificate, and entries of kind ``intoto``, whose time it does not take, and neither do we.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from openvet.errors import VerifyError

if TYPE_CHECKING:
    from sigstore.models import Bundle as TheirBundle

    from openvet.evidence.trusted_root import SigstoreRoot

__all__ = ["check_file", "check_intoto", "check_log", "check_statement"]

_T = TypeVar("_T")


def check_statement(raw: bytes, identity: str, provider: str, root: SigstoreRoot) -> tuple[str, bytes]:
    """Verify a bundle with an envelope; returns the payload's type, and the payload.

    Raises:
        VerifyError: ``tampered`` or ``untrusted``, as far as the library's words tell; ``malformed``.
    """
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    def work(theirs: TheirBundle) -> tuple[str, bytes]:
        found = Verifier(trusted_root=root.library).verify_dsse(theirs, Identity(identity=identity, issuer=provider))
        return str(found[0]), bytes(found[1])

    return _asked(raw, work)


def check_file(raw: bytes, digest: bytes, identity: str, provider: str, root: SigstoreRoot) -> None:
    """Verify a bundle with a signature over the file of this SHA-256.

    Raises:
        VerifyError: as :func:`check_statement`.
    """
    from sigstore.hashes import HashAlgorithm, Hashed
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest)

    def work(theirs: TheirBundle) -> None:
        Verifier(trusted_root=root.library).verify_artifact(
            hashed, theirs, Identity(identity=identity, issuer=provider)
        )

    _asked(raw, work)


def check_intoto(raw: bytes, identity: str, provider: str, root: SigstoreRoot) -> None:
    """Verify everything but the envelope's signature and the entry's body of a bundle whose log entry is of kind ``intoto``.

    Raises:
        VerifyError: as :func:`check_statement`; ``untrusted`` where no timestamp authority vouches for the time.
    """
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    class Patient(Verifier):  # type: ignore[misc, unused-ignore]
        """Takes the time from timestamp authorities alone."""

        def _establish_time(self, bundle: TheirBundle) -> Any:
            if not bundle.verification_material.timestamp_verification_data:
                return []
            return self._verify_timestamp_authority(bundle)

    def work(theirs: TheirBundle) -> None:
        Patient(trusted_root=root.library)._verify_common_signing_cert(
            theirs, Identity(identity=identity, issuer=provider)
        )

    _asked(raw, work)


def check_log(entry: dict[str, Any], root: SigstoreRoot) -> None:
    """Verify one log entry alone: that it is in the tree of a checkpoint that a trusted log signed, and the promise where there is one.

    Raises:
        VerifyError: as :func:`check_statement`.
    """
    import json

    def work(_: Any) -> None:
        from sigstore._internal.trust import KeyringPurpose
        from sigstore.models import TransparencyLogEntry, _TransparencyLogEntry

        found = TransparencyLogEntry(_TransparencyLogEntry.from_json(json.dumps(entry)))
        found._verify(root.library.rekor_keyring(KeyringPurpose.VERIFY))

    _asked(None, work)


def _asked(raw: bytes | None, work: Callable[[Any], _T]) -> _T:
    from sigstore.errors import MetadataError, VerificationError
    from sigstore.models import Bundle as TheirBundle

    try:
        return work(None if raw is None else TheirBundle.from_json(raw))
    except VerificationError as error:
        raise VerifyError(_reason(str(error)), f"sigstore does not verify it: {str(error)[:300]}") from None
    except MetadataError as error:  # the trusted root has nothing of a kind that is needed
        raise VerifyError("untrusted", f"sigstore does not verify it: {str(error)[:300]}") from None
    except (AttributeError, ImportError) as error:
        raise VerifyError("unsupported", f"this version of sigstore cannot check it: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever its parsers raise, this is no bundle that can be used
        raise VerifyError("malformed", f"sigstore cannot read it: {type(error).__name__}: {str(error)[:200]}") from None


def _reason(text: str) -> str:
    """The library has one error for all; what its words tell apart is told apart."""
    lower = text.lower()
    words = ("invalid signature", "signature is invalid", "payload", "inconsistent", "mismatch", "root hash")
    return "tampered" if any(each in lower for each in words) else "untrusted"
