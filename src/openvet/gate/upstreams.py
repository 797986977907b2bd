"""Where repositories come from: a hub by its URL, folders on this machine (:mod:`openvet.gate.folder_upstream`), several in order.

What an upstream says is bounded and never believed: a listing that is too long, names that would be written elsewhere, sizes that make no sense, a commit
that is another one. Bytes are held against the listing where they come in (:mod:`openvet.store.blobs`), and are served only after they were read here.

An upstream that does not answer is not passed over: if the next one had a repository of the same name, an outage would change what a name means.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import OpenVetError, ReadError, SubjectError, UsageError
from openvet.gate.answers import ListedFile, Refusal, Repository
from openvet.io.archive.names import escape_of
from openvet.io.http import Client, StatusError, origin_of
from openvet.origins.hub import HubName, Listing, hub_origin, list_hub, remote_file
from openvet.origins.local import LocalOrigin
from openvet.origins.remote import RemoteOrigin

__all__ = [
    "FAILURES",
    "MOST_FILES",
    "Found",
    "HubUpstream",
    "Opened",
    "Upstream",
    "UpstreamError",
    "Upstreams",
    "about_for_clients",
    "held_files",
    "is_commit",
]

_COMMIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)
_REVISION: Final = pattern(r"[A-Za-z0-9_.+/-]{1,200}", re.ASCII)
#: Of what a hub says about a repository, what clients ask for and can be no way to anything else.
_ABOUT: Final = ("tags", "pipeline_tag", "library_name", "downloads", "likes", "lastModified", "createdAt")
_ABOUT_BYTES: Final = 256 * 1024
_PATH: Final = 1024
#: Seconds that a client of ours can be kept waiting for a listing, and attempts.
_PATIENCE: Final = 6.0
_TRIES: Final = 2
#: Files of one revision.
MOST_FILES: Final = 100_000
_LARGEST: Final = 2**46


def is_commit(revision: str) -> bool:
    """Whether this is a commit and no branch or tag."""
    return _COMMIT.fullmatch(revision) is not None


class UpstreamError(OpenVetError):
    """There is no such repository or revision there, or it gives no answer that makes sense. ``why`` says which."""

    def __init__(self, why: Refusal, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Found:
    """A revision as an upstream lists it. ``files`` are in byte order of their paths; ``about`` is what else it says, bounded and not looked at."""

    repository: Repository
    commit: str
    files: tuple[ListedFile, ...]
    about: Mapping[str, Any]
    upstream: str


class Opened(Protocol):
    """A revision that is read: the inventory's idea of an origin, and whole files."""

    @property
    def origin(self) -> RemoteOrigin | LocalOrigin: ...

    def fetch(self, file: ListedFile) -> Iterator[bytes]:
        """Every byte of a file, once (raises :class:`ReadError`)."""
        ...

    def close(self) -> None: ...


class Upstream(Protocol):
    """One place. ``name`` is what people call it by; it stands with what came from there."""

    name: str

    def find(self, repository: Repository, revision: str) -> Found:
        """What a revision is there, and what it lists. Answers within seconds.

        Raises:
            UpstreamError: it is not there, or no answer makes sense.
        """
        ...

    def open(self, found: Found) -> Opened:
        """Read a revision that was listed (raises :class:`UpstreamError`)."""
        ...


#: What of a place fails: to list a revision, to give its bytes, and to give those that it lists.
FAILURES: Final = ("listing", "reading", "lying")


