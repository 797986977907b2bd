"""The ways in and out: a password chosen by a link, a login, a logout."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.core.pattern import pattern
from openvet.gate.identity import Login, NotAllowedError, TooManyError
from openvet.hubproxy.api.who import COOKIE
from openvet.hubproxy.web.call import Call, NoPageError

__all__ = ["accept", "give_session", "log_in", "log_out", "next_of", "show_login", "show_welcome"]

#: A page of ours to go on to: what somebody wanted before they had to log in.
_NEXT: Final = pattern(r"[a-z][A-Za-z0-9._~/-]{0,500}(?:\?[A-Za-z0-9._~=&%+-]{0,1000})?")


def show_welcome(call: Call, problem: str = "") -> Response:
    """Choose a password, whoever holds the link."""
    secret = call.sent.text("invitation")[:200]
    person = call.desk.people.invited(secret)
    if person is None:
        raise NoPageError("This link was used, or is too old. Somebody who administers the server can make a new one; on a new server, starting it again does.")  # fmt: skip
    return call.show("welcome.html", person=person, invitation=secret, problem=problem)


def accept(call: Call) -> Response:
    """Take the password, and let them in."""
    password = call.sent.text("password")
    if call.sent.text("again") != password:
        return _status(show_welcome(call, problem="The two passwords are not the same."), 422)
    return _let_in(call, call.desk.people.accept(call.sent.text("invitation")[:200], password), "account")


def show_login(call: Call, problem: str = "") -> Response:
    """Log in; whoever is logged in may go on, or be somebody else."""
    return call.show("login.html", problem=problem, next=next_of(call))


def log_in(call: Call) -> Response:
    """Let somebody in who knows the password."""
    client = call.request.client
    try:
        login = call.desk.people.log_in(
            call.sent.text("name").strip(), call.sent.text("password"), client.host if client else ""
        )
    except TooManyError as error:
        wait = f"{error.seconds} seconds" if error.seconds != 1 else "a second"
        response = _status(show_login(call, problem=f"Too many attempts. Try again in {wait}."), 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    except NotAllowedError:
        company = call.desk.people.company
        said = (
            f"Passwords do not count here: log in by {company.name}."
            if company is not None and company.only
            else "That is not the name, or not the password."
        )
        return _status(show_login(call, problem=said), 403)
    return _let_in(call, login, next_of(call))


def log_out(call: Call) -> Response:
    """End the session, here and at the browser; and at the provider, where somebody logged in there."""
    from openvet.hubproxy.web.company import leave

    call.desk.people.log_out(call.request.cookies.get(COOKIE, ""))
    response = leave(call) or call.go("login", done="out")
    response.delete_cookie(COOKIE, call.root or "/", secure=call.secure, httponly=True, samesite="strict")
    return response


def give_session(call: Call, login: Login, response: Response) -> Response:
    """Give the browser a session, which is new: one that somebody else may know is none any more."""
    old = call.request.cookies.get(COOKIE, "")
    if old:
        call.desk.people.log_out(old)
    response.set_cookie(
        COOKIE, login.secret, path=call.root or "/", secure=call.secure, httponly=True, samesite="strict"
    )
    return response


def _let_in(call: Call, login: Login, path: str) -> Response:
    where, _, query = path.partition("?")
    response = call.go(where)
    if query:
        response.headers["Location"] += f"?{query}"
    return give_session(call, login, response)


def next_of(call: Call, text: str | None = None) -> str:
    """The page to go on to, from a form or as ``text`` says; '' where it is none of ours."""
    wanted = call.sent.text("next") if text is None else text
    good = _NEXT.fullmatch(wanted) and "//" not in wanted and not wanted.startswith(("login", "logout", "welcome"))
    return wanted if good else ""


def _status(response: Response, status: int) -> Response:
    response.status_code = status
    return response
