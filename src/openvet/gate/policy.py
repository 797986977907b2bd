"""By what a gate decides: the built-in policy, and packs; and the statements that it signs of it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from openvet.core.dataclass import dataclass
from openvet.errors import VerifyError
from openvet.evidence.keys import PrivateKey
from openvet.evidence.predicates.admission_v1 import AdmissionV1, Approval, Rest
from openvet.evidence.predicates.fields import timestamp
from openvet.evidence.signing import parse_line, parse_statement, sign_statement, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.gate.answers import Repository
from openvet.gate.settings import Settings
from openvet.gate.standing import latest_by_policy
from openvet.policy.compiled import CompiledPack
from openvet.policy.pack import Pack
from openvet.policy.vocabulary import BESIDE
from openvet.reports.report import ModelReport
from openvet.store.decisions import DecisionRow
from openvet.workflows.check import Options
from openvet.workflows.decide import decide_report
from openvet.workflows.knowledge import tool
from openvet.workflows.packs import list_packs, load_held
from openvet.workflows.signed_packs import signed_by
from openvet.workflows.statements import Asked, own_kinds, statements_of

__all__ = [
    "PackInForce",
    "Policy",
    "admission_line",
    "approvers_by_packs",
    "day_of",
    "evidence_lines",
    "moment_of",
    "packs_in_force",
]


def moment_of(now: int) -> datetime:
    """Milliseconds as a moment in UTC."""
    return datetime.fromtimestamp(now / 1000, UTC)


def day_of(now: int) -> date:
    """The day of a time in milliseconds, UTC."""
    return moment_of(now).date()


class Policy:
    """The packs of a gate, read anew each day: waivers end.

    Args:
        now: the time at which they have to make sense first.

    Raises:
        PackError, UsageError: a pack makes no sense, is not signed as it has to be, or is not there.
    """

    def __init__(self, settings: Settings, now: int) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._day, self._packs = day_of(now), self._load(day_of(now))

    def _load(self, day: date) -> tuple[CompiledPack, ...]:
        verify = signed_by(self._settings.trust, day) if self._settings.trust else None
        return tuple(load_held(each, day, "", verify) for each in self._settings.packs)

    def packs(self, day: date) -> Sequence[CompiledPack]:
        """The packs as they hold on ``day`` (raises like the constructor)."""
        with self._lock:
            if day != self._day:
                self._day, self._packs = day, self._load(day)
            return self._packs

    def options(self, day: date) -> Options:
        """How a check has to be made, so that the packs can decide by it."""
        packs = self.packs(day)
        needed = {kind for pack in packs for kind in pack.kinds}
        uses = tuple(dict.fromkeys(use for pack in packs for use in pack.pack.uses))
        # who looks at a model here wants to know its duties, whatever the packs decide by
        also = tuple(each for each in BESIDE if each in needed or each == "rights")
        return Options(
            also=also, uses=uses, config=self._settings.config, limits=self._settings.limits, today=day
        ).settled()

    def decided(self, report: ModelReport, day: date) -> ModelReport:
        """The report with what the packs make of it."""
        return replace(report, policies=decide_report(report, self.packs(day), day).decisions)

    def outcome(self, report: ModelReport) -> str:
        """What follows for the gate."""
        verdict = str(report.verdict)
        return "admit" if verdict == "review" and self._settings.review_admits else verdict


@dataclass(frozen=True, slots=True)
class PackInForce:
    """A pack that decides, and whose word it is.

    Attributes:
        pack: as it was read.
        origin: ``ships`` with this version, ``signed`` by somebody whom the trust file believes, or ``unsigned``.
    """

    pack: Pack
    origin: str


def packs_in_force(packs: Sequence[CompiledPack], settings: Settings) -> tuple[PackInForce, ...]:
    """The packs of a gate, in the order of its settings."""
    ships = {name for name, each in list_packs().items() if each.ships}
    own = "signed" if settings.trust else "unsigned"
    return tuple(
        PackInForce(each.pack, "ships" if name in ships else own)
        for name, each in zip(settings.packs, packs, strict=True)
    )


def evidence_lines(report: ModelReport, key: PrivateKey, started: int, finished: int) -> list[bytes]:
    """The signed statements of a check and of what the packs made of it; none where nobody can name the bytes."""
    if not report.subject.digest or not report.scan.reproducible:
        return []
    asked = Asked(moment_of(started), moment_of(finished))
    statements = [
        *statements_of(report, own_kinds(report), asked),
        *(Statement(report.subject, each) for each in report.policies),
    ]
    return [to_line(sign_statement(each, key)) for each in statements]


def admission_line(
    repository: Repository,
    commit: str,
    key: PrivateKey,
    *,
    scope: str,
    kind: str,
    outcome: str,
    reason: str,
    by: str,
    now: int,
    until: int | None = None,
    project: str = "/",
    conditions: str = "",
    subject: ResourceDescriptor | None = None,
    rests: Iterable[bytes] = (),
    approvers: int = 0,
    approvals: Sequence[Approval] = (),
) -> bytes:
    """The signed statement of a decision: about the bytes where they are known, else about the commit.

    Args:
        subject: the bytes.
        rests: signed statements that it rests on.
        approvers, approvals: as of :class:`AdmissionV1`.
    """
    said = AdmissionV1(
        tool=tool(), repository=repository.kind, name=repository.name, commit=commit, scope=scope, kind=kind, outcome=outcome, reason=reason, by=by,
        at=timestamp(moment_of(now)), until=None if until is None else timestamp(moment_of(until)), project=project,
        conditions=conditions, rests=tuple(map(_rest, rests)), approvers=approvers, approvals=tuple(approvals),
    )  # fmt: skip
    about = subject if subject is not None and subject.digest else None
    return to_line(
        sign_statement(
            Statement(about or ResourceDescriptor(f"hf:{repository}@{commit}", {"gitCommit": commit}), said), key
        )
    )


def approvers_by_packs(decisions: Sequence[DecisionRow], line_of: Callable[[int], bytes]) -> int:
    """How many people have to approve a revision by the packs that decided about it last, 0 where they leave that to the gate.

    Args:
        decisions: about it, the latest first; those about a part of it count beside each other, until one about all of it.
        line_of: the signed statement of a decision, by its number.
    """
    counts = [_admission(line_of(each.id)).approvers for each in latest_by_policy(decisions)]
    return max(counts, default=0)


def _admission(line: bytes) -> AdmissionV1:
    found = parse_statement(parse_line(line, "a statement of ours").envelope.payload).predicate
    if not isinstance(found, AdmissionV1):
        raise VerifyError("malformed", "what the gate kept as a decision is none")
    return found


def _rest(line: bytes) -> Rest:
    import json

    payload = parse_line(line, "a statement of ours").envelope.payload
    return Rest(json.loads(payload)["predicateType"], hashlib.sha256(payload).hexdigest())
