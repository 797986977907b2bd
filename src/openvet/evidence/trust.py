"""Trust: who is believed to say what about which models, how many have to say it, and until when.

A :class:`Grant` names signers, kinds of statements and models. A statement is accepted where at least one grant about it is in force
and enough of the grant's signers signed it; grants only ever add to what is accepted. What takes away is a date or a
:class:`Revocation`, never another signature: whoever can add signatures to a dossier cannot make a good one worthless.

This module says who is trusted; :mod:`openvet.evidence.judging` computes what of given signatures is believed.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evidence.certificates import Roots
from openvet.evidence.keys import PublicKey
from openvet.evidence.model_signature import DIGESTS_V01, SIGNATURE_V1
from openvet.evidence.predicates import NAMES, PREDICATE_BASE

__all__ = [
    "PACK", "WORDS", "Grant", "Period", "Revocation", "Trust", "TrustedCertificate", "TrustedIdentity", "TrustedKey", "TrustedSigner", "certified",
    "is_kind", "midnight",
]  # fmt: skip

#: What whoever signs a policy pack says: that the team decides by it. A grant names such packs by their ids, under ``models``.
PACK: Final = f"{NAMES}/pack/v1"
#: What a check says of a model by itself: what a dossier gets where nothing else is asked for, and what packs ask for beside it.
_CHECKED: Final = (
    "scan", "inventory", "profile", "card", "lineage", "licenses", "rights", "openness", "advisories", "origin",
)  # fmt: skip
#: Short words for kinds of statements; one that ends with a slash stands for all versions.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "signature": (SIGNATURE_V1, DIGESTS_V01),
    "check": tuple(f"{PREDICATE_BASE}/{each}/" for each in _CHECKED),
    "scan": (f"{PREDICATE_BASE}/scan/",),
    "bom": ("https://cyclonedx.org/bom", "https://cyclonedx.org/bom/", "https://spdx.dev/Document", "https://spdx.dev/Document/"),
    "owner": (f"{PREDICATE_BASE}/dossier-owner/",),
    "decision": (
        f"{PREDICATE_BASE}/decision/",
        "https://slsa.dev/verification_summary/",
        "https://in-toto.io/attestation/svr/",
    ),
    "answers": (f"{PREDICATE_BASE}/answers/",),
    "pack": (PACK,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of ``first`` to the end of ``last``, days in UTC; ``None`` is without end."""

    first: date | None = None
    last: date | None = None

    def why_not(self, at: datetime) -> str:
        """``''`` where ``at`` lies in it, else ``not-yet-valid`` or ``expired``."""
        if self.first is not None and at < midnight(self.first):
            return "not-yet-valid"
        if self.last is not None and at - timedelta(days=1) >= midnight(self.last):
            return "expired"
        return ""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key. ``key`` is ``None`` where only its digest is known, so that the bundle has to carry it."""

    name: str
    hint: str
    key: PublicKey | None = None
    period: Period = Period()

    @property
    def principal(self) -> str:
        return f"key {self.hint}"


@dataclass(frozen=True, slots=True)
class TrustedIdentity:
    """Who signs keyless: an e-mail address or URI, and the provider that knows it."""

    name: str
    identity: str
    issuer: str
    period: Period = Period()

    @property
    def principal(self) -> str:
        return f"identity {self.identity} of {self.issuer}"


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """Who signs with a certificate: the subject (RFC 4514 text, compared as it is) under one root, and what leads to that."""

    name: str
    subject: str
    roots: Roots
    period: Period = Period()

    @property
    def principal(self) -> str:
        return certified(self.subject, self.roots.fingerprint)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a few signers are believed about.

    Attributes:
        says: predicate types, or words of :data:`WORDS`.
        by: names of keys and identities.
        models: patterns (``fnmatch``; ``*`` matches slashes) that every name of the model has to match; none: any name.
        digests: SHA-256 of subjects, in hex; none: any.
        threshold: how many different signers it takes.
        line: where it stands in the file.
    """

    says: tuple[str, ...]
    by: tuple[str, ...]
    models: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    threshold: int = 1
    period: Period = Period()
    line: int = 0

    def is_about(self, predicate_type: str, names: Sequence[str], digests: Collection[str]) -> bool:
        """Whether it is about a statement of this kind, about a model of all these names and any of these digests."""
        return (
            any(is_kind(predicate_type, each) for each in self.says)
            and (not self.models or all(_matches(name, self.models) for name in names or ("",)))
            and (not self.digests or not set(self.digests).isdisjoint(digests))
        )


@dataclass(frozen=True, slots=True)
class Revocation:
    """Whom nobody believes any more: ``principal`` of a key or identity. ``since`` is the first day in UTC."""

    principal: str
    since: date
    reason: str


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything that is trusted.

    Raises:
        UsageError: a grant names nobody known, or asks for more signers than it names.
    """

    keys: tuple[TrustedKey, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    grants: tuple[Grant, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    certificates: tuple[TrustedCertificate, ...] = ()

    def __post_init__(self) -> None:
        known = {each.name: each.principal for each in self.signers}
        for grant in self.grants:
            if lost := [name for name in grant.by if name not in known]:
                raise UsageError(f"a grant trusts {lost[0]!r}, and there is no key or identity of that name")
            if not 1 <= grant.threshold <= len({known[name] for name in grant.by}):
                raise UsageError(f"a grant needs {grant.threshold} signers of the {len(set(grant.by))} that it names")

    @property
    def signers(self) -> tuple[TrustedSigner, ...]:
        return (*self.keys, *self.identities, *self.certificates)


TrustedSigner = TrustedKey | TrustedIdentity | TrustedCertificate


def is_kind(predicate_type: str, says: str) -> bool:
    """Whether a predicate type is what ``says`` means: a word of :data:`WORDS`, or a predicate type itself."""
    kinds = WORDS.get(says, (says,))
    return any(predicate_type == each or (each.endswith("/") and predicate_type.startswith(each)) for each in kinds)


def certified(subject: str, root: str) -> str:
    """The principal of whoever has a certificate with this subject under the root of this fingerprint."""
    return f"certificate {subject} under {root}"


def midnight(day: date) -> datetime:
    """When a day begins in UTC."""
    return datetime.combine(day, time(), UTC)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, each) for each in patterns)
