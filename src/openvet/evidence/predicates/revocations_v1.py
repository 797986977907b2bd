"""The revocations predicate: which commits may not be had any more through a gate in a project, all of them, as of a moment and for a time.

It is to a gate what a certificate revocation list is to an authority (RFC 5280, section 5): somebody without a network holds what they have
against it. The spec page is ``revocations_v1.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["PREDICATE_TYPE", "RevocationsV1", "Revoked"]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/revocations/v1"
_REPOSITORIES: Final = ("model", "dataset")
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_COMMIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Revoked:
    """A commit that is revoked.

    Attributes:
        repository, name, commit: as of :class:`openvet.evidence.predicates.admission_v1.AdmissionV1`.
        project: for which it was revoked: that of the list, or one above it.
        by, at, reason: of the revocation.
        sha256: of its signed statement, by which it is found in the gate's log.
        since: from when on it counts, where an approval that came later stands in its way until then; ``None`` where it counts already.
    """

    repository: str
    name: str
    commit: str
    project: str
    by: str
    at: str
    reason: str
    sha256: str
    since: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "repository": {"kind": self.repository, "name": self.name},
                "commit": self.commit,
                "project": self.project,
                "by": self.by,
                "at": self.at,
                "reason": self.reason,
                "sha256": self.sha256,
                "from": self.since,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Revoked:
        repository = found.below("repository")
        made = cls(
            repository=repository.word("kind", _REPOSITORIES),
            name=repository.take("name", str),
            commit=found.take("commit", str),
            project=_project(found),
            by=found.take("by", str),
            at=found.time("at"),
            reason=found.take("reason", str),
            sha256=found.take("sha256", str),
            since=found.may_time("from"),
        )
        if not _COMMIT.fullmatch(made.commit) or not _SHA256.fullmatch(made.sha256):
            raise FieldError(f"{found.at}/commit or its sha256 is none")
        if not made.name or not made.by:
            raise FieldError(f"{found.at}/by or the repository's name is empty")
        for each in (repository, found):
            each.end()
        return made


@dataclass(frozen=True, slots=True)
class RevocationsV1:
    """The body of a list.

    Attributes:
        tool: what wrote it down.
        project: in which that is so; ``/`` is the root.
        number: grows with each list of this gate for this project, from 1.
        at: when it was made: it holds what was decided before.
        until: how long what is not on it may be taken for not revoked.
        revoked: every commit that is, or will be before ``until``; in order of kind, name and commit, each once.
    """

    tool: Tool
    project: str
    number: int
    at: str
    until: str
    revoked: tuple[Revoked, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "project": self.project,
            "number": self.number,
            "at": self.at,
            "until": self.until,
            "revoked": [each.to_json() for each in self.revoked],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RevocationsV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        made = cls(
            tool=Tool.take(found.below("tool")),
            project=_project(found),
            number=count_of(found, "number"),
            at=found.time("at"),
            until=found.time("until"),
            revoked=tuple(map(Revoked.take, found.objects("revoked"))),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        if made.number < 1:
            raise FieldError("/number is none")
        return made


def _project(found: Fields) -> str:
    project = found.take("project", str)
    if not project.startswith("/"):
        raise FieldError(f"{found.at}/project is none")
    return project
