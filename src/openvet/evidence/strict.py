"""Reading JSON that somebody else signed or sent: one way to read it, or none.

Two readers that differ about a document are how a signature comes to cover something else than what is used. So what other
readers disagree on is refused here: duplicate keys, numbers that are no whole numbers, NaN, text that is no Unicode, base64 with
other spellings of the same bytes, fields that nobody knows.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from openvet.errors import VerifyError

__all__ = ["decode_base64", "encode_base64", "fields_of", "parse_json"]

#: Bytes of one document; an envelope of a model with 100,000 files has about 25 MB.
_MOST: Final = 256 * 1024 * 1024


def parse_json(data: bytes, what: str, *, whole_floats: bool = False) -> Any:
    """The value of one JSON document in UTF-8.

    Args:
        data: the whole document.
        what: names it in errors, as in ``the bundle``.
        whole_floats: take ``3.0`` for 3, as protobuf writes every number of a ``Struct``; no reader takes it for another.

    Raises:
        VerifyError: ``malformed``, for everything that two readers could take for two things.
    """
    if len(data) > _MOST:
        raise VerifyError("malformed", f"{what} has more than {_MOST} bytes")
    if data.startswith(b"\xef\xbb\xbf"):
        raise VerifyError("malformed", f"{what} begins with a byte order mark")
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_whole if whole_floats else _no_float, parse_constant=_no_float
        )
    except VerifyError as error:
        raise VerifyError("malformed", f"{what} {error.message}") from None
    except RecursionError:
        raise VerifyError("malformed", f"{what} is nested too deeply") from None
    except ValueError as error:
        raise VerifyError("malformed", f"{what} is no JSON: {error}") from None
    return value


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise VerifyError("malformed", f"has the key {key!r} twice")
        out[key] = value
    return out


def _whole(text: str) -> int:
    number, point, rest = text.partition(".")
    return int(number) if point and rest == "0" and len(number) < 17 and number != "-0" else _no_float(text)


def _no_float(text: str) -> NoReturn:
    raise VerifyError("malformed", f"has the number {text[:40]}, which not every reader takes for the same")


def fields_of(
    value: Any, what: str, needed: Mapping[str, type], optional: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """``value`` as an object with exactly these fields; optional ones that are missing are left out.

    Raises:
        VerifyError: ``malformed``, where it is no object, a field is missing, unknown, or of another type.
    """
    allowed = {**needed, **(optional or {})}
    if not isinstance(value, dict):
        raise VerifyError("malformed", f"{what} is no object")
    for name in value:
        if name not in allowed:
            raise VerifyError("malformed", f"{what} has a field {name[:60]!r}, which it cannot have")
    for name, kind in allowed.items():
        if name not in value:
            if name in needed:
                raise VerifyError("malformed", f"{what} has no field {name!r}")
            continue
        # a bool is an int for Python and for nobody else
        if not isinstance(value[name], kind) or (kind is int and isinstance(value[name], bool)):
            raise VerifyError("malformed", f"{what} has something else than {kind.__name__} in {name!r}")
    return value


def decode_base64(text: str, what: str) -> bytes:
    """The bytes of standard base64 (RFC 4648 section 4) in its one canonical spelling.

    Raises:
        VerifyError: ``malformed``, for any other spelling.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerifyError("malformed", f"{what} is not base64") from None
    if encode_base64(data) != text:
        raise VerifyError("malformed", f"{what} is base64 in a spelling that is not the canonical one")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")
