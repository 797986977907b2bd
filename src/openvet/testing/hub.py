"""A hub and a registry in memory, on this machine's loopback: shaped like the real ones, and as unreliable as asked.

:class:`Hub` speaks enough of a Hugging Face hub for its own client library to download from it. Large files redirect to a second
server, as they do in the world. ``faults`` says what goes wrong, for as many answers as given.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from openvet.core.dataclass import dataclass

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LIST = "application/vnd.oci.image.index.v1+json"

__all__ = ["Asked", "Fault", "Hub", "Registry"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as a server saw it."""

    server: str
    method: str
    path: str
    headers: dict[str, str]


@dataclass(slots=True)
class Fault:
    """What goes wrong with answers whose path contains ``path``, ``times`` times.

    Attributes:
        kind: ``status`` (answers ``value``), ``cut`` (the body ends after ``value`` bytes), ``no-range`` (200 instead of 206),
            ``wrong-range`` (other bytes than asked for), ``etag`` (another ETag each time), ``length`` (says ``value`` bytes more),
            ``flip`` (one byte is another), ``redirect`` (to ``text``), ``commit`` (names another commit), ``encode`` (claims gzip), ``whole``
            (whoever asks for the whole file gets ``data``, and whoever asks for a part the file), ``slow`` (waits ``value`` ms first).
    """

    kind: str
    path: str = ""
    value: int = 0
    text: str = ""
    times: int = 1_000_000
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""


