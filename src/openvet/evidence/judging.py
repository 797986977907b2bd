"""What is believed of verified signatures, by who is trusted (:mod:`openvet.evidence.trust`), at a time.

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

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.evidence.trust import Grant, Period, Trust, TrustedIdentity, TrustedKey, TrustedSigner, certified, midnight
from openvet.evidence.verifier import Signer

__all__ = ["Accepted", "Judgement", "Refused", "Said", "judge", "why_not_key"]


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
    grants = [
        grant for grant in trust.grants if grant.is_about(group[0].predicate_type, group[0].names, group[0].digests)
    ]
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
        if each.principal == principal and as_of >= midnight(each.since):
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
        if each.principal in sides and at >= midnight(each.since):
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
        yield certified(signer.certificate.subject, signer.root.fingerprint)


def _who(signer: Signer) -> str:
    if signer.method == "certificate" and signer.certificate is not None:
        return f"{signer.certificate.subject} with a certificate for the key {signer.key}"
    return f"{signer.identity} of {signer.provider}" if signer.identity else f"the key {signer.key}"


def _time(said: Said, as_of: datetime) -> datetime:
    return said.signer.signed_at or as_of
