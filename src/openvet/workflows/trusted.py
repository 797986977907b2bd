"""Verifying a model's signature by ``trust.toml``: whoever signed is looked up, and what they may say is judged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.judging import Judgement, Said, judge
from openvet.evidence.keys import PublicKey, load_public
from openvet.evidence.model_signature import DIGESTS_V01, SIGNATURE_V1, ModelSignature
from openvet.evidence.trust import Trust
from openvet.evidence.verifier import Verified, verify_with_key, verify_with_roots
from openvet.workflows.model_files import read_small

if TYPE_CHECKING:
    from openvet.evidence.trusted_root import SigstoreRoot

__all__ = ["TrustCheck", "authenticate", "name_of"]

_LARGEST = 256 * 1024 * 1024


def name_of(path: str) -> str:
    """What a model is called where nobody says otherwise: the last part of its path."""
    return os.path.basename(os.path.abspath(path))


class TrustCheck:
    """Checks a bundle by what is trusted; a check for :func:`openvet.workflows.verify.verify`.

    Args:
        as_of: the time that is asked about.
        name: the name under which the model is asked for; grants are about this name and the signed one.
        more: files with further signatures of the same statement, for thresholds. One that is no use is ignored and listed.
        root: Sigstore's trusted root, asked for where a signature is keyless.
        kind: what the signature says, where that is not that a model has these bytes. Grants are then about ``name`` alone.

    Attributes:
        judgement: once it was called.
        ignored: what is wrong with which of ``more``.
    """

    def __init__(
        self,
        trust: Trust,
        as_of: datetime,
        name: str,
        more: Sequence[str] = (),
        root: Callable[[], SigstoreRoot] | None = None,
        kind: str = "",
    ) -> None:
        self._trust, self._as_of, self._name, self._more, self._root = trust, as_of, name, tuple(more), root
        self._kind = kind
        self.judgement = Judgement((), ())
        self.ignored: list[str] = []

    def __call__(self, bundle: Bundle) -> Verified:
        """The signed bytes, and the first signer who counts.

        Raises:
            VerifyError: nobody who is trusted signed it, or not enough of them; the reason says which.
        """
        verified = authenticate(bundle, self._trust, self._as_of, self._root)
        said = [self._said(verified, "the signature")]
        for path in self._more:
            try:
                other = authenticate(Bundle.parse(read_small(path, _LARGEST)), self._trust, self._as_of, self._root)
                said.append(self._said(other, printable(path)))
            except (OSError, SubjectError, VerifyError) as error:
                self.ignored.append(f"{printable(path)}: {getattr(error, 'strerror', None) or error}")
        self.judgement = judge(said, self._trust, self._as_of)
        mine = [each for each in said if each.claim == said[0].claim]
        self.ignored += [
            f"{each.source}: signs other bytes than the signature does" for each in said if each.claim != said[0].claim
        ]
        if not any(each.claim == said[0].claim for each in self.judgement.accepted):
            why = next(each for each in self.judgement.refused if each.said is said[0])
            raise VerifyError(why.reason, why.message)
        out = [each.said for each in self.judgement.refused]
        return Verified(verified.payload, next(each.signer for each in mine if each not in out))

    def to_json(self) -> dict[str, Any]:
        when = self._as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"as_of": when, "name": self._name, **self.judgement.to_json(), "ignored": self.ignored}

    def _said(self, verified: Verified, source: str) -> Said:
        statement = ModelSignature.parse(verified.payload)
        return Said(
            hashlib.sha256(verified.payload).hexdigest(),
            self._kind or (DIGESTS_V01 if statement.legacy else SIGNATURE_V1),
            (self._name,) if self._kind else (statement.name, self._name),
            frozenset({statement.root}),
            verified.signer,
            source,
        )


def authenticate(
    bundle: Bundle,
    trust: Trust,
    as_of: datetime,
    root: Callable[[], SigstoreRoot] | None = None,
    known: Mapping[str, PublicKey] | None = None,
) -> Verified:
    """Who of those in ``trust`` signed a bundle, whatever they may say.

    Args:
        as_of: the time at which certificates of a chain have to be valid.
        root: Sigstore's trusted root, asked for where a signature is keyless.
        known: more public keys by their digests, for those that ``trust`` names by digest alone.

    Raises:
        VerifyError: ``untrusted``: none of them, as far as the bundle tells; ``tampered``: it names one of them, or nobody, and
            the signature is not theirs; ``expired``, ``not-yet-valid``: a certificate is; ``malformed``, ``unsupported``.
        UsageError: it is keyless, and the extra for that is missing.
    """
    if bundle.material.kind == "certificate":
        return _keyless(bundle, trust, root)
    keys = {each.hint: each.key for each in trust.keys if each.key is not None}
    chained = _chained(bundle, trust, as_of) if bundle.material.kind == "x509CertificateChain" else None
    if isinstance(chained, Verified):
        return chained
    carried = _carried(bundle)
    for each in trust.keys:
        if each.key is None and each.hint in (known or {}):
            keys[each.hint] = (known or {})[each.hint]
    if carried is not None and carried.hint in {each.hint for each in trust.keys}:
        keys.setdefault(carried.hint, carried)
    failed: VerifyError | None = None
    for key in keys.values():
        try:
            return verify_with_key(bundle, key)
        except VerifyError as error:
            if error.reason != "wrong-key":
                failed = error
    if failed is not None:
        raise failed
    hint = carried.hint if carried is not None else bundle.material.hint[:128]
    if chained is not None and not any(each.hint == hint for each in trust.keys):
        raise chained
    if any(each.hint == hint for each in trust.keys):
        raise VerifyError("untrusted", f"it was signed with the key {hint}, which is trusted by its digest only, and the signature does not carry it; name its file")  # fmt: skip
    raise VerifyError("untrusted", f"it was signed with the key {hint or 'of an unknown name'}, which is nobody's who is trusted")  # fmt: skip


def _carried(bundle: Bundle) -> Any:
    """The public key in the bundle, which says nothing about who has it."""
    from openvet.evidence.certificates import facts_of

    if bundle.material.key:
        try:
            return load_public(bundle.material.key)
        except UsageError:
            raise VerifyError("malformed", "the public key in the bundle is none") from None
    return facts_of(bundle.material.certificates[0])[0] if bundle.material.certificates else None


def _chained(bundle: Bundle, trust: Trust, as_of: datetime) -> Verified | VerifyError | None:
    """Who signed with a certificate, or why nobody whose certificate is trusted did; ``None`` where no such is trusted."""
    failed: VerifyError | None = None
    for each in trust.certificates:
        try:
            found = verify_with_roots(bundle, each.roots, as_of)
        except VerifyError as error:
            if failed is None or failed.reason == "untrusted":
                failed = error
            continue
        if found.signer.certificate is not None and found.signer.certificate.subject == each.subject:
            return found
        if failed is None:
            shown = "" if found.signer.certificate is None else printable(found.signer.certificate.subject)
            failed = VerifyError("untrusted", f"the certificate is that of {shown}, who is nobody who is trusted")
    return failed


def _keyless(bundle: Bundle, trust: Trust, root: Callable[[], SigstoreRoot] | None) -> Verified:
    failed = VerifyError("untrusted", "it is keyless, and no identity is trusted")
    if not trust.identities or root is None:
        raise failed
    from openvet.evidence.keyless import verify_keyless

    found = root()
    for each in trust.identities:
        try:
            return verify_keyless(bundle, each.identity, each.issuer, found)
        except VerifyError as error:
            if error.reason != "untrusted" or failed.reason == "untrusted":
                failed = error
    raise failed
