"""SPDX licence expressions: which licences, joined how.

Parsed by the library ``license-expression`` with the ids of our own table. It is imported when something looks like an expression of more
than one licence, which few declarations are.

Source: SPDX 3.0.1, annex "SPDX license expressions".
"""

from __future__ import annotations

from functools import cache
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.license_ids import keys_of, known_licenses, spdx_ids
from openvet.core.pattern import pattern

__all__ = ["Expression", "looks_like_expression", "parse_expression"]

_LONGEST, _MOST, _DEEPEST = 400, 40, 12
_OPERATOR = pattern(r"(?<=\s|\))(?:AND|OR|WITH|and|or|with)(?=\s|\()")


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression in its normal form, the keys of its licences in order, and names in it that are not known."""

    text: str
    keys: tuple[str, ...]
    unknown: tuple[str, ...]


def looks_like_expression(text: str) -> bool:
    """Whether ``text`` joins licences by ``AND``, ``OR`` or ``WITH``."""
    return len(text) <= _LONGEST and _OPERATOR.search(text) is not None


@cache
def _licensing() -> Any:
    from license_expression import LicenseSymbol, Licensing

    known = dict.fromkeys([*spdx_ids(), *known_licenses()])
    return Licensing([LicenseSymbol(each, is_exception="exception" in each.lower()) for each in known])


def parse_expression(text: str) -> Expression | None:
    """The expression that ``text`` is; ``None`` where it is none, or goes beyond our bounds (400 characters, 40 licences)."""
    if not looks_like_expression(text) or text.count("(") > _DEEPEST:
        return None
    from license_expression import ExpressionError, ExpressionParseError

    licensing = _licensing()
    try:
        parsed = licensing.parse(text)
        if parsed is None:
            return None
        symbols = list(
            dict.fromkeys(each.key for each in licensing.license_symbols(parsed, unique=False, decompose=True))
        )
    except (ExpressionError, ExpressionParseError, ValueError, AttributeError, TypeError):
        return None  # the library's own errors, and those that odd input makes it raise
    if len(symbols) > _MOST:
        return None
    keys: dict[str, None] = {}
    unknown: list[str] = []
    for each in symbols:
        found = keys_of(each)
        keys.update(dict.fromkeys(found))
        if not found:
            unknown.append(each)
    # a sentence that has an "and" in it: nothing in it is a licence
    return Expression(str(parsed), tuple(keys), tuple(unknown)) if keys else None
