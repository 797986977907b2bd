"""Who signed a model: the signature beside it, and the lines of a dossier about it.

Only what a trust file knows, or the owner of a dossier vouches for, is attested. Everything else is what a file says of itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import OpenVetError, VerifyError
from openvet.evidence.bundle import Bundle, Material
from openvet.evidence.predicates.origin_v1 import Signer
from openvet.workflows.model_files import default_signature, read_small

if TYPE_CHECKING:
    from openvet.evidence.verifier import Signer as Verified
    from openvet.workflows.dossier_trust import DossierTrust
    from openvet.workflows.trusted import TrustCheck

__all__ = ["Signed", "signed_beside", "signed_in_dossier"]

_BUNDLE: Final = 64 * 1024 * 1024
_METHODS: Final = {"publicKey": "key", "x509CertificateChain": "certificate", "certificate": "keyless"}
_FILES: Final = "the model's files"


@dataclass(frozen=True, slots=True)
class Signed:
    """Signers, and sentences about what was not verified."""

    signers: tuple[Signer, ...]
    not_known: tuple[str, ...]


def signed_beside(path: str, check: TrustCheck | None, progress: Progress) -> Signed:
    """The signature that lies beside a local model, if there is one.

    Args:
        check: who is trusted; without it nothing is verified.
    """
    place = default_signature(path)
    try:
        bundle = Bundle.parse(read_small(place, _BUNDLE))
    except FileNotFoundError:
        return Signed((), ())
    except (OSError, OpenVetError) as error:
        return Signed((), (f"the signature {printable(os.path.basename(place))} was not read: {error}",))
    where = Location(printable(os.path.basename(place)))
    if check is not None:
        from openvet.workflows.verify import verify

        try:
            found = verify(path, check, progress=progress)
            return Signed((_verified(found.signer, where),), ())
        except VerifyError as error:
            why = f"the signature is not verified: {error.reason}: {error.message}"
            return Signed(tuple(_declared(bundle.material, where, _FILES)), (why,))
    return Signed(
        tuple(_declared(bundle.material, where, _FILES)),
        ("the signature beside the model was not verified: name whom you trust with --trust",),
    )


def _verified(signer: Verified, where: Location) -> Signer:
    identity = signer.identity or (signer.certificate.subject if signer.certificate is not None else "")
    issuer = signer.provider or (signer.certificate.issuer if signer.certificate is not None else "")
    method = "keyless" if signer.identity else "certificate" if signer.certificate is not None else "key"
    return Signer(method, signer.key, printable(identity), printable(issuer), True, _FILES, where)


def _declared(material: Material, where: Location, about: str, *, verified: bool = False) -> Iterator[Signer]:
    """What a bundle says of its signer; the names in a certificate are whoever's who made it."""
    from openvet.evidence.certificates import facts_of
    from openvet.evidence.keys import load_public

    identity = issuer = ""
    key = material.hint
    try:
        if material.certificates:
            public, facts = facts_of(material.certificates[0])
            key, identity, issuer = public.hint, facts.subject or _alternative(material.certificates[0]), facts.issuer
        elif material.key:
            key = load_public(material.key).hint
    except OpenVetError:
        identity = ""
    yield Signer(_METHODS[material.kind], printable(key[:128]), printable(identity), printable(issuer), verified, about, where)  # fmt: skip


def _alternative(der: bytes) -> str:
    """The identity in a keyless certificate, whose subject is empty: a mail address or the URI of a workflow."""
    from cryptography.x509 import (
        ExtensionNotFound,
        RFC822Name,
        SubjectAlternativeName,
        UniformResourceIdentifier,
        load_der_x509_certificate,
    )

    try:
        names = load_der_x509_certificate(der).extensions.get_extension_for_class(SubjectAlternativeName).value
    except (ExtensionNotFound, ValueError):
        return ""
    for kind in (RFC822Name, UniformResourceIdentifier):
        for each in names.get_values_for_type(kind):
            return str(each)[:400]
    return ""


def signed_in_dossier(dossier: str, key: str, model: str | None, by: DossierTrust | None, progress: Progress) -> Signed:
    """Who signed the lines of a dossier, which is verified first.

    Args:
        key: a file with the public key of its owner.
        model: a local model that the lines have to be about; ``None`` where they are not compared.
        by: whom the user trusts; a line counts as attested by a certificate only so.

    Raises:
        VerifyError, UsageError, SubjectError: as :func:`openvet.workflows.dossier.verify`.
    """
    from openvet.workflows.dossier import verify
    from openvet.workflows.keys import read_public

    found = verify(dossier, read_public(key), model=model, progress=progress, by=by)
    name = printable(os.path.basename(os.path.normpath(dossier)))
    believed = None if found.believed is None else {line for _, lines in found.believed.accepted for line in lines}
    signers: dict[tuple[str, str, str], Signer] = {}
    for number, claim in enumerate(found.dossier.claims, 1):
        # the owner vouches for keys; whose a certificate is nobody has looked at without a trust file
        sure = number in believed if believed is not None else claim.method == "key"
        about = printable(claim.statement.predicate_type)
        for each in _declared(Bundle.parse(claim.line).material, Location(name, line=number), about, verified=sure):
            signers.setdefault((each.key, about, each.method), each)
    left: tuple[str, ...] = ()
    if model is None:
        left = ("the dossier was not compared with the model, whose bytes are not here",)
    return Signed(tuple(signers.values()), left)
