"""The timeline of a revision on its page: what happened, in words, with what leads to what is signed about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.gate.timeline import KINDS, Event
from openvet.hubproxy.web.call import Call

__all__ = ["KIND_WORDS", "timeline_of"]

_PAGE: Final = 50
_NAMED: Final = 12
#: A kind, for people.
KIND_WORDS: Final = {
    "listed": "Listed", "vetting": "Vetting", "advisory": "Advisories", "policy": "Policy", "request": "Request", "approval": "Approval",
    "exception": "Exception", "revocation": "Revocation", "end": "Ended", "pull": "Pull", "log": "Log",
}  # fmt: skip
_VERDICTS: Final = {
    "admit": "good",
    "review": "open",
    "reject": "bad",
    "upstream": "bad",
    "failed": "bad",
    "running": "open",
}
#: What is said of an event; ``{}`` is who it was.
_SAID: Final = {
    "listed": "seen here first",
    "seen-as": "seen as a branch or tag first",
    "hits": "hit it from now on",
    "gone": "hit it no more",
    "admit": "admits",
    "review": "wants a review",
    "reject": "rejects",
    "upstream": "got other bytes than were listed",
    "ended": "the approval ended by its day",
    "first": "the first of {}",
    "last": "the last of {}",
    "published": "what was decided until then is in the dossier and the log",
    "asks": "{} asks for it",
    "blocked": "{} was stopped",
    "blocked-and-asks": "{} was stopped, and asks for it",
    "withdraws": "{} takes the request back",
    "approves": "{} approves",
    "declines": "{} declines",
    "recommends": "{} recommends it",
    "advises-against": "{} advises against it",
    "comments": "{} says",
    "running": "under way",
    "failed": "failed",
    "done": "ended",
}
_STYLES: Final = {"approval": "good", "exception": "open", "revocation": "bad", "end": "open", "request": "open"}
#: What a vetting comes to is a noun, what policy does a verb.
_CAME: Final = {"admit": "came to admit", "review": "came to a review", "reject": "came to reject"}


@dataclass(frozen=True, slots=True)
class Line:
    """An event as it is shown: the word and colour of its kind, what is said of it, its text, and its time as a machine reads it."""

    event: Event
    word: str
    style: str
    said: str
    text: str
    time: str


def timeline_of(call: Call, revision: int) -> dict[str, Any]:
    """What the page shows of the timeline of a revision: filters are ``kind`` (several) and ``by`` of the query, ``before`` goes on behind a line."""
    kinds = [each for each in dict.fromkeys(call.query.all("kind")) if each in KINDS]
    by, before = call.query.text("by").strip()[:200], call.query.text("before")[:60]
    found = call.desk.catalogue.timeline.of(call.who, revision, kinds=kinds, by=by, after=before, limit=_PAGE + 1)
    return {
        "events": [_line(each) for each in found[:_PAGE]], "kinds": KIND_WORDS, "chosen": kinds, "by": by, "before": before,
        "more": found[_PAGE - 1].cursor if len(found) > _PAGE else "",
    }  # fmt: skip


def _text(event: Event) -> str:
    """What it was about; of many advisories the first, since the API has all of them."""
    names = event.text.split(", ") if event.kind == "advisory" else []
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more" if len(names) > _NAMED else event.text


def _line(event: Event) -> Line:
    who = event.by or "somebody whom nobody knows"
    said = (
        _CAME.get(event.what, "")
        if event.kind == "vetting"
        else f"by {who}"
        if event.kind in {"approval", "exception", "revocation"}
        else ""
    )
    said = said or _SAID.get(event.what, event.what).format(who)
    style = _STYLES.get(event.kind, "calm")
    if event.kind in {"policy", "vetting"}:
        style = _VERDICTS.get(event.what, "open")
    elif event.kind == "advisory":
        style = "bad" if event.what == "hits" else "good"
    time = datetime.fromtimestamp(event.at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Line(event, KIND_WORDS[event.kind], style, said, _text(event), time)
