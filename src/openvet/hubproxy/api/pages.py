"""Lists: a page at a time, as JSON or as CSV, the same for every list."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from openvet.hubproxy.paths import know_rows

__all__ = [
    "BILL", "CSV", "Body", "Days", "Id", "InProject", "Limit", "Line", "Model", "Name", "OfProject", "Page", "Prose", "Said", "Size", "When", "answer", "file_of", "wants_csv",
]  # fmt: skip

know_rows()

T = TypeVar("T", bound=BaseModel)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def _whole(value: object) -> object:
    """``5.0`` is the whole number 5 (JSON Schema 2020-12, section 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: How many items a page has at most.
Limit = Annotated[int, Query(ge=1, le=1000, description="items on a page")]


#: A line of text, several lines, a time in milliseconds UTC, a number of a row: bounded, and without what no database keeps.
Line = Annotated[str, Field(max_length=600, pattern=r"^[^\x00-\x1f\x7f]*$")]
Prose = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
#: Several lines that say something.
Said = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
When = Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_whole)]
#: How many, or how large.
Size = Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_whole)]
Id = Annotated[int, Field(ge=1, le=2**53), BeforeValidator(_whole)]
Days = Annotated[int, Field(ge=1, le=366), BeforeValidator(_whole)]
#: The path of a project; of the second kind '' is one's own.
OfProject = Annotated[str, Field(max_length=600, pattern=r"^(/|(/[a-z0-9][a-z0-9-]{0,62}){1,8})$")]
InProject = Annotated[str, Field(max_length=600, pattern=r"^(|/|(/[a-z0-9][a-z0-9-]{0,62}){1,8})$")]
#: By which somebody logs in.
Name = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]([a-z0-9._@+-]{0,98}[a-z0-9])?$")]


class Model(BaseModel):
    """What is sent: nothing that the schema does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """What is taken: nothing that the schema does not name, and nothing guessed; ``"5"`` and ``true`` are no numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Page(Model, Generic[T]):
    """A page of a list. ``next`` is what to send as ``after`` for the page behind it, or null at the end."""

    items: list[T]
    next: str | None


#: The other form of a list, for the schema of its route.
CSV: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
#: A document that somebody else's schema describes.
BILL: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}


def file_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    """A file, for the schema of its route."""
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


def wants_csv(request: Request) -> bool:
    """Whether the client asks for the other form."""
    return "text/csv" in request.headers.get("accept", "")


def answer(request: Request, items: Sequence[T], following: str | None) -> Response:
    """A page as the client wants it: JSON, or CSV where ``Accept`` asks for ``text/csv``. ``Link`` names the next one in both."""
    link = ""
    if following is not None:
        url = request.url.include_query_params(after=following)
        link = f'<{url.path}?{url.query}>; rel="next"'
    if not wants_csv(request):
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
