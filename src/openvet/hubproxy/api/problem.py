"""What went wrong, for programs: ``application/problem+json`` of RFC 9457. A fault of ours tells nothing about our inside."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from openvet.core.text import printable
from openvet.errors import ConflictError, UsageError, VerifyError
from openvet.evidence.log.disk import StorageError
from openvet.gate.identity import NotAllowedError, NotThereError

__all__ = ["CONFLICT", "PROBLEMS", "NotIdentifiedError", "add_handlers", "problem", "status_of"]

MEDIA_TYPE: Final = "application/problem+json"
_MOST: Final = 20
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")

_SCHEMA: Final[dict[str, Any]] = {
    MEDIA_TYPE: {
        "schema": {
            "type": "object",
            "required": ["title", "status", "detail"],
            "properties": {
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"at": {"type": "string"}, "detail": {"type": "string"}},
                    },
                },
            },
        }
    }
}
#: The schema of a problem, for every route.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "It was not done; `detail` says why and what to do next.", "content": _SCHEMA},
    "5XX": {"description": "It cannot be done here and now; `detail` says what is wrong.", "content": _SCHEMA},
}
#: Beside them, for a route that may find something that stands against what is asked.
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {"description": "What is there by now stands against it; `detail` says what.", "content": _SCHEMA},
}


class NotIdentifiedError(Exception):
    """Nobody knows who asks. ``str`` says what to send."""


def status_of(error: Exception) -> int:
    """The status of what was refused: 409 where what is there stands against it, and 422 where it makes no sense (RFC 9110, sections 15.5.10 and 15.5.21)."""
    if isinstance(error, NotAllowedError):
        return 403
    if isinstance(error, NotThereError):
        return 404
    return 409 if isinstance(error, ConflictError) else 422


def problem(
    status: int, detail: str, errors: list[dict[str, str]] | None = None, *, headers: dict[str, str] | None = None
) -> JSONResponse:
    """An answer that says what went wrong."""
    body: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Have every error of a route answered as a problem."""

    @app.exception_handler(NotIdentifiedError)
    async def not_identified(_: Request, error: NotIdentifiedError) -> JSONResponse:
        return problem(401, str(error), headers={"WWW-Authenticate": 'Bearer realm="openvet"'})

    @app.exception_handler(NotAllowedError)
    async def not_allowed(_: Request, error: NotAllowedError) -> JSONResponse:
        return problem(status_of(error), str(error))

    @app.exception_handler(NotThereError)
    async def not_there(_: Request, error: NotThereError) -> JSONResponse:
        return problem(status_of(error), str(error))

    @app.exception_handler(VerifyError)
    async def not_verified(_: Request, error: VerifyError) -> JSONResponse:
        why = f"what lies on this server's disk is not verified ({error.reason}): {error.message}; tell whoever runs it"
        return problem(500, why)

    @app.exception_handler(UsageError)
    async def usage(_: Request, error: UsageError) -> JSONResponse:
        return problem(status_of(error), str(error))

    @app.exception_handler(StorageError)
    async def storage(_: Request, error: StorageError) -> JSONResponse:
        return problem(503, error.message if hasattr(error, "message") else str(error), headers={"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:  # the framework names the methods of the first route of a path alone
            headers["Allow"] = ", ".join(_methods(app, request))
        return problem(error.status_code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        found = [
            {"at": printable(".".join(map(str, each["loc"])))[:200], "detail": printable(str(each["msg"]))[:200]}
            for each in error.errors()[:_MOST]
        ]
        return problem(422, "the request does not fit the schema of this route", found)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """What the path of a request can be asked with."""
    scopes = {each: {**request.scope, "method": each} for each in _METHODS}
    return [
        each for each, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in app.routes)
    ]