class Upstreams:
    """Several places in order: the first that has a repository is where it comes from.

    Raises:
        UsageError: there is none, or two have one name.
    """

    def __init__(self, places: Sequence[Upstream]) -> None:
        self._by_name = {each.name: each for each in places}
        if not places or len(self._by_name) != len(places):
            raise UsageError("say where repositories come from: a hub by its URL, or folders, each of them once")
        self._failures = dict.fromkeys(FAILURES, 0)
        self._lock = threading.Lock()

    @property
    def failures(self) -> dict[str, int]:
        """How often it failed since this process began, by what was asked: one of :data:`FAILURES`."""
        with self._lock:
            return dict(self._failures)

    def failed(self, what: str) -> None:
        """Count a failure, one of :data:`FAILURES`."""
        with self._lock:
            self._failures[what] += 1

    def find(self, repository: Repository, revision: str) -> Found:
        """What the first place that has ``repository`` says (raises like :meth:`Upstream.find`)."""
        missing: UpstreamError | None = None
        for each in self._by_name.values():
            try:
                return each.find(repository, revision)
            except UpstreamError as error:
                if error.why is not Refusal.NO_REPOSITORY:
                    if error.why is Refusal.UPSTREAM:
                        self.failed("listing")
                    raise
                missing = missing or error
        raise missing or UpstreamError(Refusal.NO_REPOSITORY, f"{repository} is nowhere")

    def open(self, found: Found) -> Opened:
        """Read a revision where it was listed (raises :class:`UpstreamError`)."""
        place = self._by_name.get(found.upstream)
        if place is None:
            raise UpstreamError(
                Refusal.UPSTREAM, f"{found.repository} was listed by {found.upstream}, which is not configured any more"
            )
        return place.open(found)


# --- a hub ---


