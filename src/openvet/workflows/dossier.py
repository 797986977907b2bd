"""Dossiers in files: filled from a check, verified together with their model, compared."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.dossier.handover import Handover
from openvet.evidence.dossier.layout import IN_THE_WAY, PENDING
from openvet.evidence.dossier.reading import Claim, Dossier, verify_dossier
from openvet.evidence.dossier.writing import Added, add_to_dossier, create_dossier, hand_over_dossier
from openvet.evidence.keys import PrivateKey, PublicKey
from openvet.evidence.log.reading import read_checkpoint_file
from openvet.evidence.model_signature import SIGNATURE_V1
from openvet.evidence.signing import sign_payload, sign_statement
from openvet.evidence.strict import encode_base64
from openvet.workflows.dossier_trust import Believed, DossierTrust
from openvet.workflows.dossier_zip import unpack
from openvet.workflows.held_model import hold
from openvet.workflows.keys import read_public
from openvet.workflows.model_files import read_small

if TYPE_CHECKING:
    from openvet.evidence.statement import Statement

__all__ = [
    "DOSSIER_TYPE", "DossierDifference", "VerifiedDossier", "add", "approval", "compare", "create", "declared_in", "fill", "hand_over", "refusal",
    "spare", "verify",
]  # fmt: skip

DOSSIER_TYPE: Final = "https://openvet/dossier/v1"
_BUNDLE: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class VerifiedDossier:
    """A dossier that was verified.

    Attributes:
        compared: how many lines were held against the model, ``None`` where there was none.
        believed: what a trust file says of the lines, where there was one.
    """

    path: str
    dossier: Dossier
    compared: int | None = None
    believed: Believed | None = None

    def to_json(self) -> dict[str, Any]:
        found = self.dossier
        checkpoint, kept = found.checkpoint, found.kept
        return {
            "type": DOSSIER_TYPE,
            "verified": True,
            "dossier": self.path,
            "owner": found.owner,
            "trusted": found.trusted,
            "handovers": [
                {"line": each.line, "from": each.handover.before, "to": each.handover.after} for each in found.steps
            ],
            "claims": [claim_json(number, each) for number, each in enumerate(found.claims, 1)],
            "keys": list(found.index.keys),
            "blobs": list(found.index.blobs),
            "checkpoint": {
                "origin": printable(checkpoint.origin),
                "size": checkpoint.size,
                "root": encode_base64(checkpoint.root),
            },
            "rollback": "cannot be excluded" if kept is None else "excluded up to the kept checkpoint",
            "compared": self.compared,
            **({} if self.believed is None else {"trust": self.believed.to_json()}),
        }


def claim_json(number: int, claim: Claim) -> dict[str, Any]:
    """One line for programs."""
    return {
        "line": number,
        "sha256": claim.sha256,
        "key": claim.key,
        "signed_with": claim.method,
        "predicate_type": claim.statement.predicate_type,
        "subject": [each.to_json() for each in claim.statement.subjects],
        **({"declared": declared} if (declared := declared_in(claim)) else {}),
    }


def declared_in(claim: Claim) -> int:
    """How many digests in a model's signature its signer took from others, and did not measure."""
    listed = claim.statement.body.get("openvet_declared") if claim.statement.predicate_type == SIGNATURE_V1 else None
    return len(listed) if isinstance(listed, list) else 0


def refusal(path: str, error: VerifyError) -> dict[str, Any]:
    """What did not verify, for programs."""
    said = {"reason": error.reason, "message": error.message}
    return {"type": DOSSIER_TYPE, "verified": False, "dossier": printable(path), **said}


def create(folder: str, key: PrivateKey, origin: str | None = None) -> str:
    """Make an empty dossier; gives the name of its log, which is a new one where none is given.

    Raises:
        UsageError, StorageError: as :func:`openvet.evidence.dossier.writing.create_dossier`.
    """
    name = origin or f"openvet/dossier/{uuid.uuid4().hex}"
    create_dossier(folder, name, key)
    return name


def add(
    folder: str,
    key: PrivateKey,
    bundles: Sequence[str],
    signers: Sequence[str],
    blobs: Sequence[str],
    by: DossierTrust | None = None,
) -> Added:
    """Add signed statements and documents in files; gives the numbers of the new lines.

    Args:
        signers: files with public keys that the owner vouches for.
        by: whom else the owner vouches for; those with certificates, and keyless ones, are taken in only so.

    Raises:
        UsageError: a file cannot be read.
        VerifyError, StorageError: as :func:`openvet.evidence.dossier.writing.add_to_dossier`.
    """
    _check_there(folder)
    keys = [read_public(each) for each in signers]
    found = _bundles(bundles)
    hints = {each.hint for each in keys}
    if by is not None:
        keys += [by.signer_of(bundle) for bundle in found if bundle.material.hint not in hints]
    return add_to_dossier(folder, key, found, keys, blobs)


def _bundles(paths: Sequence[str]) -> list[Bundle]:
    found = []
    for path in paths:
        try:
            found.append(Bundle.parse(read_small(path, _BUNDLE)))
        except OSError as error:
            raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
        except SubjectError as error:
            raise UsageError(str(error)) from error
        except VerifyError as error:
            raise VerifyError(error.reason, f"{printable(path)}: {error.message}") from None
    return found


def approval(path: str, owner: PublicKey, new: PublicKey, key: PrivateKey, by: DossierTrust | None = None) -> Bundle:
    """A signature under the handover of a dossier to another key, for :func:`hand_over`.

    Args:
        owner: the key that the dossier belongs to, or belonged to.
        new: the key that is to take over.
        key: of whoever approves.

    Raises:
        VerifyError, UsageError: the dossier is not verified, or the new key is of another kind.
    """
    found = verify(path, owner, by=by).dossier
    return sign_payload(Handover.to(new, found.checkpoint.origin, found.owner).payload, key)