class _Server:
    """A server on a port of its own, and what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        owner = self
        #: while a client waits for nothing, a thread each would only slow a test down
        self._lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.handle(self)

            do_HEAD = do_GET  # noqa: N815 - the names that the base class looks for

            def log_message(self, *_: object) -> None:
                """Say nothing: what was asked is in ``asked``."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.host = f"127.0.0.1:{self._http.server_address[1]}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self.asked.append(Asked(self.name, request.command, request.path, headers))
        fault = self._fault(request.path)
        try:
            if fault is not None and fault.kind in {"status", "redirect"}:
                status = fault.value if fault.kind == "status" else 302
                location = {"Location": fault.text} if fault.kind == "redirect" else {}
                send(request, status, b"", {**location, **fault.headers})
                return
            self.answer(request, fault)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True

    def _fault(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.path in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def answer(self, request: BaseHTTPRequestHandler, fault: Fault | None) -> None:
        raise NotImplementedError


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    """A whole answer."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def send_file(
    request: BaseHTTPRequestHandler, data: bytes, etag: str, fault: Fault | None, headers: dict[str, str] | None = None
) -> None:
    """A file or the range of it that was asked for, spoiled as ``fault`` says."""
    kind = fault.kind if fault else ""
    start, stop, status = 0, len(data), 200
    out = dict(headers or {})
    wanted = request.headers.get("Range", "")
    kept = request.headers.get("If-Range", etag) == etag
    if wanted.startswith("bytes=") and kind != "no-range" and kept:
        low, _, high = wanted.removeprefix("bytes=").partition("-")
        start, stop, status = int(low), min(int(high) + 1 if high else len(data), len(data)), 206
        if start >= len(data):
            send(request, 416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        shift = 1 if kind == "wrong-range" else 0
        out["Content-Range"] = f"bytes {start + shift}-{stop - 1 + shift}/{len(data)}"
    body = data[start:stop]
    if fault and kind == "whole" and len(body) == len(data):
        body = fault.data
    if fault and kind == "slow":
        time.sleep(fault.value / 1000)
    if kind == "flip" and body:
        body = bytes([body[0] ^ 1]) + body[1:]
    out["ETag"] = f'"{hashlib.sha256(str(fault.times).encode()).hexdigest()}"' if fault and kind == "etag" else etag
    if kind == "encode":
        out["Content-Encoding"] = "gzip"
    out["Accept-Ranges"] = "bytes"
    length = len(body) + (fault.value if fault and kind == "length" else 0)
    request.send_response(status)
    for name, value in {"Content-Length": str(length), **out}.items():
        request.send_header(name, value)
    request.end_headers()
    if request.command == "HEAD":
        return
    if fault and kind == "cut":
        body = body[: fault.value]
    request.wfile.write(body)
    if len(body) != length:
        request.close_connection = True


class _Store(_Server):
    """The second server, to which large files redirect: it knows files by their digest."""

    def __init__(self) -> None:
        super().__init__("store")
        self.files: dict[str, bytes] = {}

    def answer(self, request: BaseHTTPRequestHandler, fault: Fault | None) -> None:
        name = urlsplit(request.path).path.strip("/")
        if name in self.files:
            send_file(request, self.files[name], f'"{name}"', fault)
        else:
            send(request, 404, b"", {})


class Hub(_Server):
    """A hub with one repository.

    Args:
        files: path -> content.
        repository: its name, of one segment or two; of a data set with ``datasets/`` before it.
        large: files of at least this size are LFS objects, and redirect to the store.
        page: entries in one page of the list of files.
        token: what a request has to carry, if anything.
        about: what it says about the repository beside that (``author``, ``createdAt`` ...).
    """

    def __init__(
        self,
        files: dict[str, bytes],
        repository: str = "org/model",
        *,
        large: int = 4096,
        page: int = 3,
        token: str = "",
        about: dict[str, Any] | None = None,
    ) -> None:
        super().__init__("hub")
        self.about = about or {}
        self.store = _Store()
        self.repository = repository
        self.files = dict(files)
        self.large = large
        self.page = page
        self.token = token
        self.revisions: dict[str, str] = {}
        self.commits: dict[str, dict[str, bytes]] = {}
        self.digests: dict[str, str] = {}
        self.commit = ""
        self.push(files)
        self.revisions |= {"refs/pr/1": self.commit, "v1": self.commit}

    def push(self, files: dict[str, bytes]) -> str:
        """Make ``main`` a new commit with these files; the old ones stay. Gives the new one."""
        self.files = dict(files)
        self.commit = hashlib.sha1(repr(sorted(files.items())).encode(), usedforsecurity=False).hexdigest()
        self.commits[self.commit] = self.files
        self.revisions |= {"main": self.commit, self.commit: self.commit}
        for path, data in files.items():
            self.digests[path] = hashlib.sha256(data).hexdigest()
            self.store.files[self.digests[path]] = data
        return self.commit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()
        self.close()

    @property
    def api(self) -> str:
        """The path below which the API is about the repository."""
        is_set = self.repository.startswith("datasets/")
        return f"/api/{self.repository}" if is_set else f"/api/models/{self.repository}"

    def answer(self, request: BaseHTTPRequestHandler, fault: Fault | None) -> None:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            send(request, 401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
            return
        parts = urlsplit(request.path)
        path = parts.path
        api = self.api
        if path.startswith(f"{api}/revision/") or path == api:
            self._revision(request, unquote(path.removeprefix(api).removeprefix("/revision/")) or "main")
        elif path.startswith(f"{api}/tree/"):
            self._tree(request, unquote(path.removeprefix(f"{api}/tree/")), parse_qs(parts.query))
        elif path.startswith(f"/{self.repository}/resolve/"):
            revision, _, name = path.removeprefix(f"/{self.repository}/resolve/").partition("/")
            self._resolve(request, unquote(revision), unquote(name), fault)
        else:
            _refuse(request, "RepoNotFound")

    def _revision(self, request: BaseHTTPRequestHandler, revision: str) -> None:
        if revision not in self.revisions:
            _refuse(request, "RevisionNotFound")
            return
        commit = self.revisions[revision]
        siblings = [{"rfilename": path} for path in sorted(self.commits[commit])]
        name = self.repository.removeprefix("datasets/")
        value = {
            "id": name,
            **({"modelId": name} if name == self.repository else {}),
            "sha": commit,
            "private": False,
            "siblings": siblings,
            **self.about,
        }
        send(request, 200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _tree(self, request: BaseHTTPRequestHandler, revision: str, query: dict[str, list[str]]) -> None:
        if revision not in self.revisions:
            _refuse(request, "RevisionNotFound")
            return
        files = self.commits[self.revisions[revision]]
        names = sorted(files)
        start = int(query.get("cursor", ["0"])[0])
        body = json.dumps([self._item(name, files[name]) for name in names[start : start + self.page]]).encode()
        headers = {"Content-Type": "application/json"}
        if start + self.page < len(names):
            url = f"{self.url}{self.api}/tree/{revision}?recursive=true&cursor={start + self.page}"
            headers["Link"] = f'<{url}>; rel="next"'
        send(request, 200, body, headers)

    def _item(self, name: str, data: bytes) -> dict[str, Any]:
        item: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": git_blob(data)}
        if len(data) >= self.large:
            digest = hashlib.sha256(data).hexdigest()
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n".encode()
            item |= {"oid": git_blob(pointer), "lfs": {"oid": digest, "size": len(data), "pointerSize": len(pointer)}}
        return item

    def _resolve(self, request: BaseHTTPRequestHandler, revision: str, name: str, fault: Fault | None) -> None:
        if revision not in self.revisions:
            _refuse(request, "RevisionNotFound")
            return
        commit = self.revisions[revision]
        files = self.commits[commit]
        if name not in files:
            _refuse(request, "EntryNotFound")
            return
        data = files[name]
        commit = "0" * 40 if fault is not None and fault.kind == "commit" else commit
        headers = {"X-Repo-Commit": commit}
        if len(data) < self.large:
            send_file(request, data, f'"{git_blob(data)}"', fault, headers)
            return
        digest = hashlib.sha256(data).hexdigest()
        headers |= {
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(len(data)),
            "Location": f"{self.store.url}/{digest}?signed=1",
        }
        send(request, 302, b"", headers)


def git_blob(data: bytes) -> str:
    """What git calls these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _refuse(request: BaseHTTPRequestHandler, code: str) -> None:
    send(request, 404, b"", {"X-Error-Code": code, "X-Error-Message": code})


class Registry(_Server):
    """A registry with one repository.

    Args:
        layers: (media type, annotations, content) of each layer.
        config: the artefact's config.
        repository: its name.
        token: what a request has to carry; it is given to whoever asks, or, with ``login``, only to who has that.
        login: the Basic credentials that the token costs.
    """

    def __init__(
        self,
        layers: list[tuple[str, dict[str, str], bytes]],
        config: bytes = b"{}",
        repository: str = "org/model",
        *,
        token: str = "",
        login: str = "",
    ) -> None:
        super().__init__("registry")
        self.repository, self.token, self.login = repository, token, login
        self.blobs: dict[str, bytes] = {}
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._blob("application/vnd.example.config.v1+json", config),
            "layers": [{**self._blob(kind, data), "annotations": notes} for kind, notes, data in layers],
        }
        self.manifests: dict[str, bytes] = {}
        self.digest = self.put("latest", manifest)

    def put(self, tag: str, manifest: dict[str, Any]) -> str:
        """Store a manifest or an index; its digest."""
        data = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.manifests[tag] = self.manifests[digest] = data
        return digest

    def _blob(self, kind: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, request: BaseHTTPRequestHandler, fault: Fault | None) -> None:
        path = urlsplit(request.path).path
        given = request.headers.get("Authorization", "")
        if path == "/token":
            if self.login and given != self.login:
                send(request, 401, b"", {})
            else:
                send(request, 200, json.dumps({"token": self.token}).encode(), {"Content-Type": "application/json"})
            return
        if self.token and given != f"Bearer {self.token}":
            send(
                request, 401, b"", {"WWW-Authenticate": f'Bearer realm="{self.url}/token",service="{quote(self.host)}"'}
            )
            return
        base = f"/v2/{self.repository}"
        if path.startswith(f"{base}/manifests/") and path.rsplit("/", 1)[1] in self.manifests:
            data = self.manifests[path.rsplit("/", 1)[1]]
            kind = _LIST if b'"manifests"' in data else _MANIFEST
            send(request, 200, data, {"Content-Type": kind})
        elif path.startswith(f"{base}/blobs/") and path.rsplit("/", 1)[1] in self.blobs:
            send_file(request, self.blobs[path.rsplit("/", 1)[1]], '"blob"', fault)
        else:
            send(request, 404, b"", {})
