"""For whoever runs the server: whether it lives (``/healthz``), whether it can do its work (``/readyz``), and how much of it (``/metrics``).

The paths are those that Kubernetes and Prometheus use everywhere; no client of a hub asks for them. Nothing here names a model or a person.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from openvet.evidence.log.disk import StorageError
from openvet.gate.gate import OpenGate
from openvet.hubproxy.seen import Seen
from openvet.listening.prometheus import FORMAT, family
from openvet.store.database import Database
from openvet.store.measures import Measures, measure
from openvet.store.workers import living_workers
from openvet.version import VERSION

__all__ = ["LEAST_FREE", "Metrics", "operating_routes", "problems"]

#: Bytes that have to be free on the disk of the store: with fewer the next model does not fit.
LEAST_FREE: Final = 512 * 1024 * 1024
_SECONDS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_PLAIN: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def operating_routes(gate: OpenGate, folder: str, metrics: Metrics, readers: Sequence[str]) -> list[BaseRoute]:
    """The routes.

    Args:
        gate: what has to be ready.
        folder: that it keeps everything in.
        metrics: what was counted of requests.
        readers: addresses and networks from which ``/metrics`` may be read.
    """
    networks = [ipaddress.ip_network(each, strict=False) for each in readers]

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_PLAIN)

    async def ready(_: Request) -> Response:
        found = await run_in_threadpool(problems, gate, folder)
        return JSONResponse(
            {"status": "not ready" if found else "ready", "problems": found}, 503 if found else 200, headers=_PLAIN
        )

    async def show(request: Request) -> Response:
        if not _within(request.client.host if request.client else "", networks):
            text = 'Nobody reads metrics from this address: [server] metrics = ["ADDRESS or NETWORK"] in serve.toml names who may.\n'
            return PlainTextResponse(text, 403, headers=_PLAIN)
        try:
            found = await run_in_threadpool(_measured, gate.database, gate.clock)
        except StorageError:
            found = None  # what was counted here is told all the same
        return Response(metrics.text(found, gate.upstream_failures), headers={**_PLAIN, "Content-Type": FORMAT})

    shown = (("/healthz", health), ("/readyz", ready), ("/metrics", show))
    return [Route(path, each, methods=["GET"]) for path, each in shown]


def problems(gate: OpenGate, folder: str) -> dict[str, str]:
    """What keeps a gate from doing its work, by where; each says what to do. None where it can."""
    found = {}
    try:
        with gate.database.reading() as connection:
            workers, _ = living_workers(connection, gate.clock())
        if not workers and not gate.vets:
            found["workers"] = (
                "none gives a sign of life; start one with openvet server worker. What is vetted already is served"
            )
    except StorageError:
        found["database"] = "does not answer; the log of the server says why"
    try:
        with tempfile.TemporaryFile(dir=folder):
            room = os.statvfs(folder)
        if room.f_bavail * room.f_frsize < LEAST_FREE:
            found["disk"] = f"has less than {LEAST_FREE >> 20} MiB free; models cannot be fetched for long"
    except OSError as error:
        found["disk"] = f"cannot be written to: {error.strerror}"
    if not gate.working:
        found["worker"] = "has ended; start the server again"
    return found


def _measured(database: Database, clock: Callable[[], int]) -> Measures:
    with database.reading() as connection:
        return measure(connection, clock())


def _within(host: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in each for each in networks)


class Metrics:
    """Counts requests; used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = {}
        self._outcomes: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._times: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def take(self, seen: Seen) -> None:
        """Count a request that is over."""
        what, seconds = _class_of(seen.path), seen.milliseconds / 1000
        key = (what, seen.method if seen.method in _METHODS else "other", seen.status)
        with self._lock:
            self._requests[key] = self._requests.get(key, 0) + 1
            self._sent[what] = self._sent.get(what, 0) + seen.sent
            self._seconds[what] = self._seconds.get(what, 0.0) + seconds
            times = self._times.setdefault(what, [0] * (len(_SECONDS) + 1))
            times[bisect_left(_SECONDS, seconds)] += 1
            if seen.outcome:
                self._outcomes[seen.outcome] = self._outcomes.get(seen.outcome, 0) + 1

    def text(self, found: Measures | None, upstream: Mapping[str, int]) -> str:
        """Everything, as Prometheus reads it.

        Args:
            found: ``None`` where the database does not answer.
            upstream: how often an upstream failed, by what was asked of it.
        """
        with self._lock:
            lines = [*family("openvet_build_info", "gauge", "The version that runs.", {(("version", VERSION),): 1})]
            requests = {(("route", a), ("method", b), ("status", str(c))): n for (a, b, c), n in self._requests.items()}
            lines += family("openvet_requests_total", "counter", "Requests that were answered.", requests)
            outcomes = {(("outcome", each),): n for each, n in self._outcomes.items()}
            lines += family("openvet_pulls_total", "counter", "What became of requests of hub clients.", outcomes)
            sent = {(("route", each),): n for each, n in self._sent.items()}
            lines += family("openvet_sent_bytes_total", "counter", "Bytes of bodies that were sent.", sent)
            lines += self._histogram()
        failures = {(("asked", each),): n for each, n in upstream.items()}
        lines += family(
            "openvet_upstream_errors_total",
            "counter",
            "What an upstream was asked for and did not give, or not as it lists it.",
            failures,
        )
        return "\n".join([*lines, *(_stored(found) if found is not None else ())]) + "\n"

    def _histogram(self) -> Iterator[str]:
        name = "openvet_request_seconds"
        yield f"# HELP {name} Until an answer was complete, with its body."
        yield f"# TYPE {name} histogram"
        for what, counts in sorted(self._times.items()):
            total = 0
            for edge, count in zip((*map(str, _SECONDS), "+Inf"), counts, strict=True):
                total += count
                yield f'{name}_bucket{{route="{what}",le="{edge}"}} {total}'
            yield f'{name}_sum{{route="{what}"}} {self._seconds[what]:.6f}'
            yield f'{name}_count{{route="{what}"}} {total}'