def hand_over(
    folder: str,
    key: PrivateKey,
    old: PrivateKey | None = None,
    *,
    owner: PublicKey | None = None,
    approvals: Sequence[str] = (),
    signers: Sequence[str] = (),
    by: DossierTrust | None = None,
) -> Added:
    """Let ``key`` take over a dossier; gives the numbers of the new lines.

    Args:
        old: the key that it belongs to. Without it:
        owner: its public half, and
        approvals: files with signatures under the handover (:func:`approval`), which have to be enough by
        by: what a trust file says about owners.
        signers: files with the public keys of those who approve, where they are not in the dossier.

    Raises:
        UsageError: a file cannot be read, or the new key is of another kind.
        VerifyError, StorageError: as :func:`openvet.evidence.dossier.writing.hand_over_dossier`.
    """
    _check_there(folder)
    trusted = old.public if old is not None else owner
    if trusted is None:
        raise UsageError("say whose the dossier is: with the old key, or with its public half and approvals")
    bundles = _bundles(approvals)
    if old is not None:
        before = verify_dossier(folder, trusted, approve=None if by is None else by.approve)
        if before.owner != trusted.hint:
            raise VerifyError("revoked", f"this key handed the dossier over; it belongs to {before.owner}")
        bundles.insert(0, sign_payload(Handover.to(key.public, before.checkpoint.origin, before.owner).payload, old))
    keys = [read_public(each) for each in signers]
    return hand_over_dossier(folder, trusted, key, bundles, keys, None if by is None else by.approve)


def fill(folder: str, key: PrivateKey, statements: Sequence[Statement]) -> Added:
    """Sign statements and put them in a dossier, which is made where there is none; gives the numbers of the new lines.

    Raises:
        UsageError: a statement cannot be signed.
        VerifyError, StorageError: as :func:`add`.
    """
    bundles = [sign_statement(each, key) for each in statements]
    try:
        is_new = not set(os.listdir(folder)) - {PENDING, *IN_THE_WAY}  # what an interrupted attempt left is none
    except OSError:
        is_new = True
    if is_new:
        create(folder, key)
    return add_to_dossier(folder, key, bundles)


def spare(folder: str, model: str, key: PrivateKey) -> None:
    """Say before the long work what would fail after it.

    Raises:
        UsageError: the key is of another kind, or the dossier would lie in the model, which it would change.
        VerifyError: there is a dossier, and it is not one of this key.
    """
    _ = key.public.raw
    inside = os.path.realpath(folder) + os.sep
    if os.path.isdir(model) and inside.startswith(os.path.realpath(model) + os.sep):
        raise UsageError(
            f"{printable(folder)} lies in the model, and would change it; choose another place for the dossier"
        )
    if os.path.isdir(folder) and set(os.listdir(folder)) - {PENDING, *IN_THE_WAY}:
        found = verify_dossier(folder, key.public)
        if found.owner != key.public.hint:
            raise VerifyError("revoked", f"this key handed the dossier over; it belongs to {found.owner}")


def verify(
    path: str,
    key: PublicKey,
    checkpoint: str | None = None,
    model: str | None = None,
    progress: Progress | None = None,
    *,
    by: DossierTrust | None = None,
    require: Sequence[str] = (),
) -> VerifiedDossier:
    """Verify a dossier, a folder or a zip, and the model that it is about.

    Args:
        by: whose statements are believed; without it, everybody's for whom the owner vouches.
        require: kinds of statements of which one has to be believed (:meth:`openvet.workflows.dossier_trust.DossierTrust.judge`).
        checkpoint: a file with a checkpoint of its log that was kept.
        model: a folder or a file.

    Raises:
        VerifyError: it is not verified, or the model is another one.
        UsageError: there is no dossier, or the kept checkpoint cannot be read.
        SubjectError: the model cannot be listed.
    """
    _check_there(path)
    kept = None
    if checkpoint is not None:
        try:
            kept = read_checkpoint_file(checkpoint)
        except VerifyError as error:
            raise UsageError(error.message) from None
    with ExitStack() as stack:
        folder = path
        if os.path.isfile(path):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="openvet-dossier-"))
            unpack(path, folder)
        found = verify_dossier(folder, key, kept, None if by is None else by.approve)
    held = None if model is None else hold(model, found.claims, progress or Progress(), signatures=by is not None)
    believed = None if by is None else by.judge(found, held, require)
    return VerifiedDossier(printable(path), found, None if held is None else len(held.about), believed)


def _check_there(path: str) -> None:
    if not os.path.exists(path):
        raise UsageError(f"{printable(path)}: there is no such dossier")


@dataclass(frozen=True, slots=True)
class DossierDifference:
    """What two dossiers say differently: lines that only one of them has."""

    only_first: tuple[Claim, ...]
    only_second: tuple[Claim, ...]
    both: int
    continues: bool

    def to_json(self) -> dict[str, Any]:
        def listed(claims: Sequence[Claim]) -> list[dict[str, Any]]:
            return [{name: item for name, item in claim_json(0, each).items() if name != "line"} for each in claims]

        return {
            "type": DOSSIER_TYPE,
            "only_first": listed(self.only_first),
            "only_second": listed(self.only_second),
            "both": self.both,
            "continues": self.continues,
        }


def compare(first: Dossier, second: Dossier) -> DossierDifference:
    """What differs; ``continues`` says that the second begins with all lines of the first, in their order."""
    before, after = first.index.lines, second.index.lines
    return DossierDifference(
        tuple(each for each in first.claims if each.sha256 not in after),
        tuple(each for each in second.claims if each.sha256 not in before),
        len(set(before) & set(after)),
        after[: len(before)] == before,
    )
