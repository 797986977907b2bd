"""A form with a file, as a transcription is asked for: ``multipart/form-data``, in memory and bounded.

Source: RFC 7578; OpenAI API reference, transcriptions.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.gateway.refusal import RefusalError, unsupported

__all__ = ["Form", "SpeechRequest", "form_of", "speech_request"]

_FIELDS: Final = 16
_FIELD: Final = 4096
_NO_MATTER: Final = {"model"}
_NOTHING: Final = {"prompt": ("",), "temperature": ("0", "0.0"), "stream": ("false",), "chunking_strategy": ()}


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by their names, and the bytes of ``file``."""

    fields: dict[str, str]
    file: bytes


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """A file whose words are wanted, the language ('' if it is not said), and whether they come as ``json`` or ``text``."""

    file: bytes
    language: str
    form: str


class _InMemory(MultiPartParser):
    """Nothing that is said is written to a disk: what a request may hold at most is in memory already."""

    spool_max_size = 1 << 40


async def form_of(content_type: str, body: bytes) -> Form:
    """What a form holds.

    Raises:
        RefusalError: it is none, or holds more than a transcription is asked with.
    """
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise RefusalError(415, "unsupported_media_type", "the body has to be multipart/form-data, with a field file")

    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = _InMemory(Headers({"content-type": content_type}), once(), max_files=1, max_fields=_FIELDS, max_part_size=_FIELD)  # fmt: skip
        found = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        said = error.message if isinstance(error, MultiPartException) else str(error)
        raise RefusalError(400, "invalid_form", f"the body is no form: {said}") from None
    fields: dict[str, str] = {}
    file = None
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            if name != "file":
                raise unsupported(name, "is no field for a file; file is")
            file = await value.read()
            await value.close()
        elif name in fields:
            raise RefusalError(400, "invalid_form", f"{name!r} is there twice", param=printable(name)[:100])
        else:
            fields[name] = value
    if not file:
        raise RefusalError(400, "invalid_value", "file: an audio file is needed", param="file")
    return Form(fields, file)


def speech_request(form: Form) -> SpeechRequest:
    """What is wanted of a form.

    Raises:
        RefusalError: it asks for what is not supported.
    """
    wanted, language = "json", ""
    for name, value in form.fields.items():
        if name == "response_format":
            if value not in ("json", "text"):
                raise unsupported(name, f"{value!r} is not supported here; json and text are")
            wanted = value
        elif name == "language":
            if not (value.isascii() and value.isalpha() and 2 <= len(value) <= 3):
                raise RefusalError(400, "invalid_value", "language: a code such as en is needed", param=name)
            language = value.lower()
        elif name in _NOTHING:
            if value not in _NOTHING[name]:
                raise unsupported(name, "is not supported here; leave it out")
        elif name not in _NO_MATTER:
            if name in ("timestamp_granularities[]", "include[]"):
                raise unsupported(name, "is not supported here; leave it out")
            raise RefusalError(400, "unknown_parameter", f"{name!r} is not known here", param=printable(name)[:100])
    return SpeechRequest(form.file, language, wanted)
