"""Requests: who wants what and what for, what others say about it, and the decision."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from starlette.responses import Response

from openvet.errors import UsageError
from openvet.gate.catalogue import Shown as Revision
from openvet.gate.identity import Identity, NotAllowedError, NotThereError
from openvet.gate.requests import Shown
from openvet.gate.roles import Right
from openvet.hubproxy.web.call import Call, NoPageError, number_of
from openvet.store import people as people_rows

__all__ = [
    "SOON",
    "approve",
    "ask",
    "ask_of_revision",
    "comment",
    "day_until",
    "decide_many",
    "decline",
    "show",
    "show_list",
    "withdraw",
]

PAGE: Final = 50
#: Days before its end in which an approval is shown as one to be looked at anew.
SOON: Final = 30
#: What a filter shows: its word, and the states.
SHOWN: Final = {
    "open": ("Open", ("blocked", "asked")),
    "asked": ("Asked for", ("asked",)),
    "blocked": ("Blocked, not asked for", ("blocked",)),
    "approved": ("Approved", ("approved",)),
    "ending": ("Approved, and ends within 30 days", ("approved",)),
    "declined": ("Declined", ("declined",)),
    "withdrawn": ("Withdrawn", ("withdrawn",)),
    "all": ("All", ()),
}
#: A state in a word, and its colour.
STATES: Final = {
    "blocked": ("Blocked", "open"),
    "asked": ("Asked for", "open"),
    "approved": ("Approved", "good"),
    "declined": ("Declined", "bad"),
    "withdrawn": ("Withdrawn", "calm"),
}
_SAYS: Final = {
    "approve": "approves",
    "decline": "declines",
    "for": "recommends it",
    "against": "advises against it",
    "comment": "says",
}
_DONE: Final = {
    "asked": "You asked for it. Whoever may decide sees it now.",
    "approved": "Approved: it may be pulled in this project, and in those below it, as soon as its bytes are here.",
    "counted": "Your approval counts. It takes more people, who have to approve it too.",
    "declined": "Declined.",
    "withdrawn": "Withdrawn.",
    "said": "Your words stand below.",
    "many": "Done.",
}
_DECISIONS: Final = ("approve", "decline")


def show_list(call: Call, problem: str = "", refused: list[str] | None = None) -> Response:
    """The requests that somebody may see, the newest first."""
    who, sent = call.who, call.query
    state = sent.text("state", "open")
    states = SHOWN.get(state, SHOWN["open"])[1]
    search = sent.text("search").strip()[:200]
    before = number_of(sent.text("before"))
    ending = SOON if state == "ending" else None
    found = call.desk.requests.listed(who, states=states, search=search, ending=ending, before=before, limit=PAGE + 1)
    decides = any(_decides(who, each.project) and each.state in {"blocked", "asked"} for each in found[:PAGE])
    return call.show(
        "requests.html", problem=problem, refused=refused or [], found=found[:PAGE], more=found[PAGE - 1].id if len(found) > PAGE else None,
        shown=SHOWN, state=state if state in SHOWN else "open", search=search, before=before, states=STATES, decides=decides,
        may=lambda each: _decides(who, each.project) and each.state in {"blocked", "asked"}, latest=_latest(call),
        done=_DONE.get(sent.text("done"), ""), chosen=set(call.sent.all("request")),
    )  # fmt: skip


def decide_many(call: Call) -> Response:
    """Decide what was chosen, each for itself: one that is refused does not keep the others."""
    numbers = [found for each in call.sent.all("request") if (found := number_of(each)) is not None]
    decision = call.sent.text("decision")
    if not numbers:
        raise UsageError("choose at least one request")
    if decision not in _DECISIONS:
        raise UsageError("say whether to approve or to decline")
    reason, conditions = call.sent.text("reason"), call.sent.text("conditions")
    until = day_until(call.sent.text("until"))
    refused = []
    for number in dict.fromkeys(numbers):
        try:
            if decision == "approve":
                call.desk.requests.approve(call.who, number, reason, conditions=conditions, until=until)
            else:
                call.desk.requests.decline(call.who, number, reason)
        except (NotAllowedError, UsageError) as error:
            refused.append(f"Request {number}: {error}")
    if refused:
        told = "Nothing was decided." if len(refused) == len(set(numbers)) else "Not all of it was done."
        response = show_list(call, told, refused)
        response.status_code = 422
        return response
    return call.go("requests", done="many", **{name: call.query.text(name) for name in ("state", "search")})


def show(call: Call, problem: str = "") -> Response:
    """One request, and all that is known of what it asks for."""
    who = call.who
    found = _found(call)
    request = found.request
    revision = _revision(call, who, found)
    open_ = request.state in {"blocked", "asked"}
    own = request.person == who.person.id
    rules = call.desk.requests.rules
    return call.show(
        "request.html", problem=problem, request=request, voices=found.voices, exception=found.exception, needed=found.needed, missing=found.missing, by_packs=found.by_packs,
        states=STATES, says=_SAYS, revision=revision, done=_DONE.get(call.sent.text("done"), ""),
        decides=open_ and _decides(who, request.project) and (not own or rules.alone), declines=open_ and _decides(who, request.project),
        asks=open_ and (own or request.person is None) and Right.ASK in who.rights_in(request.project), withdraws=open_ and own, own=own,
        recommends=Right.RECOMMEND in who.rights_in(request.project), speaks=own or Right.RECOMMEND in who.rights_in(request.project),
        latest=_latest(call), today=_today(call),
    )  # fmt: skip


def ask(call: Call) -> Response:
    """Say what a blocked pull was for, and ask."""
    request = _found(call).request
    return _asked(call, request.revision, request.project)


def ask_of_revision(call: Call) -> Response:
    """Ask for a revision."""
    return _asked(call, call.number, call.sent.text("project"))


def _asked(call: Call, revision: int, project: str) -> Response:
    until = day_until(call.sent.text("until"))
    sent = call.sent
    with call.desk.database.reading() as connection:
        if project not in {each.path for each in people_rows.list_projects(connection)}:
            raise UsageError("say for which project")
    made = call.desk.requests.ask(
        call.who, revision, sent.text("purpose"), sent.text("environment"), project=project, until=until
    )
    return call.go(f"requests/{made.id}", done="asked")


def approve(call: Call) -> Response:
    """Approve."""
    until = day_until(call.sent.text("until"))
    done = call.desk.requests.approve(
        call.who, call.number, call.sent.text("reason"), conditions=call.sent.text("conditions"), until=until
    )
    return _on(call, "approved" if done.state == "approved" else "counted")


def decline(call: Call) -> Response:
    """Decline."""
    call.desk.requests.decline(call.who, call.number, call.sent.text("reason"))
    return _on(call, "declined")


def withdraw(call: Call) -> Response:
    """Take one's own request back."""
    call.desk.requests.withdraw(call.who, call.number)
    return _on(call, "withdrawn")


