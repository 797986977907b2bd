"""Why a request is not answered, in OpenAI's shape: ``{"error": {"message", "type", "param", "code"}}``.

Source: OpenAI API reference, errors; the shapes that ``openai`` 2.x turns into its exceptions.
"""

from __future__ import annotations

import json

from openvet.core.text import printable

__all__ = ["RefusalError", "unsupported"]

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_LONGEST = 1000


class RefusalError(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP; 4xx says that the request has to change.
        code: for programs, such as ``context_length_exceeded``.
        message: for people: what, and what to do.
        param: the field that it is about.
        retry: seconds after which asking again makes sense; 0 where it does not.
    """

    def __init__(self, status: int, code: str, message: str, *, param: str = "", retry: int = 0) -> None:
        message = printable(message)[:_LONGEST]
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.retry = status, code, message, param, retry

    @property
    def body(self) -> bytes:
        """As JSON."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        error = {"message": self.message, "type": kind, "param": self.param or None, "code": self.code}
        return json.dumps({"error": error}).encode()


def unsupported(param: str, why: str) -> RefusalError:
    """A field that is not supported, or not with this value: it is refused, since an answer without it would be another one."""
    return RefusalError(400, "unsupported_parameter", f"{printable(param)[:100]}: {why}", param=printable(param)[:100])
