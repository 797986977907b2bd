"""What Schemathesis holds every answer of the API to beside its own checks; it loads this by ``SCHEMATHESIS_HOOKS``, in its own environment."""

from __future__ import annotations

import os
from typing import Any

import schemathesis  # type: ignore[import-not-found]  # it lives in an environment of its own

#: What of our inside no answer may show.
LEAKS = ("Traceback (most recent", 'File "', "site-packages", "sqlalchemy", "sqlite3", os.environ["OPENVET_FOLDER"])


@schemathesis.check  # type: ignore[untyped-decorator]
def shows_nothing_of_the_inside(_ctx: Any, response: Any, _case: Any) -> None:
    text = response.content.decode("utf-8", "replace")
    found = [
        each
        for each in LEAKS
        if each in text or any(each in value for values in response.headers.values() for value in values)
    ]
    assert not found, f"the answer shows {found}"


@schemathesis.check  # type: ignore[untyped-decorator]
def a_problem_is_told_as_one(_ctx: Any, response: Any, _case: Any) -> None:
    """Every refusal is a problem of RFC 9457 that says what to do, and none is kept by a cache."""
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"], response.headers
        body = response.json()
        assert body["status"] == response.status_code, body
        assert body["detail"], body
