"""Versions as https://semver.org (2.0.0) orders them, numbers with dots as most programs count them, and builds (``b8146``)."""

from __future__ import annotations

import re
from typing import Final

from openvet.advisories.interval import Key
from openvet.core.pattern import pattern

__all__ = ["key"]

_VERSION: Final = pattern(
    r"\s*[vb]?(\d{1,18}(?:\.\d{1,18}){0,8})(?:-([0-9A-Za-z.-]{1,100}))?(?:\+[0-9A-Za-z.-]{1,100})?\s*", re.ASCII
)


def key(version: str) -> Key | None:
    """What orders ``version``, or ``None`` where it is none."""
    found = _VERSION.fullmatch(version) if len(version) <= 300 else None
    if found is None:
        return None
    release = tuple(map(int, found[1].split(".")))
    while release and release[-1] == 0:
        release = release[:-1]
    if found[2] is None:
        return (release, 1, ())
    parts = tuple((0, int(each), "") if each.isdigit() else (1, 0, each) for each in found[2].split("."))
    return (release, 0, parts)