class HubUpstream:
    """A hub, or another gate, by its URL.

    Args:
        url: such as ``https://huggingface.co``.
        token: sent to this host and to no other; '' sends none.
        limits: how many files a listing may have.
        sleep: waits; passed in so that a test does not.

    Raises:
        UsageError: it is no address.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        limits: Limits = DEFAULT_LIMITS,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.name = url.rstrip("/")
        try:
            self._home = origin_of(self.name)
        except ReadError as error:
            raise UsageError(f"{printable(url)[:200]} is no address of a hub: {error.message}") from error
        self._token = token
        self._limits = replace(limits, files=min(limits.files, MOST_FILES))
        self._sleep: dict[str, Any] = {} if sleep is None else {"sleep": sleep}

    def _client(self, **how: Any) -> Client:
        def authorize(url: str) -> str | None:
            return f"Bearer {self._token}" if self._token and origin_of(url) == self._home else None

        return Client(authorize, home=self._home[1], **self._sleep, **how)

    def find(self, repository: Repository, revision: str) -> Found:
        if not _REVISION.fullmatch(revision) or ".." in revision:
            raise UpstreamError(Refusal.NO_REVISION, f"{repository} has no revision of that name")
        client = self._client(timeout=_PATIENCE, tries=_TRIES)
        try:
            listing = list_hub(client, self.name, _named(repository, revision), self._limits)
        except StatusError as error:
            raise self._refused(error, repository, revision) from error
        except ReadError as error:
            raise UpstreamError(Refusal.UPSTREAM, f"{self._home[1]}: {error.message}") from error
        finally:
            client.close()
        if len(listing.files) > self._limits.files:
            raise UpstreamError(
                Refusal.UPSTREAM, f"{repository} has more than {self._limits.files} files, more than this gate looks at"
            )
        files = [
            ListedFile(
                each.name, each.size, each.oid, "" if each.claim is None or each.claim.algorithm != "sha256" else each.claim.value, each.pointer
            )
            for each in listing.files
        ]  # fmt: skip
        return Found(repository, listing.commit, held_files(files), _bounded(listing.about), self.name)

    def open(self, found: Found) -> Opened:
        name = _named(found.repository, found.commit)
        client = self._client()
        try:
            files = [remote_file(_item(each), self.name, name, found.commit) for each in found.files]
            return _OnHub(hub_origin(client, name, Listing(found.commit, found.about, files), limits=self._limits))
        except (ReadError, SubjectError) as error:
            client.close()
            raise UpstreamError(Refusal.UPSTREAM, str(error)) from error

    def _refused(self, error: StatusError, repository: Repository, revision: str) -> UpstreamError:
        code, host = error.headers.get("x-error-code", ""), printable(self._home[1])
        if code == "RevisionNotFound":
            return UpstreamError(
                Refusal.NO_REVISION, f"{repository} has no revision {printable(revision)[:100]} on {host}"
            )
        if code == "GatedRepo" or (error.status == 403 and not code):
            text = f"{repository} is gated on {host}: whoever runs this gate has to accept its conditions there"
            return UpstreamError(Refusal.NOT_APPROVED, text)
        if error.status in {401, 404}:
            return UpstreamError(Refusal.NO_REPOSITORY, f"{repository} is not on {host}, or may not be seen from here")
        return UpstreamError(Refusal.UPSTREAM, f"{error.message}: nothing of it can be had until it answers again")


class _OnHub:
    def __init__(self, origin: RemoteOrigin) -> None:
        self.origin = origin

    def fetch(self, file: ListedFile) -> Iterator[bytes]:
        return self.origin.fetch(file.path)

    def close(self) -> None:
        self.origin.close()


def _named(repository: Repository, revision: str) -> HubName:
    return HubName(repository.name, revision, kind=repository.kind)


def _item(file: ListedFile) -> dict[str, Any]:
    """A file as a hub lists it."""
    lfs = {"lfs": {"oid": file.lfs, "size": file.size, "pointerSize": file.pointer}} if file.lfs else {}
    return {"path": file.path, "size": file.size, "oid": file.oid, **lfs}


def held_files(files: Sequence[ListedFile]) -> tuple[ListedFile, ...]:
    """The files in order, held to what a file of a repository can be.

    Raises:
        UpstreamError: one of them cannot be one.
    """
    seen: set[str] = set()
    for each in files:
        shown = printable(each.path)[:200]
        try:
            encoded = each.path.encode()
        except UnicodeEncodeError:
            encoded = b"\0"
        parts = each.path.split("/")
        if (
            escape_of(each.path) is not None
            or not 0 < len(encoded) <= _PATH
            or any(part in {"", ".", ".."} for part in parts)
            or any(byte < 32 or byte == 127 for byte in encoded)
            or "\\" in each.path
        ):
            raise UpstreamError(Refusal.UPSTREAM, f"it lists {shown}, which is no plain path of a file")
        if each.path in seen:
            raise UpstreamError(Refusal.UPSTREAM, f"it lists {shown} twice")
        seen.add(each.path)
        if not 0 <= each.size <= _LARGEST or not (each.lfs or is_commit(each.oid)):
            raise UpstreamError(Refusal.UPSTREAM, f"it lists {shown} without a size or a digest that makes sense")
    folders = {each.rsplit("/", depth)[0] for each in seen for depth in range(1, each.count("/") + 1)}
    both = seen & folders
    if both:
        raise UpstreamError(Refusal.UPSTREAM, f"it lists {printable(min(both))[:200]} as a file and as a folder")
    return tuple(sorted(files, key=lambda each: each.path.encode()))


def _bounded(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a hub says of a repository, as far as it is kept: without the list of files, and not more than so many bytes."""
    kept = {name: value for name, value in said.items() if name not in {"siblings", "spaces"}}
    try:
        if len(json.dumps(kept)) <= _ABOUT_BYTES:
            return kept
    except (ValueError, RecursionError):
        pass
    return about_for_clients(said)


def about_for_clients(said: Mapping[str, Any]) -> dict[str, Any]:
    """What clients may be told, where it is what it should be and not too much."""
    out: dict[str, Any] = {}
    for name in _ABOUT:
        value = said.get(name)
        if name in {"downloads", "likes"}:
            good = type(value) is int and 0 <= value < 2**53
        elif name == "tags":
            good = isinstance(value, list) and len(value) <= 1000 and all(isinstance(each, str) for each in value)
        else:
            good = isinstance(value, str) and len(value) <= 200
        if good:
            out[name] = value
    tags = out.get("tags", [])
    if sum(map(len, tags)) > _ABOUT_BYTES:
        out["tags"] = []
    return {name: _shown(value) for name, value in out.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [printable(each)[:500] for each in value]
    return printable(value) if isinstance(value, str) else value
