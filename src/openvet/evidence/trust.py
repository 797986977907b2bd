"""Trust: who is believed to say what about which models, how many have to say it, and until when.

A :class:`Grant` names signers, kinds of statements and models. A statement is accepted where at least one grant about it is in force
and enough of the grant's signers signed it; grants only ever add to what is accepted. What takes away is a date or a
:class:`Revocation`, never another signature: whoever can add signatures to a dossier cannot make a good one worthless.

Nothing here verifies a signature or looks at a clock: what comes in was verified, and the time is given.

Signers are counted, not signatures, and a signer is a key or an identity, whatever it is called:

* a key is the digest of its public half (:attr:`openvet.evidence.keys.PublicKey.hint`), so one key in two spellings or under two
  names counts once, and so does a key that also has a certificate;
* an identity of a keyless signature is what the provider says together with the provider. Where its key is one that is trusted
  by itself, it counts as that key;
* so is the subject of a certificate together with the root that it leads to: its keys may change, the person does not.

The time that counts for a signer is that at which a log saw the signature, where that is proven; otherwise it is the time that is
asked about. So a signature without a proven time is not believed after its key has expired or is revoked, since whoever holds a lost
key can write any date. For grants the time that is asked about counts always.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evidence.certificates import Roots
from openvet.evidence.keys import PublicKey
from openvet.evidence.model_signature import DIGESTS_V01, SIGNATURE_V1
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.verifier import Signer

__all__ = ["WORDS", "Accepted", "Grant", "Judgement", "Period", "Refused", "Revocation", "Said", "Trust", "TrustedCertificate", "TrustedIdentity", "TrustedKey", "TrustedSigner", "is_kind", "judge", "why_not_key"]  # fmt: skip

#: Short words for kinds of statements; one that ends with a slash stands for all versions.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "signature": (SIGNATURE_V1, DIGESTS_V01),
    "scan": (f"{PREDICATE_BASE}/scan/",),
    "bom": ("https://cyclonedx.org/bom", "https://cyclonedx.org/bom/", "https://spdx.dev/Document", "https://spdx.dev/Document/"),
    "owner": (f"{PREDICATE_BASE}/dossier-owner/",),
    "decision": ("https://slsa.dev/verification_summary/", "https://in-toto.io/attestation/svr/"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of ``first`` to the end of ``last``, days in UTC; ``None`` is without end."""

    first: date | None = None
    last: date | None = None

    def why_not(self, at: datetime) -> str:
        """``''`` where ``at`` lies in it, else ``not-yet-valid`` or ``expired``."""
        if self.first is not None and at < _midnight(self.first):
            return "not-yet-valid"
        if self.last is not None and at - timedelta(days=1) >= _midnight(self.last):
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
        return _certified(self.subject, self.roots.fingerprint)


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

    def is_about(self, said: Said) -> bool:
        return (
            any(is_kind(said.predicate_type, each) for each in self.says)
            and (not self.models or all(_matches(name, self.models) for name in said.names or ("",)))
            and (not self.digests or not said.digests.isdisjoint(self.digests))
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


@dataclass(frozen=True, slots=True)
class Said:
    """One verified signature under one statement.

    Attributes:
        claim: what was signed, by a digest of the bytes: signatures count together only where it is the same.
        predicate_type: the kind of statement.
        names: all names of the model that matter: the signed one, and the one under which it is asked for.
        digests: SHA-256 of its subjects, in lower-case hex.
        source: where the signature stands, for people.
    """

    claim: str
    predicate_type: str
    names: tuple[str, ...]
    digests: frozenset[str]
    signer: Signer
    source: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A statement that is believed: by the names of those who said so, under the grant in ``line``."""

    claim: str
    predicate_type: str
    by: tuple[str, ...]
    threshold: int
    line: int

    def to_json(self) -> dict[str, Any]:
        return {
            "claim": {"sha256": self.claim},
            "predicate_type": self.predicate_type,
            "by": list(self.by),
            "threshold": self.threshold,
            "line": self.line,
        }


@dataclass(frozen=True, slots=True)
class Refused:
    """A signature that did not count.

    ``reason`` is ``untrusted``, ``expired``, ``not-yet-valid``, ``revoked`` or ``threshold``.
    """

    said: Said
    reason: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return {
            "claim": {"sha256": self.said.claim},
            "source": self.said.source,
            "key": self.said.signer.key,
            "reason": self.reason,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is believed, and which signatures did not count. Both in the order of what was handed in."""

    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "accepted": [each.to_json() for each in self.accepted],
            "refused": [each.to_json() for each in self.refused],
        }


def judge(said: Iterable[Said], trust: Trust, as_of: datetime) -> Judgement:
    """What is to be believed of what was said.

    Args:
        said: signatures that were verified, each with whoever made it.
        as_of: the time that is asked about, with its zone.
    """
    groups: dict[tuple[Any, ...], list[Said]] = {}
    for each in said:
        # the claim is a digest and so would do; what else counts is in the key, so that a caller's mistake joins nothing
        groups.setdefault((each.claim, each.predicate_type, each.names, each.digests), []).append(each)
    accepted: list[Accepted] = []
    refused: list[Refused] = []
    for group in groups.values():
        found, others = _judge_one(group, trust, as_of)
        accepted += found
        refused += others
    return Judgement(tuple(accepted), tuple(refused))


