"""Who asks: by a token in ``Authorization``, or by the session of a browser.

A browser sends its cookie by itself, also when another site makes it; so whatever changes something by session has to send along what
only our pages know (``X-OpenVet-Form``). The two ways stand in the schema as what FastAPI has for them; what that finds is not looked at.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from openvet.gate.credentials import is_token
from openvet.gate.identity import Identity, NotAllowedError, People
from openvet.hubproxy.api.problem import NotIdentifiedError

__all__ = ["COOKIE", "FORM", "Who", "WhoPulls", "bearer_of"]

COOKIE: Final = "openvet_session"
FORM: Final = "x-openvet-form"
_SAFE: Final = frozenset({"GET", "HEAD"})


def bearer_of(header: str) -> str:
    """The token of an ``Authorization`` header, '' where it holds none."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _identify(
    request: Request,
    _token: Annotated[object, Security(HTTPBearer(auto_error=False))],
    _session: Annotated[object, Security(APIKeyCookie(name=COOKIE, auto_error=False))],
) -> Identity:
    people: People = request.app.state.people
    header = request.headers.get("authorization", "")
    if header:
        token = bearer_of(header)
        if not token:
            raise NotIdentifiedError("Authorization has to be 'Bearer ovt_...'")
        try:
            return people.by_token(token)
        except NotAllowedError as error:
            raise NotIdentifiedError(str(error)) from None
    found = people.by_session(request.cookies.get(COOKIE, ""))
    if found is None:
        raise NotIdentifiedError("log in, or send a token: Authorization: Bearer ovt_...")
    identity, form = found
    sent = request.headers.get(FORM, "").encode()
    if request.method not in _SAFE and not hmac.compare_digest(sent, form.encode()):
        raise NotAllowedError("this did not come from a page of ours: load the page again")
    return identity


def _identify_or_pull(
    request: Request,
    token: Annotated[object, Security(HTTPBearer(auto_error=False))],
    session: Annotated[object, Security(APIKeyCookie(name=COOKIE, auto_error=False))],
) -> Identity | None:
    """As :func:`_identify`; ``None`` where nobody says who they are and this server gives models to whoever asks.

    Clients of a hub send the token of another one with every request, which says as little here as it does at a pull.
    """
    if request.app.state.anonymous:
        sent = bearer_of(request.headers.get("authorization", ""))
        if not is_token(sent) and COOKIE not in request.cookies:
            return None
    return _identify(request, token, session)


#: The parameter of a route that needs to know who asks.
Who = Annotated[Identity, Depends(_identify)]
#: The same for what whoever may pull may know: ``None`` is nobody who is known.
WhoPulls = Annotated[Identity | None, Depends(_identify_or_pull)]
