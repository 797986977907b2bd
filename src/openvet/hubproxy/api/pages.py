"""Lists: a page at a time, as JSON or as CSV, the same for every list."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Id", "Limit", "Line", "Model", "Page", "Prose", "When", "answer"]

T = TypeVar("T", bound=BaseModel)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

#: How many items a page has at most.
Limit = Annotated[int, Query(ge=1, le=1000, description="items on a page")]


#: A line of text, several lines, a time in milliseconds UTC, a number of a row: bounded, and without what no database keeps.
Line = Annotated[str, Field(max_length=600, pattern=r"^[^\x00-\x1f\x7f]*$")]
Prose = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
When = Annotated[int, Field(ge=0, le=2**53)]
Id = Annotated[int, Field(ge=1, le=2**53)]


class Model(BaseModel):
    """What is sent and taken: nothing that the schema does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Model, Generic[T]):
    """A page of a list. ``next`` is what to send as ``after`` for the page behind it, or null at the end."""

    items: list[T]
    next: str | None


def answer(request: Request, items: Sequence[T], following: str | None) -> Response:
    """A page as the client wants it: JSON, or CSV where ``Accept`` asks for ``text/csv``. ``Link`` names the next one in both."""
    link = ""
    if following is not None:
        url = request.url.include_query_params(after=following)
        link = f'<{url.path}?{url.query}>; rel="next"'
    if "text/csv" not in request.headers.get("accept", ""):
        body = {"items": [each.model_dump(mode="json") for each in items], "next": following}
        return _response(json.dumps(body, ensure_ascii=False), "application/json", link)
    out = io.StringIO()
    writer = csv.writer(out)
    for number, each in enumerate(items):
        row = each.model_dump(mode="json")
        if number == 0:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
    return _response(out.getvalue(), "text/csv; charset=utf-8", link)


def _response(body: str, media_type: str, link: str) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    return Response(body, media_type=media_type, headers={**headers, **({"Link": link} if link else {})})


def _cell(value: Any) -> str:
    """A value as a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
