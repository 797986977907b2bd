"""What is asked at the gate, and what it answers. The door puts these into the hub's protocol; the gate knows none of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from enum import StrEnum
from typing import Final, Protocol

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError

__all__ = ["Asking", "Gate", "Listed", "ListedFile", "Ready", "Refusal", "RefusedError", "Repository", "Waiting"]

_SEGMENT: Final = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,95})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Repository:
    """A model or a data set of a hub by its name, of one segment or two.

    Attributes:
        kind: ``model`` or ``dataset``.
        name: ``org/name``, or ``name`` for what the hub calls canonical.
    """

    kind: str
    name: str

    @classmethod
    def parse(cls, kind: str, name: str) -> Repository:
        """Hold a name from outside to what a hub allows.

        Raises:
            UsageError: it can be no name of a repository.
        """
        parts = name.split("/")
        fits = len(parts) <= 2 and all(
            _SEGMENT.fullmatch(each) and ".." not in each and "--" not in each for each in parts
        )
        if kind not in {"model", "dataset"} or not fits or name.endswith((".git", ".ipynb")):
            raise UsageError("a repository is named NAME or ORG/NAME, of letters, digits, '.', '_' and single '-'")
        return cls(kind, name)

    def __str__(self) -> str:
        return self.name if self.kind == "model" else f"datasets/{self.name}"


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, as far as that is known.

    Attributes:
        person: id of the user that the token belongs to; ``None`` where there was none.
        agent: the client's ``User-Agent``, at most 1,000 characters, printable.
        address: where the connection comes from.
        project: what it is asked for; approvals may hold for a project, and those below it, alone.
        token: what was sent to say who asks, until somebody looked at it; shown nowhere.
    """

    person: int | None = None
    agent: str = ""
    address: str = ""
    project: str = "/"
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a revision as the upstream lists it.

    Attributes:
        path: its name in the repository.
        size: its bytes.
        oid: SHA-1 of its git blob (of the pointer, where it is in LFS), as the hub lists it.
        lfs: SHA-256 of its content where it is in LFS, else ''.
        pointer: bytes of the LFS pointer, 0 where it is not in LFS.
    """

    path: str
    size: int
    oid: str
    lfs: str = ""
    pointer: int = 0

    @property
    def etag(self) -> str:
        """What the hub sends as ``ETag``, without quotes."""
        return self.lfs or self.oid


@dataclass(frozen=True, slots=True)
class Listed:
    """A revision that may be looked at; whether its files may be had is another question.

    Attributes:
        repository: what it is a revision of.
        commit: 40 hex digits.
        files: in byte order of their paths.
        about: what the upstream says of it and clients want to know (``tags``, ``pipeline_tag``, ``library_name``, ``downloads``,
            ``likes``, ``lastModified``, ``createdAt``), each as JSON.
    """

    repository: Repository
    commit: str
    files: tuple[ListedFile, ...]
    about: dict[str, object]


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that may be served.

    Attributes:
        commit: of its revision.
        file: as it is listed.
        path: of its bytes on this machine. They do not change while they have this name.
        sha256: of its bytes, as they were hashed when they came.
        revision: the number by which the gate knows its revision.
    """

    commit: str
    file: ListedFile
    path: str
    sha256: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A vetting is under way.

    Attributes:
        commit, file: of what.
        seconds: an estimate of how long it takes from now, at least 1.
        late: with what a client is refused that has waited as long as it is held: the vetting takes longer than it goes on asking. ``None`` where it
            may ask again.
    """

    commit: str
    file: ListedFile
    seconds: int
    late: RefusedError | None = None


class Refusal(StrEnum):
    """Why the answer is no."""

    #: A decision rejects it, it waits for a review, or policy does not let anybody ask for it.
    NOT_APPROVED = "not-approved"
    #: It was approved once and is not any more.
    REVOKED = "revoked"
    #: There is no such repository, revision or file, or this person may not know.
    NO_REPOSITORY = "no-repository"
    NO_REVISION = "no-revision"
    NO_FILE = "no-file"
    #: The token is none, has expired, or may not do this.
    NOT_ALLOWED = "not-allowed"
    #: The upstream does not answer, or gives other bytes than it lists. Nothing was served.
    UPSTREAM = "upstream"
    #: It cannot be kept: the disk is full, say. Nothing was served.
    STORAGE = "storage"


class RefusedError(Exception):
    """The answer is no.

    Attributes:
        why: the kind.
        reason: one line for the person at the client: what, why, what to do next.
        commit: of the revision, where it is known.
        link: a path of our pages that shows more, or ''.
        revision: number of the revision, where somebody may let it in.
    """

    def __init__(
        self, why: Refusal, reason: str, *, commit: str = "", link: str = "", revision: int | None = None
    ) -> None:
        super().__init__(reason)
        self.why = why
        self.reason = reason
        self.commit = commit
        self.link = link
        self.revision = revision


class Gate(Protocol):
    """What the door needs of the gate. Every call may take as long as a database does; none waits for a vetting."""

    def listed(self, repository: Repository, revision: str, asking: Asking) -> Listed:
        """The revision that a branch, a tag or a commit is, and what it lists; a vetting of it is begun where there was none.

        Raises:
            RefusedError: it is not there, or may not be had at all.
        """
        ...

    def file(self, repository: Repository, revision: str, path: str, asking: Asking) -> Ready | Waiting:
        """One file of it.

        Raises:
            RefusedError: it may not be had; so also where a vetting would take longer than a client goes on asking.
        """
        ...

    def name_of(self, asking: Asking) -> str:
        """By which name whoever sent a token is known; '' where none was sent, or nobody is known.

        Raises:
            RefusedError: the token does not count.
        """
        ...

    def pulled(self, ready: Ready, asking: Asking, sent: int) -> None:
        """Remember that somebody was given ``sent`` bytes of a file."""
        ...

    def admitted(self, kind: str, search: str, after: str, limit: int, asking: Asking) -> Sequence[Listed]:
        """Repositories of which something may be had: of each the newest revision that a decision in force admits.

        Args:
            kind: ``model`` or ``dataset``.
            search: part of a name, whatever its case; '' for every name.
            after: only names behind this one.
            limit: at most so many, in order of their names. ``files`` may be empty in them.
        """
        ...
