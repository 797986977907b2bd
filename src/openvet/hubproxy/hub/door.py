"""What clients of a hub ask, answered from a gate: one ASGI application for every route that a hub has and clients use.

Source: ``huggingface_hub`` 0.36.2, 1.33.0, 2.4.0 and ``@huggingface/hub`` 2.17.5, read and logged; ``docs/guide/hub.md`` says it for people.
No answer redirects, and none names Xet: either would lead a client past the gate.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlencode

from starlette.types import Receive, Scope, Send

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ChangedError, OpenVetError, UsageError
from openvet.gate.answers import Asking, Gate, Ready, Refusal, RefusedError, Repository, Waiting
from openvet.hubproxy.hub import listing
from openvet.hubproxy.hub.file import Opened, open_ready, plan, read_headers, send_file
from openvet.hubproxy.hub.refusal import PLAIN, Headers, error_answer, refusal_answer
from openvet.hubproxy.hub.target import BadTargetError, Target, read_target
from openvet.hubproxy.seen import Seen

__all__ = ["HubDoor"]

_T = TypeVar("_T")
_Answer = tuple[int, Headers, bytes]

#: Seconds for which a request for a file is held while a vetting runs: clients wait 10 for an answer.
HOLD: Final = 8.0
#: Seconds between two questions to the gate for one file, however many wait for it.
POLL: Final = 0.2
#: Seconds that a client is asked to wait at most before its next try, of which it has five.
PAUSE: Final = 30
_PAGE: Final = 1000
_LARGEST_BODY: Final = 1 << 20
_BODY_SECONDS: Final = 15.0
_LONGEST_TOKEN: Final = 1000
_HOST: Final = pattern(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_NO_UPLOADS: Final = "Nothing is uploaded here: this server is a gate through which models are pulled. Upload to the hub itself, without HF_ENDPOINT."
_NO_GIT: Final = "git does not pass this gate: what it fetches cannot be vetted first. Use `hf download` with HF_ENDPOINT set to this server."
_NOBODY: Final = "No token was sent, so nobody knows who asks: set HF_TOKEN to a token of this server."
_log = logging.getLogger("openvet.server")


class HubDoor:
    """The application.

    Args:
        gate: gives the answers.
        executor: runs the gate's calls, which block.
        base: where clients reach us, such as ``https://models.example``; '' takes it from each request.
        hold: seconds for which a file is waited for.
        handed: a folder, and the prefix under which a reverse proxy has it: files in it are left to the proxy (``X-Accel-Redirect``).
    """

    def __init__(
        self,
        gate: Gate,
        executor: Executor,
        *,
        base: str = "",
        hold: float = HOLD,
        handed: tuple[str, str] | None = None,
    ) -> None:
        self._gate = gate
        self._executor = executor
        self._base = base.rstrip("/")
        self._hold = hold
        self._handed = handed
        self._polls: dict[tuple[object, ...], tuple[float, asyncio.Task[Ready | Waiting]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive, send)
        except RefusedError as refused:
            Seen.of(scope).outcome = refused.why.value
            answer = refusal_answer(refused, self._at(scope))
        except BadTargetError as error:
            answer = error_answer(400, f"{error}.")
        except UsageError as error:
            answer = error_answer(404, f"There is no such repository: {error}.", code="RepoNotFound")
        if answer is not None:
            await _send(send, answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> _Answer | None:
        method, raw = scope["method"], scope["raw_path"]
        if method not in {"GET", "HEAD"} and not (method == "POST" and b"/paths-info/" in raw):
            await _drained(receive)
            return error_answer(403, _NO_UPLOADS, more=[(b"connection", b"close")])
        if raw.endswith((b"/info/refs", b"/HEAD")) or b"/info/lfs/" in raw:
            return _git()
        if (
            raw == b"/api/agent-harnesses"
        ):  # asked once a day, and again and again where it fails; this is the empty list
            return _found(b'{"standardEnvVars": [], "harnesses": {}}')
        if raw == b"/api/whoami-v2":
            return await self._whoami(asking_of(scope))
        target = read_target(raw)
        seen = Seen.of(scope)
        if not target.what or target.what == "commits" or (target.what == "paths-info") != (method == "POST"):
            return _unknown(target)
        asking = asking_of(scope)
        if target.what == "list":
            return await self._list(target, scope, asking)
        repository = target.repository
        seen.repository = str(repository)
        if target.what == "file":
            return await self._file(repository, target, asking, scope, receive, send)
        return await self._about(repository, target, asking, scope, receive)

    async def _whoami(self, asking: Asking) -> _Answer:
        name = await self._ask(lambda: self._gate.name_of(asking))
        if not name:
            return error_answer(401, _NOBODY)
        about = {
            "type": "user",
            "id": name,
            "name": name,
            "fullname": name,
            "orgs": [],
            "auth": {"type": "access_token"},
        }
        return _found(_json(about))

    # --- the API: answered at once, also while a vetting runs ---

    async def _list(self, target: Target, scope: Scope, asking: Asking) -> _Answer:
        query = _query(scope)
        limit = _number(query.get("limit"), 100, _PAGE)
        search, after = query.get("search", query.get("author", ""))[:200], query.get("cursor", "")[:200]

        def found() -> tuple[bytes, str]:
            some = self._gate.admitted(target.kind, search, after, limit, asking)
            return _json([listing.summary(each) for each in some]), some[-1].repository.name if len(
                some
            ) == limit else ""

        body, last = await self._ask(found)
        more: Headers = []
        if last:
            more = [_next(f"{self._at(scope)}/api/{target.kind}s", {**query, "limit": str(limit), "cursor": last})]
        return _found(body, more)

    async def _about(
        self, repository: Repository, target: Target, asking: Asking, scope: Scope, receive: Receive
    ) -> _Answer:
        query = _query(scope)
        paths = await _paths(scope, receive) if target.what == "paths-info" else []
        start, limit = _number(query.get("cursor"), 0, 1 << 40), _number(query.get("limit"), _PAGE, _PAGE) or _PAGE

        def told() -> tuple[bytes, str, bool]:
            listed = self._gate.listed(repository, target.revision, asking)
            value: Any
            more = False
            if target.what == "info":
                value = listing.info(listed, blobs=_is_true(query.get("blobs")))
            elif target.what == "refs":
                value = listing.refs(listed)
            elif target.what == "paths-info":
                value = listing.paths_info(listed, paths)
            elif target.what == "tree":
                whole = listing.tree(listed, target.path, recursive=_is_true(query.get("recursive")))
                if whole is None:
                    raise RefusedError(
                        Refusal.NO_FILE, f"There is no folder {target.path} in {repository}.", commit=listed.commit
                    )
                value, more = whole[start : start + limit], len(whole) > start + limit
            else:
                value = {}
            return _json(value), listed.commit, more

        body, commit, more = await self._ask(told)
        headers: Headers = [(b"x-repo-commit", commit.encode("ascii"))]
        if more:  # of the commit, so that a branch that moves does not mix two listings
            path = f"/{quote(target.path, safe='')}" if target.path else ""
            url = f"{self._at(scope)}/api/{target.kind}s/{repository.name}/tree/{commit}{path}"
            headers.append(_next(url, {**query, "limit": str(limit), "cursor": str(start + limit)}))
        Seen.of(scope).commit = commit
        return _found(body, headers)

    # --- files: held while a vetting runs ---

    async def _file(
        self, repository: Repository, target: Target, asking: Asking, scope: Scope, receive: Receive, send: Send
    ) -> _Answer | None:
        head, seen = scope["method"] == "HEAD", Seen.of(scope)
        unopened = head or self._handed is not None

        def asked() -> tuple[Ready | Waiting, Opened | None]:
            answer = self._gate.file(repository, target.revision, target.path, asking)
            return answer, None if unopened or isinstance(answer, Waiting) else open_ready(answer)

        answer, opened = await self._ask(asked)
        if isinstance(answer, Waiting):
            waited = await self._wait(repository, target, asking, receive)
            if waited is None:
                seen.outcome = "gone"
                return None
            if isinstance(waited, Waiting):
                if waited.late is not None:
                    raise waited.late
                seen.outcome, seen.commit = "waiting", waited.commit
                return _waiting(repository, waited)
            answer = waited
            opened = None if unopened else await self._ask(lambda: open_ready(waited))
        seen.outcome, seen.commit = "ready", answer.commit
        try:
            planned = plan(read_headers(scope["headers"]), answer.file, answer.commit, head=head)
            if head or planned.status not in {200, 206}:
                return (
                    planned.status,
                    planned.headers,
                    b"".join(each for each in planned.parts if isinstance(each, bytes)),
                )
            if opened is None:
                await self._remember(answer, asking, planned.length)
                return 200, self._to_proxy(planned.headers, answer), b""
            sent = await send_file(
                planned, opened, receive, send, self._executor, abort=scope.get("state", {}).get("abort")
            )
        finally:
            if opened is not None:
                opened.close()
        await self._remember(answer, asking, sent)
        return None

    def _to_proxy(self, headers: Headers, ready: Ready) -> Headers:
        """An answer whose bytes, and ranges of them, a reverse proxy sends in our place."""
        folder, prefix = self._handed or ("", "")
        name = os.path.relpath(ready.path, folder)
        if name.startswith(".."):
            raise ChangedError(f"{ready.sha256} does not lie in the folder that the proxy has")
        kept = [each for each in headers if each[0] not in {b"content-length", b"content-range", b"content-type"}]
        plain: Headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"0")]
        return [*kept, *plain, (b"x-accel-redirect", quote(f"{prefix}/{name}").encode("ascii"))]

    async def _wait(
        self, repository: Repository, target: Target, asking: Asking, receive: Receive
    ) -> Ready | Waiting | None:
        """What the gate says until it is no more "wait" or the time is over; ``None`` where the client has gone."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._hold
        gone = asyncio.ensure_future(_gone(receive))
        try:
            while True:
                await asyncio.wait([gone], timeout=max(min(POLL, until - loop.time()), 0))
                if gone.done():
                    return None
                answer = await self._poll(repository, target, asking)
                if isinstance(answer, Ready) or loop.time() >= until:
                    return answer
        finally:
            gone.cancel()

    async def _poll(self, repository: Repository, target: Target, asking: Asking) -> Ready | Waiting:
        """The gate's answer, at most ``POLL`` seconds old: a thousand that wait for one file ask as often as one."""
        now = asyncio.get_running_loop().time()
        for known in [each for each, (at, _) in self._polls.items() if now - at >= POLL]:
            del self._polls[known]
        key = (repository, target.revision, target.path, asking.token, asking.agent)
        if key not in self._polls:
            question = self._ask(lambda: self._gate.file(repository, target.revision, target.path, asking))
            task = asyncio.ensure_future(question)
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._polls[key] = now, task
        return await asyncio.shield(self._polls[key][1])

    async def _remember(self, ready: Ready, asking: Asking, sent: int) -> None:
        """The pull is remembered after the bytes went out; that it cannot be takes them from nobody."""
        try:
            await self._ask(lambda: self._gate.pulled(ready, asking, sent))
        except (OpenVetError, RefusedError, OSError):
            _log.exception("a pull could not be remembered")

    # --- small things ---

    async def _ask(self, question: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, question)

    def _at(self, scope: Scope) -> str:
        """Where the client reaches us."""
        if self._base:
            return self._base
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if not _HOST.fullmatch(host):
            server = scope.get("server") or ("localhost", None)
            host = f"{server[0]}:{server[1]}" if server[1] else str(server[0])
        return f"{scope['scheme']}://{host}"


