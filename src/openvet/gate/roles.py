"""Who may do what: roles on a tree of projects.

A project is a path, ``/`` at the root and ``/vision/ocr`` below ``/vision``. A role that somebody has in a project holds in all projects
below it. One table says what a role may do; nobody's rights come from anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError

__all__ = ["RIGHTS", "ROOT", "Grant", "Right", "Role", "holds_in", "parse_project", "rights_in"]

ROOT: Final = "/"
_PROJECT: Final = pattern(r"(?:/[a-z0-9](?:[a-z0-9-]{0,62})){1,8}", re.ASCII)


class Right(StrEnum):
    """One thing that somebody may do in a project."""

    #: See models, their reports, decisions and who uses them.
    SEE = "see"
    #: Get files of what is admitted.
    PULL = "pull"
    #: Ask for a model that is not, and say something about one's own request.
    ASK = "ask"
    #: Have a revision vetted, or vetted again.
    VET = "vet"
    #: Say in a request what one thinks of it.
    RECOMMEND = "recommend"
    #: Approve, decline, make exceptions and revoke.
    DECIDE = "decide"
    #: Read the audit log and what people did.
    AUDIT = "audit"
    #: People, tokens of others, roles, projects, webhooks, settings.
    ADMINISTER = "administer"


class Role(StrEnum):
    """What somebody is in a project."""

    VIEWER = "viewer"
    SUBMITTER = "submitter"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"


_SUBMITTER: Final = frozenset({Right.SEE, Right.PULL, Right.ASK, Right.VET})

#: What each role may do. An admin does not decide: whoever gives out roles should not be the one who lets models in, and may give
#: himself the other role where a team is small, which the log then shows.
RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.SEE}),
        Role.SUBMITTER: _SUBMITTER,
        Role.REVIEWER: _SUBMITTER | {Right.RECOMMEND},
        Role.APPROVER: _SUBMITTER | {Right.RECOMMEND, Right.DECIDE},
        Role.AUDITOR: frozenset({Right.SEE, Right.AUDIT}),
        Role.ADMIN: frozenset({Right.SEE, Right.AUDIT, Right.ADMINISTER}),
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that somebody has in a project and in all below it."""

    role: Role
    project: str = ROOT


def parse_project(text: str) -> str:
    """Hold the path of a project from outside to its form.

    Raises:
        UsageError: it has another one.
    """
    if text != ROOT and not _PROJECT.fullmatch(text):
        raise UsageError(
            "a project is a path such as /vision/ocr: up to eight parts of lower-case letters, digits and '-', each beginning "
            "with a letter or digit; / is the root"
        )
    return text


def holds_in(grant_project: str, project: str) -> bool:
    """Whether what somebody has in ``grant_project`` holds in ``project``: it is the same, or lies below."""
    return grant_project in {ROOT, project} or project.startswith(grant_project + "/")


def rights_in(grants: Iterable[Grant], project: str) -> frozenset[Right]:
    """What ``grants`` allow in ``project``: the union of their roles' rights there, none where no grant holds."""
    held = [RIGHTS[each.role] for each in grants if holds_in(each.project, project)]
    return frozenset().union(*held)
