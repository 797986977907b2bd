"""Versions of Python packages: their order, and what a requirement allows.

Only what matching needs: an order for every version that PEP 440 knows, and for each requirement the intervals of versions that it
allows. Where the specification takes pre-releases away from a range unless they are asked for, the interval keeps them: matching has
to say "may be" rather than miss one. Local versions (``2.5.1+cu121``) are those that they were built from.

Source: https://packaging.python.org/en/latest/specifications/version-specifiers/ (PEP 440)
"""

from __future__ import annotations

import re
from typing import Final

from openvet.advisories.interval import EVERYTHING, Interval, Key, intersect
from openvet.core.pattern import pattern

__all__ = ["allowed", "exact", "key"]

_LONGEST: Final = 200
_VERSION: Final = pattern(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre_n>\d*))?"
    r"(?P<post>-(?P<post_1>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_2>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE | re.ASCII,
)
_PRE: Final = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_CLAUSE: Final = pattern(r"\s*(===|==|~=|!=|<=|>=|<|>)\s*([^\s,;]+)\s*")
_NO_PRE, _NO_DEV = (9, 0), (1, 0)


def key(version: str) -> Key | None:
    """What orders ``version``, or ``None`` where it is none. Zeros at the end of a release say nothing."""
    parsed = _parse(version)
    return None if parsed is None else _key(*parsed)


def _parse(version: str) -> tuple[int, tuple[int, ...], tuple[int, int] | None, int | None, int | None] | None:
    found = _VERSION.fullmatch(version.strip()) if len(version) <= _LONGEST else None
    if found is None:
        return None
    pre = (_PRE[found["pre"].lower()], int(found["pre_n"] or 0)) if found["pre"] else None
    post = int(found["post_1"] or found["post_2"] or 0) if found["post"] else None
    dev = int(found["dev_n"] or 0) if found["dev"] else None
    return int(found["epoch"] or 0), tuple(map(int, found["release"].split("."))), pre, post, dev


def _key(epoch: int, release: tuple[int, ...], pre: tuple[int, int] | None, post: int | None, dev: int | None) -> Key:
    while release and release[-1] == 0:
        release = release[:-1]
    # 1.0.dev1 < 1.0a1 < 1.0 < 1.0.post1; a development release of a pre-release comes before it
    first = pre if pre is not None else (-1, 0) if post is None and dev is not None else _NO_PRE
    return (epoch, release, first, -1 if post is None else post, _NO_DEV if dev is None else (0, dev))


def exact(specifier: str) -> str | None:
    """The one version that a requirement allows (``==1.2``), or ``None``."""
    found = [each.groups() for each in map(_CLAUSE.fullmatch, specifier.split(",")) if each]
    pinned = [version for operator, version in found if operator in {"==", "==="} and not version.endswith(".*")]
    return pinned[0] if pinned and key(pinned[0]) is not None else None


def allowed(specifier: str) -> tuple[Interval, ...] | None:
    """The versions that a requirement allows (``>=2.0,<3``; '' allows all), or ``None`` where it is not understood."""
    out: tuple[Interval, ...] = (EVERYTHING,)
    for part in specifier.split(","):
        if not part.strip():
            continue
        found = _CLAUSE.fullmatch(part)
        one = _clause(found[1], found[2]) if found else None
        if one is None:
            return None
        out = intersect(out, one)
    return out


def _clause(operator: str, version: str) -> tuple[Interval, ...] | None:
    prefix = version.endswith(".*")
    parsed = _parse(version[:-2] if prefix else version)
    if parsed is None or (prefix and operator not in {"==", "!="}):
        return None
    at = _key(*parsed)
    if operator == "~=":
        return _compatible(parsed)
    if prefix:
        low, high = _first(parsed[0], parsed[1]), _first(parsed[0], _next(parsed[1]))
        if operator == "==":
            return (Interval(low, high),)
        return (Interval(None, low), Interval(high, None))
    match operator:
        case "==" | "===":
            return (Interval(at, at, closed=True),)
        case "!=":
            return (Interval(None, at), Interval(at, None, after=True))
        case ">=":
            return (Interval(at, None),)
        case ">":
            return (Interval(at, None, after=True),)
        case "<=":
            return (Interval(None, at, closed=True),)
        case _:
            return (Interval(None, at),)


def _compatible(
    parsed: tuple[int, tuple[int, ...], tuple[int, int] | None, int | None, int | None],
) -> tuple[Interval, ...] | None:
    epoch, release = parsed[0], parsed[1]
    if len(release) < 2:
        return None
    return (Interval(_key(*parsed), _first(epoch, _next(release[:-1]))),)


def _next(release: tuple[int, ...]) -> tuple[int, ...]:
    return (*release[:-1], release[-1] + 1)


def _first(epoch: int, release: tuple[int, ...]) -> Key:
    """Below everything that begins with ``release``: its development release 0."""
    return _key(epoch, release, None, None, 0)
