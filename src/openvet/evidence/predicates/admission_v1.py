"""The admission predicate: that a revision of a repository may be had, or may not, by whose decision and until when.

It is what a gate goes by. The spec page is ``admission_v1.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, approvers_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["KINDS", "OUTCOMES", "PREDICATE_TYPE", "AdmissionV1", "Approval", "Rest"]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/admission/v1"
KINDS: Final = ("policy", "approval", "revocation")
OUTCOMES: Final = ("admit", "review", "reject", "upstream")
_REPOSITORIES: Final = ("model", "dataset")
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_COMMIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)
_SCOPE: Final = pattern(r"all|small|file:.+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rest:
    """A statement that the decision rests on: its type, and the SHA-256 of what was signed."""

    type: str
    sha256: str

    def to_json(self) -> dict[str, str]:
        return {"predicateType": self.type, "sha256": self.sha256}

    @classmethod
    def take(cls, found: Fields) -> Rest:
        made = cls(found.take("predicateType", str), found.take("sha256", str))
        if not _SHA256.fullmatch(made.sha256) or not made.type:
            raise FieldError(f"{found.at}/sha256 is none")
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Approval:
    """What one of those who approved said: who, when, why, and what was asked for in return; ``until`` as in :class:`AdmissionV1`."""

    by: str
    at: str
    reason: str
    conditions: str = ""
    until: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {"by": self.by, "at": self.at, "reason": self.reason, "conditions": self.conditions, "until": self.until}
        )

    @classmethod
    def take(cls, found: Fields) -> Approval:
        made = cls(
            by=found.take("by", str),
            at=found.time("at"),
            reason=found.take("reason", str),
            conditions=found.take("conditions", str),
            until=found.may_time("until"),
        )
        if not made.by or not made.reason:
            raise FieldError(f"{found.at}/by or its reason is empty")
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class AdmissionV1:
    """The body of an admission statement.

    Attributes:
        tool: what wrote it down.
        repository, name: ``model`` or ``dataset``, and its name.
        commit: 40 hex digits.
        scope: ``all``; ``small``, the small files alone; ``file:PATH``, these and one large file.
        kind: one of :data:`KINDS`.
        outcome: one of :data:`OUTCOMES`; ``upstream`` says that other bytes came than were listed.
        reason: one line.
        by: who decided: ``policy``, or whom the gate knows by this name.
        at, until: times in UTC; ``until`` is ``None`` where it holds until something else is decided.
        project: where it holds, and below; ``/`` is everywhere.
        conditions: what was asked for in return, in words.
        rests: statements that it rests on.
        approvers: of the policy: how many people its packs ask to approve it; 0 where they leave that to the gate.
        approvals: of an approval: what each of those said who approved, where the gate knows them one by one.
    """

    tool: Tool
    repository: str
    name: str
    commit: str
    scope: str
    kind: str
    outcome: str
    reason: str
    by: str
    at: str
    until: str | None = None
    project: str = "/"
    conditions: str = ""
    rests: tuple[Rest, ...] = ()
    approvers: int = 0
    approvals: tuple[Approval, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "tool": self.tool.to_json(),
                "repository": {"kind": self.repository, "name": self.name},
                "commit": self.commit,
                "scope": self.scope,
                "kind": self.kind,
                "outcome": self.outcome,
                "reason": self.reason,
                "by": self.by,
                "at": self.at,
                "until": self.until,
                "project": self.project,
                "conditions": self.conditions,
                "restsOn": [each.to_json() for each in self.rests],
                "approvers": self.approvers or None,
                "approvals": [each.to_json() for each in self.approvals] or None,
            }
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AdmissionV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        tool, repository = found.below("tool"), found.below("repository")
        knowledge = tool.below("knowledge")
        made = cls(
            tool=Tool(tool.take("name", str), tool.take("version", str), knowledge.take("sha256", str)),
            repository=repository.word("kind", _REPOSITORIES),
            name=repository.take("name", str),
            commit=found.take("commit", str),
            scope=found.take("scope", str),
            kind=found.word("kind", KINDS),
            outcome=found.word("outcome", OUTCOMES),
            reason=found.take("reason", str),
            by=found.take("by", str),
            at=found.time("at"),
            until=found.may_time("until"),
            project=found.take("project", str),
            conditions=found.take("conditions", str),
            rests=tuple(map(Rest.take, found.objects("restsOn"))),
            approvers=approvers_of(found),
            approvals=tuple(map(Approval.take, found.may_objects("approvals") or ())),
        )
        for each in (knowledge, tool, repository, found):
            each.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        if not _COMMIT.fullmatch(made.commit):
            raise FieldError("/commit is no commit")
        if not _SCOPE.fullmatch(made.scope):
            raise FieldError("/scope is none")
        if not made.project.startswith("/"):
            raise FieldError("/project is none")
        if not made.by or not made.name:
            raise FieldError("/by or the repository's name is empty")
        if (made.kind == "approval" and made.outcome != "admit") or (
            made.kind == "revocation" and made.outcome != "reject"
        ):
            raise FieldError("/outcome is not one of this kind of decision")
        if (made.approvers and made.kind != "policy") or (made.approvals and made.kind != "approval"):
            raise FieldError("/approvers are of a policy's decision, and /approvals of people's")
        return made