def asking_of(scope: Scope) -> Asking:
    """Who asks, as far as the connection tells."""
    sent = {
        name: value.decode("latin-1") for name, value in scope["headers"] if name in {b"user-agent", b"authorization"}
    }
    scheme, _, token = sent.get(b"authorization", "").strip().partition(" ")
    client = scope.get("client")
    return Asking(
        agent=printable(sent.get(b"user-agent", "")[:1000])[:1000],
        address=client[0] if client else "",
        token=token.strip()[:_LONGEST_TOKEN] if scheme.lower() == "bearer" else "",
    )


def _git() -> _Answer:
    body = _NO_GIT.encode()
    length = str(len(body)).encode()
    return 403, [*PLAIN, (b"content-type", b"text/plain"), (b"content-length", length)], body  # what git shows


def _unknown(target: Target) -> _Answer:
    if target.what == "commits":
        return error_answer(
            404, "The history of a repository is not kept here; only its revisions are.", code="EntryNotFound"
        )
    return error_answer(404, "There is no such route here. What this gate answers is in its guide, docs/guide/hub.md.")


def _waiting(repository: Repository, waiting: Waiting) -> _Answer:
    seconds = max(1, min(waiting.seconds, PAUSE))
    reason = f"{repository} is being vetted, for about {waiting.seconds} more seconds; ask again."
    return error_answer(503, reason, commit=waiting.commit, more=[(b"retry-after", str(seconds).encode())])


