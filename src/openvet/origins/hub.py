"""A repository of a Hugging Face hub: ``hf:org/name[@revision][/path]``, ``hf:name`` (canonical ones have one segment), ``hf:datasets/org/name``.

The revision is resolved to a commit once, and everything after that names the commit. Sources: the hub's API
(``/api/models/{id}/revision/{rev}``, ``/api/models/{id}/tree/{rev}``, ``/{id}/resolve/{rev}/{path}``; for a data set ``/api/datasets/…`` and
``/datasets/{id}/resolve/…``) and the environment
variables of ``huggingface_hub``, whose names and meanings are kept.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urljoin

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.core.pattern import pattern
from openvet.core.snapshot import Snapshot
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, SubjectError, UnreachableError
from openvet.io.http import Client, Reply, StatusError, origin_of
from openvet.io.ranges import Claim
from openvet.origins.local import LocalOrigin
from openvet.origins.remote import RemoteFile, RemoteOrigin, make_entries

__all__ = ["HubName", "Listing", "hub_origin", "list_hub", "open_hub", "parse_hub", "remote_file"]

_PART = pattern(r"[A-Za-z0-9](?:[\w.-]{0,95})")
_COMMIT = pattern(r"[0-9a-f]{40}")
_NEXT = pattern(r'<([^<>]{1,4000})>\s*;\s*rel="?next"?')
_ANSWER = 64 * 1024 * 1024
#: A list of files: its bytes, and its pages, since a server could go on giving empty ones for ever.
_LISTING = 512 * 1024 * 1024
_PAGES = 20_000
_DATASETS = "datasets/"
_TRUE = {"1", "on", "yes", "true"}


@dataclass(frozen=True, slots=True)
class HubName:
    """What ``hf:org/name@revision/path`` says. ``kind`` is ``model`` or ``dataset``."""

    repository: str
    revision: str = "main"
    path: str = ""
    kind: str = "model"

    @property
    def shown(self) -> str:
        """What stands behind ``hf:``, without revision and path."""
        return f"{_DATASETS}{self.repository}" if self.kind == "dataset" else self.repository

    @property
    def api(self) -> str:
        """The path below which the hub's API is about it."""
        return f"/api/{self.kind}s/{self.repository}"


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit, as the hub lists it. ``about`` is all else that it says, parsed and not looked at."""

    commit: str
    about: Mapping[str, Any]
    files: Sequence[RemoteFile]


def parse_hub(text: str) -> HubName:
    """Take ``[datasets/][org/]name[@revision][/path]`` apart. A slash in a revision is written ``%2F``, but for ``refs/pr/1``.

    What has one segment has its path behind a revision: ``gpt2@main/config.json``, since ``gpt2/config.json`` names a repository.

    Raises:
        SubjectError: it is no such name.
    """
    kind, named = ("dataset", text.removeprefix(_DATASETS)) if text.startswith(_DATASETS) else ("model", text)
    head, at, rest = named.partition("@")
    parts = head.split("/")
    path = "/".join(parts[2:])
    revision = "main"
    if at and len(parts) <= 2:
        pieces = rest.split("/")
        count = 3 if pieces[0] == "refs" and len(pieces) >= 3 else 1
        revision = unquote("/".join(pieces[:count]))
        path = "/".join(pieces[count:])
    elif at:
        path += at + rest  # an @ in a file's name
    names = parts[:2]
    if not all(_PART.fullmatch(each) and ".." not in each for each in names):
        raise SubjectError(
            "a model of the hub is named hf:ORG/NAME, hf:ORG/NAME@REVISION or hf:ORG/NAME@REVISION/PATH, a data set hf:datasets/ORG/NAME"
        )
    if not revision or ".." in revision or re.search(r"[\x00-\x20\x7f]", revision):
        raise SubjectError("the revision after @ must be a branch, a tag or a commit")
    return HubName("/".join(names), revision, path.strip("/"), kind)


def open_hub(
    name: HubName,
    environ: Mapping[str, str],
    *,
    exclude: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    whole: bool = False,
    client: Client | None = None,
) -> RemoteOrigin | LocalOrigin:
    """List the repository at one commit.

    Raises:
        SubjectError: it is not there, or may not be read; the message says what to do.
    """
    if environ.get("HF_HUB_OFFLINE", environ.get("TRANSFORMERS_OFFLINE", "")).lower() in _TRUE:
        return _cached(name, environ, exclude, limits)
    endpoint = environ.get("HF_ENDPOINT", "").strip().rstrip("/") or "https://huggingface.co"
    try:
        home = origin_of(endpoint)
    except ReadError as error:
        raise SubjectError(f"HF_ENDPOINT is no address of a hub: {error.message}") from error
    token = _token(environ)

    def authorize(url: str) -> str | None:
        return f"Bearer {token}" if token and origin_of(url) == home else None

    client = client or Client()
    client.authorize, client.home = authorize, home[1]
    try:
        found = list_hub(client, endpoint, name, limits)
    except StatusError as error:
        client.close()
        raise SubjectError(_advice(error, name, home[1], has_token=bool(token))) from error
    except ReadError as error:
        client.close()
        raise SubjectError(
            f"{printable(home[1])}: {error.message}; check the network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use the cache"
        ) from error
    return hub_origin(client, name, found, exclude=exclude, limits=limits, whole=whole)


def list_hub(client: Client, endpoint: str, name: HubName, limits: Limits = DEFAULT_LIMITS) -> Listing:
    """Ask the hub which commit a revision is, and which files that has.

    Raises:
        StatusError: it refuses; ``headers`` may hold its reason.
        UnreachableError: it gives no answer that makes sense.
    """
    commit, about = _commit(client, endpoint, name)
    return Listing(commit, about, list(_files(client, endpoint, name, commit, limits)))


def hub_origin(
    client: Client,
    name: HubName,
    found: Listing,
    *,
    exclude: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    whole: bool = False,
) -> RemoteOrigin:
    """What was listed, to be read; closing it closes ``client``.

    Raises:
        SubjectError: the listing makes no sense, or does not have the path that ``name`` names.
    """
    files, commit, single = found.files, found.commit, False
    try:
        if name.path:
            exact = [file for file in files if file.name == name.path]
            single = bool(exact)
            files = exact or [file for file in files if file.name.startswith(name.path + "/")]
            if not files:
                raise SubjectError(
                    f"the commit {commit} has no file or folder {printable(name.path)[:200]}; check its name"
                )
        entries, by_name, cut = make_entries(files, exclude, limits)
    except SubjectError:
        client.close()
        raise
    title = f"hf:{name.shown}@{commit}" + (f"/{printable(name.path)}" if name.path else "")
    return RemoteOrigin(client, Snapshot(title, entries, single, cut), by_name, whole=whole, about=found.about)


# --- the API ---


def _commit(client: Client, endpoint: str, name: HubName) -> tuple[str, Mapping[str, Any]]:
    """The commit that a revision is, and all else that the hub says about the repository there."""
    url = f"{endpoint}{name.api}/revision/{quote(name.revision, safe='')}"
    value = _json(client.get(url, limit=_ANSWER)[0])
    commit = value.get("sha") if isinstance(value, dict) else None
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise UnreachableError("the hub does not say which commit the revision is")
    if _COMMIT.fullmatch(name.revision) and name.revision != commit:
        raise UnreachableError("the hub names another commit than the one that was asked for")
    return commit, value


def _files(client: Client, endpoint: str, name: HubName, commit: str, limits: Limits) -> Iterator[RemoteFile]:
    url = f"{endpoint}{name.api}/tree/{commit}?recursive=true&expand=false"
    home, seen, count, left = origin_of(endpoint), set[str](), 0, _LISTING
    while url:
        if url in seen or origin_of(url) != home:
            raise UnreachableError("the hub's list of files leads in a circle or to another host")
        seen.add(url)
        data, reply = client.get(url, limit=_ANSWER)
        left -= len(data)
        if left < 0 or len(seen) > _PAGES:
            raise UnreachableError(f"the hub's list of files does not end within {_PAGES} pages and {_LISTING} bytes")
        page = _json(data)
        if not isinstance(page, list):
            raise UnreachableError("the hub's list of files is no list")
        for item in page:
            if isinstance(item, dict) and item.get("type") == "file":
                count += 1
                yield remote_file(item, endpoint, name, commit)
        if count > limits.files:
            return
        following = _NEXT.search(reply.headers.get("link", ""))
        url = urljoin(url, following[1]) if following else ""


def remote_file(item: Mapping[str, Any], endpoint: str, name: HubName, commit: str) -> RemoteFile:
    """A file by an object of the hub's list.

    Raises:
        UnreachableError: it is no such object.
    """
    path, size, oid, lfs = item.get("path"), item.get("size"), item.get("oid"), item.get("lfs")
    host = origin_of(endpoint)[1]
    claim, blob, pointer = None, oid if isinstance(oid, str) and _COMMIT.fullmatch(oid) else "", 0
    if isinstance(lfs, dict):
        given = lfs.get("pointerSize")
        pointer = given if isinstance(given, int) and 0 < given < 1024 else 0
        oid, size = lfs.get("oid") or lfs.get("sha256"), lfs.get("size", size)
        if isinstance(oid, str) and re.fullmatch(r"[0-9a-f]{64}", oid):
            claim = Claim("sha256", oid, host)
    elif isinstance(oid, str) and _COMMIT.fullmatch(oid):
        claim = Claim("git", oid, host)
    if not isinstance(path, str) or not path or len(path) > 4096 or type(size) is not int:
        raise UnreachableError("the hub lists a file without a name or a size")
    url = f"{endpoint}/{name.shown}/resolve/{commit}/{quote(path.encode('utf-8', 'surrogatepass'), safe='/')}"
    return RemoteFile(path, url, size, claim, _Same(commit, size, claim), oid=blob, pointer=pointer)


@dataclass(frozen=True, slots=True)
class _Same:
    """Holds each answer of the hub to what it listed."""

    commit: str
    size: int
    claim: Claim | None

    def __call__(self, reply: Reply) -> None:
        first = reply.hops[0] if reply.hops else reply.headers
        if first.get("x-repo-commit", self.commit) != self.commit:
            raise ChangedError("the hub answers with a file of another commit")
        size = first.get("x-linked-size", "")
        if size and size != str(self.size):
            raise ChangedError(f"the hub lists {self.size} bytes and serves {printable(size)[:20]}")
        etag = first.get("x-linked-etag", "").removeprefix("W/").strip('"')
        if self.claim is not None and self.claim.algorithm == "sha256" and etag and etag != self.claim.value:
            raise ChangedError("the hub lists one digest and serves a file with another")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreachableError("the hub's answer is no JSON") from error


def _advice(error: StatusError, name: HubName, host: str, *, has_token: bool) -> str:
    code = error.headers.get("x-error-code", "")
    where, model = printable(host), name.shown
    if code == "GatedRepo" or (error.status == 403 and not code):
        then = "the account of your token" if has_token else "an account, and give its token in HF_TOKEN"
        return f"{model} is gated on {where}: accept its conditions on its page with {then}"
    if code == "RevisionNotFound":
        return f"{model} has no revision {printable(name.revision)[:100]} on {where}: check the branch, tag or commit"
    if error.status == 401 or code == "RepoNotFound":
        then = "your token may not see it" if has_token else "set HF_TOKEN if it is private"
        return f"{model} is not on {where}, or may not be seen: check the name; {then}"
    if error.status == 404:
        return (
            f"{model} at revision {printable(name.revision)[:100]} is not on {where}: check the name and the revision"
        )
    if error.status == 429:
        return f"{where} asks us to wait (status 429): try later, or set HF_TOKEN, which allows more requests"
    return f"{error.message}; try again later"


# --- this machine ---


def _home(environ: Mapping[str, str]) -> str:
    base = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.expanduser(environ.get("HF_HOME") or os.path.join(base, "huggingface"))


def _token(environ: Mapping[str, str]) -> str:
    """The token to send, or ''. What cannot stand in a header is no token."""
    token = environ.get("HF_TOKEN") or environ.get("HUGGING_FACE_HUB_TOKEN") or ""
    if not token and environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").lower() not in _TRUE:
        path = os.path.expanduser(environ.get("HF_TOKEN_PATH") or os.path.join(_home(environ), "token"))
        try:
            with open(path, encoding="ascii") as file:
                token = file.read(4096)
        except (OSError, ValueError):
            token = ""
    token = token.strip()
    return token if re.fullmatch(r"[\x21-\x7e]{1,4096}", token) else ""


def _cached(name: HubName, environ: Mapping[str, str], exclude: Sequence[str], limits: Limits) -> LocalOrigin:
    """The snapshot in the local cache; the network is not touched."""
    cache = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE") or os.path.join(_home(environ), "hub")
    folder = os.path.join(os.path.expanduser(cache), f"{name.kind}s--" + name.repository.replace("/", "--"))
    commit = name.revision
    if not _COMMIT.fullmatch(commit):
        try:
            with open(os.path.join(folder, "refs", *commit.split("/")), encoding="ascii") as file:
                commit = file.read(64).strip()
        except (OSError, ValueError):
            commit = ""
    path = os.path.join(folder, "snapshots", commit, *name.path.split("/")) if _COMMIT.fullmatch(commit) else ""
    inside = os.path.normpath(path).startswith(os.path.join(folder, "snapshots", commit)) if path else False
    if not inside or not os.path.exists(path):
        raise SubjectError(
            f"{name.shown} at revision {printable(name.revision)[:100]} is not in the local cache, and HF_HUB_OFFLINE is set: "
            "unset it, or download the model first"
        )
    origin = LocalOrigin(path.rstrip("/"), exclude=exclude, limits=limits)
    if not origin.snapshot.single:
        origin.snapshot = replace(origin.snapshot, name=f"hf:{name.shown}@{commit} (from the local cache)")
    return origin
