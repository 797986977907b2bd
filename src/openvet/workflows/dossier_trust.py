"""What of a dossier is believed by a ``trust.toml``: each line's signature is looked up, and the signers of one statement are counted.

A dossier that is verified by its owner's key alone says that the owner vouches for the keys of all who signed lines. Here nothing is
believed on the owner's word: a line counts where somebody who is in the trust file signed it, with a key, a certificate or keyless,
and may say this about this model. Signatures under the same bytes count together, for thresholds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.certificates import facts_of
from openvet.evidence.dossier.handover import OWNER_TYPE, Handover
from openvet.evidence.dossier.reading import Claim, Dossier
from openvet.evidence.judging import Accepted, Said, judge, why_not_key
from openvet.evidence.keys import PublicKey
from openvet.evidence.signing import parse_line
from openvet.evidence.trust import WORDS, Trust, is_kind
from openvet.workflows.held_model import Held
from openvet.workflows.trusted import authenticate

if TYPE_CHECKING:
    from openvet.evidence.trusted_root import SigstoreRoot

__all__ = ["Believed", "DossierTrust", "LineRefused"]


@dataclass(frozen=True, slots=True)
class LineRefused:
    """A line whose signature does not count, and why: a reason of :class:`openvet.errors.VerifyError`, and a sentence."""

    line: int
    key: str
    predicate_type: str
    reason: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return {"line": self.line, "key": self.key, "reason": self.reason, "message": self.message}


@dataclass(frozen=True, slots=True)
class Believed:
    """What of a dossier is believed at a time: statements, each with its lines, and lines that do not count."""

    as_of: datetime
    accepted: tuple[tuple[Accepted, tuple[int, ...]], ...]
    refused: tuple[LineRefused, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "accepted": [{**each.to_json(), "lines": list(lines)} for each, lines in self.accepted],
            "refused": [each.to_json() for each in self.refused],
        }


class DossierTrust:
    """Judges the lines of dossiers.

    Args:
        trust: who is believed.
        as_of: the time that is asked about.
        name: what the model is called; grants are about this name and about the signed ones. '' asks about the signed ones alone.
        root: Sigstore's trusted root, asked for where a signature is keyless.
    """

    def __init__(
        self, trust: Trust, as_of: datetime, name: str = "", root: Callable[[], SigstoreRoot] | None = None
    ) -> None:
        self._trust, self._as_of, self._name, self._root = trust, as_of, name, root

    def signer_of(self, bundle: Bundle) -> PublicKey:
        """The key that signed a bundle, where it is somebody's who is trusted; of a certificate, the certificate's.

        Raises:
            VerifyError: nobody who is trusted signed it.
            UsageError: it is keyless, and the extra for that is missing.
        """
        found = authenticate(bundle, self._trust, self._as_of, self._root).signer
        if bundle.material.certificates:
            return facts_of(bundle.material.certificates[0])[0]
        return next(each.key for each in self._trust.keys if each.hint == found.key and each.key is not None)

    def approve(self, payload: bytes, bundles: Sequence[Bundle]) -> bool:
        """Whether those who signed a handover, of this payload, may decide who owns the dossier (``says = ["owner"]``)."""
        said = []
        for bundle in bundles:
            try:
                found = authenticate(bundle, self._trust, self._as_of, self._root)
                handover = Handover.parse(found.payload) if found.payload == payload else None
            except (VerifyError, UsageError):
                continue
            if handover is not None:
                said.append(Said("handover", OWNER_TYPE, (handover.origin,), frozenset(), found.signer))
        return bool(judge(said, self._trust, self._as_of).accepted)

    def judge(self, dossier: Dossier, held: Held | None = None, require: Sequence[str] = ()) -> Believed:
        """What is believed of a dossier that was verified.

        Args:
            held: which lines are about the model in question; only these meet ``require``. ``None``: all.
            require: kinds of statements of which one has to be believed; without any, one of any kind has to be.

        Raises:
            VerifyError: ``revoked``, ``expired``, ``not-yet-valid``: the owner's key is; ``missing``: there is no statement of a kind
                that is required; the reason of the first line that does not count, where there is none that is believed.
        """
        why = why_not_key(dossier.owner, self._trust, self._as_of)
        if why is not None:
            raise VerifyError(why[0], f"the dossier's owner: {why[1]}")
        said: list[tuple[int, Said]] = []
        refused: list[LineRefused] = []
        unlike = {} if held is None else held.unlike
        for number, claim in enumerate(dossier.claims, 1):
            if number in unlike:
                kind = claim.statement.predicate_type
                refused.append(LineRefused(number, claim.key, kind, "mismatch", unlike[number]))
                continue
            try:
                said.append((number, self._said(number, claim, dossier.keys)))
            except (VerifyError, UsageError) as error:
                reason, text = getattr(error, "reason", "unsupported"), printable(str(getattr(error, "message", error)))
                refused.append(LineRefused(number, claim.key, claim.statement.predicate_type, reason, text))
        found = judge([each for _, each in said], self._trust, self._as_of)
        for no in found.refused:
            number = next(number for number, each in said if each is no.said)
            refused.append(LineRefused(number, no.said.signer.key, no.said.predicate_type, no.reason, no.message))
        refused.sort(key=lambda each: each.line)
        gone = {each.line for each in refused}
        accepted = tuple(
            (each, tuple(number for number, by in said if by.claim == each.claim and number not in gone))
            for each in found.accepted
        )
        believed = Believed(self._as_of, accepted, tuple(refused))
        for word in require or ("",):
            _check(believed, word, None if held is None else held.about)
        return believed

    def _said(self, number: int, claim: Claim, keys: Mapping[str, PublicKey]) -> Said:
        bundle = parse_line(claim.line, f"line {number}")
        found = authenticate(bundle, self._trust, self._as_of, self._root, keys)
        subjects = claim.statement.subjects
        # of several subjects nobody said that all are the one that a grant names
        digests = frozenset(subjects[0].digest.values()) if len(subjects) == 1 else frozenset()
        names = dict.fromkeys((*(each.name for each in subjects), *([self._name] if self._name else [])))
        return Said(
            hashlib.sha256(found.payload).hexdigest(),
            claim.statement.predicate_type,
            tuple(names),
            digests,
            found.signer,
            f"line {number}",
        )


def _check(believed: Believed, word: str, about: Collection[int] | None) -> None:
    """That a statement of one kind is believed, about the model where one is given; '' is every kind but handovers."""

    def wanted(kind: str) -> bool:
        return is_kind(kind, word) if word else kind != OWNER_TYPE

    mine = [lines for each, lines in believed.accepted if wanted(each.predicate_type)]
    if any(about is None or not set(about).isdisjoint(lines) for lines in mine):
        return
    what = f"no statement of kind {printable(word)!r}" if word else "no statement"
    if mine:
        raise VerifyError("missing", f"{what} that is believed could be held against the model")
    first = next((each for each in believed.refused if wanted(each.predicate_type)), None)
    if first is None:
        raise VerifyError("missing", f"{what} is in the dossier; kinds are {', '.join(WORDS)}, or a predicate type")
    raise VerifyError(first.reason, f"{what} is believed: line {first.line}: {first.message}")