def _judge_one(group: Sequence[Said], trust: Trust, as_of: datetime) -> tuple[list[Accepted], list[Refused]]:
    grants = [grant for grant in trust.grants if grant.is_about(group[0])]
    good: dict[str, Collection[str]] = {}
    refused: list[Refused] = []
    waiting: list[tuple[Said, str]] = []
    for said in group:
        signers = _signers(said.signer, trust)
        why = _why_not(said, signers, grants, trust, as_of)
        if why is not None:
            refused.append(Refused(said, *why))
        else:
            principal = signers[0].principal
            good[principal] = {each.name for each in signers if not each.period.why_not(_time(said, as_of))} | set(
                good.get(principal, ())
            )
            waiting.append((said, principal))
    most, best = 0, None
    for grant in grants:
        if grant.period.why_not(as_of):
            continue
        counted = [principal for principal, names in good.items() if not set(grant.by).isdisjoint(names)]
        if len(counted) >= grant.threshold:
            names = sorted(min(set(grant.by) & set(good[principal])) for principal in counted)
            first = Accepted(group[0].claim, group[0].predicate_type, tuple(names), grant.threshold, grant.line)
            return [first], refused
        if best is None or grant.threshold - len(counted) < best.threshold - most:
            most, best = len(counted), grant
    for said, _ in waiting:
        needed = 1 if best is None else best.threshold
        text = f"{needed} different signers have to sign this, and {most} did"
        refused.append(Refused(said, "threshold", text))
    return [], refused


def why_not_key(hint: str, trust: Trust, as_of: datetime) -> tuple[str, str] | None:
    """Why a key is not to be used at a time, be it listed or not: ``revoked``, ``expired``, ``not-yet-valid``; ``None`` where it may be."""
    principal = TrustedKey("", hint).principal
    for each in trust.revocations:
        if each.principal == principal and as_of >= _midnight(each.since):
            return "revoked", f"the key {hint} is revoked since {each.since.isoformat()}: {each.reason}"
    mine = [each for each in trust.keys if each.hint == hint]
    if mine and all(each.period.why_not(as_of) for each in mine):
        return _out_of(mine[0].period, as_of, mine[0].name)
    return None


def _why_not(
    said: Said,
    signers: Sequence[TrustedSigner],
    grants: Sequence[Grant],
    trust: Trust,
    as_of: datetime,
) -> tuple[str, str] | None:
    """Why a signature does not count, whatever others there are: the reason and a sentence."""
    if not signers:
        return "untrusted", f"{_who(said.signer)} is nobody who is trusted"
    at, name = _time(said, as_of), signers[0].name
    if said.signer.signed_at is not None and said.signer.signed_at > as_of:
        return "not-yet-valid", f"{name} signed it later than the time that is asked about"
    # a keyless signature has two sides, and whichever is revoked takes it away
    sides = {each.principal for each in signers} | set(_principals(said.signer))
    for each in trust.revocations:
        if each.principal in sides and at >= _midnight(each.since):
            return "revoked", f"{name} is revoked since {each.since.isoformat()}: {each.reason}"
    if all(each.period.why_not(at) for each in signers):
        return _out_of(signers[0].period, at, name)
    names = {each.name for each in signers if not each.period.why_not(at)}
    mine = [grant for grant in grants if not names.isdisjoint(grant.by)]
    if not mine:
        about = ", ".join(dict.fromkeys(map(repr, said.names)))
        return "untrusted", f"{name} is not trusted to say this ({said.predicate_type}) about {about}"
    if all(grant.period.why_not(as_of) for grant in mine):
        return _out_of(mine[0].period, as_of, f"the grant that trusts {name}")
    return None


def _out_of(period: Period, at: datetime, what: str) -> tuple[str, str]:
    reason = period.why_not(at)
    text = f"was trusted until {period.last}" if reason == "expired" else f"is not trusted before {period.first}"
    return reason, f"{what} {text}"


def _signers(signer: Signer, trust: Trust) -> list[TrustedSigner]:
    """Every entry of whoever signed; all have one principal."""
    for principal in _principals(signer):
        found = [each for each in trust.signers if each.principal == principal]
        if found:
            return found
    return []


def _principals(signer: Signer) -> Iterator[str]:
    yield TrustedKey("", signer.key).principal
    if signer.method == "sigstore":
        yield TrustedIdentity("", signer.identity, signer.provider).principal
    if signer.method == "certificate" and signer.certificate is not None and signer.root is not None:
        yield _certified(signer.certificate.subject, signer.root.fingerprint)


def _certified(subject: str, root: str) -> str:
    return f"certificate {subject} under {root}"


def _who(signer: Signer) -> str:
    if signer.method == "certificate" and signer.certificate is not None:
        return f"{signer.certificate.subject} with a certificate for the key {signer.key}"
    return f"{signer.identity} of {signer.provider}" if signer.identity else f"the key {signer.key}"


def _time(said: Said, as_of: datetime) -> datetime:
    return said.signer.signed_at or as_of


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def is_kind(predicate_type: str, says: str) -> bool:
    """Whether a predicate type is what ``says`` means: a word of :data:`WORDS`, or a predicate type itself."""
    kinds = WORDS.get(says, (says,))
    return any(predicate_type == each or (each.endswith("/") and predicate_type.startswith(each)) for each in kinds)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, each) for each in patterns)