def _stored(found: Measures) -> Iterator[str]:
    jobs = {(("kind", kind), ("state", state)): count for (kind, state), count in found.jobs.items()}
    yield from family("openvet_jobs", "gauge", "Jobs that are not done.", jobs)
    vettings = {(("stage", stage), ("state", state)): count for (stage, state), count in found.vettings.items()}
    yield from family(
        "openvet_vettings", "gauge", "Readings of revisions, of headers (ranges) or of all bytes.", vettings
    )
    oldest = {(("kind", kind),): age / 1000 for kind, age in found.oldest.items()}
    yield from family(
        "openvet_job_wait_seconds", "gauge", "How long the job that may begin has waited longest.", oldest
    )
    requests = {(("state", state),): count for state, count in found.requests.items()}
    yield from family("openvet_access_requests", "gauge", "Requests of people for models.", requests)
    decisions = {(("kind", kind), ("outcome", outcome)): count for (kind, outcome), count in found.decisions.items()}
    yield from family("openvet_decisions", "gauge", "Decisions that were made.", decisions)
    yield from family(
        "openvet_stopped_pulls", "gauge", "Pulls that were stopped, as requests count them.", {(): found.stopped}
    )
    yield from family("openvet_workers", "gauge", "Processes that vet.", {(): found.workers})
    yield from family("openvet_worker_vettings", "gauge", "Vettings that they do at a time.", {(): found.threads})
    yield from family("openvet_stored_files", "gauge", "Files in the store.", {(): found.files})
    yield from family("openvet_stored_bytes", "gauge", "Bytes in the store.", {(): found.bytes})


def _class_of(path: str) -> str:
    """What a path is about; never which model."""
    if path in {"/healthz", "/readyz", "/metrics"}:
        return "operating"
    if path.startswith("/openvet/v1/"):
        return "api"
    if path == "/openvet" or path.startswith("/openvet/"):
        return "pages"
    if "/resolve/" in path or "/raw/" in path:
        return "files"
    return "hub" if path.startswith("/api/") else "other"
