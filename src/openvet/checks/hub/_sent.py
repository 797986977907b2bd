"""Addresses in configurations into which a library puts what the environment keeps secret: ``http://host/?k=${oc.env:HF_TOKEN}``.

A name and password in front of the host belong there (a data base, a private index of packages); a path, a query or a part of the host's
name does not need one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from openvet.core.location import below
from openvet.core.pattern import pattern

__all__ = ["sent_variables"]

_ADDRESS: Final = pattern(r"(?:https?|wss?|ftp)://((?:\{\{[^{}\n]{0,120}\}\}|[^\s\"'<>]){1,2000}+)")
#: How OmegaConf, pyaml-env, shells, Jinja and Helm write a variable of the environment.
_VARIABLE: Final = pattern(
    r"\$\{[ \t]{0,8}(?:(?:oc\.)?env|ENV|environ)[ \t]{0,8}[:.][ \t]{0,8}([A-Za-z_]\w{0,80})|\$\{?([A-Z_][A-Z0-9_]{1,80})\b|"
    r"\{\{[ \t]{0,8}(?:(?:os\.)?environ(?:\.get)?|env|getenv|lookup)[ \t]{0,8}[.(\[][ \t]{0,8}['\"]?([A-Za-z_]\w{0,80})|%\((?:ENV_)?([A-Z_][A-Z0-9_]{1,80})\)s"
)
_SECRET: Final = pattern(
    r"(?:^|_)(?:API_?KEY|ACCESS_KEY|SECRET\w{0,20}|\w{0,20}TOKEN|PASS(?:WORD|WD|PHRASE)?|CREDENTIALS?|PRIVATE_KEY|COOKIE|SESSION_\w{1,20})$"
)
_HOST_ENDS: Final = frozenset("/?#")
_MOST: Final = 200_000


def sent_variables(document: Any) -> Iterator[tuple[str, str, str, str]]:
    """(pointer, text, variable, host) of each address of ``document`` that takes up a secret."""
    stack: list[tuple[str, Any]] = [("", document)]
    seen = 0
    while stack and seen < _MOST:
        pointer, value = stack.pop()
        if isinstance(value, str):
            found = _sent(value) if "://" in value and ("$" in value or "{{" in value or "%(" in value) else None
            if found is not None:
                yield pointer, value, *found
        elif isinstance(value, dict | list):
            seen += len(value)
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            stack.extend((below(pointer, key), child) for key, child in parts if isinstance(child, str | dict | list))


def _sent(text: str) -> tuple[str, str] | None:
    for address in _ADDRESS.finditer(text):
        user, at, behind = address[1].partition("@")
        rest = behind if at and _HOST_ENDS.isdisjoint(user) else address[1]
        for found in _VARIABLE.finditer(rest):
            name = next(filter(None, found.groups()))
            if _SECRET.search(name.upper()):
                end = min((at for at in map(rest.find, _HOST_ENDS | {"$", "{", "%"}) if at >= 0), default=len(rest))
                return name, rest[:end] or "a host that is put together"
    return None
