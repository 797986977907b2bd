"""Webhooks: what happens here is told to other systems, signed, at least once, and in the transaction in which it happens.

The form is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com): ``webhook-id`` is the same however often a message comes, and
``webhook-signature`` is ``v1,`` and the HMAC-SHA256 of id, time and body in base64.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from openvet.core.text import printable
from openvet.errors import UnreachableError
from openvet.evidence.predicates.fields import timestamp
from openvet.gate.policy import moment_of
from openvet.gate.settings import HOUR, SECOND, Hook
from openvet.gate.worker import Clock, Effects, Keeper
from openvet.io.http import Client
from openvet.store.database import Connection
from openvet.store.decisions import decisions_of
from openvet.store.jobs import Job, add_job, give_up_job
from openvet.store.requests import find_request
from openvet.store.revisions import revision_by_id

__all__ = ["EVENTS", "HOOK", "Caller", "announce_decision", "announce_request", "signature"]

HOOK: Final = "hook"
#: What is told: a decision of policy or people was made, and a request changed.
EVENTS: Final = (
    "decision.made",
    "request.blocked",
    "request.asked",
    "request.approved",
    "request.declined",
    "request.withdrawn",
)
#: How long after an attempt the next one is made, as Standard Webhooks recommends; three days and some hours in all.
_AGAIN: Final = (5 * SECOND, 300 * SECOND, 1800 * SECOND, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)))
_TIMEOUT: Final = 15.0
_ANSWER: Final = 64 * 1024
_GONE: Final = 410
_LOG: Final = logging.getLogger(__name__)


def announce_decision(connection: Connection, hooks: Sequence[Hook], revision: int, number: int, now: int) -> None:
    """Tell of a decision that was written down on this connection; it is told once that is committed."""
    if not any("decision.made" in each.events for each in hooks):
        return
    row = revision_by_id(connection, revision)
    found = next(each for each in decisions_of(connection, revision) if each.id == number)
    data = {
        "decision": number, "model": {"kind": row.kind, "name": row.name, "commit": row.commit}, "scope": found.scope, "kind": found.kind,
        "outcome": found.outcome, "reason": found.reason, "by": found.by, "project": found.project, "until": _time(found.until),
    }  # fmt: skip
    _announce(connection, hooks, "decision.made", data, now)


def announce_request(connection: Connection, hooks: Sequence[Hook], number: int, event: str, now: int) -> None:
    """Tell what became of a request on this connection, as :func:`announce_decision`."""
    if not any(event in each.events for each in hooks):
        return
    found = find_request(connection, number)
    if found is None:
        return
    data = {
        "request": number, "model": {"kind": found.kind, "name": found.name, "commit": found.commit}, "project": found.project,
        "by": found.asker or None, "state": found.state, "purpose": found.purpose, "environment": found.environment, "until": _time(found.until),
        "decision": found.decision, "page": f"/openvet/requests/{number}",
    }  # fmt: skip
    _announce(connection, hooks, event, data, now)


def _announce(connection: Connection, hooks: Sequence[Hook], event: str, data: Mapping[str, Any], now: int) -> None:
    number = f"msg_{secrets.token_urlsafe(18)}"
    body = json.dumps({"type": event, "timestamp": _time(now), "data": data}, ensure_ascii=True)
    for each in hooks:
        if event in each.events:
            payload = {"hook": each.id, "id": number, "body": body, "tried": 0}
            add_job(connection, HOOK, f"hook:{each.id}:{number}:0", payload, now)


def signature(secret: bytes, number: str, at: int, body: bytes) -> str:
    """What is sent as ``webhook-signature``.

    Args:
        secret: that of the receiver, 24 to 64 bytes.
        number: of the message.
        at: seconds since 1970.
    """
    signed = hmac.digest(secret, f"{number}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


class Caller:
    """Sends messages. Its :meth:`deliver` is a :data:`openvet.gate.worker.Handler`."""

    def __init__(self, hooks: Sequence[Hook], clock: Clock) -> None:
        self._hooks = {each.id: each for each in hooks}
        self._clock = clock
        self._client = Client(timeout=_TIMEOUT, tries=1)

    def deliver(self, job: Job, keeper: Keeper) -> Effects:
        """Send one message once. Where it was not taken, the next attempt is a job of its own; after the last it is given up, and that is logged."""
        hook, number, tried = self._hooks.get(job.payload["hook"]), job.payload["id"], int(job.payload["tried"])
        if hook is None:
            return lambda _: None  # it is not called any more
        keeper.check()
        why = self._send(hook, number, job.payload["body"].encode())
        if not why:
            return lambda _: None
        last = tried >= len(_AGAIN) or why.startswith(str(_GONE))
        when = "it is given up" if last else f"tried again in {_AGAIN[tried] // SECOND} s"
        _LOG.warning("the webhook %s did not take %s: %s; %s", printable(hook.url)[:200], number, why, when)

        def write(connection: Connection) -> None:
            now = self._clock()
            if last:
                give_up_job(connection, job, why, now)
                return
            again = {**job.payload, "tried": tried + 1}
            add_job(connection, HOOK, f"hook:{hook.id}:{number}:{tried + 1}", again, now, delay=_AGAIN[tried])

        return write

    def _send(self, hook: Hook, number: str, body: bytes) -> str:
        """Why it was not taken; '' where it was."""
        at = self._clock() // SECOND
        headers = {
            "Content-Type": "application/json", "webhook-id": number, "webhook-timestamp": str(at),
            "webhook-signature": signature(hook.secret, number, at, body),
        }  # fmt: skip
        try:
            _, reply = self._client.send("POST", hook.url, body, limit=_ANSWER, headers=headers)
        except UnreachableError as error:
            return printable(str(error))[:300]
        return "" if 200 <= reply.status < 300 else f"{reply.status}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _time(at: int | None) -> str | None:
    return None if at is None else timestamp(moment_of(at))
