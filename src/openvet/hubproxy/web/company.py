"""Logins at a company's provider, as a browser sees them: there, back, and out.

Forms of ours may lead nowhere else (Content Security Policy, ``form-action``), so the way there is a link. The cookie of a session is sent only where a page
of ours leads, and whoever comes back comes from the provider: so the answer is a page that goes on by itself.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.gate.company import CompanyLogin, CompanyLoginError
from openvet.gate.identity import ELSEWHERE
from openvet.hubproxy.seen import Seen
from openvet.hubproxy.web.call import Call, NoPageError
from openvet.hubproxy.web.entrance import give_session, next_of, show_login
from openvet.hubproxy.web.pages import HEADERS

__all__ = ["begin", "come_back", "leave"]

#: What a browser keeps of a login that has begun.
COOKIE: Final = "openvet_oidc"
_SECONDS: Final = 600
_FIELDS: Final = ("state", "code", "iss", "error")


def begin(call: Call) -> Response:
    """Send somebody to the provider."""
    company = _company(call)
    try:
        begun = company.begin(next_of(call))
    except CompanyLoginError as error:
        return _refused(call, error)
    response = Response(None, 303, {**HEADERS, "Location": begun.url})
    # the provider's answer comes from another site: a strict cookie would stay away
    response.set_cookie(
        COOKIE, begun.cookie, max_age=_SECONDS, path=_path(call), secure=call.secure, httponly=True, samesite="lax"
    )
    return response


def come_back(call: Call) -> Response:
    """Let somebody in who comes from the provider."""
    company = _company(call)
    answer = {name: call.query.text(name) for name in _FIELDS if call.query.all(name)}
    try:
        if any(len(call.query.all(name)) > 1 for name in _FIELDS):
            raise CompanyLoginError("twice", "The answer says a thing twice, and nothing of it was used. Begin again.")
        login, wanted = company.finish(call.request.cookies.get(COOKIE, "")[:4096], answer)
    except CompanyLoginError as error:
        return _over(call, _refused(call, error))
    Seen.of(call.request.scope).outcome = "login"
    where, _, query = next_of(call, wanted).partition("?")
    to = call.url(where) + (f"?{query}" if query else "")
    return _over(
        call, give_session(call, login, call.show("onward.html", to=to, title="You are logged in", word="Go on"))
    )


def leave(call: Call) -> Response | None:
    """Where somebody who logged in at the provider logs out there, too; ``None`` where that is not possible."""
    company = call.desk.company
    if company is None or not call.secret.startswith(ELSEWHERE):
        return None
    to = company.leaving()
    if not to:
        return None
    return call.show(
        "onward.html", to=to, title="You are logged out here", word=f"Log out of {company.settings.name}, too"
    )


def _company(call: Call) -> CompanyLogin:
    if call.desk.company is None:
        raise NoPageError("This server has no login at a provider.")
    return call.desk.company


def _refused(call: Call, error: CompanyLoginError) -> Response:
    Seen.of(call.request.scope).outcome = f"no-login: {error.why}"
    response = show_login(call, problem=str(error))
    response.status_code = 502 if error.away else 403
    return response


def _over(call: Call, response: Response) -> Response:
    response.delete_cookie(COOKIE, _path(call), secure=call.secure, httponly=True, samesite="lax")
    return response


def _path(call: Call) -> str:
    return f"{call.root}/login/oidc"