def comment(call: Call) -> Response:
    """Say something, or recommend."""
    call.desk.requests.comment(call.who, call.number, call.sent.text("text"), call.sent.text("says", "comment"))
    return _on(call, "said")


def day_until(text: str) -> int | None:
    """The last millisecond of a day (UTC) that a form names, ``None`` where it names none.

    Raises:
        UsageError: it is no day.
    """
    if not text.strip():
        return None
    try:
        found = datetime.combine(date.fromisoformat(text.strip()[:10]), datetime.min.time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise UsageError("a day is written as 2027-01-31") from None
    return int(found.timestamp() * 1000) - 1


def _on(call: Call, done: str) -> Response:
    return call.go(f"requests/{call.number}", done=done)


def _decides(who: Identity, project: str) -> bool:
    return Right.DECIDE in who.rights_in(project)


def _found(call: Call) -> Shown:
    try:
        return call.desk.requests.show(call.who, call.number)
    except NotAllowedError as error:
        raise NoPageError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None


def _revision(call: Call, who: Identity, found: Shown) -> Revision | None:
    try:
        return call.desk.catalogue.show(who, found.request.revision, project=found.request.project)
    except (NotAllowedError, NotThereError):  # somebody sees their own request where they may see nothing else
        return None


def _today(call: Call) -> str:
    return datetime.fromtimestamp(call.desk.clock() / 1000, UTC).date().isoformat()


def _latest(call: Call) -> str:
    """The last day for which an approval may hold."""
    most = call.desk.clock() / 1000 + (call.desk.requests.rules.longest - 1) * 86_400
    return datetime.fromtimestamp(most, UTC).date().isoformat()