def _found(body: bytes, more: Headers | None = None) -> _Answer:
    length = str(len(body)).encode()
    return 200, [*PLAIN, (b"content-type", b"application/json"), (b"content-length", length), *(more or [])], body


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _next(url: str, query: dict[str, str]) -> tuple[bytes, bytes]:
    return b"link", f'<{url}?{urlencode(query)}>; rel="next"'.encode("ascii")


def _query(scope: Scope) -> dict[str, str]:
    """The query, the first value of each name; what makes no sense in it is left out."""
    try:
        found = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=100, errors="replace")
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in {"true", "1"}


def _number(value: str | None, default: int, most: int) -> int:
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 15:
        return default
    return min(int(value), most)


async def _paths(scope: Scope, receive: Receive) -> list[str]:
    """The paths in the body of a question, as a form or as JSON."""
    body = await _body(receive)
    kind = (
        next((value for name, value in scope["headers"] if name == b"content-type"), b"").split(b";")[0].strip().lower()
    )
    try:
        if kind == b"application/json":
            value = json.loads(body)
            paths = value.get("paths") if isinstance(value, dict) else None
        else:
            paths = parse_qs(body.decode("utf-8"), max_num_fields=10_000, strict_parsing=bool(body)).get("paths", [])
    except (ValueError, RecursionError):
        raise BadTargetError("the body is neither a form nor JSON") from None
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list) or any(not isinstance(each, str) for each in paths):
        raise BadTargetError("the body names no paths")
    return paths


async def _body(receive: Receive) -> bytes:
    out = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                out += message.get("body", b"")
                if len(out) > _LARGEST_BODY:
                    raise BadTargetError(f"the body has more than {_LARGEST_BODY} bytes")
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return bytes(out)
    except TimeoutError:
        raise BadTargetError(f"the body did not come within {_BODY_SECONDS:.0f} seconds") from None


async def _drained(receive: Receive) -> None:
    """Take a small body, so that the client reads our answer; of a large one no more than this."""
    try:
        async with asyncio.timeout(1.0):
            taken, more = 0, True
            while more and taken < _LARGEST_BODY:
                message = await receive()
                taken += len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
    except TimeoutError:
        pass


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, answer: _Answer) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
