"""What is counted of a model that is served, for Prometheus. Nothing here holds a prompt, an answer or an address."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from openvet.gateway.keeper import Keeper
from openvet.listening.prometheus import family
from openvet.version import VERSION

__all__ = ["Metrics"]

_SECONDS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class Metrics:
    """Counts requests; used by many threads."""

    def __init__(self, keeper: Keeper, resident: int = 0) -> None:
        self._keeper = keeper
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, int], int] = {}
        self._refused: dict[str, int] = {}
        self._tokens = {"prompt": 0, "completion": 0}
        self._times: dict[tuple[str, str], tuple[list[int], float]] = {}
        self._gone = 0
        #: Bytes that were resident in the model's process at most, when it was last asked.
        self.resident = resident

    def request(self, route: str, status: int, seconds: float, code: str = "") -> None:
        """A request is over; ``code`` says why it was refused."""
        with self._lock:
            self._requests[route, status] = self._requests.get((route, status), 0) + 1
            if code:
                self._refused[code] = self._refused.get(code, 0) + 1
        self.time("request", route, seconds)

    def time(self, what: str, route: str, seconds: float) -> None:
        """How long something took."""
        with self._lock:
            counts, total = self._times.get((what, route), ([0] * (len(_SECONDS) + 1), 0.0))
            counts[bisect_left(_SECONDS, seconds)] += 1
            self._times[what, route] = (counts, total + seconds)

    def tokens(self, prompt: int, completion: int) -> None:
        """Tokens that were read and written."""
        with self._lock:
            self._tokens["prompt"] += prompt
            self._tokens["completion"] += completion

    def gone(self) -> None:
        """A client went away before its answer was complete."""
        with self._lock:
            self._gone += 1

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        keeper = self._keeper
        with self._lock:
            lines = [*family("openvet_build_info", "gauge", "The version that runs.", {(("version", VERSION),): 1})]
            requests = {(("route", a), ("status", str(b))): count for (a, b), count in self._requests.items()}
            lines += family(
                "openvet_run_requests_total", "counter", "Requests that were answered or refused.", requests
            )
            refused = {(("code", each),): count for each, count in self._refused.items()}
            lines += family("openvet_run_refused_total", "counter", "Requests that were refused, by why.", refused)
            tokens = {(("kind", each),): count for each, count in self._tokens.items()}
            lines += family("openvet_run_tokens_total", "counter", "Tokens that were read and written.", tokens)
            lines += family(
                "openvet_run_clients_gone_total", "counter", "Clients that went away before the end.", {(): self._gone}
            )
            lines += self._histogram("request", "Until an answer was complete.")
            lines += self._histogram("first_part", "Until the first part of an answer that is streamed.")
        lines += family("openvet_run_waiting", "gauge", "Requests that wait.", {(): keeper.waiting})
        lines += family("openvet_run_busy", "gauge", "Requests that are being answered.", {(): int(keeper.busy)})
        lines += family(
            "openvet_run_ready", "gauge", "Whether the model's process is there.", {(): int(keeper.state == "ready")}
        )
        lines += family(
            "openvet_run_restarts_total",
            "counter",
            "Starts of the model's process after its first.",
            {(): keeper.restarts},
        )
        lines += family(
            "openvet_run_resident_peak_bytes",
            "gauge",
            "Memory of the model's process at most, when it was last idle.",
            {(): self.resident},
        )
        return "\n".join(lines) + "\n"

    def _histogram(self, what: str, said: str) -> Iterator[str]:
        name = f"openvet_run_{what}_seconds"
        yield f"# HELP {name} {said}"
        yield f"# TYPE {name} histogram"
        for (of, route), (counts, seconds) in sorted(self._times.items()):
            if of != what:
                continue
            total = 0
            for edge, count in zip((*map(str, _SECONDS), "+Inf"), counts, strict=True):
                total += count
                yield f'{name}_bucket{{route="{route}",le="{edge}"}} {total}'
            yield f'{name}_sum{{route="{route}"}} {seconds:.6f}'
            yield f'{name}_count{{route="{route}"}} {total}'
