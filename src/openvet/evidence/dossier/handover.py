"""Who may sign a dossier after whom: statements by which an owner's key hands over to another one.

A handover is a line like every other, about the name of the dossier's log. It counts where the key that hands over signed it, or,
where that key is lost, where the verifier's own trust says that those who signed it are enough (``Approve``). From the line
after it on, the key that handed over signs neither index nor checkpoint any more; what it signed in lines before stays.

The name of the log is in it, so that a handover of one dossier hands over no other. Nothing in it is a date: whoever has an old key
can write any.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import PublicKey, load_public
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.signing import parse_line, parse_statement
from openvet.evidence.statement import STATEMENT_TYPE
from openvet.evidence.strict import fields_of
from openvet.evidence.verifier import named_key, verify_with_key

__all__ = ["OWNER_TYPE", "Approve", "Handover", "Step", "handovers", "owner_after", "owners_before"]

OWNER_TYPE: Final = f"{PREDICATE_BASE}/dossier-owner/v1"


@dataclass(frozen=True, slots=True)
class Handover:
    """That ``before`` hands the dossier of the log ``origin`` over to ``after``; both are SHA-256 of the keys' PEM text.

    ``key`` is the PEM text of ``after``, so that whoever trusts ``before`` needs nothing else.
    """

    origin: str
    before: str
    after: str
    key: str

    @classmethod
    def to(cls, key: PublicKey, origin: str, before: str) -> Handover:
        """A handover to ``key``.

        Raises:
            UsageError: it is no Ed25519 key, or the one that hands over.
        """
        _ = key.raw
        if key.hint == before:
            raise UsageError("the new key is the old one; there is nothing to hand over")
        return cls(origin, before, key.hint, key.pem.decode())

    @property
    def payload(self) -> bytes:
        """What is signed; the same for everybody who signs it."""
        subject = {"name": self.origin, "digest": {"origin_sha256": hashlib.sha256(self.origin.encode()).hexdigest()}}
        body = {"origin": self.origin, "from": self.before, "to": self.after, "key": self.key}
        return canonical_json(
            {"_type": STATEMENT_TYPE, "subject": [subject], "predicateType": OWNER_TYPE, "predicate": body}
        )

    @classmethod
    def parse(cls, payload: bytes) -> Handover | None:
        """The handover in a signed payload, or ``None`` where it is a statement of another kind.

        Raises:
            VerifyError: ``malformed``.
        """
        said = parse_statement(payload, interpret=False)
        if said.predicate_type != OWNER_TYPE:
            return None
        body: Mapping[str, Any] = fields_of(
            dict(said.body), "the handover", {"origin": str, "from": str, "to": str, "key": str}
        )
        found = cls(body["origin"], body["from"], body["to"], body["key"])
        try:
            named = hashlib.sha256(found.key.encode()).hexdigest()
            good = found.payload == payload and found.public.hint == named == found.after != found.before
        except (UsageError, ValueError):
            good = False
        if not good:
            raise VerifyError(
                "malformed", "the handover is not in its canonical spelling, or hands over to no such key"
            )
        return found

    @property
    def public(self) -> PublicKey:
        """The key that takes over.

        Raises:
            UsageError: there is none of Ed25519 in it.
        """
        found = load_public(self.key.encode())
        _ = found.raw
        return found


#: Whether the verifier trusts the signatures of these bundles, all of them under this payload, to hand over in place of a key that is lost.
Approve = Callable[[bytes, Sequence[Bundle]], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """A handover that counts, in line ``line`` (from 1)."""

    line: int
    handover: Handover


def handovers(
    lines: Iterable[tuple[int, bytes]], origin: str, keys: Mapping[str, PublicKey], approve: Approve | None = None
) -> list[Step]:
    """The handovers in ``lines`` that count, in their order. What is not one, or not signed as it should be, is passed over.

    Args:
        lines: with their numbers, as they stand in ``claims.jsonl``; nothing of them need be verified.
        origin: the name of the dossier's log.
        keys: by their digests; one that is handed over to is added to them.
        approve: what the verifier trusts in place of the key that hands over.
    """
    known = dict(keys)
    found: list[tuple[int, Bundle]] = []
    for number, line in lines:
        try:
            bundle = parse_line(line, f"line {number}")
        except VerifyError:
            continue
        # only to leave the others alone: nothing of it is believed yet
        if OWNER_TYPE.encode() in bundle.envelope.payload:
            found.append((number, bundle))
    steps: list[Step] = []
    for number, bundle in found:
        signer = _signer(bundle, known)
        same = [each for _, each in found if each.envelope.payload == bundle.envelope.payload]
        approved = approve is not None and approve(bundle.envelope.payload, same)
        handover = _parsed(bundle.envelope.payload) if signer or approved else None
        if handover is None or handover.origin != origin or any(each.handover == handover for each in steps):
            continue
        if approved or signer == handover.before:
            steps.append(Step(number, handover))
            known[handover.after] = handover.public
    return steps


def owner_after(key: PublicKey, steps: Iterable[Step]) -> tuple[PublicKey, Step | None]:
    """Whose the dossier is, where ``key`` was trusted to begin with, and the last handover on the way."""
    last = None
    for step in steps:
        if step.handover.before == key.hint:
            key, last = step.handover.public, step
    return key, last


def owners_before(hint: str, steps: Sequence[Step]) -> list[Step]:
    """The handovers that led to the owner ``hint``, the latest first."""
    found = []
    for step in reversed(steps):
        if step.handover.after == hint:
            found.append(step)
            hint = step.handover.before
    return found


def _signer(bundle: Bundle, keys: Mapping[str, PublicKey]) -> str:
    """SHA-256 of the one of ``keys`` that signed a bundle, or ''."""
    try:
        hint = named_key(bundle)
        if hint not in keys:
            return ""
        verify_with_key(bundle, keys[hint])
    except VerifyError:
        return ""
    return hint


def _parsed(payload: bytes) -> Handover | None:
    try:
        return Handover.parse(payload)
    except VerifyError:
        return None
